import type { FunctionBuilder } from "../../emit/function.ts";
import type { Wasm } from "../../emit/wasm.ts";
import type { Value, Width } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter, OperandHandle } from "../emitter.ts";

/** Integer lanes of a vector. */
export type LaneShape = "i8x16" | "i16x8" | "i32x4" | "i64x2";
export type LaneWidth = 8 | 16 | 32 | 64;

export const SHAPE = { 8: "i8x16", 16: "i16x8", 32: "i32x4", 64: "i64x2" } as const satisfies Record<
  LaneWidth,
  LaneShape
>;

/** See Definition. */
export interface PackedOptions {
  readonly hot?: boolean;
  readonly unaligned?: boolean;
}

/** Computes a packed result from two vectors; of an MMX operation only the low 64 bits of each count. */
export type PackedOperation = (e: Emitter, left: Value, right: Value, width: 64 | 128) => Value;

/** An operand's value as a vector. Integers of up to 64 bits (MMX, scalar memory) fill the low lane; what lies above is no matter. */
export function asVector(e: FunctionBuilder, value: Value): Value {
  if (value.type === "v128") return value;
  return e.let(e.splat("i64x2", e.extend(value, 64)));
}

/** A vector as a value of an operand of `width` bits: itself, or the integer in its low lane. */
export function fromVector(e: FunctionBuilder, vector: Value, width: number): Value {
  if (width === 128) return vector;
  if (width === 64) return e.extractLane("i64x2", vector, 0);
  return e.truncate(e.extractLane("i32x4", vector, 0), width as Width);
}

/** The source as a vector without going through an integer, whatever the operand's width. */
export function readVector(e: FunctionBuilder, operand: OperandHandle): Value {
  return asVector(e, operand.read());
}

/**
 * DEST = operation(DEST, SRC) on packed lanes: the MMX form (64 bits) and the XMM form (128 bits) of one mnemonic.
 */
export function packed(reference: string, operation: PackedOperation, options: PackedOptions = {}): Definition {
  return define({
    reference,
    unit: "sse",
    ...options,
    operands: { dst: "rw", src: "r" },
    emit(e, { dst, src }) {
      const width = packedWidth(dst);
      const right = readVector(e, src);
      const left = readVector(e, dst);
      dst.write(fromVector(e, operation(e, left, right, width), width));
    },
  });
}

/** DEST = operation(SRC) on packed lanes. */
export function packedUnary(
  reference: string,
  operation: (e: Emitter, value: Value, width: 64 | 128) => Value,
): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "w", src: "r" },
    emit(e, { dst, src }) {
      const width = packedWidth(dst);
      dst.write(fromVector(e, operation(e, readVector(e, src), width), width));
    },
  });
}

/** DEST = operation(DEST, SRC, immediate byte) on packed lanes; the immediate is an i32. */
export function packedImmediate(
  reference: string,
  operation: (e: Emitter, left: Value, right: Value, immediate: Value, width: 64 | 128) => Value,
): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "rw", src: "r", immediate: "r" },
    emit(e, { dst, src, immediate }) {
      const width = packedWidth(dst);
      const right = readVector(e, src);
      const left = readVector(e, dst);
      const control = e.let(e.extend(immediate.read(), 32));
      dst.write(fromVector(e, operation(e, left, right, control, width), width));
    },
  });
}

/** A packed operation that is one WebAssembly instruction. */
export function lanewise<S extends LaneShape | "v128">(
  reference: string,
  shape: S,
  operation: Extract<keyof Wasm[S], string>,
  options: PackedOptions = {},
): Definition {
  return packed(reference, (e, left, right) => e.vector(shape, operation, left, right), options);
}

/** 64 for MMX, 128 for XMM operands. */
export function packedWidth(operand: OperandHandle): 64 | 128 {
  return operand.width === 128 ? 128 : 64;
}

// ---- constants and permutations ----

/** A vector constant from its lanes, lowest first; a shorter list is repeated. */
export function lanes(e: FunctionBuilder, width: LaneWidth, values: readonly number[]): Value {
  const laneBytes = width / 8;
  const bytes: number[] = [];
  for (let i = 0; i < 16; i++) {
    const lane = BigInt(values[Math.floor(i / laneBytes) % values.length] ?? 0);
    bytes.push(Number((BigInt.asUintN(64, lane) >> BigInt((i % laneBytes) * 8)) & 0xffn));
  }
  return e.vectorConstant(bytes);
}

