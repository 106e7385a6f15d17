import { Segment } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { directionFlag, sameType, widthOf } from "./integer.ts";

// SDM Vol. 1, 7.3.9 (string operations) and Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ".
//
// One element per run: registers move on after each element, so that a fault or an interrupt leaves a state from which the same
// instruction simply goes on.

/** Moves rSI or rDI past an element, up or down by the direction flag. */
export function advance(e: Emitter, register: "rsi" | "rdi", element: OperandHandle, goesDown: Value): void {
  const pointer = e.gpr(register, e.addressWidth);
  const step = widthOf(element) / 8;
  const forward = e.constant(e.addressWidth, step);
  const backward = e.constant(e.addressWidth, -step);
  pointer.write(e.add(pointer.read(), e.select(goesDown, backward, forward)));
}

/**
 * The element at ES:rDI of an instruction with two strings. A decoded instruction describes one memory operand, which is then the
 * other, whose segment can be overridden.
 */
function elementAtRdi(e: Emitter, operand: OperandHandle, access: "r" | "w"): OperandHandle {
  const address = e.extend(e.gpr("rdi", e.addressWidth).read(), 64);
  return e.memory(Segment.ES, address, widthOf(operand), access);
}

/**
 * Runs `step` once for each of rCX repetitions, or just once without a repeat prefix.
 *
 * @param step handles an element; what it returns, if anything, ends the repetition when it is 0 (CMPS and SCAS)
 * @param bulk tries to handle several of `count` (64 bits) elements at once, pointers included, and gives how many there were,
 *   at the address size; with 0 nothing has happened
 */
export function repeated(e: Emitter, step: () => Value | undefined, bulk?: (count: Value) => Value): void {
  if (e.repeat === "none") {
    step();
    return;
  }
  const counter = e.gpr("rcx", e.addressWidth);
  const count = counter.read();
  e.if(e.eqz(count), () => e.next());
  if (bulk) {
    const done = e.let(bulk(e.extend(count, 64)));
    e.unless0(e.extend(done, 64), () => {
      const left = e.let(e.sub(count, done));
      counter.write(left);
      e.unless0(left, () => e.again());
      e.next();
    });
  }
  const goesOn = step();
  const left = e.let(e.sub(count, e.constant(e.addressWidth, 1)));
  counter.write(left);
  e.unless0(left, () => (goesOn ? e.if(goesOn, () => e.again()) : e.again()));
}

/** Linear address of an element. Outside 64-bit mode segment limits would have to be looked at: there is no bulk. */
function linear(e: Emitter, register: "rsi" | "rdi", element: OperandHandle): Value {
  const address = e.let(e.extend(e.gpr(register, e.addressWidth).read(), 64));
  const segment = register === "rsi" ? "default" : Segment.ES;
  return e.let(e.segmentLinear(segment, address, e.constant(32, widthOf(element) / 8), register === "rdi"));
}

/** Moves pointers by the bytes that a bulk helper handled; gives the number of elements. */
function advanceBulk(
  e: Emitter,
  registers: readonly ("rsi" | "rdi")[],
  element: OperandHandle,
  byteLength: Value,
): Value {
  const distance = e.let(e.resize(byteLength, e.addressWidth));
  e.unless0(byteLength, () => {
    for (const register of registers) {
      const pointer = e.gpr(register, e.addressWidth);
      pointer.write(e.add(pointer.read(), distance));
    }
  });
  return e.shrU(distance, sameType(e, distance, Math.log2(widthOf(element) / 8)));
}

/** MOVS: moves an element from DS:rSI to ES:rDI. */
export const movs = define({
  reference: "SDM 2B MOVS/MOVSB/MOVSW/MOVSD/MOVSQ",
  operands: { dst: "a", src: "r" },
  emit(e, { dst, src }) {
    const step = (): undefined => {
      const value = src.read();
      elementAtRdi(e, dst, "w").write(value);
      const down = e.let(directionFlag(e));
      advance(e, "rsi", src, down);
      advance(e, "rdi", dst, down);
      return undefined;
    };
    if (e.mode === "legacy") return repeated(e, step);
    repeated(e, step, (count) => {
      const size = e.constant(32, widthOf(dst) / 8);
      const moved = e.helper("copy_forward", [linear(e, "rsi", src), linear(e, "rdi", dst), count, size], 32);
      return advanceBulk(e, ["rsi", "rdi"], dst, moved);
    });
  },
});

/** STOS: stores the accumulator at ES:rDI. */
export const stos = define({
  reference: "SDM 2B STOS/STOSB/STOSW/STOSD/STOSQ",
  operands: { dst: "w", src: "r" },
  emit(e, { dst, src }) {
    const step = (): undefined => {
      dst.write(src.read());
      advance(e, "rdi", dst, e.let(directionFlag(e)));
      return undefined;
    };
    if (e.mode === "legacy") return repeated(e, step);
    repeated(e, step, (count) => {
      const size = e.constant(32, widthOf(dst) / 8);
      const stored = e.helper("fill_forward", [linear(e, "rdi", dst), count, size, e.extend(src.read(), 64)], 32);
      return advanceBulk(e, ["rdi"], dst, stored);
    });
  },
});

/** LODS: loads the accumulator from DS:rSI. */
export const lods = define({
  reference: "SDM 2A LODS/LODSB/LODSW/LODSD/LODSQ",
  operands: { dst: "w", src: "r" },
  emit(e, { dst, src }) {
    repeated(e, () => {
      dst.write(src.read());
      advance(e, "rsi", src, e.let(directionFlag(e)));
      return undefined;
    });
  },
});

/** Sets the flags of left - right, and tells whether a REPE or REPNE goes on: a 32-bit 0 or 1. */
function compare(e: Emitter, left: Value, right: Value): Value {
  const goesOn = e.let(e.repeat === "repne" ? e.ne(left, right) : e.eq(left, right));
  e.flags.sub({ left, right, result: e.sub(left, right) });
  return goesOn;
}

/** CMPS: compares the element at DS:rSI with the one at ES:rDI. */
export const cmps = define({
  reference: "SDM 2A CMPS/CMPSB/CMPSW/CMPSD/CMPSQ",
  operands: { left: "r", right: "a" },
  // With a repeat count of zero nothing is compared.
  flags: { mayWrite: "OF SF ZF AF PF CF" },
  emit(e, { left, right }) {
    repeated(e, () => {
      // Which of two faults arises depends on the order. Processors look at ES:rDI first, but for the bytes of REPE.
      const sourceFirst = e.repeat === "rep" && left.width === 8;
      const early = sourceFirst ? left.read() : undefined;
      const subtrahend = elementAtRdi(e, right, "r").read();
      const goesOn = compare(e, early ?? left.read(), subtrahend);
      const down = e.let(directionFlag(e));
      advance(e, "rsi", left, down);
      advance(e, "rdi", right, down);
      return goesOn;
    });
  },
});

/** SCAS: compares the accumulator with the element at ES:rDI. */
export const scas = define({
  reference: "SDM 2B SCAS/SCASB/SCASW/SCASD",
  operands: { left: "r", right: "r" },
  flags: { mayWrite: "OF SF ZF AF PF CF" },
  emit(e, { left, right }) {
    repeated(e, () => {
      const element = right.read();
      const goesOn = compare(e, left.read(), element);
      advance(e, "rdi", right, e.let(directionFlag(e)));
      return goesOn;
    });
  },
});

export const stringDefinitions = { movs, stos, lods, cmps, scas };
