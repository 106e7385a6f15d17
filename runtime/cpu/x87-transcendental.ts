/**
 * The x87's transcendental instructions on plain numbers, correctly rounded. SDM Vol. 1, 8.3.7 to 8.3.10.
 *
 * Arguments of the trigonometric ones are reduced by the 66-bit pi that processors use (SDM Vol. 1, 8.3.8), hence the result of FSIN is
 * the sine of the reduced argument. Where the manual leaves a result open (arguments out of range), it is what AMD's processors give.
 */
import {
  type Approximation,
  arctangent,
  cosine,
  exponentialMinus1,
  GUARD,
  leadingPower,
  logarithm,
  logarithmOf1Plus,
  quartersOfPi,
  quotient,
  reduceAngle,
  sine,
} from "./x87-elementary.ts";
import {
  type Binary,
  bitLength,
  classify,
  type Extended,
  INDEFINITE,
  infinity,
  isDenormal,
  isNan,
  magnitude,
  nanResult,
  ONE,
  type Result,
  roundExtended,
  Status,
  zero,
} from "./x87-number.ts";

/** Working precisions, tried in turn until the rounding is certain. */
const PRECISIONS = [128, 256, 512, 1024] as const;
/** Arguments below 2^TINY are so small that a series' second term only tells on which side of the first the result lies. */
const TINY = -70;
const TINY_TANGENT = -33;

const INVALID: Result = { value: INDEFINITE, flags: Status.IE };

function exactly(value: Extended, flags = 0): Result {
  return { value, flags };
}

/** Rounds a number that is known only as approximations, with as much precision as that takes. */
function approximate(control: number, compute: (precision: number) => Approximation): Result {
  let result: Result | undefined;
  for (const precision of PRECISIONS) {
    const { sign, integer, power } = compute(precision);
    const error = 1n << BigInt(Math.max(bitLength(integer) - precision + GUARD, 0));
    result = roundExtended(sign, { integer: integer - error, power }, true, control);
    const above = roundExtended(sign, { integer: integer + error, power }, true, control);
    if (
      result.value.significand === above.value.significand &&
      result.value.exponent === above.value.exponent &&
      result.flags === above.flags
    ) {
      break;
    }
  }
  return result ?? INVALID;
}

/** A result that happens to be exact. Processors raise PE for it nevertheless: they do not know. */
function roundExact(sign: 0 | 1, binary: Binary, control: number): Result {
  const { value, flags } = roundExtended(sign, binary, false, control);
  return { value, flags: flags | Status.PE | (isDenormal(value) ? Status.UE : 0) };
}

/** A number that is smaller than another by almost nothing. */
function below(sign: 0 | 1, { integer, power }: Binary, control: number): Result {
  return roundExtended(sign, { integer: (integer << 128n) - 1n, power: power - 128 }, true, control);
}

/**
 * Runs `compute` after the checks that all instructions share: NaNs, and denormals, which raise DE.
 *
 * @returns the result; without a value's use when DE is unmasked
 */
function checked(operands: readonly Extended[], control: number, compute: () => Result): Result {
  if (operands.some(isNan)) return nanResult(operands);
  const denormal = operands.some(isDenormal) ? Status.DE : 0;
  // An unmasked denormal operand stops the instruction before it computes anything; an invalid operation comes first.
  const { value, flags } = compute();
  if (flags & (Status.IE | Status.ZE) || !denormal) return { value, flags };
  return control & Status.DE ? { value, flags: flags | Status.DE } : { value, flags: Status.DE };
}

/** F2XM1: 2^x - 1. */
export function f2xm1(x: Extended, control: number): Result {
  return checked([x], control, () => {
    const kind = classify(x);
    if (kind === "zero") return exactly(x);
    if (kind === "infinite") return exactly(x.sign ? { ...ONE, sign: 1 } : x);
    const binary = magnitude(x);
    if (leadingPower(binary) >= 0) {
      // 2^1 - 1 and 2^-1 - 1 are exact; beyond them processors return the argument.
      if (x.exponent === ONE.exponent && x.significand === ONE.significand) {
        return x.sign
          ? exactly({ ...x, exponent: x.exponent - 1 }, Status.PE)
          : below(0, { integer: 1n, power: 0 }, control);
      }
      return exactly(x, Status.PE);
    }
    return approximate(control, (precision) => exponentialMinus1(x.sign, binary, precision));
  });
}

/** y times a logarithm that is not zero. */
function scaledLogarithm(y: Extended, control: number, log: (precision: number) => Approximation): Result {
  const factor = magnitude(y);
  return approximate(control, (precision) => {
    const { sign, integer, power } = log(precision);
    return { sign: sign === y.sign ? 0 : 1, integer: integer * factor.integer, power: power + factor.power };
  });
}

/** FYL2X: y * log2(x). */
export function fyl2x(x: Extended, y: Extended, control: number): Result {
  return checked([x, y], control, () => {
    const [kind, factor] = [classify(x), classify(y)];
    if (kind === "zero") {
      if (factor === "zero") return INVALID;
      const negated = infinity(y.sign ? 0 : 1);
      return factor === "infinite" ? exactly(negated) : exactly(negated, Status.ZE);
    }
    if (x.sign) return INVALID;
    if (kind === "infinite") return factor === "zero" ? INVALID : exactly(infinity(y.sign));
    const binary = magnitude(x);
    const whole = leadingPower(binary);
    const isPower = binary.integer === 1n << BigInt(whole - binary.power);
    if (isPower && whole === 0) return factor === "infinite" ? INVALID : exactly(zero(y.sign));
    const sign = y.sign === (whole < 0 ? 1 : 0) ? 0 : 1;
    if (factor === "infinite") return exactly(infinity(sign));
    if (factor === "zero") return exactly(zero(sign));
    if (isPower) {
      const { integer, power } = magnitude(y);
      return roundExact(sign, { integer: integer * BigInt(Math.abs(whole)), power }, control);
    }
    return scaledLogarithm(y, control, (precision) => logarithm(binary, precision));
  });
}

