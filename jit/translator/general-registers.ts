import { GPR_NAMES, guestState } from "../../runtime/abi/guest-state.ts";
import { Named, type Value, type Variable, type Width } from "../emit/value.ts";
import type { TranslatorEmitter } from "./emitter.ts";

/** The general registers of a region: a local for each. */
export class GeneralRegisters {
  readonly #e: TranslatorEmitter;
  readonly #locals: (Variable | undefined)[] = [];
  readonly #written = new Set<number>();
  /** what registers hold, by name: their 64 bits, and the lower 32 */
  readonly #known64 = new Array<Value | undefined>(GPR_NAMES.length).fill(undefined);
  readonly #known32 = new Array<Value | undefined>(GPR_NAMES.length).fill(undefined);

  constructor(e: TranslatorEmitter) {
    this.#e = e;
  }

  /** @param high whether `width` is 8 and bits 8 to 15 are meant: AH, CH, DH, BH */
  read(number: number, width: Width, high: boolean): Value {
    const e = this.#e;
    if (width === 32 || width === 64) {
      const known = width === 64 ? this.#known64[number] : this.#known32[number];
      if (known) return known;
    }
    const whole = this.#local(number).get();
    if (width === 64) return this.#remember(number, e.let(whole));
    if (width === 32) return this.#remember(number, e.let(e.truncate(whole, 32)));
    return e.let(high ? e.truncate(e.shrU(e.truncate(whole, 32), e.constant(32, 8)), 8) : e.truncate(whole, width));
  }

  /** All of a register, to be used once and at once. */
  whole(number: number): Value {
    return this.#known64[number] ?? this.#local(number).get();
  }

  /** Writes of 32 bits clear the upper ones, shorter ones keep the rest. SDM Vol. 1, 3.4.1.1. */
  write(number: number, value: Value, high: boolean): void {
    const e = this.#e;
    this.#known64[number] = undefined;
    this.#known32[number] = undefined;
    this.#written.add(number);
    const variable = e.willWrite(this.#local(number));
    if (value.width >= 32) {
      variable.set(e.extend(value, 64));
      if (value instanceof Named) this.#remember(number, value);
      return;
    }
    const mask = value.width === 16 ? 0xffff : high ? 0xff00 : 0xff;
    const kept = e.and(variable.get(), e.constant(64, ~mask));
    const placed = high ? e.shl(e.extend(value, 64), e.constant(64, 8)) : e.extend(value, 64);
    variable.set(e.or(kept, placed));
  }

  /** Notes what a register holds until it is written: a named value, which is there for all that follows in the block. */
  #remember(number: number, value: Value): Value {
    if (!this.#e.isOnEveryPath) return value;
    if (value.width === 64) this.#known64[number] = value;
    else if (value.width === 32) this.#known32[number] = value;
    return value;
  }

  /** The names of what registers hold are no longer theirs: control comes from several places. */
  forgetNames(): void {
    this.#known64.fill(undefined);
    this.#known32.fill(undefined);
  }

  #local(number: number): Variable {
    return (this.#locals[number] ??= this.#e.declare("i64", 64));
  }

  /** Emits, in the prologue: all locals are loaded. */
  emitLoads(): void {
    const e = this.#e;
    this.#locals.forEach((variable, number) => variable?.set(e.loadOffset(64, e.cpu, offsetOf(number))));
  }

  /** Emits, in the epilogue: what may have been written is stored. */
  emitStores(): void {
    const e = this.#e;
    this.#locals.forEach((variable, number) => {
      if (variable && this.#written.has(number)) e.storeOffset(e.cpu, variable.get(), offsetOf(number));
    });
  }
}

function offsetOf(number: number): number {
  return guestState.gpr.offset + 8 * number;
}
