import { invariant } from "../../runtime/abi/invariant.ts";
import type { Value } from "../emit/value.ts";
import { type Outcome, OrdinaryResult, type Rounding } from "../helpers/x87/ordinary/result.ts";
import { Fsw } from "../helpers/x87/registers.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import type { GeneralRegister, Memory } from "./operands.ts";
import type { Extended, X87State } from "./x87-state.ts";

/** An instruction at work. */
export interface Context {
  readonly e: TranslatorEmitter;
  readonly x87: X87State;
  readonly instruction: Instruction;
  /** the memory operand, if there is one */
  readonly memory: Memory | undefined;
  /** AX, where it is an operand */
  readonly general: GeneralRegister | undefined;
}

export type Emit = (context: Context) => void;

export const SIGN = 0x8000;
export const SPECIAL = 0x7fff;
export const BIAS = 16383;
/** Arithmetic instructions of a region that are no calls: each is several hundred bytes of machine code, which engines take long to make. */
const MAXIMUM_IN_PLACE = 64;
export const INTEGER_BIT = 1n << 63n;

export function constantOf(e: TranslatorEmitter, top: number, significand: bigint): Extended {
  return { significand: e.constant(64, significand), top: e.constant(32, top) };
}

/** i of ST(i), the operand number `index`. */
export function stackNumber({ instruction }: Context, index: number): number {
  const operand = instruction.operands[index];
  invariant(operand?.kind === "register" && operand.class === "x87", "an operand is ST(i)");
  return operand.number;
}

// ---- results ----

/** What an operation on ordinary numbers has given: a number, or bits of another kind. */
export interface Computed {
  readonly result: Value;
  /** sign and exponent, where it is a number */
  readonly top: Value;
  readonly rounding: Rounding;
}

/** Calls a helper. Leaves the region if it fails. */
export function call(e: TranslatorEmitter, name: string, operands: readonly Value[]): Computed {
  const result = e.call(name, [e.cpu, ...operands], "i64");
  const word = e.let(e.truncate(e.get("scratch", 0), 32));
  e.if(e.unlikely(e.ltS(word, e.constant(32, 0))), () => e.giveUp());
  const flag = (bit: number): number => bit << OrdinaryResult.FLAGS_SHIFT;
  const up = e.let(e.and(e.shrU(word, e.constant(32, Math.log2(flag(Fsw.C1)))), e.constant(32, 1)));
  const lost = e.let(e.extend(e.and(word, e.constant(32, flag(Fsw.PE))), 64));
  return { result, top: e.let(e.and(word, e.constant(32, 0xffff))), rounding: { up, lost } };
}

/** An operation that is emitted in place. */
export function inPlace(e: TranslatorEmitter, operation: (to: Outcome) => void): Computed {
  const result = e.declare("i64", 64);
  const top = e.declare("i32", 32);
  const up = e.declare("i32", 32);
  const lost = e.declare("i64", 64);
  e.block((end) => {
    const done: Outcome["done"] = (significand, signAndExponent, rounding) => {
      result.set(significand);
      top.set(signAndExponent);
      up.set(rounding?.up ?? e.constant(32, 0));
      lost.set(rounding?.lost ?? e.constant(64, 0));
      e.break(end);
    };
    operation({
      f: e,
      done,
      fail: () => e.giveUp(),
      goOn(helper, operands) {
        const { result: significand, top: signAndExponent, rounding } = call(e, helper, operands);
        done(significand, signAndExponent, rounding);
      },
    });
  });
  return {
    result: e.let(result.get()),
    top: e.let(top.get()),
    rounding: { up: e.let(up.get()), lost: e.let(lost.get()) },
  };
}

/** A helper that is called, or, as long as the region is not too long, what it does in the common case in place. */
export function callOrInPlace(
  { e, x87 }: Pick<Context, "e" | "x87">,
  helper: string,
  numbers: readonly Extended[],
  common: (to: Outcome) => void,
): Computed {
  if (x87.countArithmetic() <= MAXIMUM_IN_PLACE) return inPlace(e, common);
  return call(
    e,
    helper,
    numbers.flatMap(({ significand, top }) => [significand, top]),
  );
}

// ---- memory operands ----

/** A float in memory as an extended number; leaves the region unless it is normal or zero. */
export function widen(e: TranslatorEmitter, bits: Value): Extended {
  const width = bits.width === 32 ? 32 : 64;
  const [stored, exponentBits] = width === 32 ? [23, 8] : [52, 11];
  const wide = e.let(e.extend(bits, 64));
  const field = e.let(
    e.and(e.truncate(e.shrU(wide, e.constant(64, stored)), 32), e.constant(32, 2 ** exponentBits - 1)),
  );
  const sign = e.let(e.shl(e.truncate(e.shrU(wide, e.constant(64, width - 1)), 32), e.constant(32, 15)));
  const top = e.variable(sign);
  const significand = e.declare("i64", 64);
  const isNormal = e.ltU(e.sub(field, e.constant(32, 1)), e.constant(32, 2 ** exponentBits - 2));
  e.if(
    isNormal,
    () => {
      const bias = 2 ** (exponentBits - 1) - 1;
      top.set(e.or(sign, e.add(field, e.constant(32, BIAS - bias))));
      significand.set(e.or(e.shl(wide, e.constant(64, 63 - stored)), e.constant(64, INTEGER_BIT)));
    },
    () => {
      const magnitude = e.shl(wide, e.constant(64, 65 - width));
      e.if(e.unlikely(e.ne(magnitude, e.constant(64, 0))), () => e.giveUp());
      significand.set(e.constant(64, 0));
    },
  );
  return { significand: e.let(significand.get()), top: e.let(top.get()) };
}

/** An integer as an extended number. */
export function fromInteger(e: TranslatorEmitter, bits: Value): Extended {
  const integer = e.let(e.signExtend(bits, 64));
  const mask = e.let(e.shrS(integer, e.constant(64, 63)));
  const magnitude = e.let(e.sub(e.xor(integer, mask), mask));
  const zeros = e.let(e.clz(magnitude));
  const sign = e.and(e.truncate(mask, 32), e.constant(32, SIGN));
  const field = e.sub(e.constant(32, BIAS + 63), e.truncate(zeros, 32));
  const top = e.select(e.eqz(magnitude), e.constant(32, 0), e.or(sign, field));
  return { significand: e.let(e.shl(magnitude, zeros)), top: e.let(top) };
}

/** The memory operand of an arithmetic instruction. */
export function readMemory(e: TranslatorEmitter, memory: Memory, isInteger: boolean): Extended {
  const bits = memory.read();
  return isInteger ? fromInteger(e, bits) : widen(e, bits);
}

/** The memory operand, or ST(i) that operand number `index` is, which is not empty. */
export function readSource(context: Context, index: number, isInteger: boolean): Extended {
  const { e, x87, memory } = context;
  if (memory) return readMemory(e, memory, isInteger);
  const i = stackNumber(context, index);
  x87.require([i]);
  return x87.read(i);
}

/** RC of FCW. */
export function roundingControl(e: TranslatorEmitter): Value {
  return e.let(e.and(e.shrU(e.get("fcw"), e.constant(32, 10)), e.constant(32, 3)));
}
