import type { Label } from "../../../emit/function.ts";
import type { StateBuilder } from "../../../emit/state.ts";
import type { Value } from "../../../emit/value.ts";
import { i32, i64 } from "../../softfloat/format.ts";
import { multiply } from "../../softfloat/wide.ts";
import { EXPONENT_BIAS, type Extended, HALF, named, type Outcome, roundToNearest, SPECIAL_EXPONENT } from "./result.ts";

/*
 * Operations on moderate numbers: normal ones of 2^-4095 to 2^4097, which all doubles but zeros and denormals are. Whatever is computed of
 * one or two of them is normal or zero, so that results need no look. All else is left to the helpers of ordinary numbers.
 */

/** The lowest biased exponent of a moderate number, and the bits of (exponent - LOWEST) that are 0 in all of them. */
const LOWEST = 0x3000;
const OUTSIDE = 0x6000;

/** Leaves to `label` unless all numbers are moderate. */
function unlessModerate(f: StateBuilder, label: Label, numbers: readonly Extended[]): void {
  const place = ({ top }: Extended): Value => f.sub(top, i32(f, LOWEST));
  const places = numbers.map(place).reduce((all, one) => f.or(all, one));
  f.break(label, f.unlikely(f.and(places, i32(f, OUTSIDE))));
  const bits = numbers.map(({ significand }) => significand).reduce((all, one) => f.and(all, one));
  f.break(label, f.unlikely(f.geS(bits, i64(f, 0))));
}

/** Emits the common case, which jumps to a label where it is not, and a helper's call behind it. */
function commonly(to: Outcome, helper: string, numbers: readonly Extended[], body: (rare: Label) => void): void {
  to.f.block((rare) => {
    unlessModerate(to.f, rare, numbers);
    body(rare);
  });
  to.goOn(
    helper,
    numbers.flatMap(({ significand, top }) => [significand, top]),
  );
}

function wide(f: StateBuilder, word: Value): Value {
  return f.let(f.extend(word, 64));
}

/** Rounds high.low to nearest, whose bit 63 is set, and adds what is carried out of it to the exponent in `top`. */
function finish(to: Outcome, high: Value, low: Value, top: Value): void {
  const { f } = to;
  const { significand, up } = roundToNearest(f, high, low);
  const bits = f.variable(significand);
  const signAndExponent = f.variable(top);
  f.if(f.unlikely(f.eqz(significand)), () => {
    bits.set(i64(f, HALF));
    signAndExponent.set(f.add(top, i32(f, 1)));
  });
  to.done(named(f, bits), named(f, signAndExponent), { up, lost: low });
}

/** Sum of two numbers. */
export function addModerate(to: Outcome, a: Extended, b: Extended): void {
  const { f } = to;
  commonly(to, "x87_ordinary_add", [a, b], (rare) => {
    // Of the exponents, whose difference has no more than 15 bits with its sign.
    const spare = i32(f, 17);
    const difference = f.let(f.shrS(f.shl(f.sub(a.top, b.top), spare), spare));
    const swap = f.let(f.ltS(difference, i32(f, 0)));
    const large = f.let(f.select(swap, b.significand, a.significand));
    const small = f.let(f.select(swap, a.significand, b.significand));
    const largeTop = f.let(f.select(swap, b.top, a.top));
    const distance = f.let(f.select(swap, f.neg(difference), difference));
    f.break(rare, f.unlikely(f.geU(distance, i32(f, 64))));
    const by = wide(f, distance);
    const part = f.let(f.shrU(small, by));
    // What is shifted out, at the top of a word. Its lowest bit is 0.
    const rest = f.let(f.sub(f.rotr(small, by), part));
    const high = f.declare("i64", 64);
    const low = f.declare("i64", 64);
    const top = f.variable(largeTop);
    f.if(
      f.and(f.xor(a.top, b.top), i32(f, SPECIAL_EXPONENT + 1)),
      () => {
        // Of numbers of the same exponent the second may be the larger one.
        f.break(rare, f.unlikely(f.ltU(large, part)));
        const lower = f.let(f.neg(rest));
        const upper = f.let(f.sub(f.sub(large, part), f.extend(f.ne(rest, i64(f, 0)), 64)));
        f.if(
          f.ltS(upper, i64(f, 0)),
          () => {
            high.set(upper);
            low.set(lower);
          },
          () => {
            f.break(rare, f.unlikely(f.eqz(upper)));
            const zeros = f.let(f.clz(upper));
            const moved = f.shrU(f.shrU(lower, i64(f, 1)), f.xor(zeros, i64(f, 63)));
            high.set(f.or(f.shl(upper, zeros), moved));
            low.set(f.shl(lower, zeros));
            top.set(f.sub(largeTop, f.truncate(zeros, 32)));
          },
        );
      },
      () => {
        const sum = f.let(f.add(large, part));
        // Whether it is longer by a bit is anybody's guess: no branch.
        const carry = f.let(f.ltU(sum, large));
        const moved = wide(f, carry);
        high.set(f.rotr(f.or(sum, moved), moved));
        low.set(f.rotr(f.or(rest, f.and(sum, moved)), moved));
        top.set(f.add(largeTop, carry));
      },
    );
    finish(to, named(f, high), named(f, low), named(f, top));
  });
}

