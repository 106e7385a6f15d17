import { Rflags, Segment } from "../abi/guest-state.ts";
import { numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import { Cr4 } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { linearOf, markAccessed } from "./descriptor.ts";
import { checkTarget, enterCode, enterRealCode, FAR_POINTER, returnCode, returnStackSegment, sizeOf } from "./far.ts";
import { Fault, generalProtection } from "./fault.ts";
import { SYSTEM, type AccessSize } from "./memory-access.ts";
import { hasCodeBreakpoints } from "./debug.ts";
import { dropPrivilegedSegments, realSegment } from "./segments.ts";
import { Stack } from "./stack.ts";
import { switchTask } from "./task-switch.ts";

/** IRET, IRETD and IRETQ in every mode. SDM Vol. 2A "IRET/IRETD/IRETQ". */

/** Flags that every IRET may change, whatever the privilege. */
const ALWAYS = Rflags.ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT;
const WIDE = Rflags.RF | Rflags.AC | Rflags.ID;

/** RIP, CS and RFLAGS on the stack, and in 64-bit mode RSP and SS, in the order in which AMD processors read them. */
const FRAME = [2, 1, 0] as const;
const LONG_FRAME = [2, 1, 0, 4, 3] as const;

function merge(old: number, popped: number, mask: number): number {
  return (old & ~mask) | (popped & mask);
}

/** Flags that a return in protected mode may change at the CPL it starts from. */
function writableFlags(cpu: Cpu, size: AccessSize): number {
  const { state } = cpu;
  const iopl = (state.systemFlags >> 12) & 3;
  let mask = size === 2 ? ALWAYS : ALWAYS | WIDE;
  if (state.cpl <= iopl) mask |= Rflags.IF;
  if (state.cpl === 0) mask |= size === 2 ? Rflags.IOPL : Rflags.IOPL | Rflags.VIF | Rflags.VIP;
  return mask;
}

function iret(cpu: Cpu, size: AccessSize): CallOutResult {
  // NMIs are let in again even if the rest faults; SDM Vol. 3A, 6.7.1.
  cpu.nmiBlocked = false;
  if (!cpu.protectedMode) return iretReal(cpu, size);
  if (cpu.virtual8086) return iretVirtual(cpu, size);
  const { state } = cpu;
  if (state.systemFlags & Rflags.NT) return cpu.longMode ? generalProtection() : taskReturn(cpu);

  const stack = Stack.current(cpu);
  // 64-bit code pops SS:RSP always. SDM Vol. 3A, 6.14.3.
  const popped = stack.popAll(size, cpu.code64 ? LONG_FRAME : FRAME);
  if (popped instanceof Fault) return popped;
  const [rip = 0n, selectorWord = 0n, flagsWord = 0n] = popped;
  const selector = Number(selectorWord & 0xffffn);
  const flags = Number(flagsWord & 0xffff_ffffn);
  if (flags & Rflags.VM && state.cpl === 0 && size === 4 && !cpu.longMode)
    return toVirtual(cpu, stack, rip, selector, flags);

  const level = selector & 3;
  // As for RETF, SS:rSP is read before the selector is looked at.
  const pair = cpu.code64 ? popped.slice(3) : level === state.cpl ? undefined : stack.popAll(size, FAR_POINTER);
  if (pair instanceof Fault) return pair;
  const descriptor = returnCode(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  const outside = checkTarget(cpu, descriptor, rip);
  if (outside) return outside;
  const outer = level > state.cpl;
  let pointer = stack.pointer;
  let stackRegister;
  if (pair) {
    const loaded = returnStackSegment(cpu, descriptor, Number((pair[1] ?? 0n) & 0xffffn), level);
    if (loaded instanceof Fault) return loaded;
    stackRegister = loaded;
    // A 16-bit stack takes SP alone; the rest of RSP stays as it is.
    const flat = cpu.longMode && descriptor.long;
    const fresh = pair[0] ?? 0n;
    const big = flat || (loaded.attributes & 0x4000) !== 0;
    pointer = big ? fresh : (state.rsp & ~0xffffn) | (fresh & 0xffffn);
  }
  const code = markAccessed(cpu, descriptor);
  if (code instanceof Fault) return code;

  let newFlags = merge(state.rflags, flags, writableFlags(cpu, size));
  // RF would be cleared by the next instruction anyhow; without code breakpoints nothing can tell the difference.
  if (!hasCodeBreakpoints(cpu)) newFlags &= ~Rflags.RF;
  state.rsp = pointer;
  if (stackRegister) state.setSegment(Segment.SS, stackRegister);
  cpu.setFlags(newFlags);
  enterCode(cpu, code.register(selector), rip);
  if (outer) dropPrivilegedSegments(cpu);
  return "redirect";
}

function iretReal(cpu: Cpu, size: AccessSize): CallOutResult {
  const { state } = cpu;
  const stack = Stack.current(cpu);
  const popped = stack.popAll(size, FRAME);
  if (popped instanceof Fault) return popped;
  const [rip = 0n, selector = 0n, flags = 0n] = popped;
  const result = enterRealCode(cpu, Number(selector & 0xffffn), rip);
  if (result !== "redirect") return result;
  state.rsp = stack.pointer;
  const mask = size === 2 ? ALWAYS | Rflags.IF | Rflags.IOPL : ALWAYS | WIDE | Rflags.IF | Rflags.IOPL;
  cpu.setFlags(merge(state.rflags, Number(flags & 0xffff_ffffn), mask));
  return result;
}

function iretVirtual(cpu: Cpu, size: AccessSize): CallOutResult {
  const { state } = cpu;
  const iopl = (state.systemFlags >> 12) & 3;
  const extensions = (state.cr4 & Cr4.VME) !== 0n;
  if (iopl < 3 && (!extensions || size !== 2)) return generalProtection();
  const stack = Stack.current(cpu);
  const popped = stack.popAll(size, FRAME);
  if (popped instanceof Fault) return popped;
  const [rip = 0n, selector = 0n, flagsWord = 0n] = popped;
  const flags = Number(flagsWord & 0xffff_ffffn);
  let next: number;
  if (iopl === 3) {
    next = merge(state.rflags, flags, size === 2 ? ALWAYS | Rflags.IF : ALWAYS | WIDE | Rflags.IF);
  } else {
    // Virtual-8086 mode extensions: IF of the image is VIF. SDM Vol. 3B, 20.4.
    if (flags & Rflags.TF || (flags & Rflags.IF && state.systemFlags & Rflags.VIP)) return generalProtection();
    next = merge(state.rflags, flags, ALWAYS);
    next = flags & Rflags.IF ? next | Rflags.VIF : next & ~Rflags.VIF;
  }
  const result = enterRealCode(cpu, Number(selector & 0xffffn), rip);
  if (result !== "redirect") return result;
  state.rsp = stack.pointer;
  cpu.setFlags(next);
  return result;
}

/** Return from level 0 to virtual-8086 mode: SS:ESP and the data segments lie on the stack as well. */
function toVirtual(cpu: Cpu, stack: Stack, rip: bigint, selector: number, flags: number): CallOutResult {
  const { state } = cpu;
  const rest = stack.popAll(4, [0, 1, 2, 3, 4, 5]);
  if (rest instanceof Fault) return rest;
  if (rip > 0xffffn) return generalProtection();
  const [pointer = 0n, ss = 0n, es = 0n, ds = 0n, fs = 0n, gs = 0n] = rest;
  cpu.setFlags(merge(state.rflags, flags, 0x003f_7fd5));
  const selectors: readonly (readonly [number, bigint])[] = [
    [Segment.CS, BigInt(selector)],
    [Segment.SS, ss],
    [Segment.ES, es],
    [Segment.DS, ds],
    [Segment.FS, fs],
    [Segment.GS, gs],
  ];
  for (const [segment, value] of selectors)
    state.setSegment(segment, realSegment(cpu, segment, Number(value & 0xffffn)));
  state.rsp = pointer;
  cpu.setCpl(3);
  cpu.updateMode();
  state.rip = rip;
  return "redirect";
}

/** NT: back to the task that called this one. */
function taskReturn(cpu: Cpu): CallOutResult {
  const link = cpu.memory.read(linearOf(cpu, cpu.state.u64("segmentBase", Segment.TR), 0), 2, SYSTEM);
  if (link instanceof Fault) return link;
  return switchTask(cpu, { selector: Number(link), source: "return", returnRip: cpu.nextRip }) ?? "redirect";
}

/** iret(operand bytes) */
export const iretCallOuts: CallOutTable = {
  iret: (cpu, operands) => iret(cpu, sizeOf(numberOf(operands, 0))),
};
