/**
 * Elementary functions of dyadic rationals as fixed-point numbers of any precision: the numerical part of the x87's transcendental
 * instructions. Arguments are exact; results are relative approximations whose error is below 2^(GUARD - precision).
 */
import { type Binary, bitLength } from "./x87-number.ts";

/** An approximation keeps about `precision` significant bits, of which the last GUARD may be wrong. */
export const GUARD = 16;

/** (-1)^sign * integer * 2^power */
export interface Approximation extends Binary {
  readonly sign: 0 | 1;
}

/** The 66-bit value of pi that reduces the arguments of FSIN, FCOS, FSINCOS and FPTAN: PI_66 * 2^-64. SDM Vol. 1, 8.3.8. */
const PI_66 = 0x3_243f_6a88_85a3_08d3n;

interface Constants {
  readonly ln2: bigint;
  readonly pi: bigint;
  /** arctangents of k/16 */
  readonly arctangents: readonly bigint[];
}

const constantsOf = new Map<number, Constants>();

/** Constants with `precision` fraction bits. */
function constants(precision: number): Constants {
  let found = constantsOf.get(precision);
  if (!found) {
    // Extra bits keep the truncation errors of the series out of the result.
    const extra = 16;
    const bits = precision + extra;
    const one = 1n << BigInt(bits);
    const cut = (value: bigint): bigint => value >> BigInt(extra);
    const arctangent = (numerator: bigint, denominator: bigint): bigint => {
      const t = (numerator << BigInt(bits)) / denominator;
      return (t * arctangentSeries((t * t) >> BigInt(bits), bits)) >> BigInt(bits);
    };
    const third = one / 3n;
    // ln 2 = 2 artanh(1/3); pi by Machin's formula.
    const ln2 = (2n * third * hyperbolicSeries((third * third) >> BigInt(bits), bits)) >> BigInt(bits);
    const pi = 16n * arctangent(1n, 5n) - 4n * arctangent(1n, 239n);
    const arctangents = Array.from({ length: 17 }, (_, k) => (k === 16 ? pi >> 2n : arctangent(BigInt(k), 16n)));
    found = { ln2: cut(ln2), pi: cut(pi), arctangents: arctangents.map(cut) };
    constantsOf.set(precision, found);
  }
  return found;
}

/** Sum of t^k / (2k + 1): artanh(s) / s for t = s^2. All fixed-point with `bits` fraction bits. */
function hyperbolicSeries(t: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  let power = 1n << shift;
  let sum = power;
  for (let divisor = 3n; power !== 0n; divisor += 2n) {
    power = (power * t) >> shift;
    sum += power / divisor;
  }
  return sum;
}

/** Sum of (-t)^k / (2k + 1): arctan(s) / s for t = s^2. */
function arctangentSeries(t: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  let power = 1n << shift;
  let sum = power;
  for (let divisor = 3n; power !== 0n; divisor += 2n) {
    power = (power * t) >> shift;
    sum += (divisor & 2n) !== 0n ? -(power / divisor) : power / divisor;
  }
  return sum;
}

/** Sum of (-t)^k / (2k + first)!, times first!: sin(r) / r for first = 1, cos(r) for first = 0, of t = r^2. */
function circularSeries(t: bigint, bits: number, first: 0 | 1): bigint {
  const shift = BigInt(bits);
  let term = 1n << shift;
  let sum = term;
  for (let n = BigInt(first); term !== 0n; n += 2n) {
    term = ((term * t) >> shift) / ((n + 1n) * (n + 2n));
    sum += (n & 2n) !== 0n ? term : -term;
  }
  return sum;
}

/** The number with `precision` fraction bits, truncated. */
function fixed({ integer, power }: Binary, precision: number): bigint {
  const shift = power + precision;
  return shift >= 0 ? integer << BigInt(shift) : integer >> BigInt(-shift);
}

/** Exponent of the leading bit. */
export function leadingPower({ integer, power }: Binary): number {
  return bitLength(integer) - 1 + power;
}