/** Twice a number. */
export function doubleModerate(to: Outcome, a: Extended): void {
  const { f } = to;
  f.block((rare) => {
    unlessModerate(f, rare, [a]);
    to.done(a.significand, f.let(f.add(a.top, i32(f, 1))));
  });
  to.goOn("x87_ordinary_add", [a.significand, a.top, a.significand, a.top]);
}

/** Product of two numbers. */
export function multiplyModerate(to: Outcome, a: Extended, b: Extended): void {
  const { f } = to;
  commonly(to, "x87_ordinary_mul", [a, b], () => {
    const { high, low } = multiply(f, a.significand, b.significand);
    // 1 if the product is below 2: which of both is as likely as not, so there is no branch.
    const below = f.let(f.shrU(f.not(high), i64(f, 63)));
    // The signs add up in bit 15, and what is carried out of it is no part of the number.
    const exponent = f.add(f.add(a.top, b.top), i32(f, 1 - EXPONENT_BIAS));
    const top = f.let(f.and(f.sub(exponent, f.truncate(below, 32)), i32(f, 0xffff)));
    const moved = f.and(f.shrU(low, i64(f, 63)), below);
    finish(to, f.let(f.or(f.shl(high, below), moved)), f.let(f.shl(low, below)), top);
  });
}

/** What the bits of 2^52 + n and of 1.5 * 2^52 + n are without n: floating-point addition rounds to integers. */
const UNSIGNED = { number: 2 ** 52, bits: 0x4330_0000_0000_0000n } as const;
const SIGNED = { number: 1.5 * 2 ** 52, bits: 0x4338_0000_0000_0000n } as const;

function toInteger(f: StateBuilder, value: Value, { number, bits }: typeof UNSIGNED | typeof SIGNED): Value {
  const sum = f.float("f64", "add", value, f.floatConstant("f64", number));
  return f.let(f.sub(f.reinterpret(sum, "i64"), i64(f, bits)));
}
function toFloat(f: StateBuilder, value: Value): Value {
  return f.convert("f64", "convert_s.i64", value);
}
function letFloat(f: StateBuilder, operation: "mul" | "div", left: Value, right: Value): Value {
  return f.let(f.float("f64", operation, left, right));
}

/**
 * Quotient of two numbers, by two digits that floating-point arithmetic estimates: a * 2^30 / b to the nearest integer, and 33 bits that
 * may be negative. What is left in the end says whether it was rounded to nearest; it nearly always is.
 */
