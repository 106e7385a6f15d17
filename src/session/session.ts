import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { Disk } from "../../runtime/disk/disk.ts";
import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import { host } from "#host";
import type { MachineHosting, MachineState } from "../api/machine.ts";
import type { MachineOptions } from "../api/options.ts";
import { type BareState, STATE_NAMES, StateAccess } from "../bare-state.ts";
import { openDisks } from "../disk/open.ts";
import { toVmError, VmError } from "../errors.ts";
import type { LoadedCore } from "../host/core.ts";
import { createPcWith } from "../pc/create.ts";
import type { MachineExit } from "../pc/exit.ts";
import type { Pc } from "../pc/pc.ts";
import type { MachineStats } from "../pc/stats.ts";
import type { StartWorker } from "../translation/worker.ts";
import type { Controller, ControllerEvents, PortName } from "./controller.ts";
import type { SessionDisk } from "./session-disk.ts";

/** What a machine is made of, in the thread where it runs. Without the disks that answer elsewhere it is plain data. */
export interface SessionConfig extends Pick<
  MachineOptions,
  | "memoryBytes"
  | "kernelName"
  | "commandLine"
  | "clock"
  | "engine"
  | "translation"
  | "codeCacheBytes"
  | "cpu"
  | "debugExitPort"
> {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array | undefined;
  readonly consoleSize: ConsoleSize | undefined;
  readonly disks: readonly SessionDisk[];
  /** whether the guest has the ports of a program that `runProgram` runs */
  readonly programPorts: boolean;
  readonly core: LoadedCore;
  readonly translatorWorker: string | undefined;
}

/** A machine in this thread: its PC, another one after each reset, and the disks, which stay. */
export class Session implements Controller {
  readonly hosting: MachineHosting;
  readonly #config: SessionConfig;
  readonly #disks: readonly Disk[];
  readonly #events: ControllerEvents;
  readonly #startTranslator: StartWorker | undefined;
  /** undefined when it is closed */
  #pc: Pc | undefined;
  #fresh = true;
  #running = false;
  #resetting = false;
  /** `stop` was called since the run under way began, perhaps while its PC is still made */
  #stopping = false;
  #closed = false;
  #paused = false;

