import type { CompiledBatch, TranslatedRegion, TranslateRequest, TranslationService } from "../abi/translator.ts";
import { type BlockCache, type EntryOptions, keyOf, type RegionHistory } from "./block-cache.ts";
import { BranchSamples } from "./branch-samples.ts";
import { type BlockStart, CodeCache, type CodeCacheStats } from "./code-cache.ts";
import { type RegionShape, RegionScout } from "./region-scout.ts";
import type { RegionTable } from "./region-table.ts";

/** How a processor translates. */
export interface TranslationOptions extends EntryOptions {
  readonly service: TranslationService;
  /** blocks that are translated together if as many are hot; fewer when they have waited long enough */
  readonly batch: number;
  /** regions hold only what has run before */
  readonly followsProfile: boolean;
  /**
   * Where the profile is followed: entries into a region before it is translated anew, with what it leads to in other pages and behind
   * indirect branches as part of it.
   */
  readonly widenAfter: number;
  /** bytes that translated code may take, machine code included; default DEFAULT_CODE_CACHE */
  readonly codeCacheBytes?: number;
  /**
   * Instructions after which a batch is installed, ready or not: whoever runs the processor waits for it. Without it, batches are
   * installed when they are ready, which is at another instruction in every run.
   */
  readonly latency?: number;
  /**
   * Called once, between runs of the processor, when something has failed: what it was, as `TranslationStats.failure` has it, and whether the
   * service itself has died. The interpreter runs what is not translated.
   */
  readonly onFailure?: (failure: string, isDead: boolean) => void;
}

export interface TranslationStats {
  /** batches that came back, and the bytes of their WebAssembly */
  batches: number;
  wasmBytes: number;
  /** regions installed, and guest instructions in them */
  regions: number;
  instructions: number;
  /** milliseconds that the translator and the engine's compiler took, wherever they ran; the engine optimizes later, on its own */
  translatingMs: number;
  compilingMs: number;
  /** hot blocks that were not translated: their first instruction is the interpreter's; their code had changed; too many waited */
  untranslatable: number;
  /** regions that stayed hot and were translated anew, wider */
  widened: number;
  outdated: number;
  refused: number;
  /** batches that failed, because of a bug, or because the translator's worker has died: their blocks are left to the interpreter */
  failures: number;
  /** what failed first; the death of a worker is here at once, before it costs a batch */
  failure: string | undefined;
  /**
   * Instructions between the ends of slices, and those of them behind which the guest was in translated code: their ratio is an
   * estimate of the share of instructions that regions run, on the high side, because regions are also left in the middle.
   */
  sampled: number;
  sampledTranslated: number;
}

/** A hot block, and where its region may extend to; without that it is all that can be reached in its page. */
interface HotBlock extends BlockStart {
  readonly shape?: RegionShape;
  /** times that it has been made wider, then */
  readonly widened: number;
}

type Request = TranslateRequest & Pick<HotBlock, "widened">;

/** A batch that has been submitted and not been installed. */
interface Submitted {
  readonly requests: readonly Request[];
  /** instructions retired by then when it is to be installed */
  readonly due: number;
}

const PAGE = 4096;
/**
 * How many times as many entries it takes for a region that is about to become part of a wide one; and for a wide one, which becomes
 * wider if indirect branches lead to more places than it knows. That often it does at most.
 */
const WITHIN = 4;
const MAXIMUM_WIDENINGS = 3;
export const DEFAULT_CODE_CACHE = 0x1000_0000;
/** Looks at the queue for which hot blocks wait for others that are translated with them. */
const PATIENCE = 4;
/** Blocks of a batch, at most: a module is compiled, installed and freed as a whole. */
const MAXIMUM_BATCH = 64;
/** Hot blocks that wait at a time, at most; others must become hot again. */
const MAXIMUM_WAITING = 1024;

/**
 * Hot blocks on their way to being regions. What is submitted is a copy of the code, so that it does not matter what the guest does
 * meanwhile: at installation the bytes that went into a region are compared with what memory holds then.
 */
