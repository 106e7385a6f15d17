import { definitions } from "../../jit/semantics/registry.ts";
import type { BareState } from "../../src/bare-state.ts";
import type { Prng } from "../oracle/prng.ts";
import { COMMON, DATA, MOVES, randomInstruction, randomState, SCALAR, STRAIGHT } from "./random-program.ts";
import { x87Piece } from "./x87-pieces.ts";

// Programs that lie in two pages and whose memory accesses fault now and then: a read-only page and an absent one stand among
// the pages of data, and R12 to R15, the bases of most accesses, lead anywhere.

/** Linear and guest-physical, but for ABSENT, which is not mapped. */
export const FIRST_CODE = 0x1_0000;
export const SECOND_CODE = 0x1_1000;
export const PAGES = {
  writable: [DATA, DATA + 0x1000, DATA + 0x2000, DATA + 0x5000],
  readOnly: DATA + 0x3000,
  absent: DATA + 0x4000,
} as const;
export const DATA_END: number = DATA + 0x6000;
/** what LDMXCSR loads, behind what other instructions write mostly */
const MXCSR_TABLE = DATA + 0x5f00;
/** what FLDCW loads */
const FCW_TABLE = DATA + 0x5f40;
/** where indirect jumps and calls through memory find their targets */
const TARGET_TABLE = DATA + 0x5f80;
const TARGETS = 8;

/** Rounding to each side, denormals as zero, flushing to zero, sticky flags clear and set, one with exceptions unmasked. */
const MXCSR_VALUES = [0x1fa0, 0x1f80, 0x3fa0, 0x5f80, 0x7fa0, 0x9fe0, 0x1fc0, 0x9fbf, 0x1f3f, 0x1d80];

/** The common case; another rounding, another precision; an exception that is not masked. */
const FCW_VALUES = [0x37f, 0x37f, 0x37f, 0x37f, 0xf7f, 0x77f, 0x27f, 0x37b];
const FCW_PLACES = FCW_VALUES.map((_, index) => FCW_TABLE + 2 * index);

const SSE = STRAIGHT.filter(({ mnemonic }) => definitions[mnemonic]?.unit === "sse");
const FLOAT = SSE.filter(({ mnemonic }) => /(ss|sd|ps|pd)$|^cvt/.test(mnemonic));
const MEMORY = COMMON.filter(({ modrm }) => modrm === "any" || modrm === "memory");

export interface FaultingProgram {
  readonly code: ReadonlyMap<number, Uint8Array>;
  readonly data: Uint8Array;
  readonly state: Partial<BareState>;
  /** addresses of its instructions: where it can be resumed after an exception */
  readonly starts: readonly number[];
}

type Kind = "integer" | "float" | "x87" | "string" | "calls";
const KINDS: readonly Kind[] = ["integer", "float", "x87", "string", "calls"];

/** Bytes, or a direct branch to another piece. */
type Piece = Uint8Array | { readonly opcode: readonly number[]; readonly to: number };

/** A program of about `length` pieces. Every kind has loops and faulting accesses; strings, calls or floats are added to them. */
export function faultingProgram(prng: Prng, length: number): FaultingProgram {
  const kind = prng.pick(KINDS);
  const pieces = Array.from({ length }, () => randomPiece(prng, kind, length));
  // A jump back to somewhere from each page's end: the program goes on until its budget is spent.
  const inFirst = Math.ceil(length / 2);
  pieces.splice(inFirst, 0, { opcode: [0xe9], to: prng.below(length) });
  pieces.push({ opcode: [0xe9], to: prng.below(length) });
  return place(prng, pieces, inFirst + 1);
}

function randomPiece(prng: Prng, kind: Kind, length: number): Piece {
  // Jcc rel32 to any piece, so that there are loops, loops in loops, and jumps into loops.
  if (prng.chance(12)) return { opcode: [0x0f, 0x80 + prng.below(16)], to: prng.below(length) };
  if (prng.chance(5)) return dword([0x8d, 0x89], -1 - prng.below(3)); // lea ecx, [rcx - n]
  if (kind === "calls" && prng.chance(30)) return callPiece(prng, length);
  if (kind === "string" && prng.chance(30)) return stringPiece(prng);
  if (kind === "x87" && prng.chance(75)) return x87Piece(prng, FCW_PLACES);
  if (kind === "float") {
    if (prng.chance(6)) return dword([0x0f, 0xae, 0x14, 0x25], MXCSR_TABLE + 4 * prng.below(MXCSR_VALUES.length));
    if (prng.chance(70)) return randomInstruction(prng, prng.pick(prng.pick([FLOAT, FLOAT, SSE, MOVES])));
  }
  if (prng.chance(8)) return basePiece(prng);
  return randomInstruction(prng, prng.pick(prng.pick([MEMORY, COMMON, SCALAR, STRAIGHT])));
}