/** 2^x - 1 for 0 < |x| < 1. */
export function exponentialMinus1(sign: 0 | 1, x: Binary, precision: number): Approximation {
  const { ln2 } = constants(precision + GUARD);
  const bits = precision;
  const y: Binary = { integer: x.integer * ln2, power: x.power - precision - GUARD };
  const argument = sign ? -fixed(y, bits) : fixed(y, bits);
  // (e^y - 1) / y = sum of y^k / (k + 1)!, between 1/2 and 2: the factor y keeps the relative precision of tiny results.
  let term = 1n << BigInt(bits);
  let sum = term;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = ((term * argument) >> BigInt(bits)) / k;
    sum += term;
  }
  return { sign, integer: y.integer * sum, power: y.power - bits };
}

/** log2(numerator/denominator) for a ratio within [1/2, 2], not 1, as artanh of an exact fraction. */
function logarithmOfRatio(numerator: bigint, denominator: bigint, precision: number): Approximation {
  const { ln2 } = constants(precision);
  const difference = numerator - denominator;
  const sign = difference < 0n ? 1 : 0;
  const top = sign ? -difference : difference;
  const bottom = numerator + denominator;
  // The quotient gets `precision` significant bits, however close to 1 the ratio is.
  const shift = precision + bitLength(bottom) - bitLength(top);
  const s: Binary = { integer: (top << BigInt(shift)) / bottom, power: -shift };
  const square = fixed({ integer: s.integer * s.integer, power: 2 * s.power }, precision);
  const series = hyperbolicSeries(square, precision);
  return { sign, integer: (2n * s.integer * series) / ln2, power: s.power };
}

/** log2(x) for x > 0 that is no power of two. */
export function logarithm({ integer, power }: Binary, precision: number): Approximation {
  const length = bitLength(integer);
  // x = 2^whole * integer / 2^scale, with the fraction in [0.70, 1.41].
  const aboveRoot = integer * integer > 1n << BigInt(2 * length - 1);
  const scale = aboveRoot ? length : length - 1;
  const whole = power + scale;
  const fraction = logarithmOfRatio(integer, 1n << BigInt(scale), precision);
  if (whole === 0) return fraction;
  const signed = (fraction.sign ? -1n : 1n) * fixed(fraction, precision);
  const sum = (BigInt(whole) << BigInt(precision)) + signed;
  return { sign: sum < 0n ? 1 : 0, integer: sum < 0n ? -sum : sum, power: -precision };
}

/** log2(1 + x) for x > -1 where 1 + x is no power of two. */
export function logarithmOf1Plus(sign: 0 | 1, x: Binary, precision: number): Approximation {
  if (leadingPower(x) < -precision) {
    // log2(1 + x) = x / ln 2 * (1 - x / 2 + ...): beyond the precision all but the first term.
    const { ln2 } = constants(precision);
    return { sign, integer: (x.integer << BigInt(2 * precision)) / ln2, power: x.power - precision };
  }
  const one = 1n << BigInt(Math.max(-x.power, 0));
  const scaled = x.power > 0 ? x.integer << BigInt(x.power) : x.integer;
  const sum = sign ? one - scaled : one + scaled;
  if (sum * 2n > one && sum < 2n * one) return logarithmOfRatio(sum, one, precision);
  return logarithm({ integer: sum, power: Math.min(x.power, 0) }, precision);
}

/** An angle reduced by multiples of pi/2: (-1)^sign * magnitude, at most about pi/4, after `quadrant` quarter turns (modulo 4). */
export interface Reduced {
  readonly quadrant: number;
  readonly sign: 0 | 1;
  readonly magnitude: Binary;
}

