import { MemoryMap, PageTrace, Tlb, Writers } from "../abi/memory-map.ts";

/** Offset of the bank of supervisor accesses that address spaces share. */
export const SHARED_BANK: number = MemoryMap.TLB + Tlb.SHARED_BANK * Tlb.BANK_BYTES;

/** Empties `count` entries from number `first` on in the three tables of the TLB bank at offset `bank`. */
export type DropEntries = (bank: number, first: number, count: number) => void;

/** Offset of bank `bank` of a slot. */
export function bankOf(slot: number, bank: number): number {
  return MemoryMap.TLB + (slot * Tlb.BANKS_OF_SLOT + bank) * Tlb.BANK_BYTES;
}

/** The banks of the TLB as they are emptied; generated code fills them. */
export class TlbBanks {
  readonly #memory: DataView;
  readonly #dropEntries: DropEntries;

  /** @param dropEntries in generated code: an engine fills shared memory byte by byte where JavaScript asks for it */
  constructor(memory: DataView, dropEntries: DropEntries) {
    this.#memory = memory;
    this.#dropEntries = dropEntries;
    new Uint8Array(memory.buffer, memory.byteOffset).fill(0xff, MemoryMap.TLB, SHARED_BANK + Tlb.BANK_BYTES);
  }

  /** Empties the bank at an offset. */
  empty(bank: number): void {
    this.#dropEntries(bank, 0, Tlb.ENTRIES);
  }

  /**
   * Drops consecutive pages from the banks of some slots.
   *
   * @param owners bits as in PageTrace.OWNERS
   * @param count a power of two, at most 512
   */
  dropPages(owners: number, linear: bigint, count: number): void {
    const first = Number((linear >> 12n) & BigInt(Tlb.ENTRIES - 1)) & -count;
    for (let slot = 0; slot < Tlb.SLOTS; slot++) {
      if (!(owners & (1 << slot))) continue;
      for (let bank = 0; bank < Tlb.BANKS_OF_SLOT; bank++) this.#dropEntries(bankOf(slot, bank), first, count);
    }
    if (owners & PageTrace.SHARED) this.#dropEntries(SHARED_BANK, first, count);
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
    for (let bank = 0; bank <= Tlb.SHARED_BANK; bank++) {
      const entry = MemoryMap.TLB + bank * Tlb.BANK_BYTES + Tlb.WRITE + index * Tlb.ENTRY_BYTES;
      this.#memory.setInt32(entry, -1, true);
      this.#memory.setInt32(entry + 4, -1, true);
    }
  }

  #forgetWritesEverywhere(pageStart: number): void {
    const words = new Int32Array(this.#memory.buffer, this.#memory.byteOffset);
    const stride = Tlb.ENTRY_BYTES / 4;
    for (let bank = 0; bank <= Tlb.SHARED_BANK; bank++) {
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
