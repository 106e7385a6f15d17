import { BlockBuilder } from "../../jit/interpreter/block-builder.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { Board } from "../../runtime/board.ts";
import type { CpuModel } from "../../runtime/cpu/cpuid.ts";
import { setPendingEvents } from "../../runtime/cpu/interrupt-window.ts";
import { Processor } from "../../runtime/cpu/processor.ts";
import type { TranslationOptions } from "../../runtime/code/translation-queue.ts";
import { DebugConsole } from "../../runtime/devices/debug-ports.ts";
import type { GuestMemory } from "../../runtime/devices/device.ts";
import { KvmClock } from "../../runtime/devices/kvm-clock.ts";
import { InstructionClock, MonotonicClock, ticksAt } from "../../runtime/time/clock.ts";
import { PartTime } from "../../runtime/time/part-times.ts";
import { Timers } from "../../runtime/time/timers.ts";
import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import type { LoadedCore } from "../host/core.ts";
import type { MachineExit } from "./exit.ts";
import { loadGuest } from "./load.ts";
import { Lockstep, type SliceTime } from "./lockstep.ts";
import { Loop, type LoopParts } from "./loop.ts";
import { type PcOptions, ProgramPort } from "./options.ts";
import { Output } from "./output.ts";
import { hostRandom, xorshift } from "./random.ts";
import { type HoldReason, Signals } from "./signals.ts";
import { type DeviceTimes, type MachineStats, statsOf } from "./stats.ts";

/** instructions that make a second of guest time when the clock counts them */
const INSTRUCTIONS_PER_SECOND = 100_000_000;
const NS_PER_MS = 1_000_000n;
/** input that may wait for the guest while its sender is told to go on */
const INPUT_BACKLOG_BYTES = 4096;

/** What a machine is made from besides its options. */
export interface Ingredients {
  readonly memoryBytes: number;
  readonly memory: WebAssembly.Memory;
  readonly core: LoadedCore;
  readonly model: CpuModel;
  readonly translation: TranslationOptions | undefined;
  readonly lockstepSlice: number | undefined;
}

