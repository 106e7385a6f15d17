import type { Fault } from "./fault.ts";

export type AccessSize = 1 | 2 | 4 | 8;

/** With what privilege an access from TypeScript is made; SDM Vol. 3A, 4.6. */
export interface Privilege {
  /** a user-mode access: supervisor pages fault */
  readonly user: boolean;
  /** made by the processor itself to a system structure: supervisor whatever the CPL, and SMAP applies whatever RFLAGS.AC */
  readonly implicit: boolean;
}

/** Descriptor tables, the IDT, the TSS. */
export const SYSTEM: Privilege = { user: false, implicit: true };

const SUPERVISOR: Privilege = { user: false, implicit: false };
const USER: Privilege = { user: true, implicit: false };

/** Explicit accesses at a privilege level: stacks. */
export function atLevel(cpl: number): Privilege {
  return cpl === 3 ? USER : SUPERVISOR;
}

/**
 * The guest's linear address space, as call-outs reach it. An access may cross a page; it faults before any byte is changed.
 * Addresses are canonical or below 4 GiB: callers check that, because the exception depends on the segment.
 */
export interface LinearMemory {
  /** Zero-extended little-endian value, or the #PF. */
  read(linear: bigint, size: AccessSize, privilege: Privilege): bigint | Fault;
  write(linear: bigint, size: AccessSize, value: bigint, privilege: Privilege): Fault | undefined;
  /** Up to BLOCK_WORDS consecutive 64-bit words that do not cross a page: stack frames and gates, in one walk. */
  readWords(linear: bigint, count: number, privilege: Privilege): bigint[] | Fault;
  /** Writes such words, lowest first: all of them or none. */
  writeWords(linear: bigint, words: readonly bigint[], privilege: Privilege): Fault | undefined;
}

/** The most words that readWords and writeWords take. */
export const BLOCK_WORDS = 8;

/** Whether `count` words from `linear` on can be accessed as one block. */
export function isBlock(linear: bigint, count: number): boolean {
  return count <= BLOCK_WORDS && Number(linear & 0xfffn) + count * 8 <= 4096;
}

/** Whether bits 63..47 are all equal: 4-level paging. */
export function isCanonical(linear: bigint): boolean {
  return BigInt.asIntN(48, linear) === BigInt.asIntN(64, linear);
}
