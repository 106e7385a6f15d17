import { type BlockDecoder, MAXIMUM_BLOCK_RECORDS } from "../abi/block-decoder.ts";
import { Mode } from "../abi/guest-state.ts";
import { BLOCK_HASH, BlockHashEntry, MemoryMap, Rec } from "../abi/memory-map.ts";
import {
  type BranchTargets,
  ENTRY_HANDLERS,
  ENTRY_MARK,
  EntryRecord,
  type TranslatedRegion,
} from "../abi/translator.ts";
import { CodePages, ownSpans, type Spans } from "./code-pages.ts";
import { LinkCells } from "./link-cells.ts";
import { RecordRoom } from "./record-room.ts";

/** A decoded block. Offsets are offsets in linear memory. */
interface Block {
  readonly spans: Spans;
  readonly start: number;
  readonly mode: number;
  /** the first record: with translation, of 64-bit code, the entry record */
  readonly record: number;
  readonly recordBytes: number;
  readonly isLinked: boolean;
  /** see DecodedBlock */
  readonly successors: readonly number[];
  readonly lastTarget: number;
  region: Region | undefined;
  /** it is part of another block's region, and was given more time for that */
  deferred: boolean;
}

/** A translated region; it is entered where the block begins. */
interface Region {
  readonly spans: Spans;
  readonly block: Block;
  /** place of its function among the handlers */
  readonly handler: number;
  readonly links: { readonly at: number; readonly count: number };
  readonly dropped: () => void;
  /** its entries are counted: if it stays hot, a wider one takes its place */
  counts: boolean;
  readonly history: RegionHistory;
}

/** How a region came to be as wide as it is. */
export interface RegionHistory {
  /** times that it was made wider */
  readonly widened: number;
  /** the indirect branches that it was made with, and where they lead; see TranslateRequest */
  readonly targets: BranchTargets;
}

/** How blocks come to be translated. */
export interface EntryOptions {
  /** index of the first of ENTRY_HANDLERS in the table of core.wasm */
  readonly firstHandler: number;
  /** times that a block runs before it is translated */
  readonly countdown: number;
}

/** What is known of a block for those who look for regions. Places count from the first byte of the page that it begins in. */
export interface BlockProfile {
  readonly successors: readonly number[];
  /** how often it ran, Infinity if that was enough to be translated */
  readonly runs: number;
  /** offset in linear memory of the next page's first byte, if its last instruction crosses into that */
  readonly nextPage: number | undefined;
  /** the indirect branch that it ends in, and where that went last, 0 if nowhere yet */
  readonly branch: number | undefined;
  readonly target: number | undefined;
  /** the indirect branch is a return */
  readonly isReturn: boolean;
}

export interface BlockCacheStats {
  decoded: number;
  dropped: number;
  /** regions that were dropped with their block, or because their code was written */
  regionsDropped: number;
  /** times that the oldest sixteenth of the room for records was used anew */
  recycled: number;
}

/** How many times longer a block is counted that is part of a region already. */
const DEFERRAL = 4;

const COUNTING = ENTRY_HANDLERS.indexOf("count_block");

/** Handler 0 of core.wasm: the record belongs to a dropped block. */
const STALE = 0;

/**
 * Decoded blocks by where their code lies in guest-physical memory (as offset of linear memory) and by mode. Keeps the hash that
 * generated code searches.
 */
export class BlockCache {
  readonly stats: BlockCacheStats = { decoded: 0, dropped: 0, regionsDropped: 0, recycled: 0 };
  readonly #memory: DataView;
  readonly #decoder: BlockDecoder;
  readonly #blocks = new Map<number, Block>();
  readonly #pages: CodePages<Block | Region>;
  readonly #links: LinkCells;
  readonly #records = new RecordRoom((first, end) => this.#vacate(first, end));
  readonly #entries: EntryOptions | undefined;

