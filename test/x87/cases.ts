import { type Case, MEMORY_BYTES } from "./host.ts";
import type { Operation } from "./operations.ts";

/** Exponent and sign, significand: zeros, denormals, powers of two, the largest numbers, infinities, NaNs, unsupported encodings. */
// prettier-ignore
const EDGES: readonly (readonly [top: number, significand: bigint])[] = [
  [0x0000, 0n], [0x0000, 1n], [0x0000, 1n << 63n], [0x0000, 0xc000_0000_0000_0001n], [0x0001, 1n << 63n], [0x0001, 0xf234_5678_1234_5678n],
  [0x3fff, 1n << 63n], [0x3fff, (1n << 63n) + 1n], [0x3ffe, 1n << 63n], [0x3ffe, (1n << 64n) - 1n], [0x3ffd, 1n << 63n], [0x3fc0, 1n << 63n],
  [0x3fa0, 0xc000_0000_0000_0001n], [0x3800, 1n << 63n], [0x3bcd, 1n << 63n], [0x3c00, 1n << 63n], [0x3f80, 1n << 63n], [0x3f69, 1n << 63n],
  [0x4000, 1n << 63n], [0x4000, 3n << 62n], [0x4001, 1n << 63n], [0x4001, 7n << 61n], [0x400c, 1n << 63n], [0x400d, 1n << 63n], [0x400d, 0xffff_0000_0000_0000n],
  [0x400e, 0xffff_0000_0000_0000n], [0x4010, 1n << 63n], [0x401d, 0xffff_ffff_0000_0000n], [0x401e, 1n << 63n], [0x403a, 0xde0b_6b3a_763f_fff8n],
  [0x403a, 0xde0b_6b3a_763f_fffcn], [0x403d, 1n << 63n], [0x403e, 1n << 63n], [0x407e, (1n << 64n) - 1n], [0x43fe, (1n << 64n) - 1n],
  [0x5000, 1n << 63n], [0x6000, 0xb234_5678_1234_5678n], [0x2000, 0xb000_0000_0000_0000n], [0x7ffe, 1n << 63n], [0x7ffe, (1n << 64n) - 1n],
  [0x7fff, 1n << 63n], [0x7fff, 3n << 62n], [0x7fff, (3n << 62n) + 1n], [0x7fff, 7n << 61n], [0x7fff, (1n << 63n) + 1n], [0x7fff, 5n << 61n],
  [0x7fff, 0n], [0x3fff, 0x1234n], [0x7fff, 1n << 62n],
];

/** Memory operands as single and double precision numbers; integers come of their own. */
// prettier-ignore
const MEMORY_EDGES: readonly bigint[] = [
  0n, 1n, 1n << 31n, 1n << 63n, 0x3f80_0000n, 0x7f80_0000n, 0xff80_0000n, 0x7fc0_0000n, 0x7f80_0001n, 0x0080_0000n, 0x007f_ffffn, 0x7f7f_ffffn,
  0x3ff0_0000_0000_0000n, 0x7ff0_0000_0000_0000n, 0xfff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0x000f_ffff_ffff_ffffn, 0x0010_0000_0000_0000n,
  0x7fef_ffff_ffff_ffffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn,
];

/** Control words: all masked with each rounding, each precision, nothing masked. */
const CONTROLS: readonly number[] = [0x37f, 0x37f, 0x77f, 0xb7f, 0xf7f, 0x07f, 0x27f, 0x340];

/** splitmix64 */
export class Random {
  #state: bigint;
  constructor(seed: number) {
    this.#state = BigInt(seed);
  }
  bits(count: number): bigint {
    this.#state = BigInt.asUintN(64, this.#state + 0x9e37_79b9_7f4a_7c15n);
    let z = this.#state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return (z ^ (z >> 31n)) >> BigInt(64 - count);
  }
  below(limit: number): number {
    return Number(this.bits(32) % BigInt(limit));
  }
  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }
}

function register(random: Random): bigint {
  const sign = random.below(2) << 15;
  const kind = random.below(4);
  if (kind < 2) {
    const [top, significand] = random.pick(EDGES);
    return (BigInt(top | sign) << 64n) | significand;
  }
  const exponent = kind === 2 ? 16383 - 80 + random.below(160) : random.below(0x8000);
  return (BigInt(exponent | sign) << 64n) | random.bits(64) | (1n << 63n);
}

function memory(random: Random, operation: Operation): Uint8Array {
  const bytes = new Uint8Array(MEMORY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < MEMORY_BYTES; at += 8) view.setBigUint64(at, random.bits(64), true);
  const decimal = (): number => random.below(10) | (random.below(10) << 4);
  if (operation === "fbld m80") {
    for (let i = 0; i < 9; i++) bytes[i] = decimal();
    bytes[9] = random.below(2) << 7;
  } else if (operation === "fldcw") {
    view.setUint16(0, random.pick(CONTROLS), true);
  } else if (operation === "fld m80") {
    const value = register(random);
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    view.setUint16(8, Number(value >> 64n), true);
  } else if (random.below(2)) {
    view.setBigUint64(0, random.pick(MEMORY_EDGES), true);
  }
  return bytes;
}

/** A random state for an operation. No unmasked exception is pending before it. */
export function makeCase(random: Random, operation: Operation): Case {
  const control = random.below(3) ? random.pick(CONTROLS) : 0x340 | Number(random.bits(6)) | (random.below(4) << 10);
  const sticky = random.below(2) ? Number(random.bits(7)) & (control | 0x40) & 0x7f : 0;
  const top = random.below(8);
  // All full, room for one push, or anything at all.
  const tags = random.pick([0, 3 << (((top + 7) & 7) * 2), Number(random.bits(16)), 0xffff]);
  return {
    operation,
    control,
    status: (top << 11) | (Number(random.bits(16)) & 0x4700) | sticky,
    tags,
    stack: Array.from({ length: 8 }, () => register(random)),
    memory: memory(random, operation),
  };
}
