import { Rflags, Segment, Vector } from "../abi/guest-state.ts";
import { Cr0, SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { isNull, isTss, linearOf, markAccessed, markBusy, readDescriptor, type Descriptor } from "./descriptor.ts";
import { Fault, generalProtection, selectorError } from "./fault.ts";
import { SYSTEM } from "./memory-access.ts";
import { loadDataSegment, nullSegment, realSegment, stackSegment } from "./segments.ts";
import { Stack } from "./stack.ts";

/**
 * Hardware task switching with the 32-bit TSS. SDM Vol. 3A, chapter 8.
 *
 * Not modelled: the 16-bit TSS as source or target (#TS), CR3 reserved bits.
 */
export interface TaskSwitch {
  readonly selector: number;
  readonly source: "jump" | "call" | "interrupt" | "return";
  /** RIP to save in the old TSS */
  readonly returnRip: bigint;
  /** pushed on the stack of the new task */
  readonly errorCode?: bigint | undefined;
  readonly external?: 0 | 1;
}

/** Offsets in the 32-bit TSS; SDM Vol. 3A, figure 8-2. */
const Tss = {
  LINK: 0,
  CR3: 0x1c,
  EIP: 0x20,
  EFLAGS: 0x24,
  GPR: 0x28,
  SEGMENTS: 0x48,
  LDT: 0x60,
  TRAP: 0x64,
  MINIMUM_LIMIT: 0x67,
} as const;

/** DR6.BT */
const DR6_BT = 1 << 15;

/** Switches tasks. A fault before the switch leaves the old task running, one after it belongs to the new task. */
export function switchTask(cpu: Cpu, request: TaskSwitch): Fault | undefined {
  const { selector, source, external = 0 } = request;
  const target = targetTask(cpu, selector, source, external);
  if (target instanceof Fault) return target;
  const image = readTask(cpu, target.base);
  if (image instanceof Fault) return image;
  const saved = saveTask(cpu, request);
  if (saved) return saved;
  return enterTask(cpu, request, target, image);
}

function targetTask(cpu: Cpu, selector: number, source: TaskSwitch["source"], external: 0 | 1): Descriptor | Fault {
  const error = selectorError(selector, external);
  const wrong = source === "return" ? new Fault(Vector.TS, error) : generalProtection(error);
  if (isNull(selector) || selector & 4) return wrong;
  const descriptor = readDescriptor(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor || !isTss(descriptor, source === "return")) return wrong;
  if (!descriptor.present) return new Fault(Vector.NP, error);
  if ((descriptor.type & 8) === 0 || descriptor.limit < Tss.MINIMUM_LIMIT) return new Fault(Vector.TS, error);
  if ((cpu.state.u32("segmentAttributes", Segment.TR) & 15) !== SystemType.TSS32_BUSY) {
    return new Fault(Vector.TS, selectorError(cpu.state.u32("segmentSelector", Segment.TR), external));
  }
  return descriptor;
}

/** The doublewords of a TSS, as many as the architecture defines. */
function readTask(cpu: Cpu, base: bigint): number[] | Fault {
  const words: number[] = [];
  for (let at = 0; at < Tss.MINIMUM_LIMIT; at += 4) {
    const word = cpu.memory.read(linearOf(cpu, base, at), 4, SYSTEM);
    if (word instanceof Fault) return word;
    words.push(Number(word));
  }
  return words;
}

function saveTask(cpu: Cpu, { source, returnRip }: TaskSwitch): Fault | undefined {
  const { state } = cpu;
  const old = state.segment(Segment.TR);
  const leaves = source === "jump" || source === "return";
  const flags = source === "return" ? state.rflags & ~Rflags.NT : state.rflags;
  const words: [number, bigint][] = [
    [Tss.EIP, returnRip],
    [Tss.EFLAGS, BigInt(flags)],
  ];
  for (let register = 0; register < 8; register++) words.push([Tss.GPR + register * 4, state.u64("gpr", register)]);
  for (let segment = 0; segment < 6; segment++)
    words.push([Tss.SEGMENTS + segment * 4, BigInt(state.u32("segmentSelector", segment))]);
  for (const [at, value] of words) {
    const fault = cpu.memory.write(linearOf(cpu, old.base, at), 4, value & 0xffff_ffffn, SYSTEM);
    if (fault) return fault;
  }
  if (!leaves) return undefined;
  const descriptor = readDescriptor(cpu, old.selector);
  if (descriptor instanceof Fault) return descriptor;
  return descriptor && markBusy(cpu, descriptor, false);
}

function enterTask(cpu: Cpu, request: TaskSwitch, target: Descriptor, image: readonly number[]): Fault | undefined {
  const { state } = cpu;
  const { source, selector } = request;
  const word = (at: number): number => image[at >> 2] ?? 0;
  const nested = source === "call" || source === "interrupt";
  if (nested) {
    const fault = cpu.memory.write(
      linearOf(cpu, target.base, Tss.LINK),
      2,
      BigInt(state.u32("segmentSelector", Segment.TR)),
      SYSTEM,
    );
    if (fault) return fault;
  }
  if (source !== "return") {
    const fault = markBusy(cpu, target, true);
    if (fault) return fault;
  }

  // The switch is made here: what goes wrong from now on is a fault of the new task.
  const register = target.register(selector);
  state.setSegment(Segment.TR, { ...register, attributes: register.attributes | 2 });
  state.setU64("cr0", state.cr0 | Cr0.TS);
  cpu.updateUnitTraps();
  state.setU64("dr", state.u64("dr", 7) & ~0x155n, 7);
  cpu.hooks.debugChanged();
  if (state.cr0 & Cr0.PG) {
    state.setU64("cr3", BigInt(word(Tss.CR3)));
    cpu.hooks.addressSpaceChanged(false);
  }
  const flags = word(Tss.EFLAGS) & 0x003f_7fd7;
  cpu.setFlags(nested ? flags | Rflags.NT : flags);
  state.rip = BigInt(word(Tss.EIP));
  for (let index = 0; index < 8; index++) state.setU64("gpr", BigInt(word(Tss.GPR + index * 4)), index);
  const selectors = [0, 1, 2, 3, 4, 5].map((segment) => word(Tss.SEGMENTS + segment * 4) & 0xffff);
  // Until a descriptor is loaded, the register holds its selector and is unusable.
  for (const [segment, value] of selectors.entries()) state.setSegment(segment, nullSegment(value));
  state.setSegment(Segment.LDTR, nullSegment(word(Tss.LDT) & 0xffff));
  const fault = loadTaskSegments(cpu, selectors, word(Tss.LDT) & 0xffff, word(Tss.EFLAGS));
  if (fault) return fault;
  if (request.errorCode !== undefined) {
    const stack = Stack.current(cpu);
    const pushFault = stack.push(4, request.errorCode);
    if (pushFault) return pushFault;
    state.rsp = stack.pointer;
  }
  if (state.rip > BigInt(state.u32("segmentLimit", Segment.CS))) return generalProtection();
  if (word(Tss.TRAP) & 1) cpu.pendingDebug |= DR6_BT;
  return undefined;
}

function loadTaskSegments(cpu: Cpu, selectors: readonly number[], ldt: number, flags: number): Fault | undefined {
  const { state } = cpu;
  if (!isNull(ldt)) {
    const error = new Fault(Vector.TS, selectorError(ldt));
    if (ldt & 4) return error;
    const descriptor = readDescriptor(cpu, ldt);
    if (descriptor instanceof Fault) return descriptor;
    if (!descriptor?.system || descriptor.type !== SystemType.LDT || !descriptor.present) return error;
    state.setSegment(Segment.LDTR, descriptor.register(ldt));
  }
  if (flags & Rflags.VM) {
    for (const [segment, selector] of selectors.entries())
      state.setSegment(segment, realSegment(cpu, segment, selector));
    cpu.setCpl(3);
    cpu.updateMode();
    return undefined;
  }
  const codeSelector = selectors[Segment.CS] ?? 0;
  const cpl = codeSelector & 3;
  const codeError = new Fault(Vector.TS, selectorError(codeSelector));
  const code = isNull(codeSelector) ? undefined : readDescriptor(cpu, codeSelector);
  if (code instanceof Fault) return code;
  if (!code?.code || (code.conforming ? code.dpl > cpl : code.dpl !== cpl)) return codeError;
  if (!code.present) return new Fault(Vector.NP, selectorError(codeSelector));
  const accessed = markAccessed(cpu, code);
  if (accessed instanceof Fault) return accessed;
  state.setSegment(Segment.CS, accessed.register(codeSelector));
  cpu.setCpl(cpl);
  cpu.updateMode();
  const stack = stackSegment(cpu, selectors[Segment.SS] ?? 0, { cpl, vector: Vector.TS });
  if (stack instanceof Fault) return stack;
  state.setSegment(Segment.SS, stack);
  for (const segment of [Segment.ES, Segment.DS, Segment.FS, Segment.GS]) {
    const fault = loadDataSegment(cpu, segment, selectors[segment] ?? 0);
    // The same checks as MOV makes, but a TSS that fails them is an invalid TSS.
    if (fault) return fault.vector === Vector.GP ? new Fault(Vector.TS, fault.errorCode) : fault;
  }
  return undefined;
}