/** A PC: one processor, memory, the board with its devices, and the loop that runs them, all in the thread that made it. */
export class Pc {
  readonly memoryBytes: number;
  /** the linear memory, for tests and tools that look inside */
  readonly memory: WebAssembly.Memory;
  readonly processor: Processor;
  readonly board: Board;
  readonly #clock: MonotonicClock | InstructionClock;
  readonly #signals = new Signals();
  readonly #output: Output;
  readonly #inputWaiters: (() => void)[] = [];
  readonly #loop: Loop;
  readonly #lockstep: Lockstep;
  readonly #deviceTimes: DeviceTimes = {
    callOuts: new PartTime(nowMs),
    memory: new PartTime(nowMs),
    timers: new PartTime(nowMs),
  };

  constructor(options: PcOptions, ingredients: Ingredients) {
    const { memoryBytes, memory, lockstepSlice } = ingredients;
    this.memoryBytes = memoryBytes;
    this.memory = memory;
    this.#output = new Output(options);
    const slice: SliceTime = { begin: 0n };
    const isDeterministic = options.clock === "instructions";
    this.#clock = isDeterministic
      ? new InstructionClock(
          () => (lockstepSlice === undefined ? this.processor.instructionsNow : slice.begin),
          INSTRUCTIONS_PER_SECOND,
        )
      : new MonotonicClock({ monotonicNs: () => Math.round(performance.now() * 1e6) });
    const random64 = isDeterministic ? xorshift() : hostRandom;
    const timers = new Timers();
    const ram = new Uint8Array(memory.buffer, MemoryMap.RAM, memoryBytes);
    this.processor = this.#makeProcessor(ingredients, random64);
    this.board = this.#makeBoard(options, ingredients.model, { timers, ram, random64 });
    const parts: LoopParts = {
      processor: this.processor,
      board: this.board,
      clock: this.#clock,
      timers,
      timerTime: this.#deviceTimes.timers,
      signals: this.#signals,
      flushOutput: () => {
        this.#output.flush();
        this.#settleInput();
      },
      longestSlice: lockstepSlice,
    };
    this.#loop = new Loop(parts);
    this.#lockstep = new Lockstep(parts, this.#loop, slice);
    loadGuest(options, this.processor, ram);
  }

  /** Bytes for the guest's first serial port, as if typed. */
  serialInput(bytes: Uint8Array): void {
    this.board.serial.input(bytes);
    this.#signals.wakeUp();
  }

  /** Bytes for the guest's virtio console, as if typed; without one they are lost. */
  consoleInput(bytes: Uint8Array): void {
    this.board.console?.input(bytes);
    this.#signals.wakeUp();
  }

  /** Resolves when the guest has taken nearly all that it was sent, so that a sender need not be ahead of it. */
  inputTaken(): Promise<void> {
    return new Promise((resolve) => {
      this.#inputWaiters.push(resolve);
      this.#settleInput();
    });
  }

  #settleInput(): void {
    if (this.#inputWaiters.length === 0) return;
    const backlog = this.board.serial.inputBacklog + (this.board.console?.inputBacklog ?? 0);
    if (backlog <= INPUT_BACKLOG_BYTES) for (const resolve of this.#inputWaiters.splice(0)) resolve();
  }

  /** Tells the guest the size of the virtio console's terminal. */
  resizeConsole(size: ConsoleSize): void {
    this.board.console?.resize(size);
    this.#signals.wakeUp();
  }

  /** Runs the guest until it ends itself or `stop` is called. The host's event loop gets a turn every few milliseconds. */
  run(): Promise<MachineExit> {
    return this.#loop.run();
  }

  /** Ends `run` with the reason "stopped", soon. */
  stop(): void {
    this.#signals.exit ??= { reason: "stopped" };
    this.#signals.wakeUp();
  }

  /** Ends the translator's thread. The guest stays as it is, and can be run on; nothing more of it is translated. */
  close(): void {
    this.processor.translation?.close();
  }

  /** `Lockstep.advance`; needs the option `lockstepSlice`. */
  advance(target: bigint, rough = false): MachineExit | undefined {
    return this.#lockstep.advance(target, rough);
  }

  /** Makes the guest stand still, and go on when nothing holds it any more. While it is paused, guest time stands still, too. */
  hold(reason: HoldReason, wanted: boolean): void {
    const { holds } = this.#signals;
    if (holds.has(reason) === wanted) return;
    if (wanted) holds.add(reason);
    else holds.delete(reason);
    if (reason === "pause" && this.#clock instanceof MonotonicClock) {
      if (wanted) this.#clock.pause();
      else this.#clock.resume();
    }
    this.#signals.wakeUp();
  }

  /** HLT was executed, and nothing has woken the processor since. */
  get halted(): boolean {
    return this.#loop.halted;
  }

  stats(): MachineStats {
    const ram = new Uint8Array(this.memory.buffer, MemoryMap.RAM, this.memoryBytes);
    return statsOf(this.processor, ram, this.#deviceTimes, this.#loop, this.board.refused());
  }

  // The machine's parts name each other through this object, which exists before they do.

  #makeProcessor({ memory, memoryBytes, core, model, translation }: Ingredients, random64: () => bigint): Processor {
    const board = (): Board => this.board;
    const { callOuts: deviceCallOuts, memory: deviceMemory } = this.#deviceTimes;
    return new Processor({
      memory,
      core: { module: core.module, callOuts: core.manifest.callOuts },
      decoder: new BlockBuilder(core.manifest, model.decoderFeatures()),
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
  }

  #makeBoard(
    options: PcOptions,
    model: CpuModel,
    { timers, ram, random64 }: { timers: Timers; ram: Uint8Array; random64: () => bigint },
  ): Board {
    const guestMemory: GuestMemory = {
      slice: (gpa, byteLength) => (gpa + byteLength <= ram.length ? ram.subarray(gpa, gpa + byteLength) : undefined),
      written: (gpa, byteLength) => this.processor.memoryWritten(gpa, byteLength),
    };
    const { state } = this.processor.cpu;
    const tsc = { read: () => BigInt(this.#readTsc(model.tscHz)) + state.u64("tscOffset"), hz: model.tscHz };
    const unixNsAtStart = options.clock === "instructions" ? 0n : BigInt(Date.now()) * NS_PER_MS;
    const kvmClock = model.kvmClock ? new KvmClock({ clock: this.#clock, tsc, guestMemory, unixNsAtStart }) : undefined;
    const signals = this.#signals;
    const board = new Board({
      clock: this.#clock,
      timers,
      tsc,
      memory: new DataView(this.memory.buffer),
      guestMemory,
      ramBytes: ram.length,
      crystalHz: model.crystalHz,
      physicalAddressBits: model.physicalAddressBits,
      unixNsAtStart,
      ...(kvmClock && { paravirtual: kvmClock }),
      serialOutput: { write: (byte) => this.#output.serial(byte) },
      ...(options.debugExitPort !== undefined && {
        debugExitPort: options.debugExitPort,
        onDebugExit: (status: number) => (signals.exit = { reason: "debug-exit", status }),
      }),
      onPowerOff: () => (signals.exit ??= { reason: "power-off" }),
      onReset: () => (signals.exit ??= { reason: "reset" }),
      onInterruptPending: (pending) => {
        setPendingEvents(this.processor.cpu, pending);
        if (pending) signals.wakeUp();
      },
      onTaskPriority: (priority) => state.setU64("cr8", BigInt(priority)),
      onNmi: () => (signals.nmi = true),
      virtio: {
        random64,
        ...(options.disks && { disks: options.disks }),
        ...(options.onDiskError && { onDiskError: options.onDiskError }),
        ...(options.console && {
          console: { ...options.console, onOutput: (bytes: Uint8Array) => this.#output.console(bytes) },
        }),
      },
    });
    if (options.program) {
      const ports = { stdout: ProgramPort.STDOUT, stderr: ProgramPort.STDERR } as const;
      for (const [name, first] of Object.entries(ports) as ["stdout" | "stderr", number][]) {
        const device = new DebugConsole((byte) => this.#output.program(name, byte));
        board.add({ name: `program.${name}`, device, ports: [{ first, count: 1 }] });
      }
    }
    if (kvmClock) board.add({ name: "kvmClock", device: kvmClock });
    return board;
  }

  #readTsc(hz: number): number {
    if (this.#clock instanceof MonotonicClock) return Math.floor(this.#clock.now() * (hz / 1e9));
    return ticksAt(this.#clock.nowNs(), hz);
  }
}

function nowMs(): number {
  return performance.now();
}
