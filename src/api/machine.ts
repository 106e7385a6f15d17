import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import type { BareState } from "../bare-state.ts";
import type { VmError } from "../errors.ts";
import type { MachineExit } from "../pc/exit.ts";
import type { MachineStats } from "../pc/stats.ts";
import type { HostThread } from "./options.ts";

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void;

/**
 * off      made, or ended by itself or by `powerOff`: `run` starts it
 * running  `run` is under way
 * paused   `run` is under way, and the guest stands still
 * closed   for good
 */
export type MachineStatus = "off" | "running" | "paused" | "closed";

/** What happens to a machine, with what its listeners are told. */
export interface MachineEvents {
  readonly start: undefined;
  readonly pause: undefined;
  readonly resume: undefined;
  /** `reset` was called, and the guest begins anew */
  readonly reset: undefined;
  /** `run` is about to resolve */
  readonly exit: MachineExit;
  /** a disk failed; the guest sees an I/O error */
  readonly diskError: VmError;
  /**
   * hot code is not translated, and left to the interpreter; the guest goes on, slower. At most once for each boot: ERR_WORKER when the
   * translator's worker could not start, or has died; ERR_INTERNAL for a bug, which costs only some of the code
   */
  readonly translationError: VmError;
  /** the machine's worker has died, ERR_WORKER: the machine is closed */
  readonly error: VmError;
  readonly close: undefined;
}

/** What hosts a machine, as it was found when the machine was made. */
export interface MachineHosting {
  readonly thread: HostThread;
  /** where hot code is translated; "none" with the engine "interpreter" */
  readonly translation: "worker" | "same-thread" | "none";
}

/** Registers of the processor, and whether it sleeps until an interrupt comes. */
export interface MachineState {
  readonly registers: BareState;
  readonly halted: boolean;
}

/** A line between guest and host on which bytes go both ways. */
export interface Port {
  /**
   * What the guest writes, from the first use of this property on; ends when the machine is closed. The guest waits while more than
   * 1 MiB lies unread here.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes for the guest, as if typed. A write is done when the guest has taken nearly all that was written. */
  readonly writable: WritableStream<Uint8Array>;
  /** Bytes for the guest, text as UTF-8; they wait until the guest takes them. */
  write(data: string | Uint8Array): void;
  /** Calls `listener` with what the guest writes, never with an empty array. */
  onOutput(listener: (bytes: Uint8Array) => void): Unsubscribe;
}

/** The virtio console. */
export interface ConsolePort extends Port {
  /** Tells the guest the size of the terminal. */
  resize(size: ConsoleSize): void;
}

export interface RunOptions {
  /** aborted: the machine is switched off, and `run` rejects with the signal's reason */
  readonly signal?: AbortSignal;
}

/**
 * A PC with a guest. It is made switched off; `run` switches it on.
 *
 * Whatever a guest does wrong is the reason why `run` resolves, or an error that the guest sees. Methods reject with ERR_CLOSED after
 * `close`, and with ERR_STATE where the machine's status does not allow them.
 */
export interface Machine extends AsyncDisposable {
  readonly memoryBytes: number;
  readonly hosting: MachineHosting;
  readonly status: MachineStatus;
  /** the guest's first serial port, ttyS0 in Linux */
  readonly serial: Port;
  /** undefined unless the options ask for it */
  readonly console: ConsolePort | undefined;

  /**
   * Switches the machine on, and resolves when the guest ends: it switches the machine off, resets it, faults three times over, or
   * halts with interrupts off. Called again it boots the same kernel anew, with fresh memory and the disks as they are.
   */
  run(options?: RunOptions): Promise<MachineExit>;
  /** Resolves when the guest stands still; guest time does, too. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Like a PC's reset button: fresh memory, the kernel begins anew, and a `run` under way goes on. */
  reset(): Promise<void>;
  /**
   * Like pulling a PC's plug: `run` resolves with the reason "stopped", soon.
   *
   * @returns the same as that `run`; at once if the machine is off
   */
  powerOff(): Promise<MachineExit>;
  /** Switches the machine off, closes the disks that the machine opened, ends its threads and gives its memory back. */
  close(): Promise<void>;

  /**
   * A copy of guest-physical memory.
   *
   * @throws {VmError} ERR_GUEST_ADDRESS unless all of it is RAM
   */
  readMemory(gpa: number | bigint, byteLength: number): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws {VmError} ERR_GUEST_ADDRESS unless all of it is RAM */
  writeMemory(gpa: number | bigint, bytes: Uint8Array): Promise<void>;
  state(): Promise<MachineState>;
  stats(): Promise<MachineStats>;

  on<Event extends keyof MachineEvents>(event: Event, listener: (detail: MachineEvents[Event]) => void): Unsubscribe;
}
