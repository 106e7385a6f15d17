import { REGION_IMPORTS, type TranslatedRegion } from "../abi/translator.ts";
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

  /** Gives a place to each region of a module; undefined to what is none. */
  add(module: WebAssembly.Module, regions: readonly (TranslatedRegion | undefined)[]): (number | undefined)[] {
    if (regions.every((region) => region === undefined)) return regions.map(() => undefined);
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    return regions.map((region) => {
      if (!region) return undefined;
      if (this.#free.length === 0) this.#grow();
      const place = this.#free.pop();
      if (place !== undefined) this.#table.set(place, exports[region.name]);
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
