import { type BlockDecoder, MAXIMUM_BLOCK_RECORDS } from "../abi/block-decoder.ts";
import { BlockHashEntry, MemoryMap, PageFlag, Rec } from "../abi/memory-map.ts";

/** A decoded block. Offsets are offsets in linear memory. */
interface Block {
  readonly start: number;
  readonly mode: number;
  readonly record: number;
  readonly recordBytes: number;
  /** the parts of one or two pages that hold its code: [first, end) */
  readonly spans: readonly (readonly [first: number, end: number])[];
}

export interface BlockCacheStats {
  decoded: number;
  dropped: number;
  /** times that all blocks were dropped because the room for records was used up */
  flushes: number;
}

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
  readonly #pages = new Map<number, Set<Block>>();
  #free: number = MemoryMap.RECORDS;

  /** @param forgetWrites takes from the TLB the right to write to a page directly */
  constructor(memory: DataView, decoder: BlockDecoder, forgetWrites: (page: number) => void) {
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

  /** Drops every block with code in [gpa, gpa + byteLength), which lies within a page. Returns how many. */
  invalidate(gpa: number, byteLength: number): number {
    const blocks = this.#pages.get(gpa >>> 12);
    if (!blocks) return 0;
    const first = MemoryMap.RAM + gpa;
    const end = first + byteLength;
    let dropped = 0;
    for (const block of [...blocks]) {
      if (block.spans.some((span) => span[0] < end && first < span[1])) {
        this.#drop(block);
        dropped++;
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
    if (this.#free + MAXIMUM_BLOCK_RECORDS * Rec.BYTES > MemoryMap.RECORDS_END) this.clear();
    const record = this.#free;
    const decoded = this.#decoder.decode(this.#memory, { start, mode, record, codeBytes, nextPage });
    this.#free += decoded.recordBytes;
    const spans: [number, number][] = [[start, start + decoded.byteLength]];
    if (decoded.crossingBytes > 0 && decoded.nextPage > 0) {
      spans.push([decoded.nextPage, decoded.nextPage + decoded.crossingBytes]);
    }
    const block: Block = { start, mode, record, recordBytes: decoded.recordBytes, spans };
    this.#blocks.set(keyOf(start, mode), block);
    for (const span of spans) this.#addToPage(block, span);
    this.stats.decoded++;
    return block;
  }

  #addToPage(block: Block, [first, end]: readonly [number, number]): void {
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
        for (const span of other.spans) if ((span[0] - MemoryMap.RAM) >>> 12 === page) this.#markLines(page, span[0], span[1]);
      }
    }
  }
}

/** `mode` has fewer than 16 values. */
function keyOf(start: number, mode: number): number {
  return start * 16 + mode;
}

function hashSlot(start: number): number {
  const index = (start ^ (start >>> 15)) & (MemoryMap.BLOCK_HASH_ENTRIES - 1);
  return MemoryMap.BLOCK_HASH + index * BlockHashEntry.BYTES;
}
