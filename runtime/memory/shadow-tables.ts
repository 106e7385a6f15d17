import { MemoryMap, PageFlag, PageTrace, Tlb, Writers } from "../abi/memory-map.ts";

/** PS: the entry maps a page of 2 MiB or 1 GiB */
const LARGE = 0x80n;
const PRESENT = 1n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
/** accessed and dirty: the processor sets them itself, and setting them changes no translation */
const ACCESSED_DIRTY = 0x60n;
const SLOT_BYTES: number = Tlb.BANKS_OF_SLOT * Tlb.BANK_BYTES;

/** Empties `count` entries from number `first` on in the three tables of the TLB bank at offset `bank`. */
export type DropEntries = (bank: number, first: number, count: number) => void;

export interface ShadowStats {
  /** loads of CR3 whose address space still had its banks */
  kept: number;
  /** loads of CR3 that needed new banks */
  fresh: number;
  /** writes to page tables that were seen */
  tableWrites: number;
  /** translations, or ranges of them, dropped because of such writes */
  dropped: number;
}

interface Slot {
  /** CR3's address bits; undefined while the slot is free */
  root: number | undefined;
  lastUse: number;
  /** page numbers of the tables that this slot's translations went through */
  readonly tables: Set<number>;
}

/**
 * Shadow page tables: TLB banks that stand for the page tables of several address spaces at a time and survive a load of CR3.
 *
 * They stay true because the guest's tables are traced: a page that a walk went through is not writable through the fast path,
 * and a write to it drops what it made stale, in every address space that used it. An entry that was not present has nothing
 * cached behind it, so building tables costs no drops. Only 4-level paging is traced; the other modes flush as hardware does.
 */
export class ShadowTables {
  readonly stats: ShadowStats = { kept: 0, fresh: 0, tableWrites: 0, dropped: 0 };
  readonly #memory: DataView;
  readonly #bytes: Uint8Array;
  readonly #slots: readonly Slot[];
  readonly #dropEntries: DropEntries;
  #current = 0;
  #clock = 0;

  /** @param dropEntries in generated code: an engine fills shared memory byte by byte where JavaScript asks for it */
  constructor(memory: DataView, dropEntries: DropEntries) {
    this.#memory = memory;
    this.#dropEntries = dropEntries;
    this.#bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#slots = Array.from({ length: Tlb.SLOTS }, () => ({ root: undefined, lastUse: 0, tables: new Set<number>() }));
    this.#bytes.fill(0xff, MemoryMap.TLB, MemoryMap.TLB + Tlb.SLOTS * SLOT_BYTES + Tlb.BANK_BYTES);
  }

  /** Offset of the current address space's banks: guestState.tlbBanks. */
  get banks(): number {
    return this.#banksOf(this.#current);
  }
  /** guestState.slotBit of a traced address space. */
  get slotBit(): number {
    return 1 << this.#current;
  }

  /**
   * Takes the banks of an address space into use.
   *
   * @param root guest-physical address of its PML4
   */
  switchTo(root: number): void {
    const found = this.#slots.findIndex((slot) => slot.root === root);
    if (found >= 0) {
      this.stats.kept++;
      this.#current = found;
    } else {
      this.stats.fresh++;
      this.#current = this.#oldest();
      this.#release(this.#current);
    }
    const slot = this.#slot(this.#current);
    slot.root = root;
    slot.lastUse = ++this.#clock;
  }

