import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import { invariant } from "../../../runtime/abi/invariant.ts";
import type { Helper } from "../helper.ts";
import { controlFromFcw, type Format, i32, i64, Kind, Raised, raise, type Unpacked, unpack } from "./format.ts";
import {
  isNan,
  type Outcome,
  raiseDenormal,
  returnIfUnmasked,
  returnInfinity,
  returnInvalid,
  returnRounded,
  returnZero,
  roundingMode,
} from "./round.ts";
import { divide, multiply, shiftLeft, shiftRightJamming } from "./wide.ts";

/** Makes a helper of an operation on `count` operands of one format that has one result of it. */
export function operation(
  format: Format,
  name: string,
  count: 1 | 2,
  emit: (to: Outcome, operands: readonly Value[]) => void,
): Helper {
  const operands = Array.from({ length: count }, () => format.type);
  return {
    name: `${format.name}_${name}`,
    params: format.indirect ? ["i32", ...operands] : operands,
    result: format.indirect ? "none" : format.type,
    emit(f, values) {
      const [destination, ...rest] = values;
      if (format.indirect && destination) emit({ f, format, destination }, rest);
      else emit({ f, format }, values);
    },
  };
}

/** Hands over to the format's NaN rules if either operand is a NaN or not supported. */
export function returnIfNan(
  { f, format, destination }: Outcome,
  operands: readonly Value[],
  unpacked: readonly Unpacked[],
): void {
  const [left, right = left] = operands;
  const [kind, other = kind] = unpacked.map((operand) => operand.kind);
  invariant(
    left !== undefined && right !== undefined && kind !== undefined && other !== undefined,
    "an operation has operands",
  );
  const any = kind === other ? isNan(f, kind) : f.or(isNan(f, kind), isNan(f, other));
  const name = `${format.name}_nan`;
  f.if(any, () => {
    if (destination) f.tailCall(name, [f.cpu, destination, left, right]);
    else f.tailCall(name, [f.cpu, left, right]);
  });
}

function binary(format: Format, name: string, emit: (to: Outcome, left: Unpacked, right: Unpacked) => void): Helper {
  return operation(format, name, 2, (to, operands) => {
    const [left, right] = operands;
    if (!left || !right) return;
    const a = unpack(to.f, format, left, true);
    const b = unpack(to.f, format, right, true);
    returnIfNan(to, operands, [a, b]);
    emit(to, a, b);
  });
}

/** The current rounding mode is towards minus infinity: the sign of an exact zero difference. */
function roundsDown(f: StateBuilder, format: Format): Value {
  return f.eq(roundingMode(f, format.indirect ? controlFromFcw(f) : f.get("mxcsr")), i32(f, 1));
}

/** left + right, or left - right if `negate`. */
function addition(format: Format, negate: boolean): Helper {
  return binary(format, negate ? "sub" : "add", (to, left, right) => {
    const { f } = to;
    const rightSign = negate ? f.let(f.xor(right.sign, i32(f, 1))) : right.sign;
    const differ = f.let(f.xor(left.sign, rightSign));
    const leftInfinite = f.let(f.eq(left.kind, i32(f, Kind.INFINITE)));
    const rightInfinite = f.let(f.eq(right.kind, i32(f, Kind.INFINITE)));
    f.if(f.and(f.and(leftInfinite, rightInfinite), differ), () => returnInvalid(to));
    raiseDenormal(to, f.or(left.denormal, right.denormal));
    f.if(leftInfinite, () => returnInfinity(to, left.sign));
    f.if(rightInfinite, () => returnInfinity(to, rightSign));

    // From here on, `a` has the larger magnitude.
    const smaller = f.or(
      f.ltS(left.exponent, right.exponent),
      f.and(f.eq(left.exponent, right.exponent), f.ltU(left.significand, right.significand)),
    );
    const swap = f.let(smaller);
    const sign = f.let(f.select(swap, rightSign, left.sign));
    const exponent = f.let(f.select(swap, right.exponent, left.exponent));
    const a = f.let(f.select(swap, right.significand, left.significand));
    const b = f.let(f.select(swap, left.significand, right.significand));
    const distance = f.let(f.sub(exponent, f.select(swap, left.exponent, right.exponent)));
    f.if(f.eqz(a), () => {
      returnZero(to, f.select(differ, roundsDown(f, format), sign));
    });
    const aligned = shiftRightJamming(f, b, distance);
    f.if(
      differ,
      () => {
        const low = f.let(f.neg(aligned.low));
        const borrow = f.extend(f.ne(aligned.low, i64(f, 0)), 64);
        const high = f.let(f.sub(f.sub(a, aligned.high), borrow));
        f.if(f.eqz(f.or(high, low)), () => returnZero(to, roundsDown(f, format)));
        const zeros = f.choose(
          f.eqz(high),
          () => f.add(f.truncate(f.clz(low), 32), i32(f, 64)),
          () => f.truncate(f.clz(high), 32),
        );
        const normal = shiftLeft(f, { high, low }, zeros);
        returnRounded(to, { sign, exponent: f.sub(exponent, zeros), ...normal });
      },
      () => {
        const high = f.let(f.add(a, aligned.high));
        f.if(f.ltU(high, a), () => {
          const low = f.or(
            f.or(f.shl(high, i64(f, 63)), f.shrU(aligned.low, i64(f, 1))),
            f.and(aligned.low, i64(f, 1)),
          );
          returnRounded(to, {
            sign,
            exponent: f.add(exponent, i32(f, 1)),
            high: f.or(f.shrU(high, i64(f, 1)), i64(f, 1n << 63n)),
            low,
          });
        });
        returnRounded(to, { sign, exponent, high, low: aligned.low });
      },
    );
  });
}

