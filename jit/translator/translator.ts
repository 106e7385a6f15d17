import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { Mode } from "../../runtime/abi/guest-state.ts";
import {
  type BatchBuilder,
  REGION_IMPORTS,
  type TranslatedBatch,
  type TranslatedRegion,
  type Translator,
  type TranslateRequest,
} from "../../runtime/abi/translator.ts";
import { EncodedModule } from "../emit/encoder/module.ts";
import { createDecoder } from "../isa/decode.ts";
import type { Feature } from "../isa/row.ts";
import { HANDLER_RESULTS, HANDLER_TABLE } from "../interpreter/emitter.ts";
import { emitRegion, RejectedInstruction } from "./function.ts";
import { DEFAULT_LIMITS, pageOf, type Region, RegionFinder, type RegionLimits } from "./region.ts";
import { addX87Helpers } from "./x87-helpers.ts";

const PAGE = 4096;
const WASM_PAGE = 0x1_0000;

/** The code of a region, and how far it may extend. */
export type RegionSource = Omit<TranslateRequest, "start" | "mode">;

export interface TranslatorOptions {
  readonly features: ReadonlySet<Feature>;
  readonly limits?: RegionLimits;
  /** Regions get names that profilers show: the guest-physical address of the first instruction. */
  readonly namesRegions?: boolean | undefined;
}

/** Back end 2: compiles the guest code of a region to one WebAssembly function. */
export class RegionTranslator implements Translator {
  readonly #finder: RegionFinder;
  /** of the batch at work */
  readonly #module: EncodedModule = regionModule();
  readonly #rejected = new Map<string, string>();
  readonly #namesRegions: boolean;

  constructor({ features, limits = DEFAULT_LIMITS, namesRegions = false }: TranslatorOptions) {
    this.#namesRegions = namesRegions;
    this.#finder = new RegionFinder(createDecoder(features), limits);
  }

  /** Shapes of instructions that were found to be untranslatable, and why. */
  get rejected(): ReadonlyMap<string, string> {
    return this.#rejected;
  }

  /** Begins a batch; the one before, if it was not finished, is forgotten. */
  begin(): BatchBuilder {
    const module = this.#module;
    module.clear();
    const regions: (TranslatedRegion | undefined)[] = [];
    return {
      add: (request) => void regions.push(this.#translate(module, `r${regions.length}`, request)),
      finish: () => ({ binary: module.binary(), regions }),
    };
  }

  /** A whole batch. */
  translate(requests: readonly TranslateRequest[]): TranslatedBatch {
    const builder = this.begin();
    for (const request of requests) builder.add(request);
    return builder.finish();
  }

  #translate(
    module: EncodedModule,
    name: string,
    { start, mode, ...source }: TranslateRequest,
  ): TranslatedRegion | undefined {
    if ((mode & Mode.CODE_SIZE_MASK) !== Mode.CODE64) return undefined;
    const made = this.#emit(module, name, source, start & (PAGE - 1));
    if (!made) return undefined;
    if (this.#namesRegions) module.title(name, `guest:0x${(start - MemoryMap.RAM).toString(16)}`);
    const { region, links } = made;
    const pages = new Map(source.pages.map((page) => [page.distance, page.start]));
    const offsetOf = (place: number): number => (pages.get(pageOf(place)) ?? 0) + (place - pageOf(place) * PAGE);
    const blocks = region.blocks.map((block) => offsetOf(block.start));
    return { name, spans: spansOf(region, offsetOf), links, blocks, instructions: region.instructionCount };
  }

  /** The module of the region at an offset of the first page, by itself. */
  compile(
    source: RegionSource,
    entry: number,
  ): { readonly module: EncodedModule; readonly region: Region } | undefined {
    const module = regionModule();
    const made = this.#emit(module, "r0", source, entry);
    return made && { module, region: made.region };
  }

  #emit(
    module: EncodedModule,
    name: string,
    source: RegionSource,
    entry: number,
  ): { readonly region: Region; readonly links: number } | undefined {
    const pages = new Map(source.pages.map(({ distance, start }) => [distance, start]));
    // Each round finds one more shape of instruction to be untranslatable, or ends.
    for (;;) {
      const region = this.#finder.find(source, entry);
      if (region.blocks[0]?.instructions.length === 0) return undefined;
      addX87Helpers(module, region);
      try {
        const links = emitRegion(module.raw, name, region, pages, () => module.abandon());
        module.export(name);
        return { region, links };
      } catch (cause) {
        if (!(cause instanceof RejectedInstruction) || this.#rejected.has(cause.shape)) throw cause;
        module.abandon();
        this.#rejected.set(cause.shape, cause.message);
        this.#finder.reject(cause.shape);
      }
    }
  }
}

/** A module for regions: with the imports that they go on with. */
function regionModule(): EncodedModule {
  const module = new EncodedModule();
  module.importMemory(MemoryMap.RAM / WASM_PAGE, 0x1_0000);
  module.importTable(HANDLER_TABLE, 1);
  for (const [name, params] of Object.entries(REGION_IMPORTS)) module.importFunction(name, params, HANDLER_RESULTS);
  return module;
}

/** The bytes of a region's instructions in linear memory, neighbours joined. */
function spansOf(region: Region, offsetOf: (place: number) => number): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const { instructions, start } of region.blocks) {
    // The instructions of a block stand one behind the other; the last may cross into the next page.
    const end = instructions[instructions.length - 1]?.end ?? start;
    const inFirst = Math.min(end, (pageOf(start) + 1) * PAGE);
    if (inFirst > start) ranges.push([offsetOf(start), offsetOf(start) + inFirst - start]);
    if (end > inFirst) ranges.push([offsetOf(inFirst), offsetOf(inFirst) + end - inFirst]);
  }
  ranges.sort(([left], [right]) => left - right);
  const spans: [number, number][] = [];
  for (const [first, end] of ranges) {
    const last = spans[spans.length - 1];
    if (last && first <= last[1] && first % PAGE !== 0) last[1] = Math.max(last[1], end);
    else spans.push([first, end]);
  }
  return spans;
}
