import { MemoryMap, PageFlag } from "../abi/memory-map.ts";

/** Half-open ranges of offsets in linear memory that hold code, each within a page. */
export type Spans = readonly (readonly [first: number, end: number])[];

const LINES = 64;
const LINE_SHIFT = 6;

/** What was made of the code in a page. */
interface CodePage<T> {
  readonly all: Set<T>;
  /** spans that reach into each line */
  readonly uses: Uint32Array;
}

/**
 * What was made of the code in each page of guest-physical memory, and the flags and line masks that make writes to code visible.
 *
 * Kernels write to pages with code ten thousand times while they boot, so looking for what a write hits has no closures and no
 * iterators: V8 optimizes those for one kind of array, and did so anew, again and again, whenever it met another.
 */
export class CodePages<T extends { readonly spans: Spans }> {
  readonly #memory: DataView;
  readonly #forgetWrites: (page: number) => void;
  readonly #pages = new Map<number, CodePage<T>>();

  /** @param forgetWrites takes from the TLB the right to write to a page directly */
  constructor(memory: DataView, forgetWrites: (page: number) => void) {
    this.#memory = memory;
    this.#forgetWrites = forgetWrites;
  }

  /** Whether `code` is known, and has not been removed. */
  has(code: T): boolean {
    const [span] = code.spans;
    return span !== undefined && this.#pages.get(pageOf(span[0]))?.all.has(code) === true;
  }

  /** What has code in [first, end), which lies within a page. */
  in(first: number, end: number): readonly T[] {
    const found: T[] = [];
    const page = this.#pages.get(pageOf(first));
    if (page) for (const code of page.all) if (touches(code.spans, first, end)) found.push(code);
    return found;
  }

  add(code: T): void {
    for (const span of code.spans) {
      const page = pageOf(span[0]);
      let known = this.#pages.get(page);
      if (!known) {
        known = { all: new Set(), uses: new Uint32Array(LINES) };
        this.#pages.set(page, known);
        const flags = MemoryMap.PAGE_FLAGS + page;
        this.#memory.setUint8(flags, this.#memory.getUint8(flags) | PageFlag.CODE);
        this.#forgetWrites(page);
      }
      known.all.add(code);
      this.#use(page, known.uses, span[0], span[1], 1);
    }
  }

  remove(code: T): void {
    if (!this.has(code)) return;
    for (const span of code.spans) {
      const page = pageOf(span[0]);
      const known = this.#pages.get(page);
      if (known) this.#use(page, known.uses, span[0], span[1], -1);
    }
    for (const span of code.spans) {
      const page = pageOf(span[0]);
      const all = this.#pages.get(page)?.all;
      all?.delete(code);
      if (all?.size !== 0) continue;
      this.#pages.delete(page);
      const flags = MemoryMap.PAGE_FLAGS + page;
      this.#memory.setUint8(flags, this.#memory.getUint8(flags) & ~PageFlag.CODE);
    }
  }

  /** Counts a span's lines up or down; a line is marked while something uses it. */
  #use(page: number, uses: Uint32Array, first: number, end: number, change: 1 | -1): void {
    const at = MemoryMap.CODE_LINES + 8 * page;
    for (let line = (first & 4095) >> LINE_SHIFT; line <= ((end - 1) & 4095) >> LINE_SHIFT; line++) {
      const count = (uses[line] ?? 0) + change;
      uses[line] = count;
      const word = at + (line >> 5) * 4;
      const bit = 1 << (line & 31);
      const mask = this.#memory.getUint32(word, true);
      this.#memory.setUint32(word, count > 0 ? mask | bit : mask & ~bit, true);
    }
  }
}

/** Whether one of the spans has something of [first, end). */
function touches(spans: Spans, first: number, end: number): boolean {
  for (let index = 0; index < spans.length; index++) {
    const span = spans[index];
    if (span && span[0] < end && first < span[1]) return true;
  }
  return false;
}

/** Spans that came from elsewhere, in arrays of the kind that literals are: engines tell arrays of other kinds apart. */
export function ownSpans(spans: Spans): Spans {
  const own: (readonly [number, number])[] = [];
  for (const [first, end] of spans) own.push([first, end]);
  return own;
}

/** Guest-physical page number of an offset. */
export function pageOf(offset: number): number {
  return (offset - MemoryMap.RAM) >>> 12;
}
