import { type BlockDecoder, MAXIMUM_BLOCK_RECORDS } from "../abi/block-decoder.ts";
import { Mode } from "../abi/guest-state.ts";
import { BLOCK_HASH, BlockHashEntry, MemoryMap, PageFlag, Rec } from "../abi/memory-map.ts";
import { ENTRY_HANDLERS, ENTRY_MARK, EntryRecord, LinkCell, type TranslatedRegion } from "../abi/translator.ts";

/** Code that was decoded or translated. Offsets are offsets in linear memory. */
interface CodeSpans {
  /** the parts of one or two pages that hold its code: [first, end) */
  readonly spans: readonly (readonly [first: number, end: number])[];
}

/** A decoded block. */
interface Block extends CodeSpans {
  readonly start: number;
  readonly mode: number;
  /** the first record: with translation, of 64-bit code, the entry record */
  readonly record: number;
  readonly recordBytes: number;
  region?: Region | undefined;
  /** it is part of another block's region, and was given more time for that */
  deferred?: boolean;
}

/** A translated region; it is entered where the block begins. */
interface Region extends CodeSpans {
  readonly block: Block;
  readonly dropped: () => void;
}

/** How blocks come to be translated. */
export interface EntryOptions {
  /** index of the first of ENTRY_HANDLERS in the table of core.wasm */
  readonly firstHandler: number;
  /** times that a block runs before it is translated */
  readonly countdown: number;
}

export interface BlockCacheStats {
  decoded: number;
  dropped: number;
  /** times that all blocks were dropped because the room for records was used up */
  flushes: number;
}

/** How many times longer a block is counted that is part of a region already. */
const DEFERRAL = 20;

/** Handler 0 of core.wasm: the record belongs to a dropped block. */
const STALE = 0;

/**
 * Decoded blocks by where their code lies in guest-physical memory (as offset of linear memory) and by mode. Keeps the hash that
 * generated code searches, and the flags and line masks that make writes to code visible.
 */
export class BlockCache {
  readonly stats: BlockCacheStats = { decoded: 0, dropped: 0, flushes: 0 };
  readonly #memory: DataView;
  readonly #decoder: BlockDecoder;
  readonly #forgetWrites: (page: number) => void;
  readonly #blocks = new Map<number, Block>();
  /** blocks that have code in a page, by guest-physical page number */
  readonly #pages = new Map<number, Set<Block | Region>>();
  readonly #entries: EntryOptions | undefined;
  #free: number = MemoryMap.RECORDS;

  /** @param forgetWrites takes from the TLB the right to write to a page directly */
  constructor(memory: DataView, decoder: BlockDecoder, forgetWrites: (page: number) => void, entries?: EntryOptions) {
    this.#entries = entries;
    this.#memory = memory;
    this.#decoder = decoder;
    this.#forgetWrites = forgetWrites;
  }

  /** Makes sure that the hash holds the block at `start`, decoding it if need be. */
  provide(start: number, mode: number, codeBytes: number, nextPage: () => number): void {
    const block = this.#blocks.get(keyOf(start, mode)) ?? this.#decode(start, mode, codeBytes, nextPage);
    const slot = hashSlot(start);
    this.#memory.setUint32(slot + BlockHashEntry.OFFSET, start, true);
    this.#memory.setUint32(slot + BlockHashEntry.MODE, mode, true);
    this.#memory.setUint32(slot + BlockHashEntry.RECORD, block.record, true);
  }

  /** Drops the block at `start`, because the page that its last instruction reaches into is another one now. */
  dropAt(start: number, mode: number): void {
    const block = this.#blocks.get(keyOf(start, mode));
    if (block) this.#drop(block);
  }

  /** Whether there is a block at `start`. */
  has(start: number, mode: number): boolean {
    return this.#blocks.has(keyOf(start, mode));
  }

