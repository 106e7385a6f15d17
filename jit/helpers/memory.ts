import { guestState, SEGMENT_VIOLATION, SlowAccess, Vector } from "../../runtime/abi/guest-state.ts";
import { PageFlag, Tlb } from "../../runtime/abi/memory-map.ts";
import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";
import { Access, pageFlags, pageWalk, setFault } from "./page-walk.ts";
import { physicalRead, physicalWrite, tableWrite } from "./physical.ts";
import { segmentLinear } from "./segment.ts";
import { dropEntries, EMPTY_BANK, noteWriter, PAGE_MASK, ramOffset, takes, tlbEntry } from "./tlb.ts";

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
