import {
  blobDisk,
  createMachine,
  type Machine,
  type MachineExit,
  type MachineStats,
  opfsDisk,
  overlayDisk,
  VmError,
} from "umbra";
import { BootProgress } from "./boot-progress.ts";
import type { ChosenFiles } from "./files.ts";
import { type DownloadedGuest, downloadGuest } from "./download.ts";
import { keepDisks, keptDiskName } from "./kept-disk.ts";
import { TextWatch } from "./text-watch.ts";
import type { Settings } from "./settings.ts";

/** What the machine is doing, as the page shows it. */
export type Phase = "idle" | "loading" | "booting" | "running" | "paused" | "off" | "failed";

export interface SessionEvents {
  phase(phase: Phase, exit?: MachineExit): void;
  /** @param share from 0 to 1; undefined when nobody knows */
  progress(label: string, detail: string, share: number | undefined): void;
  made(machine: Machine): void;
  output(bytes: Uint8Array): void;
  /** the guest's kernel has given up */
  panicked(): void;
  failed(error: unknown): void;
}

export interface StartOptions {
  readonly settings: Settings;
  readonly files: ChosenFiles;
  readonly columns: number;
  readonly rows: number;
}

const MIB = 1 << 20;
/** Linux, kernel/panic.c */
const PANIC = "Kernel panic - not syncing";
/** A page that is loaded anew finds its disk in use until its former self is gone. */
const LOCK_TRIES = 6;
const LOCK_WAIT_MS = 500;
/** The part of the bar that stands for the download; the rest is the boot. */
const DOWNLOAD_SHARE = 0.3;

/** One machine at a time, from its start to its end. */
export class Session {
  readonly #events: SessionEvents;
  #machine: Machine | undefined;
  #boot: BootProgress | undefined;
  #panic = new TextWatch(PANIC);
  #phase: Phase = "idle";
  #phaseBeforePause: Phase = "running";
  /** of the start under way: a newer one makes it give up */
  #starting: AbortController | undefined;

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  /** There is a machine that can be switched off. */
  get isOn(): boolean {
    return this.#phase === "booting" || this.#phase === "running" || this.#phase === "paused";
  }

  /** Ends the machine that there is, and starts another. Errors are told as events. */
  async start(options: StartOptions): Promise<void> {
    this.#starting?.abort();
    const starting = new AbortController();
    this.#starting = starting;
    const { signal } = starting;
    try {
      await this.#close();
      this.#enter("loading");
      const showDownload = (label: string, detail: string, share: number): void => {
        if (!signal.aborted) this.#events.progress(label, detail, share * DOWNLOAD_SHARE);
      };
      const guest = await downloadGuest(options.files, showDownload, signal);
      signal.throwIfAborted();
      const machine = await this.#createWhenUnlocked(guest, options, signal);
      if (signal.aborted) {
        await machine.close();
        return;
      }
      this.#machine = machine;
      this.#events.made(machine);
      await this.#run(machine, guest.isOwn);
    } catch (error) {
      if (signal.aborted) return;
      // What else is on its way is of no use any more, and must not show its progress.
      starting.abort();
      this.#enter("failed");
      this.#events.failed(error);
    }
  }

  async #createWhenUnlocked(guest: DownloadedGuest, options: StartOptions, signal: AbortSignal): Promise<Machine> {
    if (options.settings.diskMib > 0) await keepDisks();
    for (let tries = LOCK_TRIES; ; tries--) {
      try {
        return await this.#create(guest, options);
      } catch (error) {
        const isLocked = error instanceof VmError && error.code === "ERR_DISK_LOCKED";
        if (!isLocked || tries <= 1 || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
      }
    }
  }

  #create(guest: DownloadedGuest, { settings, files, columns, rows }: StartOptions): Promise<Machine> {
    const { diskMib } = settings;
    return createMachine({
      memoryBytes: settings.memoryMib * MIB,
      engine: settings.engine,
      kernel: guest.kernel,
      kernelName: guest.kernelName,
      ...(guest.initrd && { initrd: guest.initrd }),
      commandLine: `${guest.commandLine} UMBRA_ROWS=${rows} UMBRA_COLUMNS=${columns}`,
      disks: [
        ...(diskMib > 0 ? [opfsDisk(keptDiskName(diskMib), { sizeBytes: diskMib * MIB })] : []),
        // The image itself stays as it is: a page cannot write the files of the person in front of it.
        ...(files.disk ? [overlayDisk(blobDisk(files.disk))] : []),
      ],
    });
  }

  /** Runs the machine until it is off, and anew whenever the guest resets it. */
  async #run(machine: Machine, isOwn: boolean): Promise<void> {
    const decoder = new TextDecoder();
    const boot = (): void => {
      this.#boot = new BootProgress();
      this.#panic = new TextWatch(PANIC);
      this.#enter("booting");
      this.#events.progress("Unpacking the kernel", "", isOwn ? DOWNLOAD_SHARE : undefined);
    };
    machine.serial.onOutput((bytes) => {
      this.#events.output(bytes);
      this.#follow(decoder.decode(bytes, { stream: true }), isOwn);
    });
    machine.on("reset", boot);
    machine.on("diskError", (error) => this.#events.failed(error));
    machine.on("translationError", (error) => this.#events.failed(error));
    machine.on("error", (error) => this.#events.failed(error));
    let exit: MachineExit;
    do {
      boot();
      exit = await machine.run();
    } while (exit.reason === "reset" && this.#machine === machine);
    if (this.#machine === machine) this.#enter("off", exit);
  }

  /** @param isOwn the steps of this boot are known; of another one, only that it has begun to print */
  #follow(text: string, isOwn: boolean): void {
    const hasPanicked = this.#panic.feed(text);
    if (hasPanicked) this.#events.panicked();
    if (this.#phase !== "booting" || !this.#boot) return;
    const step = this.#boot.feed(text);
    if (this.#boot.isReady || !isOwn || hasPanicked) this.#enter("running");
    else if (step) this.#events.progress(step.label, "", DOWNLOAD_SHARE + step.share * (1 - DOWNLOAD_SHARE));
  }

  write(bytes: Uint8Array): void {
    this.#machine?.serial.write(bytes);
  }

  async togglePause(): Promise<void> {
    if (this.#phase === "paused") {
      await this.#machine?.resume();
      this.#enter(this.#phaseBeforePause);
    } else if (this.#phase === "running" || this.#phase === "booting") {
      this.#phaseBeforePause = this.#phase;
      await this.#machine?.pause();
      this.#enter("paused");
    }
  }

  async reset(): Promise<void> {
    if (this.#phase === "paused") await this.togglePause();
    await this.#machine?.reset();
  }

  async powerOff(): Promise<void> {
    await this.#machine?.powerOff();
  }

  async stats(): Promise<MachineStats | undefined> {
    const machine = this.#phase === "booting" || this.#phase === "running" ? this.#machine : undefined;
    return machine?.status === "running" ? machine.stats() : undefined;
  }

  async #close(): Promise<void> {
    const machine = this.#machine;
    this.#machine = undefined;
    await machine?.close();
  }

  #enter(phase: Phase, exit?: MachineExit): void {
    this.#phase = phase;
    this.#events.phase(phase, exit);
  }
}
