import type { Label } from "../../emit/function.ts";
import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import {
  constantLanes,
  denormalLanes,
  eitherLane,
  exactScalar,
  exactVector,
  extraordinaryLanes,
  F32,
  F64,
  type Format,
  guarded,
  isOrdinary,
  isZero,
  nanLanes,
  rejectMarked,
  rejectUnordered,
  requireCommonControl,
  requireSilentPrecision,
  zeroLanes,
} from "./guard.ts";

// ---- scalars ----

/** CVTSI2SS, CVTSI2SD. */
function fromInteger(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const source = src.read();
      const from = src.width === 64 ? "i64" : "i32";
      const convert = (): Value => {
        const result = e.let(e.reinterpret(e.convert(format.type, `convert_s.${from}`, source), format.integer));
        e.noteResult(result, format.type);
        return result;
      };
      // A double holds every 32-bit integer.
      if (format.width === 64 && from === "i32") {
        dst.write(convert());
        return;
      }
      guarded(
        e,
        (reject) => {
          requireCommonControl(e, reject);
          dst.write(convert());
        },
        () => dst.write(exactScalar(e, `${format.type}_from_${from}`, [source], format.width)),
      );
    },
  });
}

/** CVTSS2SI, CVTTSD2SI and the like. */
function toInteger(reference: string, truncates: boolean, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const source = src.read();
      const to = dst.width === 64 ? "i64" : "i32";
      guarded(
        e,
        (reject) => {
          if (truncates) requireSilentPrecision(e, reject);
          else requireCommonControl(e, reject);
          const value = e.let(e.reinterpret(source, format.type));
          // The conversion below truncates by itself.
          const integral = truncates ? value : e.let(e.float(format.type, "nearest", value));
          // False for NaNs too. The most negative integer is left to the exact path, as are fractions that it is made of.
          const limit = e.floatConstant(format.type, to === "i64" ? 2 ** 63 : 2 ** 31);
          e.break(reject, e.eqz(e.compareFloat(format.type, "lt", e.float(format.type, "abs", integral), limit)));
          dst.write(e.convert(to, `trunc_s_sat.${format.type}`, integral));
        },
        () => {
          const how = e.constant(32, truncates ? 1 : 0);
          dst.write(exactScalar(e, `${format.type}_to_${to}`, [source, how], to === "i64" ? 64 : 32));
        },
      );
    },
  });
}

/** CVTSS2SD: exact. */
const cvtss2sd: Definition = define({
  reference: "SDM 2A CVTSS2SD",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    const source = src.read();
    const value = e.let(e.reinterpret(source, "f32"));
    guarded(
      e,
      (reject) => {
        rejectUnordered(e, reject, F32, source);
        const result = e.let(e.reinterpret(e.convert("f64", "promote", value), "i64"));
        e.noteResult(result, "f64");
        dst.write(result);
      },
      () => dst.write(exactScalar(e, "f32_to_f64", [source], 64)),
    );
  },
});

/** CVTSD2SS: rounds. */
const cvtsd2ss: Definition = define({
  reference: "SDM 2A CVTSD2SS",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    const source = src.read();
    const result = e.let(e.reinterpret(e.convert("f32", "demote", e.reinterpret(source, "f64")), "i32"));
    guarded(
      e,
      (reject) => {
        requireCommonControl(e, reject);
        const check = (label: Label): void =>
          e.block((accept) => {
            e.break(accept, isOrdinary(e, F32, result));
            e.break(label, e.eqz(isZero(e, F64, source)));
          });
        if (!e.deferCheck("f32", [result], check)) check(reject);
        e.noteResult(result, "f32");
        dst.write(result);
      },
      () => dst.write(exactScalar(e, "f64_to_f32", [source], 32)),
    );
  },
});

// ---- vectors ----

/** A vector with the given low half and zeros above. */
function lowHalf(e: Emitter, low: Value): Value {
  return e.let(e.replaceLane("i64x2", constantLanes(e, { width: 32 }, 0n), 0, low));
}

