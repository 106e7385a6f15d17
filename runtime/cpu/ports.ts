import { Exit, Rflags } from "../abi/guest-state.ts";
import { numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import type { Cpu } from "./cpu.ts";
import type { Fault } from "./fault.ts";
import { checkPortBitmap } from "./tss.ts";

/** IN, OUT, INS and OUTS. SDM Vol. 1, 19.5. */

function checkPort(cpu: Cpu, port: number, size: number): Fault | undefined {
  if (!cpu.protectedMode) return undefined;
  const flags = cpu.state.systemFlags;
  // Virtual-8086 mode consults the bitmap whatever IOPL is.
  if (!(flags & Rflags.VM) && cpu.state.cpl <= (flags & Rflags.IOPL) >> 12) return undefined;
  return checkPortBitmap(cpu, port, size);
}

/**
 * Leaves for a machine that has no devices: guestState.rip stays at the instruction, exitVector is the port, exitErrorCode the
 * size in bytes plus 8 for a write, exitValue the value written.
 */
function leave(cpu: Cpu, port: number, size: number, written?: number): CallOutResult {
  const { state } = cpu;
  state.setU32("exitVector", port);
  state.setU32("exitErrorCode", written === undefined ? size : size + 8);
  state.setU64("exitValue", BigInt(written ?? 0));
  return { exit: Exit.PORT };
}

function sizeOf(bytes: number): 1 | 2 | 4 {
  return bytes === 1 ? 1 : bytes === 2 ? 2 : 4;
}

/** checkPort(port, bytes): only the permission. readPort(port, bytes): the value. writePort(port, bytes, value). */
export const portCallOuts: CallOutTable = {
  checkPort: (cpu, operands) => checkPort(cpu, numberOf(operands, 0) & 0xffff, numberOf(operands, 1)),

  readPort(cpu, operands) {
    const port = numberOf(operands, 0) & 0xffff;
    const size = sizeOf(numberOf(operands, 1));
    const fault = checkPort(cpu, port, size);
    if (fault) return fault;
    const value = cpu.hooks.ports.read(port, size);
    return value === "exit" ? leave(cpu, port, size) : BigInt(value >>> 0);
  },

  writePort(cpu, operands) {
    const port = numberOf(operands, 0) & 0xffff;
    const size = sizeOf(numberOf(operands, 1));
    const fault = checkPort(cpu, port, size);
    if (fault) return fault;
    const value = size === 4 ? numberOf(operands, 2) : numberOf(operands, 2) & (size === 1 ? 0xff : 0xffff);
    return cpu.hooks.ports.write(port, size, value) === "exit" ? leave(cpu, port, size, value) : undefined;
  },
};