  /** @param forgetWrites takes from the TLB the right to write to a page directly */
  constructor(memory: DataView, decoder: BlockDecoder, forgetWrites: (page: number) => void, entries?: EntryOptions) {
    this.#entries = entries;
    this.#memory = memory;
    this.#decoder = decoder;
    this.#pages = new CodePages(memory, forgetWrites);
    this.#links = new LinkCells(memory);
  }

  /** Makes sure that the hash holds the block at `start`, decoding it if need be; only while no generated code is running. */
  provide(start: number, mode: number, codeBytes: number, nextPage: () => number): void {
    const block = this.#blocks.get(keyOf(start, mode)) ?? this.#decode(start, mode, codeBytes, nextPage);
    this.#enterInHash(block);
  }

  /** In one of its two places, if one is free; or in the first, and what is there goes to the other that it has. */
  #enterInHash({ start, mode, record }: Block): void {
    const places = hashPlaces(start);
    const free = places.find((place) => this.#memory.getUint32(place + BlockHashEntry.OFFSET, true) === 0);
    if (free === undefined) {
      const [first] = places;
      const offset = this.#memory.getUint32(first + BlockHashEntry.OFFSET, true);
      const word = this.#memory.getUint32(first + BlockHashEntry.RECORD, true);
      this.#writeHash(hashPlaces(offset).find((place) => place !== first) ?? first, offset, word);
    }
    this.#writeHash(free ?? places[0], start, record | mode);
  }

  #writeHash(place: number, offset: number, word: number): void {
    this.#memory.setUint32(place + BlockHashEntry.OFFSET, offset, true);
    this.#memory.setUint32(place + BlockHashEntry.RECORD, word, true);
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

