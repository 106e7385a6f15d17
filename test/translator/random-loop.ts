import type { Prng } from "../oracle/prng.ts";
import { CODE, DATA, DATA_BYTES, type Program } from "./random-program.ts";

const HALT = 0xf4;
const [RAX, RBX, RSI, RDI] = [0, 3, 6, 7] as const;
const BASES = [RBX, RSI, RDI] as const;
const NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] as const;
const INDEX = RAX;

const SSE = { mov: 0x10, store: 0x11, sqrt: 0x51, add: 0x58, mul: 0x59, sub: 0x5c, div: 0x5e } as const;
const WHOLE_MOVE = 0x28;
const UNPACK = [0x14, 0x15] as const;
const SHUFFLE = 0xc6;
const EXTREMES = [0x5d, 0x5f] as const;
const COMPARE = 0xc2;
/** between singles and doubles */
const CONVERT = 0x5a;
const BITWISE = [0x54, 0x55, 0x56, 0x57] as const;

interface Place {
  readonly base: number;
  readonly displacement: number;
  readonly isIndexed: boolean;
}

const bytes32 = (value: number): number[] => [
  value & 255,
  (value >> 8) & 255,
  (value >> 16) & 255,
  (value >> 24) & 255,
];

/** Prefix, opcode and ModRM of an instruction on an XMM register and memory or another. */
function sse(
  prefix: number | undefined,
  opcode: number,
  register: number,
  operand: number | Place,
  scale: number,
): number[] {
  const head = prefix === undefined ? [0x0f, opcode] : [prefix, 0x0f, opcode];
  if (typeof operand === "number") return [...head, 0xc0 | (register << 3) | operand];
  const { base, displacement, isIndexed } = operand;
  const index = isIndexed ? INDEX : 4;
  return [...head, 0x84 | (register << 3), (scale << 6) | (index << 3) | base, ...bytes32(displacement)];
}

/** A whole number of steps, or nearly. */
interface Counter {
  readonly code: readonly number[];
  readonly registers: Readonly<Record<string, bigint>>;
}

/** How the loop ends: the code of the comparison and the opcode of the branch, and what the registers begin with. */
function counter(prng: Prng, rounds: number, indexStep: number): Counter {
  const kind = prng.below(6);
  const limit = BigInt(rounds * indexStep + (prng.chance(10) ? 1 : 0));
  const wide = prng.chance(60) ? [0x48] : [];
  const unsigned = (value: bigint): bigint => BigInt.asUintN(wide.length > 0 ? 64 : 32, value);
  switch (kind) {
    case 0: // sub edx, 1; jne
      return { code: [...wide, 0x83, 0xea, 1, 0x0f, 0x85], registers: { rdx: BigInt(rounds) } };
    case 1: // dec edx; jne
      return { code: [...wide, 0xff, 0xca, 0x0f, 0x85], registers: { rdx: BigInt(rounds) } };
    case 2: // mov edx, eax; cmp edx, ecx; jne
      return { code: [...wide, 0x89, 0xc2, ...wide, 0x39, 0xca, 0x0f, 0x85], registers: { rcx: unsigned(limit) } };
    case 3: // cmp ecx, eax; jge, jg, jae, ja
      return {
        code: [...wide, 0x39, 0xc1, 0x0f, prng.pick(indexStep > 0 ? [0x8d, 0x8f, 0x83, 0x87] : [0x8e, 0x8c])],
        registers: { rcx: unsigned(limit) },
      };
    case 4: // cmp eax, ecx; jle, jl, jbe, jb
      return {
        code: [...wide, 0x39, 0xc8, 0x0f, prng.pick(indexStep > 0 ? [0x8e, 0x8c, 0x86, 0x82] : [0x8d, 0x8f])],
        registers: { rcx: unsigned(limit) },
      };
    default: // cmp eax, ecx; jne
      return { code: [...wide, 0x39, 0xc8, 0x0f, 0x85], registers: { rcx: unsigned(BigInt(rounds * indexStep)) } };
  }
}

/**
 * A loop of one block on scalars in arrays, such as compilers make of loops over vectors: loads, operations, stores, sums, and a
 * counter at the end. Arrays may overlap; the numbers are ordinary but for `extraordinary` in a thousand.
 */
