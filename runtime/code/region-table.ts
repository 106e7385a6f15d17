import { REGION_IMPORTS, type TranslatedBatch } from "../abi/translator.ts";
import type { CoreExports } from "../cpu/core-module.ts";

/** Places that the table grows by: growing it reaches every module that imports it. */
const GROWTH = 4096;

/** The functions of translated regions, in the table of core.wasm where the handlers of the interpreter stand. */
export class RegionTable {
  readonly #table: WebAssembly.Table;
  readonly #imports: WebAssembly.Imports;
  readonly #free: number[] = [];

  constructor(core: CoreExports, memory: WebAssembly.Memory) {
    this.#table = core.handlers;
    const goTo = Object.keys(REGION_IMPORTS).map((name) => [name, core[name as keyof typeof REGION_IMPORTS]]);
    this.#imports = { env: { memory, handlers: core.handlers, ...Object.fromEntries(goTo) } };
  }

  /** Compiles a batch and gives the place of each region, 0 for what is left to the interpreter. */
  add({ binary, regions }: TranslatedBatch): number[] {
    if (regions.every((region) => region === undefined)) return regions.map(() => 0);
    const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    return regions.map((region) => {
      if (!region) return 0;
      if (this.#free.length === 0) this.#grow();
      const place = this.#free.pop() ?? 0;
      this.#table.set(place, exports[region.name]);
      return place;
    });
  }

  #grow(): void {
    const first = this.#table.grow(GROWTH);
    for (let place = first + GROWTH - 1; place >= first; place--) this.#free.push(place);
  }

  /** Frees a place that no entry record points to any more. */
  remove(place: number): void {
    this.#table.set(place, null);
    this.#free.push(place);
  }
}