  /** Whether the instruction at `at`, where a block begins, is part of a region. */
  isTranslated(at: number, mode: number): boolean {
    if (this.#blocks.get(keyOf(at, mode))?.region) return true;
    for (const code of this.#pages.in(at, at + 1)) if ("block" in code && code.block.mode === mode) return true;
    return false;
  }

  /** What is known of the block at `start`. */
  profileOf(start: number, mode: number): BlockProfile | undefined {
    const block = this.#blocks.get(keyOf(start, mode));
    if (!block) return undefined;
    const { record, recordBytes, spans, successors, lastTarget } = block;
    const last = record + recordBytes - Rec.BYTES;
    return {
      successors,
      runs: this.#runsOf(block),
      nextPage: spans[1]?.[0],
      branch: lastTarget > 0 ? this.#memory.getUint16(last + Rec.PAGE_OFFSET, true) : undefined,
      target: lastTarget > 0 ? Number(this.#memory.getBigInt64(last + lastTarget, true)) : undefined,
      isReturn: lastTarget === Rec.RETURNED_TO,
    };
  }

  /** How often a block has run, if it has run less often than it takes to be translated; Infinity otherwise. */
  #runsOf({ record, deferred }: Block): number {
    const entries = this.#entries;
    if (!entries || deferred) return Infinity;
    if (this.#memory.getUint32(record + Rec.HANDLER, true) !== entries.firstHandler + COUNTING) return Infinity;
    return entries.countdown - this.#memory.getUint32(record + EntryRecord.COUNTDOWN, true);
  }

  /**
   * Has the region run from now on wherever its block is entered; `dropped` is called when its code is no longer true.
   *
   * @param handler place of the region's function among the handlers
   * @param entries after which `Exit.TRANSLATE` comes once more; 0 for never
   * @param history what `stopCounting` gives then
   * @returns false if there is no such block, or no room: then `dropped` has been called
   */
  installRegion(
    start: number,
    mode: number,
    region: TranslatedRegion,
    handler: number,
    entries: number,
    history: RegionHistory,
    dropped: () => void,
  ): boolean {
    const block = this.#blocks.get(keyOf(start, mode));
    const at = block && this.#links.allocate(region.links);
    if (!block || at === undefined) {
      dropped();
      return false;
    }
    if (block.region) this.#dropRegion(block.region);
    const counts = entries > 0;
    const spans = ownSpans(region.spans);
    block.region = { block, spans, handler, links: { at, count: region.links }, dropped, counts, history };
    this.#memory.setUint32(block.record + EntryRecord.LINKS, at, true);
    this.#memory.setUint32(block.record + EntryRecord.COUNTDOWN, entries, true);
    this.#enterRegion(block, block.region);
    this.#pages.add(block.region);
    this.#deferInner(region.blocks, mode);
    return true;
  }

  /** Has the region run where the block is entered. */
  #enterRegion({ record }: Block, { handler, counts }: Region): void {
    this.#memory.setUint32(record + EntryRecord.REGION, handler, true);
    if (counts) this.#setEntry({ record }, "count_region");
    else this.#memory.setUint32(record + Rec.HANDLER, handler, true);
  }

  /** From now on the entries of the block's region are not counted; if they were, gives the region's history. */
  stopCounting(start: number, mode: number): RegionHistory | undefined {
    const block = this.#blocks.get(keyOf(start, mode));
    if (block?.region?.counts !== true) return undefined;
    block.region.counts = false;
    this.#enterRegion(block, block.region);
    return block.region.history;
  }

  /** Counts the entries of the block's region anew up to `entries`, if they are counted. */
  countLonger(start: number, mode: number, entries: number): void {
    const block = this.#blocks.get(keyOf(start, mode));
    if (block?.region?.counts === true) this.#memory.setUint32(block.record + EntryRecord.COUNTDOWN, entries, true);
  }

  /** Blocks inside of a region are mostly reached through it: those that are entered by themselves all the same must prove it. */
  #deferInner(starts: readonly number[], mode: number): void {
    const entries = this.#entries;
    if (!entries) return;
    for (const start of starts) {
      const block = this.#blocks.get(keyOf(start, mode));
      if (!block || block.region || block.deferred) continue;
      block.deferred = true;
      const at = block.record + EntryRecord.COUNTDOWN;
      this.#memory.setUint32(at, this.#memory.getUint32(at, true) + entries.countdown * DEFERRAL, true);
    }
  }

  /**
   * Has the next entry into a region come to `Exit.TRANSLATE` instead, or lets it run again: entering a region leaves no trace, and
   * this tells for the price of one exit whether it is in use.
   */
  watchRegion(start: number, mode: number, watch: boolean): void {
    const block = this.#blocks.get(keyOf(start, mode));
    if (!block?.region) return;
    if (watch) this.#count(block, 1);
    else this.#enterRegion(block, block.region);
  }

  /** Takes a region away from its block, which the interpreter runs until it is hot again. */
  dropRegion(start: number, mode: number): void {
    const region = this.#blocks.get(keyOf(start, mode))?.region;
    if (region) this.#dropRegion(region);
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

  #count(block: Block, countdown = this.#entries?.countdown ?? 0): void {
    this.#memory.setUint32(block.record + EntryRecord.COUNTDOWN, countdown, true);
    this.#setEntry(block, "count_block");
  }

  #setEntry(block: Pick<Block, "record">, name: (typeof ENTRY_HANDLERS)[number]): void {
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
    const first = MemoryMap.RAM + gpa;
    let dropped = 0;
    for (const code of this.#pages.in(first, first + byteLength)) {
      // A block takes its region with it.
      if (!this.#pages.has(code)) continue;
      if ("block" in code) {
        this.stats.regionsDropped++;
        this.#dropRegion(code);
      } else {
        this.#drop(code);
        dropped++;
      }
    }
    return dropped;
  }

  /** Drops everything, for tools that change memory behind the processor's back; only while no generated code is running. */
  clear(): void {
    for (const block of [...this.#blocks.values()]) this.#drop(block);
  }

  /** Drops the blocks whose records lie in [first, end), and every link to them. */
  #vacate(first: number, end: number): void {
    this.stats.recycled++;
    for (const block of this.#blocks.values()) if (block.record >= first && block.record < end) this.#drop(block);
    // Blocks that were dropped before have links, too, but nothing follows them: all their records are stale.
    for (const { record, recordBytes, isLinked } of this.#blocks.values()) {
      if (!isLinked) continue;
      const last = record + recordBytes - Rec.BYTES;
      for (const at of [last + Rec.LINK_TAKEN, last + Rec.LINK_NOT_TAKEN]) {
        const to = this.#memory.getUint32(at, true);
        if (to >= first && to < end) this.#memory.setUint32(at, 0, true);
      }
    }
    this.#links.unlink(first, end);
  }

  #decode(start: number, mode: number, codeBytes: number, nextPage: () => number): Block {
    const record = this.#records.reserve((MAXIMUM_BLOCK_RECORDS + 1) * Rec.BYTES);
    const entryBytes = this.#writeEntry(record, start, mode);
    const decoded = this.#decoder.decode(this.#memory, {
      start,
      mode,
      record: record + entryBytes,
      codeBytes,
      nextPage,
    });
    const recordBytes = entryBytes + decoded.recordBytes;
    this.#records.take(recordBytes);
    const spans: [number, number][] = [[start, start + decoded.byteLength]];
    if (decoded.crossingBytes > 0 && decoded.nextPage > 0) {
      spans.push([decoded.nextPage, decoded.nextPage + decoded.crossingBytes]);
    }
    const { isLinked, successors, lastTarget } = decoded;
    const block: Block = {
      ...{ start, mode, record, recordBytes, spans, isLinked, successors, lastTarget },
      ...{ region: undefined, deferred: false },
    };
    this.#blocks.set(keyOf(start, mode), block);
    // What crosses into the next page stays with the interpreter, which checks that page.
    if (entryBytes > 0)
      this.#setEntry(block, decoded.nextPage > 0 || decoded.crossingBytes > 0 ? "enter_block" : "count_block");
    this.#pages.add(block);
    this.stats.decoded++;
    return block;
  }

