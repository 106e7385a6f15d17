import type { Label } from "../../emit/function.ts";
import type { Value } from "../../emit/value.ts";
import type { Emitter } from "../emitter.ts";

/*
 * The guarded common case of floating point.
 *
 * With MXCSR's default control (round to nearest, everything masked) and PE already sticky, an operation on zeros and normal numbers with
 * a normal result can change nothing but its destination, and WebAssembly's own instruction gives the same bits. Two subtleties:
 *
 * - The smallest normal number is not accepted as a result: it may have been tiny before it was rounded, which raises UE.
 * - Neither DAZ nor FTZ matters, since no denormal comes in and none comes out; so they are not looked at.
 *
 * A zero is an acceptable result only where it is exact: any zero of a sum, and of a product or quotient when an operand is zero.
 * WebAssembly does not say which NaN an operation makes: results that are NaN always come from the exact path.
 */

/** A scalar format with its constants as integers of its width. */
export interface Format {
  readonly type: "f32" | "f64";
  readonly integer: "i32" | "i64";
  readonly width: 32 | 64;
  readonly vector: "f32x4" | "f64x2";
  readonly lanes: "i32x4" | "i64x2";
  /** lanes of a 128-bit vector */
  readonly count: 2 | 4;
  /** bits of the smallest normal number and of infinity */
  readonly smallest: bigint;
  readonly infinity: bigint;
}

export const F32: Format = {
  type: "f32",
  integer: "i32",
  width: 32,
  vector: "f32x4",
  lanes: "i32x4",
  count: 4,
  smallest: 0x0080_0000n,
  infinity: 0x7f80_0000n,
};
export const F64: Format = {
  type: "f64",
  integer: "i64",
  width: 64,
  vector: "f64x2",
  lanes: "i64x2",
  count: 2,
  smallest: 0x0010_0000_0000_0000n,
  infinity: 0x7ff0_0000_0000_0000n,
};

/** RC, all masks and the PE flag of MXCSR; and what they are in the common case. SDM Vol. 1, 10.2.3. */
const CONTROL = 0x7fa0;
const COMMON = 0x1fa0;
/** PM and PE: enough for operations that truncate. */
const SILENT_PRECISION = 0x1020;
const CR4_OSXMMEXCPT = 0x400;

/**
 * Runs `fast` and ends the instruction, unless one of its rejections leaves to `exact`, which runs when nothing has been changed yet.
 * A back end that keeps cold code out of its loops has its only hook here.
 */
export function guarded(e: Emitter, fast: (reject: Label) => void, exact: () => void): void {
  e.block((reject) => {
    fast(reject);
    e.next();
  });
  // All that could reject may have been put off.
  if (e.isLive) exact();
}

/** Rejects unless rounding is to nearest, all exceptions are masked and PE is sticky. */
export function requireCommonControl(e: Emitter, reject: Label): void {
  e.break(reject, e.ne(e.and(e.get("mxcsr"), e.constant(32, CONTROL)), e.constant(32, COMMON)));
}

/** Rejects unless an inexact result changes nothing. */
export function requireSilentPrecision(e: Emitter, reject: Label): void {
  const bits = e.constant(32, SILENT_PRECISION);
  e.break(reject, e.ne(e.and(e.get("mxcsr"), bits), bits));
}

/** Bit 20 of the upper half of a double, where its exponent begins; with the sign shifted out. */
const EXPONENT_OF_DOUBLE = 0x0020_0000;

/** Rejects a denormal operand, given as its bits. */
export function rejectDenormal(e: Emitter, reject: Label, format: Format, bits: Value): void {
  if (e.knowsNormal(bits, format.type)) return;
  e.noteNormal(bits, format.type);
  const check = (label: Label): void => breakIfDenormal(e, label, format, bits);
  if (!e.deferCheck(format.type, [bits], check)) check(reject);
}

/** The same, whatever is known. */
export function breakIfDenormal(e: Emitter, reject: Label, format: Format, bits: Value): void {
  const { width, smallest } = format;
  if (width === 64) {
    // The upper half tells all but zeros from denormals, and its constants are short.
    const high = e.let(e.highWord(bits));
    e.if(e.unlikely(e.ltU(e.add(high, high), e.constant(32, EXPONENT_OF_DOUBLE))), () =>
      e.break(reject, e.unlikely(e.eqz(isZero(e, format, bits)))),
    );
    return;
  }
  // The sign is shifted out; zero wraps around to the largest number.
  const magnitude = e.sub(e.shl(bits, e.constant(width, 1)), e.constant(width, 1));
  e.break(reject, e.unlikely(e.ltU(magnitude, e.constant(width, 2n * smallest - 1n))));
}

