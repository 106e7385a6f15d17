import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { Mode } from "../../runtime/abi/guest-state.ts";
import type { TranslatedRegion, Translator, TranslateRequest } from "../../runtime/abi/translator.ts";
import { EncodedModule } from "../emit/encoder/module.ts";
import { createDecoder } from "../isa/decode.ts";
import type { Feature } from "../isa/row.ts";
import { emitRegion, REGION_FUNCTION, RejectedInstruction } from "./function.ts";
import { DEFAULT_LIMITS, type Region, RegionFinder, type RegionLimits } from "./region.ts";

const PAGE = 4096;
const WASM_PAGE = 0x1_0000;

export interface TranslatorOptions {
  readonly features: ReadonlySet<Feature>;
  readonly limits?: RegionLimits;
}

/** Back end 2: compiles the guest code of a region to one WebAssembly function. */
export class RegionTranslator implements Translator {
  readonly #finder: RegionFinder;
  readonly #rejected = new Map<string, string>();

  constructor({ features, limits = DEFAULT_LIMITS }: TranslatorOptions) {
    const shapes = { has: (shape: string) => this.#rejected.has(shape) } as unknown as ReadonlySet<string>;
    this.#finder = new RegionFinder(createDecoder(features), shapes, limits);
  }

  /** Shapes of instructions that were found to be untranslatable, and why. */
  get rejected(): ReadonlyMap<string, string> {
    return this.#rejected;
  }

  translate(memory: DataView, { start, mode }: TranslateRequest): TranslatedRegion | undefined {
    if ((mode & Mode.CODE_SIZE_MASK) !== Mode.CODE64) return undefined;
    const pageStart = start & ~(PAGE - 1);
    const page = new Uint8Array(memory.buffer, memory.byteOffset + pageStart, PAGE);
    const compiled = this.compile(page, start - pageStart);
    if (!compiled) return undefined;
    const { module, region } = compiled;
    return { binary: module.binary(), spans: spansOf(region, pageStart), bound: region.instructionCount };
  }

  /** The module of the region at an offset of a page. */
  compile(page: Uint8Array, entry: number): { readonly module: EncodedModule; readonly region: Region } | undefined {
    // Each round finds one more shape of instruction to be untranslatable, or ends.
    for (;;) {
      const region = this.#finder.find(page, entry);
      if (region.blocks[0]?.instructions.length === 0) return undefined;
      const module = new EncodedModule();
      try {
        module.importMemory(MemoryMap.RAM / WASM_PAGE, 0x1_0000);
        emitRegion(module.raw, region);
        module.export(REGION_FUNCTION);
        return { module, region };
      } catch (cause) {
        if (!(cause instanceof RejectedInstruction) || this.#rejected.has(cause.shape)) throw cause;
        this.#rejected.set(cause.shape, cause.message);
      }
    }
  }
}

/** The bytes of a region's instructions, neighbours joined. */
function spansOf(region: Region, pageStart: number): (readonly [number, number])[] {
  const ranges = region.blocks
    .flatMap(({ instructions }) =>
      instructions.map(({ offset, end }) => [pageStart + offset, pageStart + end] as const),
    )
    .sort(([left], [right]) => left - right);
  const spans: [number, number][] = [];
  for (const [first, end] of ranges) {
    const last = spans[spans.length - 1];
    if (last && first <= last[1]) last[1] = Math.max(last[1], end);
    else spans.push([first, end]);
  }
  return spans;
}