  /** @throws {VmError} what is wrong with the options, or with a disk */
  static async open(
    config: SessionConfig,
    thread: MachineHosting["thread"],
    events: ControllerEvents,
    signal?: AbortSignal,
  ): Promise<Session> {
    const disks = await openDisks(config.disks, host, signal);
    const session = new Session(config, thread, disks, events);
    try {
      await session.#boot();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  private constructor(
    config: SessionConfig,
    thread: MachineHosting["thread"],
    disks: readonly Disk[],
    events: ControllerEvents,
  ) {
    this.#config = config;
    this.#disks = disks;
    this.#events = events;
    const url = config.translatorWorker;
    this.#startTranslator =
      config.translation === "same-thread"
        ? undefined
        : host.startTranslatorWorker(url === undefined ? undefined : new URL(url));
    const place = this.#startTranslator ? "worker" : "same-thread";
    this.hosting = { thread, translation: config.engine === "interpreter" ? "none" : place };
  }

  async run(): Promise<MachineExit> {
    this.#stopping = false;
    if (!this.#fresh) await this.#boot();
    this.#fresh = false;
    this.#running = true;
    try {
      for (;;) {
        if (this.#stopping) return { reason: "stopped" };
        const exit = await this.#open().run();
        if (!this.#resetting) return exit;
        this.#resetting = false;
        await this.#boot();
      }
    } finally {
      this.#running = false;
      this.#paused = false;
    }
  }

  pause(): Promise<void> {
    return this.#hold(true);
  }

  resume(): Promise<void> {
    return this.#hold(false);
  }

  async reset(): Promise<void> {
    if (!this.#running) {
      await this.#boot();
      this.#fresh = true;
      return;
    }
    this.#resetting = true;
    this.#open().stop();
  }

  stop(): Promise<void> {
    this.#resetting = false;
    this.#stopping = true;
    this.#pc?.stop();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const pc = this.#pc;
    this.#pc = undefined;
    this.#closed = true;
    this.#resetting = false;
    pc?.stop();
    pc?.close();
    const owned = this.#disks.filter((_, index) => this.#config.disks[index]?.kind !== "own");
    for (const disk of owned) await disk.close();
  }

  input(port: PortName, bytes: Uint8Array): Promise<void> {
    const pc = this.#open();
    if (port === "console") pc.consoleInput(bytes);
    else pc.serialInput(bytes);
    return pc.inputTaken();
  }

  hold(port: "serial" | "console", wanted: boolean): void {
    this.#pc?.hold(port, wanted);
  }

  resize(size: ConsoleSize): void {
    this.#pc?.resizeConsole(size);
  }

  async readMemory(gpa: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8Array.from(this.#ram(gpa, byteLength));
  }

  async writeMemory(gpa: number, bytes: Uint8Array): Promise<void> {
    this.#ram(gpa, bytes.length).set(bytes);
    this.#open().processor.memoryWritten(gpa, bytes.length);
  }

  async state(): Promise<MachineState> {
    const pc = this.#open();
    const access = new StateAccess(pc.processor.cpu.state, pc.memory.buffer);
    const registers = Object.fromEntries(STATE_NAMES.map((name) => [name, access.get(name)])) as BareState;
    return { registers, halted: pc.halted };
  }

  async stats(): Promise<MachineStats> {
    return this.#open().stats();
  }

  #open(): Pc {
    if (!this.#pc) throw new VmError("ERR_CLOSED", "the machine is closed");
    return this.#pc;
  }

  #ram(gpa: number, byteLength: number): Uint8Array {
    const pc = this.#open();
    if (!(gpa >= 0 && byteLength >= 0 && gpa + byteLength <= pc.memoryBytes))
      throw new VmError(
        "ERR_GUEST_ADDRESS",
        `${byteLength} bytes at 0x${gpa.toString(16)} are not all memory, which ends at 0x${pc.memoryBytes.toString(16)}`,
      );
    return new Uint8Array(pc.memory.buffer, MemoryMap.RAM + gpa, byteLength);
  }

  async #hold(wanted: boolean): Promise<void> {
    this.#paused = wanted;
    this.#open().hold("pause", wanted);
  }

  /** Makes a PC with fresh memory in place of the last one. */
  async #boot(): Promise<void> {
    const { consoleSize, core, disks: _, translatorWorker: __, initrd, programPorts, ...rest } = this.#config;
    this.#pc?.close();
    this.#pc = undefined;
    const events = this.#events;
    const pc = await createPcWith(
      {
        engine: "tiered",
        ...rest,
        ...(initrd && { initrd }),
        disks: this.#disks,
        onDiskError: (error) => events.diskError(toVmError(error, "ERR_DISK_IO")),
        onTranslationError: (error) => events.translationError(error),
        onSerial: (bytes) => events.output("serial", bytes),
        ...(consoleSize && {
          console: { onOutput: (bytes: Uint8Array) => events.output("console", bytes), size: consoleSize },
        }),
        ...(programPorts && {
          program: {
            onStdout: (bytes: Uint8Array) => events.output("stdout", bytes),
            onStderr: (bytes: Uint8Array) => events.output("stderr", bytes),
          },
        }),
      },
      {
        core,
        place: this.#startTranslator ? "worker" : "same-thread",
        ...(this.#startTranslator && { startWorker: this.#startTranslator }),
      },
    );
    if (this.#closed) {
      pc.close();
      throw new VmError("ERR_CLOSED", "the machine is closed");
    }
    this.#pc = pc;
    if (this.#paused) pc.hold("pause", true);
  }
}
