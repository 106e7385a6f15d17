import binaryen from "binaryen";

/** An expression of Binaryen's tree; it may stand in one place only. */
export type Expression = number;
export type Wasm = binaryen.Module;
export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

const BINARYEN_TYPE: Readonly<Record<WasmType, binaryen.Type>> = {
  i32: binaryen.i32,
  i64: binaryen.i64,
  f32: binaryen.f32,
  f64: binaryen.f64,
  v128: binaryen.v128,
};

export function binaryenType(type: WasmType): number {
  return BINARYEN_TYPE[type];
}

export function binaryenTypes(types: readonly WasmType[]): number {
  return binaryen.createType(types.map(binaryenType));
}

/** The type of a branch, a return or a tail call: control does not come back. */
export const UNREACHABLE: number = binaryen.unreachable;
export const NONE: number = binaryen.none;

/**
 * Marks a 32-bit load as unsigned. Binaryen.js makes i32.load a signed load, which says nothing by itself, but its optimizer then
 * turns i64.extend_i32_u of it into i64.load32_s (132.0.0).
 */
export function unsignedLoad(load: Expression): Expression {
  LoadNode.setSigned(load, false);
  return load;
}

/** Exists, but not in Binaryen's type declarations. */
const LoadNode = (binaryen as unknown as { readonly Load: { setSigned(load: Expression, signed: boolean): void } })
  .Load;

/** How hard Binaryen works on a module before it is written. */
export type Optimization =
  { readonly level: 0 | 1 | 2 | 3; readonly shrink?: 0 | 1 | 2 } | { readonly passes: readonly string[] };

/** A WebAssembly module under construction, on the memory and the table that all of a VM's modules share. */
export class WasmModule {
  readonly raw: Wasm;
  readonly #features: number;

  constructor() {
    this.raw = new binaryen.Module();
    // One by one: Features.All turns on encodings that engines reject.
    const { Features } = binaryen;
    this.#features =
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
    this.raw.setFeatures(this.#features);
  }

  /** Imports the VM's memory as "env"."memory". Sizes in 64 KiB pages. */
  importMemory(initialPages: number, maximumPages: number): void {
    this.raw.setMemory(initialPages, maximumPages, null, [], true, false, "memory");
    this.raw.addMemoryImport("memory", "env", "memory", true);
  }

  importFunction(name: string, params: readonly WasmType[], results: readonly WasmType[]): void {
    this.raw.addFunctionImport(name, "env", name, binaryenTypes(params), binaryenTypes(results));
  }

  /** Defines the function table and fills it from `first` on. */
  table(name: string, size: number, first: number, functions: readonly string[]): void {
    this.raw.addTable(name, size, size);
    this.raw.addActiveElementSegment(name, `${name}-elements`, functions, this.raw.i32.const(first));
    this.raw.addTableExport(name, name);
  }

  /** Defines an empty function table that grows from outside. */
  growableTable(name: string, maximum: number): void {
    this.raw.addTable(name, 1, maximum);
    this.raw.addTableExport(name, name);
  }

  importTable(name: string, size: number): void {
    this.raw.addTable(name, size, size);
    this.raw.addTableImport(name, "env", name);
  }

  export(name: string): void {
    this.raw.addFunctionExport(name, name);
  }

  /** Runs Binaryen's optimizer. Its levels are global, hence set here each time. */
  optimize(how: Optimization): void {
    if ("passes" in how) {
      this.raw.runPasses([...how.passes]);
      return;
    }
    binaryen.setOptimizeLevel(how.level);
    binaryen.setShrinkLevel(how.shrink ?? 0);
    this.raw.optimize();
  }

  /** Throws if the module is not valid; the message holds Binaryen's report. */
  validate(): void {
    if (!this.raw.validate()) throw new Error("generated module is not valid WebAssembly (see the report above)");
  }

  text(): string {
    return this.raw.emitText();
  }

  binary(): Uint8Array {
    return this.raw.emitBinary();
  }

  dispose(): void {
    this.raw.dispose();
  }
}