  /** Where in the page of `start` blocks of this mode begin. */
  startsInPage(start: number, mode: number): ReadonlySet<number> {
    const starts = new Set<number>();
    const page = start & ~4095;
    for (const block of this.#pages.get((start - MemoryMap.RAM) >>> 12) ?? [])
      if (!("block" in block) && block.mode === mode && (block.start & ~4095) === page) starts.add(block.start & 4095);
    return starts;
  }

  /**
   * Has the region run from now on wherever its block is entered; `dropped` is called when its code is no longer true.
   *
   * @param handler place of the region's function among the handlers
   * @returns false if there is no such block, or no room: then `dropped` has been called
   */
  installRegion(start: number, mode: number, region: TranslatedRegion, handler: number, dropped: () => void): boolean {
    const block = this.#blocks.get(keyOf(start, mode));
    const links = block && this.#allocateLinks(region.links);
    if (!block || links === undefined) {
      dropped();
      return false;
    }
    if (block.region) this.#dropRegion(block.region);
    block.region = { block, spans: region.spans, dropped };
    this.#memory.setUint32(block.record + EntryRecord.LINKS, links, true);
    this.#memory.setUint32(block.record + Rec.HANDLER, handler, true);
    for (const span of region.spans) this.#addToPage(block.region, span);
    this.#deferInner(region.blocks, mode);
    return true;
  }

  /** Blocks inside of a region are mostly reached through it: those that are entered by themselves all the same must prove it. */
  #deferInner(starts: readonly number[], mode: number): void {
    const entries = this.#entries;
    if (!entries) return;
    for (const start of starts) {
      const block = this.#blocks.get(keyOf(start, mode));
      if (!block || block.region || block.deferred === true) continue;
      block.deferred = true;
      const at = block.record + EntryRecord.COUNTDOWN;
      this.#memory.setUint32(at, this.#memory.getUint32(at, true) + entries.countdown * DEFERRAL, true);
    }
  }

  /** Room for link cells, all empty; undefined when there is none until all blocks are dropped. */
  #allocateLinks(count: number): number | undefined {
    const byteLength = (LinkCell.BYTES * count + 15) & ~15;
    if (this.#free + byteLength > MemoryMap.RECORDS_END) return undefined;
    const links = this.#free;
    this.#free += byteLength;
    for (let at = links; at < links + byteLength; at += 4) this.#memory.setUint32(at, 0, true);
    return links;
  }

  /** Leaves a block to the interpreter: for good, or until it has been translated. */
  leaveToInterpreter(start: number, mode: number): void {
    const block = this.#blocks.get(keyOf(start, mode));
    if (block) this.#setEntry(block, "enter_block");
  }

  /** Counts how often a block runs as if it were new, unless it has a region. */
  countAgain(start: number, mode: number): void {
    const block = this.#blocks.get(keyOf(start, mode));
    if (block && !block.region) this.#count(block);
  }