export function zeroVector(e: FunctionBuilder): Value {
  return lanes(e, 64, [0]);
}

/** 0, 1, ... 15: the identity permutation of bytes. */
export function identity(e: FunctionBuilder): Value {
  return e.vectorConstant(Array.from({ length: 16 }, (_, i) => i));
}

/** Bytes of a shuffle that picks whole lanes: lane numbers count through the first vector, then the second. */
export function laneMask(width: LaneWidth, indexes: readonly number[]): number[] {
  const laneBytes = width / 8;
  const bytes = indexes.flatMap((lane) => Array.from({ length: laneBytes }, (_, i) => lane * laneBytes + i));
  // The upper half of an MMX shuffle is of no consequence.
  while (bytes.length < 16) bytes.push(0);
  return bytes;
}

/** Picks lanes of two vectors, by numbers known now. */
export function shuffleLanes(
  e: FunctionBuilder,
  width: LaneWidth,
  low: Value,
  high: Value,
  indexes: readonly number[],
): Value {
  return e.shuffle(low, high, laneMask(width, indexes));
}

/** Both MMX operands in one vector: `low` in lane 0, `high` in lane 1. */
export function joinHalves(e: FunctionBuilder, low: Value, high: Value): Value {
  return shuffleLanes(e, 64, low, high, [0, 2]);
}

/** The bytes of `vector` from byte number `first` (an i32, 0..255) on, zeros behind its end. */
export function bytesFrom(e: FunctionBuilder, vector: Value, first: Value): Value {
  // Saturation keeps indexes beyond the end beyond the end, where SWIZZLE gives 0.
  return e.vector(
    "i8x16",
    "swizzle",
    vector,
    e.vector("i8x16", "add_saturate_u", identity(e), e.splat("i8x16", first)),
  );
}

/** Lane number `index` (an i32 in range) in all lanes. */
export function broadcastLane(e: FunctionBuilder, width: 8 | 16 | 32, vector: Value, index: Value): Value {
  const laneBytes = width / 8;
  const first = laneBytes === 1 ? index : e.mul(index, e.constant(32, laneBytes));
  const within = e.vectorConstant(Array.from({ length: 16 }, (_, i) => i % laneBytes));
  return e.vector("i8x16", "swizzle", vector, e.vector("i8x16", "add", within, e.splat("i8x16", first)));
}

/** Lane number `index` (an i32 in range) as an integer. */
export function laneAt(e: FunctionBuilder, width: LaneWidth, vector: Value, index: Value): Value {
  const moved = bytesFrom(e, vector, width === 8 ? index : e.mul(index, e.constant(32, width / 8)));
  return e.extractLane(SHAPE[width], moved, 0);
}

/** `vector` with lane number `index` (an i32 in range) replaced by an integer. */
export function withLaneAt(e: FunctionBuilder, width: LaneWidth, vector: Value, index: Value, lane: Value): Value {
  const shape = SHAPE[width];
  const numbers = lanes(
    e,
    width,
    Array.from({ length: 128 / width }, (_, i) => i),
  );
  const selected = e.vector(shape, "eq", numbers, e.splat(shape, width === 64 ? e.extend(index, 64) : index));
  return e.vector("v128", "bitselect", e.splat(shape, lane), vector, selected);
}

/** All ones in lane i if bit i of `bits` (an i32) is set, else zeros. */
export function lanesFromBits(e: FunctionBuilder, width: LaneWidth, bits: Value): Value {
  const count = 128 / width;
  if (width === 8) {
    // Sixteen bits do not fit a byte lane: the low byte of `bits` serves lanes 0..7, the high byte lanes 8..15.
    const spread = e.vector(
      "i8x16",
      "swizzle",
      e.splat("i16x8", bits),
      e.vectorConstant([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]),
    );
    const each = e.vectorConstant(Array.from({ length: 16 }, (_, i) => 1 << (i % 8)));
    return e.vector("i8x16", "eq", e.vector("v128", "and", spread, each), each);
  }
  const shape = SHAPE[width];
  const each = lanes(
    e,
    width,
    Array.from({ length: count }, (_, i) => 2 ** i),
  );
  const spread = e.splat(shape, width === 64 ? e.extend(bits, 64) : bits);
  return e.vector(shape, "eq", e.vector("v128", "and", spread, each), each);
}
