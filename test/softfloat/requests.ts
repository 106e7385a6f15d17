import { REQUEST_BYTES } from "./machine.ts";

/** A small deterministic generator: splitmix64. */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed);
  }

  word(): bigint {
    this.#state = BigInt.asUintN(64, this.#state + 0x9e37_79b9_7f4a_7c15n);
    let z = this.#state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  }

  below(limit: number): number {
    return Number(this.word() % BigInt(limit));
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

/** A fraction of `bits` bits: empty, full, a single bit, few bits, halves, or anything. */
function fraction(random: Random, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const bit = (): bigint => 1n << BigInt(random.below(bits));
  switch (random.below(9)) {
    case 0:
      return 0n;
    case 1:
      return all;
    case 2:
      return bit();
    case 3:
      return all ^ bit();
    case 4:
      return bit() | bit() | bit();
    case 5:
      return (random.word() & all) >> BigInt(random.below(bits));
    case 6:
      return all ^ ((1n << BigInt(random.below(bits))) - 1n);
    default:
      return random.word() & all;
  }
}

/** A biased exponent: extremes, the middle, near another one (so that sums cancel), integers' range, or anything. */
function exponent(random: Random, bits: number, near: number): number {
  const maximum = 2 ** bits - 1;
  const bias = maximum >> 1;
  const wanted = [
    0,
    0,
    1,
    2,
    maximum - 1,
    maximum,
    bias + random.below(5) - 2,
    bias + random.below(66),
    near + random.below(5) - 2,
    near + random.below(131) - 65,
    (bias >> 1) + random.below(3),
    bias + (bias >> 1) + random.below(3),
    // the sum of the exponents of a product or quotient near the limits
    2 * bias - near + random.below(5) - 2,
    bias - near + random.below(60) - 55,
    near - bias + random.below(60) - 55,
    random.below(maximum + 1),
  ];
  return Math.min(maximum, Math.max(0, random.oneOf(wanted)));
}

const SHAPE = { f32: [8, 23], f64: [11, 52], f80: [15, 63] } as const;

interface Operand {
  readonly low: bigint;
  readonly high: bigint;
  readonly exponent: number;
}

export function floatOperand(random: Random, format: "f32" | "f64" | "f80", near: number): Operand {
  const [exponentBits, fractionBits] = SHAPE[format];
  const field = exponent(random, exponentBits, near);
  const sign = BigInt(random.below(2));
  const stored = fraction(random, fractionBits);
  if (format === "f80") {
    // One in twenty has the wrong integer bit: unnormals, pseudo-denormals, pseudo-infinities.
    const integer = (field === 0) === (random.below(20) === 0) ? 1n : 0n;
    return { low: (integer << 63n) | stored, high: (sign << 15n) | BigInt(field), exponent: field };
  }
  const bits = (sign << BigInt(exponentBits + fractionBits)) | (BigInt(field) << BigInt(fractionBits)) | stored;
  // What is above a scalar does not matter to it.
  return {
    low: format === "f32" ? bits | ((random.word() << 32n) & 0xffff_ffff_0000_0000n) : bits,
    high: 0n,
    exponent: field,
  };
}

function integerOperand(random: Random): bigint {
  const bits = random.below(64);
  const magnitude = (1n << BigInt(bits)) + BigInt(random.below(5) - 2);
  const value = random.oneOf([
    BigInt(random.below(5) - 2),
    magnitude,
    -magnitude,
    random.word() >> BigInt(bits),
    random.word(),
  ]);
  return BigInt.asUintN(64, value);
}

/** MXCSR: half of them with everything masked, DAZ and FTZ in a quarter each. */
function mxcsr(random: Random): number {
  const masks = random.below(2) === 0 ? 0x1f80 : random.below(64) << 7;
  const zeroing = random.oneOf([0, 0, 0x40, 0x8000, 0x8040]);
  return masks | zeroing | (random.below(4) << 13);
}

/** FCW: the defined precisions. */
function fcw(random: Random): number {
  const masks = random.below(2) === 0 ? 0x3f : random.below(64);
  return 0x40 | masks | (random.oneOf([0, 2, 3, 3]) << 8) | (random.below(4) << 10);
}

/** `count` random requests for an operation by its helper's name. */
export function makeRequests(name: string, count: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const view = new DataView(new ArrayBuffer(count * REQUEST_BYTES));
  const format = name.startsWith("f32") ? "f32" : name.startsWith("f64") ? "f64" : "f80";
  const firstFormat = /_from_(f32|f64)$/.exec(name)?.[1] ?? format;
  const secondFormat = /_m(32|64)$/.exec(name)?.[1];
  const extras = name.endsWith("_predicate") ? 8 : name.endsWith("_round") ? 16 : 2;
  for (let at = 0; at < view.byteLength; at += REQUEST_BYTES) {
    view.setUint32(at, format === "f80" ? fcw(random) : mxcsr(random), true);
    view.setUint32(at + 4, random.below(extras), true);
    if (/_from_i/.test(name)) {
      view.setBigUint64(at + 8, integerOperand(random), true);
      continue;
    }
    const bias = 2 ** (SHAPE[format][0] - 1) - 1;
    const left = floatOperand(random, firstFormat as "f32" | "f64" | "f80", bias);
    // Also numbers around those where narrower formats end.
    const edge = random.oneOf([127, 1023, -126, -150, -1022, -1075, 15, 31, 63]) + bias + random.below(5) - 2;
    const moved = format === "f80" && firstFormat === "f80" && random.below(3) === 0;
    const exponentField = moved ? edge : left.exponent;
    view.setBigUint64(at + 8, moved ? left.low | (1n << 63n) : left.low, true);
    view.setBigUint64(at + 16, moved ? (left.high & 0x8000n) | BigInt(edge) : left.high, true);
    const right = floatOperand(random, secondFormat ? (`f${secondFormat}` as "f32" | "f64") : format, exponentField);
    const same = random.below(12) === 0 && !secondFormat;
    view.setBigUint64(at + 24, same ? view.getBigUint64(at + 8, true) : right.low, true);
    view.setBigUint64(
      at + 32,
      same ? view.getBigUint64(at + 16, true) ^ BigInt(random.below(2) << 15) : right.high,
      true,
    );
  }
  return new Uint8Array(view.buffer);
}
