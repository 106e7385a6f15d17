import { MemoryMap } from "../abi/memory-map.ts";

/** Parts in which the room for records is used again. */
const PARTS = 16;
const PART_BYTES = (MemoryMap.RECORDS_END - MemoryMap.RECORDS) / PARTS;

/**
 * The room for records of decoded blocks, used from one end to the other and then from the beginning again, part by part: the blocks
 * that were decoded longest ago go first, a sixteenth of all at a time.
 */
export class RecordRoom {
  readonly #vacate: (first: number, end: number) => void;
  #next: number = MemoryMap.RECORDS;
  #partEnd: number = MemoryMap.RECORDS + PART_BYTES;
  /** the room has been used up before: what lies ahead may be in use */
  #isUsed = false;

  /** @param vacate makes sure that nothing uses or leads to records in [first, end) any more */
  constructor(vacate: (first: number, end: number) => void) {
    this.#vacate = vacate;
  }

  /** Where `byteLength` bytes of records can go; `take` says how many were needed. */
  reserve(byteLength: number): number {
    if (this.#next + byteLength > this.#partEnd) {
      if (this.#partEnd >= MemoryMap.RECORDS_END) {
        this.#isUsed = true;
        this.#partEnd = MemoryMap.RECORDS;
      }
      this.#next = this.#partEnd;
      this.#partEnd += PART_BYTES;
      if (this.#isUsed) this.#vacate(this.#next, this.#partEnd);
    }
    return this.#next;
  }

  take(byteLength: number): void {
    this.#next += byteLength;
  }
}
