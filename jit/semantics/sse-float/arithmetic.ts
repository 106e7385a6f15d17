import type { Label } from "../../emit/function.ts";
import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import {
  anyLane,
  doubtful,
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
  markDenormals,
  rejectDenormal,
  rejectMarked,
  rejectUnordered,
  rejectUnorderedLanes,
  requireCommonControl,
  zeroLanes,
} from "./guard.ts";

type Arithmetic = "add" | "sub" | "mul" | "div";

/** When a zero is an exact result of operands that are not denormal: 1 or a mask of lanes. */
interface ExactZero {
  scalar(e: Emitter, format: Format, left: Value, right: Value): Value | undefined;
  lanes(e: Emitter, format: Format, left: Value, right: Value): Value | undefined;
}

const EXACT_ZERO: Readonly<Record<Arithmetic, ExactZero>> = {
  add: { scalar: () => undefined, lanes: () => undefined },
  sub: { scalar: () => undefined, lanes: () => undefined },
  mul: {
    scalar: (e, format, left, right) => e.or(isZero(e, format, left), isZero(e, format, right)),
    lanes: (e, format, left, right) => e.vector("v128", "or", zeroLanes(e, format, left), zeroLanes(e, format, right)),
  },
  div: {
    scalar: (e, format, left) => isZero(e, format, left),
    lanes: (e, format, left) => zeroLanes(e, format, left),
  },
};

/** ADDSS, ADDSD and the like: DEST op SRC in the lowest lane, the rest of DEST unchanged. */
function scalar(reference: string, operation: Arithmetic, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "sse",
    hot: true,
    emit(e, { dst, src }) {
      const right = src.read();
      const left = dst.read();
      const sides = [left, right].map((bits) => e.reinterpret(bits, format.type));
      const result = e.let(e.reinterpret(e.float(format.type, operation, ...sides), format.integer));
      guarded(
        e,
        (reject) => {
          requireCommonControl(e, reject);
          rejectDenormal(e, reject, format, left);
          rejectDenormal(e, reject, format, right);
          const check = (label: Label): void =>
            e.if(e.unlikely(e.eqz(isOrdinary(e, format, result))), () => {
              e.break(label, e.eqz(isZero(e, format, result)));
              const exact = EXACT_ZERO[operation].scalar(e, format, left, right);
              if (exact) e.break(label, e.eqz(exact));
            });
          if (operation === "div" || !e.isBounded(operation, format.type, left, right, result)) {
            if (!e.deferCheck(format.type, [result], check)) check(reject);
            e.noteResult(result, format.type);
          }
          dst.write(result);
        },
        () => dst.write(exactScalar(e, `${format.type}_${operation}`, [left, right], format.width)),
      );
    },
  });
}

/**
 * Whole vectors: a common case on all lanes at once, or all of them exactly.
 *
 * @param isBounded whether the result needs no look
 */
function vectorCase(
  e: Emitter,
  format: Format,
  operands: readonly Value[],
  fast: Value,
  exactZero: (() => Value | undefined) | undefined,
  isBounded: (result: Value) => boolean,
  accept: (result: Value) => void,
  exact: () => void,
): void {
  const result = e.let(fast);
  guarded(
    e,
    (reject) => {
      requireCommonControl(e, reject);
      const unknown = doubtful(e, format, operands);
      if (unknown.length === 0 && isBounded(result)) return accept(result);
      // Where zeros are likely, a first look that takes them for extraordinary would be of no use.
      if (exactZero && format.width === 32 && operands.some((value) => e.isSparse(value))) {
        const denormal = markDenormals(e, format, unknown);
        const zero = zeroLanes(e, format, result);
        const exact = exactZero();
        const allowed = exact ? e.vector("v128", "and", zero, exact) : zero;
        const rest = e.vector("v128", "andnot", extraordinaryLanes(e, format, result), allowed);
        rejectMarked(e, reject, eitherLane(e, denormal, rest));
        for (const value of operands) e.noteNormal(value, format.vector);
        e.noteResult(result, format.vector);
        e.noteSparse(result);
        return accept(result);
      }
      const check = (label: Label): void => {
        const marks = markDenormals(e, format, unknown);
        const denormal = marks && e.let(marks);
        const extraordinary = e.let(extraordinaryLanes(e, format, result));
        e.if(e.unlikely(e.ne(anyLane(e, format, eitherLane(e, denormal, extraordinary)), e.constant(32, 0))), () => {
          const zero = zeroLanes(e, format, result);
          const exact = exactZero?.();
          const allowed = exact ? e.vector("v128", "and", zero, exact) : zero;
          const rest = eitherLane(e, denormal, e.vector("v128", "andnot", extraordinary, allowed));
          e.break(label, anyLane(e, format, rest));
        });
      };
      if (!e.deferCheck(format.vector, [...unknown, result], check)) check(reject);
      for (const value of operands) e.noteNormal(value, format.vector);
      e.noteResult(result, format.vector);
      accept(result);
    },
    exact,
  );
}

