import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { directionFlag } from "./integer.ts";

// SDM Vol. 1, 7.3.9 (string operations) and Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ".
//
// One element per run: registers move on after each element, so that a fault or an interrupt leaves a state from which the same
// instruction simply goes on.

/** Moves rSI or rDI past an element, up or down by the direction flag. */
export function advance(e: Emitter, register: "rsi" | "rdi", element: OperandHandle, goesDown: Value): void {
  const pointer = e.gpr(register, e.addressWidth);
  const step = element.width / 8;
  const forward = e.constant(e.addressWidth, step);
  const backward = e.constant(e.addressWidth, -step);
  pointer.write(e.add(pointer.read(), e.select(goesDown, backward, forward)));
}

/**
 * Runs `step` once for each of rCX repetitions, or just once without a repeat prefix.
 *
 * @param step handles an element; what it returns, if anything, ends the repetition when it is 0 (CMPS and SCAS)
 */
export function repeated(e: Emitter, step: () => Value | undefined): void {
  if (e.repeat === "none") {
    step();
    return;
  }
  const counter = e.gpr("rcx", e.addressWidth);
  const count = counter.read();
  e.if(e.eqz(count), () => e.next());
  const goesOn = step();
  const left = e.let(e.sub(count, e.constant(e.addressWidth, 1)));
  counter.write(left);
  e.unless0(left, () => (goesOn ? e.if(goesOn, () => e.again()) : e.again()));
}

/** MOVS: moves an element from DS:rSI to ES:rDI. */
export const movs = define({
  reference: "SDM 2B MOVS/MOVSB/MOVSW/MOVSD/MOVSQ",
  operands: { dst: "w", src: "r" },
  emit(e, { dst, src }) {
    repeated(e, () => {
      dst.write(src.read());
      const down = e.let(directionFlag(e));
      advance(e, "rsi", src, down);
      advance(e, "rdi", dst, down);
      return undefined;
    });
  },
});

/** STOS: stores the accumulator at ES:rDI. */
export const stos = define({
  reference: "SDM 2B STOS/STOSB/STOSW/STOSD/STOSQ",
  operands: { dst: "w", src: "r" },
  emit(e, { dst, src }) {
    repeated(e, () => {
      dst.write(src.read());
      advance(e, "rdi", dst, e.let(directionFlag(e)));
      return undefined;
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
  operands: { left: "r", right: "r" },
  // With a repeat count of zero nothing is compared.
  flags: { mayWrite: "OF SF ZF AF PF CF" },
  emit(e, { left, right }) {
    repeated(e, () => {
      const minuend = left.read();
      const goesOn = compare(e, minuend, right.read());
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
