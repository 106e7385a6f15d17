import { MemoryMap } from "../abi/memory-map.ts";
import { LinkCell } from "../abi/translator.ts";

/** Cells of the smallest piece. */
const SMALLEST = 2;

/**
 * Room for the link cells of regions: pieces of a power of two of cells. A piece that is free again serves the next region
 * that needs one of its size.
 */
export class LinkCells {
  readonly #memory: DataView;
  /** free pieces by the logarithm of their size */
  readonly #free: number[][] = [];
  #end: number = MemoryMap.LINKS;

  constructor(memory: DataView) {
    this.#memory = memory;
  }

  /** Offset of `count` empty cells; undefined when there is no room. */
  allocate(count: number): number | undefined {
    const size = sizeClass(count);
    const byteLength = LinkCell.BYTES << size;
    let at = this.#free[size]?.pop();
    if (at === undefined) {
      if (this.#end + byteLength > MemoryMap.LINKS_END) return undefined;
      at = this.#end;
      this.#end += byteLength;
    }
    for (let cell = at; cell < at + byteLength; cell += 4) this.#memory.setUint32(cell, 0, true);
    return at;
  }

  free(at: number, count: number): void {
    (this.#free[sizeClass(count)] ??= []).push(at);
  }

  /** Empties the cells that hold a record in [first, end). */
  unlink(first: number, end: number): void {
    for (let at: number = MemoryMap.LINKS; at < this.#end; at += LinkCell.BYTES) {
      const record = this.#memory.getUint32(at + LinkCell.RECORD, true);
      if (record >= first && record < end) this.#memory.setUint32(at + LinkCell.RECORD, 0, true);
    }
  }
}

function sizeClass(count: number): number {
  return Math.ceil(Math.log2(Math.max(count, SMALLEST)));
}