function packed(reference: string, operation: Arithmetic, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "sse",
    hot: true,
    emit(e, { dst, src }) {
      const right = src.read();
      const left = dst.read();
      vectorCase(
        e,
        format,
        [left, right],
        e.vector(format.vector, operation, left, right),
        () => EXACT_ZERO[operation].lanes(e, format, left, right),
        (result) => operation !== "div" && e.isBounded(operation, format.vector, left, right, result),
        (result) => dst.write(result),
        () => dst.write(exactVector(e, `${format.vector}_${operation}`, left, right)),
      );
    },
  });
}

/** ADDSUBPx: differences in the even lanes, sums in the odd ones. */
function alternating(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const right = src.read();
      const left = dst.read();
      // The sign bits of the even lanes.
      const bytes = Array.from({ length: 16 }, (_, i) => (i % (format.width / 4) === format.width / 8 - 1 ? 0x80 : 0));
      const flipped = e.let(e.vector("v128", "xor", right, e.vectorConstant(bytes)));
      vectorCase(
        e,
        format,
        [left, right],
        e.vector(format.vector, "add", left, flipped),
        undefined,
        () => false,
        (result) => dst.write(result),
        () => dst.write(exactVector(e, `${format.vector}_addsub`, left, right)),
      );
    },
  });
}

/** HADDPx, HSUBPx: neighbouring lanes of DEST, then of SRC, are added or subtracted. */
function horizontal(reference: string, operation: "add" | "sub", format: Format): Definition {
  const bytesPerLane = format.width / 8;
  const lanes = (first: number): number[] =>
    Array.from(
      { length: 16 },
      (_, i) => (Math.floor(i / bytesPerLane) * 2 + first) * bytesPerLane + (i % bytesPerLane),
    );
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const high = src.read();
      const low = dst.read();
      const left = e.let(e.shuffle(low, high, lanes(0)));
      const right = e.let(e.shuffle(low, high, lanes(1)));
      vectorCase(
        e,
        format,
        [left, right],
        e.vector(format.vector, operation, left, right),
        undefined,
        () => false,
        (result) => dst.write(result),
        () => dst.write(exactVector(e, `${format.vector}_${operation}`, left, right)),
      );
    },
  });
}

/** SQRTSS, SQRTSD: the root of an ordinary positive number is one, and of a zero it is the zero. */
function scalarRoot(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    hot: true,
    emit(e, { dst, src }) {
      const source = src.read();
      guarded(
        e,
        (reject) => {
          requireCommonControl(e, reject);
          const { width, smallest, infinity } = format;
          const fromSmallest = e.sub(source, e.constant(width, smallest));
          e.block((accept) => {
            e.break(accept, e.ltU(fromSmallest, e.constant(width, infinity - smallest)));
            e.break(reject, e.eqz(isZero(e, format, source)));
          });
          const root = e.float(format.type, "sqrt", e.reinterpret(source, format.type));
          const result = e.let(e.reinterpret(root, format.integer));
          e.noteResult(result, format.type);
          dst.write(result);
        },
        () => dst.write(exactScalar(e, `${format.type}_sqrt`, [source], format.width)),
      );
    },
  });
}

function packedRoot(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const source = src.read();
      vectorCase(
        e,
        format,
        [source],
        e.vector(format.vector, "sqrt", source),
        undefined,
        () => false,
        (result) => dst.write(result),
        () => dst.write(exactVector(e, `${format.vector}_sqrt`, source)),
      );
    },
  });
}

/** MINSS, MAXSD and the like: the second operand unless the first is strictly smaller (greater). No rounding, so MXCSR is not asked. */
function scalarExtreme(reference: string, operation: "min" | "max", format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const right = src.read();
      const left = dst.read();
      const a = e.let(e.reinterpret(left, format.type));
      const b = e.let(e.reinterpret(right, format.type));
      guarded(
        e,
        (reject) => {
          rejectUnordered(e, reject, format, left);
          rejectUnordered(e, reject, format, right);
          const better = e.compareFloat(format.type, operation === "min" ? "lt" : "gt", a, b);
          const result = e.let(e.reinterpret(e.select(better, a, b), format.integer));
          e.noteResult(result, format.type);
          dst.write(result);
        },
        () => dst.write(exactScalar(e, `${format.type}_${operation}`, [left, right], format.width)),
      );
    },
  });
}