/** CVTDQ2PS. */
const cvtdq2ps: Definition = define({
  reference: "SDM 2A CVTDQ2PS",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    const source = src.read();
    guarded(
      e,
      (reject) => {
        requireCommonControl(e, reject);
        const result = e.let(e.vector("f32x4", "convert_i32x4_s", source));
        e.noteResult(result, "f32x4");
        dst.write(result);
      },
      () => dst.write(exactVector(e, "i32x4_to_f32x4", source)),
    );
  },
});

/** CVTDQ2PD: a double holds every 32-bit integer. */
const cvtdq2pd: Definition = define({
  reference: "SDM 2A CVTDQ2PD",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    const result = e.let(e.vector("f64x2", "convert_low_i32x4_s", lowHalf(e, src.read())));
    e.noteResult(result, "f64x2");
    dst.write(result);
  },
});

/** 2^31 */
const POWER_31: Readonly<Record<Format["type"], bigint>> = { f32: 0x4f00_0000n, f64: 0x41e0_0000_0000_0000n };

/** Rejects lanes that do not fit 32-bit integers, NaNs, and the most negative integer (which the exact path finds valid). */
function rejectOutOfRange(e: Emitter, reject: Label, format: Format, integral: Value): void {
  const { vector } = format;
  const fits = e.vector(
    vector,
    "lt",
    e.vector(vector, "abs", integral),
    constantLanes(e, format, POWER_31[format.type]),
  );
  rejectMarked(e, reject, e.vector("v128", "not", fits));
}

/** CVTPS2DQ, CVTTPS2DQ, CVTPD2DQ, CVTTPD2DQ. */
function toIntegers(reference: string, truncates: boolean, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const source = src.read();
      guarded(
        e,
        (reject) => {
          if (truncates) requireSilentPrecision(e, reject);
          else requireCommonControl(e, reject);
          // WebAssembly's conversion truncates, and what fits truncated fits as it is, but for fractions below the least integer.
          const integral = truncates ? source : e.let(e.vector(format.vector, "nearest", source));
          rejectOutOfRange(e, reject, format, integral);
          dst.write(e.vector("i32x4", format.width === 32 ? "trunc_sat_f32x4_s" : "trunc_sat_f64x2_s_zero", integral));
        },
        () => dst.write(exactVector(e, `${format.vector}_to_i32x4`, source, e.constant(32, truncates ? 1 : 0))),
      );
    },
  });
}

/** CVTPS2PD: exact. */
const cvtps2pd: Definition = define({
  reference: "SDM 2A CVTPS2PD",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    const source = lowHalf(e, src.read());
    guarded(
      e,
      (reject) => {
        const marks = eitherLane(e, denormalLanes(e, F32, source), nanLanes(e, F32, source));
        rejectMarked(e, reject, marks);
        const result = e.let(e.vector("f64x2", "promote_low_f32x4", source));
        e.noteResult(result, "f64x2");
        dst.write(result);
      },
      () => dst.write(exactVector(e, "f32x4_to_f64x2", source)),
    );
  },
});

/** CVTPD2PS: rounds; zeros above. */
const cvtpd2ps: Definition = define({
  reference: "SDM 2A CVTPD2PS",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    const source = src.read();
    const result = e.let(e.vector("f32x4", "demote_f64x2_zero", source));
    guarded(
      e,
      (reject) => {
        requireCommonControl(e, reject);
        const extraordinary = e.let(extraordinaryLanes(e, F32, result));
        // The two upper lanes are never ordinary. Where a source is zero, its two halves are marks for lanes 0 and 1.
        const zero = zeroLanes(e, F64, source);
        const allowed = e.shuffle(
          zero,
          constantLanes(e, F64, -1n),
          [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23],
        );
        rejectMarked(e, reject, e.vector("v128", "andnot", extraordinary, allowed));
        e.noteResult(result, "f32x4");
        dst.write(result);
      },
      () => dst.write(exactVector(e, "f64x2_to_f32x4", source)),
    );
  },
});

