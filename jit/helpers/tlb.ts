import { MemoryMap, Tlb, Writers } from "../../runtime/abi/memory-map.ts";
import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/** Clears the offset in a page. */
export const PAGE_MASK = -4096;

/** offset of the TLB bank that stays empty */
export const EMPTY_BANK: number = MemoryMap.TLB + Tlb.EMPTY_BANK * Tlb.BANK_BYTES;

/** The entry for a linear address lies at its low bits, shifted right and masked, in a bank. */
export const TLB_INDEX_SHIFT = 8;
export const TLB_INDEX_MASK: number = (Tlb.ENTRIES - 1) * Tlb.ENTRY_BYTES;

/** Offset in the current TLB bank of the entry for a linear address. */
export function tlbEntry(f: StateBuilder, gva: Value): Value {
  const index = f.and(f.shrU(f.truncate(gva, 32), f.constant(32, TLB_INDEX_SHIFT)), f.constant(32, TLB_INDEX_MASK));
  return f.let(f.add(f.get("tlb"), index));
}

/** Whether an access of `byteLength` bytes hits `table`: validity, match and page crossing in one compare. */
export function tlbHit(f: StateBuilder, entry: Value, gva: Value, byteLength: number, table: number): Value {
  const last = byteLength === 1 ? gva : f.add(gva, f.constant(64, byteLength - 1));
  return f.eq(f.loadOffset(64, entry, table + Tlb.TAG), f.and(last, f.constant(64, PAGE_MASK)));
}

/** Linear-memory offset of `gva` by a TLB entry that hit. */
export function tlbOffset(f: StateBuilder, entry: Value, gva: Value, table: number): Value {
  return f.add(f.truncate(gva, 32), f.loadOffset(32, entry, table + Tlb.ADDEND));
}

/** Offset in linear memory of a byte of guest RAM. */
export function ramOffset(f: StateBuilder, gpa: Value): Value {
  return f.add(f.truncate(gpa, 32), f.constant(32, MemoryMap.RAM));
}

/** offset of the bank that address spaces share: it holds nothing of the lower half of linear addresses, which is each one's own */
export const SHARED_BANK: number = MemoryMap.TLB + Tlb.SHARED_BANK * Tlb.BANK_BYTES;

/** Whether a bank takes the translation of a linear address. */
export function takes(f: StateBuilder, bank: Value, gva: Value): Value {
  const own = f.and(f.eq(bank, f.constant(32, SHARED_BANK)), f.geS(gva, f.constant(64, 0n)));
  return f.eqz(f.or(own, f.eq(bank, f.constant(32, EMPTY_BANK))));
}

/** Empties entry `index` of the three tables of a bank; `index` is a multiple of the size of an entry. */
export function emptyEntry(f: StateBuilder, bank: Value, index: Value): void {
  const entry = f.let(f.add(bank, index));
  for (const table of [Tlb.READ, Tlb.WRITE, Tlb.EXECUTE]) f.storeOffset(entry, f.constant(64, -1n), table + Tlb.TAG);
}

/**
 * note_writer(gva, gpa): remembers in which entry of the write TLB a page stands, so that the right to write to it can be taken back
 * quickly.
 */
export const noteWriter: Helper = {
  name: "note_writer",
  params: ["i64", "i64"],
  result: "none",
  emit(f, [gva, gpa]) {
    if (!gva || !gpa) return;
    const slot = f.let(f.shl(f.truncate(f.shrU(gpa, f.constant(64, 12)), 32), f.constant(32, 3)));
    const number = f.let(f.and(f.shrU(gva, f.constant(64, 12)), f.constant(64, Tlb.ENTRIES - 1)));
    const known = f.let(f.loadOffset(64, slot, MemoryMap.WRITERS));
    const taken = f.let(f.and(known, f.constant(64, Writers.COUNT_MASK)));
    f.if(f.eq(taken, f.constant(64, Writers.SEVERAL)), () => f.return());
    for (let index = 0; index < Writers.MAXIMUM; index++) {
      const shift = f.constant(64, Writers.FIRST_SHIFT + index * Writers.BITS);
      const same = f.eq(f.and(f.shrU(known, shift), f.constant(64, Tlb.ENTRIES - 1)), number);
      f.if(f.and(same, f.gtU(taken, f.constant(64, index))), () => f.return());
    }
    const shift = f.add(f.mul(taken, f.constant(64, Writers.BITS)), f.constant(64, Writers.FIRST_SHIFT));
    const more = f.or(f.add(known, f.constant(64, 1)), f.shl(number, shift));
    const isFull = f.eq(taken, f.constant(64, Writers.MAXIMUM));
    f.storeOffset(slot, f.select(isFull, f.constant(64, Writers.SEVERAL), more), MemoryMap.WRITERS);
  },
};

/** drop_entries(bank, first, count): empties entries first..first+count-1 of the three tables of the TLB bank at this offset. */
export const dropEntries: Helper = {
  name: "drop_entries",
  params: ["i32", "i32", "i32"],
  result: "none",
  emit(f, [bank, first, count]) {
    if (!bank || !first || !count) return;
    const entry = f.let(f.add(bank, f.mul(first, f.constant(32, Tlb.ENTRY_BYTES))));
    f.if(f.eq(count, f.constant(32, 1)), () => {
      for (const table of [Tlb.READ, Tlb.WRITE, Tlb.EXECUTE])
        f.storeOffset(entry, f.constant(64, -1n), table + Tlb.TAG);
      f.return();
    });
    const byteLength = f.let(f.mul(count, f.constant(32, Tlb.ENTRY_BYTES)));
    for (const table of [Tlb.READ, Tlb.WRITE, Tlb.EXECUTE])
      f.memoryFill(f.add(entry, f.constant(32, table)), f.constant(32, 0xff), byteLength);
  },
};
