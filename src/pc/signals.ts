import type { MachineExit } from "./exit.ts";

/** What the devices and the host tell the loop of a machine. */
export class Signals {
  /** why the machine ends; the first reason counts */
  exit: MachineExit | undefined;
  nmi = false;
  /** something has happened since the guest went idle: it does not fall asleep */
  awake = false;
  /** ends the sleep in progress */
  wake: (() => void) | undefined;

  wakeUp(): void {
    this.awake = true;
    this.wake?.();
  }
}
