import { Rflags, Segment, Vector } from "../abi/guest-state.ts";
import { SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { Descriptor, isNull, linearOf, markAccessed, readDescriptor } from "./descriptor.ts";
import type { GuestEvent } from "./exceptions.ts";
import { Fault, generalProtection, selectorError } from "./fault.ts";
import { isBlock, isCanonical, SYSTEM, type AccessSize } from "./memory-access.ts";
import { nullSegment, realSegment, stackSegment } from "./segments.ts";
import { Stack } from "./stack.ts";
import type { SegmentRegister } from "./state-view.ts";
import { switchTask } from "./task-switch.ts";
import { longStack, privilegeStack } from "./tss.ts";

/** The way through the IDT. SDM Vol. 3A, 6.10 to 6.14, Vol. 3B, 20.1.4 and 20.3, and the operation of "INT n". */

/** Vectors that push an error code; SDM Vol. 3A, table 6-1. */
const WITH_ERROR_CODE: ReadonlySet<number> = new Set([
  Vector.DF,
  Vector.TS,
  Vector.NP,
  Vector.SS,
  Vector.GP,
  Vector.PF,
  Vector.AC,
]);

const INSTRUCTION_BREAKPOINTS = 0xf;

/**
 * Makes one attempt to enter the handler of an event. Registers change only if it succeeds.
 *
 * @returns what went wrong; combining it with the event is the caller's business
 */
export function enterHandler(cpu: Cpu, event: GuestEvent): Fault | undefined {
  const fault = !cpu.protectedMode
    ? enterReal(cpu, event)
    : cpu.longMode
      ? enterLong(cpu, event)
      : enterProtected(cpu, event);
  if (fault) return fault;
  cpu.state.setU32("interruptShadow", 0);
  return undefined;
}

/** EXT of error codes: 0 when the program itself asked for the event. */
function externalBit({ kind }: GuestEvent): 0 | 1 {
  return kind === "software" ? 0 : 1;
}

/** RFLAGS as it is saved. SDM Vol. 3B, 17.3.1.1: faults save RF = 1, except instruction breakpoints. */
function savedFlags(cpu: Cpu, event: GuestEvent): number {
  const flags = cpu.state.rflags;
  const breakpoint = event.vector === Vector.DB && ((event.dr6 ?? 0) & INSTRUCTION_BREAKPOINTS) !== 0;
  return (event.kind === "fault" && !breakpoint) || event.resume ? flags | Rflags.RF : flags;
}

function errorCodeOf(event: GuestEvent): bigint | undefined {
  if (event.kind !== "fault" || !WITH_ERROR_CODE.has(event.vector)) return undefined;
  return BigInt(event.errorCode ?? 0);
}

/** RFLAGS in the handler. */
function handlerFlags(flags: number, interruptGate: boolean): number {
  const cleared = flags & ~(Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM);
  return interruptGate ? cleared & ~Rflags.IF : cleared;
}

// ---- real-address mode ----

function enterReal(cpu: Cpu, event: GuestEvent): Fault | undefined {
  const { state } = cpu;
  const at = event.vector * 4;
  if (at + 3 > state.u32("idtLimit")) return generalProtection();
  const entry = cpu.memory.read(linearOf(cpu, state.u64("idtBase"), at), 4, SYSTEM);
  if (entry instanceof Fault) return entry;
  const stack = Stack.current(cpu);
  const flags = savedFlags(cpu, event);
  const selector = state.u32("segmentSelector", Segment.CS);
  const fault = stack.pushAll(2, [BigInt(flags), BigInt(selector), event.returnRip ?? state.rip]);
  if (fault) return fault;
  state.rsp = stack.pointer;
  state.setSegment(Segment.CS, realSegment(cpu, Segment.CS, Number(entry >> 16n)));
  state.rip = entry & 0xffffn;
  cpu.setFlags(flags & ~(Rflags.IF | Rflags.TF | Rflags.AC | Rflags.RF));
  return undefined;
}

// ---- protected mode ----

/** The gate of a vector after the checks that all gates share. */
function readGate(cpu: Cpu, event: GuestEvent, types: readonly number[]): Descriptor | Fault {
  const { state } = cpu;
  const entryBytes = cpu.longMode ? 16 : 8;
  const error = event.vector * 8 + 2 + externalBit(event);
  const at = event.vector * entryBytes;
  if (at + entryBytes - 1 > state.u32("idtLimit")) return generalProtection(error);
  const linear = linearOf(cpu, state.u64("idtBase"), at);
  const words =
    entryBytes === 16 && isBlock(linear, 2)
      ? cpu.memory.readWords(linear, 2, SYSTEM)
      : cpu.memory.read(linear, 8, SYSTEM);
  if (words instanceof Fault) return words;
  const [raw = 0n, upper] = typeof words === "bigint" ? [words] : words;
  const gate = new Descriptor(linear, Number(raw & 0xffff_ffffn), Number(raw >> 32n), upper);
  if (!gate.system || !types.includes(gate.type)) return generalProtection(error);
  if (event.kind === "software" && gate.dpl < state.cpl) return generalProtection(error);
  if (!gate.present) return new Fault(Vector.NP, error);
  return gate;
}

/** The code segment that a gate names. */
function handlerSegment(cpu: Cpu, selector: number, external: 0 | 1): Descriptor | Fault {
  if (isNull(selector)) return generalProtection(external);
  const error = selectorError(selector, external);
  const descriptor = readDescriptor(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor?.code || descriptor.dpl > cpu.state.cpl) return generalProtection(error);
  if (cpu.longMode && (!descriptor.long || descriptor.default32)) return generalProtection(error);
  if (!descriptor.present) return new Fault(Vector.NP, error);
  return descriptor;
}

const PROTECTED_GATES = [
  SystemType.TASK_GATE,
  SystemType.INTERRUPT_GATE16,
  SystemType.TRAP_GATE16,
  SystemType.INTERRUPT_GATE32,
  SystemType.TRAP_GATE32,
] as const;

function enterProtected(cpu: Cpu, event: GuestEvent): Fault | undefined {
  const { state } = cpu;
  const external = externalBit(event);
  const gate = readGate(cpu, event, PROTECTED_GATES);
  if (gate instanceof Fault) return gate;
  const errorCode = errorCodeOf(event);
  if (gate.type === SystemType.TASK_GATE) {
    const returnRip = event.returnRip ?? state.rip;
    return switchTask(cpu, { selector: gate.gateSelector, source: "interrupt", returnRip, errorCode, external });
  }

  const code = handlerSegment(cpu, gate.gateSelector, external);
  if (code instanceof Fault) return code;
  const virtual = cpu.virtual8086;
  const newCpl = code.conforming ? state.cpl : code.dpl;
  const codeError = selectorError(gate.gateSelector, external);
  // From virtual-8086 mode the only way is to level 0.
  if (virtual && newCpl !== 0) return generalProtection(codeError);

  const size: AccessSize = gate.type & 8 ? 4 : 2;
  const flags = savedFlags(cpu, event);
  const frame: bigint[] = [];
  let stack: Stack;
  let newStackSegment: SegmentRegister | undefined;
  if (newCpl < state.cpl) {
    const inner = privilegeStack(cpu, newCpl, external);
    if (inner instanceof Fault) return inner;
    const loaded = stackSegment(cpu, inner.selector, { cpl: newCpl, vector: Vector.TS, external });
    if (loaded instanceof Fault) return loaded;
    newStackSegment = loaded;
    const limitError = selectorError(inner.selector, external);
    stack = new Stack(cpu, { segment: loaded, pointer: inner.pointer, flat: false, cpl: newCpl, limitError });
    if (virtual)
      for (const segment of [Segment.GS, Segment.FS, Segment.DS, Segment.ES])
        frame.push(BigInt(state.u32("segmentSelector", segment)));
    frame.push(BigInt(state.u32("segmentSelector", Segment.SS)), state.rsp);
  } else {
    stack = Stack.current(cpu, external);
  }
  frame.push(BigInt(flags), BigInt(state.u32("segmentSelector", Segment.CS)), event.returnRip ?? state.rip);
  if (errorCode !== undefined) frame.push(errorCode);
  const pushFault = stack.pushAll(size, frame);
  if (pushFault) return pushFault;
  if (gate.gateOffset > code.limit) return generalProtection(external);
  const accessed = markAccessed(cpu, code);
  if (accessed instanceof Fault) return accessed;

  state.rsp = stack.pointer;
  if (newStackSegment) state.setSegment(Segment.SS, newStackSegment);
  if (virtual)
    for (const segment of [Segment.GS, Segment.FS, Segment.DS, Segment.ES]) state.setSegment(segment, nullSegment(0));
  const interruptGate = gate.type === SystemType.INTERRUPT_GATE32 || gate.type === SystemType.INTERRUPT_GATE16;
  cpu.setFlags(handlerFlags(flags, interruptGate));
  finish(cpu, accessed.register((gate.gateSelector & ~3) | newCpl), newCpl, BigInt(gate.gateOffset));
  return undefined;
}

// ---- IA-32e mode ----

const LONG_GATES = [SystemType.INTERRUPT_GATE32, SystemType.TRAP_GATE32] as const;

function enterLong(cpu: Cpu, event: GuestEvent): Fault | undefined {
  const { state } = cpu;
  const external = externalBit(event);
  const gate = readGate(cpu, event, LONG_GATES);
  if (gate instanceof Fault) return gate;
  const upper = gate.upper ?? cpu.memory.read(gate.linear + 8n, 8, SYSTEM);
  if (upper instanceof Fault) return upper;
  const target = ((upper & 0xffff_ffffn) << 32n) | BigInt(gate.gateOffset);
  const code = handlerSegment(cpu, gate.gateSelector, external);
  if (code instanceof Fault) return code;

  const newCpl = code.conforming ? state.cpl : code.dpl;
  const interruptStack = gate.interruptStackTable;
  let pointer = state.rsp;
  if (interruptStack !== 0 || newCpl < state.cpl) {
    const fresh = longStack(cpu, interruptStack !== 0 ? 3 + interruptStack : newCpl, external);
    if (fresh instanceof Fault) return fresh;
    pointer = fresh;
  }
  // The frame always begins at a multiple of 16. SDM Vol. 3A, 6.14.2.
  const stack = new Stack(cpu, {
    segment: state.segment(Segment.SS),
    pointer: pointer & ~15n,
    flat: true,
    cpl: newCpl,
    limitError: external,
  });
  const flags = savedFlags(cpu, event);
  const frame = [
    BigInt(state.u32("segmentSelector", Segment.SS)),
    state.rsp,
    BigInt(flags),
    BigInt(state.u32("segmentSelector", Segment.CS)),
    event.returnRip ?? state.rip,
  ];
  const errorCode = errorCodeOf(event);
  if (errorCode !== undefined) frame.push(errorCode);
  const pushFault = stack.pushAll(8, frame);
  if (pushFault) return pushFault;
  if (!isCanonical(target)) return generalProtection(external);
  const accessed = markAccessed(cpu, code);
  if (accessed instanceof Fault) return accessed;

  state.rsp = stack.pointer;
  if (newCpl < state.cpl) state.setSegment(Segment.SS, nullSegment(newCpl));
  cpu.setFlags(handlerFlags(flags, gate.type === SystemType.INTERRUPT_GATE32));
  finish(cpu, accessed.register((gate.gateSelector & ~3) | newCpl), newCpl, target);
  return undefined;
}

function finish(cpu: Cpu, code: SegmentRegister, cpl: number, rip: bigint): void {
  cpu.state.setSegment(Segment.CS, code);
  cpu.setCpl(cpl);
  cpu.updateMode();
  cpu.state.rip = rip;
}
