import type { VectorShape } from "../emit/function.ts";
import { Remade, Value } from "../emit/value.ts";
import type { Expression, Wasm } from "../emit/wasm.ts";
import { FoldingEmitter } from "./folding.ts";
import { ConstantValue } from "./values.ts";

const BYTES = 16;
const ZEROS: readonly number[] = new Array<number>(BYTES).fill(0);
const LANE_BYTES = { i8x16: 1, i16x8: 2, i32x4: 4, i64x2: 8, f32x4: 4, f64x2: 8 } as const;
/** Picks no byte but a zero. */
const NOTHING = 0xff;

/** A vector that is known while code is emitted. */
export class ConstantVector extends Remade {
  /** lowest first */
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[], make: () => Expression) {
    super("v128", 128, make);
    this.bytes = bytes;
  }
  isAll(byte: number): boolean {
    return this.bytes.every((one) => one === byte);
  }
}

/** Bytes of two vectors, which have not been moved yet: a permutation of them is one permutation, not two. */
class Permuted extends Value {
  readonly low: Value;
  readonly high: Value;
  /** numbers of bytes: 0 to 15 in `low`, 16 to 31 in `high` */
  readonly mask: readonly number[];
  readonly #make: () => Expression;

  constructor(low: Value, high: Value, mask: readonly number[], make: () => Expression) {
    super("v128", 128, false);
    this.low = low;
    this.high = high;
    this.mask = mask;
    this.#make = make;
  }
  override take(): Expression {
    return this.#make();
  }
}

/** A byte of a vector; no vector gives zero. */
type Pick = readonly [source: Value | undefined, byte: number];

/**
 * An emitter that computes with vectors that it knows. Definitions make masks and permutations of immediates by vector operations, since
 * the interpreter knows immediates only when it runs: here all of that becomes a constant, and the permutation a single instruction.
 */
export abstract class VectorFoldingEmitter extends FoldingEmitter {
  override vectorConstant(bytes: readonly number[]): Value {
    return new ConstantVector(bytes, () => this.placeConstant(bytes));
  }
  /** What gives a constant where it is used. */
  protected placeConstant(bytes: readonly number[]): Expression {
    return super.vectorConstant(bytes).take();
  }

  override splat(shape: Exclude<VectorShape, "v128">, lane: Value): Value {
    if (!(lane instanceof ConstantValue)) return super.splat(shape, lane);
    const { low, high } = lane;
    const size = LANE_BYTES[shape];
    return this.vectorConstant(ZEROS.map((_, i) => ((i % size < 4 ? low : high) >>> (8 * ((i % size) & 3))) & 0xff));
  }

  override vector<S extends VectorShape>(
    shape: S,
    operation: Extract<keyof Wasm[S], string>,
    ...operands: Value[]
  ): Value {
    return this.#fold(shape, operation, operands) ?? super.vector(shape, operation, ...operands);
  }

  #fold(shape: VectorShape, operation: string, operands: readonly Value[]): Value | undefined {
    const [left, right, mask] = operands;
    if (!left || !right) return undefined;
    if (mask) return operation === "bitselect" ? this.#select(left, right, mask) : undefined;
    if (operation === "swizzle" && right instanceof ConstantVector) return this.#swizzle(left, right);
    const [a, b] = [left, right].map((value) => (value instanceof ConstantVector ? value : undefined));
    if (shape === "v128") return this.#bitwise(operation, left, right, a, b);
    if (!a) return undefined;
    const bytes = b
      ? laneByLane(shape, operation, a.bytes, b.bytes)
      : right instanceof ConstantValue
        ? shifted(shape, operation, a.bytes, right.low)
        : undefined;
    return bytes && this.vectorConstant(bytes);
  }

  #bitwise(
    operation: string,
    left: Value,
    right: Value,
    a: ConstantVector | undefined,
    b: ConstantVector | undefined,
  ): Value | undefined {
    const compute = BITWISE[operation];
    if (!compute) return undefined;
    if (a && b) return this.vectorConstant(a.bytes.map((byte, index) => compute(byte, b.bytes[index] ?? 0) & 0xff));
    const known = b ?? a;
    const other = b ? left : right;
    if (!known || (operation === "andnot" && !b)) return undefined;
    if (known.isAll(0)) return operation === "and" ? known : other;
    if (!known.isAll(0xff)) return undefined;
    if (operation === "and") return other;
    if (operation === "or") return known;
    return operation === "andnot" ? this.zeroVector() : undefined;
  }

  // ---- permutations ----

  #select(yes: Value, no: Value, mask: Value): Value | undefined {
    if (!(mask instanceof ConstantVector) || mask.bytes.some((byte) => byte !== 0 && byte !== 0xff)) return undefined;
    return this.shuffle(
      yes,
      no,
      mask.bytes.map((byte, index) => (byte === 0 ? BYTES + index : index)),
    );
  }

  #swizzle(source: Value, indexes: ConstantVector): Value | undefined {
    const picks = indexes.bytes.map((byte): Pick => (byte < BYTES ? pickOf(source, byte) : [undefined, 0]));
    return this.#permuted(picks);
  }

  override shuffle(low: Value, high: Value, mask: readonly number[]): Value {
    const picks = mask.map((byte) => (byte < BYTES ? pickOf(low, byte) : pickOf(high, byte - BYTES)));
    return this.#permuted(picks) ?? super.shuffle(low, high, mask);
  }

  override extractLane(shape: Exclude<VectorShape, "v128">, vector: Value, index: number): Value {
    const size = LANE_BYTES[shape];
    const picks = ZEROS.slice(0, size).map((_, byte) => pickOf(vector, index * size + byte));
    const [source, first] = picks[0] ?? [undefined, 0];
    const isWhole = first % size === 0 && picks.every(([from, byte], at) => from === source && byte === first + at);
    return source && isWhole ? super.extractLane(shape, source, first / size) : super.extractLane(shape, vector, index);
  }

  /** The bytes as a permutation of two vectors, if they come from no more than that. */
  #permuted(picks: readonly Pick[]): Value | undefined {
    const sources = [...new Set(picks.flatMap(([source]) => source ?? []))];
    const hasZeros = picks.some(([source]) => !source);
    const [low] = sources;
    if (sources.length > (hasZeros ? 1 : 2)) return undefined;
    if (!low) return this.zeroVector();
    if (picks.every(([source, byte], index) => source === low && byte === index)) return low;
    // A value that is no name is taken once. Engines look whether any byte of the second vector is used.
    const high = sources[1] ?? (hasZeros || !low.reusable ? this.zeroVector() : low);
    const distance = distanceOf(picks);
    const mask = picks.map(([source, byte], index) =>
      !source ? BYTES + ((index + distance) & (BYTES - 1)) : source === low ? byte : BYTES + byte,
    );
    const value = new Permuted(low, high, mask, () => super.shuffle(low, high, mask).take());
    this.#noteNumbers(value, picks);
    return value;
  }

  /** Numbers stay what they are where they are moved as a whole. */
  #noteNumbers(value: Value, picks: readonly Pick[]): void {
    for (const [vector, number] of FORMATS) {
      const size = LANE_BYTES[vector];
      const lanes = picks.filter((_, index) => index % size === 0);
      const isWhole = lanes.every(
        ([source, first], lane) =>
          first % size === 0 &&
          picks
            .slice(lane * size, (lane + 1) * size)
            .every(([from, byte], at) => from === source && (!source || byte === first + at)),
      );
      if (!isWhole) continue;
      const all = (knows: (source: Value, format: typeof vector | typeof number) => boolean): boolean =>
        lanes.every(([source, first]) => !source || knows(source, vector) || (first === 0 && knows(source, number)));
      if (picks.some(([source]) => source && this.isSparse(source))) this.noteSparse(value);
      if (all((source, format) => this.knowsNormal(source, format))) this.noteNormal(value, vector);
      if (all((source, format) => this.knowsOrdered(source, format))) this.noteOrdered(value, vector);
    }
  }
}

