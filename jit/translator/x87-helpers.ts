import type { EncodedModule } from "../emit/encoder/module.ts";
import { StateBuilder } from "../emit/state.ts";
import { ordinaryHelpers } from "../helpers/x87/ordinary/index.ts";
import type { Region } from "./region.ts";

/**
 * Adds to a module the helpers that the x87 instructions of a region call, if they are not there yet. They are part of the module so that
 * an engine may inline them, and calls them directly: a call of core.wasm's takes it three times as long as what they do.
 */
export function addX87Helpers(module: EncodedModule, { blocks }: Region): void {
  const isUsed = blocks.some(({ instructions }) =>
    instructions.some(({ definition }) => definition.unit?.startsWith("x87") === true),
  );
  if (!isUsed) return;
  for (const { name, params, result, emit } of ordinaryHelpers) {
    if (module.hasFunction(name)) continue;
    const f = new StateBuilder(module.raw, name, ["i32", ...params], result === "none" ? [] : [result]);
    emit(
      f,
      params.map((_, index) => f.parameter(index + 1)),
    );
    f.finish();
  }
}
