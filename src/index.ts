export {
  createBareMachine,
  type BareExit,
  type BareMachine,
  type BareMachineOptions,
  type BareMode,
  type MapOptions,
} from "./bare-machine.ts";
export type { BareState } from "./bare-state.ts";
export { VmError, type VmErrorCode } from "./errors.ts";
