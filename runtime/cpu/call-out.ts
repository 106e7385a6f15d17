import type { Exit } from "../abi/guest-state.ts";
import type { Cpu } from "./cpu.ts";
import type { Fault } from "./fault.ts";

/**
 * How a call-out ends:
 *
 * - a bigint: go on; the definition gets it as the 64-bit result of `e.callOut`
 * - undefined: go on; the result is 0
 * - a Fault: deliver it; nothing that the guest can see has changed
 * - "redirect": RIP, the mode or both have changed: control goes to guestState.rip
 * - an Exit: leave generated code for the machine; guestState.rip is where to come back to
 */
export type CallOutResult = bigint | undefined | Fault | "redirect" | { readonly exit: Exit };

/**
 * A function that generated code calls by name. When it runs, guestState.rip is the address of the calling instruction and
 * `cpu.instructionLength` its length. Arguments are unsigned 64-bit integers.
 */
export type CallOut = (cpu: Cpu, operands: BigUint64Array | readonly bigint[]) => CallOutResult;

export type CallOutTable = Readonly<Record<string, CallOut>>;

/** Argument `index` as a number: for selectors, ports, sizes and other small values. */
export function numberOf(operands: BigUint64Array | readonly bigint[], index: number): number {
  return Number((operands[index] ?? 0n) & 0xffff_ffffn);
}

export function bigintOf(operands: BigUint64Array | readonly bigint[], index: number): bigint {
  return operands[index] ?? 0n;
}

/** Ends an instruction that goes on with the next one although something that decoded code depends on has changed. */
export function nextInstruction(cpu: Cpu): "redirect" {
  cpu.state.rip = cpu.nextRip;
  return "redirect";
}