  /** Drops all translations of all address spaces. */
  flushAll(): void {
    this.#slots.forEach((slot, index) => {
      if (slot.lastUse > 0) this.#flushSlot(index);
    });
  }

  /** Whether a guest-physical page is known as a page table of some address space. */
  isTable(page: number): boolean {
    return this.#memory.getBigUint64(MemoryMap.PAGE_TRACE + 8 * page, true) !== 0n;
  }

  /** Drops the translations of the current address space. */
  flushCurrent(): void {
    this.#flushSlot(this.#current);
  }

  /** Drops one linear page of the current address space. */
  flushPage(linear: bigint): void {
    this.#dropPages(1 << this.#current, linear, 1);
  }

  /** A walk went through a table that is not known yet, or not at this place, or not for this address space. */
  trace(page: number, wanted: bigint): void {
    const at = MemoryMap.PAGE_TRACE + 8 * page;
    const known = this.#memory.getBigUint64(at, true);
    const slots = BigInt(PageTrace.SLOTS);
    let next = wanted;
    if (known === 0n) this.#protect(page);
    else if (((known ^ wanted) & ~slots & ~BigInt(PageTrace.AMBIGUOUS)) === 0n) next = known | wanted;
    else next = known | (wanted & slots) | BigInt(PageTrace.AMBIGUOUS);
    this.#memory.setBigUint64(at, next, true);
    this.#slot(this.#current).tables.add(page);
  }

  /**
   * A traced page is about to be written. @param gpa first byte; @param from offset of the new bytes; all within the page
   */
  beforeWrite(gpa: number, from: number, byteLength: number): void {
    this.stats.tableWrites++;
    const page = gpa >>> 12;
    const trace = this.#memory.getBigUint64(MemoryMap.PAGE_TRACE + 8 * page, true);
    if (trace === 0n) return;
    if (trace & BigInt(PageTrace.AMBIGUOUS)) {
      this.flushAll();
      this.#untrace(page);
      return;
    }
    for (let entry = gpa & -8; entry < gpa + byteLength; entry += 8)
      this.#entryWritten(trace, entry, gpa, from, byteLength);
  }

  #entryWritten(trace: bigint, entry: number, gpa: number, from: number, byteLength: number): void {
    const old = this.#memory.getBigUint64(MemoryMap.RAM + entry, true);
    if (!(old & PRESENT)) return;
    const next = this.#merged(entry, gpa, from, byteLength);
    if ((next | ACCESSED_DIRTY) === (old | ACCESSED_DIRTY) && (next & old & ACCESSED_DIRTY) === (old & ACCESSED_DIRTY))
      return;
    this.stats.dropped++;
    const slots = Number(trace & BigInt(PageTrace.SLOTS));
    const level = Number(trace >> BigInt(PageTrace.LEVEL_SHIFT)) & PageTrace.LEVEL_MASK;
    const shift = BigInt(12 + 9 * level);
    const base = trace & 0xffff_ffe0_0000n;
    const linear = base + (BigInt((entry & 4095) >> 3) << shift);
    const child = Number((old & ADDRESS) >> 12n);
    if (level <= 1) this.#dropPages(slots, linear, level === 0 ? 1 : 512);
    else if (this.#isEmptyTable(old, child)) return this.#untrace(child);
    else {
      this.#flushSlots(slots);
      // Nothing that is cached goes through this table any more. It may be no table now: nothing tells when the page of an address
      // space's root is freed, and every word that is written there would empty the banks again.
      this.#untrace(entry >>> 12);
    }
    // The table below is reached from here no more; if another path leads to it, the next walk finds it again.
    if (level > 0 && child < 0x10_0000) this.#orphan(child);
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

  /** A table lost a parent: everything that went through it is dropped, then it is an ordinary page again. */
  #orphan(page: number): void {
    const trace = this.#memory.getBigUint64(MemoryMap.PAGE_TRACE + 8 * page, true);
    if (trace === 0n) return;
    this.#flushSlotsOver(trace);
    this.#untrace(page);
  }

  #flushSlotsOver(trace: bigint): void {
    const slots = Number(trace & BigInt(PageTrace.SLOTS));
    const level = Number(trace >> BigInt(PageTrace.LEVEL_SHIFT)) & PageTrace.LEVEL_MASK;
    if (level === 0 && !(trace & BigInt(PageTrace.AMBIGUOUS))) this.#dropPages(slots, trace & 0xffff_ffe0_0000n, 512);
    else this.#flushSlots(slots);
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
  #banksOf(index: number): number {
    return MemoryMap.TLB + index * SLOT_BYTES;
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
    for (const page of slot.tables) {
      const at = MemoryMap.PAGE_TRACE + 8 * page;
      const trace = this.#memory.getBigUint64(at, true) & ~(1n << BigInt(index));
      if (trace & BigInt(PageTrace.SLOTS)) this.#memory.setBigUint64(at, trace, true);
      else this.#untrace(page);
    }
    slot.tables.clear();
    slot.root = undefined;
  }

  #untrace(page: number): void {
    this.#memory.setBigUint64(MemoryMap.PAGE_TRACE + 8 * page, 0n, true);
    const flags = MemoryMap.PAGE_FLAGS + page;
    this.#memory.setUint8(flags, this.#memory.getUint8(flags) & ~PageFlag.PAGE_TABLE);
    for (const slot of this.#slots) slot.tables.delete(page);
  }

  #protect(page: number): void {
    const flags = MemoryMap.PAGE_FLAGS + page;
    this.#memory.setUint8(flags, this.#memory.getUint8(flags) | PageFlag.PAGE_TABLE);
    this.forgetWrites(page);
  }

  #flushSlot(index: number): void {
    for (let bank = 0; bank < Tlb.BANKS_OF_SLOT; bank++)
      this.#dropEntries(this.#banksOf(index) + bank * Tlb.BANK_BYTES, 0, Tlb.ENTRIES);
  }

  #flushSlots(slots: number): void {
    for (let index = 0; index < Tlb.SLOTS; index++) if (slots & (1 << index)) this.#flushSlot(index);
  }

  /** Drops `count` (a power of two, at most 512) consecutive pages from the banks of some slots. */
  #dropPages(slots: number, linear: bigint, count: number): void {
    const first = Number((linear >> 12n) & BigInt(Tlb.ENTRIES - 1)) & -count;
    for (let index = 0; index < Tlb.SLOTS; index++) {
      if (!(slots & (1 << index))) continue;
      for (let bank = 0; bank < Tlb.BANKS_OF_SLOT; bank++)
        this.#dropEntries(this.#banksOf(index) + bank * Tlb.BANK_BYTES, first, count);
    }
  }

  /** Takes from every bank the right to write to a guest-physical page directly. */
  forgetWrites(page: number): void {
    const at = MemoryMap.WRITERS + 8 * page;
    const low = this.#memory.getUint32(at, true);
    if (low === 0) return;
    const writers = this.#memory.getBigUint64(at, true);
    this.#memory.setBigUint64(at, 0n, true);
    const count = low & Writers.COUNT_MASK;
    if (count === Writers.SEVERAL) {
      this.#forgetWritesEverywhere(MemoryMap.RAM + page * 4096);
      return;
    }
    for (let i = 0; i < count; i++) {
      const shift = BigInt(Writers.FIRST_SHIFT + i * Writers.BITS);
      this.#forgetEntries(Number((writers >> shift) & BigInt(Tlb.ENTRIES - 1)));
    }
  }

  /** Empties one entry of the write table in all banks. */
  #forgetEntries(index: number): void {
    for (let bank = 0; bank < Tlb.SLOTS * Tlb.BANKS_OF_SLOT; bank++) {
      const entry = MemoryMap.TLB + bank * Tlb.BANK_BYTES + Tlb.WRITE + index * Tlb.ENTRY_BYTES;
      this.#memory.setInt32(entry, -1, true);
      this.#memory.setInt32(entry + 4, -1, true);
    }
  }

  #forgetWritesEverywhere(pageStart: number): void {
    const words = new Int32Array(this.#memory.buffer, this.#memory.byteOffset);
    const stride = Tlb.ENTRY_BYTES / 4;
    for (let bank = 0; bank < Tlb.SLOTS * Tlb.BANKS_OF_SLOT; bank++) {
      const first = (MemoryMap.TLB + bank * Tlb.BANK_BYTES + Tlb.WRITE) / 4;
      for (let at = first; at < first + Tlb.ENTRIES * stride; at += stride) {
        const tag = words[at] ?? -1;
        if (tag !== -1 && ((tag + (words[at + 2] ?? 0)) | 0) === (pageStart | 0)) {
          words[at] = -1;
          words[at + 1] = -1;
        }
      }
    }
  }
}
