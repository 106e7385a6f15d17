import type { Prng } from "../oracle/prng.ts";

// Pieces of random programs that use the x87: most are sequences that leave the stack as deep as it was, so that the common case is common.

/** Second bytes of instructions on registers: without the low three bits where those are i of ST(i). */
const REGISTER_FORMS: readonly (readonly [first: number, second: number])[] = [
  ...[0xc0, 0xc8, 0xe0, 0xe8, 0xf0, 0xf8].flatMap((second) => [[0xd8, second] as const, [0xdc, second] as const]),
  [0xd8, 0xd0], // fcom
  [0xdd, 0xe0], // fucom
  [0xdb, 0xe8], // fucomi
  [0xdb, 0xf0], // fcomi
  [0xd9, 0xc8], // fxch
  [0xdd, 0xd0], // fst
  ...[0xda, 0xdb].flatMap((first) => [0xc0, 0xc8, 0xd0, 0xd8].map((second) => [first, second] as const)), // fcmovcc
];
/** fchs, fabs, ftst, fxam, fsqrt, frndint, fnop, fnstsw ax, fnclex */
const PLAIN = [0xd9e0, 0xd9e1, 0xd9e4, 0xd9e5, 0xd9fa, 0xd9fc, 0xd9d0, 0xdfe0, 0xdbe2];
/** First bytes and extensions of memory operands: fld and fild; fstp, fistp and fisttp; what leaves the stack alone. */
const LOADS = [0xd900, 0xdd00, 0xdb05, 0xdf00, 0xdb00, 0xdf05, 0xdd00, 0xd900];
const STORES = [0xd903, 0xdd03, 0xdb07, 0xdf03, 0xdb03, 0xdf07, 0xdd03, 0xdb01, 0xdd01, 0xdf01];
const MEMORY_FORMS = [
  ...[0xd8, 0xda, 0xdc, 0xde].flatMap((first) => [0, 1, 2, 4, 5, 6, 7].map((extension) => (first << 8) | extension)),
  ...[0xd902, 0xdd02, 0xdf02, 0xdb02, 0xd907, 0xdd07],
];

/** [r13 + disp8], or r14 or r15. */
function memory(prng: Prng, form: number): number[] {
  const displacement = 4 * prng.below(24);
  return [0x41, form >> 8, 0x40 | ((form & 7) << 3) | (5 + prng.below(3)), displacement];
}

function operation(prng: Prng): number[] {
  const choice = prng.below(10);
  if (choice < 6) {
    const [first, second] = prng.pick(REGISTER_FORMS);
    return [first, second | (prng.chance(85) ? prng.below(2) : prng.below(8))];
  }
  if (choice < 8) return bytesOf(prng.pick(PLAIN));
  return memory(prng, prng.pick(MEMORY_FORMS));
}

function bytesOf(word: number): number[] {
  return [word >> 8, word & 0xff];
}

function push(prng: Prng): number[] {
  if (prng.chance(15)) return bytesOf(0xd9e8 + prng.below(7)); // fld1 and the other constants
  if (prng.chance(15)) return [0xd9, 0xc0 + prng.below(2)]; // fld st(i)
  return memory(prng, prng.pick(LOADS));
}

function pop(prng: Prng): number[] {
  const choice = prng.below(6);
  if (choice === 0) return [0xde, prng.pick([0xc1, 0xc9, 0xe1, 0xe9, 0xf1, 0xf9])]; // faddp and the like
  if (choice === 1) return [prng.pick([0xdd, 0xdf]), 0xd9]; // fstp st(1)
  if (choice === 2) return prng.pick([bytesOf(0xdfe9), bytesOf(0xdff1), bytesOf(0xd8d9), bytesOf(0xdde9)]); // fucomip, fcomip, fcomp, fucomp
  return memory(prng, prng.pick(STORES));
}

/** Empties the stack: eight times ffree, or fninit. */
function reset(prng: Prng): number[] {
  if (prng.chance(30)) return bytesOf(0xdbe3);
  return Array.from({ length: 8 }, (_, i) => [0xdd, 0xc0 + i]).flat();
}

/** @param control places in memory from which FCW can be loaded */
export function x87Piece(prng: Prng, control: readonly number[]): Uint8Array {
  if (prng.chance(5)) {
    const address = prng.pick(control);
    return Uint8Array.of(0xd9, 0x2c, 0x25, ...[0, 8, 16, 24].map((shift) => (address >> shift) & 0xff)); // fldcw
  }
  if (prng.chance(12)) return Uint8Array.from(reset(prng));
  if (prng.chance(4)) return Uint8Array.of(0xd9, prng.pick([0xf6, 0xf7])); // fdecstp, fincstp
  if (prng.chance(15)) return Uint8Array.from(operation(prng));
  const depth = 1 + prng.below(2);
  const parts = Array.from({ length: depth }, () => push(prng));
  const count = 1 + prng.below(5);
  for (let i = 0; i < count; i++) parts.push(operation(prng));
  for (let i = 0; i < depth; i++) parts.push(pop(prng));
  return Uint8Array.from(parts.flat());
}