/** FYL2XP1: y * log2(x + 1). */
export function fyl2xp1(x: Extended, y: Extended, control: number): Result {
  return checked([x, y], control, () => {
    const [kind, factor] = [classify(x), classify(y)];
    const sign = x.sign === y.sign ? 0 : 1;
    if (kind === "zero") return factor === "infinite" ? INVALID : exactly(zero(sign));
    if (kind === "infinite") return factor === "zero" || x.sign ? INVALID : exactly(infinity(sign));
    const binary = magnitude(x);
    const whole = leadingPower(binary);
    if (factor === "infinite") return exactly(infinity(sign));
    if (factor === "zero") return exactly(zero(sign));
    // The manual leaves x <= -1 open.
    if (x.sign && whole >= 0) return exactly(x, Status.PE);
    const low = BigInt(Math.max(-binary.power, 0));
    const sum =
      whole < -64 ? 0n : (1n << low) + (x.sign ? -1n : 1n) * (binary.integer << BigInt(Math.max(binary.power, 0)));
    if (sum > 0n && (sum & (sum - 1n)) === 0n) {
      const exponent = bitLength(sum) - 1 - Number(low);
      const { integer, power } = magnitude(y);
      return roundExact(sign, { integer: integer * BigInt(Math.abs(exponent)), power }, control);
    }
    return scaledLogarithm(y, control, (precision) => logarithmOf1Plus(x.sign, binary, precision));
  });
}

/** FPATAN: the angle of the point (x, y). */
export function fpatan(x: Extended, y: Extended, control: number): Result {
  return checked([x, y], control, () => {
    const [kindX, kindY] = [classify(x), classify(y)];
    const quarters = (count: bigint): Result =>
      approximate(control, (precision) => ({ sign: y.sign, ...quartersOfPi(count, precision) }));
    if (kindY === "zero" || (kindX === "infinite" && kindY !== "infinite"))
      return x.sign ? quarters(4n) : exactly(zero(y.sign));
    if (kindX === "infinite") return quarters(x.sign ? 3n : 1n);
    if (kindX === "zero" || kindY === "infinite") return quarters(2n);
    const [a, b] = [magnitude(y), magnitude(x)];
    if (!x.sign && leadingPower(a) - leadingPower(b) < TINY) {
      const ratio = quotient(a, b, PRECISIONS[1]);
      if (ratio.exact) return below(y.sign, ratio, control);
      return roundExtended(y.sign, ratio, true, control);
    }
    return approximate(control, (precision) => ({ sign: y.sign, ...arctangent(a, b, x.sign, precision) }));
  });
}

/** Whether FSIN, FCOS, FSINCOS and FPTAN only set C2: |x| >= 2^63. */
export function angleOutOfRange({ exponent, significand }: Extended): boolean {
  return exponent >= 16383 + 63 && exponent < 0x7fff && significand >> 63n === 1n;
}

/** FSIN. */
export function fsin(x: Extended, control: number): Result {
  return circular(x, control, 0);
}

/** FCOS. */
export function fcos(x: Extended, control: number): Result {
  return circular(x, control, 1);
}

/** The sine of x plus `quarters` right angles. */
function circular(x: Extended, control: number, quarters: 0 | 1): Result {
  return checked([x], control, () => {
    const kind = classify(x);
    if (kind === "infinite") return INVALID;
    if (kind === "zero") return exactly(quarters ? ONE : x);
    const { quadrant, sign, magnitude: r } = reduceAngle(x.sign, magnitude(x));
    const turned = quadrant + quarters;
    const negative = (turned & 2) !== 0;
    if (turned & 1) {
      const resultSign = negative ? 1 : 0;
      if (r.integer === 0n || leadingPower(r) < TINY) return below(resultSign, { integer: 1n, power: 0 }, control);
      return approximate(control, (precision) => ({ sign: resultSign, ...cosine(r, precision) }));
    }
    const resultSign = negative ? (sign ? 0 : 1) : sign;
    if (r.integer === 0n) return exactly(zero(resultSign));
    if (leadingPower(r) < TINY) return below(resultSign, r, control);
    return approximate(control, (precision) => ({ sign: resultSign, ...sine(r, precision) }));
  });
}

/** FPTAN, without the 1.0 that it pushes. */
export function fptan(x: Extended, control: number): Result {
  return checked([x], control, () => {
    const kind = classify(x);
    if (kind === "infinite") return INVALID;
    if (kind === "zero") return exactly(x);
    const { quadrant, sign, magnitude: r } = reduceAngle(x.sign, magnitude(x));
    const inverse = (quadrant & 1) !== 0;
    if (r.integer === 0n) return exactly(zero(sign));
    // The tangent lies above its argument by less than half a unit: processors never round it up, whatever the rounding control.
    if (leadingPower(r) < TINY_TANGENT && !inverse) return roundExact(sign, r, control);
    const resultSign = inverse ? (sign ? 0 : 1) : sign;
    return approximate(control, (precision) => {
      const [s, c] = [sine(r, precision), cosine(r, precision)];
      const { integer, power } = inverse ? quotient(c, s, precision) : quotient(s, c, precision);
      return { sign: resultSign, integer, power };
    });
  });
}
