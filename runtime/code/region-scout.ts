import type { BranchTargets, CodePage } from "../abi/translator.ts";
import type { BlockCache, BlockProfile } from "./block-cache.ts";
import type { BranchSamples } from "./branch-samples.ts";

/** Where a region may extend to: as TranslateRequest has it, but for the bytes. */
export interface RegionShape {
  readonly pages: readonly Omit<CodePage, "bytes">[];
  readonly blocks: ReadonlySet<number>;
  readonly targets: BranchTargets;
}

const PAGE = 4096;
/** Of a region. More blocks than a region takes are known to it, so that it has a choice. */
const MAXIMUM_PAGES = 12;
const MAXIMUM_BLOCKS = 256;
/** What part of the runs that make a block hot another one must have to be followed to in another page, and behind an indirect branch. */
const WORTH_A_PAGE = 1 / 16;
const WORTH_A_GUESS = 1 / 4;
/** What part of the times that an indirect branch was looked at it must have gone to a place. */
const WORTH_A_TARGET = 1 / 64;

/**
 * Finds out from what has been decoded and run where a region may extend to: through direct branches, and through indirect ones to where
 * they went. A page is one that execution could reach at once, by the TLB.
 */
export class RegionScout {
  readonly #blocks: BlockCache;
  readonly #samples: BranchSamples;
  readonly #hotAfter: number;

  /** @param hotAfter times that a block runs before it is translated */
  constructor(blocks: BlockCache, samples: BranchSamples, hotAfter: number) {
    this.#blocks = blocks;
    this.#samples = samples;
    this.#hotAfter = hotAfter;
  }

  /**
   * @param start offset in linear memory of the region's first byte
   * @param pageAt offset in linear memory of the page at a distance from that, in pages; 0 if it is not known. Without it the region
   *   stays in its page, and follows direct branches only
   * @param known where indirect branches of the region lead that is there already
   */
  scout(start: number, mode: number, pageAt?: (distance: number) => number, known?: BranchTargets): RegionShape {
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
    const targets = new Map<number, readonly number[]>();
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
      if (!pageAt || profile.branch === undefined) continue;
      const branch = base + profile.branch;
      const places = this.#placesBehind(page, base, profile, known?.get(branch));
      // A function returns to all who call it: only what was found otherwise is part of the region, but for the one that calls it most.
      const [most, ...others] = places.filter(
        (target, index) => (profile.isReturn && index > 0) || this.#isWorth(target, undefined, pageStart, mode),
      );
      if (most === undefined) continue;
      targets.set(branch, [most, ...others]);
      queue.push(most);
      if (!profile.isReturn) queue.push(...others);
    }
    return {
      pages: [...pages].map(([distance, at]) => ({ distance, start: at })),
      blocks,
      targets: within(blocks, targets),
    };
  }

  /** Where the indirect branch at the end of a block leads, as far as that is known; most often first. */
  #placesBehind(
    page: number,
    base: number,
    { branch = 0, target }: BlockProfile,
    known: readonly number[] = [],
  ): readonly number[] {
    const samples = this.#samples.of(page + branch);
    const least = samples.reduce((sum, { count }) => sum + count, 0) * WORTH_A_TARGET;
    const places = new Set<number>();
    for (const { place, count } of samples) if (count >= least) places.add(base + place);
    if (target) places.add(base + target);
    for (const place of known) places.add(place);
    return [...places];
  }

  /** Offsets in linear memory of the blocks that a region may hold. */
  placesOf({ pages, blocks }: Pick<RegionShape, "pages" | "blocks">): readonly number[] {
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

/** The targets that are among the blocks of a region. */
function within(blocks: ReadonlySet<number>, targets: BranchTargets): BranchTargets {
  const found = new Map<number, readonly number[]>();
  for (const [branch, places] of targets) {
    const inside = places.filter((place) => blocks.has(place));
    if (inside.length > 0) found.set(branch, inside);
  }
  return found;
}
