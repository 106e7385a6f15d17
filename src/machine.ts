import { BlockBuilder } from "../jit/interpreter/block-builder.ts";
import { Rflags, SlowAccess } from "../runtime/abi/guest-state.ts";
import { MemoryMap } from "../runtime/abi/memory-map.ts";
import { RAM_END } from "../runtime/board-map.ts";
import { Board } from "../runtime/board.ts";
import { buildAcpiTables, writeAcpiTables } from "../runtime/boot/acpi.ts";
import type { GuestMemory as BootMemory, LoadedImage } from "../runtime/boot/loaded-image.ts";
import { pcMemoryMap } from "../runtime/boot/memory-ranges.ts";
import { resetCpu, Shadow } from "../runtime/cpu/cpu.ts";
import { CpuModel, type CpuModelOptions } from "../runtime/cpu/cpuid.ts";
import type { BlockCacheStats } from "../runtime/code/block-cache.ts";
import type { CodeCacheStats } from "../runtime/code/code-cache.ts";
import type { TranslationOptions, TranslationStats } from "../runtime/code/translation-queue.ts";
import { externalInterrupt, NMI } from "../runtime/cpu/exceptions.ts";
import { canTakeInterrupt, canTakeNmi, setPendingEvents } from "../runtime/cpu/interrupt-window.ts";
import { type ExitCounts, Processor, type RunExit } from "../runtime/cpu/processor.ts";
import type { GuestMemory } from "../runtime/devices/device.ts";
import { KvmClock } from "../runtime/devices/kvm-clock.ts";
import { InstructionClock, MonotonicClock } from "../runtime/time/clock.ts";
import { PartTime } from "../runtime/time/part-times.ts";
import { Timers } from "../runtime/time/timers.ts";
import type { Disk } from "../runtime/disk/disk.ts";
import type { ConsoleSize } from "../runtime/virtio/console.ts";
import { MAXIMUM_DISKS } from "../runtime/virtio/virtio-devices.ts";
import { StateAccess } from "./bare-state.ts";
import { loadKernel } from "./boot/kernel.ts";
import { VmError } from "./errors.ts";
import { checkEngine, type Engine, loadTranslation, type LoadOptions, type TranslationPlace } from "./engine.ts";
import { loadCore, type LoadedCore } from "./host/core.ts";

export interface MachineOptions {
  /** bytes of guest memory: a multiple of 1 MiB, at least 64 MiB, at most 3.5 GiB; default 512 MiB */
  readonly memoryBytes?: number;
  /** bzImage, PVH ELF or Multiboot image */
  readonly kernel: Uint8Array;
  /** what messages call the kernel */
  readonly kernelName?: string;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
  /** what the guest's first serial port sends; called between runs of the processor, never with an empty array */
  readonly onSerial?: (bytes: Uint8Array) => void;
  /** host: the host's monotonic clock. instructions: guest time counts instructions, and two runs are alike to the instruction */
  readonly clock?: "host" | "instructions";
  /** default "interpreter"; "tiered" translates hot code */
  readonly engine?: Engine;
  /** where "tiered" translates: "worker" (default), in a thread of its own, or "same-thread", a little between slices of the guest */
  readonly translation?: Exclude<TranslationPlace, "immediate">;
  /** bytes that translated code may take, machine code included: from 1 MiB to 2 GiB; default 256 MiB */
  readonly codeCacheBytes?: number;
  readonly cpu?: CpuModelOptions;
  /** virtio disks, /dev/vda and so on in Linux; at most 24. Whoever made them closes them, after the machine has stopped */
  readonly disks?: readonly Disk[];
  /** a disk failed; the guest sees an I/O error */
  readonly onDiskError?: (error: unknown) => void;
  /** a virtio console, hvc0 in Linux; none by default */
  readonly console?: MachineConsole;
  /** first port of the debug-exit device; none by default */
  readonly debugExitPort?: number;
}

