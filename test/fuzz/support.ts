import { guestState } from "../../runtime/abi/guest-state.ts";
import { MemoryMap, Tlb } from "../../runtime/abi/memory-map.ts";
import type { BareExit } from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";
import type { Inspected } from "../mmu/support.ts";

/**
 * Engines that random programs run on. Under "translator" what patches itself is compiled again and again, with what it leads to:
 * such programs run by themselves in test/self-modifying.
 */
export const ENGINES = ["interpreter"] as const;

/** Runs of each kind; UMBRA_FUZZ_RUNS asks for more. */
export function runsOr(normal: number): number {
  const wanted = Number(process.env["UMBRA_FUZZ_RUNS"]);
  return wanted > 0 ? wanted : normal;
}

/** Where the sequence of cases begins; UMBRA_FUZZ_SEED shows another one. */
export const SEED: number = Number(process.env["UMBRA_FUZZ_SEED"] ?? 1);

/** A reproducible source of numbers (PCG-XSH-RR, M. E. O'Neill 2014). */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt.asUintN(64, BigInt(seed) * 0x9e37_79b9_7f4a_7c15n + 0x1234_5678n);
    this.word();
  }
  /** 32 bits */
  word(): number {
    const old = this.#state;
    this.#state = BigInt.asUintN(64, old * 6364136223846793005n + 1442695040888963407n);
    const mixed = Number(BigInt.asUintN(32, ((old >> 18n) ^ old) >> 27n));
    const turn = Number(old >> 59n);
    return ((mixed >>> turn) | (mixed << (-turn & 31))) >>> 0;
  }
  /** in [0, bound) */
  below(bound: number): number {
    return this.word() % bound;
  }
  chance(one: number, of: number): boolean {
    return this.below(of) < one;
  }
  wide(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.word();
      for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  }
}

const REASONS: ReadonlySet<string> = new Set(["halt", "exception", "budget", "port", "shutdown"]);

