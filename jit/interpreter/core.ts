import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { WasmModule, type Optimization } from "../emit/module.ts";
import { addHelpers } from "../helpers/helper.ts";
import { allHelpers } from "../helpers/registry.ts";
import { definitions } from "../semantics/registry.ts";
import { CallOutNumbers } from "./call-out-numbers.ts";
import { addDispatch, SPECIAL_HANDLERS } from "./dispatch.ts";
import { HANDLER_TABLE, InterpreterEmitter } from "./emitter.ts";
import { enumerateVariants } from "./enumerate.ts";
import type { Variant } from "./variant.ts";

/** What the decoder of blocks must know of core.wasm. */
export interface CoreManifest {
  /** handlers by variant key; the value is the index in the handler table */
  readonly handlers: Readonly<Record<string, number>>;
  /** call-outs by number */
  readonly callOuts: readonly string[];
}

const PAGE = 0x1_0000;
/** the memory may be any size from its fixed part to 4 GiB */
const INITIAL_PAGES = MemoryMap.RAM / PAGE;
const MAXIMUM_PAGES = 0x1_0000;

/** translated regions at a time: their functions follow the handlers in the table */
const MAXIMUM_REGIONS = 0x10_0000;

/** Generates core.wasm: helpers, dispatch, and a handler for each variant of each definition. */
export function generateCore(optimization: Optimization): {
  readonly module: WasmModule;
  readonly manifest: CoreManifest;
  readonly failures: readonly string[];
} {
  const variants = enumerateVariants();
  const module = new WasmModule();
  module.importMemory(INITIAL_PAGES, MAXIMUM_PAGES);
  module.importFunction("bus_read", ["i64", "i32", "i32"], []);
  module.importFunction("bus_write", ["i64", "i32", "i32"], []);
  module.importFunction("code_write", ["i64", "i32"], []);
  module.importFunction("trace_table", ["i32", "i64"], []);
  module.importFunction("page_table_write", ["i64", "i32", "i32"], []);
  module.importFunction("data_access", ["i64", "i32", "i32"], []);
  module.importFunction("call_out", ["i32", "i32"], ["i32"]);
  addHelpers(module, allHelpers);
  for (const name of [
    "page_walk",
    "read_slow",
    "write_slow",
    "fetch_slow",
    "select_tlb",
    "drop_entries",
    "physical_read",
    "physical_write",
  ])
    module.export(name);

  const callOuts = new CallOutNumbers();
  const functions: string[] = [...SPECIAL_HANDLERS];
  const handlers: Record<string, number> = {};
  for (const [index, name] of SPECIAL_HANDLERS.entries()) handlers[name] = index;
  const failures: string[] = [];
  for (const [key, variant] of variants) {
    const name = handlerName(key);
    try {
      addHandler(module, name, variant, callOuts);
    } catch (cause) {
      failures.push(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
      continue;
    }
    handlers[key] = functions.length;
    functions.push(name);
  }
  addDispatch(module);
  module.table(HANDLER_TABLE, functions.length, functions.length + MAXIMUM_REGIONS, 0, functions);
  module.validate();
  module.optimize(optimization);
  return { module, manifest: { handlers, callOuts: callOuts.names() }, failures };
}

function addHandler(module: WasmModule, name: string, variant: Variant, callOuts: CallOutNumbers): void {
  const definition = definitions[variant.mnemonic];
  new InterpreterEmitter(module.raw, name, variant, definition, callOuts).build();
}

function handlerName(key: string): string {
  return key.replaceAll(" ", "_");
}