/** For tests and tools: more than a machine's users have a say in. */
export interface ToolOptions extends LoadOptions {
  /**
   * For `advance`, with the clock "instructions": guest time stands still within slices of at most so many instructions, and
   * slices end at exact counts, so that engines which leave generated code at different places see the same.
   */
  readonly lockstepSlice?: number;
}

export interface MachineConsole {
  /** what the guest writes; called between runs of the processor, never with an empty array */
  readonly onOutput: (bytes: Uint8Array) => void;
  /** of the terminal; default 80 by 25 characters */
  readonly size?: ConsoleSize;
}

/** Why a machine stopped. */
export type MachineExit =
  | { readonly reason: "power-off" }
  | { readonly reason: "reset" }
  | { readonly reason: "triple-fault" }
  /** HLT with interrupts off: nothing can wake the processor any more */
  | { readonly reason: "halt" }
  | { readonly reason: "debug-exit"; readonly status: number }
  | { readonly reason: "stopped" };

/** Where the time of a run went, in milliseconds. All but `idle` and `generated` are estimates from samples. */
export interface MachineTimes {
  /** what the other parts leave of the time: generated code, and the loop around it */
  readonly generated: number;
  readonly decoding: number;
  readonly translating: number;
  /** delivery of exceptions and interrupts outside generated code */
  readonly exceptions: number;
  /** instructions that TypeScript runs, without the devices that they reach */
  readonly callOuts: number;
  /** keeping decoded code and shadow page tables true when they are written */
  readonly tracing: number;
  /** accesses of the guest to devices, and the devices' timers */
  readonly devices: number;
  /** asleep, because the guest had halted */
  readonly idle: number;
}

export interface MachineStats {
  readonly instructions: bigint;
  readonly runningMs: number;
  readonly idleMs: number;
  readonly times: MachineTimes;
  /** accesses that the inline probe of the TLB did not serve: misses, page crossings, devices, pages with code */
  readonly tlbMisses: { readonly read: bigint; readonly write: bigint; readonly fetch: bigint };
  /** instructions that TypeScript ran, by the name of the call-out */
  readonly callOuts: Readonly<Record<string, number>>;
  readonly blocks: Readonly<BlockCacheStats>;
  readonly shadow: {
    readonly kept: number;
    readonly fresh: number;
    readonly tableWrites: number;
    readonly dropped: number;
  };
  readonly exits: ExitCounts;
  /** faults that generated code delivered to the guest by itself; those of `exits` left it */
  readonly faultsInPlace: bigint;
  /** undefined on the interpreter */
  readonly translation: (Readonly<TranslationStats> & { readonly cache: Readonly<CodeCacheStats> }) | undefined;
}

const MIB = 1 << 20;
const WASM_PAGE = 0x1_0000;
const DEFAULT_MEMORY = 512 * MIB;
const MINIMUM_MEMORY = 64 * MIB;
/** guest instructions between two looks at the timers */
const SLICE = 200_000;
/** the most instructions by which a run that need not be exact goes too far: a block or a region, and what it leads to */
const ROUGHLY = 4096n;
/** milliseconds for which the guest may run before the host's event loop gets its turn */
const TURN_MS = 10;
/**
 * Times that a block runs before it is translated. A boot of Debian's kernel takes least time with 2,000 to 5,000 (500 makes twice as
 * many regions, which do not pay for themselves), and long computations do not notice.
 */
const HOT_AFTER = 2000;
/**
 * Instructions after which a translated batch is installed where the clock counts instructions. Interrupts come at ends of blocks,
 * which are others in translated code, so it must be the same moment in every run; a worker is usually done by then.
 */
