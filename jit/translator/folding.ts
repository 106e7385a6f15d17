import type { FloatType } from "../emit/function.ts";
import type { Value, Width } from "../emit/value.ts";
import { Emitter } from "../semantics/emitter.ts";
import { ConstantValue, Displaced, FloatBits, LaneBits, LoadedBits } from "./values.ts";

const ZEROS: readonly number[] = new Array<number>(16).fill(0);

/**
 * An emitter that computes with what it knows: operations on constants (immediates, flags of MXCSR, masked shift counts) give
 * constants, so that a definition's `if` on one of them costs nothing and leaves no second path behind.
 */
export abstract class FoldingEmitter extends Emitter {
  override let(value: Value): Value {
    if (value instanceof FloatBits && !value.reusable) return this.floatBits(super.let(value.float));
    return super.let(value);
  }

  /** The bits of a float that is named. */
  floatBits(float: Value): FloatBits {
    const width = float.type === "f32" ? 32 : 64;
    return new FloatBits(width, () => super.reinterpret(float, width === 32 ? "i32" : "i64").take(), float);
  }

  #fold(left: Value, right: Value, compute: (a: bigint, b: bigint) => bigint): Value | undefined {
    if (!(left instanceof ConstantValue && right instanceof ConstantValue)) return undefined;
    return this.constant(left.width, compute(left.bits, right.bits));
  }
  #compare(left: Value, right: Value, compute: (a: bigint, b: bigint) => boolean): Value | undefined {
    if (!(left instanceof ConstantValue && right instanceof ConstantValue)) return undefined;
    return this.constant(32, compute(left.bits, right.bits) ? 1 : 0);
  }

  override add(left: Value, right: Value): Value {
    if (isZero(right, left)) return left;
    if (isZero(left, right)) return right;
    return this.#fold(left, right, sum) ?? super.add(left, right);
  }
  override sub(left: Value, right: Value): Value {
    if (isZero(right, left)) return left;
    return this.#fold(left, right, difference) ?? super.sub(left, right);
  }
  override and(left: Value, right: Value): Value {
    if (isOnes(right, left)) return left;
    return this.#fold(left, right, (a, b) => a & b) ?? super.and(left, right);
  }
  override or(left: Value, right: Value): Value {
    if (isZero(right, left)) return left;
    if (isZero(left, right)) return right;
    return this.#fold(left, right, (a, b) => a | b) ?? super.or(left, right);
  }
  override xor(left: Value, right: Value): Value {
    if (isZero(right, left)) return left;
    return this.#fold(left, right, (a, b) => a ^ b) ?? super.xor(left, right);
  }
  override shl(value: Value, count: Value): Value {
    if (!(count instanceof ConstantValue)) return super.shl(value, count);
    if (count.isZero) return value;
    return this.#fold(value, count, (a, b) => a << (b & shiftMask(value))) ?? super.shl(value, count);
  }
  override shrU(value: Value, count: Value): Value {
    if (!(count instanceof ConstantValue)) return super.shrU(value, count);
    if (count.isZero) return value;
    return this.#fold(value, count, (a, b) => a >> (b & shiftMask(value))) ?? super.shrU(value, count);
  }
  override divU(left: Value, right: Value): Value {
    const divisor = right instanceof ConstantValue ? right.bits : 0n;
    const isPower = divisor > 0n && (divisor & (divisor - 1n)) === 0n;
    if (!isPower) return super.divU(left, right);
    return this.shrU(left, this.constant(left.type === "i64" ? 64 : 32, divisor.toString(2).length - 1));
  }
  override eqz(value: Value): Value {
    return value instanceof ConstantValue ? this.constant(32, value.isZero ? 1 : 0) : super.eqz(value);
  }
  override eq(left: Value, right: Value): Value {
    return this.#compare(left, right, (a, b) => a === b) ?? super.eq(left, right);
  }
  override ne(left: Value, right: Value): Value {
    return this.#compare(left, right, (a, b) => a !== b) ?? super.ne(left, right);
  }
  override ltU(left: Value, right: Value): Value {
    return this.#compare(left, right, (a, b) => a < b) ?? super.ltU(left, right);
  }
  override gtU(left: Value, right: Value): Value {
    return this.#compare(left, right, (a, b) => a > b) ?? super.gtU(left, right);
  }
  override extend(value: Value, width: Width): Value {
    if (!(value instanceof ConstantValue) || width === 128) return super.extend(value, width);
    return this.constantWords(width, value.low, value.high);
  }
  override truncate(value: Value, width: Width): Value {
    if (!(value instanceof ConstantValue) || width === 128) return super.truncate(value, width);
    return this.constantWords(width, value.low, value.high);
  }
  override signExtend(value: Value, width: Width): Value {
    if (!(value instanceof ConstantValue) || width === 128 || value.width === 64) return super.signExtend(value, width);
    const unused = 32 - value.width;
    const low = (value.low << unused) >> unused;
    return this.constantWords(width, low, low >> 31);
  }
  override select(condition: Value, yes: Value, no: Value): Value {
    if (condition instanceof ConstantValue) return condition.isZero ? no : yes;
    return super.select(condition, yes, no);
  }

  /** Floats that came from a register, from memory or from an operation are taken from there, not from their bits. */
  override reinterpret(value: Value, type: "i32" | "i64" | FloatType): Value {
    if (value.type === type) return value;
    if (type === "f32" || type === "f64") {
      if (value instanceof FloatBits && value.float.type === type) return value.float;
      if (value instanceof LaneBits) return this.extractLane(type === "f32" ? "f32x4" : "f64x2", value.vector, 0);
      if (value instanceof LoadedBits) return this.loadFloat(type, value.offset);
    } else if (value.type === "f32" || value.type === "f64") {
      if (value.reusable) return this.floatBits(value);
      return new FloatBits(type === "i32" ? 32 : 64, () => super.reinterpret(value, type).take(), value);
    }
    return super.reinterpret(value, type);
  }

  override loadOffset(width: Width, offset: Value, displacement = 0): Value {
    if (offset instanceof Displaced) return super.loadOffset(width, offset.base, displacement + offset.displacement);
    return super.loadOffset(width, offset, displacement);
  }
  override storeOffset(offset: Value, value: Value, displacement = 0): void {
    if (offset instanceof Displaced) super.storeOffset(offset.base, value, displacement + offset.displacement);
    else super.storeOffset(offset, value, displacement);
  }

  loadFloat(type: FloatType, offset: Value): Value {
    const [base, displacement] = placeOf(offset);
    return this.value(type, type === "f32" ? 32 : 64, this.wasm[type].load(displacement, 1, base.take()));
  }

  /** The low lane of a vector as an integer. `vector` is named. */
  laneBits(vector: Value, width: 32 | 64): Value {
    const shape = width === 32 ? "i32x4" : "i64x2";
    return new LaneBits(width, () => super.extractLane(shape, vector, 0).take(), vector);
  }

  /** An integer in memory that may be loaded again as a float. */
  loadedBits(width: 32 | 64, offset: Value): Value {
    return new LoadedBits(width, () => this.loadOffset(width, offset).take(), offset);
  }

  /** A vector whose low lane is `value`, the rest being that of `vector`. */
  withLowLane(vector: Value, value: Value): Value {
    if (value instanceof FloatBits)
      return this.replaceLane(value.width === 32 ? "f32x4" : "f64x2", vector, 0, value.float);
    if (value instanceof LaneBits) return this.#mergeLow(vector, value);
    return this.replaceLane(laneShape(value.width), vector, 0, value);
  }

  #mergeLow(vector: Value, { width, vector: source }: LaneBits): Value {
    const bytes = width / 8;
    return this.shuffle(
      vector,
      source,
      Array.from({ length: 16 }, (_, i) => (i < bytes ? i + 16 : i)),
    );
  }

  zeroVector(): Value {
    return this.vectorConstant(ZEROS);
  }

  /** A vector whose low lane is `value`, and zeros above. */
  zeroExtendedVector(value: Value): Value {
    const { v128 } = this.wasm;
    if (value instanceof LoadedBits) {
      const [base, displacement] = placeOf(value.offset);
      const at = base.take();
      const loaded = value.width === 32 ? v128.load32_zero(displacement, 1, at) : v128.load64_zero(displacement, 1, at);
      return this.value("v128", 128, loaded);
    }
    return this.withLowLane(this.zeroVector(), value);
  }
}

function placeOf(offset: Value): readonly [base: Value, displacement: number] {
  return offset instanceof Displaced ? [offset.base, offset.displacement] : [offset, 0];
}

/** Whether `value` is zero, and of the width of `other`, which can then stand for the result. */
function isZero(value: Value, other: Value): boolean {
  return value instanceof ConstantValue && value.isZero && value.width === other.width;
}
function isOnes(value: Value, other: Value): boolean {
  return value instanceof ConstantValue && value.isOnes && value.width === other.width;
}
function sum(a: bigint, b: bigint): bigint {
  return a + b;
}
function difference(a: bigint, b: bigint): bigint {
  return a - b;
}

function laneShape(width: Width): "i8x16" | "i16x8" | "i32x4" | "i64x2" {
  return width === 8 ? "i8x16" : width === 16 ? "i16x8" : width === 32 ? "i32x4" : "i64x2";
}

function shiftMask(value: Value): bigint {
  return value.type === "i64" ? 63n : 31n;
}
