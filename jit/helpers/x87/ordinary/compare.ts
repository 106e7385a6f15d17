import type { StateBuilder } from "../../../emit/state.ts";
import type { Value, Variable } from "../../../emit/value.ts";
import { i32, i64 } from "../../softfloat/format.ts";
import { exponentOf, type Extended, isOrdinaryExponent, named } from "./result.ts";

/**
 * A word that is ordered as numbers of different sign or exponent are: sign and exponent, which all bits but the sign of negative numbers
 * are inverted for; 0 for zeros of both signs. `fail` leaves when a number is neither normal nor zero.
 */
function orderOf(f: StateBuilder, { significand, top }: Extended, fail: () => void): Variable {
  const exponent = exponentOf(f, top);
  const order = f.declare("i32", 32);
  f.if(
    f.ltS(significand, i64(f, 0)),
    () => {
      f.if(f.unlikely(f.eqz(isOrdinaryExponent(f, exponent))), fail);
      // 0 or -1.
      const sign = f.let(f.neg(f.shrU(top, i32(f, 15))));
      order.set(f.xor(exponent, sign));
    },
    () => {
      f.if(f.unlikely(f.ne(f.or(significand, f.extend(exponent, 64)), i64(f, 0))), fail);
      order.set(i32(f, 0));
    },
  );
  return order;
}

/** How two numbers are ordered, which are named: a signed word that is below, equal to or above 0 (i32). */
export function compare(f: StateBuilder, a: Extended, b: Extended, fail: () => void): Value {
  const left = orderOf(f, a, fail);
  const right = orderOf(f, b, fail);
  const sign = named(f, left);
  const result = f.variable(f.sub(sign, right.get()));
  f.if(f.eqz(result.get()), () => {
    const above = f.let(f.sub(f.gtU(a.significand, b.significand), f.ltU(a.significand, b.significand)));
    // Of two negative numbers the one with the larger magnitude is less.
    result.set(f.select(f.ltS(sign, i32(f, 0)), f.neg(above), above));
  });
  return named(f, result);
}
