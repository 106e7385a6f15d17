import { guestState } from "../abi/guest-state.ts";
import { MemoryMap, PageFlag, PageTrace, Tlb } from "../abi/memory-map.ts";
import { bankOf, SHARED_BANK, type TlbBanks } from "./tlb-banks.ts";

/** PS: the entry maps a page of 2 MiB or 1 GiB */
const LARGE = 0x80n;
const PRESENT = 1n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
/** accessed and dirty: the processor sets them itself, and setting them changes no translation */
const ACCESSED_DIRTY = 0x60n;
const ACCESSED = 0x20;
const OWNERS = BigInt(PageTrace.OWNERS);
const LEVEL_PDPT = 2;
const LEVEL_PML4 = 3;
/** where the entries of a PML4 for the upper half of linear addresses begin */
const UPPER_HALF = 0x800;

export interface ShadowStats {
  /** loads of CR3 whose address space still had its banks */
  kept: number;
  /** loads of CR3 that needed new banks */
  fresh: number;
  /** loads of CR3 whose address space uses the shared bank */
  shared: number;
  /** writes to page tables that were seen */
  tableWrites: number;
  /** translations, or ranges of them, dropped because of such writes */
  dropped: number;
}

interface Slot {
  /** CR3's address bits; undefined while the slot is free */
  root: number | undefined;
  lastUse: number;
  /** whether supervisor accesses use the shared bank */
  isShared: boolean;
  /** the slot's own bank of supervisor accesses may hold something */
  usedOwn: boolean;
  /** page numbers of the tables that this slot's translations went through */
  readonly tables: Set<number>;
}

/**
 * Shadow page tables: TLB banks that stand for the page tables of several address spaces at a time and survive a load of CR3.
 *
 * They stay true because the guest's tables are traced: a page that a walk went through is not writable through the fast path,
 * and a write to it drops what it made stale, in every address space that used it. An entry that was not present has nothing
 * cached behind it, so building tables costs no drops. Only 4-level paging is traced; the other modes flush as hardware does.
 *
 * Address spaces of one kernel have the same upper half. Where SMAP keeps supervisor accesses out of the lower one, they share a bank
 * for them: what a process has found out of the kernel's memory, the next one need not. The shared bank remembers the entries of the
 * PML4 that its translations went through; an address space that has others there uses its own bank.
 */
export class ShadowTables {
  readonly #stats = { kept: 0, fresh: 0, shared: 0, dropped: 0 };
  readonly #memory: DataView;
  readonly #bytes: Uint8Array;
  readonly #slots: readonly Slot[];
  readonly #tlb: TlbBanks;
  /** entries of the PML4 that translations in the shared bank went through, by their number */
  readonly #upperHalf = new Map<number, bigint>();
  /** page numbers of the tables below them */
  readonly #sharedTables = new Set<number>();
  #current = 0;
  #clock = 0;

