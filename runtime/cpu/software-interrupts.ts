import { Rflags, Segment, Vector } from "../abi/guest-state.ts";
import { numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import { Cr4 } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { linearOf } from "./descriptor.ts";
import { enterHandler } from "./enter-handler.ts";
import { Fault, generalProtection } from "./fault.ts";
import { SYSTEM } from "./memory-access.ts";
import { realSegment } from "./segments.ts";
import { Stack } from "./stack.ts";
import { TSS_IO_MAP } from "./tss.ts";

/** INT n, INT3, INTO and INT1. SDM Vol. 2A "INT n/INTO/INT3/INT1". */

function softwareInterrupt(cpu: Cpu, vector: number): CallOutResult {
  if (cpu.virtual8086) {
    const redirected = virtualRedirect(cpu, vector);
    if (redirected !== undefined) return redirected;
  }
  return enter(cpu, vector, "software");
}

function enter(cpu: Cpu, vector: number, kind: "software" | "icebp"): CallOutResult {
  const fault = enterHandler(cpu, { vector, kind, returnRip: cpu.nextRip });
  if (fault) return fault;
  cpu.eventDelivered = true;
  return "redirect";
}

/** INT n in virtual-8086 mode: to the 8086 handler if the redirection bitmap says so. SDM Vol. 3B, 20.3.3, table 20-2. */
function virtualRedirect(cpu: Cpu, vector: number): CallOutResult {
  const { state } = cpu;
  const iopl = (state.systemFlags >> 12) & 3;
  let toMonitor = true;
  if (state.cr4 & Cr4.VME) {
    const { base, limit } = state.segment(Segment.TR);
    const map = cpu.memory.read(linearOf(cpu, base, TSS_IO_MAP), 2, SYSTEM);
    if (map instanceof Fault) return map;
    // The 32 bytes of the bitmap lie right below the I/O permission bitmap.
    const at = Number(map) - 32 + (vector >> 3);
    if (at < 0 || at > limit) return generalProtection();
    const bits = cpu.memory.read(linearOf(cpu, base, at), 1, SYSTEM);
    if (bits instanceof Fault) return bits;
    toMonitor = (Number(bits) & (1 << (vector & 7))) !== 0;
  }
  if (toMonitor) return iopl < 3 ? generalProtection() : undefined;

  const entry = cpu.memory.read(BigInt(vector * 4), 4, SYSTEM);
  if (entry instanceof Fault) return entry;
  const flags = state.rflags;
  let image = flags;
  if (iopl < 3) image = (flags & ~(Rflags.IF | Rflags.IOPL)) | Rflags.IOPL | (flags & Rflags.VIF ? Rflags.IF : 0);
  const stack = Stack.current(cpu);
  const fault = stack.pushAll(2, [BigInt(image), BigInt(state.u32("segmentSelector", Segment.CS)), cpu.nextRip]);
  if (fault) return fault;
  state.rsp = stack.pointer;
  cpu.setFlags(flags & ~(Rflags.TF | Rflags.NT | Rflags.RF | (iopl < 3 ? Rflags.VIF : Rflags.IF)));
  state.setSegment(Segment.CS, realSegment(cpu, Segment.CS, Number(entry >> 16n)));
  cpu.updateMode();
  state.rip = entry & 0xffffn;
  cpu.eventDelivered = true;
  return "redirect";
}

/** int(vector): INT n. int3, into, int1: no arguments; virtual-8086 mode has no IOPL check for these. */
export const softwareInterruptCallOuts: CallOutTable = {
  int: (cpu, operands) => softwareInterrupt(cpu, numberOf(operands, 0) & 0xff),
  int3: (cpu) => enter(cpu, Vector.BP, "software"),
  into: (cpu) => enter(cpu, Vector.OF, "software"),
  int1: (cpu) => enter(cpu, Vector.DB, "icebp"),
};