function multiplication(format: Format): Helper {
  return binary(format, "mul", (to, left, right) => {
    const { f } = to;
    const sign = f.let(f.xor(left.sign, right.sign));
    const infinite = f.let(f.or(f.eq(left.kind, i32(f, Kind.INFINITE)), f.eq(right.kind, i32(f, Kind.INFINITE))));
    const zero = f.let(f.or(f.eqz(left.kind), f.eqz(right.kind)));
    f.if(f.and(infinite, zero), () => returnInvalid(to));
    raiseDenormal(to, f.or(left.denormal, right.denormal));
    f.if(infinite, () => returnInfinity(to, sign));
    f.if(zero, () => returnZero(to, sign));
    const product = multiply(f, left.significand, right.significand);
    const exponent = f.let(f.add(left.exponent, right.exponent));
    f.if(f.ltS(product.high, i64(f, 0)), () => {
      returnRounded(to, { sign, exponent: f.add(exponent, i32(f, 1)), ...product });
    });
    returnRounded(to, { sign, exponent, ...shiftLeft(f, product, i32(f, 1)) });
  });
}

function division(format: Format): Helper {
  return binary(format, "div", (to, left, right) => {
    const { f } = to;
    const sign = f.let(f.xor(left.sign, right.sign));
    const leftInfinite = f.let(f.eq(left.kind, i32(f, Kind.INFINITE)));
    const rightInfinite = f.let(f.eq(right.kind, i32(f, Kind.INFINITE)));
    const leftZero = f.let(f.eqz(left.kind));
    const rightZero = f.let(f.eqz(right.kind));
    f.if(f.or(f.and(leftInfinite, rightInfinite), f.and(leftZero, rightZero)), () => returnInvalid(to));
    f.if(f.and(rightZero, f.eqz(leftInfinite)), () => {
      raise(f, Raised.ZE);
      if (format.indirect) returnIfUnmasked(f, Raised.ZE);
      returnInfinity(to, sign);
    });
    raiseDenormal(to, f.or(left.denormal, right.denormal));
    f.if(leftInfinite, () => returnInfinity(to, sign));
    f.if(f.or(rightInfinite, leftZero), () => returnZero(to, sign));
    // The dividend is scaled so that the quotient has its top bit at 63 and fits.
    const less = f.let(f.ltU(left.significand, right.significand));
    const high = f.let(f.select(less, left.significand, f.shrU(left.significand, i64(f, 1))));
    const low = f.let(f.select(less, i64(f, 0), f.shl(left.significand, i64(f, 63))));
    const { quotient, remainder } = divide(f, { high, low }, right.significand);
    const exponent = f.sub(f.sub(left.exponent, right.exponent), less);
    const atLeastHalf = f.geU(remainder, f.sub(right.significand, remainder));
    const sticky = f.extend(f.ne(remainder, i64(f, 0)), 64);
    // Exactly a half needs 2 * remainder = divisor; then the sticky bit must not be added.
    const exact = f.eq(remainder, f.sub(right.significand, remainder));
    const below = f.select(f.or(exact, f.eqz(remainder)), i64(f, 0), sticky);
    returnRounded(to, {
      sign,
      exponent,
      high: quotient,
      low: f.or(f.shl(f.extend(atLeastHalf, 64), i64(f, 63)), below),
    });
  });
}