/** Runs, and says what is wrong about how the run ended. */
export function runGuarded(
  machine: Inspected,
  limit: number,
): { exit: BareExit | undefined; problem: string | undefined } {
  const started = performance.now();
  let exit: BareExit;
  try {
    exit = machine.run({ maxInstructions: limit });
  } catch (error) {
    return {
      exit: undefined,
      problem: `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    };
  }
  const took = performance.now() - started;
  if (!REASONS.has(exit.reason)) return { exit, problem: `ended for the reason "${exit.reason}"` };
  if (exit.instructions > limit || exit.instructions < 0)
    return { exit, problem: `ran ${exit.instructions} instructions of ${limit}` };
  if (took > 5000) return { exit, problem: `took ${took.toFixed(0)} ms` };
  return { exit, problem: undefined };
}

/** What must never change in linear memory: everything that is not state, tables of the machine, records or RAM. */
export function damage(machine: Inspected): string | undefined {
  const { memory, processor } = machine;
  const ramBytes = Number(processor.cpu.state.u64("ramBytes"));
  const pages = ramBytes / 4096;
  const banks = Tlb.SLOTS * Tlb.BANKS_OF_SLOT;
  const holes: readonly (readonly [name: string, first: number, end: number])[] = [
    ["before the state", 0, MemoryMap.CPU],
    ["behind the state", MemoryMap.CPU + guestState.byteLength, MemoryMap.BRANCH_TARGETS],
    ["flags of pages that there are not", MemoryMap.PAGE_FLAGS + pages, MemoryMap.TLB],
    ["behind the TLB", MemoryMap.TLB + (Tlb.SHARED_BANK + 1) * Tlb.BANK_BYTES, MemoryMap.CODE_LINES],
    ["lines of pages that there are not", MemoryMap.CODE_LINES + 8 * pages, MemoryMap.PAGE_TRACE],
    ["traces of pages that there are not", MemoryMap.PAGE_TRACE + 8 * pages, MemoryMap.WRITERS],
    ["writers of pages that there are not", MemoryMap.WRITERS + 8 * pages, MemoryMap.BLOCK_HASH],
    ["behind RAM", MemoryMap.RAM + ramBytes, memory.buffer.byteLength],
  ];
  for (const [name, first, end] of holes) {
    const bytes = new Uint8Array(memory.buffer, first, end - first);
    const at = bytes.findIndex((byte) => byte !== 0);
    if (at >= 0) return `${name}: 0x${(first + at).toString(16)} was written`;
  }
  const empty = new Uint8Array(memory.buffer, MemoryMap.TLB + banks * Tlb.BANK_BYTES, Tlb.BANK_BYTES);
  if (empty.some((byte) => byte !== 0xff)) return "the empty TLB bank was filled";
  if (processor.cpu.state.u64("zero") !== 0n) return "the zero register was written";
  return undefined;
}

/**
 * Compares every translation that the current address space's TLB banks hold with what the guest's page tables say now. Only for
 * 4-level paging, where the machine promises that they are never stale. The walk is written here a second time, on purpose.
 */
export function staleTranslation(machine: Inspected): string | undefined {
  const { memory, processor } = machine;
  const { state } = processor.cpu;
  if (state.u32("slotBit") === 0) return undefined;
  const view = new DataView(memory.buffer);
  const tables = { read: Tlb.READ, write: Tlb.WRITE, execute: Tlb.EXECUTE } as const;
  const cr0 = state.cr0;
  for (let bank = 0; bank < Tlb.BANKS_OF_SLOT; bank++) {
    for (const [kind, table] of Object.entries(tables)) {
      for (let index = 0; index < Tlb.ENTRIES; index++) {
        const first = bank === 0 ? state.u32("supervisorBank") : state.u32("tlbBanks") + bank * Tlb.BANK_BYTES;
        const at = first + table + index * Tlb.ENTRY_BYTES;
        const tag = view.getBigUint64(at, true);
        if (tag === 0xffff_ffff_ffff_ffffn) continue;
        const offset = (view.getUint32(at + 8, true) + Number(tag & 0xffff_ffffn)) >>> 0;
        const gpa = offset - MemoryMap.RAM;
        const what = `${kind} translation of 0x${tag.toString(16)} in bank ${bank} to 0x${gpa.toString(16)}`;
        const found = walk(view, Number(state.u64("ramBytes")), state.u64("cr3"), tag);
        if (!found) return `${what}: not mapped`;
        if (found.gpa !== gpa) return `${what}: mapped to 0x${found.gpa.toString(16)}`;
        if (bank === 2 && !found.user) return `${what}: a supervisor page`;
        if (kind === "write" && !found.write && (bank === 2 || cr0 & 0x1_0000n)) return `${what}: read-only`;
        if (kind === "write" && !found.dirty) return `${what}: not dirty`;
        if (!found.accessed) return `${what}: not accessed`;
        if (kind === "execute" && found.noExecute) return `${what}: not executable`;
        const flags = view.getUint8(MemoryMap.PAGE_FLAGS + gpa / 4096);
        if (kind === "write" && flags !== 0) return `${what}: the page has flags ${flags} (1 code, 2 table)`;
      }
    }
  }
  return undefined;
}

interface Translation {
  readonly gpa: number;
  readonly user: boolean;
  readonly write: boolean;
  readonly noExecute: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

function walk(view: DataView, ramBytes: number, cr3: bigint, linear: bigint): Translation | undefined {
  let table = cr3 & 0x000f_ffff_ffff_f000n;
  let [user, write, noExecute, accessed] = [true, true, false, true];
  for (let shift = 39n; ; shift -= 9n) {
    const at = table + ((linear >> shift) & 511n) * 8n;
    if (at >= BigInt(ramBytes)) return undefined;
    const entry = view.getBigUint64(MemoryMap.RAM + Number(at), true);
    if (!(entry & 1n)) return undefined;
    user &&= (entry & 4n) !== 0n;
    write &&= (entry & 2n) !== 0n;
    noExecute ||= entry >> 63n !== 0n;
    accessed &&= (entry & 0x20n) !== 0n;
    if (shift === 12n || (entry & 0x80n && shift < 39n)) {
      const page = entry & 0x000f_ffff_ffff_f000n & ~((1n << shift) - 1n);
      const gpa = Number(page | (linear & ((1n << shift) - 1n) & ~0xfffn));
      return { gpa, user, write, noExecute, accessed, dirty: (entry & 0x40n) !== 0n };
    }
    table = entry & 0x000f_ffff_ffff_f000n;
  }
}

/** Registers in which two states differ. */
export function differences(left: BareState, right: BareState): string[] {
  const show = (value: unknown): string =>
    value instanceof Uint8Array
      ? Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")
      : typeof value === "object"
        ? Object.entries(value as object)
            .map(([name, part]) => `${name}=${show(part)}`)
            .join(" ")
        : (value as bigint | number).toString(16);
  return Object.entries(left)
    .filter(([name, value]) => show(value) !== show(right[name as keyof BareState]))
    .map(([name, value]) => `${name}: ${show(value)} and ${show(right[name as keyof BareState])}`);
}