function packedExtreme(reference: string, operation: "min" | "max", format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      const right = src.read();
      const left = dst.read();
      guarded(
        e,
        (reject) => {
          rejectUnorderedLanes(e, reject, format, left, right);
          // pmin(x, y) is y < x ? y : x, so the operands change places.
          const result = e.let(e.vector(format.vector, operation === "min" ? "pmin" : "pmax", right, left));
          e.noteResult(result, format.vector);
          dst.write(result);
        },
        () => dst.write(exactVector(e, `${format.vector}_${operation}`, left, right)),
      );
    },
  });
}

/** DPPS, DPPD: always exact; its intermediate results are rounded, and each of its steps may raise exceptions. */
function dotProduct(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r", select: "r" },
    unit: "sse",
    emit(e, { dst, src, select }) {
      const right = src.read();
      const left = dst.read();
      dst.write(exactVector(e, `${format.vector}_dot`, left, right, e.extend(select.read(), 32)));
    },
  });
}

/** RCPSS, RSQRTSS: approximations without exceptions. */
function scalarApproximation(reference: string, operation: "rcp" | "rsqrt"): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      dst.write(e.helper(`f32_${operation}`, [src.read()], 32));
    },
  });
}

function packedApproximation(reference: string, operation: "rcp" | "rsqrt"): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    unit: "sse",
    emit(e, { dst, src }) {
      dst.write(e.helper(`f32x4_${operation}`, [src.read()], 128));
    },
  });
}

/** SDM Vol. 1, 10.4.1, 11.4.1, 12.3, 12.10. */
export const sseArithmeticDefinitions = {
  addss: scalar("SDM 2A ADDSS", "add", F32),
  addsd: scalar("SDM 2A ADDSD", "add", F64),
  addps: packed("SDM 2A ADDPS", "add", F32),
  addpd: packed("SDM 2A ADDPD", "add", F64),
  subss: scalar("SDM 2B SUBSS", "sub", F32),
  subsd: scalar("SDM 2B SUBSD", "sub", F64),
  subps: packed("SDM 2B SUBPS", "sub", F32),
  subpd: packed("SDM 2B SUBPD", "sub", F64),
  mulss: scalar("SDM 2B MULSS", "mul", F32),
  mulsd: scalar("SDM 2B MULSD", "mul", F64),
  mulps: packed("SDM 2B MULPS", "mul", F32),
  mulpd: packed("SDM 2B MULPD", "mul", F64),
  divss: scalar("SDM 2A DIVSS", "div", F32),
  divsd: scalar("SDM 2A DIVSD", "div", F64),
  divps: packed("SDM 2A DIVPS", "div", F32),
  divpd: packed("SDM 2A DIVPD", "div", F64),
  sqrtss: scalarRoot("SDM 2B SQRTSS", F32),
  sqrtsd: scalarRoot("SDM 2B SQRTSD", F64),
  sqrtps: packedRoot("SDM 2B SQRTPS", F32),
  sqrtpd: packedRoot("SDM 2B SQRTPD", F64),
  minss: scalarExtreme("SDM 2B MINSS", "min", F32),
  minsd: scalarExtreme("SDM 2B MINSD", "min", F64),
  minps: packedExtreme("SDM 2B MINPS", "min", F32),
  minpd: packedExtreme("SDM 2B MINPD", "min", F64),
  maxss: scalarExtreme("SDM 2B MAXSS", "max", F32),
  maxsd: scalarExtreme("SDM 2B MAXSD", "max", F64),
  maxps: packedExtreme("SDM 2B MAXPS", "max", F32),
  maxpd: packedExtreme("SDM 2B MAXPD", "max", F64),
  addsubps: alternating("SDM 2A ADDSUBPS", F32),
  addsubpd: alternating("SDM 2A ADDSUBPD", F64),
  haddps: horizontal("SDM 2A HADDPS", "add", F32),
  haddpd: horizontal("SDM 2A HADDPD", "add", F64),
  hsubps: horizontal("SDM 2A HSUBPS", "sub", F32),
  hsubpd: horizontal("SDM 2A HSUBPD", "sub", F64),
  dpps: dotProduct("SDM 2A DPPS", F32),
  dppd: dotProduct("SDM 2A DPPD", F64),
  rcpss: scalarApproximation("SDM 2B RCPSS", "rcp"),
  rcpps: packedApproximation("SDM 2B RCPPS", "rcp"),
  rsqrtss: scalarApproximation("SDM 2B RSQRTSS", "rsqrt"),
  rsqrtps: packedApproximation("SDM 2B RSQRTPS", "rsqrt"),
};
