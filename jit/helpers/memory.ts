import { guestState, SEGMENT_VIOLATION, Segment, SlowAccess, Vector } from "../../runtime/abi/guest-state.ts";
import { MemoryMap, PageFlag, PageTrace, Tlb, Writers } from "../../runtime/abi/memory-map.ts";
import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";
import { Access, pageFlags, pageWalk, setFault } from "./page-walk.ts";

/** Clears the offset in a page. */
const PAGE_MASK = -4096;

/** offset of the TLB bank that stays empty */
const EMPTY_BANK: number = MemoryMap.TLB + Tlb.EMPTY_BANK * Tlb.BANK_BYTES;

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

/** Canonical in 64-bit mode; else a segment violation is noted and 0 returned from the function under construction. */
function requireCanonical(f: StateBuilder, gva: Value, byteLength: Value): void {
  const last = f.let(f.add(gva, f.extend(f.sub(byteLength, f.constant(32, 1)), 64)));
  const folded = (value: Value): Value => f.eq(f.shrS(f.shl(value, f.constant(64, 16)), f.constant(64, 16)), value);
  f.if(f.eqz(f.and(folded(gva), folded(last))), () => {
    setFault(f, SEGMENT_VIOLATION, f.constant(32, 0));
    f.return(f.constant(32, 0));
  });
}

/** The USER bit of an access at the current privilege. */
function userBit(f: StateBuilder): Value {
  return f.select(f.eq(f.get("cpl"), f.constant(32, 3)), f.constant(32, Access.USER), f.constant(32, 0));
}

/** Walks for one byte; on a fault returns 0 from the function under construction. */
function walk(f: StateBuilder, gva: Value, access: Value): Value {
  const gpa = f.call("page_walk", [f.cpu, gva, access], "i64");
  f.if(f.eq(gpa, f.constant(64, -1n)), () => f.return(f.constant(32, 0)));
  return gpa;
}

function ramOffset(f: StateBuilder, gpa: Value): Value {
  return f.add(f.truncate(gpa, 32), f.constant(32, MemoryMap.RAM));
}

/** offset of the bank that address spaces share: it holds nothing of the lower half of linear addresses, which is each one's own */
export const SHARED_BANK: number = MemoryMap.TLB + Tlb.SHARED_BANK * Tlb.BANK_BYTES;

/** Whether a bank takes the translation of a linear address. */
export function takes(f: StateBuilder, bank: Value, gva: Value): Value {
  const own = f.and(f.eq(bank, f.constant(32, SHARED_BANK)), f.geS(gva, f.constant(64, 0n)));
  return f.eqz(f.or(own, f.eq(bank, f.constant(32, EMPTY_BANK))));
}

/** Enters a page in a table of the current bank, unless that does not take it. */
function fill(f: StateBuilder, gva: Value, gpa: Value, table: number): void {
  f.if(takes(f, f.get("tlb"), gva), () => {
    if (table === Tlb.WRITE) f.callVoid("note_writer", [f.cpu, gva, gpa]);
    const entry = tlbEntry(f, gva);
    f.storeOffset(entry, f.and(gva, f.constant(64, PAGE_MASK)), table + Tlb.TAG);
    f.storeOffset(entry, f.sub(ramOffset(f, gpa), f.truncate(gva, 32)), table + Tlb.ADDEND);
  });
}

/**
 * While the empty bank is in use every access comes by here: alignment checks and data breakpoints. On an alignment fault 0 is
 * returned from the function under construction. AMD and Intel check alignment before they translate the address.
 */
function observe(f: StateBuilder, gva: Value, byteLength: Value, write: number): void {
  f.if(f.eq(f.get("tlb"), f.constant(32, EMPTY_BANK)), () => {
    requireNaturallyAligned(f, gva, byteLength);
    f.if(f.get("dataBreakpoints"), () => f.callVoid("data_access", [gva, byteLength, f.constant(32, write)]));
  });
}