const TRANSLATION_LATENCY = 5_000_000;
/** instructions that make a second of guest time when the clock counts them */
const INSTRUCTIONS_PER_SECOND = 100_000_000;
const NS_PER_MS = 1_000_000n;
/** the longest sleep of an idle machine: setTimeout takes no more than 2^31 ms */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Makes a PC and puts a kernel into it; `run` starts it.
 *
 * @throws {VmError} ERR_CONFIG, ERR_MEMORY_SIZE, ERR_KERNEL_FORMAT, ERR_KERNEL_PLACEMENT, ERR_INITRD, ERR_COMMAND_LINE
 */
export function createMachine(options: MachineOptions): Promise<Machine> {
  return createMachineWith(options, {});
}

/** The same, with a say in when and where code is translated, and in how time passes: for tests and tools. */
export async function createMachineWith(
  options: MachineOptions,
  { lockstepSlice, ...load }: ToolOptions,
): Promise<Machine> {
  const memoryBytes = options.memoryBytes ?? DEFAULT_MEMORY;
  if (
    !Number.isInteger(memoryBytes) ||
    memoryBytes % MIB !== 0 ||
    memoryBytes < MINIMUM_MEMORY ||
    memoryBytes > RAM_END
  ) {
    throw new VmError(
      "ERR_MEMORY_SIZE",
      `memoryBytes is ${String(memoryBytes)}, expected a multiple of 1 MiB from 64 MiB to ${RAM_END / MIB} MiB`,
    );
  }
  checkDisks(options);
  const core = await loadCore();
  const pages = (MemoryMap.RAM + memoryBytes) / WASM_PAGE;
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new VmError("ERR_MEMORY_SIZE", `the host cannot provide ${memoryBytes / MIB} MiB of guest memory`, { cause });
  }
  const engine = options.engine ?? "interpreter";
  checkEngine(engine);
  const model = new CpuModel({ kvmClock: true, ...options.cpu });
  const translation = await loadTranslation(engine, core.manifest, model.decoderFeatures(), {
    hotAfter: HOT_AFTER,
    place: options.translation ?? "worker",
    codeCacheBytes: options.codeCacheBytes,
    ...(options.clock === "instructions" && { latency: TRANSLATION_LATENCY }),
    ...load,
  });
  try {
    return new Machine(options, { memoryBytes, memory, core, model, translation, lockstepSlice });
  } catch (cause) {
    translation?.service.close();
    throw cause;
  }
}

function checkDisks({ disks = [], clock }: MachineOptions): void {
  if (disks.length > MAXIMUM_DISKS)
    throw new VmError("ERR_CONFIG", `there are ${disks.length} disks, expected at most ${MAXIMUM_DISKS}`);
  const slow = clock === "instructions" ? disks.findIndex(({ synchronous }) => !synchronous) : -1;
  if (slow < 0) return;
  throw new VmError(
    "ERR_CONFIG",
    `disk ${slow} answers when the host likes, expected one that answers at once where the clock counts instructions`,
  );
}

/** What a machine is made from besides its options. */
interface Ingredients {
  readonly memoryBytes: number;
  readonly memory: WebAssembly.Memory;
  readonly core: LoadedCore;
  readonly model: CpuModel;
  readonly translation: TranslationOptions | undefined;
  readonly lockstepSlice: number | undefined;
}

/** A PC: one processor, memory, the board with its devices, and the loop that runs them. */
export class Machine {
  readonly memoryBytes: number;
  /** the linear memory, for tests and tools that look inside */
  readonly memory: WebAssembly.Memory;
  readonly processor: Processor;
  readonly board: Board;
  readonly #clock: MonotonicClock | InstructionClock;
  readonly #timers = new Timers();
  readonly #onSerial: (bytes: Uint8Array) => void;
  readonly #serialBytes: number[] = [];
  readonly #console: MachineConsole | undefined;
  readonly #consoleOutput: Uint8Array[] = [];
  #exit: MachineExit | undefined;
  #nmi = false;
  /** something has happened since the guest went idle: it does not fall asleep */
  #awake = false;
  #wake: (() => void) | undefined;
  #runningMs = 0;
  #idleMs = 0;
  /** time in devices: reached by call-outs (ports, MSRs), by memory accesses, and their timers */
  readonly #deviceTimes = { callOuts: new PartTime(nowMs), memory: new PartTime(nowMs), timers: new PartTime(nowMs) };