/** Rejects a denormal or a NaN, given as its bits. */
export function rejectUnordered(e: Emitter, reject: Label, format: Format, bits: Value): void {
  if (e.knowsOrdered(bits, format.type)) return rejectDenormal(e, reject, format, bits);
  const isNormal = e.knowsNormal(bits, format.type);
  e.noteResult(bits, format.type);
  const check = (label: Label): void => {
    if (!isNormal) breakIfDenormal(e, label, format, bits);
    rejectNan(e, label, format, e.let(e.reinterpret(bits, format.type)));
  };
  if (!e.deferCheck(format.type, [bits], check)) check(reject);
}

/** 1 if the result is a normal number other than the smallest ones; some of the smallest may be taken for extraordinary. */
export function isOrdinary(e: Emitter, { width, smallest, infinity }: Format, bits: Value): Value {
  if (width === 64) {
    // By the upper half alone: none of the numbers with the smallest exponent is accepted here.
    const high = e.let(e.highWord(bits));
    const exponent = e.sub(e.add(high, high), e.constant(32, 2 * EXPONENT_OF_DOUBLE));
    return e.ltU(exponent, e.constant(32, 0x7fd * EXPONENT_OF_DOUBLE));
  }
  const floor = 2n * smallest + 2n;
  const magnitude = e.sub(e.shl(bits, e.constant(width, 1)), e.constant(width, floor));
  return e.ltU(magnitude, e.constant(width, 2n * infinity - floor));
}

export function isZero(e: Emitter, { width }: Format, bits: Value): Value {
  return e.eqz(e.shl(bits, e.constant(width, 1)));
}

/** Rejects NaNs, given as floats. */
export function rejectNan(e: Emitter, reject: Label, { type }: Format, ...values: readonly Value[]): void {
  for (const value of values) e.break(reject, e.compareFloat(type, "ne", value, value));
}

// ---- vectors: a rejection is a vector of marks, one for each lane ----

/** A number in every lane, as a constant. */
export function constantLanes(e: Emitter, { width }: { readonly width: 32 | 64 }, value: bigint): Value {
  const bytes = Array.from({ length: 16 }, (_, i) =>
    Number((BigInt.asUintN(width, value) >> BigInt((i * 8) % width)) & 0xffn),
  );
  return e.vectorConstant(bytes);
}

/**
 * Marks lanes with denormal operands: all ones for f32x4, the sign bit for f64x2 (there is no unsigned comparison of i64x2);
 * undefined where it is known that there are none.
 */
export function denormalLanes(e: Emitter, format: Format, ...operands: readonly Value[]): Value | undefined {
  return markDenormals(e, format, doubtful(e, format, operands));
}

/** The vectors that are not known to hold no denormal. */
export function doubtful(e: Emitter, format: Format, vectors: readonly Value[]): readonly Value[] {
  return vectors.filter((vector) => !e.knowsNormal(vector, format.vector));
}

/** `denormalLanes` of these vectors, whatever is known of them. */
export function markDenormals(e: Emitter, format: Format, vectors: readonly Value[]): Value | undefined {
  const { lanes, width, smallest } = format;
  if (vectors.length === 0) return undefined;
  if (width === 32) {
    const magnitudes = vectors.map((vector) =>
      e.vector("i32x4", "sub", e.vector("i32x4", "shl", vector, e.constant(32, 1)), constantLanes(e, format, 1n)),
    );
    const least = magnitudes.reduce((left, right) => e.vector("i32x4", "min_u", left, right));
    return e.vector("i32x4", "lt_u", least, constantLanes(e, format, 2n * smallest - 1n));
  }
  const marks = vectors.map((vector) => {
    const less = e.let(e.vector(lanes, "sub", magnitude(e, format, vector), constantLanes(e, format, 1n)));
    return e.vector("v128", "andnot", e.vector(lanes, "sub", less, constantLanes(e, format, smallest - 1n)), less);
  });
  return marks.reduce((left, right) => e.vector("v128", "or", left, right));
}

