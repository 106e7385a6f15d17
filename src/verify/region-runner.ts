import { EncodedModule } from "../../jit/emit/encoder/module.ts";
import { HANDLER_PARAMS, HANDLER_RESULTS, HANDLER_TABLE } from "../../jit/interpreter/emitter.ts";
import { Exit } from "../../runtime/abi/guest-state.ts";
import { MemoryMap, Rec } from "../../runtime/abi/memory-map.ts";
import { EntryRecord, LinkCell, REGION_IMPORTS, type TranslatedRegion } from "../../runtime/abi/translator.ts";
import type { StateView } from "../../runtime/cpu/state-view.ts";

/**
 * The entry record, and the first one behind it, to which a region goes that refuses to run; then its link cells. They lie where a
 * machine has the cells of the regions that it installed, of which there are none here.
 */
const RECORD: number = MemoryMap.LINKS;
const LINKS = RECORD + 2 * Rec.BYTES;
/** What misses the TLB is left to the interpreter. */
const MISSES = { enter_read: () => 0, enter_write: () => 0 };

type RegionFunction = (cpu: number, record: number) => number;

/**
 * Runs regions by themselves: wherever one leads, it comes back. It is the binary that a machine would run, but what it imports is
 * not core.wasm's: the functions that it goes on with note the place and end it, and its link cells are empty.
 */
export class RegionRunner {
  readonly #memory: WebAssembly.Memory;
  readonly #view: DataView;
  readonly #state: StateView;
  readonly #imports: WebAssembly.Imports;

  /** @param state of the processor whose memory it is, which has no translator of its own */
  constructor(memory: WebAssembly.Memory, state: StateView) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.#state = state;
    const end = (_cpu: number, rip: bigint): number => {
      state.rip = BigInt.asUintN(64, rip);
      return Exit.BUDGET;
    };
    const goTo = Object.fromEntries(Object.keys(REGION_IMPORTS).map((name) => [name, end]));
    this.#imports = { env: { memory, [HANDLER_TABLE]: tableOfRefusal(), ...goTo, ...MISSES } };
  }

  /**
   * Enters a region at RIP, once.
   *
   * @param further instructions that a loop may go on for; with 0 it ends before its second round
   * @returns instructions retired; 0 if it refused, or left to the interpreter at once
   */
  run(binary: Uint8Array, region: TranslatedRegion, further: number): number {
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>),
      this.#imports,
    );
    new Uint8Array(this.#memory.buffer).fill(0, RECORD, LINKS + LinkCell.BYTES * region.links);
    this.#view.setUint32(RECORD + EntryRecord.LINKS, LINKS, true);
    const state = this.#state;
    const budget = region.instructions + further;
    state.setU32("budget", budget);
    state.setU32("repeatIterations", 0);
    state.setU64("ripPage", state.rip & ~0xfffn);
    (exports[region.name] as RegionFunction)(MemoryMap.CPU, RECORD);
    const retired = budget - (state.u32("budget") | 0);
    state.setU64("instructions", state.u64("instructions") + BigInt(retired));
    return retired;
  }
}

/** A table of handlers in which handler 0 ends the run: a region that refuses goes on with the record behind its own. */
function tableOfRefusal(): WebAssembly.Table {
  const module = new EncodedModule();
  const wasm = module.raw;
  wasm.addFunction("refused", HANDLER_PARAMS, HANDLER_RESULTS, [], [wasm.return(wasm.i32.const(Exit.BUDGET))]);
  module.export("refused");
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.binary()));
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  table.set(0, exports["refused"]);
  return table;
}
