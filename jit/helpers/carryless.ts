import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/** Every fourth bit. */
const EVERY_FOURTH = 0x1111_1111_1111_1111n;

/**
 * Carry-less product of two 32-bit numbers, by ordinary multiplication of operands with holes: with only every fourth bit in
 * each operand, at most eight products meet at one position, and their sum stays in the four bits that it has.
 */
const multiply32: Helper = {
  name: "carryless.multiply32",
  params: ["i64", "i64"],
  result: "i64",
  emit(f, [left, right]) {
    if (!left || !right) return;
    const masks = [0, 1, 2, 3].map((phase) => EVERY_FOURTH << BigInt(phase));
    const split = (value: Value): Value[] =>
      masks.map((mask) => f.let(f.and(value, f.constant(64, mask & 0xffff_ffffn))));
    const lefts = split(left);
    const rights = split(right);
    let product = f.constant(64, 0n);
    masks.forEach((mask, phase) => {
      let sum = f.constant(64, 0n);
      lefts.forEach((part, i) => {
        const other = rights[(phase - i + 4) % 4];
        if (other) sum = f.xor(sum, f.mul(part, other));
      });
      product = f.or(product, f.and(sum, f.constant(64, mask)));
    });
    f.return(product);
  },
};

/** Carry-less product of two 64-bit numbers: three products of 32 bits (Karatsuba). */
const multiply64: Helper = {
  name: "carryless.multiply64",
  params: ["i64", "i64"],
  result: "v128",
  emit(f, [left, right]) {
    if (!left || !right) return;
    const half = f.constant(64, 32);
    const mask = f.constant(64, 0xffff_ffffn);
    const low = (value: Value): Value => f.and(value, mask);
    const high = (value: Value): Value => f.shrU(value, half);
    const product = (a: Value, b: Value): Value => f.call("carryless.multiply32", [f.cpu, a, b], "i64");
    const lows = product(low(left), low(right));
    const highs = product(high(left), high(right));
    const sums = product(f.xor(low(left), high(left)), f.xor(low(right), high(right)));
    const middle = f.let(f.xor(sums, f.xor(lows, highs)));
    f.return(pair(f, f.xor(lows, f.shl(middle, half)), f.xor(highs, f.shrU(middle, half))));
  },
};

function pair(f: StateBuilder, low: Value, high: Value): Value {
  return f.replaceLane("i64x2", f.splat("i64x2", low), 1, high);
}

/** PCLMULQDQ: `carryless.multiply64` takes two 64-bit numbers and gives the 128-bit product. */
export const carrylessHelpers: readonly Helper[] = [multiply32, multiply64];
