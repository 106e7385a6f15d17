import type { CodePage } from "../abi/translator.ts";
import type { BlockCache } from "./block-cache.ts";

/** Where a region may extend to: as TranslateRequest has it, but for the bytes. */
export interface RegionShape {
  readonly pages: readonly Omit<CodePage, "bytes">[];
  readonly blocks: ReadonlySet<number>;
  readonly targets: ReadonlyMap<number, number>;
}

const PAGE = 4096;
/** Of a region. More blocks than a region takes are known to it, so that it has a choice. */
const MAXIMUM_PAGES = 12;
const MAXIMUM_BLOCKS = 128;
/** What part of the runs that make a block hot another one must have to be followed to in another page, and behind an indirect branch. */
const WORTH_A_PAGE = 1 / 16;
const WORTH_A_GUESS = 1 / 4;

/**
 * Finds out from what has been decoded and run where a region may extend to: through direct branches, and through indirect ones to where
 * they went last. A page is one that execution could reach at once, by the TLB.
 */
export class RegionScout {
  readonly #blocks: BlockCache;
  readonly #hotAfter: number;

  /** @param hotAfter times that a block runs before it is translated */
  constructor(blocks: BlockCache, hotAfter: number) {
    this.#blocks = blocks;
    this.#hotAfter = hotAfter;
  }

  /**
   * @param start offset in linear memory of the region's first byte
   * @param pageAt offset in linear memory of the page at a distance from that, in pages; 0 if it is not known. Without it the region
   *   stays in its page, and follows direct branches only
   */
  scout(start: number, mode: number, pageAt?: (distance: number) => number): RegionShape {
    const first = start & ~(PAGE - 1);
    const pages = new Map<number, number>([[0, first]]);
    const pageStart = (distance: number): number => {
      let at = pages.get(distance);
      if (at === undefined) {
        at = pageAt && pages.size < MAXIMUM_PAGES ? pageAt(distance) : 0;
        if (at > 0) pages.set(distance, at);
      }
      return at;
    };
    const blocks = new Set<number>();
    const targets = new Map<number, number>();
    const queue = [start - first];
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      if (blocks.has(place) || blocks.size >= MAXIMUM_BLOCKS) continue;
      const distance = Math.floor(place / PAGE);
      const page = pageStart(distance);
      const profile = page > 0 ? this.#blocks.profileOf(page + (place - distance * PAGE), mode) : undefined;
      if (!profile) continue;
      blocks.add(place);
      const base = distance * PAGE;
      if (profile.nextPage !== undefined) pageStart(distance + 1);
      for (const successor of profile.successors)
        if (this.#isWorth(base + successor, distance, pageStart, mode)) queue.push(base + successor);
      if (!pageAt || profile.branch === undefined || !profile.target) continue;
      const target = base + profile.target;
      if (!this.#isWorth(target, undefined, pageStart, mode)) continue;
      targets.set(base + profile.branch, target);
      queue.push(target);
    }
    return {
      pages: [...pages].map(([distance, at]) => ({ distance, start: at })),
      blocks,
      targets,
    };
  }

  /** Offsets in linear memory of the blocks that a region may hold. */
  placesOf({ pages, blocks }: RegionShape): readonly number[] {
    const starts = new Map(pages.map(({ distance, start }) => [distance, start]));
    return [...blocks].map((place) => {
      const distance = Math.floor(place / PAGE);
      return (starts.get(distance) ?? 0) + place - distance * PAGE;
    });
  }

  /** Whether to go on at `place`; `from` is the page of a direct branch there, undefined if it is a guess. */
  #isWorth(place: number, from: number | undefined, pageStart: (distance: number) => number, mode: number): boolean {
    const distance = Math.floor(place / PAGE);
    if (distance === from) return true;
    const page = pageStart(distance);
    if (page === 0) return false;
    const runs = this.#blocks.profileOf(page + (place - distance * PAGE), mode)?.runs ?? 0;
    return runs >= this.#hotAfter * (from === undefined ? WORTH_A_GUESS : WORTH_A_PAGE);
  }
}
