import { MemoryMap, PageFlag, PageTrace, Tlb } from "../../runtime/abi/memory-map.ts";
import type { Helper } from "./helper.ts";
import { pageFlags } from "./page-walk.ts";
import { emptyEntry, ramOffset, SHARED_BANK } from "./tlb.ts";

/** physical_read(gpa, to, byteLength): bytes within one page from RAM or the bus. */
export const physicalRead: Helper = {
  name: "physical_read",
  params: ["i64", "i32", "i32"],
  result: "none",
  emit(f, [gpa, to, byteLength]) {
    if (!gpa || !to || !byteLength) return;
    f.if(
      f.and(pageFlags(f, gpa), f.constant(32, PageFlag.DEVICE)),
      () => f.callVoid("bus_read", [gpa, to, byteLength]),
      () => f.memoryCopy(to, ramOffset(f, gpa), byteLength),
    );
  },
};

/** Bits of an entry that the processor sets itself. */
const ACCESSED_DIRTY = 0x60n;
const SLOT_BYTES: number = Tlb.BANKS_OF_SLOT * Tlb.BANK_BYTES;

/**
 * table_write(gpa, from, byteLength): a traced page table is about to be written. Does what ShadowTables.beforeWrite does in the common
 * cases: an entry that was not present, or changes nothing; one that maps 4 KiB, for a known range of linear addresses.
 */
export const tableWrite: Helper = {
  name: "table_write",
  params: ["i64", "i32", "i32"],
  result: "none",
  emit(f, [gpa, from, byteLength]) {
    if (!gpa || !from || !byteLength) return;
    f.set("tableWrites", f.add(f.get("tableWrites"), f.constant(64, 1n)));
    f.block((rare) => {
      const misaligned = f.and(f.truncate(gpa, 32), f.constant(32, 7));
      f.break(rare, f.or(misaligned, f.ne(byteLength, f.constant(32, 8))));
      const old = f.let(f.loadOffset(64, ramOffset(f, gpa)));
      f.if(f.eqz(f.truncate(f.and(old, f.constant(64, 1n)), 32)), () => f.return());
      const next = f.let(f.loadOffset(64, from));
      const changed = f.let(f.xor(old, next));
      const other = f.and(changed, f.constant(64, ~ACCESSED_DIRTY));
      const cleared = f.and(f.and(changed, old), f.constant(64, ACCESSED_DIRTY));
      f.if(f.eq(f.or(other, cleared), f.constant(64, 0n)), () => f.return());
      const page = f.truncate(f.shrU(gpa, f.constant(64, 12)), 32);
      const trace = f.let(f.loadOffset(64, f.shl(page, f.constant(32, 3)), MemoryMap.PAGE_TRACE));
      const low = f.let(f.truncate(trace, 32));
      const kind = (PageTrace.LEVEL_MASK << PageTrace.LEVEL_SHIFT) | PageTrace.AMBIGUOUS;
      f.break(rare, f.or(f.eqz(low), f.and(low, f.constant(32, kind))));
      f.set("entriesDropped", f.add(f.get("entriesDropped"), f.constant(64, 1n)));
      const number = f.add(
        f.shrU(low, f.constant(32, 12)),
        f.and(f.shrU(f.truncate(gpa, 32), f.constant(32, 3)), f.constant(32, 511)),
      );
      const inRange = f.and(number, f.constant(32, Tlb.ENTRIES - 1));
      const index = f.let(f.mul(inRange, f.constant(32, Tlb.ENTRY_BYTES)));
      const slots = f.variable(f.and(low, f.constant(32, PageTrace.SLOTS)));
      f.block((done) =>
        f.loop((again) => {
          f.break(done, f.eqz(slots.get()));
          const slot = f.let(f.ctz(slots.get()));
          const banks = f.let(f.add(f.mul(slot, f.constant(32, SLOT_BYTES)), f.constant(32, MemoryMap.TLB)));
          for (let bank = 0; bank < Tlb.BANKS_OF_SLOT; bank++)
            emptyEntry(f, f.add(banks, f.constant(32, bank * Tlb.BANK_BYTES)), index);
          slots.set(f.and(slots.get(), f.sub(slots.get(), f.constant(32, 1))));
          f.continue(again);
        }),
      );
      f.if(f.and(low, f.constant(32, PageTrace.SHARED)), () => emptyEntry(f, f.constant(32, SHARED_BANK), index));
      f.return();
    });
    f.callVoid("page_table_write", [gpa, from, byteLength]);
  },
};

/** physical_write(gpa, from, byteLength): bytes within one page to RAM or the bus; keeps decoded code true. */
export const physicalWrite: Helper = {
  name: "physical_write",
  params: ["i64", "i32", "i32"],
  result: "none",
  emit(f, [gpa, from, byteLength]) {
    if (!gpa || !from || !byteLength) return;
    const flags = pageFlags(f, gpa);
    f.if(f.and(flags, f.constant(32, PageFlag.DEVICE)), () => {
      f.callVoid("bus_write", [gpa, from, byteLength]);
      f.return();
    });
    f.if(f.and(flags, f.constant(32, PageFlag.READ_ONLY)), () => f.return());
    f.if(f.and(flags, f.constant(32, PageFlag.PAGE_TABLE)), () =>
      f.callVoid("table_write", [f.cpu, gpa, from, byteLength]),
    );
    f.memoryCopy(ramOffset(f, gpa), from, byteLength);
    f.if(f.and(flags, f.constant(32, PageFlag.CODE)), () => {
      const lines = f.loadOffset(
        64,
        f.shl(f.truncate(f.shrU(gpa, f.constant(64, 12)), 32), f.constant(32, 3)),
        MemoryMap.CODE_LINES,
      );
      const first = f.let(f.and(f.shrU(gpa, f.constant(64, 6)), f.constant(64, 63)));
      const last = f.and(
        f.shrU(f.add(gpa, f.extend(f.sub(byteLength, f.constant(32, 1)), 64)), f.constant(64, 6)),
        f.constant(64, 63),
      );
      // Bits first..last.
      const count = f.sub(f.constant(64, 63), f.sub(last, first));
      const mask = f.shl(f.shrU(f.constant(64, -1n), count), first);
      f.if(f.ne(f.and(lines, mask), f.constant(64, 0n)), () => f.callVoid("code_write", [gpa, byteLength]));
    });
  },
};