export function randomLoop(prng: Prng, extraordinary: number): Program {
  const isDouble = prng.chance(70);
  const prefix = isDouble ? 0xf2 : 0xf3;
  const size = isDouble ? 8 : 4;
  const scale = isDouble ? 3 : 2;
  const indexStep = prng.chance(85) ? 1 : prng.pick([2, 3, -1]);
  const strided = BASES.filter(() => prng.chance(20));
  const rounds = 1 + prng.below(40);
  const place = (): Place => ({
    base: prng.pick(BASES),
    displacement: size * prng.between(-1, 1),
    isIndexed: prng.chance(90),
  });
  const body: number[] = [];
  const code = (...parts: readonly number[]): void => void body.push(...parts);
  const sums = [5, 6].filter(() => prng.chance(30));
  for (let count = 1 + prng.below(3); count > 0; count--) {
    const register = prng.below(3);
    code(...sse(prefix, SSE.mov, register, place(), scale));
    for (let length = prng.below(4); length > 0; length--) {
      const target = prng.chance(80) ? register : prng.below(3);
      const source = prng.chance(40) ? place() : prng.chance(50) ? prng.below(3) : prng.between(3, 4);
      const kind = prng.below(100);
      if (kind < 10) code(...sse(isDouble ? 0x66 : undefined, prng.pick(BITWISE), target, prng.between(3, 4), scale));
      else if (kind < 20) code(...sse(isDouble ? 0x66 : undefined, WHOLE_MOVE, target, prng.below(5), scale));
      else if (kind < 25) code(...sse(prefix, SSE.sqrt, target, source, scale));
      else
        code(...sse(prefix, prng.pick([SSE.add, SSE.mul, SSE.sub, SSE.add, SSE.mul, SSE.div]), target, source, scale));
    }
    for (const sum of sums)
      if (prng.chance(60)) code(...sse(prefix, prng.pick([SSE.add, SSE.sub, SSE.mul]), sum, register, scale));
    if (prng.chance(70)) code(...sse(prefix, SSE.store, register, place(), scale));
    if (prng.chance(8)) code(...sse(prefix, SSE.store, prng.pick([3, 5]), place(), scale));
  }
  return closed(prng, body, { isDouble, stride: size, strided, indexStep, rounds, extraordinary });
}

/** The same on packed numbers: with permutations, merges of low numbers, and vectors that are handed on. */
export function randomPackedLoop(prng: Prng, extraordinary: number): Program {
  const isDouble = prng.chance(60);
  const size = isDouble ? 8 : 4;
  const scale = isDouble ? 3 : 2;
  const packed = isDouble ? 0x66 : undefined;
  const indexStep = prng.chance(85) ? 16 / size : prng.pick([1, 8, -(16 / size)]);
  const strided = BASES.filter(() => prng.chance(20));
  const place = (): Place => ({
    base: prng.pick(BASES),
    displacement: prng.chance(80) ? 16 * prng.between(-1, 1) : size * prng.between(-3, 3),
    isIndexed: prng.chance(90),
  });
  const body: number[] = [];
  const code = (...parts: readonly number[]): void => void body.push(...parts);
  for (let count = 1 + prng.below(3); count > 0; count--) {
    const register = prng.below(3);
    code(...sse(packed, SSE.mov, register, place(), scale));
    for (let length = prng.below(5); length > 0; length--) {
      const target = prng.chance(80) ? register : prng.below(7);
      const source = prng.below(7);
      const kind = prng.below(100);
      if (kind < 8) code(...sse(packed, prng.pick(BITWISE), target, source, scale));
      else if (kind < 18) code(...sse(packed, WHOLE_MOVE, target, source, scale));
      else if (kind < 30) code(...sse(packed, prng.pick(UNPACK), target, source, scale));
      else if (kind < 36) code(...sse(packed, SHUFFLE, target, source, scale), prng.below(256));
      else if (kind < 42)
        code(...sse(isDouble ? 0xf2 : 0xf3, prng.pick([SSE.mov, SSE.add, SSE.mul]), target, source, scale));
      else if (kind < 46) code(...sse(isDouble ? 0xf2 : 0xf3, prng.pick([SSE.mov, SSE.sub]), target, place(), scale));
      else if (kind < 49) code(...sse(packed, SSE.sqrt, target, source, scale));
      else if (kind < 54) code(...sse(packed, prng.pick(EXTREMES), target, source, scale));
      else if (kind < 57) code(...sse(packed, COMPARE, target, source, scale), prng.below(8));
      else if (kind < 60) code(...sse(packed, CONVERT, target, source, scale));
      else
        code(...sse(packed, prng.pick([SSE.add, SSE.mul, SSE.sub, SSE.add, SSE.mul, SSE.div]), target, source, scale));
    }
    if (prng.chance(40))
      code(...sse(packed, prng.pick([SSE.add, SSE.sub, SSE.mul]), prng.between(5, 6), register, scale));
    if (prng.chance(70))
      code(...sse(prng.chance(85) ? packed : isDouble ? 0xf2 : 0xf3, SSE.store, register, place(), scale));
  }
  const rounds = 1 + prng.below(40);
  return closed(prng, body, { isDouble, stride: 16, strided, indexStep, rounds, extraordinary });
}