export function divideModerate(to: Outcome, a: Extended, b: Extended): void {
  const { f } = to;
  commonly(to, "x87_ordinary_div", [a, b], (rare) => {
    // What is left after the first digit is up to half of the divisor and 2^-20 of it: it must fit in 63 bits.
    f.break(rare, f.unlikely(f.eq(f.shrU(b.significand, i64(f, 48)), i64(f, 0xffff))));
    // The dividend is scaled so that the quotient has its top bit at 63.
    const below = f.let(f.ltU(a.significand, b.significand));
    const shift = wide(f, below);
    const dividend = toFloat(f, f.shl(f.shrU(a.significand, i64(f, 2)), shift));
    const divisor = toFloat(f, f.shrU(b.significand, i64(f, 1)));
    const reciprocal = letFloat(f, "div", f.floatConstant("f64", 2 ** 31), divisor);
    const first = toInteger(f, f.float("f64", "mul", dividend, reciprocal), UNSIGNED);
    const left = f.sub(f.shl(f.shl(a.significand, shift), i64(f, 30)), f.mul(first, b.significand));
    const rest = f.let(left);
    const doubled = f.float("f64", "add", reciprocal, reciprocal);
    const second = toInteger(f, f.float("f64", "mul", toFloat(f, rest), doubled), SIGNED);
    const remainder = f.let(f.sub(f.shl(rest, i64(f, 33)), f.mul(second, b.significand)));
    // No quotient of numbers of 64 bits has exactly 65.
    const isNearest = f.ltU(f.add(remainder, f.shrU(b.significand, i64(f, 1))), b.significand);
    f.break(rare, f.unlikely(f.eqz(isNearest)));
    const exponent = f.add(f.sub(a.top, b.top), i32(f, EXPONENT_BIAS));
    const top = f.let(f.and(f.sub(exponent, below), i32(f, 0xffff)));
    const quotient = f.let(f.add(f.shl(first, i64(f, 33)), second));
    const up = f.let(f.ltS(remainder, i64(f, 0)));
    to.done(quotient, top, { up, lost: remainder });
  });
}

/** Bits of the second digit of a root that stand for a fraction, and bits that the first digit is shifted by. */
const FRACTION = 10;
const DIGIT = 22;

/**
 * Square root, by 42 bits that floating-point arithmetic estimates, and 22 that may be negative: what is left of the radicand, divided
 * by twice the first. The square of the second may be neglected beside the error that is allowed for.
 */
export function squareRootModerate(to: Outcome, a: Extended): void {
  const { f } = to;
  f.block((rare) => {
    unlessModerate(f, rare, [a]);
    const { significand } = a;
    f.break(rare, f.unlikely(f.and(a.top, i32(f, SPECIAL_EXPONENT + 1))));
    // The radicand is significand * 2^63 for even exponents, whose field is odd, and * 2^64 for odd ones: its root has 64 bits.
    const even = f.let(f.extend(f.and(a.top, i32(f, 1)), 64));
    const scaled = toFloat(f, f.shrU(f.shrU(significand, i64(f, 1)), even));
    const estimate = f.float(
      "f64",
      "mul",
      f.float("f64", "sqrt", scaled),
      f.floatConstant("f64", Math.SQRT2 * 2 ** 10),
    );
    const first = toInteger(f, estimate, UNSIGNED);
    const odd = f.let(f.xor(even, i64(f, 1)));
    // In units of 2^24.
    const left = f.let(
      f.sub(f.shl(f.shl(significand, i64(f, 39)), odd), f.shl(f.mul(first, first), i64(f, 2 * DIGIT - 24))),
    );
    const ratio = f.float("f64", "div", toFloat(f, left), toFloat(f, first));
    const second = toInteger(
      f,
      f.float("f64", "mul", ratio, f.floatConstant("f64", 2 ** (23 - DIGIT + FRACTION))),
      SIGNED,
    );
    const bits = (1n << BigInt(FRACTION)) - 1n;
    const half = 1n << BigInt(FRACTION - 1);
    // It may be too near the middle between two roots to be sure.
    const fromMiddle = f.and(f.add(second, i64(f, half + 1n)), i64(f, bits));
    f.break(rare, f.unlikely(f.ltU(fromMiddle, i64(f, 2))));
    const nearest = f.shrS(f.add(second, i64(f, half)), i64(f, FRACTION));
    const root = f.let(f.add(f.shl(first, i64(f, DIGIT)), nearest));
    // Modulo 2^64, which it may exceed by its sign: only near the root the sign is that of the word.
    const remainder = f.let(f.sub(f.shl(f.and(significand, even), i64(f, 63)), f.mul(root, root)));
    const isNear = f.eqz(f.and(second, i64(f, bits)));
    const isBelow = f.and(isNear, f.ltS(remainder, i64(f, 0)));
    const fraction = f.and(f.truncate(f.shrU(second, i64(f, FRACTION - 1)), 32), i32(f, 1));
    const up = f.let(f.or(fraction, isBelow));
    const exponent = f.shrS(f.sub(a.top, i32(f, EXPONENT_BIAS)), i32(f, 1));
    to.done(root, f.let(f.add(exponent, i32(f, EXPONENT_BIAS))), { up, lost: remainder });
  });
  to.goOn("x87_ordinary_sqrt", [a.significand, a.top]);
}