export class TranslationQueue {
  readonly stats: TranslationStats = {
    batches: 0,
    wasmBytes: 0,
    regions: 0,
    instructions: 0,
    translatingMs: 0,
    compilingMs: 0,
    untranslatable: 0,
    widened: 0,
    outdated: 0,
    refused: 0,
    failures: 0,
    failure: undefined,
    sampled: 0,
    sampledTranslated: 0,
  };
  readonly #bytes: Uint8Array;
  readonly #blocks: BlockCache;
  readonly #cache: CodeCache;
  readonly #options: TranslationOptions;
  readonly #scout: RegionScout;
  readonly #hot: HotBlock[] = [];
  readonly #submitted: Submitted[] = [];
  /** the blocks of #hot and #submitted */
  readonly #known = new Set<number>();
  /** instructions at the last sample */
  #sampledAt = 0;
  #waited = 0;
  #hasReported = false;

  constructor(memory: WebAssembly.Memory, blocks: BlockCache, table: RegionTable, options: TranslationOptions) {
    this.#bytes = new Uint8Array(memory.buffer);
    this.#blocks = blocks;
    this.#cache = new CodeCache(blocks, table, options.codeCacheBytes ?? DEFAULT_CODE_CACHE);
    this.#options = options;
    this.#scout = new RegionScout(blocks, new BranchSamples(new DataView(memory.buffer)), options.countdown);
  }

  get cacheStats(): Readonly<CodeCacheStats> {
    return this.#cache.stats;
  }