  constructor(memory: DataView, tlb: TlbBanks) {
    this.#memory = memory;
    this.#tlb = tlb;
    this.#bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#slots = Array.from({ length: Tlb.SLOTS }, () => ({
      root: undefined,
      lastUse: 0,
      isShared: false,
      usedOwn: false,
      tables: new Set<number>(),
    }));
  }

  get stats(): ShadowStats {
    const counter = (field: "tableWrites" | "entriesDropped"): number =>
      Number(this.#memory.getBigUint64(MemoryMap.CPU + guestState[field].offset, true));
    const { kept, fresh, shared, dropped } = this.#stats;
    return { kept, fresh, shared, tableWrites: counter("tableWrites"), dropped: dropped + counter("entriesDropped") };
  }

  /** Offset of the current address space's banks: guestState.tlbBanks. */
  get banks(): number {
    return bankOf(this.#current, 0);
  }
  /** Offset of the bank of supervisor accesses: guestState.supervisorBank. */
  get supervisorBank(): number {
    return this.#slot(this.#current).isShared ? SHARED_BANK : this.banks;
  }
  /** guestState.slotBit of a traced address space. */
  get slotBit(): number {
    return (1 << this.#current) | (this.#slot(this.#current).isShared ? PageTrace.SHARED : 0);
  }

  /**
   * Takes the banks of an address space into use.
   *
   * @param root guest-physical address of its PML4
   * @param mayShare supervisor accesses reach pages of the lower half only where they say so
   */
  switchTo(root: number, mayShare: boolean): void {
    const found = this.#slots.findIndex((slot) => slot.root === root);
    if (found >= 0) {
      this.#stats.kept++;
      this.#current = found;
    } else {
      this.#stats.fresh++;
      this.#current = this.#oldest();
      this.#release(this.#current);
    }
    const slot = this.#slot(this.#current);
    slot.root = root;
    slot.lastUse = ++this.#clock;
    slot.isShared = mayShare && this.#hasSameUpperHalf(root);
    if (!slot.isShared) {
      slot.usedOwn = true;
      return;
    }
    this.#stats.shared++;
    // What is in the shared bank is true as long as this PML4 stays as it is, whether or not a walk goes through it.
    this.trace(root >>> 12, BigInt((LEVEL_PML4 << PageTrace.LEVEL_SHIFT) | (1 << this.#current)));
    // A hit sets no accessed bit: they are set as if every entry were walked through now, as processors may do ahead of time.
    for (const index of this.#upperHalf.keys()) {
      const at = MemoryMap.RAM + root + 8 * index;
      this.#memory.setUint8(at, this.#memory.getUint8(at) | ACCESSED);
    }
  }

  #hasSameUpperHalf(root: number): boolean {
    const first = MemoryMap.RAM + root;
    if (first + 4096 > this.#memory.byteLength) return false;
    // A table that is executed, too, would have to be looked at for code with every accessed bit.
    if (this.#memory.getUint8(MemoryMap.PAGE_FLAGS + (root >>> 12)) & PageFlag.CODE) return false;
    for (const [index, entry] of this.#upperHalf)
      if ((this.#memory.getBigUint64(first + 8 * index, true) | ACCESSED_DIRTY) !== entry) return false;
    return true;
  }

  /** Drops all translations of all address spaces. */
  flushAll(): void {
    this.#slots.forEach((slot, index) => {
      if (slot.lastUse > 0) this.#flushSlot(index);
    });
    this.#releaseShared();
  }

  /** Whether a guest-physical page is known as a page table of some address space. */
  isTable(page: number): boolean {
    return this.#memory.getBigUint64(MemoryMap.PAGE_TRACE + 8 * page, true) !== 0n;
  }

  /** Drops the translations of the current address space. */
  flushCurrent(): void {
    const slot = this.#slot(this.#current);
    // Whoever does not trace uses the slot's own banks.
    slot.isShared = false;
    slot.usedOwn = true;
    this.#flushSlot(this.#current);
  }

  /** Drops one linear page of the current address space. */
  flushPage(linear: bigint): void {
    this.#tlb.dropPages((1 << this.#current) | PageTrace.SHARED, linear, 1);
  }

  /** A walk went through a table that is not known yet, or not at this place, or not for this address space. */
  trace(page: number, wanted: bigint): void {
    const at = MemoryMap.PAGE_TRACE + 8 * page;
    const known = this.#memory.getBigUint64(at, true);
    let next = wanted;
    if (known === 0n) this.#protect(page);
    else if (((known ^ wanted) & ~OWNERS & ~BigInt(PageTrace.AMBIGUOUS)) === 0n) next = known | wanted;
    else next = known | (wanted & OWNERS) | BigInt(PageTrace.AMBIGUOUS);
    this.#memory.setBigUint64(at, next, true);
    this.#slot(this.#current).tables.add(page);
    if (!(wanted & BigInt(PageTrace.SHARED))) return;
    this.#sharedTables.add(page);
    if (levelOf(wanted) === LEVEL_PDPT) this.#noteUpperHalf(Number((wanted >> 39n) & 511n));
  }

  /** A translation in the shared bank is going to go through this entry of the current PML4. */
  #noteUpperHalf(index: number): void {
    const at = MemoryMap.RAM + (this.#slot(this.#current).root ?? 0) + 8 * index;
    this.#upperHalf.set(index, this.#memory.getBigUint64(at, true) | ACCESSED_DIRTY);
  }

  /**
   * A traced page is about to be written, in another way than those that generated code (table_write) handles itself. @param gpa first byte; @param from offset of the new bytes; all within the page
   */
  beforeWrite(gpa: number, from: number, byteLength: number): void {
    const page = gpa >>> 12;
    const trace = this.#memory.getBigUint64(MemoryMap.PAGE_TRACE + 8 * page, true);
    if (trace === 0n) return;
    if (trace & BigInt(PageTrace.AMBIGUOUS)) {
      this.flushAll();
      this.#untrace(page);
      return;
    }
    for (let entry = (gpa & -8) >>> 0; entry < gpa + byteLength; entry += 8)
      this.#entryWritten(trace, entry, gpa, from, byteLength);
  }

  #entryWritten(trace: bigint, entry: number, gpa: number, from: number, byteLength: number): void {
    const old = this.#memory.getBigUint64(MemoryMap.RAM + entry, true);
    if (!(old & PRESENT)) return;
    const next = this.#merged(entry, gpa, from, byteLength);
    if ((next | ACCESSED_DIRTY) === (old | ACCESSED_DIRTY) && (next & old & ACCESSED_DIRTY) === (old & ACCESSED_DIRTY))
      return;
    this.#stats.dropped++;
    const slots = Number(trace & OWNERS);
    const level = levelOf(trace);
    const shift = BigInt(12 + 9 * level);
    const base = trace & 0xffff_ffe0_0000n;
    const linear = base + (BigInt((entry & 4095) >> 3) << shift);
    const child = Number((old & ADDRESS) >> 12n);
    const isCurrentRoot = level === LEVEL_PML4 && entry >>> 12 === (this.#slot(this.#current).root ?? 0) >>> 12;
    if (isCurrentRoot && (entry & 4095) >= UPPER_HALF) this.#releaseShared();
    if (level <= 1) this.#tlb.dropPages(slots, linear, level === 0 ? 1 : 512);
    else if (this.#isEmptyTable(old, child)) return this.#untrace(child);
    else {
      this.#flushSlots(slots);
      // Nothing of the slot that is cached goes through this table any more. It may be no table now: nothing tells when the page of an
      // address space's root is freed, and every word that is written there would empty the banks again.
      if (!isCurrentRoot) this.#untrace(entry >>> 12);
    }
    if (level > 0 && child < 0x10_0000) this.#orphan(child, slots);
  }

  /**
   * Whether an entry leads to a table none of whose entries is present: as a guest leaves it that takes tables down from below. What was
   * cached behind them went when they were written.
   */
  #isEmptyTable(entry: bigint, page: number): boolean {
    const first = MemoryMap.RAM + page * 4096;
    if (entry & LARGE || first + 4096 > this.#memory.byteLength) return false;
    const trace = this.#memory.getBigUint64(MemoryMap.PAGE_TRACE + 8 * page, true);
    if (trace & BigInt(PageTrace.AMBIGUOUS)) return false;
    for (let at = first; at < first + 4096; at += 8) if (this.#memory.getUint8(at) & 1) return false;
    return true;
  }

  /**
   * A table lost a parent, and what was cached behind that in `slots` has been dropped: they reach the table no more. If another path
   * leads to it, the next walk finds it again. A table that nothing leads to is an ordinary page.
   */
  #orphan(page: number, slots: number): void {
    const at = MemoryMap.PAGE_TRACE + 8 * page;
    const trace = this.#memory.getBigUint64(at, true);
    if (trace === 0n) return;
    const left = trace & ~BigInt(slots);
    if (trace & BigInt(PageTrace.AMBIGUOUS)) {
      this.#flushSlots(Number(trace & OWNERS));
      this.#untrace(page);
    } else if (left & OWNERS) {
      this.#memory.setBigUint64(at, left, true);
      this.#slots.forEach((slot, index) => {
        if (slots & (1 << index)) slot.tables.delete(page);
      });
      if (slots & PageTrace.SHARED) this.#sharedTables.delete(page);
    } else {
      this.#untrace(page);
    }
  }

  /** The 8 bytes of an entry as they will be. */
  #merged(entry: number, gpa: number, from: number, byteLength: number): bigint {
    let value = 0n;
    for (let i = 0; i < 8; i++) {
      const at = entry + i - gpa;
      const byte = at >= 0 && at < byteLength ? this.#bytes[from + at] : this.#bytes[MemoryMap.RAM + entry + i];
      value |= BigInt(byte ?? 0) << BigInt(8 * i);
    }
    return value;
  }

  #slot(index: number): Slot {
    return this.#slots[index] as Slot;
  }

  #oldest(): number {
    let best = 0;
    for (let index = 1; index < this.#slots.length; index++) {
      if (this.#slot(index).lastUse < this.#slot(best).lastUse) best = index;
    }
    return best;
  }

  /** Frees a slot: its banks are emptied and no table names it any more. */
  #release(index: number): void {
    this.#flushSlot(index);
    const slot = this.#slot(index);
    this.#disown(slot.tables, 1 << index);
    slot.root = undefined;
  }

  /** Empties the shared bank, and forgets whose upper half it held. */
  #releaseShared(): void {
    this.#flushShared();
    this.#disown(this.#sharedTables, PageTrace.SHARED);
    this.#upperHalf.clear();
  }

  /** Takes the bit of an owner from all its tables. */
  #disown(tables: Set<number>, owner: number): void {
    for (const page of tables) {
      const at = MemoryMap.PAGE_TRACE + 8 * page;
      const trace = this.#memory.getBigUint64(at, true) & ~BigInt(owner);
      if (trace & OWNERS) this.#memory.setBigUint64(at, trace, true);
      else this.#untrace(page);
    }
    tables.clear();
  }

  #untrace(page: number): void {
    this.#memory.setBigUint64(MemoryMap.PAGE_TRACE + 8 * page, 0n, true);
    const flags = MemoryMap.PAGE_FLAGS + page;
    this.#memory.setUint8(flags, this.#memory.getUint8(flags) & ~PageFlag.PAGE_TABLE);
    for (const slot of this.#slots) slot.tables.delete(page);
    this.#sharedTables.delete(page);
  }

  #protect(page: number): void {
    const flags = MemoryMap.PAGE_FLAGS + page;
    this.#memory.setUint8(flags, this.#memory.getUint8(flags) | PageFlag.PAGE_TABLE);
    this.#tlb.forgetWrites(page);
  }

  #flushSlot(index: number): void {
    const slot = this.#slot(index);
    for (let bank = slot.usedOwn ? 0 : 1; bank < Tlb.BANKS_OF_SLOT; bank++) this.#tlb.empty(bankOf(index, bank));
    slot.usedOwn = !slot.isShared;
  }

  #flushShared(): void {
    this.#tlb.empty(SHARED_BANK);
  }

  #flushSlots(slots: number): void {
    for (let index = 0; index < Tlb.SLOTS; index++) if (slots & (1 << index)) this.#flushSlot(index);
    if (slots & PageTrace.SHARED) this.#flushShared();
  }
}

/** Level of a table by what PAGE_TRACE says of it: 0 = page table, 3 = PML4. */
function levelOf(trace: bigint): number {
  return Number(trace >> BigInt(PageTrace.LEVEL_SHIFT)) & PageTrace.LEVEL_MASK;
}