/** Reduces |x| < 2^63 modulo pi/2, where pi has 66 bits; exact. */
export function reduceAngle(sign: 0 | 1, x: Binary): Reduced {
  if (leadingPower(x) < -1) return { quadrant: 0, sign, magnitude: x };
  // In units of 2^low both x and pi/2 = PI_66 * 2^-65 are integers.
  const low = Math.min(x.power, -65);
  const angle = x.integer << BigInt(x.power - low);
  const quarter = PI_66 << BigInt(-65 - low);
  const turns = (2n * angle + quarter) / (2n * quarter);
  const rest = angle - turns * quarter;
  const quadrant = Number(turns & 3n);
  return {
    quadrant: sign ? (4 - quadrant) & 3 : quadrant,
    sign: rest < 0n !== (sign === 1) ? 1 : 0,
    magnitude: { integer: rest < 0n ? -rest : rest, power: low },
  };
}

/** sin(r) of a reduced angle, without its sign. */
export function sine(r: Binary, precision: number): Binary {
  const t = fixed({ integer: r.integer * r.integer, power: 2 * r.power }, precision);
  return { integer: r.integer * circularSeries(t, precision, 1), power: r.power - precision };
}

/** cos(r) of a reduced angle. */
export function cosine(r: Binary, precision: number): Binary {
  const t = fixed({ integer: r.integer * r.integer, power: 2 * r.power }, precision);
  return { integer: circularSeries(t, precision, 0), power: -precision };
}

/** numerator / denominator with at least `precision` significant bits, truncated. */
export function quotient(
  numerator: Binary,
  denominator: Binary,
  precision: number,
): Binary & { readonly exact: boolean } {
  const shift = Math.max(precision + bitLength(denominator.integer) - bitLength(numerator.integer), 0);
  const dividend = numerator.integer << BigInt(shift);
  const integer = dividend / denominator.integer;
  return {
    integer,
    power: numerator.power - denominator.power - shift,
    exact: integer * denominator.integer === dividend,
  };
}

/** The angle of the point (x, y), x and y > 0, in (0, pi/2), or measured on from the negative x axis: pi minus it. */
export function arctangent(y: Binary, x: Binary, xSign: 0 | 1, precision: number): Binary {
  const { pi, arctangents } = constants(precision);
  const yIsSmaller = leadingPower(y) < leadingPower(x) || (leadingPower(y) === leadingPower(x) && lessThan(y, x));
  const [small, large] = yIsSmaller ? [y, x] : [x, y];
  let angle: Binary;
  if (leadingPower(small) - leadingPower(large) < -6) {
    const q = quotient(small, large, precision);
    const t = fixed({ integer: q.integer * q.integer, power: 2 * q.power }, precision);
    angle = { integer: q.integer * arctangentSeries(t, precision), power: q.power - precision };
  } else {
    // atan(q) = atan(c) + atan((q - c) / (1 + q c)) with c = k/16 close to q.
    const low = Math.min(small.power, large.power);
    const top = small.integer << BigInt(small.power - low);
    const bottom = large.integer << BigInt(large.power - low);
    const k = (16n * top + (bottom >> 1n)) / bottom;
    const t = ((16n * top - k * bottom) << BigInt(precision)) / (16n * bottom + k * top);
    const rest = (t * arctangentSeries((t * t) >> BigInt(precision), precision)) >> BigInt(precision);
    angle = { integer: (arctangents[Number(k)] ?? 0n) + rest, power: -precision };
  }
  if (yIsSmaller && !xSign) return angle;
  const near = fixed(angle, precision);
  if (yIsSmaller) return { integer: pi - near, power: -precision };
  return { integer: xSign ? (pi >> 1n) + near : (pi >> 1n) - near, power: -precision };
}

function lessThan(left: Binary, right: Binary): boolean {
  const low = Math.min(left.power, right.power);
  return left.integer << BigInt(left.power - low) < right.integer << BigInt(right.power - low);
}

/** pi times numerator / 4, truncated to `precision` fraction bits. */
export function quartersOfPi(numerator: bigint, precision: number): Binary {
  return { integer: constants(precision).pi * numerator, power: -precision - 2 };
}