function magnitude(e: Emitter, format: Format, vector: Value): Value {
  return e.vector("v128", "and", vector, constantLanes(e, format, (1n << BigInt(format.width - 1)) - 1n));
}

/** Marks lanes of a result that are not ordinary. */
export function extraordinaryLanes(e: Emitter, format: Format, vector: Value): Value {
  const { width, smallest, infinity } = format;
  if (width === 32) {
    const floor = 2n * smallest + 2n;
    const shifted = e.vector(
      "i32x4",
      "sub",
      e.vector("i32x4", "shl", vector, e.constant(32, 1)),
      constantLanes(e, format, floor),
    );
    return e.vector("i32x4", "ge_u", shifted, constantLanes(e, format, 2n * infinity - floor));
  }
  const size = e.let(magnitude(e, format, vector));
  const small = e.vector("i64x2", "sub", size, constantLanes(e, format, smallest + 1n));
  const large = e.vector("i64x2", "sub", constantLanes(e, format, infinity - 1n), size);
  return e.vector("v128", "or", small, large);
}

/** Marks lanes in which either is a NaN. */
export function nanLanes(e: Emitter, { vector }: Format, ...values: readonly Value[]): Value {
  return values
    .map((value) => e.vector(vector, "ne", value, value))
    .reduce((left, right) => e.vector("v128", "or", left, right));
}

/** Marks of either kind. */
export function eitherLane(e: Emitter, left: Value | undefined, right: Value): Value {
  return left ? e.vector("v128", "or", left, right) : right;
}

/** Rejects vectors with denormals or NaNs. */
export function rejectUnorderedLanes(e: Emitter, reject: Label, format: Format, ...vectors: readonly Value[]): void {
  const denormal = doubtful(e, format, vectors);
  const nan = vectors.filter((vector) => !e.knowsOrdered(vector, format.vector));
  const unknown = vectors.filter((vector) => denormal.includes(vector) || nan.includes(vector));
  if (unknown.length === 0) return;
  const check = (label: Label): void => {
    const small = markDenormals(e, format, denormal);
    const marks = nan.length > 0 ? eitherLane(e, small, nanLanes(e, format, ...nan)) : small;
    if (marks) e.break(label, e.unlikely(e.ne(anyLane(e, format, marks), e.constant(32, 0))));
  };
  if (!e.deferCheck(format.vector, unknown, check)) check(reject);
  for (const vector of unknown) e.noteResult(vector, format.vector);
}

/** Rejects if any lane of a vector of 32-bit marks is marked by its sign bit. */
export function rejectMarked(e: Emitter, reject: Label, marks: Value): void {
  const named = e.let(marks);
  if (!e.deferMarks(named)) e.break(reject, e.bitmask("i32x4", named));
}

export function zeroLanes(e: Emitter, { vector }: Format, value: Value): Value {
  return e.vector(vector, "eq", value, constantLanes(e, { width: 32 }, 0n));
}

/** 1 if any lane is marked. */
export function anyLane(e: Emitter, { width }: Format, marks: Value): Value {
  return width === 32 ? e.anyTrue(marks) : e.bitmask("i64x2", marks);
}

// ---- the exact path ----

/** Before scalar helpers: nothing has been raised yet. */
export function clearRaised(e: Emitter): void {
  e.set("fpRaised", e.constant(32, 0));
}

/** After the helpers: sets MXCSR's flags, and leaves with #XM (or #UD) if one of them is unmasked. SDM Vol. 1, 11.5.2. */
export function raiseExceptions(e: Emitter): void {
  e.if(e.helper("sse_raise", [], 32), () => {
    const handled = e.and(e.get("cr4"), e.constant(64, CR4_OSXMMEXCPT));
    e.if(
      e.eqz(handled),
      () => e.fault("UD"),
      () => e.fault("XM"),
    );
  });
}

/** One scalar helper, with its exceptions. */
export function exactScalar(e: Emitter, name: string, operands: readonly Value[], width: 32 | 64): Value {
  clearRaised(e);
  const result = e.helper(name, operands, width);
  raiseExceptions(e);
  return result;
}

/** One helper of packed.ts, with its exceptions. */
export function exactVector(e: Emitter, name: string, ...operands: readonly Value[]): Value {
  const result = e.helper(name, operands, 128);
  raiseExceptions(e);
  return result;
}
