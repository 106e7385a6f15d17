import { Rflags, Vector } from "../../runtime/abi/guest-state.ts";
import { MemoryMap, PageFlag, PageTrace } from "../../runtime/abi/memory-map.ts";
import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/** Bits that say what kind of access a walk is for. */
export const Access = {
  READ: 0,
  WRITE: 1,
  USER: 2,
  FETCH: 4,
  /** a supervisor access that the processor makes by itself: RFLAGS.AC does not lift SMAP */
  IMPLICIT: 8,
  /** leave accessed and dirty bits alone, raise nothing: a look from outside */
  PROBE: 16,
} as const;

/** Page-table entry bits, SDM Vol. 3A, 4.5. */
const Pte = { P: 1n, W: 2n, U: 4n, A: 0x20n, D: 0x40n, PS: 0x80n } as const;
const ADDRESS_MASK = 0x000f_ffff_ffff_f000n;

const CR0_WP = 1 << 16;
const CR0_PG = 1 << 31;
const CR4_PSE = 1 << 4;
const CR4_PAE = 1 << 5;
const CR4_SMEP = 1 << 20;
const CR4_SMAP = 1 << 21;
const EFER_LMA = 1 << 10;

/** index in guestState.reservedEntryBits of those of a 4 MiB page */
const PSE36_RESERVED = 4;

/** Notes a fault for whoever leaves generated code. */
export function setFault(f: StateBuilder, vector: number, errorCode: Value): void {
  f.set("exitVector", f.constant(32, vector));
  f.set("exitErrorCode", errorCode);
}

/** 1 if the page flags of a guest-physical address have any of the bits, or if there is no RAM there. */
export function pageFlags(f: StateBuilder, gpa: Value): Value {
  return f.choose(
    f.geU(gpa, f.get("ramBytes")),
    () => f.constant(32, PageFlag.DEVICE),
    () => f.extend(f.loadOffset(8, f.truncate(f.shrU(gpa, f.constant(64, 12)), 32), MemoryMap.PAGE_FLAGS), 32),
  );
}

/**
 * page_walk(gva, access): guest-physical address, or -1 with the page fault in exitVector, exitErrorCode and exitAddress.
 * SDM Vol. 3A, chapter 4: no paging, 32-bit, PAE and 4-level paging; 4 KiB, 2 and 4 MiB and 1 GiB pages.
 */
