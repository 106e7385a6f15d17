import { Rflags, Segment } from "../abi/guest-state.ts";
import { bigintOf, numberOf, type CallOutTable } from "./call-out.ts";
import { FlatSegment } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { generalProtection } from "./fault.ts";
import { isCanonical } from "./memory-access.ts";

/**
 * SYSENTER and SYSEXIT, and the rare ways of SYSCALL and SYSRET; generated code has the common ones. SDM Vol. 3A, 5.8.7.
 */

const CODE_BY_SIZE = { 32: FlatSegment.CODE32, 64: FlatSegment.CODE64 } as const;

/** Flat CS and SS at a level, without any descriptor. */
function setFlatSegments(cpu: Cpu, code: number, stack: number, level: number, size: 32 | 64): void {
  const { state } = cpu;
  const dpl = level << 5;
  state.setSegment(Segment.CS, { selector: code, base: 0n, limit: 0xffff_ffff, attributes: CODE_BY_SIZE[size] | dpl });
  state.setSegment(Segment.SS, { selector: stack, base: 0n, limit: 0xffff_ffff, attributes: FlatSegment.DATA | dpl });
  cpu.setCpl(level);
  cpu.updateMode();
}

/** sysenter(); sysexit(operand bytes); sysretCompatibility(); resumeAt(rip) */
export const fastSystemCallOuts: CallOutTable = {
  sysenter(cpu) {
    const { state } = cpu;
    const selector = Number(state.u64("sysenterCs") & 0xfffcn);
    if (!cpu.protectedMode || selector === 0) return generalProtection();
    const long = cpu.longMode;
    cpu.setFlags(state.rflags & ~(Rflags.VM | Rflags.IF | Rflags.RF));
    setFlatSegments(cpu, selector, (selector + 8) & 0xffff, 0, long ? 64 : 32);
    const stack = state.u64("sysenterEsp");
    const entry = state.u64("sysenterEip");
    state.rsp = long ? stack : stack & 0xffff_ffffn;
    state.rip = long ? entry : entry & 0xffff_ffffn;
    return "redirect";
  },

  sysexit(cpu, operands) {
    const { state } = cpu;
    const wide = numberOf(operands, 0) === 8;
    const base = Number(state.u64("sysenterCs") & 0xfffcn);
    if (!cpu.protectedMode || base === 0 || state.cpl !== 0) return generalProtection();
    const rip = state.u64("gpr", 2);
    const rsp = state.u64("gpr", 1);
    if (wide && !(isCanonical(rip) && isCanonical(rsp))) return generalProtection();
    const code = base + (wide ? 32 : 16);
    setFlatSegments(cpu, (code & 0xffff) | 3, ((code + 8) & 0xffff) | 3, 3, wide ? 64 : 32);
    state.rsp = wide ? rsp : rsp & 0xffff_ffffn;
    state.rip = wide ? rip : rip & 0xffff_ffffn;
    return "redirect";
  },

  /** SYSRET with a 32-bit operand size, after the privilege checks: to compatibility mode. */
  sysretCompatibility(cpu) {
    const { state } = cpu;
    const selectors = Number((state.u64("star") >> 48n) & 0xffffn);
    const flags = Number(state.u64("gpr", 11) & 0x3c_7fd7n) | Rflags.ONE;
    const rip = state.u64("gpr", 1) & 0xffff_ffffn;
    cpu.setFlags(flags);
    setFlatSegments(cpu, selectors | 3, ((selectors + 8) & 0xffff) | 3, 3, 32);
    state.rip = rip;
    cpu.trapByNewFlag = true;
    return "redirect";
  },

  /**
   * Ends SYSCALL or SYSRET outside generated code, because the machine must look at the new flags: an interrupt became
   * deliverable, or the trap flag is involved.
   */
  resumeAt(cpu, operands) {
    cpu.state.rip = bigintOf(operands, 0);
    cpu.trapByNewFlag = true;
    return "redirect";
  },
};