  constructor(options: MachineOptions, { memoryBytes, memory, core, model, translation, lockstepSlice }: Ingredients) {
    const { module, manifest } = core;
    this.memoryBytes = memoryBytes;
    this.memory = memory;
    this.#onSerial = options.onSerial ?? (() => undefined);
    this.#console = options.console;
    const random64 = options.clock === "instructions" ? xorshift() : hostRandom;
    const view = new DataView(memory.buffer);
    const ram = new Uint8Array(memory.buffer, MemoryMap.RAM, memoryBytes);
    const deterministic = options.clock === "instructions";
    this.#lockstepSlice = lockstepSlice;
    this.#clock = deterministic
      ? new InstructionClock(() => this.#clockInstructions(), INSTRUCTIONS_PER_SECOND)
      : new MonotonicClock({ monotonicNs: () => BigInt(Math.round(performance.now() * 1e6)) });
    // The machine's parts name each other through this object, which exists before they do.
    const board = (): Board => this.board;
    const { callOuts: deviceCallOuts, memory: deviceMemory } = this.#deviceTimes;
    this.processor = new Processor({
      memory,
      core: { module, callOuts: manifest.callOuts },
      decoder: new BlockBuilder(manifest, model.decoderFeatures()),
      model,
      bus: {
        read: (gpa, offset, byteLength) => deviceMemory.time(() => board().mmio.read(gpa, offset, byteLength)),
        write: (gpa, offset, byteLength) => deviceMemory.time(() => board().mmio.write(gpa, offset, byteLength)),
      },
      hooks: {
        readTsc: () => this.#readTsc(model.tscHz),
        random64,
        ports: {
          read: (port, size) => deviceCallOuts.time(() => board().ports.read(port, size)),
          write: (port, size, value) => deviceCallOuts.time(() => board().ports.write(port, size, value)),
        },
        msrs: {
          read: (msr) => deviceCallOuts.time(() => board().msrs.read(msr)),
          write: (msr, value) => deviceCallOuts.time(() => board().msrs.write(msr, value)),
          tscMoved: () => board().msrs.tscMoved?.(),
        },
        taskPriorityChanged: (priority) => board().setTaskPriority(priority),
      },
      ramBytes: memoryBytes,
      nowMs,
      ...(translation && { translation }),
      deliversFaults: () => true,
    });
    const guestMemory: GuestMemory = {
      slice: (gpa, byteLength) => (gpa + byteLength <= memoryBytes ? ram.subarray(gpa, gpa + byteLength) : undefined),
      written: (gpa, byteLength) => this.processor.memoryWritten(gpa, byteLength),
    };
    const { state } = this.processor.cpu;
    const tsc = { read: () => this.#readTsc(model.tscHz) + state.u64("tscOffset"), hz: model.tscHz };
    const unixNsAtStart = deterministic ? 0n : BigInt(Date.now()) * NS_PER_MS;
    const kvmClock = model.kvmClock ? new KvmClock({ clock: this.#clock, tsc, guestMemory, unixNsAtStart }) : undefined;
    this.board = new Board({
      clock: this.#clock,
      timers: this.#timers,
      tsc,
      memory: view,
      guestMemory,
      ramBytes: memoryBytes,
      crystalHz: model.crystalHz,
      physicalAddressBits: model.physicalAddressBits,
      unixNsAtStart,
      ...(kvmClock && { paravirtual: kvmClock }),
      serialOutput: { write: (byte) => this.#serialBytes.push(byte) > 0 },
      ...(options.debugExitPort !== undefined && {
        debugExitPort: options.debugExitPort,
        onDebugExit: (status: number) => (this.#exit = { reason: "debug-exit", status }),
      }),
      onPowerOff: () => (this.#exit ??= { reason: "power-off" }),
      onReset: () => (this.#exit ??= { reason: "reset" }),
      onInterruptPending: (pending) => {
        setPendingEvents(this.processor.cpu, pending);
        if (pending) this.#wakeUp();
      },
      onTaskPriority: (priority) => state.setU64("cr8", BigInt(priority)),
      onNmi: () => (this.#nmi = true),
      virtio: {
        random64,
        ...(options.disks && { disks: options.disks }),
        ...(options.onDiskError && { onDiskError: options.onDiskError }),
        ...(options.console && {
          console: { ...options.console, onOutput: (bytes: Uint8Array) => void this.#consoleOutput.push(bytes) },
        }),
      },
    });
    if (kvmClock) this.board.add({ name: "kvmClock", device: kvmClock });
    this.#load(options, ram);
  }

  /** Bytes for the guest's first serial port, as if typed. */
  serialInput(bytes: Uint8Array): void {
    this.board.serial.input(bytes);
    this.#wakeUp();
  }

  /** Bytes for the guest's virtio console, as if typed; without one they are lost. */
  consoleInput(bytes: Uint8Array): void {
    this.board.console?.input(bytes);
    this.#wakeUp();
  }

  /** Tells the guest the size of the virtio console's terminal. */
  resizeConsole(size: ConsoleSize): void {
    this.board.console?.resize(size);
    this.#wakeUp();
  }

  /** Ends `run` with the reason "stopped", soon. */
  stop(): void {
    this.#exit ??= { reason: "stopped" };
    this.#wakeUp();
  }

  /** Ends the translator's thread. The guest stays as it is, and can be run on; nothing more of it is translated. */
  close(): void {
    this.processor.translation?.close();
  }

  stats(): MachineStats {
    const { processor } = this;
    return {
      instructions: processor.instructions,
      runningMs: this.#runningMs,
      idleMs: this.#idleMs,
      times: this.#times(),
      tlbMisses: {
        read: processor.cpu.state.u64("slowAccesses", SlowAccess.READ),
        write: processor.cpu.state.u64("slowAccesses", SlowAccess.WRITE),
        fetch: processor.cpu.state.u64("slowAccesses", SlowAccess.FETCH),
      },
      callOuts: processor.callOutCounts,
      blocks: { ...processor.blocks.stats },
      shadow: { ...processor.shadow.stats },
      exits: { ...processor.exits },
      faultsInPlace: processor.cpu.state.u64("faultsDelivered"),
      translation: processor.translation && {
        ...processor.translation.stats,
        cache: { ...processor.translation.cacheStats },
      },
    };
  }

  #times(): MachineTimes {
    const { decoding, translating, exceptions, callOuts, tracing } = this.processor.times;
    const devices = this.#deviceTimes;
    const parts = {
      decoding: decoding.totalMs,
      translating: translating.totalMs,
      exceptions: exceptions.totalMs,
      callOuts: Math.max(0, callOuts.totalMs - devices.callOuts.totalMs),
      tracing: tracing.totalMs,
      devices: devices.callOuts.totalMs + devices.memory.totalMs + devices.timers.totalMs,
    };
    const known = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
    return { generated: Math.max(0, this.#runningMs - known), ...parts, idle: this.#idleMs };
  }

  /** Runs the guest until it ends itself or `stop` is called. The host's event loop gets a turn every few milliseconds. */
  async run(): Promise<MachineExit> {
    this.#exit = undefined;
    for (;;) {
      const started = performance.now();
      const idle = this.#turn(started + TURN_MS);
      const ended = performance.now();
      this.#runningMs += ended - started;
      // Whoever is told of output may answer at once, before there is a sleep to be woken from.
      this.#awake = false;
      this.#flushOutput();
      const exit: MachineExit | undefined = this.#exit;
      if (exit) return exit;
      if (idle) {
        await this.#sleep();
        this.#idleMs += performance.now() - ended;
      } else if (this.#awaitsTranslation) {
        await this.processor.translation?.ready();
      } else {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  // ---- in lockstep with another machine ----

  readonly #lockstepSlice: number | undefined;
  /** count of instructions at which the slice in progress began: the time that the guest sees in it */
  #sliceBegin = 0n;
  #sliceEnd = 0n;

  #clockInstructions(): bigint {
    return this.#lockstepSlice === undefined ? this.processor.instructionsNow : this.#sliceBegin;
  }

  /**
   * Runs at once until exactly `target` instructions have been retired since the machine was made, or until the machine ends.
   * Where it is stopped on the way does not change what the guest does. Needs `lockstepSlice`, the clock "instructions" and a translator that translates at once.
   *
   * @param rough stop within some hundred instructions of the target instead, without the single steps that an exact count takes
   * @returns why the machine ended; undefined when it was stopped at the target
   */
  advance(target: bigint, rough = false): MachineExit | undefined {
    const { processor } = this;
    while (!this.#exit && processor.instructions < target) {
      if (processor.instructions >= this.#sliceEnd && !this.#beginSlice()) continue;
      const left = this.#sliceEnd - processor.instructions;
      const wanted = target - processor.instructions;
      // What overshoots must not run past the end of the slice.
      const exit =
        rough && left > wanted + ROUGHLY
          ? processor.runSlice(Number(wanted))
          : processor.run(Number(wanted < left ? wanted : left));
      this.#take(exit);
      if (exit.reason !== "budget") this.#sliceEnd = processor.instructions;
      if (rough && processor.instructions >= target) break;
    }
    this.#flushOutput();
    return this.#exit;
  }

  /** Whether there is something to run now: otherwise the machine was idle, and time has passed. */
  #beginSlice(): boolean {
    const { processor, board } = this;
    this.#sliceBegin = processor.instructions;
    this.#timers.runDue(this.#clock.nowNs());
    if ((board.hasInterrupt() || this.#nmi) && processor.cpu.shadow !== Shadow.NONE) this.#take(processor.run(1));
    this.#deliverEvents();
    this.#sliceBegin = processor.instructions;
    if (this.#exit) return false;
    if (this.#halted) {
      const next = this.#timers.nextDeadlineNs();
      if (next === undefined || !(this.#clock instanceof InstructionClock)) this.#exit = { reason: "halt" };
      else this.#clock.advanceTo(next);
      return false;
    }
    setPendingEvents(processor.cpu, board.hasInterrupt() || this.#nmi);
    this.#sliceEnd = processor.instructions + BigInt(this.#sliceLength());
    return true;
  }

  // ---- the loop ----

  /** Runs until `deadlineMs`, or until the processor halts with nothing to do: then true. */
  #turn(deadlineMs: number): boolean {
    const { processor, board } = this;
    while (!this.#exit && performance.now() < deadlineMs) {
      const late = processor.times.translating.time(() =>
        processor.translation?.collect(Number(processor.instructions)),
      );
      this.#awaitsTranslation = late === "late";
      if (this.#awaitsTranslation) return false;
      this.#deviceTimes.timers.time(() => this.#timers.runDue(this.#clock.nowNs()));
      // An interrupt shadow covers one instruction: it runs alone, so that the event comes right behind it.
      if ((board.hasInterrupt() || this.#nmi) && processor.cpu.shadow !== Shadow.NONE) this.#take(processor.run(1));
      this.#deliverEvents();
      if (this.#halted) return true;
      setPendingEvents(processor.cpu, board.hasInterrupt() || this.#nmi);
      const exit = processor.runSlice(this.#sliceLength());
      this.#take(exit);
    }
    return false;
  }

  /** with a clock that counts instructions: the guest is at a point where translated code must be installed, which is not ready */
  #awaitsTranslation = false;

  /** HLT was executed, and nothing has woken the processor since. */
  #halted = false;

  #deliverEvents(): void {
    const { processor, board } = this;
    if (this.#nmi && canTakeNmi(processor.cpu)) {
      this.#nmi = false;
      this.#halted = false;
      this.#take(processor.deliver(NMI));
    }
    if (board.hasInterrupt() && canTakeInterrupt(processor.cpu)) {
      this.#halted = false;
      this.#take(processor.deliver(externalInterrupt(board.acknowledge())));
    }
  }

  #take(exit: RunExit | undefined): void {
    if (exit?.reason === "halt") this.#halted = true;
    if (exit?.reason === "shutdown") this.#exit ??= { reason: "triple-fault" };
  }

  /** Instructions until the next look at the timers. A clock that counts instructions stops at its next deadline. */
  #sliceLength(): number {
    const next = this.#timers.nextDeadlineNs();
    const longest = this.#lockstepSlice ?? SLICE;
    if (next === undefined || !(this.#clock instanceof InstructionClock)) return longest;
    return Math.max(1, Math.min(longest, Number(this.#clock.instructionsUntil(next))));
  }

  /** Waits for the next timer or for input. */
  async #sleep(): Promise<void> {
    const { cpu } = this.processor;
    const next = this.#timers.nextDeadlineNs();
    if (next === undefined && !(cpu.state.systemFlags & Rflags.IF)) {
      this.#exit ??= { reason: "halt" };
      return;
    }
    if (this.#clock instanceof InstructionClock && next !== undefined) {
      this.#clock.advanceTo(next);
      return;
    }
    const waitMs =
      next === undefined
        ? LONGEST_SLEEP_MS
        : Math.min(LONGEST_SLEEP_MS, Number((next - this.#clock.nowNs()) / 1000n) / 1000);
    if (waitMs <= 0 || this.#awake) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(waitMs));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #wakeUp(): void {
    this.#awake = true;
    this.#wake?.();
  }

  #flushOutput(): void {
    for (const bytes of this.#consoleOutput.splice(0)) this.#console?.onOutput(bytes);
    if (this.#serialBytes.length === 0) return;
    const bytes = Uint8Array.from(this.#serialBytes);
    this.#serialBytes.length = 0;
    this.#onSerial(bytes);
  }

  #readTsc(hz: number): bigint {
    return (this.#clock.nowNs() * BigInt(hz)) / 1_000_000_000n;
  }

  #load({ kernel, kernelName = "kernel", initrd, commandLine }: MachineOptions, ram: Uint8Array): void {
    const memory: BootMemory = { write: (gpa, bytes) => ram.set(bytes, gpa) };
    const image: LoadedImage = loadKernel(memory, kernelName, kernel, {
      memoryMap: pcMemoryMap(this.memoryBytes),
      rsdp: writeAcpiTables(memory, buildAcpiTables()),
      ...(initrd && { initrd }),
      ...(commandLine !== undefined && { commandLine }),
    });
    const { cpu } = this.processor;
    resetCpu(cpu);
    const access = new StateAccess(cpu.state, ram.buffer);
    const { cs, es, ss, ds, fs, gs, ldtr, tr, ...rest } = image.entry;
    for (const [name, value] of Object.entries({ cs, es, ss, ds, fs, gs, ldtr, tr, ...rest })) access.set(name, value);
    this.processor.stateChanged(true);
  }
}

function nowMs(): number {
  return performance.now();
}

function hostRandom(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
}

/** Random numbers that are the same in every run: a deterministic machine has no others. xorshift64. */
function xorshift(): () => bigint {
  let seed = 0x9e37_79b9_7f4a_7c15n;
  return () => {
    seed ^= BigInt.asUintN(64, seed << 13n);
    seed ^= seed >> 7n;
    seed ^= BigInt.asUintN(64, seed << 17n);
    return seed;
  };
}