  #drop(block: Block): void {
    this.stats.dropped++;
    this.#blocks.delete(keyOf(block.start, block.mode));
    for (const slot of hashPlaces(block.start))
      if (this.#memory.getUint32(slot + BlockHashEntry.RECORD, true) === (block.record | block.mode))
        this.#memory.setUint32(slot + BlockHashEntry.OFFSET, 0, true);
    // Links from other blocks, and the block itself if it is running, find the stale handler at their next step.
    for (let at = block.record; at < block.record + block.recordBytes; at += Rec.BYTES) {
      this.#memory.setUint32(at + Rec.HANDLER, STALE, true);
    }
    this.#pages.remove(block);
    if (block.region) {
      this.stats.regionsDropped++;
      this.#dropRegion(block.region);
    }
  }

  /** The block of a region that is no longer true is counted anew. */
  #dropRegion(region: Region): void {
    const { block } = region;
    block.region = undefined;
    if (this.#blocks.get(keyOf(block.start, block.mode)) === block) this.#count(block);
    this.#pages.remove(region);
    this.#links.free(region.links.at, region.links.count);
    region.dropped();
  }
}

/** A block's name as a number. `mode` has fewer than 16 values. */
export function keyOf(start: number, mode: number): number {
  return start * 16 + mode;
}

/** The two entries of the hash that may hold a block. */
function hashPlaces(start: number): readonly [first: number, second: number] {
  const page = Math.imul(start >>> 12, BLOCK_HASH.MULTIPLIER) >>> BLOCK_HASH.SHIFT;
  const near = page ^ ((start >>> BLOCK_HASH.GRANULE_SHIFT) & BLOCK_HASH.GRANULE_MASK);
  const far = Math.imul(start, BLOCK_HASH.MULTIPLIER) >>> BLOCK_HASH.SHIFT;
  return [MemoryMap.BLOCK_HASH + near * BlockHashEntry.BYTES, MemoryMap.BLOCK_HASH + far * BlockHashEntry.BYTES];
}
