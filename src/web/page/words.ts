import type { MachineExit } from "umbra";
import type { Phase } from "./session.ts";

/** A line that says it, and a sentence or two that say more. */
export type TitleAndText = readonly [title: string, text: string];

const PHASES: Readonly<Record<Phase, string>> = {
  idle: "Off",
  loading: "Loading",
  booting: "Booting",
  running: "Running",
  paused: "Paused",
  off: "Off",
  failed: "Failed",
};

export function describePhase(phase: Phase): string {
  return PHASES[phase];
}

/** Why a machine ended, where it is not just switched off. */
export function describeExit(exit: MachineExit): TitleAndText {
  switch (exit.reason) {
    case "reset":
      return ["The guest has reset the machine", "Power on boots it again."];
    case "triple-fault":
      return [
        "The guest's processor has shut down",
        "A fault occurred while it delivered another one: a triple fault. Power on boots it again.",
      ];
    case "halt":
      return ["The guest has halted", "It waits with interrupts off, and nothing can wake it any more."];
    case "debug-exit":
      return ["The guest has ended the machine", `Its exit status is ${exit.status}.`];
    default:
      return ["The machine is off", "Power on boots it again."];
  }
}

/** What to say of a guest whose kernel has given up: it prints why, and then it stands still. */
export const PANIC: TitleAndText = [
  "The guest's kernel has panicked",
  "The terminal shows why. Reset boots the machine again.",
];

/** @param error whatever was thrown; a VmError says by itself what was found, and what was expected */
export function describeFailure(error: unknown): TitleAndText {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ERR_DISK_LOCKED")
    return [
      "The disk is in use in another tab",
      "One machine at a time can have it. Power the other one off, or choose no disk here, and start again.",
    ];
  const message = error instanceof Error ? error.message : String(error);
  return ["The machine could not be started", message.endsWith(".") ? message : `${message}.`];
}
