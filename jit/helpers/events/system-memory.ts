import { MemoryMap, Tlb } from "../../../runtime/abi/memory-map.ts";
import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import { takes } from "../tlb.ts";
import { Access, pageFlags } from "../page-walk.ts";

/**
 * Memory as the processor itself reaches it on the way through the IDT and back: through the TLB banks of level 0, whatever bank is in
 * use. They hold plain RAM only, so that what they hit needs no further look.
 *
 * Every function here leaves the function under construction with 0 when it finds something unusual: a page that is not mapped, a
 * device, code or a page table that would be written. Accessed bits may have been set by then, as the slow path is going to set them.
 */

/** Number of a bank of the current address space: 0, or 1 where RFLAGS.AC lifts SMAP for explicit accesses. */
export type Bank = Value;

/** The bank of accesses that the processor makes by itself: SMAP applies to them always. */
export function implicitBank(f: StateBuilder): Bank {
  return f.constant(32, 0);
}

/** The bank of explicit accesses at level 0. */
export function explicitBank(f: StateBuilder): Bank {
  return f.let(f.and(f.shrU(f.get("rflags"), f.constant(32, 18)), f.constant(32, 1)));
}

/** Bails out, unless a condition holds. */
export function require(f: StateBuilder, condition: Value): void {
  f.if(f.eqz(condition), () => f.return(f.constant(32, 0)));
}

export function isCanonical(f: StateBuilder, gva: Value): Value {
  return f.eq(f.shrS(f.shl(gva, f.constant(64, 16)), f.constant(64, 16)), gva);
}

/** Offset in linear memory of `byteLength` bytes to read, which must lie in one page. */
export function readable(f: StateBuilder, gva: Value, byteLength: number, bank: Bank): Value {
  const access = f.select(bank, f.constant(32, Access.READ), f.constant(32, Access.IMPLICIT));
  return place(f, { gva, byteLength: f.constant(32, byteLength), bank, table: Tlb.READ, access });
}

/** Offset in linear memory of bytes to write, which must lie in one page. */
export function writable(f: StateBuilder, gva: Value, byteLength: Value, bank: Bank): Value {
  return place(f, { gva, byteLength, bank, table: Tlb.WRITE, access: f.constant(32, Access.WRITE) });
}

interface Place {
  readonly gva: Value;
  readonly byteLength: Value;
  readonly bank: Bank;
  /** Tlb.READ or Tlb.WRITE */
  readonly table: number;
  readonly access: Value;
}

function place(f: StateBuilder, { gva, byteLength, bank, table, access }: Place): Value {
  const page = f.let(f.and(gva, f.constant(64, -4096n)));
  const low = f.let(f.truncate(gva, 32));
  const end = f.add(f.and(low, f.constant(32, 0xfff)), byteLength);
  require(f, f.and(f.leU(end, f.constant(32, 4096)), isCanonical(f, gva)));
  const index = f.and(f.shrU(low, f.constant(32, 8)), f.constant(32, (Tlb.ENTRIES - 1) * Tlb.ENTRY_BYTES));
  const lifted = f.add(f.get("tlbBanks"), f.constant(32, Tlb.BANK_BYTES));
  const chosen = f.let(f.select(bank, lifted, f.get("supervisorBank")));
  const entry = f.let(f.add(chosen, index));
  return f.choose(
    f.eq(f.loadOffset(64, entry, table + Tlb.TAG), page),
    () => f.add(low, f.loadOffset(32, entry, table + Tlb.ADDEND)),
    () => {
      const gpa = f.call("page_walk", [f.cpu, gva, access], "i64");
      require(f, f.ne(gpa, f.constant(64, -1n)));
      const flags = pageFlags(f, gpa);
      // Reading code and page tables is nothing special: only devices are.
      require(f, f.eqz(table === Tlb.WRITE ? flags : f.and(flags, f.constant(32, 4))));
      const offset = f.let(f.add(f.truncate(gpa, 32), f.constant(32, MemoryMap.RAM)));
      f.if(takes(f, chosen, gva), () => {
        if (table === Tlb.WRITE) f.callVoid("note_writer", [f.cpu, gva, gpa]);
        f.storeOffset(entry, page, table + Tlb.TAG);
        f.storeOffset(entry, f.sub(offset, low), table + Tlb.ADDEND);
      });
      return offset;
    },
  );
}

/** The two halves of a descriptor of the GDT. */
export interface DescriptorWords {
  readonly low: Value;
  readonly high: Value;
}

/** The descriptor that a selector names, which must be in the GDT and not null. */
export function readGdt(f: StateBuilder, selector: Value): DescriptorWords {
  const index = f.let(f.and(selector, f.constant(32, 0xfff8)));
  const inside = f.leU(f.add(index, f.constant(32, 7)), f.get("gdtLimit"));
  const isGlobal = f.eqz(f.and(selector, f.constant(32, 4)));
  require(f, f.and(f.and(inside, isGlobal), f.ne(index, f.constant(32, 0))));
  const linear = f.let(f.add(f.get("gdtBase"), f.extend(index, 64)));
  const at = readable(f, linear, 8, implicitBank(f));
  return { low: f.let(f.loadOffset(32, at, 0)), high: f.let(f.loadOffset(32, at, 4)) };
}

/** Loads a segment register from a descriptor of memory segments. */
export function setSegment(f: StateBuilder, segment: number, selector: Value, { low, high }: DescriptorWords): void {
  const bits = (value: Value, mask: number): Value => f.and(value, f.constant(32, mask));
  const middle = f.or(f.shrU(low, f.constant(32, 16)), f.shl(bits(high, 0xff), f.constant(32, 16)));
  const raw = f.let(f.or(bits(low, 0xffff), bits(high, 0xf_0000)));
  const pages = f.or(f.shl(raw, f.constant(32, 12)), f.constant(32, 0xfff));
  f.set("segmentSelector", selector, segment);
  f.set("segmentBase", f.extend(f.or(middle, bits(high, 0xff00_0000)), 64), segment);
  f.set("segmentLimit", f.select(bits(high, 0x80_0000), pages, raw), segment);
  f.set("segmentAttributes", bits(f.shrU(high, f.constant(32, 8)), 0xf0ff), segment);
}

/** Makes a segment register null. */
export function clearSegment(f: StateBuilder, segment: number, selector: Value): void {
  f.set("segmentSelector", selector, segment);
  f.set("segmentBase", f.constant(64, 0n), segment);
  f.set("segmentLimit", f.constant(32, 0), segment);
  f.set("segmentAttributes", f.constant(32, 0), segment);
}