function callPiece(prng: Prng, length: number): Piece {
  const table = TARGET_TABLE + 8 * prng.below(TARGETS);
  switch (prng.below(8)) {
    case 0:
      return { opcode: [0xe8], to: prng.below(length) };
    case 1:
      return Uint8Array.of(0xc3);
    case 2:
      return dword([0xff, 0x24, 0x25], table); // jmp [table]
    case 3:
      return dword([0xff, 0x14, 0x25], table); // call [table]
    case 4:
      return Uint8Array.of(...dword([0x48, 0x8b, 0x04, 0x25], table), 0xff, prng.pick([0xe0, 0xd0])); // mov rax, [table]; jmp or call rax
    case 5:
      return Uint8Array.of(...dword([0xff, 0x34, 0x25], table), 0xc3); // push [table]; ret
    default: {
      // lea ecx, [rcx - 1]; mov eax, ecx; and eax, TARGETS - 1; jmp or call [table + rax * 8]
      const branch = dword([0xff, prng.pick([0x24, 0x14]), 0xc5], TARGET_TABLE);
      return Uint8Array.of(0x8d, 0x49, 0xff, 0x89, 0xc8, 0x83, 0xe0, TARGETS - 1, ...branch);
    }
  }
}

function stringPiece(prng: Prng): Uint8Array {
  const operation = prng.pick([0xa4, 0xa6, 0xaa, 0xac, 0xae]) + prng.below(2);
  const setUp = [
    ...dword([0xbe], randomPlace(prng)), // mov esi
    ...dword([0xbf], randomPlace(prng)), // mov edi
    ...dword([0xb9], prng.chance(90) ? prng.below(40) : 3000), // mov ecx
  ];
  const prefixes = [prng.pick([0xf3, 0xf3, 0xf2]), ...(prng.chance(40) ? [0x48] : [])];
  return Uint8Array.of(...setUp, prng.chance(80) ? 0xfc : 0xfd, ...prefixes, operation);
}

/** Points one of R12 to R15 elsewhere. */
function basePiece(prng: Prng): Uint8Array {
  return dword([0x41, 0xbc + prng.below(4)], randomPlace(prng));
}

/** Mostly in the data; else where accesses fault, or begin to fault. */
function randomPlace(prng: Prng): number {
  const choice = prng.below(12);
  if (choice === 0) return PAGES.readOnly + prng.below(0xf00);
  if (choice === 1) return PAGES.absent + prng.below(0xf00);
  if (choice === 2) return PAGES.readOnly - prng.below(24);
  if (choice === 3) return PAGES.absent - prng.below(24);
  return prng.pick(PAGES.writable) + 16 * prng.below(0x80);
}

function dword(opcode: readonly number[], value: number): Uint8Array {
  return Uint8Array.of(...opcode, ...[0, 8, 16, 24].map((shift) => (value >> shift) & 0xff));
}

function place(prng: Prng, pieces: readonly Piece[], inFirst: number): FaultingProgram {
  const lengthOf = (piece: Piece): number => (piece instanceof Uint8Array ? piece.length : piece.opcode.length + 4);
  const starts: number[] = [];
  let at = FIRST_CODE + prng.below(64);
  for (const [index, piece] of pieces.entries()) {
    if (index === inFirst) at = SECOND_CODE + prng.below(64);
    starts.push(at);
    at += lengthOf(piece);
  }
  const code = new Map([FIRST_CODE, SECOND_CODE].map((page) => [page, new Uint8Array(0x1000).fill(0xf4)]));
  for (const [index, piece] of pieces.entries()) {
    const start = starts[index] ?? 0;
    const target = piece instanceof Uint8Array ? 0 : (starts[piece.to] ?? 0);
    const bytes = piece instanceof Uint8Array ? piece : dword(piece.opcode, target - (start + lengthOf(piece)));
    code.get(start & ~0xfff)?.set(bytes, start & 0xfff);
  }
  return { code, data: randomData(prng, starts), state: startState(prng, starts), starts };
}

function randomData(prng: Prng, starts: readonly number[]): Uint8Array {
  const data = new Uint8Array(DATA_END - DATA);
  const view = new DataView(data.buffer);
  for (let i = 0; i < data.length; i += 4) view.setUint32(i, prng.u32(), true);
  // Doubles and floats that are special more often than random bits are.
  const special = [
    0n,
    1n << 63n,
    1n,
    0x000f_ffff_ffff_ffffn,
    0x7ff0n << 48n,
    0xfff8n << 48n,
    0x7ff4n << 48n,
    0x3ff0n << 48n,
  ];
  for (let i = 0; i < 0x800; i += 8) if (prng.chance(40)) view.setBigUint64(i, prng.pick(special), true);
  for (let i = 0; i < 0x800; i += 4)
    if (prng.chance(15))
      view.setUint32(i, prng.pick([0, 0x8000_0000, 1, 0x7f80_0000, 0xffc0_0000, 0x7fa0_0000, 0x3f80_0000]), true);
  MXCSR_VALUES.forEach((value, index) => view.setUint32(MXCSR_TABLE - DATA + 4 * index, value, true));
  FCW_VALUES.forEach((value, index) => view.setUint16(FCW_TABLE - DATA + 2 * index, value, true));
  for (let i = 0; i < TARGETS; i++) view.setBigUint64(TARGET_TABLE - DATA + 8 * i, BigInt(prng.pick(starts)), true);
  return data;
}

function startState(prng: Prng, starts: readonly number[]): Partial<BareState> {
  const bases = Object.fromEntries(["r12", "r13", "r14", "r15"].map((name) => [name, BigInt(randomPlace(prng))]));
  return {
    ...randomState(prng),
    ...bases,
    rip: BigInt(starts[0] ?? 0),
    mxcsr: prng.pick(MXCSR_VALUES),
    fcw: prng.pick(FCW_VALUES),
  };
}