interface Closing {
  readonly isDouble: boolean;
  /** what is added to each of `strided` in a round */
  readonly stride: number;
  readonly strided: readonly number[];
  readonly indexStep: number;
  readonly rounds: number;
  readonly extraordinary: number;
}

/** Makes a loop of a body. */
function closed(prng: Prng, body: number[], closing: Closing): Program {
  const { isDouble, stride, strided, indexStep, rounds, extraordinary } = closing;
  const size = isDouble ? 8 : 4;
  for (const base of strided) body.push(0x48, 0x83, 0xc0 | base, stride);
  body.push(0x48, 0x83, 0xc0 | INDEX, indexStep & 255);
  const { code: end, registers } = counter(prng, rounds, indexStep);
  body.push(...end);
  const back = -(body.length + 4);
  const address = (): bigint =>
    BigInt(DATA + 0x800 + (prng.chance(30) ? size * prng.below(12) : 16 * prng.below(0x100) + prng.below(3)));
  const state: Record<string, bigint | Uint8Array> = {
    rip: BigInt(CODE),
    rflags: 2n,
    mxcsr: 0x1fa0n,
    rax: 0n,
    rdx: 0n,
    rcx: 0n,
  };
  for (const base of BASES) state[NAMES[base]] = address();
  for (let register = 0; register < 8; register++) state[`xmm${register}`] = numbers(prng, 16, isDouble, extraordinary);
  Object.assign(state, registers);
  return {
    code: Uint8Array.from([...body, ...bytes32(back), HALT]),
    data: numbers(prng, DATA_BYTES, isDouble, extraordinary),
    state: state as Program["state"],
  };
}

const EXTRAORDINARY_DOUBLES: readonly number[] = [
  0,
  -0,
  5e-324,
  -1e-310,
  2.2250738585072014e-308,
  1e-200,
  1e200,
  // where numbers cease to be moderate
  2 ** 256,
  -(2 ** 256) * (1 - 2 ** -53),
  2 ** -256,
  2 ** -257,
  1e308,
  -1.7e308,
  Infinity,
  -Infinity,
  NaN,
];
const EXTRAORDINARY_SINGLES: readonly number[] = [
  0,
  -0,
  1e-45,
  -1e-40,
  1.1754943508222875e-38,
  1e-25,
  1e25,
  2 ** 30,
  -(2 ** 30) * (1 - 2 ** -24),
  2 ** -30,
  2 ** -31,
  3e38,
  -3.4e38,
  Infinity,
  -Infinity,
  NaN,
];

function numbers(prng: Prng, length: number, isDouble: boolean, extraordinary: number): Uint8Array {
  const values = Array.from({ length: length / (isDouble ? 8 : 4) }, () =>
    prng.below(1000) < extraordinary
      ? prng.pick(isDouble ? EXTRAORDINARY_DOUBLES : EXTRAORDINARY_SINGLES)
      : (prng.chance(50) ? 1 : -1) * (0.5 + prng.below(1000) / 500),
  );
  return new Uint8Array((isDouble ? Float64Array.from(values) : Float32Array.from(values)).buffer);
}
