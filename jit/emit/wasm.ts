import type { Operations } from "./module.ts";

/** An expression of a module's tree; it may stand in one place only. */
export type Expression = number;
export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

/**
 * What functions are built with: expressions by WebAssembly operation (under the names that Binaryen gives them), and the structure
 * around them. Two make it: Binaryen, whose optimizer is worth its time for what is built once, and the encoder of
 * `encoder/`, which writes the same bytes in a fiftieth of the time for code that is built while a guest waits for it.
 */
export interface Wasm extends Operations {
  readonly local: {
    get(index: number, type: WasmType): Expression;
    set(index: number, value: Expression): Expression;
  };
  readonly memory: {
    copy(destination: Expression, source: Expression, byteLength: Expression): Expression;
    fill(destination: Expression, byte: Expression, byteLength: Expression): Expression;
  };
  /** Statements in a row; `label` is what branches to its end name. Without result. */
  block(label: string | null, statements: Expression[]): Expression;
  loop(label: string, body: Expression): Expression;
  if(condition: Expression, then: Expression, otherwise?: Expression): Expression;
  br(label: string, condition?: Expression): Expression;
  switch(labels: string[], otherwise: string, index: Expression): Expression;
  select(condition: Expression, yes: Expression, no: Expression): Expression;
  drop(value: Expression): Expression;
  return(value?: Expression): Expression;
  unreachable(): Expression;
  call(name: string, operands: Expression[], result: WasmType | "none"): Expression;
  returnCall(name: string, operands: Expression[], results: readonly WasmType[]): Expression;
  callIndirect(
    table: string,
    index: Expression,
    operands: Expression[],
    params: readonly WasmType[],
    result: WasmType,
  ): Expression;
  returnCallIndirect(
    table: string,
    index: Expression,
    operands: Expression[],
    params: readonly WasmType[],
    results: readonly WasmType[],
  ): Expression;
  /** A 64-bit constant in two words. */
  wideConstant(low: number, high: number): Expression;
  /** Marks the condition of an `if` or `br` as one that is hardly ever met; gives what stands for it. */
  unlikely(condition: Expression): Expression;
  /** A 32-bit load whose result is taken as unsigned where it is extended. */
  load32Unsigned(displacement: number, alignment: number, offset: Expression): Expression;
  addFunction(
    name: string,
    params: readonly WasmType[],
    results: readonly WasmType[],
    locals: readonly WasmType[],
    statements: Expression[],
  ): void;
}
