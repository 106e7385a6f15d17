import { Rflags } from "../../runtime/abi/guest-state.ts";
import type { FloatType } from "../emit/function.ts";
import type { Value } from "../emit/value.ts";
import type { ConditionCode, Emitter } from "./emitter.ts";

/** Single flags as 32-bit values, 0 or 1. */
export type FlagValues = { readonly [Flag in "CF" | "PF" | "AF" | "ZF" | "SF" | "OF"]?: Value };

/** Operands and result of an addition or subtraction, all of the instruction's width. */
export interface Arithmetic {
  readonly left: Value;
  readonly right: Value;
  readonly result: Value;
}

/** Two floats, named. */
export interface NumberPair {
  readonly type: FloatType;
  readonly left: Value;
  readonly right: Value;
}

const CF_BIT = 31;
/** CF xor OF */
const CO_BIT = 30;
const AF_BIT = 3;

/**
 * The six arithmetic flags, kept lazily as a sign-extended result and a word of bits (see guestState.flagResult and flagBits).
 * Every flag is a function of the two without knowing which operation made them.
 */
export class Flags {
  protected readonly e: Emitter;

  constructor(e: Emitter) {
    this.e = e;
  }

  /** All six after left + right (+ carry). */
  add(operation: Arithmetic): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    const [left, right, result] = this.#named(operation);
    // Carries out of each bit: both operands have it, or one has it and the sum lost it.
    const carries = e.or(e.and(left, right), e.and(e.or(left, right), e.not(result)));
    this.#fromCarries(result, carries);
  }

  /** All six after left - right (- borrow). */
  sub(operation: Arithmetic): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    const [left, right, result] = this.#named(operation);
    const inverse = e.let(e.not(left));
    const borrows = e.or(e.and(inverse, right), e.and(e.or(inverse, right), result));
    this.#fromCarries(result, borrows);
  }

  /** All six after AND, OR, XOR, TEST: CF = OF = 0; AF, undefined, is cleared. */
  logic(result: Value): void {
    if (this.e.flagsAreDead) return;
    this.e.writeFlags(this.e.signExtend(result, 64), this.e.constant(32, 0));
  }

  /** All but CF after result = left + 1. */
  increment(operation: Arithmetic): void {
    this.#keepingCarry(() => this.add(operation));
  }
  /** All but CF after result = left - 1. */
  decrement(operation: Arithmetic): void {
    this.#keepingCarry(() => this.sub(operation));
  }

  /** ZF and CF after a comparison of two floating-point numbers, given as 0 or 1; the others are cleared. */
  order({ equal, less }: { readonly equal: Value; readonly less: Value }): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    // The low byte of the result is 0, and bit 8 makes its parity odd: PF = 0 whether ZF is set or not.
    const result = e.shl(e.extend(e.eqz(equal), 64), e.constant(64, 8));
    const carry = e.and(e.neg(less), e.constant(32, 0xc000_0000));
    e.writeFlags(result, e.or(carry, e.constant(32, 0x100)));
  }

  /** The same of two numbers of which neither is a NaN. */
  orderNumbers({ type, left, right }: NumberPair): void {
    const { e } = this;
    this.order({ equal: e.compareFloat(type, "eq", left, right), less: e.compareFloat(type, "lt", left, right) });
  }

  /** ZF, SF and PF from `result`; the others as given, or cleared. */
  set(result: Value, others: Pick<FlagValues, "CF" | "OF" | "AF"> = {}): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    const carry = others.CF ? e.let(others.CF) : e.constant(32, 0);
    const overflow = others.OF ?? e.constant(32, 0);
    let bits = e.or(e.shl(carry, e.constant(32, CF_BIT)), e.shl(e.xor(carry, overflow), e.constant(32, CO_BIT)));
    if (others.AF) bits = e.or(bits, e.shl(others.AF, e.constant(32, AF_BIT)));
    e.writeFlags(e.signExtend(result, 64), bits);
  }

  /** Replaces the named flags and keeps the rest. */
  replace(flags: FlagValues): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    const names = Object.keys(flags) as (keyof FlagValues)[];
    if (names.every((name) => name === "CF" || name === "OF" || name === "AF")) {
      const carry = e.let(flags.CF ?? this.carry());
      const overflow = flags.OF ?? this.overflow();
      const result = e.let(e.readFlagResult());
      let keep = 0x3fff_ffff;
      let bits = e.or(e.shl(carry, e.constant(32, CF_BIT)), e.shl(e.xor(carry, overflow), e.constant(32, CO_BIT)));
      if (flags.AF) {
        keep &= ~(1 << AF_BIT);
        bits = e.or(bits, e.shl(flags.AF, e.constant(32, AF_BIT)));
      }
      e.writeFlags(result, e.or(bits, e.and(e.readFlagBits(), e.constant(32, keep))));
      return;
    }
    let keep = 0;
    for (const name of ["CF", "PF", "AF", "ZF", "SF", "OF"] as const) if (!flags[name]) keep |= Rflags[name];
    let word = e.and(this.word(), e.constant(32, keep));
    for (const name of names) {
      const value = flags[name];
      if (value) word = e.or(word, e.shl(value, e.constant(32, Math.log2(Rflags[name]))));
    }
    this.setWord(word);
  }

  carry(): Value {
    const { e } = this;
    return e.shrU(e.readFlagBits(), e.constant(32, CF_BIT));
  }
  overflow(): Value {
    const { e } = this;
    const bits = e.let(e.readFlagBits());
    const difference = e.xor(bits, e.shl(bits, e.constant(32, 1)));
    return e.shrU(difference, e.constant(32, 31));
  }
  zero(): Value {
    return this.e.eqz(this.e.readFlagResult());
  }
  sign(): Value {
    const { e } = this;
    const top = e.truncate(e.shrU(e.readFlagResult(), e.constant(64, 63)), 32);
    return e.xor(top, e.and(e.readFlagBits(), e.constant(32, 1)));
  }
  parity(): Value {
    const { e } = this;
    const byte = e.xor(e.truncate(e.readFlagResult(), 32), e.shrU(e.readFlagBits(), e.constant(32, 8)));
    const ones = e.popcnt(e.and(byte, e.constant(32, 0xff)));
    return e.xor(e.and(ones, e.constant(32, 1)), e.constant(32, 1));
  }
  adjust(): Value {
    const { e } = this;
    return e.and(e.shrU(e.readFlagBits(), e.constant(32, AF_BIT)), e.constant(32, 1));
  }

  /** Whether a condition code holds: 0 or 1. SDM Vol. 2, appendix B.1.4.7. */
  condition(code: ConditionCode): Value {
    const { e } = this;
    switch (code) {
      case "o":
        return this.overflow();
      case "no":
        return e.eqz(this.overflow());
      case "b":
        return this.carry();
      case "ae":
        return e.eqz(this.carry());
      case "e":
        return this.zero();
      case "ne":
        return e.eqz(this.zero());
      case "be":
        return e.or(this.carry(), this.zero());
      case "a":
        return e.eqz(e.or(this.carry(), this.zero()));
      case "s":
        return this.sign();
      case "ns":
        return e.eqz(this.sign());
      case "p":
        return this.parity();
      case "np":
        return e.eqz(this.parity());
      case "l":
        return e.xor(this.sign(), this.overflow());
      case "ge":
        return e.eqz(e.xor(this.sign(), this.overflow()));
      case "le":
        return e.or(this.zero(), e.xor(this.sign(), this.overflow()));
      case "g":
        return e.eqz(e.or(this.zero(), e.xor(this.sign(), this.overflow())));
    }
  }

  /** The six flags at their places in RFLAGS, all other bits 0: 32 bits. */
  word(): Value {
    const { e } = this;
    const parts: readonly (readonly [Value, number])[] = [
      [this.carry(), 0],
      [this.parity(), 2],
      [this.adjust(), 4],
      [this.zero(), 6],
      [this.sign(), 7],
      [this.overflow(), 11],
    ];
    let word = e.constant(32, 0);
    for (const [flag, bit] of parts) word = e.or(word, e.shl(flag, e.constant(32, bit)));
    return e.let(word);
  }

  /** Takes the six flags from their places in RFLAGS; other bits are ignored. */
  setWord(word: Value): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    const flags = e.let(word);
    const bit = (position: number): Value => e.and(e.shrU(flags, e.constant(32, position)), e.constant(32, 1));
    // A result of 0 or 1 tells ZF, is positive, and has a known parity: 0 is even, 1 is odd. The delta bits say the rest.
    const zero = e.let(bit(6));
    const odd = e.eqz(zero);
    const parityDelta = e.xor(e.xor(bit(2), e.constant(32, 1)), odd);
    const carry = e.let(bit(0));
    let bits = e.or(bit(7), e.shl(parityDelta, e.constant(32, 8)));
    bits = e.or(bits, e.shl(bit(4), e.constant(32, AF_BIT)));
    bits = e.or(bits, e.shl(carry, e.constant(32, CF_BIT)));
    bits = e.or(bits, e.shl(e.xor(carry, bit(11)), e.constant(32, CO_BIT)));
    e.writeFlags(e.extend(e.eqz(zero), 64), bits);
  }

  #named({ left, right, result }: Arithmetic): [Value, Value, Value] {
    return [this.e.let(left), this.e.let(right), this.e.let(result)];
  }

  #keepingCarry(setAll: () => void): void {
    if (this.e.flagsAreDead) return;
    const { e } = this;
    const carry = e.let(this.carry());
    setAll();
    const overflow = e.let(this.overflow());
    const result = e.let(e.readFlagResult());
    const rest = e.and(e.readFlagBits(), e.constant(32, 0x3fff_ffff));
    const top = e.or(e.shl(carry, e.constant(32, CF_BIT)), e.shl(e.xor(carry, overflow), e.constant(32, CO_BIT)));
    e.writeFlags(result, e.or(rest, top));
  }

  #fromCarries(result: Value, carries: Value): void {
    const { e } = this;
    const { width } = result;
    const vector = e.let(carries);
    const high =
      width === 64
        ? e.truncate(e.shrU(vector, e.constant(64, 32)), 32)
        : e.shl(e.extend(vector, 32), e.constant(32, 32 - width));
    const low = width === 64 ? e.truncate(vector, 32) : e.extend(vector, 32);
    const top = e.and(high, e.constant(32, 0xc000_0000));
    // Bit 31 is the carry out of the top bit, bit 30 the carry into it: their difference is OF.
    e.writeFlags(e.signExtend(result, 64), e.or(top, e.and(low, e.constant(32, 1 << AF_BIT))));
  }
}
