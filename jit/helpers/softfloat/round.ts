import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import {
  assemble,
  controlFromFcw,
  F80,
  type Format,
  fractionBits,
  i32,
  i64,
  Kind,
  Mxcsr,
  Raised,
  raise,
  storeF80,
} from "./format.ts";

const HALF = 1n << 63n;
/** Adjustment of the exponent of a result whose overflow or underflow is unmasked: SDM Vol. 1, 8.5.4. */
const WRAP = 24576;
const UNDERFLOW_MASK = Raised.UE << Mxcsr.MASK_SHIFT;
const OVERFLOW_MASK = Raised.OE << Mxcsr.MASK_SHIFT;

/** A significand cut to fewer bits. */
interface Rounded {
  /** the bits that stay, as an integer, the last rounding applied */
  readonly kept: Value;
  /** PE if bits were lost, and C1 if the rounding was away from zero */
  readonly flags: Value;
}

/** Control of one rounding: MXCSR's rounding control (0 nearest even, 1 down, 2 up, 3 to zero) and the sign of the number. */
export interface Rounding {
  readonly mode: Value;
  readonly sign: Value;
}

/** The rounding mode of a control word in MXCSR's layout. */
export function roundingMode(f: StateBuilder, control: Value): Value {
  return f.let(f.and(f.shrU(control, i32(f, Mxcsr.ROUNDING_SHIFT)), i32(f, 3)));
}

/** 1 when a directed rounding mode goes away from zero for this sign: down (1) for negative, up (2) for positive numbers. */
function roundsAway(f: StateBuilder, { mode, sign }: Rounding): Value {
  return f.eq(mode, f.sub(i32(f, 2), sign));
}

/** Drops the lowest `shift` >= 0 bits of `high`, and `low`, which continues it; bit 0 of `low` may stand for lower bits. */
export function roundShift(
  f: StateBuilder,
  high: Value,
  low: Value,
  shift: number | Value,
  rounding: Rounding,
): Rounded {
  const kept = f.variable(high);
  const lost = f.variable(low);
  const jam = (): Value => f.extend(f.ne(low, i64(f, 0)), 64);
  if (typeof shift === "number") {
    if (shift > 0) {
      kept.set(f.shrU(high, i64(f, shift)));
      lost.set(f.or(f.shl(high, i64(f, 64 - shift)), jam()));
    }
  } else {
    f.unless0(shift, () => {
      const wide = f.let(f.extend(shift, 64));
      f.if(
        f.ltU(shift, i32(f, 64)),
        () => {
          kept.set(f.shrU(high, wide));
          lost.set(f.or(f.shl(high, f.neg(wide)), jam()));
        },
        () => {
          kept.set(i64(f, 0));
          // Of a shift by exactly 64 the first lost bit still counts; beyond that it is less than a half, but not nothing.
          lost.set(f.or(f.select(f.eq(shift, i32(f, 64)), high, i64(f, 1)), jam()));
        },
      );
    });
  }
  const bits = f.let(kept.get());
  const rest = f.let(lost.get());
  const inexact = f.let(f.ne(rest, i64(f, 0)));
  const odd = f.truncate(f.and(bits, i64(f, 1)), 32);
  const nearest = f.or(f.gtU(rest, i64(f, HALF)), f.and(f.eq(rest, i64(f, HALF)), odd));
  const directed = f.and(inexact, roundsAway(f, rounding));
  const up = f.let(f.select(f.eqz(rounding.mode), nearest, directed));
  const flags = f.or(f.shl(inexact, i32(f, 5)), f.shl(up, i32(f, 9)));
  return { kept: f.let(f.add(bits, f.extend(up, 64))), flags: f.let(flags) };
}

/** How a format's pack function ends. */
interface Delivery {
  readonly sign: Value;
  /** finite result: exponent (unbiased) and significand with the integer bit at 63 */
  finite(exponent: Value, significand: Value): void;
  /** exponent field 0; the integer bit may have been reached by rounding */
  tiny(significand: Value): void;
  infinite(): void;
  largest(): void;
  /** unmasked overflow or underflow: `exponent` is the unbounded one */
  wrapped(exponent: Value, significand: Value, by: number): void;
}

interface PackOperands {
  readonly control: Value;
  readonly sign: Value;
  readonly exponent: Value;
  readonly high: Value;
  readonly low: Value;
  /** bits of the 64 that are beyond the precision */
  readonly excess: number | Value;
}

/**
 * Rounds a number to a format and raises OE, UE and PE as x86 does: tininess is detected after rounding (SDM Vol. 1, 4.9.1.5), a masked
 * underflow is raised only when the result is inexact, an unmasked one always.
 */
