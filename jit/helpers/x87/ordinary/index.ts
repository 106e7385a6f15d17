/**
 * The common case of the x87's arithmetic, for code that has its operands at hand: normal numbers and zeros in, normal numbers and
 * zeros out, everything masked, to nearest, 64 bits. It reads and writes no register, no tag and no status, so that code in which it stands
 * may still leave the instruction to the interpreter if it fails.
 *
 * `narrow`, `compare` and what is in moderate.ts are emitted in place. What is longer, or rare, is a helper:
 *
 *   x87_ordinary_add(significand: i64, top: i32, significand: i64, top: i32) -> significand        likewise mul, div
 *   x87_ordinary_sqrt(significand, top) -> significand
 *   x87_ordinary_round(significand, top, rounding control) -> significand                          FRNDINT
 *   x87_ordinary_to_integer(significand, top, rounding control, largest magnitude) -> integer
 *
 * `top` is sign and exponent, 16 bits. What else there is to a result is in guestState.scratch[0]: see OrdinaryResult.
 */
import { wideDivide } from "../../softfloat/wide.ts";
import type { Helper } from "../../helper.ts";
import { ordinaryArithmeticHelpers } from "./arithmetic.ts";
import { ordinaryConversionHelpers } from "./conversion.ts";
import { ordinaryRootHelpers } from "./root.ts";

/** In an order in which each stands behind those that it calls. */
export const ordinaryHelpers: readonly Helper[] = [
  wideDivide,
  ...ordinaryArithmeticHelpers,
  ...ordinaryRootHelpers,
  ...ordinaryConversionHelpers,
];