// ---- MMX ----

/** What every instruction with an MMX register checks first: a pending x87 exception. SDM Vol. 1, 9.6.2. */
function checkPendingX87(e: Emitter): void {
  e.if(e.and(e.get("fsw"), e.constant(32, 0x80)), () => e.fault("MF"));
}

/**
 * And what it does first: TOP = 0, no register empty (SDM Vol. 1, 9.6.2). The processor has done so even when #XM follows; a fault of
 * the memory operand comes before.
 */
function enterMmx(e: Emitter): void {
  e.set("ftop", e.constant(32, 0));
  e.set("ftag", e.constant(32, 0xff));
}

/** CVTPI2PS: two integers to the low lanes; with a memory operand the processor leaves the x87 alone, as for CVTPI2PD. */
const cvtpi2ps: Definition = define({
  reference: "SDM 2A CVTPI2PS",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    if (src.kind === "register") checkPendingX87(e);
    const source = lowHalf(e, src.read());
    if (src.kind === "register") enterMmx(e);
    dst.write(e.extractLane("i64x2", exactVector(e, "i32x4_to_f32x4", source), 0));
  },
});

/** CVTPI2PD: two integers, exact; with a memory operand it has nothing to do with MMX. */
const cvtpi2pd: Definition = define({
  reference: "SDM 2A CVTPI2PD",
  operands: { dst: "w", src: "r" },
  unit: "sse",
  emit(e, { dst, src }) {
    if (src.kind === "register") checkPendingX87(e);
    dst.write(e.vector("f64x2", "convert_low_i32x4_s", lowHalf(e, src.read())));
    if (src.kind === "register") enterMmx(e);
  },
});

/** CVTPS2PI, CVTTPS2PI, CVTPD2PI, CVTTPD2PI: to two integers in an MMX register. */
function toMmx(reference: string, truncates: boolean, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      checkPendingX87(e);
      const source = format.width === 32 ? lowHalf(e, src.read()) : src.read();
      enterMmx(e);
      const result = exactVector(e, `${format.vector}_to_i32x4`, source, e.constant(32, truncates ? 1 : 0));
      dst.write(e.extractLane("i64x2", result, 0));
    },
  });
}

/** SDM Vol. 1, 10.4.3, 11.4.1.6. */
export const sseConvertDefinitions = {
  cvtsi2ss: fromInteger("SDM 2A CVTSI2SS", F32),
  cvtsi2sd: fromInteger("SDM 2A CVTSI2SD", F64),
  cvtss2si: toInteger("SDM 2A CVTSS2SI", false, F32),
  cvtsd2si: toInteger("SDM 2A CVTSD2SI", false, F64),
  cvttss2si: toInteger("SDM 2A CVTTSS2SI", true, F32),
  cvttsd2si: toInteger("SDM 2A CVTTSD2SI", true, F64),
  cvtss2sd,
  cvtsd2ss,
  cvtdq2ps,
  cvtdq2pd,
  cvtps2dq: toIntegers("SDM 2A CVTPS2DQ", false, F32),
  cvttps2dq: toIntegers("SDM 2A CVTTPS2DQ", true, F32),
  cvtpd2dq: toIntegers("SDM 2A CVTPD2DQ", false, F64),
  cvttpd2dq: toIntegers("SDM 2A CVTTPD2DQ", true, F64),
  cvtps2pd,
  cvtpd2ps,
  cvtpi2ps,
  cvtpi2pd,
  cvtps2pi: toMmx("SDM 2A CVTPS2PI", false, F32),
  cvttps2pi: toMmx("SDM 2A CVTTPS2PI", true, F32),
  cvtpd2pi: toMmx("SDM 2A CVTPD2PI", false, F64),
  cvttpd2pi: toMmx("SDM 2A CVTTPD2PI", true, F64),
};
