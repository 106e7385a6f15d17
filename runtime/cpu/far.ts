import { Segment, Vector } from "../abi/guest-state.ts";
import { bigintOf, numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import { SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { isNull, markAccessed, readDescriptor, readUpperHalf, type Descriptor } from "./descriptor.ts";
import { Fault, generalProtection, selectorError } from "./fault.ts";
import { isCanonical, type AccessSize } from "./memory-access.ts";
import { dropPrivilegedSegments, nullSegment, realSegment, stackSegment } from "./segments.ts";
import { Stack } from "./stack.ts";
import type { SegmentRegister } from "./state-view.ts";
import { switchTask } from "./task-switch.ts";
import { longStack, privilegeStack } from "./tss.ts";

/** Far JMP, CALL and RET. SDM Vol. 2 under these names; Vol. 3A, 5.8. */

export function truncateTo(bytes: number, value: bigint): bigint {
  return BigInt.asUintN(bytes * 8, value);
}

/** #GP(0) unless RIP lies in the code segment, or is canonical in 64-bit code. */
export function checkTarget(cpu: Cpu, code: Descriptor, rip: bigint): Fault | undefined {
  if (cpu.longMode && code.long) return isCanonical(rip) ? undefined : generalProtection();
  return rip > BigInt(code.limit) ? generalProtection() : undefined;
}

/** Whether CS.L and CS.D are both set, which IA-32e mode reserves. */
export function reservedCodeSize(cpu: Cpu, code: Descriptor): boolean {
  return cpu.longMode && code.long && code.default32;
}

export function enterCode(cpu: Cpu, code: SegmentRegister, rip: bigint): "redirect" {
  cpu.state.setSegment(Segment.CS, code);
  cpu.setCpl(code.selector & 3);
  cpu.updateMode();
  cpu.state.rip = cpu.code64 ? rip : rip & 0xffff_ffffn;
  return "redirect";
}

/** Real-address and virtual-8086 mode: CS changes without a descriptor. */
export function enterRealCode(cpu: Cpu, selector: number, rip: bigint): CallOutResult {
  const code = realSegment(cpu, Segment.CS, selector);
  if (rip > BigInt(code.limit)) return generalProtection();
  cpu.state.setSegment(Segment.CS, code);
  cpu.updateMode();
  cpu.state.rip = rip;
  return "redirect";
}

/** The descriptor that a far JMP or CALL names, present or not. */
function targetDescriptor(cpu: Cpu, selector: number): Descriptor | Fault {
  if (isNull(selector)) return generalProtection();
  return readDescriptor(cpu, selector) ?? generalProtection(selectorError(selector));
}

/** A code segment as the direct target of a far JMP or CALL. */
function directCode(cpu: Cpu, code: Descriptor, selector: number): Fault | undefined {
  const { cpl } = cpu.state;
  const error = selectorError(selector);
  const allowed = code.conforming ? code.dpl <= cpl : (selector & 3) <= cpl && code.dpl === cpl;
  if (!allowed || reservedCodeSize(cpu, code)) return generalProtection(error);
  return code.present ? undefined : new Fault(Vector.NP, error);
}

interface Gate {
  readonly code: Descriptor;
  readonly selector: number;
  readonly offset: bigint;
  /** bytes of the things pushed on the way through */
  readonly size: AccessSize;
  readonly parameters: number;
}

/** What a call gate leads to, after the checks of the gate and those that JMP and CALL share for its target. */
function throughGate(cpu: Cpu, gate: Descriptor, selector: number, call: boolean): Gate | Fault {
  const { cpl } = cpu.state;
  const error = selectorError(selector);
  if (gate.dpl < cpl || (selector & 3) > gate.dpl) return generalProtection(error);
  if (!gate.present) return new Fault(Vector.NP, error);
  let offset = BigInt(gate.gateOffset);
  if (cpu.longMode) {
    if (readDescriptor(cpu, selector, 16) === undefined) return generalProtection(error);
    const upper = readUpperHalf(cpu, gate.linear);
    if (upper instanceof Fault) return upper;
    if (!upper.typeIsZero) return generalProtection(error);
    offset |= upper.upper << 32n;
  }
  const codeSelector = gate.gateSelector;
  if (isNull(codeSelector)) return generalProtection();
  const codeError = selectorError(codeSelector);
  const code = readDescriptor(cpu, codeSelector);
  if (code instanceof Fault) return code;
  if (!code?.code || code.dpl > cpl) return generalProtection(codeError);
  if (!call && !code.conforming && code.dpl !== cpl) return generalProtection(codeError);
  if (cpu.longMode && (!code.long || code.default32)) return generalProtection(codeError);
  if (!code.present) return new Fault(Vector.NP, codeError);
  const size = cpu.longMode ? 8 : gate.type & 8 ? 4 : 2;
  return { code, selector: codeSelector, offset, size, parameters: gate.gateParameters };
}

function isCallGate(cpu: Cpu, descriptor: Descriptor): boolean {
  return descriptor.type === SystemType.CALL_GATE32 || (!cpu.longMode && descriptor.type === SystemType.CALL_GATE16);
}

/** JMP and CALL to a TSS or through a task gate. */
function toTask(cpu: Cpu, descriptor: Descriptor, selector: number, source: "jump" | "call"): CallOutResult {
  const error = selectorError(selector);
  const gate = descriptor.type === SystemType.TASK_GATE;
  const task = gate || descriptor.type === SystemType.TSS32 || descriptor.type === SystemType.TSS16;
  if (cpu.longMode || !task || descriptor.dpl < Math.max(cpu.state.cpl, selector & 3)) return generalProtection(error);
  if (!descriptor.present) return new Fault(Vector.NP, error);
  return (
    switchTask(cpu, { selector: gate ? descriptor.gateSelector : selector, source, returnRip: cpu.nextRip }) ??
    "redirect"
  );
}

function farJump(cpu: Cpu, selector: number, offset: bigint): CallOutResult {
  if (cpu.realSegments) return enterRealCode(cpu, selector, offset);
  const descriptor = targetDescriptor(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  let target = { code: descriptor, selector, offset };
  if (descriptor.code) {
    const fault = directCode(cpu, descriptor, selector);
    if (fault) return fault;
  } else if (descriptor.system && isCallGate(cpu, descriptor)) {
    const gate = throughGate(cpu, descriptor, selector, false);
    if (gate instanceof Fault) return gate;
    target = gate;
  } else {
    return descriptor.system ? toTask(cpu, descriptor, selector, "jump") : generalProtection(selectorError(selector));
  }
  const outside = checkTarget(cpu, target.code, target.offset);
  if (outside) return outside;
  const code = markAccessed(cpu, target.code);
  if (code instanceof Fault) return code;
  return enterCode(cpu, code.register((target.selector & ~3) | cpu.state.cpl), target.offset);
}

function farCall(cpu: Cpu, selector: number, offset: bigint, size: AccessSize): CallOutResult {
  const { state } = cpu;
  const returnTo = [BigInt(state.u32("segmentSelector", Segment.CS)), cpu.nextRip];
  const stack = Stack.current(cpu);
  if (cpu.realSegments) {
    const fault = stack.pushAll(size, returnTo);
    if (fault) return fault;
    const result = enterRealCode(cpu, selector, offset);
    if (result === "redirect") state.rsp = stack.pointer;
    return result;
  }
  const descriptor = targetDescriptor(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor.code) {
    if (descriptor.system && isCallGate(cpu, descriptor)) return callThroughGate(cpu, descriptor, selector, returnTo);
    return descriptor.system ? toTask(cpu, descriptor, selector, "call") : generalProtection(selectorError(selector));
  }
  const fault =
    directCode(cpu, descriptor, selector) ?? checkTargetAfterPush(cpu, stack, size, returnTo, descriptor, offset);
  if (fault) return fault;
  const code = markAccessed(cpu, descriptor);
  if (code instanceof Fault) return code;
  state.rsp = stack.pointer;
  return enterCode(cpu, code.register((selector & ~3) | state.cpl), offset);
}

function checkTargetAfterPush(
  cpu: Cpu,
  stack: Stack,
  size: AccessSize,
  frame: readonly bigint[],
  code: Descriptor,
  rip: bigint,
): Fault | undefined {
  return stack.pushAll(size, frame) ?? checkTarget(cpu, code, rip);
}

function callThroughGate(
  cpu: Cpu,
  descriptor: Descriptor,
  selector: number,
  returnTo: readonly bigint[],
): CallOutResult {
  const { state } = cpu;
  const gate = throughGate(cpu, descriptor, selector, true);
  if (gate instanceof Fault) return gate;
  const inner = !gate.code.conforming && gate.code.dpl < state.cpl;
  const cpl = inner ? gate.code.dpl : state.cpl;
  let stack = Stack.current(cpu);
  let stackRegister: SegmentRegister | undefined;
  const frame: bigint[] = [];
  if (inner) {
    const fresh = innerStack(cpu, cpl);
    if (fresh instanceof Fault) return fresh;
    stack = fresh.stack;
    stackRegister = fresh.register;
    frame.push(BigInt(state.u32("segmentSelector", Segment.SS)), state.rsp);
    if (!cpu.longMode) {
      // The parameters keep their order: the last one pushed by the caller lies lowest again.
      const outer = Stack.current(cpu);
      for (let index = gate.parameters - 1; index >= 0; index--) {
        const parameter = outer.peek(gate.size, index);
        if (parameter instanceof Fault) return parameter;
        frame.push(parameter);
      }
    }
  }
  const fault = checkTargetAfterPush(cpu, stack, gate.size, [...frame, ...returnTo], gate.code, gate.offset);
  if (fault) return fault;
  const code = markAccessed(cpu, gate.code);
  if (code instanceof Fault) return code;
  state.rsp = stack.pointer;
  if (stackRegister) state.setSegment(Segment.SS, stackRegister);
  return enterCode(cpu, code.register((gate.selector & ~3) | cpl), gate.offset);
}

/** The stack that the TSS holds for a more privileged level. */
function innerStack(cpu: Cpu, cpl: number): { stack: Stack; register: SegmentRegister } | Fault {
  if (cpu.longMode) {
    const pointer = longStack(cpu, cpl, 0);
    if (pointer instanceof Fault) return pointer;
    const register = nullSegment(cpl);
    return { register, stack: new Stack(cpu, { segment: register, pointer, flat: true, cpl }) };
  }
  const fresh = privilegeStack(cpu, cpl, 0);
  if (fresh instanceof Fault) return fresh;
  const register = stackSegment(cpu, fresh.selector, { cpl, vector: Vector.TS });
  if (register instanceof Fault) return register;
  const limitError = selectorError(fresh.selector);
  return {
    register,
    stack: new Stack(cpu, { segment: register, pointer: fresh.pointer, flat: false, cpl, limitError }),
  };
}

// ---- returns ----

/** A far pointer on the stack: AMD processors read the selector before the offset. */
export const FAR_POINTER = [1, 0] as const;

/** The code segment to return to: same or outer level. Shared by RET and IRET. */
export function returnCode(cpu: Cpu, selector: number): Descriptor | Fault {
  if (isNull(selector)) return generalProtection();
  const error = selectorError(selector);
  const level = selector & 3;
  const code = readDescriptor(cpu, selector);
  if (code instanceof Fault) return code;
  if (!code?.code || level < cpu.state.cpl || reservedCodeSize(cpu, code)) return generalProtection(error);
  if (code.conforming ? code.dpl > level : code.dpl !== level) return generalProtection(error);
  return code.present ? code : new Fault(Vector.NP, error);
}

/** SS for a return to `level`. SDM Vol. 2B "RET": null is allowed when 64-bit code below level 3 is returned to. */
export function returnStackSegment(
  cpu: Cpu,
  code: Descriptor,
  selector: number,
  level: number,
): SegmentRegister | Fault {
  return stackSegment(cpu, selector, {
    cpl: level,
    nullAllowed: cpu.longMode && code.long && level !== 3 && (selector & 3) === level,
  });
}

function farReturn(cpu: Cpu, size: AccessSize, released: bigint): CallOutResult {
  const { state } = cpu;
  const stack = Stack.current(cpu);
  const popped = stack.popAll(size, FAR_POINTER);
  if (popped instanceof Fault) return popped;
  const rip = popped[0] ?? 0n;
  const selector = Number((popped[1] ?? 0n) & 0xffffn);
  if (cpu.realSegments) {
    const result = enterRealCode(cpu, selector, rip);
    if (result !== "redirect") return result;
    stack.release(released);
    state.rsp = stack.pointer;
    return result;
  }
  stack.release(released);
  let newPointer = stack.pointer;
  // The outer stack's pointer is read before the selector is looked at, even of one whose level is not allowed.
  const pair = (selector & 3) === state.cpl ? undefined : stack.popAll(size, FAR_POINTER);
  if (pair instanceof Fault) return pair;
  const descriptor = returnCode(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  let stackRegister: SegmentRegister | undefined;
  if (pair) {
    const loaded = returnStackSegment(cpu, descriptor, Number((pair[1] ?? 0n) & 0xffffn), selector & 3);
    if (loaded instanceof Fault) return loaded;
    stackRegister = loaded;
    const pointer = new Stack(cpu, {
      segment: loaded,
      pointer: pair[0] ?? 0n,
      flat: cpu.longMode && descriptor.long,
      cpl: selector & 3,
    });
    pointer.release(released);
    newPointer = pointer.pointer;
  }
  const outside = checkTarget(cpu, descriptor, rip);
  if (outside) return outside;
  const code = markAccessed(cpu, descriptor);
  if (code instanceof Fault) return code;
  state.rsp = newPointer;
  if (stackRegister) state.setSegment(Segment.SS, stackRegister);
  enterCode(cpu, code.register(selector), rip);
  if (pair) dropPrivilegedSegments(cpu);
  return "redirect";
}

export function sizeOf(bytes: number): AccessSize {
  return bytes === 8 ? 8 : bytes === 4 ? 4 : 2;
}

/** Far jumps and calls take (selector, offset, operand bytes); farReturn takes (operand bytes, bytes to release). */
export const farCallOuts: CallOutTable = {
  farJump: (cpu, operands) =>
    farJump(cpu, numberOf(operands, 0) & 0xffff, truncateTo(sizeOf(numberOf(operands, 2)), bigintOf(operands, 1))),
  farCall(cpu, operands) {
    const size = sizeOf(numberOf(operands, 2));
    return farCall(cpu, numberOf(operands, 0) & 0xffff, truncateTo(size, bigintOf(operands, 1)), size);
  },
  farReturn: (cpu, operands) => farReturn(cpu, sizeOf(numberOf(operands, 0)), bigintOf(operands, 1) & 0xffffn),
};
