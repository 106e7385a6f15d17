import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import { operation, returnIfNan } from "./arithmetic.ts";
import {
  controlFromFcw,
  F32,
  F64,
  F80,
  type Format,
  i32,
  i64,
  Kind,
  Raised,
  raise,
  storeF80,
  type Unpacked,
  unpack,
} from "./format.ts";
import { quietNan } from "./nan.ts";
import {
  isNan,
  type Outcome,
  raiseDenormal,
  returnIfUnmasked,
  returnInfinity,
  returnInvalid,
  returnZero,
  roundingMode,
  roundShift,
} from "./round.ts";

function controlOf(f: StateBuilder, format: Format): Value {
  return format.indirect ? controlFromFcw(f) : f.get("mxcsr");
}

/** T_to_i16, _i32, _i64: rounded by the control word, or truncated; IE and the integer indefinite when it does not fit. */
function toInteger(format: Format, width: 16 | 32 | 64): Helper {
  return {
    name: `${format.name}_to_i${width}`,
    params: [format.type, "i32"],
    result: width === 64 ? "i64" : "i32",
    emit(f, [source, truncate]) {
      if (!source || !truncate) return;
      const limit = 1n << BigInt(width - 1);
      const give = (value: Value): void => {
        f.return(
          width === 64 ? value : width === 32 ? f.truncate(value, 32) : f.truncate(f.and(value, i64(f, 0xffff)), 32),
        );
      };
      const value = unpack(f, format, source, true);
      const { sign } = value;
      // 2^64 and more, infinities and NaNs do not even fit the magnitude.
      const huge = f.or(f.geU(value.kind, i32(f, Kind.INFINITE)), f.gtS(value.exponent, i32(f, 63)));
      f.if(huge, () => {
        raise(f, Raised.IE);
        give(i64(f, limit));
      });
      f.if(f.eqz(value.kind), () => give(i64(f, 0)));
      const mode = f.let(f.select(truncate, i32(f, 3), roundingMode(f, controlOf(f, format))));
      const shift = f.let(f.sub(i32(f, 63), value.exponent));
      const { kept, flags } = roundShift(f, value.significand, i64(f, 0), shift, { mode, sign });
      f.if(f.gtU(kept, f.add(i64(f, limit - 1n), f.extend(sign, 64))), () => {
        raise(f, Raised.IE);
        give(i64(f, limit));
      });
      f.unless0(flags, () => raise(f, flags));
      give(f.select(sign, f.neg(kept), kept));
    },
  };
}

/** Sign, exponent and left-aligned significand of a signed integer that is not zero. */
function normalise(f: StateBuilder, integer: Value): { sign: Value; exponent: Value; high: Value } {
  const sign = f.let(f.truncate(f.shrU(integer, i64(f, 63)), 32));
  const magnitude = f.let(f.select(sign, f.neg(integer), integer));
  const zeros = f.let(f.clz(magnitude));
  return { sign, exponent: f.let(f.sub(i32(f, 63), f.truncate(zeros, 32))), high: f.let(f.shl(magnitude, zeros)) };
}

/** T_from_i32, _i64. */
function fromInteger(format: Format, width: 32 | 64): Helper {
  return {
    name: `${format.name}_from_i${width}`,
    params: [width === 32 ? "i32" : "i64"],
    result: format.type,
    emit(f, [source]) {
      if (!source) return;
      const integer = f.let(f.signExtend(source, 64));
      f.if(f.eqz(integer), () => returnZero({ f, format }, i32(f, 0)));
      const { sign, exponent, high } = normalise(f, integer);
      f.return(f.call(`${format.name}_pack`, [f.cpu, f.get("mxcsr"), sign, exponent, high, i64(f, 0)], format.type));
    },
  };
}

/** f80_from_i64: every 64-bit integer is a double extended number. */
const extendedFromInteger: Helper = {
  name: "f80_from_i64",
  params: ["i32", "i64"],
  result: "none",
  emit(f, [destination, source]) {
    if (!destination || !source) return;
    f.if(f.eqz(source), () => returnZero({ f, format: F80, destination }, i32(f, 0)));
    const { sign, exponent, high } = normalise(f, source);
    storeF80(f, destination, sign, f.add(exponent, i32(f, F80.bias)), high);
  },
};

/** Conversion of a number to another format and return; `from` decides whose rounding it is, if it rounds. */
function convertFormat(to: Outcome, value: Unpacked, from: Format): void {
  const { f, format, destination } = to;
  f.if(f.eqz(value.kind), () => returnZero(to, value.sign));
  f.if(f.eq(value.kind, i32(f, Kind.INFINITE)), () => returnInfinity(to, value.sign));
  if (destination) {
    // Wider: always exact.
    storeF80(f, destination, value.sign, f.add(value.exponent, i32(f, F80.bias)), value.significand);
    return;
  }
  const operands = [f.cpu, controlOf(f, from), value.sign, value.exponent, value.significand, i64(f, 0)];
  const result = f.call(`${format.name}_pack`, operands, format.type);
  if (from.indirect) {
    // FST does not round when the result is not going to be stored.
    const raised = f.get("fpRaised");
    const unstored = f.and(f.and(raised, f.not(f.get("fcw"))), i32(f, Raised.OE | Raised.UE));
    f.if(unstored, () => f.set("fpRaised", f.and(raised, i32(f, ~(Raised.PE | Raised.C1)))));
  }
  f.return(result);
}

