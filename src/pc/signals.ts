import type { MachineExit } from "./exit.ts";

/** It was paused, or more of its output lies unread than may. */
export type HoldReason = "pause" | "serial" | "console";

/** What the devices and the host tell the loop of a machine. */
export class Signals {
  /** why the machine ends; the first reason counts */
  exit: MachineExit | undefined;
  nmi = false;
  /** something has happened since the guest went idle: it does not fall asleep */
  awake = false;
  /** ends the sleep in progress */
  wake: (() => void) | undefined;

  /** why the guest must stand still for now */
  readonly holds: Set<HoldReason> = new Set<HoldReason>();

  /** Waits until nothing holds the guest, or the machine ends. */
  async released(): Promise<void> {
    while (this.holds.size > 0 && !this.exit) await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
  }

  wakeUp(): void {
    this.awake = true;
    this.wake?.();
  }
}