function squareRoot(format: Format): Helper {
  return operation(format, "sqrt", 1, (to, operands) => {
    const { f } = to;
    const [source] = operands;
    if (!source) return;
    const value = unpack(f, format, source, true);
    returnIfNan(to, operands, [value]);
    f.if(f.eqz(value.kind), () => returnZero(to, value.sign));
    f.if(value.sign, () => returnInvalid(to));
    raiseDenormal(to, value.denormal);
    f.if(f.eq(value.kind, i32(f, Kind.INFINITE)), () => returnInfinity(to, value.sign));

    // The radicand is significand * 2^63 for even exponents and * 2^64 for odd ones: its root has 64 bits.
    const odd = f.let(f.and(value.exponent, i32(f, 1)));
    const { significand } = value;
    const high = f.let(f.select(odd, significand, f.shrU(significand, i64(f, 1))));
    const low = f.let(f.select(odd, i64(f, 0), f.shl(significand, i64(f, 63))));
    const approximation = f.float("f64", "sqrt", f.convert("f64", "convert_u.i64", high));
    const scaled = f.float("f64", "mul", approximation, f.floatConstant("f64", 2 ** 32));
    const estimate = f.let(f.convert("i64", "trunc_u_sat.f64", scaled));
    // One step of Newton's method makes the 52 bits of the estimate 64, kept from exceeding the root by taking a few off.
    const lowered = f.let(f.sub(estimate, i64(f, 0x1000)));
    const square = multiply(f, lowered, lowered);
    const excess = f.let(f.sub(f.sub(high, square.high), f.extend(f.ltU(low, square.low), 64)));
    const excessLow = f.let(f.sub(low, square.low));
    const asFloat = f.float(
      "f64",
      "add",
      f.float("f64", "mul", f.convert("f64", "convert_u.i64", excess), f.floatConstant("f64", 2 ** 64)),
      f.convert("f64", "convert_u.i64", excessLow),
    );
    const twice = f.float("f64", "mul", f.convert("f64", "convert_u.i64", lowered), f.floatConstant("f64", 2));
    const step = f.convert("i64", "trunc_u_sat.f64", f.float("f64", "div", asFloat, twice));
    const root = f.variable(f.add(lowered, f.sub(step, i64(f, 2))));
    const start = f.let(root.get());
    const startSquare = multiply(f, start, start);
    const restLow = f.variable(f.sub(low, startSquare.low));
    const restHigh = f.variable(f.sub(f.sub(high, startSquare.high), f.extend(f.ltU(low, startSquare.low), 64)));
    // remainder > 2 * root: the next root still fits.
    f.loop((again) => {
      const current = f.let(root.get());
      const twiceHigh = f.let(f.shrU(current, i64(f, 63)));
      const twiceLow = f.let(f.shl(current, i64(f, 1)));
      const greater = f.or(
        f.gtU(restHigh.get(), twiceHigh),
        f.and(f.eq(restHigh.get(), twiceHigh), f.gtU(restLow.get(), twiceLow)),
      );
      f.if(greater, () => {
        // The difference of the squares is 2 * root + 1.
        const subtrahend = f.let(f.or(twiceLow, i64(f, 1)));
        const borrow = f.let(f.extend(f.ltU(restLow.get(), subtrahend), 64));
        restLow.set(f.sub(restLow.get(), subtrahend));
        restHigh.set(f.sub(f.sub(restHigh.get(), twiceHigh), borrow));
        root.set(f.add(current, i64(f, 1)));
        f.continue(again);
      });
    });
    const exact = f.let(root.get());
    const remainder = f.let(restLow.get());
    const remainderHigh = f.let(restHigh.get());
    const aboveHalf = f.or(f.ne(remainderHigh, i64(f, 0)), f.gtU(remainder, exact));
    const sticky = f.extend(f.ne(f.or(remainder, remainderHigh), i64(f, 0)), 64);
    const below = f.or(f.shl(f.extend(aboveHalf, 64), i64(f, 63)), sticky);
    returnRounded(to, { sign: i32(f, 0), exponent: f.shrS(value.exponent, i32(f, 1)), high: exact, low: below });
  });
}

export const arithmeticHelpers = (formats: readonly Format[]): readonly Helper[] =>
  formats.flatMap((format) => [
    addition(format, false),
    addition(format, true),
    multiplication(format),
    division(format),
    squareRoot(format),
  ]);
