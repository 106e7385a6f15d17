import type { StateBuilder } from "../../../emit/state.ts";
import type { Value } from "../../../emit/value.ts";
import type { Helper } from "../../helper.ts";
import { i32, i64 } from "../../softfloat/format.ts";
import { multiply, type Wide } from "../../softfloat/wide.ts";
import { exponentOf, EXPONENT_BIAS, finishFinite, isNormal, isZero, outcomeOfHelper } from "./result.ts";

/** More than the error of a root of a 64-bit number in double precision, scaled to 64 bits: four roundings of 53 bits. */
const ROOT_ERROR = 0x2000;

/** left - right. */
function subtract(f: StateBuilder, left: Wide, right: Wide): Wide {
  const borrow = f.extend(f.ltU(left.low, right.low), 64);
  const high = f.let(f.sub(f.sub(left.high, right.high), borrow));
  return { high, low: f.let(f.sub(left.low, right.low)) };
}

/** step * (2 * root + step), for steps below 2^15. */
function growthOfSquare(f: StateBuilder, root: Value, step: Value): Wide {
  const upper = f.mul(step, f.shrU(root, i64(f, 32)));
  const lower = f.mul(step, f.and(root, i64(f, 0xffff_ffff)));
  const high = f.let(f.shrU(f.add(upper, f.shrU(lower, i64(f, 32))), i64(f, 32)));
  const low = f.let(f.mul(step, root));
  const doubled = f.let(f.shl(low, i64(f, 1)));
  const sum = f.let(f.add(doubled, f.mul(step, step)));
  const carry = f.add(f.shrU(low, i64(f, 63)), f.extend(f.ltU(sum, doubled), 64));
  return { high: f.let(f.add(f.shl(high, i64(f, 1)), carry)), low: sum };
}

/** x87_ordinary_sqrt: (cpu, significand, top) -> significand, and OrdinaryResult. */
const squareRoot: Helper = {
  name: "x87_ordinary_sqrt",
  params: ["i64", "i32"],
  result: "i64",
  emit(f, [significand, top]) {
    if (!significand || !top) return;
    const to = outcomeOfHelper(f);
    const field = exponentOf(f, top);
    // The field of a negative number is as if it were too large.
    f.if(f.eqz(isNormal(f, { significand, top }, top)), () => {
      f.if(isZero(f, { significand, top }, field), () => to.done(i64(f, 0), top));
      to.fail();
    });
    // The radicand is significand * 2^63 for even exponents and * 2^64 for odd ones: its root has 64 bits.
    const exponent = f.let(f.sub(top, i32(f, EXPONENT_BIAS)));
    const even = f.let(f.extend(f.and(top, i32(f, 1)), 64));
    const high = f.let(f.shrU(significand, even));
    const low = f.let(f.shl(f.and(significand, even), i64(f, 63)));
    // Engines convert signed integers faster: all that goes there and back is below 2^63.
    const toFloat = (value: Value): Value => f.convert("f64", "convert_s.i64", value);
    const toInteger = (value: Value): Value => f.convert("i64", "trunc_s_sat.f64", value);
    const times = (value: Value, factor: number): Value => f.float("f64", "mul", value, f.floatConstant("f64", factor));
    const half = times(f.float("f64", "sqrt", toFloat(f.shrU(high, i64(f, 1)))), Math.SQRT2 * 2 ** 31);
    // Never above the root, and by less than 2^14 below it.
    const first = f.let(f.sub(f.shl(toInteger(half), i64(f, 1)), i64(f, ROOT_ERROR)));
    const excess = subtract(f, { high, low }, multiply(f, first, first));
    // One step of Newton's method. Its own error is less than 2^-30, so that it is wrong by one at most.
    const leading = f.or(f.shl(excess.high, i64(f, 48)), f.shrU(excess.low, i64(f, 16)));
    const ratio = f.float("f64", "div", toFloat(leading), toFloat(f.shrU(first, i64(f, 1))));
    const step = f.let(toInteger(times(ratio, 2 ** 14)));
    const rest = subtract(f, excess, growthOfSquare(f, first, step));
    const root = f.variable(f.add(first, step));
    const restHigh = f.variable(rest.high);
    const restLow = f.variable(rest.low);
    const oneMore = (current: Value): Wide => ({
      high: f.let(f.shrU(current, i64(f, 63))),
      low: f.let(f.or(f.shl(current, i64(f, 1)), i64(f, 1))),
    });
    f.if(f.ltS(rest.high, i64(f, 0)), () => {
      const less = f.let(f.sub(root.get(), i64(f, 1)));
      const added = oneMore(less);
      const sum = f.let(f.add(rest.low, added.low));
      restHigh.set(f.add(f.add(rest.high, added.high), f.extend(f.ltU(sum, added.low), 64)));
      restLow.set(sum);
      root.set(less);
    });
    // What is left may be up to twice the root; from there on the next one fits.
    const current = f.let(root.get());
    const next = oneMore(current);
    const left = { high: f.let(restHigh.get()), low: f.let(restLow.get()) };
    const fits = f.or(f.gtU(left.high, next.high), f.and(f.eq(left.high, next.high), f.geU(left.low, next.low)));
    f.if(fits, () => {
      const smaller = subtract(f, left, next);
      restHigh.set(smaller.high);
      restLow.set(smaller.low);
      root.set(f.add(current, i64(f, 1)));
    });
    const exact = f.let(root.get());
    const remainder = f.let(restLow.get());
    const remainderHigh = f.let(restHigh.get());
    // No root of a number of 64 bits has exactly 65.
    const up = f.let(f.or(f.ne(remainderHigh, i64(f, 0)), f.gtU(remainder, exact)));
    const lost = f.let(f.or(remainder, remainderHigh));
    const rounded = f.let(f.add(exact, f.extend(up, 64)));
    const newField = f.let(f.add(f.shrS(exponent, i32(f, 1)), i32(f, EXPONENT_BIAS)));
    finishFinite(to, i32(f, 0), newField, rounded, { up, lost });
  },
};

export const ordinaryRootHelpers: readonly Helper[] = [squareRoot];
