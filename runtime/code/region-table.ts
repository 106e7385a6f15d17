import type { RegionAction, TranslatedRegion } from "../abi/translator.ts";

type RegionFunction = (cpu: number) => (typeof RegionAction)[keyof typeof RegionAction];

/** The functions of translated regions, in the table of core.wasm that entry records point into. */
export class RegionTable {
  readonly #table: WebAssembly.Table;
  readonly #memory: WebAssembly.Memory;
  readonly #free: number[] = [];

  constructor(table: WebAssembly.Table, memory: WebAssembly.Memory) {
    this.#table = table;
    this.#memory = memory;
  }

  /** Compiles a region and gives its place in the table. */
  add({ binary }: TranslatedRegion): number {
    const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    const slot = this.#free.pop() ?? this.#table.grow(1);
    this.#table.set(slot, exports["region"] as unknown as RegionFunction);
    return slot;
  }

  /** Frees a place that no entry record points to any more. */
  remove(slot: number): void {
    this.#table.set(slot, null);
    this.#free.push(slot);
  }
}
