import type { WasmModule } from "../emit/module.ts";
import type { WasmType } from "../emit/wasm.ts";
import { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";

/** A cold path that lives in core.wasm as a function of its own; definitions reach it with `e.helper(name, ...)`. */
export interface Helper {
  readonly name: string;
  /** types of the parameters that follow the vCPU base */
  readonly params: readonly WasmType[];
  readonly result: WasmType | "none";
  /** @param operands the named parameters, without the vCPU base */
  readonly emit: (f: StateBuilder, operands: readonly Value[]) => void;
}

/** Adds helpers to a module as functions that other generated code can call. */
export function addHelpers(module: WasmModule, helpers: readonly Helper[]): void {
  for (const { name, params, result, emit } of helpers) {
    const f = new StateBuilder(module.raw, name, ["i32", ...params], result === "none" ? [] : [result]);
    emit(
      f,
      params.map((_, index) => f.parameter(index + 1)),
    );
    f.finish();
  }
}
