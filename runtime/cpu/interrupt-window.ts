import { Rflags } from "../abi/guest-state.ts";
import { Shadow, type Cpu } from "./cpu.ts";

/** When events from outside may be delivered. SDM Vol. 3A, 6.7, 6.8 and 6.9. */

/** Whether an external interrupt can be delivered between the last instruction and the next. */
export function canTakeInterrupt(cpu: Cpu): boolean {
  const { state } = cpu;
  return (state.systemFlags & Rflags.IF) !== 0 && cpu.shadow === Shadow.NONE;
}

/** Whether an NMI can be delivered now. */
export function canTakeNmi(cpu: Cpu): boolean {
  return !cpu.nmiBlocked && cpu.shadow !== Shadow.STACK;
}

/** Tells generated code that an event waits for RFLAGS.IF (or for the shadow to end), or that none does. */
export function setPendingEvents(cpu: Cpu, pending: boolean): void {
  cpu.state.setU32("pendingEvents", pending ? 1 : 0);
}