function pack(f: StateBuilder, format: Format, operands: PackOperands, to: Delivery): void {
  const { control, sign, exponent, high, low, excess } = operands;
  const rounding: Rounding = { mode: roundingMode(f, control), sign };
  const excess64 = typeof excess === "number" ? i64(f, excess) : f.let(f.extend(excess, 64));
  const first = roundShift(f, high, low, excess, rounding);
  const significand = f.variable(f.shl(first.kept, excess64));
  const rounded = f.variable(exponent);
  f.if(f.eqz(significand.get()), () => {
    significand.set(i64(f, HALF));
    rounded.set(f.add(rounded.get(), i32(f, 1)));
  });
  const bits = f.let(significand.get());
  const power = f.let(rounded.get());

  f.if(f.ltS(power, i32(f, 1 - format.bias)), () => {
    f.if(f.eqz(f.and(control, i32(f, UNDERFLOW_MASK))), () => {
      raise(f, f.or(first.flags, i32(f, Raised.UE)));
      to.wrapped(power, bits, WRAP);
    });
    if (!format.indirect) {
      f.if(f.and(control, i32(f, Mxcsr.FTZ)), () => {
        raise(f, Raised.UE | Raised.PE);
        to.tiny(i64(f, 0));
      });
    }
    const distance = f.sub(i32(f, 1 - format.bias), exponent);
    const shift = f.let(f.add(typeof excess === "number" ? i32(f, excess) : excess, distance));
    const second = roundShift(f, high, low, shift, rounding);
    f.unless0(f.and(second.flags, i32(f, Raised.PE)), () => raise(f, f.or(second.flags, i32(f, Raised.UE))));
    to.tiny(f.let(f.shl(second.kept, excess64)));
  });

  f.if(f.gtS(power, i32(f, format.bias)), () => {
    f.if(f.eqz(f.and(control, i32(f, OVERFLOW_MASK))), () => {
      raise(f, f.or(first.flags, i32(f, Raised.OE)));
      to.wrapped(power, bits, -WRAP);
    });
    const toInfinity = f.let(f.or(f.eqz(rounding.mode), roundsAway(f, rounding)));
    raise(f, f.or(i32(f, Raised.OE | Raised.PE), f.shl(toInfinity, i32(f, 9))));
    f.if(toInfinity, () => to.infinite());
    to.largest();
  });

  f.unless0(first.flags, () => raise(f, first.flags));
  to.finite(power, bits);
}

/** f32_pack, f64_pack: (control in MXCSR's layout, sign, exponent, high, low) -> bits. */
function packBits(format: Format): Helper {
  return {
    name: `${format.name}_pack`,
    params: ["i32", "i32", "i32", "i64", "i64"],
    result: format.type,
    emit(f, [control, sign, exponent, high, low]) {
      if (!control || !sign || !exponent || !high || !low) return;
      const excess = 64 - format.precision;
      const stored = fractionBits(format);
      const infinity = BigInt(2 * format.bias + 1) << BigInt(stored);
      const result = (field: Value, fraction: Value): void => f.return(assemble(f, format, sign, field, fraction));
      const narrow = (significand: Value): Value => f.shrU(significand, i64(f, excess));
      pack(
        f,
        format,
        { control, sign, exponent, high, low, excess },
        {
          sign,
          // The integer bit adds the 1 that is left off the exponent field.
          finite: (power, significand) => result(f.add(power, i32(f, format.bias - 1)), narrow(significand)),
          tiny: (significand) => result(i32(f, 0), narrow(significand)),
          infinite: () => result(i32(f, 0), i64(f, infinity)),
          largest: () => result(i32(f, 0), i64(f, infinity - 1n)),
          // SSE writes no result when the exception is unmasked, and FST stores none.
          wrapped: () => result(i32(f, 0), i64(f, 0)),
        },
      );
    },
  };
}

/** f80_pack_to: (destination, excess bits, sign, exponent, high, low), rounding and masks from FCW. */
const packExtended: Helper = {
  name: "f80_pack_to",
  params: ["i32", "i32", "i32", "i32", "i64", "i64"],
  result: "none",
  emit(f, [destination, excess, sign, exponent, high, low]) {
    if (!destination || !excess || !sign || !exponent || !high || !low) return;
    const { bias } = F80;
    const result = (field: Value, significand: Value): void => {
      storeF80(f, destination, sign, field, significand);
      f.return();
    };
    const infinite = (): void => result(i32(f, 0x7fff), i64(f, HALF));
    pack(
      f,
      F80,
      { control: controlFromFcw(f), sign, exponent, high, low, excess },
      {
        sign,
        finite: (power, significand) => result(f.add(power, i32(f, bias)), significand),
        tiny: (significand) => {
          const word = f.let(significand);
          result(f.truncate(f.shrU(word, i64(f, 63)), 32), word);
        },
        infinite,
        largest: () => result(i32(f, 0x7ffe), f.shl(i64(f, -1), f.extend(excess, 64))),
        wrapped: (power, significand, by) => {
          const moved = f.let(f.add(power, i32(f, by)));
          // Only FSCALE goes so far that the wrapped exponent does not fit either.
          f.if(f.gtS(moved, i32(f, bias)), infinite);
          f.if(f.ltS(moved, i32(f, 1 - bias)), () => result(i32(f, 0), i64(f, 0)));
          result(f.add(moved, i32(f, bias)), significand);
        },
      },
    );
  },
};

