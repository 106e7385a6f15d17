import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import type { MachineHosting, MachineState } from "../api/machine.ts";
import type { VmError } from "../errors.ts";
import type { MachineExit } from "../pc/exit.ts";
import type { MachineStats } from "../pc/stats.ts";

export type PortName = "serial" | "console" | "stdout" | "stderr";

/** A machine, in this thread or in another one. Every method may reject with a VmError. */
export interface Controller {
  readonly hosting: MachineHosting;
  /** Boots what was never run, and what has ended before, and resolves when the guest ends. */
  run(): Promise<MachineExit>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  reset(): Promise<void>;
  /** Ends `run` with the reason "stopped". */
  stop(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the guest has taken nearly all of what it was sent. */
  input(port: PortName, bytes: Uint8Array): Promise<void>;
  /** The guest stands still while too much of a port's output waits. */
  hold(port: "serial" | "console", wanted: boolean): void;
  resize(size: ConsoleSize): void;
  readMemory(gpa: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>>;
  writeMemory(gpa: number, bytes: Uint8Array): Promise<void>;
  state(): Promise<MachineState>;
  stats(): Promise<MachineStats>;
}

/** What a machine tells whoever made it. */
export interface ControllerEvents {
  output(port: PortName, bytes: Uint8Array): void;
  diskError(error: VmError): void;
  /** Hot code is not translated: `MachineEvents.translationError`. */
  translationError(error: VmError): void;
  /** Its thread has died. */
  failed(error: VmError): void;
}