/** #AC, where it is enabled, and 0 returned from the function under construction, if an access is misaligned. */
function requireNaturallyAligned(f: StateBuilder, gva: Value, byteLength: Value): void {
  // An m80 is aligned to 8 bytes, and so is a larger area that is no power of two.
  const isPower = f.eqz(f.and(byteLength, f.sub(byteLength, f.constant(32, 1))));
  const mask = f.select(isPower, f.sub(byteLength, f.constant(32, 1)), f.constant(32, 7));
  f.if(f.and(checksAlignment(f), f.ne(f.and(f.truncate(gva, 32), mask), f.constant(32, 0))), () => {
    setFault(f, Vector.AC, f.constant(32, 0));
    f.return(f.constant(32, 0));
  });
}

/** 1 when misaligned accesses raise #AC: CR0.AM, RFLAGS.AC and CPL 3. SDM Vol. 3A, 6.15, interrupt 17. */
function checksAlignment(f: StateBuilder): Value {
  const mask = f.and(
    f.shrU(f.truncate(f.get("cr0"), 32), f.constant(32, 18)),
    f.shrU(f.get("rflags"), f.constant(32, 18)),
  );
  return f.and(f.and(mask, f.constant(32, 1)), f.eq(f.get("cpl"), f.constant(32, 3)));
}

/** Counts an access that missed the TLB. */
function count(f: StateBuilder, kind: number): void {
  f.set("slowAccesses", f.add(f.get("slowAccesses", kind), f.constant(64, 1n)), kind);
}

function bounce(f: StateBuilder): Value {
  return f.add(f.cpu, f.constant(32, guestState.bounce.offset));
}

/** Bytes of an access that lie in its first page, when it crosses into the next. */
function bytesInFirstPage(f: StateBuilder, gva: Value): Value {
  return f.let(f.sub(f.constant(32, 4096), f.and(f.truncate(gva, 32), f.constant(32, 0xfff))));
}

function crosses(f: StateBuilder, gva: Value, byteLength: Value): Value {
  const last = f.add(f.and(f.truncate(gva, 32), f.constant(32, 0xfff)), byteLength);
  return f.gtU(last, f.constant(32, 4096));
}

/**
 * note_writer(gva, gpa): remembers in which entry of the write TLB a page stands, so that the right to write to it can be taken back
 * quickly.
 */
