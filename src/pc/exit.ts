/** Why a machine stopped. */
export type MachineExit =
  | { readonly reason: "power-off" }
  | { readonly reason: "reset" }
  | { readonly reason: "triple-fault" }
  /** HLT with interrupts off: nothing can wake the processor any more */
  | { readonly reason: "halt" }
  | { readonly reason: "debug-exit"; readonly status: number }
  | { readonly reason: "stopped" };
