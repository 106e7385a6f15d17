import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";

/** Bits of FSW; SDM Vol. 1, 8.1.3. The exception bits and C1 are those of guestState.fpRaised, too. */
export const Fsw = {
  IE: 0x01,
  DE: 0x02,
  ZE: 0x04,
  OE: 0x08,
  UE: 0x10,
  PE: 0x20,
  SF: 0x40,
  ES: 0x80,
  C0: 0x100,
  C1: 0x200,
  C2: 0x400,
  TOP: 0x3800,
  C3: 0x4000,
  B: 0x8000,
} as const;

export const EXCEPTIONS = 0x3f;
/** All condition bits that comparisons write. */
export const CONDITIONS: number = Fsw.C0 | Fsw.C2 | Fsw.C3;

/** Writable bits of FCW, and the one that always reads as 1. */
export const Fcw = { WRITABLE: 0x1f3f, FIXED: 0x40, INITIAL: 0x37f } as const;

/**
 * Unmasked exceptions that leave an instruction without a result. Those found before the computation stop everything; a store to
 * memory is stopped by those of its rounding, too, while a register gets its wrapped or inexact result. SDM Vol. 1, 8.5 and 8.6.
 */
export const Blocker = { REGISTER: Fsw.IE | Fsw.DE | Fsw.ZE, MEMORY: Fsw.IE | Fsw.OE | Fsw.UE } as const;

/**
 * Words of guestState.scratch that hold f80 values between the steps of one instruction; each takes two. Call-outs have their
 * arguments in the first words; those of the x87 leave their results where x87-call-outs.ts says.
 */
export const ScratchSlot = { VALUE: 0, RESULT: 8, SECOND_RESULT: 10 } as const;

const INDEFINITE_SIGNIFICAND = 3n << 62n;
const INDEFINITE_TOP = 0xffff;

/** Number of the physical register that is ST(i); `i` may be a run-time value. */
export function physical(f: StateBuilder, i: number | Value): Value {
  const top = f.get("ftop");
  if (i === 0) return top;
  const index = typeof i === "number" ? f.constant(32, i) : i;
  return f.let(f.and(f.add(top, index), f.constant(32, 7)));
}

/** Linear-memory offset of a physical register. */
export function slot(f: StateBuilder, register: Value): Value {
  return f.let(f.fieldOffset("fpr", register));
}

/** Linear-memory offset of ST(i). */
export function stackSlot(f: StateBuilder, i: number | Value): Value {
  return slot(f, physical(f, i));
}

export function scratchSlot(f: StateBuilder, first: number): Value {
  return f.let(f.fieldOffset("scratch", first));
}

/** 1 if a physical register is empty. */
export function isEmpty(f: StateBuilder, register: Value): Value {
  return f.let(f.eqz(f.and(f.shrU(f.get("ftag"), register), f.constant(32, 1))));
}

/** 1 if ST(i) is empty. */
export function isStackEmpty(f: StateBuilder, i: number | Value): Value {
  return isEmpty(f, physical(f, i));
}

export function markValid(f: StateBuilder, register: Value): void {
  f.set("ftag", f.or(f.get("ftag"), f.shl(f.constant(32, 1), register)));
}

export function markEmpty(f: StateBuilder, register: Value): void {
  f.set("ftag", f.and(f.get("ftag"), f.not(f.shl(f.constant(32, 1), register))));
}

/** TOP moves by `by`, modulo 8. */
export function moveTop(f: StateBuilder, by: 1 | -1): void {
  f.set("ftop", f.and(f.add(f.get("ftop"), f.constant(32, by)), f.constant(32, 7)));
}

/** Removes ST(0). */
export function pop(f: StateBuilder): void {
  markEmpty(f, f.get("ftop"));
  moveTop(f, 1);
}

/** Makes room for a new ST(0); gives its physical number. The caller has seen that it is empty, or does not mind. */
export function makeTop(f: StateBuilder): Value {
  moveTop(f, -1);
  const top = f.get("ftop");
  markValid(f, top);
  return top;
}

/** Copies a slot of 10 bytes; the rest of the destination is cleared. */
export function copySlot(f: StateBuilder, destination: Value, source: Value): void {
  const significand = f.let(f.loadOffset(64, source));
  const top = f.let(f.loadOffset(16, source, 8));
  storeSlot(f, destination, top, significand);
}

/** Stores an f80 from its sign and exponent (16 bits) and its significand. */
export function storeSlot(f: StateBuilder, destination: Value, top: Value, significand: Value): void {
  f.storeOffset(destination, significand);
  f.storeOffset(destination, f.extend(top, 64), 8);
}

export function storeIndefinite(f: StateBuilder, destination: Value): void {
  storeSlot(f, destination, f.constant(16, INDEFINITE_TOP), f.constant(64, INDEFINITE_SIGNIFICAND));
}

/** Starts an instruction that may raise exceptions. */
export function clearRaised(f: StateBuilder): void {
  f.set("fpRaised", f.constant(32, 0));
}

/** 1 if one of `exceptions` has been raised by the running instruction and is not masked. */
export function unmasked(f: StateBuilder, exceptions: number): Value {
  const raised = f.and(f.get("fpRaised"), f.constant(32, exceptions));
  return f.let(f.ne(f.and(raised, f.not(f.get("fcw"))), f.constant(32, 0)));
}

/** Replaces the condition bits in `mask` by those in `bits`. */
export function setConditions(f: StateBuilder, mask: number, bits: Value): void {
  f.set("fsw", f.or(f.and(f.get("fsw"), f.constant(32, ~mask)), bits));
}

/** FSW as the guest sees it, TOP included: 32 bits. */
export function assembledStatus(f: StateBuilder): Value {
  return f.let(f.or(f.get("fsw"), f.shl(f.get("ftop"), f.constant(32, 11))));
}

/** Takes FSW as the guest gives it; ES and B follow from the flags and FCW, which must be set already. */
export function setStatus(f: StateBuilder, status: Value): void {
  const word = f.let(status);
  f.set("ftop", f.and(f.shrU(word, f.constant(32, 11)), f.constant(32, 7)));
  f.set("fsw", f.and(word, f.constant(32, 0xffff & ~Fsw.TOP)));
  summarize(f);
}

/** Sets ES and B as the exception flags and the masks have them: an exception is pending, or none is. */
export function summarize(f: StateBuilder): void {
  const fsw = f.get("fsw");
  const pending = f.ne(f.and(f.and(fsw, f.not(f.get("fcw"))), f.constant(32, EXCEPTIONS)), f.constant(32, 0));
  const bits = f.select(pending, f.constant(32, Fsw.ES | Fsw.B), f.constant(32, 0));
  f.set("fsw", f.or(f.and(fsw, f.constant(32, ~(Fsw.ES | Fsw.B))), bits));
}

/** Takes FCW as the guest gives it. */
export function setControl(f: StateBuilder, control: Value): void {
  f.set("fcw", f.or(f.and(control, f.constant(32, Fcw.WRITABLE)), f.constant(32, Fcw.FIXED)));
}

/** FNINIT: SDM Vol. 2A, "FINIT/FNINIT". Register contents stay. */
export function initialize(f: StateBuilder): void {
  f.set("fcw", f.constant(32, Fcw.INITIAL));
  for (const field of ["fsw", "ftop", "ftag", "fop", "fcs", "fds"] as const) f.set(field, f.constant(32, 0));
  f.set("fip", f.constant(64, 0n));
  f.set("fdp", f.constant(64, 0n));
}
