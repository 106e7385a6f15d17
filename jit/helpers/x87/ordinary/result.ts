import type { StateBuilder } from "../../../emit/state.ts";
import type { Value, Variable } from "../../../emit/value.ts";
import { Fsw } from "../registers.ts";
import { i32, i64 } from "../../softfloat/format.ts";

/** Exponent field of infinities and NaNs. */
export const SPECIAL_EXPONENT = 0x7fff;
export const EXPONENT_BIAS = 16383;
export const HALF: bigint = 1n << 63n;
const SIGN = 0x8000;

/**
 * What helpers leave in guestState.scratch[0] beside their result: sign and exponent of an extended number in bits 0..15, and the flags
 * that were raised and C1 in the places that they have in FSW, FLAGS_SHIFT higher. NONE: there is no result, because the operands or the
 * result are not ordinary.
 */
export const OrdinaryResult = { FLAGS_SHIFT: 16, NONE: -1n } as const;

/** An extended number as helpers receive it: significand (i64), and sign and exponent in 16 bits (i32). */
export interface Extended {
  readonly significand: Value;
  readonly top: Value;
}

export function exponentOf(f: StateBuilder, top: Value): Value {
  return f.let(f.and(top, i32(f, SPECIAL_EXPONENT)));
}
export function signOf(f: StateBuilder, top: Value): Value {
  return f.and(top, i32(f, SIGN));
}

/** 1 if an exponent field is that of a normal number or of an unnormal one. */
export function isOrdinaryExponent(f: StateBuilder, exponent: Value): Value {
  return f.ltU(f.sub(exponent, i32(f, 1)), i32(f, SPECIAL_EXPONENT - 1));
}

/** 1 if a number is normal. */
export function isNormal(f: StateBuilder, { significand }: Extended, exponent: Value): Value {
  return f.and(isOrdinaryExponent(f, exponent), f.ltS(significand, i64(f, 0)));
}

/** 1 for a zero. */
export function isZero(f: StateBuilder, { significand }: Extended, exponent: Value): Value {
  return f.eqz(f.or(significand, f.extend(exponent, 64)));
}

/** What rounding did. */
export interface Rounding {
  /** 1 if the result was rounded away from zero, or 0 (i32) */
  readonly up: Value;
  /** not 0 if bits were lost (i64) */
  readonly lost: Value;
}

/** What becomes of an operation: of each of these that is emitted, one runs, and nothing behind it. */
export interface Outcome {
  readonly f: StateBuilder;
  /** There is a result; exact, unless said otherwise. All values are named or constants. */
  done(significand: Value, top: Value, rounding?: Rounding): void;
  /** The operands or the result are not ordinary. Nothing has been changed. */
  fail(): void;
  /** Goes on with a helper, which has the same kinds of outcome. */
  goOn(helper: string, operands: readonly Value[]): void;
}

/** The outcomes of a helper, which is a function. */
export function outcomeOfHelper(f: StateBuilder): Outcome {
  return {
    f,
    done(significand, top, rounding) {
      f.set("scratch", f.extend(rounding ? f.or(top, roundingFlags(f, rounding)) : top, 64));
      f.return(significand);
    },
    fail() {
      f.set("scratch", i64(f, OrdinaryResult.NONE));
      f.return(i64(f, 0));
    },
    goOn(helper, operands) {
      f.tailCall(helper, [f.cpu, ...operands]);
    },
  };
}

/** A significand of 64 bits rounded to nearest, ties to even. */
export interface RoundedUp {
  readonly significand: Value;
  /** 1 if it was rounded away from zero */
  readonly up: Value;
}

/** Rounds high.low, of which bit 0 of `low` may stand for lower bits. The result may have wrapped to 0. */
export function roundToNearest(f: StateBuilder, high: Value, low: Value): RoundedUp {
  // More than a half, or just a half of an odd number.
  const least = f.sub(i64(f, HALF + 1n), f.and(high, i64(f, 1)));
  const up = f.let(f.geU(low, least));
  return { significand: f.let(f.add(high, f.extend(up, 64))), up };
}

/** PE and C1 of a rounding, at their places in OrdinaryResult. */
function roundingFlags(f: StateBuilder, { up, lost }: Rounding): Value {
  const shift = (bit: number): Value => i32(f, OrdinaryResult.FLAGS_SHIFT + Math.log2(bit));
  return f.or(f.shl(up, shift(Fsw.C1)), f.shl(f.ne(lost, i64(f, 0)), shift(Fsw.PE)));
}

/** A magnitude whose bit 63 is set, before it is rounded; the exponent is biased, at least 1. */
export interface Unrounded {
  readonly sign: Value;
  readonly exponent: Value;
  readonly high: Value;
  readonly low: Value;
}

/** Rounds to nearest; fails if the result is not normal. */
export function finishRounded(to: Outcome, { sign, exponent, high, low }: Unrounded): void {
  const { f } = to;
  const { significand, up } = roundToNearest(f, high, low);
  finishFinite(to, sign, exponent, significand, { up, lost: low });
}

/**
 * Gives a rounded number, or fails if its exponent is too large.
 *
 * @param significand 0 if rounding has carried out of it
 */
export function finishFinite(to: Outcome, sign: Value, exponent: Value, significand: Value, rounding: Rounding): void {
  const { f } = to;
  const wrapped = f.let(f.eqz(significand));
  const field = f.let(f.add(exponent, wrapped));
  f.if(f.unlikely(f.geU(field, i32(f, SPECIAL_EXPONENT))), () => to.fail());
  const bits = f.let(f.or(significand, f.shl(f.extend(wrapped, 64), i64(f, 63))));
  to.done(bits, f.let(f.or(sign, field)), rounding);
}

/** The value of a variable, named. */
export function named(f: StateBuilder, variable: Variable): Value {
  return f.let(variable.get());
}
