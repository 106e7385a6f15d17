import type { Value } from "../emit/value.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";

/** Widths of the integer instructions. */
export type IntegerWidth = 8 | 16 | 32 | 64;

/** Width of an operand that the opcode tables only ever give an integer width. */
export function widthOf(operand: OperandHandle): IntegerWidth {
  return operand.width as IntegerWidth;
}

/** Reads an operand sign-extended to `width`; only immediates are ever narrower. The result is named. */
export function readSigned(e: Emitter, operand: OperandHandle, width: IntegerWidth): Value {
  return e.let(e.signExtend(operand.read(), width));
}

/** Twice the width, where that is still an integer. */
export function doubled(width: 8 | 16 | 32): 16 | 32 | 64 {
  return width === 8 ? 16 : width === 16 ? 32 : 64;
}

/** The upper half of a value of 16, 32 or 64 bits, at half its width. */
export function upperHalf(e: Emitter, value: Value): Value {
  const half = (value.width / 2) as 8 | 16 | 32;
  return e.truncate(e.shrU(value, sameType(e, value, half)), half);
}

/** A constant shift count, of the wasm type that shifts of `value` take. */
export function sameType(e: Emitter, value: Value, count: number): Value {
  return e.constant(value.width === 64 ? 64 : 32, count);
}

/** Bit 0 of a value: a 32-bit 0 or 1. */
export function lowBit(e: Emitter, value: Value): Value {
  return e.and(e.resize(value, 32), e.constant(32, 1));
}

/** Bit `position` of a value: a 32-bit 0 or 1. */
export function bitOf(e: Emitter, value: Value, position: number): Value {
  return lowBit(e, e.shrU(value, sameType(e, value, position)));
}

/** The top bit of a value: a 32-bit 0 or 1. */
export function signOf(e: Emitter, value: Value): Value {
  return e.resize(e.shrU(value, sameType(e, value, value.width - 1)), 32);
}

/** 1 when the direction flag is set: strings go down. */
export function directionFlag(e: Emitter): Value {
  return bitOf(e, e.get("rflags"), 10);
}

/** Carry out of the top bit of left + right (+ 1): a 32-bit 0 or 1. */
export function carryOut(e: Emitter, left: Value, right: Value, result: Value): Value {
  return signOf(e, e.or(e.and(left, right), e.and(e.or(left, right), e.not(result))));
}

/** The bytes of a value in reverse; of a 16-bit value, zero. */
export function swapBytes(e: Emitter, value: Value): Value {
  if (value.width < 32) return e.constant(value.width, 0);
  const half = (word: Value): Value => {
    // Rotations by 8 each way bring every byte to its place; each mask keeps the bytes that the other rotation misplaces.
    const left = e.and(e.rotl(word, e.constant(32, 8)), e.constant(32, 0x00ff_00ff));
    return e.or(left, e.and(e.rotr(word, e.constant(32, 8)), e.constant(32, 0xff00_ff00)));
  };
  if (value.width === 32) return half(value);
  const low = e.let(e.truncate(value, 32));
  const high = e.let(upperHalf(e, value));
  return e.or(e.shl(e.extend(half(low), 64), e.constant(64, 32)), e.extend(half(high), 64));
}
