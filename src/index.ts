export { createMachine } from "./api/create-machine.ts";
export type { Bytes } from "./api/bytes.ts";
export {
  blobDisk,
  type DiskDescription,
  type DiskSource,
  fileDisk,
  httpDisk,
  memoryDisk,
  opfsDisk,
  overlayDisk,
} from "./api/disks.ts";
export type {
  ConsolePort,
  Machine,
  MachineEvents,
  MachineHosting,
  MachineState,
  MachineStatus,
  Port,
  RunOptions,
  Unsubscribe,
} from "./api/machine.ts";
export { type ProgramResult, runProgram, type RunProgramOptions } from "./api/run-program.ts";
export type { HostThread, MachineAssets, MachineOptions } from "./api/options.ts";
export {
  createBareMachine,
  type BareExit,
  type BareMachine,
  type BareMachineOptions,
  type BareMode,
  type MapOptions,
} from "./bare-machine.ts";
export { decode, type DecodeOptions, format } from "./api/decode.ts";
export type { DecodedInstruction } from "../jit/isa/decoded-instruction.ts";
export type {
  CodeSize,
  DecodeFailure,
  FarOperand,
  ImmediateOperand,
  MemoryOperand,
  Operand,
  OperandWidth,
  RegisterClass,
  RegisterOperand,
  RelativeOperand,
} from "../jit/isa/operand.ts";
export type { BareState, BareStateChange } from "./bare-state.ts";
export type { MachineExit } from "./pc/exit.ts";
export type { MachineStats, MachineTimes, MemoryStats } from "./pc/stats.ts";
export { type Disk, SECTOR_BYTES } from "../runtime/disk/disk.ts";
export { MemoryDisk } from "../runtime/disk/memory-disk.ts";
export { OverlayDisk } from "../runtime/disk/overlay-disk.ts";
export type { ConsoleSize } from "../runtime/virtio/console.ts";
export type { CpuModelOptions } from "../runtime/cpu/cpuid.ts";
export { VmError, type VmErrorCode } from "./errors.ts";
export type { SegmentRegister } from "../runtime/cpu/state-view.ts";
// What statistics and the CPU model are made of.
export type { BlockCacheStats } from "../runtime/code/block-cache.ts";
export type { CodeCacheStats } from "../runtime/code/code-cache.ts";
export type { TranslationStats } from "../runtime/code/translation-queue.ts";
export type { ModelFeature, PlatformFeature } from "../runtime/cpu/model-features.ts";
export type { RefusedStats } from "../runtime/devices/refused.ts";
export type { ExitCounts } from "../runtime/cpu/processor.ts";
export type { Feature } from "../runtime/abi/features.ts";
