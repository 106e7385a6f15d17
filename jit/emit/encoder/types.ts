import type { WasmType } from "../wasm.ts";

/** Core Specification, 5.3. */
export const TYPE_CODE: Readonly<Record<WasmType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
/** The type of a block without parameters and results. */
export const EMPTY_BLOCK = 0x40;
