import { Rflags, Segment } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { readSigned, widthOf } from "./integer.ts";

/** PUSH of a general register, memory or an immediate. PUSH rSP pushes the value that rSP had before. */
export const push = define({
  reference: "SDM 2B PUSH",
  operands: { src: "r" },
  hot: true,
  emit(e, { src }) {
    e.push(readSigned(e, src, e.operandWidth));
  },
});

/**
 * POP into a general register or memory.
 *
 * A memory operand based on rSP uses rSP after the increment: the decoder adds the operand size to its displacement, so that
 * nothing has to change here before the store is known not to fault.
 */
export const pop = define({
  reference: "SDM 2B POP",
  operands: { dst: "w" },
  hot: true,
  emit(e, { dst }) {
    const width = widthOf(dst);
    const value = e.let(e.stackTop(width));
    if (dst.kind === "memory") {
      dst.write(value);
      e.release(width / 8);
    } else {
      // POP rSP: what was popped replaces the incremented pointer.
      e.release(width / 8);
      dst.write(value);
    }
  },
});

/** What truncates stack addresses to the width of the stack; for instructions that reach further than `push` and `stackTop`. */
export function stackMask(e: Emitter): (pointer: Value) => Value {
  if (e.mode === "long") return (pointer) => pointer;
  // SS.B selects ESP or SP.
  const wide = e.and(e.get("segmentAttributes", Segment.SS), e.constant(32, 0x4000));
  const mask = e.let(e.select(wide, e.constant(64, 0xffff_ffffn), e.constant(64, 0xffffn)));
  return (pointer) => e.and(pointer, mask);
}

/** Writes a stack or frame pointer at the width of the stack; the rest of the register stays. */
function writePointer(e: Emitter, register: "rsp" | "rbp", pointer: Value): void {
  const whole = e.gpr(register, 64);
  if (e.mode === "long") return whole.write(pointer);
  const inside = stackMask(e);
  const kept = e.sub(whole.read(), inside(whole.read()));
  whole.write(e.or(inside(pointer), kept));
}

/** PUSHA, PUSHAD: pushes all eight registers; of rSP the value before. Not in 64-bit mode. */
export const pusha = define({
  reference: "SDM 2B PUSHA/PUSHAD",
  emit(e) {
    const width = e.operandWidth;
    const inside = stackMask(e);
    const top = e.gpr("rsp", 64).read();
    for (let register = 0; register < 8; register++) {
      const slot = e.sub(top, e.constant(64, ((register + 1) * width) / 8));
      e.memory(Segment.SS, inside(slot), width, "w").write(e.gpr(register, width).read());
    }
    writePointer(e, "rsp", e.sub(top, e.constant(64, width)));
  },
});

/** POPA, POPAD: pops all eight registers but rSP, whose slot is only read. Not in 64-bit mode. */
export const popa = define({
  reference: "SDM 2B POPA/POPAD",
  emit(e) {
    const width = e.operandWidth;
    const inside = stackMask(e);
    const top = e.gpr("rsp", 64).read();
    for (let register = 7; register >= 0; register--) {
      const slot = e.add(top, e.constant(64, ((7 - register) * width) / 8));
      // One after the other, as processors do: a fault shows the registers that were popped before it. rSP moves at the end, so
      // that the instruction can start again.
      const value = e.memory(Segment.SS, inside(slot), width, "r").read();
      if (register !== 4) e.gpr(register, width).write(value);
    }
    writePointer(e, "rsp", e.add(top, e.constant(64, width)));
  },
});

const VIRTUAL_FULL = Rflags.VM | Rflags.IOPL;

/** In virtual-8086 mode PUSHF and POPF need IOPL 3. */
function requireFlagAccess(e: Emitter, rflags: Value): void {
  if (e.mode === "long") return;
  const state = e.let(e.and(rflags, e.constant(32, VIRTUAL_FULL)));
  const isTrapped = e.and(e.geU(state, e.constant(32, Rflags.VM)), e.ne(state, e.constant(32, VIRTUAL_FULL)));
  e.if(isTrapped, () => e.fault("GP", 0));
}

/** PUSHF, PUSHFD, PUSHFQ: pushes RFLAGS with VM and RF clear. */
export const pushf = define({
  reference: "SDM 2B PUSHF/PUSHFD/PUSHFQ",
  flags: { reads: "OF SF ZF AF PF CF" },
  emit(e) {
    const rflags = e.get("rflags");
    requireFlagAccess(e, rflags);
    const image = e.or(e.and(rflags, e.constant(32, ~(Rflags.RF | Rflags.VM))), e.flags.word());
    e.push(e.resize(image, e.operandWidth));
  },
});

