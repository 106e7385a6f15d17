import type { StateBuilder } from "../../../emit/state.ts";
import type { Value } from "../../../emit/value.ts";
import type { Helper } from "../../helper.ts";
import { i32, i64 } from "../../softfloat/format.ts";
import { divide, multiply } from "../../softfloat/wide.ts";
import {
  EXPONENT_BIAS,
  exponentOf,
  type Extended,
  finishFinite,
  finishRounded,
  isNormal,
  isOrdinaryExponent,
  isZero,
  named,
  type Outcome,
  outcomeOfHelper,
  signOf,
} from "./result.ts";

interface Operands {
  readonly a: Extended;
  readonly b: Extended;
  readonly aExponent: Value;
  readonly bExponent: Value;
}

/** An operation on two numbers, which are named. */
export type Binary = (to: Outcome, a: Extended, b: Extended) => void;

function withExponents(f: StateBuilder, a: Extended, b: Extended): Operands {
  return { a, b, aExponent: exponentOf(f, a.top), bExponent: exponentOf(f, b.top) };
}

/** A helper of two numbers: (cpu, significand, top, significand, top) -> significand, and OrdinaryResult. */
function helperOf(name: string, emit: Binary): Helper {
  return {
    name,
    params: ["i64", "i32", "i64", "i32"],
    result: "i64",
    emit(f, [aSignificand, aTop, bSignificand, bTop]) {
      if (!aSignificand || !aTop || !bSignificand || !bTop) return;
      emit(outcomeOfHelper(f), { significand: aSignificand, top: aTop }, { significand: bSignificand, top: bTop });
    },
  };
}

/** Goes on with another helper of the same operands unless both are normal. */
function unlessNormal(to: Outcome, { a, b, aExponent, bExponent }: Operands, other: string): void {
  const { f } = to;
  const normal = f.and(
    f.and(isOrdinaryExponent(f, aExponent), isOrdinaryExponent(f, bExponent)),
    f.ltS(f.and(a.significand, b.significand), i64(f, 0)),
  );
  f.if(f.unlikely(f.eqz(normal)), () => to.goOn(other, [a.significand, a.top, b.significand, b.top]));
}

/** Sums with a zero in them; fails on anything else. */
const addZero = helperOf("x87_ordinary_add_zero", (to, a, b) => {
  const { f } = to;
  const { aExponent, bExponent } = withExponents(f, a, b);
  f.if(
    isZero(f, a, aExponent),
    () => {
      // Rounding to nearest, the sum of zeros of both signs is positive.
      f.if(isZero(f, b, bExponent), () => to.done(i64(f, 0), f.let(f.and(a.top, b.top))));
      f.if(isNormal(f, b, bExponent), () => to.done(b.significand, b.top));
    },
    () => {
      const exact = f.and(isZero(f, b, bExponent), isNormal(f, a, aExponent));
      f.if(exact, () => to.done(a.significand, a.top));
    },
  );
  to.fail();
});

/** Differences with leading zeros: (cpu, high, low, exponent, sign) -> significand, and OrdinaryResult. */
const normalise: Helper = {
  name: "x87_ordinary_normalise",
  params: ["i64", "i64", "i32", "i32"],
  result: "i64",
  emit(f, [high, low, exponent, sign]) {
    if (!high || !low || !exponent || !sign) return;
    const to = outcomeOfHelper(f);
    f.if(f.eqz(f.or(high, low)), () => to.done(i64(f, 0), i32(f, 0)));
    const upper = f.variable(high);
    const lower = f.variable(low);
    const field = f.variable(exponent);
    f.if(f.eqz(high), () => {
      upper.set(low);
      lower.set(i64(f, 0));
      field.set(f.sub(exponent, i32(f, 64)));
    });
    const word = named(f, upper);
    const zeros = f.let(f.clz(word));
    const rest = named(f, lower);
    const newField = f.let(f.sub(field.get(), f.truncate(zeros, 32)));
    f.if(f.ltS(newField, i32(f, 1)), () => to.fail());
    const moved = f.shrU(f.shrU(rest, i64(f, 1)), f.xor(zeros, i64(f, 63)));
    finishRounded(to, {
      sign,
      exponent: newField,
      high: f.let(f.or(f.shl(word, zeros), moved)),
      low: f.let(f.shl(rest, zeros)),
    });
  },
};