  /**
   * A block is hot: it is the interpreter's until it has been translated.
   *
   * @param pageAt offset in linear memory of the page that is so many pages behind that of the block; 0 if that is not known
   */
  note(start: number, mode: number, instructions: number, pageAt: (distance: number) => number): void {
    if (this.#cache.entered({ start, mode })) return;
    const history = this.#blocks.stopCounting(start, mode);
    if (!history) this.#blocks.leaveToInterpreter(start, mode);
    const key = keyOf(start, mode);
    if (this.#known.has(key)) return;
    if (this.#hot.length >= MAXIMUM_WAITING) {
      this.stats.refused++;
      this.#blocks.countAgain(start, mode);
      return;
    }
    const shape = this.#options.followsProfile
      ? this.#scout.scout(start, mode, history && pageAt, history?.targets)
      : undefined;
    if (history && shape) {
      if (!isWider(shape, history)) return;
      this.stats.widened++;
      for (const place of this.#scout.placesOf(shape))
        this.#blocks.countLonger(place, mode, this.#options.widenAfter * WITHIN);
    }
    this.#known.add(key);
    this.#hot.push({ start, mode, widened: history ? history.widened + 1 : 0, ...(shape && { shape }) });
    if (this.#hot.length >= this.#options.batch) this.#submit(instructions);
  }

  /** A slice has ended before the code at `at`; 0 if that cannot be said. */
  sample(at: number, mode: number, instructions: number): void {
    const weight = instructions - this.#sampledAt;
    this.#sampledAt = instructions;
    this.stats.sampled += weight;
    if (at !== 0 && this.#blocks.isTranslated(at, mode)) this.stats.sampledTranslated += weight;
  }

  /** To be called now and then: hot blocks do not wait forever for others. */
  tick(instructions: number): void {
    if (this.#hot.length > 0 && (this.#hot.length >= this.#options.batch || ++this.#waited >= PATIENCE))
      this.#submit(instructions);
  }

  /**
   * Installs what is ready; only while no generated code is running.
   *
   * @param instructions retired so far
   * @returns whether a batch must be waited for, with `ready`
   */
  collect(instructions: number): "late" | undefined {
    const { service, latency } = this.#options;
    this.stats.failure ??= service.failure;
    if (this.stats.failure !== undefined) this.#report(this.stats.failure);
    for (let first = this.#submitted[0]; first; first = this.#submitted[0]) {
      const isDue = latency !== undefined && instructions >= first.due;
      if (latency !== undefined && !isDue) return undefined;
      const batch = service.take(isDue);
      if (!batch) return isDue ? "late" : undefined;
      this.#submitted.shift();
      this.#install(first.requests, batch);
    }
    return undefined;
  }

  #report(failure: string): void {
    if (this.#hasReported) return;
    this.#hasReported = true;
    const { service, onFailure } = this.#options;
    onFailure?.(failure, service.failure !== undefined);
  }

  /** Resolves when `collect` may find something. */
  ready(): Promise<void> {
    return this.#options.service.ready();
  }

  /** Ends the translator; what is under way fails. */
  close(): void {
    this.#options.service.close();
  }

  /** Submits hot blocks that are still there, as many as belong into a batch, unless enough is under way. */
  #submit(instructions: number): void {
    const { service, latency = 0 } = this.#options;
    if (this.#submitted.length >= service.depth) return;
    this.#waited = 0;
    const pages = new Map<number, Uint8Array>();
    const requests = this.#hot.splice(0, MAXIMUM_BATCH).flatMap((block): Request[] => {
      if (this.#blocks.has(block.start, block.mode)) return [this.#request(block, pages)];
      this.#known.delete(keyOf(block.start, block.mode));
      return [];
    });
    if (requests.length === 0) return;
    const batch = service.submit(requests);
    if (batch) this.#install(requests, batch);
    else this.#submitted.push({ requests, due: instructions + latency });
  }

  #request({ start, mode, widened, shape }: HotBlock, copies: Map<number, Uint8Array>): Request {
    const copyOf = (page: number): Uint8Array => {
      let bytes = copies.get(page);
      if (!bytes) {
        bytes = this.#bytes.slice(page, page + PAGE);
        copies.set(page, bytes);
      }
      return bytes;
    };
    if (shape) {
      const { pages, blocks, targets } = shape;
      return {
        pages: pages.map((page) => ({ ...page, bytes: copyOf(page.start) })),
        start,
        mode,
        widened,
        blocks,
        targets,
      };
    }
    const first = start & ~(PAGE - 1);
    return { pages: [{ distance: 0, start: first, bytes: copyOf(first) }], start, mode, widened };
  }

  #install(requests: readonly Request[], batch: CompiledBatch): void {
    const { stats } = this;
    for (const { start, mode } of requests) this.#known.delete(keyOf(start, mode));
    stats.translatingMs += batch.translatingMs;
    stats.compilingMs += batch.compilingMs;
    if (batch.failure !== undefined) {
      stats.failures++;
      stats.failure ??= batch.failure;
      return;
    }
    stats.batches++;
    stats.wasmBytes += batch.wasmBytes;
    const { followsProfile, widenAfter } = this.#options;
    const blocks = requests.map((request, index) => {
      if (!this.#isTrue(request, batch.regions[index]?.spans ?? [])) return undefined;
      const { start, mode, widened, targets = new Map() } = request;
      const counts = followsProfile && widened < MAXIMUM_WIDENINGS;
      const entries = counts ? widenAfter * (widened > 0 ? WITHIN : 1) : 0;
      return { start, mode, entries, history: { widened, targets } };
    });
    const installed = this.#cache.add(batch, blocks);
    for (const [index, request] of requests.entries()) {
      const { start, mode } = request;
      const region = batch.regions[index];
      if (!region) {
        stats.untranslatable++;
      } else if (installed[index] === true) {
        stats.regions++;
        stats.instructions += region.instructions;
        if (request.widened > 0) this.#releaseOutside(request, region);
      } else {
        stats.outdated++;
        this.#blocks.countAgain(start, mode);
      }
    }
  }

  /** What a wide region might have held, but does not, need not wait for it. */
  #releaseOutside({ pages, blocks = new Set(), mode }: Request, region: TranslatedRegion): void {
    const inside = new Set(region.blocks);
    for (const place of this.#scout.placesOf({ pages, blocks }))
      if (!inside.has(place)) this.#blocks.countLonger(place, mode, this.#options.widenAfter);
  }

  /** Whether memory holds what went into the region. Guest-physical pages are compared, so remapping them changes nothing. */
  #isTrue({ pages }: TranslateRequest, spans: readonly (readonly [first: number, end: number])[]): boolean {
    return spans.every(([first, end]) => {
      const start = first & ~(PAGE - 1);
      const bytes = pages.find((page) => page.start === start)?.bytes;
      if (!bytes) return false;
      for (let at = first; at < end; at++) if (this.#bytes[at] !== bytes[at - start]) return false;
      return true;
    });
  }
}

/** Whether a region of this shape holds more than the one that is there. */
function isWider({ pages, targets }: RegionShape, { widened, targets: known }: RegionHistory): boolean {
  if (widened === 0) return pages.length > 1 || targets.size > 0;
  return [...targets].some(([branch, places]) => {
    const before = known.get(branch);
    return places.some((place) => before?.includes(place) !== true);
  });
}
