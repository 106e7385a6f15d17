import binaryen from "binaryen";
import type { Expression, Wasm, WasmType } from "./wasm.ts";

const { Features } = binaryen;
/** What our modules use, one by one: Features.All turns on encodings that engines reject. */
const FEATURES =
  Features.MutableGlobals |
  Features.Atomics |
  Features.SIMD128 |
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.SignExt |
  Features.TailCall |
  Features.NontrappingFPToInt |
  Features.Multivalue |
  Features.ReferenceTypes;

/** WebAssembly's operations as functions that make expressions, under Binaryen's names. */
export type Operations = Pick<
  binaryen.Module,
  "i32" | "i64" | "f32" | "f64" | "v128" | "i8x16" | "i16x8" | "i32x4" | "i64x2" | "f32x4" | "f64x2"
>;

const BINARYEN_TYPE: Readonly<Record<WasmType | "none", binaryen.Type>> = {
  none: binaryen.none,
  i32: binaryen.i32,
  i64: binaryen.i64,
  f32: binaryen.f32,
  f64: binaryen.f64,
  v128: binaryen.v128,
};

function typesOf(types: readonly WasmType[]): number {
  return binaryen.createType(types.map((type) => BINARYEN_TYPE[type]));
}

/** Exists, but not in Binaryen's type declarations. */
const LoadNode = (binaryen as unknown as { readonly Load: { setSigned(load: Expression, signed: boolean): void } })
  .Load;

/** Binaryen's module as what functions are built with. */
function builderOf(module: binaryen.Module): Wasm {
  const { i32, i64, f32, f64, v128, i8x16, i16x8, i32x4, i64x2, f32x4, f64x2 } = module;
  return {
    i32,
    i64,
    f32,
    f64,
    v128,
    i8x16,
    i16x8,
    i32x4,
    i64x2,
    f32x4,
    f64x2,
    local: {
      get: (index, type) => module.local.get(index, BINARYEN_TYPE[type]),
      set: (index, value) => module.local.set(index, value),
    },
    memory: {
      copy: (destination, source, byteLength) => module.memory.copy(destination, source, byteLength),
      fill: (destination, byte, byteLength) => module.memory.fill(destination, byte, byteLength),
    },
    // The type is given: else Binaryen looks for branches in all that a block holds, and blocks are nested deeply.
    block: (label, statements) => module.block(label, statements, label === null ? undefined : binaryen.none),
    loop: (label, body) => module.loop(label, body),
    if: (condition, then, otherwise) => module.if(condition, then, otherwise),
    br: (label, condition) => module.br(label, condition),
    switch: (labels, otherwise, index) => module.switch(labels, otherwise, index),
    select: (condition, yes, no) => module.select(condition, yes, no),
    drop: (value) => module.drop(value),
    return: (value) => module.return(value),
    unreachable: () => module.unreachable(),
    call: (name, operands, result) => module.call(name, operands, BINARYEN_TYPE[result]),
    returnCall: (name, operands) => module.return_call(name, operands, binaryen.unreachable),
    callIndirect: (table, index, operands, params, result) =>
      module.call_indirect(table, index, operands, typesOf(params), BINARYEN_TYPE[result]),
    returnCallIndirect: (table, index, operands, params, results) =>
      module.return_call_indirect(table, index, operands, typesOf(params), typesOf(results)),
    wideConstant: (low, high) => i64.const((BigInt(high) << 32n) | BigInt(low >>> 0)),
    // What Binaryen builds once is optimized for size and speed as it stands.
    unlikely: (condition) => condition,
    load32Unsigned: (displacement, alignment, offset) => {
      // Binaryen.js makes i32.load a signed load, which says nothing by itself, but its optimizer then turns i64.extend_i32_u of
      // it into i64.load32_s (132.0.0).
      const load = i32.load(displacement, alignment, offset);
      LoadNode.setSigned(load, false);
      return load;
    },
    addFunction: (name, params, results, locals, statements) => {
      const body = module.block(null, statements, results.length === 0 ? binaryen.none : undefined);
      module.addFunction(
        name,
        typesOf(params),
        typesOf(results),
        locals.map((type) => BINARYEN_TYPE[type]),
        body,
      );
    },
  };
}

/** A module of ours in the text format, with the names of what it imports. */
export function textOf(binary: Uint8Array): string {
  const module = binaryen.readBinary(binary);
  try {
    const text = module.emitText();
    const imports = text.matchAll(/^ \(import "env" "(\w+)" \(\w+ (\$[\w$]+)/gm);
    const names = new Map([...imports].map(([, name = "", numbered = ""]) => [numbered, `$${name}`]));
    return text.replace(/\$[\w$]+/g, (name) => names.get(name) ?? name);
  } finally {
    module.dispose();
  }
}

/** How hard Binaryen works on a module before it is written. */
export type Optimization =
  { readonly level: 0 | 1 | 2 | 3; readonly shrink?: 0 | 1 | 2 } | { readonly passes: readonly string[] };

/** Its levels are global, hence set here each time. */
function optimize(module: binaryen.Module, how: Optimization): void {
  if ("passes" in how) {
    module.runPasses([...how.passes]);
    return;
  }
  binaryen.setOptimizeLevel(how.level);
  binaryen.setShrinkLevel(how.shrink ?? 0);
  module.optimize();
}

/** A module of ours after Binaryen's optimizer. */
export function optimizedBinary(binary: Uint8Array, how: Optimization): Uint8Array {
  const module = binaryen.readBinary(binary);
  try {
    module.setFeatures(FEATURES);
    optimize(module, how);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** A WebAssembly module under construction, on the memory and the table that all of a VM's modules share. */
export class WasmModule {
  /** what functions are built with */
  readonly raw: Wasm;
  readonly #module: binaryen.Module;

  constructor() {
    this.#module = new binaryen.Module();
    this.raw = builderOf(this.#module);
    this.#module.setFeatures(FEATURES);
  }

  /** Imports the VM's memory as "env"."memory". Sizes in 64 KiB pages. */
  importMemory(initialPages: number, maximumPages: number): void {
    this.#module.setMemory(initialPages, maximumPages, null, [], true, false, "memory");
    this.#module.addMemoryImport("memory", "env", "memory", true);
  }

  importFunction(name: string, params: readonly WasmType[], results: readonly WasmType[]): void {
    this.#module.addFunctionImport(name, "env", name, typesOf(params), typesOf(results));
  }

  /** Defines a function table that others may let grow, and fills it from `first` on. */
  table(name: string, size: number, maximum: number, first: number, functions: readonly string[]): void {
    this.#module.addTable(name, size, maximum);
    this.#module.addActiveElementSegment(name, `${name}-elements`, functions, this.#module.i32.const(first));
    this.#module.addTableExport(name, name);
  }

  importTable(name: string, size: number): void {
    this.#module.addTable(name, size, size);
    this.#module.addTableImport(name, "env", name);
  }

  export(name: string): void {
    this.#module.addFunctionExport(name, name);
  }

  /** Runs Binaryen's optimizer. */
  optimize(how: Optimization): void {
    optimize(this.#module, how);
  }

  /** Throws if the module is not valid; the message holds Binaryen's report. */
  validate(): void {
    if (!this.#module.validate()) throw new Error("generated module is not valid WebAssembly (see the report above)");
  }

  text(): string {
    return this.#module.emitText();
  }

  binary(): Uint8Array {
    return this.#module.emitBinary();
  }

  dispose(): void {
    this.#module.dispose();
  }
}