const FORMATS = [
  ["f32x4", "f32"],
  ["f64x2", "f64"],
] as const;

/** How far bytes move down, for zeros that follow on them: engines have an instruction for bytes of two vectors in a row. */
function distanceOf(picks: readonly Pick[]): number {
  const at = picks.findIndex(([source]) => source !== undefined);
  return (picks[at]?.[1] ?? 0) - at;
}

/** Where a byte of a vector comes from. */
function pickOf(vector: Value, byte: number): Pick {
  if (vector instanceof ConstantVector && vector.bytes[byte] === 0 && vector.isAll(0)) return [undefined, 0];
  if (!(vector instanceof Permuted)) return [vector, byte];
  const from = vector.mask[byte] ?? NOTHING;
  return from < BYTES ? pickOf(vector.low, from) : pickOf(vector.high, from - BYTES);
}

const BITWISE: Readonly<Partial<Record<string, (a: number, b: number) => number>>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  andnot: (a, b) => a & ~b,
};

/** On lanes of up to 32 bits; what is above is cut off. */
const LANEWISE: Readonly<Partial<Record<string, (a: number, b: number, all: number) => number>>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => Math.imul(a, b),
  add_saturate_u: (a, b, all) => Math.min(a + b, all),
};

function laneByLane(
  shape: VectorShape,
  operation: string,
  left: readonly number[],
  right: readonly number[],
): readonly number[] | undefined {
  const size = sizeOf(shape);
  if (operation === "eq" && size !== undefined) {
    const isEqual = (first: number): boolean =>
      left.slice(first, first + size).every((byte, at) => byte === right[first + at]);
    return left.map((_, index) => (isEqual(index - (index % size)) ? 0xff : 0));
  }
  const compute = LANEWISE[operation];
  if (!compute || size === undefined || size > 4) return undefined;
  const all = 2 ** (8 * size) - 1;
  return mapLanes(left, size, (lane, first) => compute(lane, laneAt(right, first, size), all));
}

function shifted(
  shape: VectorShape,
  operation: string,
  bytes: readonly number[],
  count: number,
): readonly number[] | undefined {
  const size = sizeOf(shape);
  if (size === undefined || size > 4 || (operation !== "shl" && operation !== "shr_u")) return undefined;
  const bits = count & (8 * size - 1);
  return mapLanes(bytes, size, (lane) => (operation === "shl" ? lane << bits : lane >>> bits));
}

/** Bytes of the lanes of an integer shape. */
function sizeOf(shape: VectorShape): number | undefined {
  return shape === "v128" || shape === "f32x4" || shape === "f64x2" ? undefined : LANE_BYTES[shape];
}

function mapLanes(
  bytes: readonly number[],
  size: number,
  compute: (lane: number, first: number) => number,
): readonly number[] {
  const result: number[] = [];
  for (let first = 0; first < BYTES; first += size) {
    const lane = compute(laneAt(bytes, first, size), first);
    for (let byte = 0; byte < size; byte++) result.push((lane >>> (8 * byte)) & 0xff);
  }
  return result;
}

/** A lane of up to 32 bits, unsigned. */
function laneAt(bytes: readonly number[], first: number, size: number): number {
  let lane = 0;
  for (let byte = size - 1; byte >= 0; byte--) lane = lane * 256 + (bytes[first + byte] ?? 0);
  return lane;
}
