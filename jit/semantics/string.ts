import { Segment } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { directionFlag, widthOf } from "./integer.ts";

// SDM Vol. 1, 7.3.9 (string operations) and Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ".
//
// One element per run: registers move on after each element, so that a fault or an interrupt leaves a state from which the same
// instruction simply goes on.

/** An element in memory. */
interface Element {
  readonly memory: OperandHandle;
  /** moves the pointer past the element, up or down by the direction flag */
  readonly advance: (goesDown: Value) => void;
}

/**
 * The element at DS:rSI (whose segment can be overridden) or at ES:rDI. A record describes only one memory operand, so the
 * operands of the row tell no more than the width.
 */
function elementAt(e: Emitter, register: "rsi" | "rdi", operand: OperandHandle, access: "r" | "w"): Element {
  const pointer = e.gpr(register, e.addressWidth);
  const address = pointer.read();
  const width = widthOf(operand);
  const segment = register === "rsi" ? "default" : Segment.ES;
  return {
    memory: e.memory(segment, e.extend(address, 64), width, access),
    advance: (goesDown) => {
      const forward = e.constant(e.addressWidth, width / 8);
      const backward = e.constant(e.addressWidth, -width / 8);
      pointer.write(e.add(address, e.select(goesDown, backward, forward)));
    },
  };
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
  operands: { dst: "a", src: "a" },
  emit(e, { dst, src }) {
    repeated(e, () => {
      const from = elementAt(e, "rsi", src, "r");
      const to = elementAt(e, "rdi", dst, "w");
      to.memory.write(from.memory.read());
      const down = e.let(directionFlag(e));
      from.advance(down);
      to.advance(down);
      return undefined;
    });
  },
});

/** STOS: stores the accumulator at ES:rDI. */
export const stos = define({
  reference: "SDM 2B STOS/STOSB/STOSW/STOSD/STOSQ",
  operands: { dst: "a", src: "r" },
  emit(e, { dst, src }) {
    repeated(e, () => {
      const to = elementAt(e, "rdi", dst, "w");
      to.memory.write(src.read());
      to.advance(e.let(directionFlag(e)));
      return undefined;
    });
  },
});

/** LODS: loads the accumulator from DS:rSI. */
export const lods = define({
  reference: "SDM 2A LODS/LODSB/LODSW/LODSD/LODSQ",
  operands: { dst: "w", src: "a" },
  emit(e, { dst, src }) {
    repeated(e, () => {
      const from = elementAt(e, "rsi", src, "r");
      dst.write(from.memory.read());
      from.advance(e.let(directionFlag(e)));
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
  operands: { left: "a", right: "a" },
  // With a repeat count of zero nothing is compared.
  flags: { mayWrite: "OF SF ZF AF PF CF" },
  emit(e, { left, right }) {
    repeated(e, () => {
      const minuend = elementAt(e, "rsi", left, "r");
      const subtrahend = elementAt(e, "rdi", right, "r");
      const goesOn = compare(e, minuend.memory.read(), subtrahend.memory.read());
      const down = e.let(directionFlag(e));
      minuend.advance(down);
      subtrahend.advance(down);
      return goesOn;
    });
  },
});

/** SCAS: compares the accumulator with the element at ES:rDI. */
export const scas = define({
  reference: "SDM 2B SCAS/SCASB/SCASW/SCASD",
  operands: { left: "r", right: "a" },
  flags: { mayWrite: "OF SF ZF AF PF CF" },
  emit(e, { left, right }) {
    repeated(e, () => {
      const element = elementAt(e, "rdi", right, "r");
      const goesOn = compare(e, left.read(), element.memory.read());
      element.advance(e.let(directionFlag(e)));
      return goesOn;
    });
  },
});

export const stringDefinitions = { movs, stos, lods, cmps, scas };
