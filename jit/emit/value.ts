import { invariant } from "../../runtime/abi/invariant.ts";
import type { Expression, WasmType } from "./wasm.ts";

/** Bits of a value: integers of 8 to 64, and 128 for vectors. 8- and 16-bit integers are i32, always zero-extended. */
export type Width = 8 | 16 | 32 | 64 | 128;

/**
 * A run-time value of generated code. TypeScript cannot look inside, so a definition cannot branch on one by mistake.
 *
 * A value made by an operation is a tree that may be used once; `let` names it so that it can be used again.
 */
export class Value {
  readonly type: WasmType;
  readonly width: Width;
  readonly #make: () => Expression;
  readonly #reusable: boolean;
  #taken = false;

  constructor(type: WasmType, width: Width, make: () => Expression, reusable: boolean) {
    this.type = type;
    this.width = width;
    this.#make = make;
    this.#reusable = reusable;
  }

  /** Whether this is a constant or a named value, which may be used any number of times. */
  get reusable(): boolean {
    return this.#reusable;
  }

  /** The expression, to be placed at exactly one point of the tree. For emitters, not for definitions. */
  take(): Expression {
    invariant(this.#reusable || !this.#taken, "a value was used twice: name it with let() first");
    this.#taken = true;
    return this.#make();
  }
}

/** A mutable local of generated code. */
export interface Variable {
  readonly type: WasmType;
  readonly width: Width;
  get(): Value;
  set(value: Value): void;
}