export const pageWalk: Helper = {
  name: "page_walk",
  params: ["i64", "i32"],
  result: "i64",
  emit(f, [gva, access]) {
    if (!gva || !access) return;
    const bit = (mask: number): Value => f.and(access, f.constant(32, mask));
    const cr0 = f.let(f.truncate(f.get("cr0"), 32));
    const address = f.variable(gva);
    f.if(f.eqz(f.and(cr0, f.constant(32, CR0_PG))), () => f.return(f.and(gva, f.constant(64, 0xffff_ffffn))));

    const efer = f.let(f.truncate(f.get("efer"), 32));
    const cr4 = f.let(f.truncate(f.get("cr4"), 32));
    const cr3 = f.get("cr3");
    const slotBit = f.get("slotBit");
    const nxe = f.let(f.and(f.shrU(efer, f.constant(32, 11)), f.constant(32, 1)));
    /** rights so far: AND of W and U over the levels, OR of NX (bit 63) */
    const rights = f.variable(f.constant(64, Pte.W | Pte.U));
    const noExecute = f.variable(f.constant(64, 0n));
    const shift = f.declare("i32", 32);
    const table = f.declare("i64", 64);
    const entryBytes = f.declare("i32", 32);
    const entry = f.declare("i64", 64);
    const entryOffset = f.declare("i32", 32);
    const pageBits = f.declare("i32", 32);
    const errorBits = f.variable(f.constant(32, 0));

    const raise = (): void => {
      f.if(f.eqz(bit(Access.PROBE)), () => {
        // Bit 0 P, 1 W, 2 U, 3 RSVD, 4 I (reported only when NX or SMEP can matter).
        const fetchReported = f.or(nxe, f.and(f.shrU(cr4, f.constant(32, 20)), f.constant(32, 1)));
        const fetch = f.and(f.shrU(access, f.constant(32, 2)), fetchReported);
        const code = f.or(
          f.or(errorBits.get(), f.shl(bit(Access.WRITE | 0), f.constant(32, 1))),
          f.or(f.shl(bit(Access.USER), f.constant(32, 1)), f.shl(f.and(fetch, f.constant(32, 1)), f.constant(32, 4))),
        );
        setFault(f, Vector.PF, code);
        f.set("exitAddress", gva);
      });
      f.return(f.constant(64, -1n));
    };

    const long = f.let(f.and(efer, f.constant(32, EFER_LMA)));
    const pae = f.let(f.and(cr4, f.constant(32, CR4_PAE)));
    f.if(
      long,
      () => {
        shift.set(f.constant(32, 39));
        table.set(f.and(cr3, f.constant(64, ADDRESS_MASK)));
        entryBytes.set(f.constant(32, 8));
      },
      () => {
        address.set(f.and(gva, f.constant(64, 0xffff_ffffn)));
        f.if(
          pae,
          () => {
            shift.set(f.constant(32, 30));
            table.set(f.and(cr3, f.constant(64, 0xffff_ffe0n)));
            entryBytes.set(f.constant(32, 8));
          },
          () => {
            shift.set(f.constant(32, 22));
            table.set(f.and(cr3, f.constant(64, 0xffff_f000n)));
            entryBytes.set(f.constant(32, 4));
          },
        );
      },
    );

    f.block((found) => {
      f.loop((again) => {
        const mask = f.select(
          f.eq(entryBytes.get(), f.constant(32, 8)),
          f.constant(64, 0x1ffn),
          f.constant(64, 0x3ffn),
        );
        const index = f.and(f.shrU(address.get(), f.extend(shift.get(), 64)), mask);
        const gpa = f.let(f.add(table.get(), f.mul(index, f.extend(entryBytes.get(), 64))));
        // A table outside RAM reads as zero: not present.
        f.if(f.geU(gpa, f.get("ramBytes")), raise);
        f.if(f.and(f.ne(slotBit, f.constant(32, 0)), f.eqz(bit(Access.PROBE))), () =>
          traceTable(f, gpa, gva, shift.get(), slotBit),
        );
        entryOffset.set(f.add(f.truncate(gpa, 32), f.constant(32, MemoryMap.RAM)));
        f.if(
          f.eq(entryBytes.get(), f.constant(32, 8)),
          () => entry.set(f.loadOffset(64, entryOffset.get())),
          () => entry.set(f.extend(f.loadOffset(32, entryOffset.get()), 64)),
        );
        f.if(f.eqz(f.and(entry.get(), f.constant(64, Pte.P))), raise);
        // PAE page-directory-pointer entries have no rights; their reserved bits are checked when CR3 is loaded.
        const pdpte = f.let(f.and(f.eq(shift.get(), f.constant(32, 30)), f.eqz(long)));
        f.if(f.eqz(pdpte), () => {
          rights.set(f.and(rights.get(), entry.get()));
          noExecute.set(f.or(noExecute.get(), entry.get()));
          // Bit 63 without EFER.NXE, and what the processor model makes reserved at this level.
          const level = f.divU(f.sub(shift.get(), f.constant(32, 12)), f.constant(32, 9));
          const wide = f.eq(entryBytes.get(), f.constant(32, 8));
          const never = f.and(
            f.get("reservedEntryBits", level),
            f.select(wide, f.constant(64, -1n), f.constant(64, 0n)),
          );
          const reserved = f.or(
            f.and(f.ltS(entry.get(), f.constant(64, 0n)), f.eqz(nxe)),
            f.ne(f.and(entry.get(), never), f.constant(64, 0n)),
          );
          f.if(reserved, () => {
            errorBits.set(f.constant(32, 9));
            raise();
          });
        });
        pageBits.set(shift.get());
        f.break(found, f.eq(shift.get(), f.constant(32, 12)));
        const largeAllowed = f.or(
          f.ne(f.or(long, pae), f.constant(32, 0)),
          f.ne(f.and(cr4, f.constant(32, CR4_PSE)), f.constant(32, 0)),
        );
        const large = f.and(
          f.and(f.ne(f.and(entry.get(), f.constant(64, Pte.PS)), f.constant(64, 0n)), f.eqz(pdpte)),
          largeAllowed,
        );
        f.if(large, () => {
          // Reserved address bits of a large page: 13..20 (2 MiB), 13..29 (1 GiB); bit 12 is PAT. 4 MiB pages use 13..20 for PSE-36.
          const wide = f.eq(entryBytes.get(), f.constant(32, 8));
          const low = f.sub(f.shl(f.constant(64, 1n), f.extend(shift.get(), 64)), f.constant(64, 0x2000n));
          const reserved = f.select(wide, low, f.get("reservedEntryBits", PSE36_RESERVED));
          f.if(f.ne(f.and(entry.get(), reserved), f.constant(64, 0n)), () => {
            errorBits.set(f.constant(32, 9));
            raise();
          });
          f.break(found);
        });
        f.if(f.eqz(f.or(pdpte, bit(Access.PROBE))), () =>
          markEntry(f, entryOffset.get(), entry.get(), f.constant(32, Number(Pte.A))),
        );
        table.set(
          f.select(
            f.eq(entryBytes.get(), f.constant(32, 8)),
            f.and(entry.get(), f.constant(64, ADDRESS_MASK)),
            f.and(entry.get(), f.constant(64, 0xffff_f000n)),
          ),
        );
        shift.set(
          f.sub(
            shift.get(),
            f.select(f.eq(entryBytes.get(), f.constant(32, 8)), f.constant(32, 9), f.constant(32, 10)),
          ),
        );
        f.continue(again);
      });
    });

    // Rights. SDM Vol. 3A, 4.6.
    errorBits.set(f.constant(32, 1));
    const user = f.let(bit(Access.USER));
    const userPage = f.let(f.truncate(f.and(rights.get(), f.constant(64, Pte.U)), 32));
    const writable = f.let(f.truncate(f.and(rights.get(), f.constant(64, Pte.W)), 32));
    const isWrite = f.let(bit(Access.WRITE));
    const isFetch = f.let(bit(Access.FETCH));
    f.if(user, () => f.if(f.eqz(userPage), raise));
    f.if(f.and(f.ne(isWrite, f.constant(32, 0)), f.eqz(writable)), () => {
      f.if(f.or(user, f.and(cr0, f.constant(32, CR0_WP))), raise);
    });
    f.if(f.and(f.ne(isFetch, f.constant(32, 0)), f.and(nxe, f.ltS(noExecute.get(), f.constant(64, 0n)))), raise);
    f.if(f.and(f.eqz(user), f.ne(userPage, f.constant(32, 0))), () => {
      f.if(
        isFetch,
        () => f.if(f.and(cr4, f.constant(32, CR4_SMEP)), raise),
        () =>
          f.if(f.and(cr4, f.constant(32, CR4_SMAP)), () => {
            const lifted = f.and(
              f.and(f.get("rflags"), f.constant(32, Rflags.AC)),
              f.select(bit(Access.IMPLICIT), f.constant(32, 0), f.constant(32, -1)),
            );
            f.if(f.eqz(lifted), raise);
          }),
      );
    });

    f.if(f.eqz(bit(Access.PROBE)), () => {
      const bits = f.select(isWrite, f.constant(32, Number(Pte.A | Pte.D)), f.constant(32, Number(Pte.A)));
      markEntry(f, entryOffset.get(), entry.get(), f.let(bits));
    });

    const pageMask = f.let(f.sub(f.shl(f.constant(64, 1n), f.extend(pageBits.get(), 64)), f.constant(64, 1n)));
    const base = f.and(
      f.and(
        entry.get(),
        f.select(f.eq(entryBytes.get(), f.constant(32, 8)), f.constant(64, ADDRESS_MASK), f.constant(64, 0xffff_f000n)),
      ),
      f.not(pageMask),
    );
    // PSE-36: bits 13..20 of a 4 MiB entry are address bits 32..39.
    const pse36 = f.select(
      f.eq(pageBits.get(), f.constant(32, 22)),
      f.shl(f.and(f.shrU(entry.get(), f.constant(64, 13)), f.constant(64, 0xffn)), f.constant(64, 32)),
      f.constant(64, 0n),
    );
    f.return(f.or(f.or(base, pse36), f.and(address.get(), pageMask)));
  },
};