/**
 * POPF, POPFD, POPFQ: pops RFLAGS, as far as CPL and IOPL allow. What is not allowed is ignored: IOPL changes only at level 0, IF only
 * at levels up to IOPL; VM, VIF and VIP never. 16 bits leave AC, ID and RF alone.
 */
export const popf = define({
  reference: "SDM 2B POPF/POPFD/POPFQ",
  flags: { writes: "OF SF ZF AF PF CF" },
  ends: true,
  emit(e) {
    const rflags = e.get("rflags");
    requireFlagAccess(e, rflags);
    const isWide = e.operandWidth > 16;
    const value = e.let(e.resize(e.stackTop(e.operandWidth), 32));
    const level = e.get("cpl");
    const ioLevel = e.and(e.shrU(rflags, e.constant(32, 12)), e.constant(32, 3));
    const always = Rflags.TF | Rflags.DF | Rflags.NT | (isWide ? Rflags.AC | Rflags.ID : 0);
    const none = e.constant(32, 0);
    const interrupt = e.select(e.leU(level, ioLevel), e.constant(32, Rflags.IF), none);
    const privileged = e.select(level, none, e.constant(32, Rflags.IOPL));
    const allowed = e.let(e.or(e.constant(32, always), e.or(interrupt, privileged)));
    const cleared = e.or(allowed, e.constant(32, isWide ? Rflags.RF : 0));
    const result = e.let(e.or(e.and(rflags, e.not(cleared)), e.and(value, allowed)));
    e.release(e.operandWidth / 8);
    e.set("rflags", result);
    e.flags.setWord(value);
    // The TLB bank depends on AC.
    if (isWide) e.helperVoid("select_tlb", []);
    // The machine must look at TF before the next instruction runs.
    e.if(e.and(result, e.constant(32, Rflags.TF)), () => e.set("pendingEvents", e.constant(32, 1)));
    e.endBlock();
  },
});

/**
 * ENTER: makes a stack frame. A nesting level above 0 also copies the enclosing frames' pointers.
 *
 * Everything is stored below rSP before a register changes, so that a fault leaves nothing but unused memory behind.
 */
export const enter = define({
  reference: "SDM 2A ENTER",
  operands: { size: "r", level: "r" },
  emit(e, { size, level: operand }) {
    const width = e.operandWidth;
    const step = e.constant(64, width / 8);
    const inside = stackMask(e);
    const slot = (pointer: Value, access: "r" | "w" | "rw"): OperandHandle =>
      e.memory(Segment.SS, inside(pointer), width, access);
    const level = e.let(e.and(e.resize(operand.read(), 32), e.constant(32, 31)));
    const base = e.gpr("rbp", 64).read();
    const frame = e.let(e.sub(e.gpr("rsp", 64).read(), step));
    slot(frame, "w").write(e.truncate(base, width));
    const from = e.variable(base);
    const to = e.variable(frame);
    e.if(level, () => {
      const left = e.variable(level);
      e.block((done) =>
        e.loop((again) => {
          left.set(e.sub(left.get(), e.constant(32, 1)));
          e.break(done, e.eqz(left.get()));
          from.set(e.sub(from.get(), step));
          to.set(e.sub(to.get(), step));
          slot(to.get(), "w").write(slot(from.get(), "r").read());
          e.continue(again);
        }),
      );
      to.set(e.sub(to.get(), step));
      slot(to.get(), "w").write(e.truncate(frame, width));
    });
    const pointer = e.let(e.sub(to.get(), e.extend(size.read(), 64)));
    // The frame may not reach where a push would fault: a read that wants to write, and does not.
    slot(pointer, "rw").read();
    e.gpr("rbp", width).write(e.truncate(frame, width));
    writePointer(e, "rsp", pointer);
  },
});

/** LEAVE: drops a stack frame: rSP = rBP, then pops rBP. */
export const leave = define({
  reference: "SDM 2A LEAVE",
  hot: true,
  emit(e) {
    const width = e.operandWidth;
    const base = e.gpr("rbp", 64).read();
    const saved = e.memory(Segment.SS, stackMask(e)(base), width, "r").read();
    writePointer(e, "rsp", e.add(base, e.constant(64, width / 8)));
    e.gpr("rbp", width).write(saved);
  },
});

export const stackDefinitions = { push, pop, pusha, popa, pushf, popf, enter, leave };
