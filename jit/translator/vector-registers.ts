import { guestState } from "../../runtime/abi/guest-state.ts";
import type { FloatType } from "../emit/function.ts";
import { Named, type Value, type Variable, type Width } from "../emit/value.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { type FloatBits, SplitVector } from "./values.ts";

/**
 * The XMM registers of a region: a local for the whole of each and, where a region uses a register mostly for scalars, another for the
 * low lane, which then is what the register holds there. What is known of their numbers is noted in the emitter's facts.
 */
export class VectorRegisters {
  readonly #e: TranslatorEmitter;
  readonly #formats: readonly (FloatType | undefined)[];
  readonly #wholes: (Variable | undefined)[] = [];
  readonly #scalars: (Variable | undefined)[] = [];
  readonly #written = new Set<number>();
  #zero: Variable | undefined;
  /** what the local of a low lane holds, by name */
  readonly #knownLanes: (FloatBits | undefined)[] = [];

  /** what registers without such a local hold, by name */
  readonly #knownWholes: (Value | undefined)[] = [];

  /** @param formats of registers that are mostly scalars */
  constructor(e: TranslatorEmitter, formats: readonly (FloatType | undefined)[]) {
    this.#e = e;
    this.#formats = formats;
  }

  // ---- reading ----

  /** All of a register, or its low bits. */
  read(number: number, width: Width): Value {
    const value = this.#read(number, width);
    this.#e.facts.read(number, value);
    return value;
  }

  #read(number: number, width: Width): Value {
    const e = this.#e;
    const scalar = this.#scalar(number);
    if (scalar?.width === width) return this.#lowLane(number, scalar);
    if (scalar && width === 128) return this.#split(e.let(this.#whole(number).get()), this.#lowLane(number, scalar));
    const vector = scalar ? e.let(this.#joined(number, scalar)) : this.#wholeByName(number);
    if (width === 128) return vector;
    if (width === 32 || width === 64) return e.laneBits(vector, width);
    return e.let(e.extractLane(width === 8 ? "i8x16" : "i16x8", vector, 0));
  }

  /** A copy of both parts costs nothing; they are only put together where a vector is wanted. */
  #split(vector: Value, low: FloatBits): SplitVector {
    const shape = low.float.type === "f32" ? "f32x4" : "f64x2";
    return new SplitVector(() => this.#e.replaceLane(shape, vector, 0, low.float).take(), vector, low);
  }

  /** What the local of a low lane holds, by the same name until it is written. */
  #lowLane(number: number, scalar: Variable): FloatBits {
    const known = this.#knownLanes[number];
    if (known) return known;
    const bits = this.#e.floatBits(this.#e.let(scalar.get()));
    if (this.#e.isOnEveryPath) this.#knownLanes[number] = bits;
    return bits;
  }

  #wholeByName(number: number): Value {
    const known = this.#knownWholes[number];
    if (known) return known;
    const vector = this.#e.let(this.#whole(number).get());
    if (this.#e.isOnEveryPath) this.#knownWholes[number] = vector;
    return vector;
  }

