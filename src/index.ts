export {
  createBareMachine,
  type BareExit,
  type BareMachine,
  type BareMachineOptions,
  type BareMode,
  type MapOptions,
} from "./bare-machine.ts";
export type { BareState, BareStateChange } from "./bare-state.ts";
export { createMachine, type Machine, type MachineExit, type MachineOptions, type MachineStats } from "./machine.ts";
export { VmError, type VmErrorCode } from "./errors.ts";