/** f32_to_f64, f64_to_f32 (CVTSS2SD, CVTSD2SS), f80_to_f32, f80_to_f64 (FST). */
function narrowOrWiden(from: Format, format: Format): Helper {
  return {
    name: `${from.name}_to_${format.name}`,
    params: [from.type],
    result: format.type,
    emit(f, [source]) {
      if (!source) return;
      const to: Outcome = { f, format };
      const value = unpack(f, from, source, true);
      f.if(f.eq(value.kind, i32(f, Kind.UNSUPPORTED)), () => returnInvalid(to));
      f.if(isNan(f, value.kind), () => {
        f.if(f.eq(value.kind, i32(f, Kind.SIGNALLING_NAN)), () => raise(f, Raised.IE));
        f.return(quietNan(f, format, value.sign, value.significand));
      });
      // FST raises no DE: SDM Vol. 2A, "FST".
      if (!from.indirect) raiseDenormal(to, value.denormal);
      convertFormat(to, value, from);
    },
  };
}

/** f80_from_f32, f80_from_f64: FLD of memory. */
function load(from: Format): Helper {
  return {
    name: `f80_from_${from.name}`,
    params: ["i32", from.type],
    result: "none",
    emit(f, [destination, source]) {
      if (!destination || !source) return;
      const to: Outcome = { f, format: F80, destination };
      const value = unpack(f, from, source, false);
      f.if(isNan(f, value.kind), () => {
        f.if(f.eq(value.kind, i32(f, Kind.SIGNALLING_NAN)), () => {
          raise(f, Raised.IE);
          returnIfUnmasked(f, Raised.IE);
        });
        storeF80(f, destination, value.sign, i32(f, 0x7fff), f.or(value.significand, i64(f, 1n << 62n)));
        f.return();
      });
      raiseDenormal(to, value.denormal);
      convertFormat(to, value, from);
    },
  };
}

/** f80_widen_f32, f80_widen_f64: the value alone; what it was is left for the operation to judge. */
function widen(from: Format): Helper {
  return {
    name: `f80_widen_${from.name}`,
    params: ["i32", from.type],
    result: "none",
    emit(f, [destination, source]) {
      if (!destination || !source) return;
      const to: Outcome = { f, format: F80, destination };
      const value = unpack(f, from, source, false);
      f.if(isNan(f, value.kind), () => {
        storeF80(f, destination, value.sign, i32(f, 0x7fff), value.significand);
        f.return();
      });
      convertFormat(to, value, from);
      f.if(value.denormal, () => f.storeOffset(destination, f.constant(8, 1), 10));
    },
  };
}

interface IntegralControl {
  readonly mode: Value;
  /** 1: an inexact result raises nothing */
  readonly silent?: Value;
}

/** Rounds to an integral value of the same format. */
function roundIntegral(to: Outcome, source: Value, value: Unpacked, { mode, silent }: IntegralControl): void {
  const { f, format, destination } = to;
  const unchanged = (): void => {
    if (destination) {
      storeF80(f, destination, value.sign, f.add(value.exponent, i32(f, F80.bias)), value.significand);
      f.return();
    } else {
      f.return(source);
    }
  };
  f.if(f.eqz(value.kind), () => returnZero(to, value.sign));
  f.if(f.eq(value.kind, i32(f, Kind.INFINITE)), () => returnInfinity(to, value.sign));
  f.if(f.geS(value.exponent, i32(f, format.precision - 1)), unchanged);
  const shift = f.let(f.sub(i32(f, 63), value.exponent));
  const { kept, flags } = roundShift(f, value.significand, i64(f, 0), shift, { mode, sign: value.sign });
  const report = (): void => f.unless0(flags, () => raise(f, flags));
  if (silent) f.if(f.eqz(silent), report);
  else report();
  f.if(f.eqz(kept), () => returnZero(to, value.sign));
  const { exponent, high } = normalise(f, kept);
  if (destination) {
    storeF80(f, destination, value.sign, f.add(exponent, i32(f, F80.bias)), high);
    f.return();
  } else {
    const operands = [f.cpu, f.get("mxcsr"), value.sign, exponent, high, i64(f, 0)];
    f.return(f.call(`${format.name}_pack`, operands, format.type));
  }
}

/** f32_round, f64_round: ROUNDSS, ROUNDSD. The immediate: bits 0..1 mode, bit 2 use MXCSR's instead, bit 3 no PE. */
function roundScalar(format: Format): Helper {
  return {
    name: `${format.name}_round`,
    params: [format.type, "i32"],
    result: format.type,
    emit(f, [source, control]) {
      if (!source || !control) return;
      const value = unpack(f, format, source, true);
      const to: Outcome = { f, format };
      returnIfNan(to, [source], [value]);
      const own = f.and(control, i32(f, 3));
      const mode = f.let(f.select(f.and(control, i32(f, 4)), roundingMode(f, f.get("mxcsr")), own));
      roundIntegral(to, source, value, { mode, silent: f.let(f.and(control, i32(f, 8))) });
    },
  };
}

/** f80_round_integer: FRNDINT. */
const roundExtended: Helper = operation(F80, "round_integer", 1, (to, operands) => {
  const { f } = to;
  const [source] = operands;
  if (!source) return;
  const value = unpack(f, F80, source, false);
  returnIfNan(to, operands, [value]);
  raiseDenormal(to, value.denormal);
  roundIntegral(to, source, value, { mode: roundingMode(f, controlFromFcw(f)) });
});

export const convertHelpers: readonly Helper[] = [
  ...[F32, F64].flatMap((format) => [
    toInteger(format, 32),
    toInteger(format, 64),
    fromInteger(format, 32),
    fromInteger(format, 64),
    narrowOrWiden(F80, format),
    load(format),
    widen(format),
    roundScalar(format),
  ]),
  narrowOrWiden(F32, F64),
  narrowOrWiden(F64, F32),
  toInteger(F80, 16),
  toInteger(F80, 32),
  toInteger(F80, 64),
  extendedFromInteger,
  roundExtended,
];
