export {
  createBareMachine,
  type BareExit,
  type BareMachine,
  type BareMachineOptions,
  type BareMode,
  type MapOptions,
} from "./bare-machine.ts";
export type { BareState, BareStateChange } from "./bare-state.ts";
export { createPc } from "./pc/create.ts";
export type { MachineExit } from "./pc/exit.ts";
export type { PcConsole, PcOptions } from "./pc/options.ts";
export type { Pc } from "./pc/pc.ts";
export type { MachineStats } from "./pc/stats.ts";
export { type FileDisk, type FileDiskOptions, openFileDisk } from "./host/node/file-disk.ts";
export { type Disk, SECTOR_BYTES } from "../runtime/disk/disk.ts";
export { MemoryDisk } from "../runtime/disk/memory-disk.ts";
export { OverlayDisk } from "../runtime/disk/overlay-disk.ts";
export { VmError, type VmErrorCode } from "./errors.ts";
