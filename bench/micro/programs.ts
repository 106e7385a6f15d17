import type { BareState } from "../../src/index.ts";

/** A loop of guest code that ends in HLT after RCX rounds. */
export interface MicroProgram {
  readonly name: string;
  /** code at CODE, as an assembler's listing: bytes, then the instruction */
  readonly listing: string;
  /** instructions of one round */
  readonly instructionsPerRound: number;
  readonly rounds: number;
  readonly state: Partial<BareState>;
}

export const CODE = 0x1000;
export const STACK = 0x8000n;
/** where the data of memory programs begins */
export const DATA = 0x10_0000;

/** The bytes of a listing: the hexadecimal pairs that begin each line. */
export function assemble(listing: string): Uint8Array {
  const bytes: number[] = [];
  for (const line of listing.split("\n")) {
    const code = /^\s*((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:\s{2,}|$)/.exec(line)?.[1];
    if (code) bytes.push(...code.split(" ").map((pair) => Number.parseInt(pair, 16)));
  }
  return Uint8Array.from(bytes);
}

const ALU = `
  48 01 c8        1: add rax, rcx
  48 31 c2        xor rdx, rax
  48 8d 1c 50     lea rbx, [rax+rdx*2]
  48 29 de        sub rsi, rbx
  48 21 f7        and rdi, rsi
  49 09 f8        or r8, rdi
  49 c1 e1 03     shl r9, 3
  4d 01 c1        add r9, r8
  48 ff c9        dec rcx
  75 e1           jnz 1b
  f4              hlt`;

const MEMORY = `
  48 8b 04 1e     1: mov rax, [rsi+rbx]
  48 01 c2        add rdx, rax
  48 89 54 1e 08  mov [rsi+rbx+8], rdx
  83 c3 10        add ebx, 16
  44 21 c3        and ebx, r8d
  48 ff c9        dec rcx
  75 e9           jnz 1b
  f4              hlt`;

const CALLS = `
  e8 06 00 00 00  1: call 2f
  48 ff c9        dec rcx
  75 f6           jnz 1b
  f4              hlt
  55              2: push rbp
  48 89 e5        mov rbp, rsp
  e8 02 00 00 00  call 3f
  5d              pop rbp
  c3              ret
  48 8d 47 01     3: lea rax, [rdi+1]
  c3              ret`;

const PACKED = `
  66 0f 28 04 1e  1: movapd xmm0, [rsi+rbx]
  66 0f 59 c2     mulpd xmm0, xmm2
  66 0f 58 c8     addpd xmm1, xmm0
  66 0f 29 04 1e  movapd [rsi+rbx], xmm0
  83 c3 10        add ebx, 16
  44 21 c3        and ebx, r8d
  48 ff c9        dec rcx
  75 e3           jnz 1b
  f4              hlt`;

const doubles = (low: number, high: number): Uint8Array => new Uint8Array(Float64Array.of(low, high).buffer);

/** @param stride bytes from one round to the next; chosen so that the rounds cover all `bytes` */
function memory(name: string, bytes: number, stride: number, rounds: number): MicroProgram {
  const listing = MEMORY.replace(
    "83 c3 10        add ebx, 16",
    `83 c3 ${stride.toString(16)}        add ebx, ${stride}`,
  );
  return { name, listing, instructionsPerRound: 7, rounds, state: { rsi: BigInt(DATA), r8: BigInt(bytes - stride) } };
}

export const MICRO_PROGRAMS: readonly MicroProgram[] = [
  {
    name: "integer arithmetic",
    listing: ALU,
    instructionsPerRound: 10,
    rounds: 1_000_000,
    state: { rdx: 7n, rsi: 3n },
  },
  memory("loads and stores, 64 KiB", 0x1_0000, 16, 1_000_000),
  memory("loads and stores, 64 MiB", 0x400_0000, 64, 1_000_000),
  { name: "calls and returns", listing: CALLS, instructionsPerRound: 10, rounds: 500_000, state: {} },
  {
    name: "packed doubles, 64 KiB",
    listing: PACKED,
    instructionsPerRound: 8,
    rounds: 500_000,
    // The factor makes every product inexact, as in real programs: PE is sticky from the first round on.
    state: { rsi: BigInt(DATA), r8: 0xfff0n, xmm1: doubles(1, 1), xmm2: doubles(1.0000000001, 0.9999999999) },
  },
];
