import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import { i32, i64 } from "./format.ts";

/** An unsigned number of 128 bits in two named words. */
export interface Wide {
  readonly high: Value;
  readonly low: Value;
}

const LOW_HALF = 0xffff_ffffn;

/** The full product of two 64-bit numbers. */
export function multiply(f: StateBuilder, left: Value, right: Value): Wide {
  const half = (value: Value): Wide => ({
    high: f.let(f.shrU(value, i64(f, 32))),
    low: f.let(f.and(value, i64(f, LOW_HALF))),
  });
  const a = half(left);
  const b = half(right);
  const lowest = f.let(f.mul(a.low, b.low));
  const middle = f.let(f.add(f.mul(a.high, b.low), f.shrU(lowest, i64(f, 32))));
  const other = f.let(f.add(f.mul(a.low, b.high), f.and(middle, i64(f, LOW_HALF))));
  const high = f.add(f.add(f.mul(a.high, b.high), f.shrU(middle, i64(f, 32))), f.shrU(other, i64(f, 32)));
  return { high: f.let(high), low: f.let(f.or(f.shl(other, i64(f, 32)), f.and(lowest, i64(f, LOW_HALF)))) };
}

/**
 * Shifts right, and leaves a 1 in bit 0 of the result if any bit was lost. `count` may be any number >= 0 (32 bits).
 */
export function shiftRightJamming(f: StateBuilder, value: Value, count: Value): Wide {
  const high = f.variable(value);
  const low = f.declare("i64", 64);
  const wide = f.let(f.extend(count, 64));
  f.unless0(count, () => {
    f.if(
      f.ltU(count, i32(f, 64)),
      () => {
        high.set(f.shrU(value, wide));
        low.set(f.shl(value, f.neg(wide)));
      },
      () => {
        high.set(i64(f, 0));
        f.if(
          f.ltU(count, i32(f, 127)),
          () => {
            const lost = f.and(f.ne(f.shl(value, f.neg(wide)), i64(f, 0)), f.ne(count, i32(f, 64)));
            low.set(f.or(f.shrU(value, wide), f.extend(lost, 64)));
          },
          () => low.set(f.extend(f.ne(value, i64(f, 0)), 64)),
        );
      },
    );
  });
  return { high: f.let(high.get()), low: f.let(low.get()) };
}

/** Shifts left by `count` in [0, 128) (32 bits). */
export function shiftLeft(f: StateBuilder, { high, low }: Wide, count: Value): Wide {
  const newHigh = f.variable(high);
  const newLow = f.variable(low);
  const wide = f.let(f.extend(count, 64));
  f.unless0(count, () => {
    f.if(
      f.ltU(count, i32(f, 64)),
      () => {
        newHigh.set(f.or(f.shl(high, wide), f.shrU(low, f.neg(wide))));
        newLow.set(f.shl(low, wide));
      },
      () => {
        newHigh.set(f.shl(low, wide));
        newLow.set(i64(f, 0));
      },
    );
  });
  return { high: f.let(newHigh.get()), low: f.let(newLow.get()) };
}

/**
 * Quotient of high.low by a divisor whose bit 63 is set, high < divisor; the remainder is low - quotient * divisor modulo 2^64.
 * Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D with two digits of 32 bits.
 */
export const wideDivide: Helper = {
  name: "wide_divide",
  params: ["i64", "i64", "i64"],
  result: "i64",
  emit(f, [high, low, divisor]) {
    if (!high || !low || !divisor) return;
    const divisorHigh = f.let(f.shrU(divisor, i64(f, 32)));
    const divisorLow = f.let(f.and(divisor, i64(f, LOW_HALF)));
    /** One digit of the quotient, and what is left of remainder.digit. */
    const step = (remainder: Value, digit: Value): { quotient: Value; rest: Value } => {
      const estimate = f.let(f.divU(remainder, divisorHigh));
      const rest = f.sub(remainder, f.mul(estimate, divisorHigh));
      const left = f.let(f.or(f.shl(rest, i64(f, 32)), digit));
      const product = f.let(f.mul(estimate, divisorLow));
      // The estimate is at most two too large, which nobody can guess: no branches.
      const over = f.let(f.gtU(product, left));
      const farOver = f.and(over, f.gtU(f.sub(product, left), divisor));
      const excess = f.let(f.extend(f.add(over, farOver), 64));
      return {
        quotient: f.let(f.sub(estimate, excess)),
        rest: f.let(f.add(f.sub(left, product), f.mul(excess, divisor))),
      };
    };
    const first = step(high, f.let(f.shrU(low, i64(f, 32))));
    const second = step(first.rest, f.let(f.and(low, i64(f, LOW_HALF))));
    f.return(f.or(f.shl(first.quotient, i64(f, 32)), second.quotient));
  },
};

/** Calls `wideDivide`. */
export function divide(f: StateBuilder, { high, low }: Wide, divisor: Value): { quotient: Value; remainder: Value } {
  const quotient = f.call(wideDivide.name, [f.cpu, high, low, divisor], "i64");
  return { quotient, remainder: f.let(f.sub(low, f.mul(quotient, divisor))) };
}