const add: Binary = (to, a, b) => {
  const { f } = to;
  const operands = withExponents(f, a, b);
  const { aExponent, bExponent } = operands;
  unlessNormal(to, operands, addZero.name);
  const swap = f.let(
    f.or(f.ltU(aExponent, bExponent), f.and(f.eq(aExponent, bExponent), f.ltU(a.significand, b.significand))),
  );
  const large = f.let(f.select(swap, b.significand, a.significand));
  const small = f.let(f.select(swap, a.significand, b.significand));
  const largeExponent = f.let(f.select(swap, bExponent, aExponent));
  const sign = f.let(signOf(f, f.select(swap, b.top, a.top)));
  const distance = f.let(f.extend(f.sub(largeExponent, f.select(swap, aExponent, bExponent)), 64));
  // What is shifted out: in two steps, since a shift by 64 would be none.
  const high = f.variable(f.shrU(small, distance));
  const low = f.variable(f.shl(f.shl(small, i64(f, 1)), f.xor(distance, i64(f, 63))));
  f.if(f.unlikely(f.geU(distance, i64(f, 64))), () => {
    const lost = f.extend(f.ne(low.get(), i64(f, 0)), 64);
    low.set(f.select(f.geU(distance, i64(f, 128)), i64(f, 1), f.or(high.get(), lost)));
    high.set(i64(f, 0));
  });
  const part = named(f, high);
  const rest = named(f, low);
  const exponent = f.variable(largeExponent);
  f.if(
    signOf(f, f.xor(a.top, b.top)),
    () => {
      const lower = f.let(f.neg(rest));
      const upper = f.let(f.sub(f.sub(large, part), f.extend(f.ne(rest, i64(f, 0)), 64)));
      // Mostly the difference is as long as the larger operand.
      f.if(f.unlikely(f.geS(upper, i64(f, 0))), () => to.goOn(normalise.name, [upper, lower, largeExponent, sign]));
      high.set(upper);
      low.set(lower);
    },
    () => {
      const sum = f.let(f.add(large, part));
      // Whether it is longer by a bit is anybody's guess: no branch.
      const carry = f.let(f.ltU(sum, large));
      const by = f.let(f.extend(carry, 64));
      const top = (bit: Value): Value => f.shl(bit, i64(f, 63));
      high.set(f.or(f.shrU(sum, by), top(by)));
      low.set(f.or(f.or(f.shrU(rest, by), f.and(rest, by)), top(f.and(sum, by))));
      exponent.set(f.add(largeExponent, carry));
    },
  );
  finishRounded(to, { sign, exponent: named(f, exponent), high: named(f, high), low: named(f, low) });
};

/** Products and quotients of a zero and a normal number or another zero, for `divides` only as the dividend; fails on anything else. */
function zeroHelper(name: string, divides: boolean): Helper {
  return helperOf(name, (to, a, b) => {
    const { f } = to;
    const { aExponent, bExponent } = withExponents(f, a, b);
    const sign = f.let(signOf(f, f.xor(a.top, b.top)));
    const aZero = f.let(isZero(f, a, aExponent));
    const zero = (): void => to.done(i64(f, 0), sign);
    f.if(f.and(aZero, isNormal(f, b, bExponent)), zero);
    if (!divides) f.if(f.and(isZero(f, b, bExponent), f.or(aZero, isNormal(f, a, aExponent))), zero);
    to.fail();
  });
}
const multiplyZero = zeroHelper("x87_ordinary_mul_zero", false);
const divideZero = zeroHelper("x87_ordinary_div_zero", true);

/** Fails if an exponent before rounding is not that of a normal number. */
function requireField(to: Outcome, exponent: Value): void {
  const { f } = to;
  f.if(f.unlikely(f.eqz(isOrdinaryExponent(f, exponent))), () => to.fail());
}

const mul: Binary = (to, a, b) => {
  const { f } = to;
  const operands = withExponents(f, a, b);
  const { aExponent, bExponent } = operands;
  unlessNormal(to, operands, multiplyZero.name);
  const { high, low } = multiply(f, a.significand, b.significand);
  // 1 if the product is below 2: which of both is as likely as not, so there is no branch.
  const below = f.let(f.shrU(f.not(high), i64(f, 63)));
  const sum = f.add(f.add(aExponent, bExponent), i32(f, 1 - EXPONENT_BIAS));
  const exponent = f.let(f.sub(sum, f.truncate(below, 32)));
  requireField(to, exponent);
  const moved = f.and(f.shrU(low, i64(f, 63)), below);
  finishRounded(to, {
    sign: f.let(signOf(f, f.xor(a.top, b.top))),
    exponent,
    high: f.let(f.or(f.shl(high, below), moved)),
    low: f.let(f.shl(low, below)),
  });
};

const div: Binary = (to, a, b) => {
  const { f } = to;
  const operands = withExponents(f, a, b);
  const { aExponent, bExponent } = operands;
  unlessNormal(to, operands, divideZero.name);
  // The dividend is scaled so that the quotient has its top bit at 63 and fits.
  const below = f.let(f.extend(f.ltU(a.significand, b.significand), 64));
  const difference = f.sub(f.add(aExponent, i32(f, EXPONENT_BIAS)), bExponent);
  const exponent = f.let(f.sub(difference, f.truncate(below, 32)));
  requireField(to, exponent);
  const shift = f.let(f.xor(below, i64(f, 1)));
  const high = f.let(f.shrU(a.significand, shift));
  const low = f.let(f.shl(f.and(a.significand, shift), i64(f, 63)));
  const { quotient, remainder } = divide(f, { high, low }, b.significand);
  // No quotient of numbers of 64 bits has exactly 65.
  const up = f.let(f.gtU(remainder, f.sub(b.significand, remainder)));
  const rounded = f.let(f.add(quotient, f.extend(up, 64)));
  const sign = f.let(signOf(f, f.xor(a.top, b.top)));
  finishFinite(to, sign, exponent, rounded, { up, lost: remainder });
};

export const ordinaryArithmeticHelpers: readonly Helper[] = [
  addZero,
  normalise,
  multiplyZero,
  divideZero,
  helperOf("x87_ordinary_add", add),
  helperOf("x87_ordinary_mul", mul),
  helperOf("x87_ordinary_div", div),
];