const noteWriter: Helper = {
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

/** physical_read(gpa, to, byteLength): bytes within one page from RAM or the bus. */
const physicalRead: Helper = {
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

/** Empties entry `index` of the three tables of a bank; `index` is a multiple of the size of an entry. */
function emptyEntry(f: StateBuilder, bank: Value, index: Value): void {
  const entry = f.let(f.add(bank, index));
  for (const table of [Tlb.READ, Tlb.WRITE, Tlb.EXECUTE]) f.storeOffset(entry, f.constant(64, -1n), table + Tlb.TAG);
}

/**
 * table_write(gpa, from, byteLength): a traced page table is about to be written. Does what ShadowTables.beforeWrite does in the common
 * cases: an entry that was not present, or changes nothing; one that maps 4 KiB, for a known range of linear addresses.
 */
const tableWrite: Helper = {
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
const physicalWrite: Helper = {
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

/** Copies an access that may span two pages, walking both before anything moves. */
function acrossPages(
  f: StateBuilder,
  gva: Value,
  byteLength: Value,
  access: Value,
  move: (gpa: Value, bufferOffset: Value, bytes: Value) => void,
): void {
  const right = f.let(access);
  f.if(
    crosses(f, gva, byteLength),
    () => {
      const first = bytesInFirstPage(f, gva);
      const next = f.let(f.and(f.add(gva, f.extend(first, 64)), linearMask(f)));
      // If the second page faults, the first must not have been marked as accessed: look at it first, and walk it last.
      const looked = f.call("page_walk", [f.cpu, gva, f.or(right, f.constant(32, Access.PROBE))], "i64");
      f.if(f.eq(looked, f.constant(64, -1n)), () => {
        f.drop(f.call("page_walk", [f.cpu, gva, right], "i64"));
        f.return(f.constant(32, 0));
      });
      const gpa2 = walk(f, next, right);
      const gpa = walk(f, gva, right);
      move(gpa, f.constant(32, 0), first);
      move(gpa2, first, f.let(f.sub(byteLength, first)));
    },
    () => move(walk(f, gva, right), f.constant(32, 0), byteLength),
  );
}

/** Linear addresses wrap at 4 GiB outside 64-bit mode. */
function linearMask(f: StateBuilder): Value {
  return f.select(
    f.eq(f.and(f.get("mode"), f.constant(32, 3)), f.constant(32, 2)),
    f.constant(64, -1n),
    f.constant(64, 0xffff_ffffn),
  );
}

/** read_slow(gva, byteLength): offset where the bytes can be read (RAM, or the bounce buffer), 0 on a fault. Fills the TLB. */
const readSlow: Helper = {
  name: "read_slow",
  params: ["i64", "i32"],
  result: "i32",
  emit(f, [gva, byteLength]) {
    if (!gva || !byteLength) return;
    count(f, SlowAccess.READ);
    requireCanonical(f, gva, byteLength);
    observe(f, gva, byteLength, 0);
    f.if(f.eqz(crosses(f, gva, byteLength)), () => {
      const gpa = walk(f, gva, userBit(f));
      f.if(f.eqz(f.and(pageFlags(f, gpa), f.constant(32, PageFlag.DEVICE))), () => {
        fill(f, gva, gpa, Tlb.READ);
        f.return(ramOffset(f, gpa));
      });
    });
    acrossPages(f, gva, byteLength, userBit(f), (gpa, at, bytes) =>
      f.callVoid("physical_read", [f.cpu, gpa, f.add(bounce(f), at), bytes]),
    );
    f.return(bounce(f));
  },
};

/** write_slow(gva, byteLength): writes the bytes that the bounce buffer holds; 0 on a fault. Fills the TLB where allowed. */
const writeSlow: Helper = {
  name: "write_slow",
  params: ["i64", "i32"],
  result: "i32",
  emit(f, [gva, byteLength]) {
    if (!gva || !byteLength) return;
    count(f, SlowAccess.WRITE);
    requireCanonical(f, gva, byteLength);
    observe(f, gva, byteLength, 1);
    const access = f.let(f.or(userBit(f), f.constant(32, Access.WRITE)));
    f.if(f.eqz(crosses(f, gva, byteLength)), () => {
      const gpa = walk(f, gva, access);
      f.if(f.eqz(pageFlags(f, gpa)), () => {
        fill(f, gva, gpa, Tlb.WRITE);
        f.memoryCopy(ramOffset(f, gpa), bounce(f), byteLength);
        f.return(f.constant(32, 1));
      });
    });
    acrossPages(f, gva, byteLength, access, (gpa, at, bytes) =>
      f.callVoid("physical_write", [f.cpu, gpa, f.add(bounce(f), at), bytes]),
    );
    f.return(f.constant(32, 1));
  },
};

/**
 * modify_slow(gva, byteLength): offset for a read-modify-write, 0 on a fault. When it is the bounce buffer, the caller calls
 * modify_commit after it has stored there.
 */
const modifySlow: Helper = {
  name: "modify_slow",
  params: ["i64", "i32"],
  result: "i32",
  emit(f, [gva, byteLength]) {
    if (!gva || !byteLength) return;
    count(f, SlowAccess.WRITE);
    requireCanonical(f, gva, byteLength);
    observe(f, gva, byteLength, 1);
    const access = f.let(f.or(userBit(f), f.constant(32, Access.WRITE)));
    f.if(f.eqz(crosses(f, gva, byteLength)), () => {
      const gpa = walk(f, gva, access);
      f.if(f.eqz(pageFlags(f, gpa)), () => {
        fill(f, gva, gpa, Tlb.WRITE);
        f.return(ramOffset(f, gpa));
      });
    });
    f.set("bounceAddress", gva);
    f.set("bounceBytes", byteLength);
    acrossPages(f, gva, byteLength, access, (gpa, at, bytes) =>
      f.callVoid("physical_read", [f.cpu, gpa, f.add(bounce(f), at), bytes]),
    );
    f.return(bounce(f));
  },
};

/**
 * enter_read(gva, byteLength), enter_write: for translated code, whether an access that missed the TLB can go on with the entry that
 * is there now. 0 for what is not that simple: a fault, two pages, a device, code, a page table, accesses that are observed.
 */
function enter(
  name: string,
  kind: number,
  right: number,
  table: number,
  forbidden: (f: StateBuilder, gpa: Value) => Value,
): Helper {
  return {
    name,
    params: ["i64", "i32"],
    result: "i32",
    emit(f, [gva, byteLength]) {
      if (!gva || !byteLength) return;
      // What the bank does not take is served access by access: in the empty one all that is observed, in the shared one the lower half.
      f.if(f.or(f.eqz(takes(f, f.get("tlb"), gva)), crosses(f, gva, byteLength)), () => f.return(f.constant(32, 0)));
      requireCanonical(f, gva, byteLength);
      const gpa = walk(f, gva, f.or(userBit(f), f.constant(32, right)));
      f.if(forbidden(f, gpa), () => f.return(f.constant(32, 0)));
      count(f, kind);
      fill(f, gva, gpa, table);
      f.return(f.constant(32, 1));
    },
  };
}

const enterRead = enter("enter_read", SlowAccess.READ, 0, Tlb.READ, (f, gpa) =>
  f.and(pageFlags(f, gpa), f.constant(32, PageFlag.DEVICE)),
);
const enterWrite = enter("enter_write", SlowAccess.WRITE, Access.WRITE, Tlb.WRITE, pageFlags);

const modifyCommit: Helper = {
  name: "modify_commit",
  params: [],
  result: "none",
  emit(f) {
    // It was writable when it was read, a moment ago: this cannot fault.
    f.drop(f.call("write_slow", [f.cpu, f.get("bounceAddress"), f.get("bounceBytes")], "i32"));
  },
};

/** probe_slow(gva, byteLength, write): 0 and a fault if any of the bytes cannot be accessed; byteLength up to 4096. */
const probeSlow: Helper = {
  name: "probe_slow",
  params: ["i64", "i32", "i32"],
  result: "i32",
  emit(f, [gva, byteLength, write]) {
    if (!gva || !byteLength || !write) return;
    requireCanonical(f, gva, byteLength);
    requireNaturallyAligned(f, gva, byteLength);
    acrossPages(f, gva, byteLength, f.or(userBit(f), write), () => undefined);
    f.return(f.constant(32, 1));
  },
};

/** check_place(gva, byteLength): 0 and a fault if an access would raise one before its address is translated. */
const checkPlace: Helper = {
  name: "check_place",
  params: ["i64", "i32"],
  result: "i32",
  emit(f, [gva, byteLength]) {
    if (!gva || !byteLength) return;
    requireCanonical(f, gva, byteLength);
    requireNaturallyAligned(f, gva, byteLength);
    f.return(f.constant(32, 1));
  },
};

/** fetch_slow(linear address): offset of the code byte there, 0 on a fault, -1 where there is no RAM. Fills the TLB. */
const fetchSlow: Helper = {
  name: "fetch_slow",
  params: ["i64"],
  result: "i32",
  emit(f, [gva]) {
    if (!gva) return;
    count(f, SlowAccess.FETCH);
    requireCanonical(f, gva, f.constant(32, 1));
    const gpa = walk(f, gva, f.or(userBit(f), f.constant(32, Access.FETCH)));
    f.if(f.and(pageFlags(f, gpa), f.constant(32, PageFlag.DEVICE)), () => f.return(f.constant(32, -1)));
    fill(f, gva, gpa, Tlb.EXECUTE);
    f.return(ramOffset(f, gpa));
  },
};

/** select_tlb(): takes the TLB bank of the current privilege into use. */
const selectTlb: Helper = {
  name: "select_tlb",
  params: [],
  result: "none",
  emit(f) {
    // Bank 0: supervisor; 1: supervisor with RFLAGS.AC, which lifts SMAP; 2: user.
    const ac = f.and(f.shrU(f.get("rflags"), f.constant(32, 18)), f.constant(32, 1));
    const bank = f.let(f.select(f.eq(f.get("cpl"), f.constant(32, 3)), f.constant(32, 2), ac));
    const own = f.add(f.get("tlbBanks"), f.mul(bank, f.constant(32, Tlb.BANK_BYTES)));
    const offset = f.select(bank, own, f.get("supervisorBank"));
    // What must be looked at closer never hits.
    const observed = f.or(f.get("dataBreakpoints"), checksAlignment(f));
    f.set("tlb", f.select(observed, f.constant(32, EMPTY_BANK), offset));
  },
};

/** drop_entries(bank, first, count): empties entries first..first+count-1 of the three tables of the TLB bank at this offset. */
const dropEntries: Helper = {
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

/**
 * segment_linear(segment number, effective address, byteLength, write): linear address outside 64-bit mode, or -1 with the fault.
 * SDM Vol. 3A, 5.3 and 5.5: type, limit (expand-up and expand-down) and null checks.
 */
const segmentLinear: Helper = {
  name: "segment_linear",
  params: ["i32", "i64", "i32", "i32"],
  result: "i64",
  emit(f, [segment, address, byteLength, write]) {
    if (!segment || !address || !byteLength || !write) return;
    const attributes = f.get("segmentAttributes", segment);
    const limit = f.extend(f.get("segmentLimit", segment), 64);
    const violation = (): void => {
      const isStack = f.eq(segment, f.constant(32, Segment.SS));
      f.set("exitVector", f.select(isStack, f.constant(32, Vector.SS), f.constant(32, Vector.GP)));
      f.set("exitErrorCode", f.constant(32, 0));
      f.return(f.constant(64, -1n));
    };
    const has = (mask: number): Value => f.and(attributes, f.constant(32, mask));
    f.if(f.eqz(has(0x80)), violation);
    const isCode = f.let(f.and(f.shrU(attributes, f.constant(32, 3)), f.constant(32, 1)));
    const bit1 = f.let(f.and(f.shrU(attributes, f.constant(32, 1)), f.constant(32, 1)));
    // Data: bit 1 = writable. Code: never writable, bit 1 = readable.
    f.if(
      write,
      () => f.if(f.or(isCode, f.eqz(bit1)), violation),
      () => f.if(f.and(isCode, f.eqz(bit1)), violation),
    );
    const last = f.let(f.add(address, f.extend(f.sub(byteLength, f.constant(32, 1)), 64)));
    const expandDown = f.and(f.eqz(isCode), f.and(f.shrU(attributes, f.constant(32, 2)), f.constant(32, 1)));
    const wide = f.let(limit);
    f.if(
      expandDown,
      () => {
        const top = f.select(has(0x4000), f.constant(64, 0xffff_ffffn), f.constant(64, 0xffffn));
        f.if(f.or(f.leU(address, wide), f.gtU(last, top)), violation);
      },
      () => f.if(f.gtU(last, wide), violation),
    );
    f.return(f.and(f.add(f.get("segmentBase", segment), address), f.constant(64, 0xffff_ffffn)));
  },
};

export const memoryHelpers: readonly Helper[] = [
  pageWalk,
  physicalRead,
  physicalWrite,
  noteWriter,
  tableWrite,
  readSlow,
  writeSlow,
  modifySlow,
  enterRead,
  enterWrite,
  modifyCommit,
  probeSlow,
  checkPlace,
  fetchSlow,
  selectTlb,
  dropEntries,
  segmentLinear,
];
