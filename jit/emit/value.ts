import { invariant } from "../../runtime/abi/invariant.ts";
import type { Expression, Wasm, WasmType } from "./wasm.ts";

/** Bits of a value: integers of 8 to 64, and 128 for vectors. 8- and 16-bit integers are i32, always zero-extended. */
export type Width = 8 | 16 | 32 | 64 | 128;

/**
 * A run-time value of generated code. TypeScript cannot look inside, so a definition cannot branch on one by mistake.
 *
 * A value made by an operation is a tree that may be used once; `let` names it so that it can be used again.
 */
export abstract class Value {
  readonly type: WasmType;
  readonly width: Width;
  /** Whether this is a constant or a named value, which may be used any number of times. */
  readonly reusable: boolean;

  constructor(type: WasmType, width: Width, reusable: boolean) {
    this.type = type;
    this.width = width;
    this.reusable = reusable;
  }

  /** The expression, to be placed at exactly one point of the tree. For emitters, not for definitions. */
  abstract take(): Expression;
}

/** What an operation gives. */
export class Computed extends Value {
  readonly #expression: Expression;
  #taken = false;

  constructor(type: WasmType, width: Width, expression: Expression) {
    super(type, width, false);
    this.#expression = expression;
  }

  override take(): Expression {
    invariant(!this.#taken, "a value was used twice: name it with let() first");
    this.#taken = true;
    return this.#expression;
  }
}

/** A value that has a name: a local which does not change any more. */
export class Named extends Value {
  readonly #wasm: Wasm;
  readonly #index: number;

  constructor(wasm: Wasm, type: WasmType, width: Width, index: number) {
    super(type, width, true);
    this.#wasm = wasm;
    this.#index = index;
  }

  override take(): Expression {
    return this.#wasm.local.get(this.#index, this.type);
  }
}

/** An integer that is known while code is emitted. */
export class ConstantValue extends Value {
  readonly #wasm: Wasm;
  /** bits 0 to 31, signed; of 8- and 16-bit constants zero-extended */
  readonly low: number;
  /** bits 32 to 63, signed; 0 for narrower constants */
  readonly high: number;

  /**
   * @param value taken modulo 2^width
   * @param high bits 32 to 63, if they are not those of `value`
   */
  constructor(wasm: Wasm, width: 8 | 16 | 32 | 64, value: bigint | number, high?: number) {
    super(width === 64 ? "i64" : "i32", width, true);
    this.#wasm = wasm;
    if (typeof value === "number" && (high !== undefined || (value | 0) === value)) {
      this.low = width >= 32 ? value | 0 : value & ((1 << width) - 1);
      this.high = width === 64 ? (high === undefined ? value >> 31 : high | 0) : 0;
      return;
    }
    const number = Number(value);
    // BigInt arithmetic is slow, and most constants are small.
    const isExact = Number.isSafeInteger(number);
    const low = isExact ? number | 0 : Number(BigInt.asIntN(32, BigInt(value)));
    this.low = width >= 32 ? low : low & ((1 << width) - 1);
    if (width !== 64) this.high = 0;
    else this.high = isExact ? Math.floor(number / 0x1_0000_0000) | 0 : Number(BigInt.asIntN(32, BigInt(value) >> 32n));
  }

  /** in [0, 2^width) */
  get bits(): bigint {
    const low = BigInt(this.low >>> 0);
    return this.high === 0 ? low : (BigInt(this.high >>> 0) << 32n) | low;
  }
  get isZero(): boolean {
    return (this.low | this.high) === 0;
  }
  /** Whether every bit of the width is set. */
  get isOnes(): boolean {
    const { width, low, high } = this;
    return width === 64 ? (low & high) === -1 : width === 32 ? low === -1 : low === (1 << width) - 1;
  }

  override take(): Expression {
    return this.width === 64 ? this.#wasm.wideConstant(this.low, this.high) : this.#wasm.i32.const(this.low);
  }
}

/** A value that is made anew wherever it is used. */
export class Remade extends Value {
  readonly #make: () => Expression;

  constructor(type: WasmType, width: Width, make: () => Expression) {
    super(type, width, true);
    this.#make = make;
  }

  override take(): Expression {
    return this.#make();
  }
}

/** A mutable local of generated code. */
export interface Variable {
  readonly type: WasmType;
  readonly width: Width;
  get(): Value;
  set(value: Value): void;
  /** What sets it, not yet part of the function. */
  assignment(value: Value): Expression;
}