  #count(block: Block): void {
    this.#memory.setUint32(block.record + EntryRecord.COUNTDOWN, this.#entries?.countdown ?? 0, true);
    this.#setEntry(block, "count_block");
  }

  #setEntry(block: Block, name: (typeof ENTRY_HANDLERS)[number]): void {
    if (this.#entries)
      this.#memory.setUint32(
        block.record + Rec.HANDLER,
        this.#entries.firstHandler + ENTRY_HANDLERS.indexOf(name),
        true,
      );
  }

  /** The entry record of 64-bit code; gives its size, 0 if there is none. */
  #writeEntry(record: number, start: number, mode: number): number {
    if (!this.#entries || (mode & (Mode.CODE_SIZE_MASK | Mode.STEP)) !== Mode.CODE64) return 0;
    for (let at = record; at < record + Rec.BYTES; at += 4) this.#memory.setUint32(at, 0, true);
    this.#memory.setUint16(record + Rec.PAGE_OFFSET, start & 4095, true);
    this.#memory.setUint32(record + EntryRecord.COUNTDOWN, this.#entries.countdown, true);
    this.#memory.setUint8(record + EntryRecord.MARK, ENTRY_MARK);
    return Rec.BYTES;
  }

  /** Drops every block with code in [gpa, gpa + byteLength), which lies within a page. Returns how many. */
  invalidate(gpa: number, byteLength: number): number {
    const blocks = this.#pages.get(gpa >>> 12);
    if (!blocks) return 0;
    const first = MemoryMap.RAM + gpa;
    const end = first + byteLength;
    let dropped = 0;
    for (const block of [...blocks]) {
      if (blocks.has(block) && block.spans.some((span) => span[0] < end && first < span[1])) {
        if ("block" in block) {
          this.#dropRegion(block);
        } else {
          this.#drop(block);
          dropped++;
        }
      }
    }
    return dropped;
  }

  /** Drops everything; only while no generated code is running. */
  clear(): void {
    for (const block of [...this.#blocks.values()]) this.#drop(block);
    this.#free = MemoryMap.RECORDS;
    this.stats.flushes++;
  }

  #decode(start: number, mode: number, codeBytes: number, nextPage: () => number): Block {
    if (this.#free + (MAXIMUM_BLOCK_RECORDS + 1) * Rec.BYTES > MemoryMap.RECORDS_END) this.clear();
    const record = this.#free;
    const entryBytes = this.#writeEntry(record, start, mode);
    const decoded = this.#decoder.decode(this.#memory, {
      start,
      mode,
      record: record + entryBytes,
      codeBytes,
      nextPage,
    });
    const recordBytes = entryBytes + decoded.recordBytes;
    this.#free += recordBytes;
    const spans: [number, number][] = [[start, start + decoded.byteLength]];
    if (decoded.crossingBytes > 0 && decoded.nextPage > 0) {
      spans.push([decoded.nextPage, decoded.nextPage + decoded.crossingBytes]);
    }
    const block: Block = { start, mode, record, recordBytes, spans };
    this.#blocks.set(keyOf(start, mode), block);
    // What crosses into the next page stays with the interpreter, which checks that page.
    if (entryBytes > 0)
      this.#setEntry(block, decoded.nextPage > 0 || decoded.crossingBytes > 0 ? "enter_block" : "count_block");
    for (const span of spans) this.#addToPage(block, span);
    this.stats.decoded++;
    return block;
  }

  #addToPage(block: Block | Region, [first, end]: readonly [number, number]): void {
    const page = (first - MemoryMap.RAM) >>> 12;
    let blocks = this.#pages.get(page);
    if (!blocks) {
      blocks = new Set();
      this.#pages.set(page, blocks);
      const flags = MemoryMap.PAGE_FLAGS + page;
      this.#memory.setUint8(flags, this.#memory.getUint8(flags) | PageFlag.CODE);
      this.#forgetWrites(page);
    }
    blocks.add(block);
    this.#markLines(page, first, end);
  }

  #markLines(page: number, first: number, end: number): void {
    const at = MemoryMap.CODE_LINES + 8 * page;
    for (let line = (first & 4095) >> 6; line <= ((end - 1) & 4095) >> 6; line++) {
      const word = at + (line >> 5) * 4;
      this.#memory.setUint32(word, this.#memory.getUint32(word, true) | (1 << (line & 31)), true);
    }
  }

  #drop(block: Block): void {
    this.stats.dropped++;
    this.#blocks.delete(keyOf(block.start, block.mode));
    const slot = hashSlot(block.start);
    if (this.#memory.getUint32(slot + BlockHashEntry.RECORD, true) === block.record) {
      this.#memory.setUint32(slot + BlockHashEntry.OFFSET, 0, true);
    }
    // Links from other blocks, and the block itself if it is running, find the stale handler at their next step.
    for (let at = block.record; at < block.record + block.recordBytes; at += Rec.BYTES) {
      this.#memory.setUint32(at + Rec.HANDLER, STALE, true);
    }
    this.#removeFromPages(block);
    if (block.region) this.#dropRegion(block.region);
  }

  /** The block of a region that is no longer true is counted anew. */
  #dropRegion(region: Region): void {
    const { block } = region;
    block.region = undefined;
    if (this.#blocks.get(keyOf(block.start, block.mode)) === block) this.#count(block);
    this.#removeFromPages(region);
    region.dropped();
  }

  #removeFromPages(block: Block | Region): void {
    for (const [first] of block.spans) {
      const page = (first - MemoryMap.RAM) >>> 12;
      const blocks = this.#pages.get(page);
      if (!blocks?.delete(block)) continue;
      this.#memory.setBigUint64(MemoryMap.CODE_LINES + 8 * page, 0n, true);
      if (blocks.size === 0) {
        this.#pages.delete(page);
        const flags = MemoryMap.PAGE_FLAGS + page;
        this.#memory.setUint8(flags, this.#memory.getUint8(flags) & ~PageFlag.CODE);
        continue;
      }
      for (const other of blocks) {
        for (const span of other.spans)
          if ((span[0] - MemoryMap.RAM) >>> 12 === page) this.#markLines(page, span[0], span[1]);
      }
    }
  }
}

/** A block's name as a number. `mode` has fewer than 16 values. */
export function keyOf(start: number, mode: number): number {
  return start * 16 + mode;
}

function hashSlot(start: number): number {
  const index = Math.imul(start, BLOCK_HASH.MULTIPLIER) >>> BLOCK_HASH.SHIFT;
  return MemoryMap.BLOCK_HASH + index * BlockHashEntry.BYTES;
}
