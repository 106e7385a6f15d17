import { InvariantError } from "../../runtime/abi/invariant.ts";
import type { Expression } from "../emit/wasm.ts";
import { ConstantValue, Remade, Value } from "../emit/value.ts";

export { ConstantValue } from "../emit/value.ts";

/** The bits of a float, which is at hand as one: no need to move it to an integer register and back. */
export class FloatBits extends Value {
  readonly float: Value;
  readonly #make: () => Expression;

  constructor(width: 32 | 64, make: () => Expression, float: Value) {
    super(width === 32 ? "i32" : "i64", width, float.reusable);
    this.float = float;
    this.#make = make;
  }

  override take(): Expression {
    return this.#make();
  }
}

/** The low lane of a vector as an integer. */
export class LaneBits extends Remade {
  readonly vector: Value;

  constructor(width: 32 | 64, make: () => Expression, vector: Value) {
    super(width === 32 ? "i32" : "i64", width, make);
    this.vector = vector;
  }
}

/** A whole register whose low lane has a local of its own; both named. */
export class SplitVector extends Remade {
  readonly vector: Value;
  readonly low: FloatBits;

  constructor(make: () => Expression, vector: Value, low: FloatBits) {
    super("v128", 128, make);
    this.vector = vector;
    this.low = low;
  }
}

/** An integer in memory, loaded anew wherever it is used: as the type that is wanted there. Nothing may be stored in between. */
export class LoadedBits extends Remade {
  readonly offset: Value;

  constructor(width: 32 | 64, make: () => Expression, offset: Value) {
    super(width === 32 ? "i32" : "i64", width, make);
    this.offset = offset;
  }
}

/** An offset of linear memory that is a named one and a constant: WebAssembly adds them itself. */
export class Displaced extends Value {
  readonly base: Value;
  readonly displacement: number;

  constructor(base: Value, displacement: number) {
    super("i32", 32, true);
    this.base = base;
    this.displacement = displacement;
  }

  override take(): never {
    throw new InvariantError("an offset with a displacement serves to load and to store");
  }
}

/** The number, if it is known. */
export function constantOf(value: Value): bigint | undefined {
  return value instanceof ConstantValue ? value.bits : undefined;
}
