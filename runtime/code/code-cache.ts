import type { CompiledBatch, TranslatedRegion } from "../abi/translator.ts";
import { type BlockCache, keyOf, type RegionHistory } from "./block-cache.ts";
import type { RegionTable } from "./region-table.ts";

/** A block by where it begins. */
export interface BlockStart {
  readonly start: number;
  readonly mode: number;
}

export interface Installation extends BlockStart {
  readonly entries: number;
  readonly history: RegionHistory;
}

/** The regions of a module that are installed; the engine frees a module as a whole, when none is left. */
interface Batch {
  readonly bytes: number;
  readonly live: Map<number, BlockStart>;
}

export interface CodeCacheStats {
  /** installed regions, and the bytes that they are reckoned to take: see BYTES_PER_WASM_BYTE */
  live: number;
  liveBytes: number;
  /** batches, and regions in them, that had to go because the cache was full; batches that were found to be in use and stayed */
  evictedBatches: number;
  evictedRegions: number;
  kept: number;
}

/**
 * What a byte of WebAssembly costs the process: the module's own bytes, machine code, tables of the engine. Measured on Node.js 26
 * as growth of the resident set over thousands of regions, against a run whose cache was bounded: 3.1 for code of the engine's first
 * tier, 1.4 once it was optimized.
 */
export const BYTES_PER_WASM_BYTE = 3;
/** Of the limit: from where on batches are watched, and how much is watched at a time. */
const WATCH_FROM = 3 / 4;
const WATCHED = 1 / 8;

/**
 * Translated code within a limit of bytes. The oldest batch goes first, but gets a second chance: when room becomes scarce, the oldest
 * batches are watched, and one that is entered meanwhile is as good as new. Watching costs an exit for each batch in use, and nothing
 * else: entering a region leaves no trace of itself.
 */
export class CodeCache {
  readonly stats: CodeCacheStats = { live: 0, liveBytes: 0, evictedBatches: 0, evictedRegions: 0, kept: 0 };
  readonly #blocks: BlockCache;
  readonly #table: RegionTable;
  readonly #limitBytes: number;
  /** both from old to new */
  readonly #batches = new Set<Batch>();
  readonly #watched = new Set<Batch>();
  #watchedBytes = 0;
  readonly #batchOf = new Map<number, Batch>();

  constructor(blocks: BlockCache, table: RegionTable, limitBytes: number) {
    this.#blocks = blocks;
    this.#table = table;
    this.#limitBytes = limitBytes;
  }

  /**
   * Installs regions; only while no generated code is running.
   *
   * @param blocks where the regions of `batch` belong, after how many entries each is hot enough to be translated anew (0: never), and
   *   what is to be remembered until then; undefined for one that is not wanted
   * @returns for each, whether it runs from now on
   */
  add({ module, regions, wasmBytes }: CompiledBatch, blocks: readonly (Installation | undefined)[]): boolean[] {
    const wanted = regions.map((region, index): TranslatedRegion | undefined => (blocks[index] ? region : undefined));
    if (!module || wanted.every((region) => region === undefined)) return blocks.map(() => false);
    const batch: Batch = { bytes: wasmBytes * BYTES_PER_WASM_BYTE, live: new Map() };
    this.#makeRoom(batch.bytes);
    const places = this.#table.add(module, wanted);
    this.#batches.add(batch);
    this.stats.liveBytes += batch.bytes;
    const installed = wanted.map((region, index) => {
      const [block, place] = [blocks[index], places[index]];
      if (!region || !block || place === undefined) return false;
      const key = keyOf(block.start, block.mode);
      const { start, mode, entries, history } = block;
      const isInstalled = this.#blocks.installRegion(start, mode, region, place, entries, history, () => {
        this.#table.remove(place);
        if (batch.live.has(key)) this.#forget(batch, key);
      });
      if (!isInstalled) return false;
      batch.live.set(key, block);
      this.#batchOf.set(key, batch);
      this.stats.live++;
      return true;
    });
    if (batch.live.size === 0) this.#remove(batch);
    return installed;
  }

  /** Whether the block that was just entered is the beginning of a region that is watched: it goes on with that. */
  entered({ start, mode }: BlockStart): boolean {
    const batch = this.#batchOf.get(keyOf(start, mode));
    if (!batch || !this.#watched.delete(batch)) return false;
    this.#watchedBytes -= batch.bytes;
    this.#batches.add(batch);
    this.stats.kept++;
    for (const block of batch.live.values()) this.#blocks.watchRegion(block.start, block.mode, false);
    return true;
  }

  #makeRoom(bytes: number): void {
    const limit = this.#limitBytes;
    while (this.stats.liveBytes + bytes > limit) {
      const [oldest] = this.#watched.size > 0 ? this.#watched : this.#batches;
      if (!oldest) break;
      this.#evict(oldest);
    }
    if (this.stats.liveBytes + bytes <= limit * WATCH_FROM) return;
    for (const batch of this.#batches) {
      if (this.#watchedBytes >= limit * WATCHED) break;
      this.#batches.delete(batch);
      this.#watched.add(batch);
      this.#watchedBytes += batch.bytes;
      for (const block of batch.live.values()) this.#blocks.watchRegion(block.start, block.mode, true);
    }
  }

  #evict(batch: Batch): void {
    this.stats.evictedBatches++;
    this.stats.evictedRegions += batch.live.size;
    // The last one takes the batch with it.
    for (const { start, mode } of [...batch.live.values()]) this.#blocks.dropRegion(start, mode);
  }

  /** A region of a batch is gone. */
  #forget(batch: Batch, key: number): void {
    batch.live.delete(key);
    this.#batchOf.delete(key);
    this.stats.live--;
    if (batch.live.size === 0) this.#remove(batch);
  }

  #remove(batch: Batch): void {
    this.stats.liveBytes -= batch.bytes;
    this.#batches.delete(batch);
    if (this.#watched.delete(batch)) this.#watchedBytes -= batch.bytes;
  }
}
