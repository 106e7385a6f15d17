import { MemoryMap, PageFlag } from "../abi/memory-map.ts";

/** Half-open ranges of offsets in linear memory that hold code, each within a page. */
export type Spans = readonly (readonly [first: number, end: number])[];

/**
 * What was made of the code in each page of guest-physical memory, and the flags and line masks that make writes to code visible.
 */
export class CodePages<T extends { readonly spans: Spans }> {
  readonly #memory: DataView;
  readonly #forgetWrites: (page: number) => void;
  readonly #pages = new Map<number, Set<T>>();

  /** @param forgetWrites takes from the TLB the right to write to a page directly */
  constructor(memory: DataView, forgetWrites: (page: number) => void) {
    this.#memory = memory;
    this.#forgetWrites = forgetWrites;
  }

  /** What has code in the page with this number. */
  in(page: number): ReadonlySet<T> | undefined {
    return this.#pages.get(page);
  }

  add(code: T): void {
    for (const [first, end] of code.spans) {
      const page = pageOf(first);
      let all = this.#pages.get(page);
      if (!all) {
        all = new Set();
        this.#pages.set(page, all);
        const flags = MemoryMap.PAGE_FLAGS + page;
        this.#memory.setUint8(flags, this.#memory.getUint8(flags) | PageFlag.CODE);
        this.#forgetWrites(page);
      }
      all.add(code);
      this.#markLines(page, first, end);
    }
  }

  remove(code: T): void {
    for (const [first] of code.spans) {
      const page = pageOf(first);
      const all = this.#pages.get(page);
      if (!all?.delete(code)) continue;
      this.#memory.setBigUint64(MemoryMap.CODE_LINES + 8 * page, 0n, true);
      if (all.size === 0) {
        this.#pages.delete(page);
        const flags = MemoryMap.PAGE_FLAGS + page;
        this.#memory.setUint8(flags, this.#memory.getUint8(flags) & ~PageFlag.CODE);
        continue;
      }
      for (const { spans } of all)
        for (const [start, end] of spans) if (pageOf(start) === page) this.#markLines(page, start, end);
    }
  }

  #markLines(page: number, first: number, end: number): void {
    const at = MemoryMap.CODE_LINES + 8 * page;
    for (let line = (first & 4095) >> 6; line <= ((end - 1) & 4095) >> 6; line++) {
      const word = at + (line >> 5) * 4;
      this.#memory.setUint32(word, this.#memory.getUint32(word, true) | (1 << (line & 31)), true);
    }
  }
}

/** Guest-physical page number of an offset. */
export function pageOf(offset: number): number {
  return (offset - MemoryMap.RAM) >>> 12;
}
