import type { FunctionBuilder } from "../emit/function.ts";
import type { Value } from "../emit/value.ts";

/**
 * Upper half of the 128-bit product of two unsigned 64-bit values, from four 32-bit products. Inline: a call in a hot loop
 * costs more than the multiplications.
 *
 * @param left named or constant
 * @param right named or constant
 */
export function multiplyHighUnsigned(f: FunctionBuilder, left: Value, right: Value): Value {
  const half = f.constant(64, 32);
  const low = (value: Value): Value => f.and(value, f.constant(64, 0xffff_ffffn));
  const leftLow = f.let(low(left));
  const leftHigh = f.let(f.shrU(left, half));
  const rightLow = f.let(low(right));
  const rightHigh = f.let(f.shrU(right, half));
  // Neither sum overflows: (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1.
  const first = f.let(f.add(f.mul(leftHigh, rightLow), f.shrU(f.mul(leftLow, rightLow), half)));
  const second = f.let(f.add(f.mul(leftLow, rightHigh), low(first)));
  return f.let(f.add(f.add(f.mul(leftHigh, rightHigh), f.shrU(first, half)), f.shrU(second, half)));
}

/** Upper half of the 128-bit product of two signed 64-bit values. */
export function multiplyHighSigned(f: FunctionBuilder, left: Value, right: Value): Value {
  const unsigned = multiplyHighUnsigned(f, left, right);
  // A negative factor x was read as x + 2^64, which added the other factor once to the upper half.
  const correction = (sign: Value, other: Value): Value => f.and(f.shrS(sign, f.constant(64, 63)), other);
  return f.let(f.sub(f.sub(unsigned, correction(left, right)), correction(right, left)));
}
