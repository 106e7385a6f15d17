import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { Cr0, Cr4, Efer } from "../../runtime/cpu/control-bits.ts";
import type { StateView } from "../../runtime/cpu/state-view.ts";

const PAGE = 4096;
/** bytes that are compared at once */
const CHUNK = 1 << 20;

/** The pages of two memories of the same size that differ, by guest-physical page number, `limit` of them at most. */
export function differingPages(left: Uint8Array, right: Uint8Array, limit = 64): number[] {
  const pages: number[] = [];
  for (let at = 0; at < left.length; at += CHUNK) {
    if (bytesAreEqual(left, right, at, Math.min(CHUNK, left.length - at))) continue;
    for (let page = at; page < Math.min(at + CHUNK, left.length); page += PAGE) {
      if (pages.length >= limit) return pages;
      if (!bytesAreEqual(left, right, page, PAGE)) pages.push(page / PAGE);
    }
  }
  return pages;
}

export function pagesDiffer(left: Uint8Array, right: Uint8Array, pages: readonly number[]): boolean {
  return pages.some((page) => !bytesAreEqual(left, right, page * PAGE, PAGE));
}

function bytesAreEqual(left: Uint8Array, right: Uint8Array, at: number, byteLength: number): boolean {
  const [a, b] = [left, right].map(
    ({ buffer, byteOffset }) => new BigUint64Array(buffer, byteOffset + at, byteLength / 8),
  ) as [BigUint64Array, BigUint64Array];
  return compareBytes(a, b);
}

/** Buffer.compare where the host has it: an order of magnitude faster than a loop. */
function compareBytes(left: BigUint64Array, right: BigUint64Array): boolean {
  if (typeof Buffer === "function") {
    const [a, b] = [left, right].map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ) as [Buffer, Buffer];
    return a.equals(b);
  }
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

/** Guest RAM of a linear memory. */
export function ramOf(memory: WebAssembly.Memory, ramBytes: number): Uint8Array {
  return new Uint8Array(memory.buffer, MemoryMap.RAM, ramBytes);
}

/**
 * The guest-physical address that a linear one is mapped to, without a trace in the guest's tables and in the TLB; undefined where
 * nothing is mapped. For 4-level paging, and without paging; other tables are not read.
 */
export function physicalAddress(ram: Uint8Array, state: StateView, gva: bigint): number | undefined {
  const inside = (gpa: bigint): number | undefined => (gpa < BigInt(ram.length) ? Number(gpa) : undefined);
  if ((state.cr0 & Cr0.PG) === 0n) return inside(gva);
  if ((state.efer & Efer.LMA) === 0n || (state.cr4 & Cr4.PAE) === 0n) return undefined;
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  let table = state.u64("cr3") & ADDRESS;
  for (let shift = 39n; ; shift -= 9n) {
    const at = table + ((gva >> shift) & 511n) * 8n;
    if (at + 8n > BigInt(ram.length)) return undefined;
    const entry = view.getBigUint64(Number(at), true);
    if (!(entry & PRESENT)) return undefined;
    if (shift === 12n || (shift < 39n && entry & LARGE)) {
      const within = (1n << shift) - 1n;
      return inside((entry & ADDRESS & ~within) | (gva & within));
    }
    table = entry & ADDRESS;
  }
}

/** SDM Vol. 3A, table 4-15 and the following. */
const ADDRESS = 0x000f_ffff_ffff_f000n;
const PRESENT = 1n;
const LARGE = 0x80n;

/** Up to `byteLength` bytes from a linear address on, fewer where the next page is not mapped. */
export function readLinear(ram: Uint8Array, state: StateView, gva: bigint, byteLength: number): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < byteLength;) {
    const gpa = physicalAddress(ram, state, BigInt.asUintN(64, gva + BigInt(at)));
    if (gpa === undefined) break;
    const count = Math.min(byteLength - at, PAGE - (gpa % PAGE), ram.length - gpa);
    bytes.push(...ram.subarray(gpa, gpa + count));
    at += count;
  }
  return Uint8Array.from(bytes);
}