  #joined(number: number, scalar: Variable | undefined): Value {
    const vector = this.#whole(number).get();
    return scalar ? this.#e.replaceLane(shapeOf(scalar), vector, 0, scalar.get()) : vector;
  }

  // ---- writing ----

  /** Replaces all of a register, or its low bits, and keeps the rest. */
  write(number: number, value: Value): void {
    const e = this.#e;
    const scalar = this.#beginWrite(number, value);
    if (scalar?.width === value.width) return e.willWrite(scalar).set(asFloat(e, value));
    const isWhole = value.width === 128;
    this.#set(number, scalar, isWhole ? value : e.withLowLane(this.#joined(number, scalar), asBits(e, value)));
  }

  writeZeroExtended(number: number, value: Value): void {
    const e = this.#e;
    const scalar = this.#beginWrite(number, value);
    if (scalar?.width === value.width) {
      e.willWrite(scalar).set(asFloat(e, value));
      e.willWrite(this.#whole(number)).set(this.#zeros());
      return;
    }
    this.#set(number, scalar, value.width === 128 ? value : e.zeroExtendedVector(asBits(e, value)));
  }

  /** Makes all of a register zero. */
  clear(number: number): void {
    const e = this.#e;
    const zero = e.zeroVector();
    e.noteResult(zero, "f32x4");
    e.noteResult(zero, "f64x2");
    const scalar = this.#beginWrite(number, zero);
    e.willWrite(this.#whole(number)).set(this.#zeros());
    if (scalar) e.willWrite(scalar).set(e.floatConstant(scalar.type === "f32" ? "f32" : "f64", 0));
  }

  /** Gives the local of the low lane, if the register has one. */
  #beginWrite(number: number, value: Value): Variable | undefined {
    this.#written.add(number);
    this.#knownLanes[number] = undefined;
    this.#knownWholes[number] = undefined;
    // Behind an exit nothing is written that could be read.
    if (this.#e.isReachable) this.#e.facts.write(number, value);
    return this.#scalar(number);
  }

  #set(number: number, scalar: Variable | undefined, value: Value): void {
    const e = this.#e;
    const vector = e.willWrite(this.#whole(number));
    if (scalar && value instanceof SplitVector && value.low.float.type === scalar.type) {
      vector.set(value.vector);
      e.willWrite(scalar).set(value.low.float);
      if (e.isOnEveryPath) this.#knownLanes[number] = value.low;
      return;
    }
    vector.set(value);
    if (!scalar && value instanceof Named && e.isOnEveryPath) this.#knownWholes[number] = value;
    if (scalar) e.willWrite(scalar).set(e.extractLane(shapeOf(scalar), vector.get(), 0));
  }

  /** The names of what registers hold are no longer theirs: control comes from several places. */
  forgetNames(): void {
    this.#knownLanes.length = 0;
    this.#knownWholes.length = 0;
  }

  // ---- locals ----

  /** A local that is never set is zero. An engine would make a constant anew for each register, and spill each of them. */
  #zeros(): Value {
    return (this.#zero ??= this.#e.declare("v128", 128)).get();
  }

  #whole(number: number): Variable {
    return (this.#wholes[number] ??= this.#e.declare("v128", 128));
  }

  /** The local of a register's low lane, if it has one. */
  #scalar(number: number): Variable | undefined {
    const format = this.#formats[number];
    if (format === undefined) return undefined;
    return (this.#scalars[number] ??= this.#e.declare(format, format === "f32" ? 32 : 64));
  }

  /** Emits, in the prologue: all locals are loaded. */
  emitLoads(): void {
    const e = this.#e;
    this.#wholes.forEach((variable, number) => variable?.set(e.loadOffset(128, e.cpu, offsetOf(number))));
    this.#scalars.forEach((variable, number) => {
      if (!variable) return;
      const at = e.add(e.cpu, e.constant(32, offsetOf(number)));
      variable.set(e.loadFloat(variable.type === "f32" ? "f32" : "f64", at));
    });
  }

  /** Emits, in the epilogue: what may have been written is stored, low lanes over the wholes. */
  emitStores(): void {
    const e = this.#e;
    for (const locals of [this.#wholes, this.#scalars]) {
      locals.forEach((variable, number) => {
        if (variable && this.#written.has(number)) e.storeOffset(e.cpu, variable.get(), offsetOf(number));
      });
    }
  }
}

function offsetOf(number: number): number {
  return guestState.xmm.offset + 16 * number;
}

function shapeOf({ type }: Variable): "f32x4" | "f64x2" {
  return type === "f32" ? "f32x4" : "f64x2";
}

function asFloat(e: TranslatorEmitter, value: Value): Value {
  return e.reinterpret(value, value.width === 32 ? "f32" : "f64");
}

function asBits(e: TranslatorEmitter, value: Value): Value {
  if (value.type === "f32") return e.reinterpret(value, "i32");
  return value.type === "f64" ? e.reinterpret(value, "i64") : value;
}
