import type { StateBuilder } from "../../../emit/state.ts";
import type { Value } from "../../../emit/value.ts";
import { i32 } from "../../softfloat/format.ts";
import { exponentOf, type Extended, isNormal, isZero } from "./result.ts";

/** How two numbers are ordered, 0 or 1 each. */
export interface Order {
  readonly equal: Value;
  readonly less: Value;
}

/** Compares normal numbers and zeros, which are named; `fail` leaves when one of them is something else. */
export function compare(f: StateBuilder, a: Extended, b: Extended, fail: () => void): Order {
  const aExponent = exponentOf(f, a.top);
  const bExponent = exponentOf(f, b.top);
  const aNormal = isNormal(f, a, aExponent);
  const bNormal = isNormal(f, b, bExponent);
  f.if(f.unlikely(f.eqz(f.and(aNormal, bNormal))), () => {
    const ordinary = (number: Extended, exponent: Value): Value =>
      f.or(isZero(f, number, exponent), isNormal(f, number, exponent));
    f.if(f.eqz(f.and(ordinary(a, aExponent), ordinary(b, bExponent))), fail);
  });
  const signs = f.let(f.or(f.shl(f.shrU(a.top, i32(f, 15)), i32(f, 1)), f.shrU(b.top, i32(f, 15))));
  const sameExponent = f.let(f.eq(aExponent, bExponent));
  const sameSignificand = f.let(f.eq(a.significand, b.significand));
  const sameMagnitude = f.let(f.and(sameExponent, sameSignificand));
  const smaller = f.or(f.ltU(aExponent, bExponent), f.and(sameExponent, f.ltU(a.significand, b.significand)));
  const bothZero = f.and(sameMagnitude, f.eqz(f.or(a.significand, f.extend(aExponent, 64))));
  const sameSign = f.let(f.eqz(f.and(f.xor(signs, f.shrU(signs, i32(f, 1))), i32(f, 1))));
  const equal = f.let(f.or(f.and(sameSign, sameMagnitude), bothZero));
  const negative = f.let(f.shrU(signs, i32(f, 1)));
  // Of two negative numbers the one with the larger magnitude is less.
  const less = f.select(sameSign, f.xor(smaller, negative), negative);
  return { equal, less: f.let(f.and(less, f.eqz(equal))) };
}