/**
 * Notes that the page of a page-table entry maps a range of linear addresses for the current address space, so that writes to it
 * are seen. The common case, that this is known already, is one load and compare.
 */
function traceTable(f: StateBuilder, entryGpa: Value, gva: Value, shift: Value, slotBit: Value): void {
  const page = f.let(f.truncate(f.shrU(entryGpa, f.constant(64, 12)), 32));
  const trace = f.let(f.loadOffset(64, f.shl(page, f.constant(32, 3)), MemoryMap.PAGE_TRACE));
  const at = f.let(shift);
  const span = f.extend(f.add(at, f.constant(32, 9)), 64);
  const base = f.and(
    f.shl(f.shrU(gva, span), f.extend(f.add(at, f.constant(32, 9)), 64)),
    f.constant(64, 0xffff_ffff_ffffn),
  );
  const level = f.divU(f.sub(at, f.constant(32, 12)), f.constant(32, 9));
  // The top table maps everything.
  const range = f.select(f.eq(at, f.constant(32, 39)), f.constant(64, 0n), base);
  const wanted = f.let(f.or(range, f.shl(f.extend(level, 64), f.constant(64, PageTrace.LEVEL_SHIFT))));
  // The bank that address spaces share holds translations of the upper half only; top tables are each one's own.
  const isShared = f.and(f.ltS(gva, f.constant(64, 0n)), f.ne(at, f.constant(32, 39)));
  const owners = f.let(f.and(slotBit, f.select(isShared, f.constant(32, -1), f.constant(32, PageTrace.SLOTS))));
  const same = f.eq(f.and(f.xor(trace, wanted), f.constant(64, ~BigInt(PageTrace.OWNERS))), f.constant(64, 0n));
  const known = f.and(same, f.eq(f.and(f.truncate(trace, 32), owners), owners));
  f.if(f.eqz(known), () => f.callVoid("trace_table", [page, f.or(wanted, f.extend(owners, 64))]));
}

/** Sets accessed and dirty bits. A table may lie in a page that is executed as well: what was decoded there must go. */
function markEntry(f: StateBuilder, offset: Value, entry: Value, bits: Value): void {
  const at = f.let(offset);
  const wanted = f.let(bits);
  f.if(f.ne(f.and(f.truncate(entry, 32), wanted), wanted), () => {
    f.storeOffset(at, f.or(f.loadOffset(32, at), wanted));
    const gpa = f.let(f.extend(f.sub(at, f.constant(32, MemoryMap.RAM)), 64));
    f.if(f.and(pageFlags(f, gpa), f.constant(32, PageFlag.CODE)), () =>
      f.callVoid("code_write", [gpa, f.constant(32, 1)]),
    );
  });
}