/** f80_pack: (destination, sign, exponent, high, low), rounds to 64 bits whatever the precision control. */
const packExtendedFull: Helper = {
  name: "f80_pack",
  params: ["i32", "i32", "i32", "i64", "i64"],
  result: "none",
  emit(f, [destination, ...number]) {
    if (!destination) return;
    f.callVoid(packExtended.name, [f.cpu, destination, i32(f, 0), ...number]);
  },
};

/** Bits of a 64-bit significand beyond FCW's precision control: 40 (single), 11 (double), 0. SDM Vol. 1, 8.1.5.2. */
function excessFromFcw(f: StateBuilder): Value {
  const control = f.let(f.and(f.shrU(f.get("fcw"), i32(f, 8)), i32(f, 3)));
  const double = f.select(f.eq(control, i32(f, 2)), i32(f, 11), i32(f, 0));
  return f.select(f.eqz(control), i32(f, 40), double);
}

/** A number to be rounded; the significand may be zero, and `low` continues it. */
export interface Unrounded {
  readonly sign: Value;
  readonly exponent: Value;
  readonly high: Value;
  readonly low: Value;
}

/** Where an operation of either kind of format leaves its result; each of these ends the function. */
export interface Outcome {
  readonly f: StateBuilder;
  readonly format: Format;
  /** slot of an f80 result */
  readonly destination?: Value;
}

/** Rounds to the format, with the precision control of the x87, and returns. */
export function returnRounded({ f, format, destination }: Outcome, { sign, exponent, high, low }: Unrounded): void {
  if (destination) {
    f.callVoid(packExtended.name, [f.cpu, destination, excessFromFcw(f), sign, exponent, high, low]);
    f.return();
  } else {
    f.return(f.call(`${format.name}_pack`, [f.cpu, f.get("mxcsr"), sign, exponent, high, low], format.type));
  }
}

export function returnZero({ f, format, destination }: Outcome, sign: Value): void {
  if (destination) {
    storeF80(f, destination, sign, i32(f, 0), i64(f, 0));
    f.return();
  } else {
    f.return(assemble(f, format, sign, i32(f, 0), i64(f, 0)));
  }
}

export function returnInfinity({ f, format, destination }: Outcome, sign: Value): void {
  if (destination) {
    storeF80(f, destination, sign, i32(f, 0x7fff), i64(f, HALF));
    f.return();
  } else {
    f.return(assemble(f, format, sign, i32(f, 2 * format.bias + 1), i64(f, 0)));
  }
}

/** Raises IE; the result is the default NaN, unless the x87 has IE unmasked: then there is none. */
export function returnInvalid({ f, format, destination }: Outcome): void {
  raise(f, Raised.IE);
  if (destination) {
    returnIfUnmasked(f, Raised.IE);
    storeF80(f, destination, i32(f, 1), i32(f, 0x7fff), i64(f, 3n << 62n));
    f.return();
  } else {
    const quiet = i64(f, 1n << BigInt(fractionBits(format) - 1));
    f.return(assemble(f, format, i32(f, 1), i32(f, 2 * format.bias + 1), quiet));
  }
}

/** x87: ends the function without a result if FCW does not mask `exception`. */
export function returnIfUnmasked(f: StateBuilder, exception: number): void {
  f.if(f.eqz(f.and(f.get("fcw"), i32(f, exception))), () => f.return());
}

/** Raises DE if `denormal`; the x87 then stops if DE is unmasked. */
export function raiseDenormal({ f, format }: Outcome, denormal: Value): void {
  f.if(denormal, () => {
    raise(f, Raised.DE);
    if (format.indirect) returnIfUnmasked(f, Raised.DE);
  });
}

/** 1 for classes without a numerical value. */
export function isNan(f: StateBuilder, kind: Value): Value {
  return f.geU(kind, i32(f, Kind.QUIET_NAN));
}

export const packHelpers = (formats: readonly Format[]): readonly Helper[] => [
  ...formats.filter((format) => !format.indirect).map(packBits),
  packExtended,
  packExtendedFull,
];
