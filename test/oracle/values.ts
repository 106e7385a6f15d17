import type { Prng } from "./prng.ts";

/**
 * Operand values: half of them from the edges, where results, flags and exceptions change, the other half random.
 */

/** How the bytes of an operand are meant: what makes an edge. */
export type ValueKind = "int8" | "int16" | "int32" | "int64" | "f32" | "f64" | "f80" | "text" | "bcd";

/** An integer of `bits` bits: 0, 1, -1, extremes, powers of two and their neighbours, small ones, or random. */
export function integer(prng: Prng, bits: number): bigint {
  return BigInt.asUintN(bits, edgeInteger(prng, bits));
}

function edgeInteger(prng: Prng, bits: number): bigint {
  switch (prng.below(10)) {
    case 0:
      return prng.pick([0n, 0n, 1n, -1n, 2n]);
    case 1: {
      const top = 1n << BigInt(bits - 1);
      return prng.pick([top, top - 1n, top + 1n]);
    }
    case 2:
    case 3:
      return (1n << BigInt(prng.below(bits))) + prng.pick([0n, 1n, -1n]);
    case 4:
      return BigInt(prng.between(-20, 20));
    case 5:
      return prng.u64() >> BigInt(prng.below(64));
    default:
      return prng.u64();
  }
}

/** Shape of a binary floating-point format: bits of exponent and of fraction (without the integer bit). */
interface FloatShape {
  readonly exponent: number;
  readonly fraction: number;
}
const F32: FloatShape = { exponent: 8, fraction: 23 };
const F64: FloatShape = { exponent: 11, fraction: 52 };
const F80: FloatShape = { exponent: 15, fraction: 63 };

function fractionBits(prng: Prng, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const quiet = 1n << BigInt(bits - 1);
  switch (prng.below(6)) {
    case 0:
      return prng.pick([0n, 1n, all, quiet, quiet + 1n, quiet - 1n, all - 1n]);
    case 1:
      return 1n << BigInt(prng.below(bits));
    case 2:
      // few significant bits: sums and products are exact or halfway
      return (BigInt(prng.u32()) & 0xfffn) << BigInt(Math.max(0, bits - 12));
    default:
      return prng.u64() & all;
  }
}

function exponentBits(prng: Prng, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const bias = all >> 1n;
  switch (prng.below(8)) {
    case 0:
      return 0n; // zeros and denormals
    case 1:
      return all; // infinities and NaNs
    case 2:
      return prng.pick([1n, 2n, all - 1n, all - 2n]);
    case 3:
    case 4:
      return bias + BigInt(prng.between(-4, 4));
    case 5:
    case 6:
      return bias + BigInt(prng.between(-70, 70)); // where conversions to integers round, overflow and fail
    default:
      return prng.u64() & all;
  }
}

/** Bits of a float: zeros, infinities, quiet and signalling NaNs with payloads, denormals, integers, halves, extremes. */
function float(prng: Prng, { exponent, fraction }: FloatShape): bigint {
  const sign = BigInt(prng.below(2)) << BigInt(exponent + fraction);
  const special = prng.below(12);
  if (special === 0) return sign; // zero
  if (special === 1) return sign | (((1n << BigInt(exponent)) - 1n) << BigInt(fraction)); // infinity
  const magnitude = (exponentBits(prng, exponent) << BigInt(fraction)) | fractionBits(prng, fraction);
  return sign | magnitude;
}

export const f32 = (prng: Prng): bigint => float(prng, F32);
export const f64 = (prng: Prng): bigint => float(prng, F64);

/**
 * An 80-bit extended value: significand (64 bits) and sign with exponent. The integer bit is sometimes wrong for the exponent:
 * pseudo-denormals, unnormals, pseudo-infinities and pseudo-NaNs; SDM Vol. 1, 8.2.2.
 */
export function f80(prng: Prng): { readonly significand: bigint; readonly signExponent: number } {
  if (prng.chance(10)) {
    const value = BigInt.asIntN(32, prng.u64()) >> BigInt(prng.below(32));
    return fromInteger(value);
  }
  if (prng.chance(10)) return widened(prng.chance(50) ? f64(prng) : f32(prng) << 29n);
  const exponent = Number(exponentBits(prng, F80.exponent));
  let fraction = fractionBits(prng, F80.fraction);
  const kind = prng.below(12);
  if (kind === 0) return { significand: 0n, signExponent: prng.below(2) << 15 };
  if (kind === 1) return { significand: 1n << 63n, signExponent: (prng.below(2) << 15) | 0x7fff };
  if (prng.chance(20)) fraction = prng.u64() & ~0x7ffn & ((1n << 63n) - 1n); // a double's precision: rounding is exact
  const wrong = prng.chance(5);
  const integerBit = (exponent === 0) === wrong ? 1n : 0n;
  return { significand: (integerBit << 63n) | fraction, signExponent: (prng.below(2) << 15) | exponent };
}

function fromInteger(value: bigint): { significand: bigint; signExponent: number } {
  if (value === 0n) return { significand: 0n, signExponent: 0 };
  let magnitude = value < 0n ? -value : value;
  let exponent = 0x3fff + 63;
  while (magnitude < 1n << 63n) {
    magnitude <<= 1n;
    exponent--;
  }
  return { significand: magnitude, signExponent: (value < 0n ? 0x8000 : 0) | exponent };
}

/** A finite or special double as an extended value; denormals keep their wrong exponent, which makes an unusual value, not a wrong one. */
function widened(bits: bigint): { significand: bigint; signExponent: number } {
  const sign = Number((bits >> 63n) & 1n) << 15;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = (bits & ((1n << 52n) - 1n)) << 11n;
  if (exponent === 0) return { significand: 0n, signExponent: sign };
  return {
    significand: (1n << 63n) | fraction,
    signExponent: sign | (exponent === 0x7ff ? 0x7fff : exponent - 1023 + 0x3fff),
  };
}

/** Fills `bytes` with elements of one kind. */
export function fill(prng: Prng, bytes: Uint8Array, kind: ValueKind): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = STEP[kind];
  const letters = prng.between(1, 6);
  for (let at = 0; at < bytes.length; at += step) {
    // An element that does not fit at the end: single bytes.
    const fits = at + step <= bytes.length;
    if (!fits) {
      for (let i = at; i < bytes.length; i++) bytes[i] = prng.u32();
      return;
    }
    switch (kind) {
      case "int8":
        bytes[at] = Number(integer(prng, 8));
        break;
      case "int16":
        view.setUint16(at, Number(integer(prng, 16)), true);
        break;
      case "int32":
        view.setUint32(at, Number(integer(prng, 32)), true);
        break;
      case "int64":
        view.setBigUint64(at, integer(prng, 64), true);
        break;
      case "f32":
        view.setUint32(at, Number(f32(prng)), true);
        break;
      case "f64":
        view.setBigUint64(at, f64(prng), true);
        break;
      case "f80": {
        const { significand, signExponent } = f80(prng);
        view.setBigUint64(at, significand, true);
        view.setUint16(at + 8, signExponent, true);
        break;
      }
      case "text":
        // few letters and an occasional end, so that string comparisons find something
        bytes[at] = prng.chance(8) ? 0 : 0x60 + prng.below(letters);
        break;
      case "bcd":
        bytes[at] = prng.below(10) | (prng.below(10) << 4);
        break;
    }
  }
}

const STEP: Readonly<Record<ValueKind, number>> = {
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  f32: 4,
  f64: 8,
  f80: 10,
  text: 1,
  bcd: 1,
};
