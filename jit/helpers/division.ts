import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/**
 * divide_128(high, low, divisor): unsigned quotient of high:low by divisor; the remainder in scratch[0].
 * The caller has checked high < divisor: the quotient fits in 64 bits and the divisor is not zero.
 *
 * Schoolbook division in base 2^32 (Knuth, The Art of Computer Programming, Vol. 2, 4.3.1, algorithm D): two quotient digits, each
 * estimated from the upper half of the normalized divisor and corrected at most twice.
 */
const divide128: Helper = {
  name: "divide_128",
  params: ["i64", "i64", "i64"],
  result: "i64",
  emit(f, [high, low, divisor]) {
    if (!high || !low || !divisor) return;
    const half = f.constant(64, 32);
    const lowHalf = (value: Value): Value => f.and(value, f.constant(64, 0xffff_ffffn));

    // Normalize: the top bit of the divisor set, the dividend shifted along.
    const shift = f.let(f.clz(divisor));
    const d = f.let(f.shl(divisor, shift));
    const dHigh = f.let(f.shrU(d, half));
    const dLow = f.let(lowHalf(d));
    const rest = f.let(f.sub(f.constant(64, 63), shift));
    // low >> (64 - shift), split because a shift by 64 counts as one by 0
    const carried = f.shrU(f.shrU(low, f.constant(64, 1)), rest);
    const remainder = f.variable(f.or(f.shl(high, shift), carried));
    const normalLow = f.let(f.shl(low, shift));

    const first = digit(f, remainder.get(), f.let(f.shrU(normalLow, half)), { d, dHigh, dLow });
    remainder.set(first.remainder);
    const second = digit(f, remainder.get(), f.let(lowHalf(normalLow)), { d, dHigh, dLow });
    f.set("scratch", f.shrU(second.remainder, shift), 0);
    f.return(f.or(f.shl(first.quotient, half), second.quotient));
  },
};

/** One quotient digit of (remainder:next) / d, with remainder < d, and what remains. */
function digit(
  f: StateBuilder,
  remainder: Value,
  next: Value,
  { d, dHigh, dLow }: { readonly d: Value; readonly dHigh: Value; readonly dLow: Value },
): { quotient: Value; remainder: Value } {
  const dividend = f.let(remainder);
  const base = f.constant(64, 1n << 32n);
  const quotient = f.variable(f.divU(dividend, dHigh));
  const left = f.variable(f.remU(dividend, dHigh));
  f.block((done) => {
    f.loop((again) => {
      const isTooLarge = f.or(
        f.geU(quotient.get(), base),
        f.gtU(f.mul(quotient.get(), dLow), f.or(f.shl(left.get(), f.constant(64, 32)), next)),
      );
      f.break(done, f.eqz(isTooLarge));
      quotient.set(f.sub(quotient.get(), f.constant(64, 1)));
      left.set(f.add(left.get(), dHigh));
      // Once what is left needs more than a digit the estimate can only be right.
      f.continue(again, f.ltU(left.get(), base));
    });
  });
  const result = f.let(quotient.get());
  const wide = f.or(f.shl(dividend, f.constant(64, 32)), next);
  // Modulo 2^64, which is all that is left of the difference.
  return { quotient: result, remainder: f.let(f.sub(wide, f.mul(result, d))) };
}

/**
 * divide_signed_128(high, low, divisor): signed quotient, the remainder in scratch[0], and in scratch[1] 1 if the divisor is zero
 * or the quotient does not fit, else 0.
 */
const divideSigned128: Helper = {
  name: "divide_signed_128",
  params: ["i64", "i64", "i64"],
  result: "i64",
  emit(f, [high, low, divisor]) {
    if (!high || !low || !divisor) return;
    const zero = f.constant(64, 0);
    const fail = (): void => {
      f.set("scratch", f.constant(64, 1), 1);
      f.return(zero);
    };
    f.set("scratch", zero, 1);
    const top = f.constant(64, 63);
    const dividendSign = f.let(f.shrS(high, top));
    const divisorSign = f.let(f.shrS(divisor, top));
    // x xor sign - sign is the magnitude; of 128 bits, with a borrow from the lower half.
    const magnitude = f.let(f.sub(f.xor(divisor, divisorSign), divisorSign));
    const lowMagnitude = f.let(f.sub(f.xor(low, dividendSign), dividendSign));
    const borrowed = f.and(f.eqz(lowMagnitude), f.truncate(f.shrU(dividendSign, top), 32));
    const highMagnitude = f.let(f.add(f.xor(high, dividendSign), f.extend(borrowed, 64)));
    f.if(f.geU(highMagnitude, magnitude), fail);
    const quotient = f.call("divide_128", [f.cpu, highMagnitude, lowMagnitude, magnitude], "i64");
    const sign = f.let(f.xor(dividendSign, divisorSign));
    // -2^63 fits, 2^63 does not.
    const limit = f.sub(f.constant(64, 0x7fff_ffff_ffff_ffffn), sign);
    f.if(f.gtU(quotient, limit), fail);
    f.set("scratch", f.sub(f.xor(f.get("scratch", 0), dividendSign), dividendSign), 0);
    f.return(f.sub(f.xor(quotient, sign), sign));
  },
};

export const divisionHelpers: readonly Helper[] = [divide128, divideSigned128];
