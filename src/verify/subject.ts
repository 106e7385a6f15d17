import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { BatchBuilder, Translator, TranslateRequest } from "../../runtime/abi/translator.ts";
import type { PhysicalBus, Processor } from "../../runtime/cpu/processor.ts";
import { type BareMachine, type BareMachineOptions, createBareMachineWith } from "../bare-machine.ts";
import type { Engine, LoadOptions } from "../engine.ts";
import { createPcWith } from "../pc/create.ts";
import type { PcOptions } from "../pc/options.ts";
import { ramOf } from "./guest-memory.ts";
import { type ArchitecturalState, stateOf } from "./state-compare.ts";

/** A machine that is compared with another one. */
export interface Subject {
  readonly processor: Processor;
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  /** what is no RAM */
  readonly bus: PhysicalBus;
  /** regions that were translated so far, by the offset in linear memory where they begin: as they were asked for last */
  readonly regions: ReadonlyMap<number, TranslateRequest>;
  /** what stands before its compiler */
  readonly wrapTranslator: Wrap;
  readonly state: ArchitecturalState;
  /**
   * Runs until exactly `target` instructions are retired; `rough` stops some hundred instructions later instead.
   *
   * @returns why the machine ended, in a word; undefined when it was stopped
   */
  advance(target: bigint, rough?: boolean): string | undefined;
}

/** Makes the machine that is to be compared, on an engine, always the same one. */
export type SubjectMaker = (engine: Engine) => Promise<Subject>;

/** Instructions during which guest time stands still: see PcToolOptions.lockstepSlice. */
export const SLICE = 50_000;

type Wrap = NonNullable<LoadOptions["wrapTranslator"]>;

const unchanged: Wrap = (translator) => translator;

/** Notes which regions are translated. */
class Recorder implements Translator {
  readonly #inner: Translator;
  readonly #regions: Map<number, TranslateRequest>;

  constructor(inner: Translator, regions: Map<number, TranslateRequest>) {
    this.#inner = inner;
    this.#regions = regions;
  }

  begin(): BatchBuilder {
    const builder = this.#inner.begin();
    const requests: TranslateRequest[] = [];
    return {
      add: (request) => {
        requests.push(request);
        builder.add(request);
      },
      finish: () => {
        const batch = builder.finish();
        for (const [index, request] of requests.entries())
          if (batch.regions[index]) this.#regions.set(request.start, request);
        return batch;
      },
    };
  }
}

export type BootOptions = Omit<PcOptions, "clock" | "engine" | "translation">;

/**
 * PCs that boot a kernel, with guest time by instructions. They translate at once, on this thread: what a worker has done by an
 * instruction would be another thing in every pass.
 */
export function bootSubjects(options: BootOptions, load: LoadOptions = {}): SubjectMaker {
  return async (engine) => {
    const regions = new Map<number, TranslateRequest>();
    const { onSerial, ...rest } = options;
    const wrap = load.wrapTranslator ?? unchanged;
    const machine = await createPcWith(
      {
        ...rest,
        // One machine's output is enough.
        ...(onSerial && engine === "interpreter" && { onSerial }),
        engine,
        clock: "instructions",
      },
      {
        ...load,
        place: "immediate",
        wrapTranslator: (inner) => new Recorder(wrap(inner), regions),
        lockstepSlice: SLICE,
      },
    );
    const { processor, memory } = machine;
    return {
      processor,
      memory,
      ram: ramOf(memory, machine.memoryBytes),
      bus: machine.board.mmio,
      regions,
      wrapTranslator: wrap,
      get state() {
        return stateOf(processor.cpu, memory);
      },
      advance: (target, rough) => machine.advance(target, rough)?.reason,
    };
  };
}

/** What the bare machine lets tools look at. */
interface Opened extends BareMachine {
  readonly processor: Processor;
  readonly memory: WebAssembly.Memory;
}

/** Bare machines; `prepare` loads the program into each. */
export function bareSubjects(
  options: Omit<BareMachineOptions, "engine">,
  prepare: (machine: BareMachine) => void,
  load: LoadOptions = {},
): SubjectMaker {
  return async (engine) => {
    const regions = new Map<number, TranslateRequest>();
    const wrap = load.wrapTranslator ?? unchanged;
    const wrapTranslator: Wrap = (inner) => new Recorder(wrap(inner), regions);
    const machine = (await createBareMachineWith({ ...options, engine }, { ...load, wrapTranslator })) as Opened;
    prepare(machine);
    const { processor, memory } = machine;
    const bytes = new Uint8Array(memory.buffer);
    return {
      processor,
      memory,
      ram: ramOf(
        memory,
        Math.min(memory.buffer.byteLength - MemoryMap.RAM, Number(processor.cpu.state.u64("ramBytes"))),
      ),
      bus: {
        read: (_gpa, offset, byteLength) => void bytes.fill(0xff, offset, offset + byteLength),
        write: () => undefined,
      },
      regions,
      wrapTranslator: wrap,
      get state() {
        return stateOf(processor.cpu, memory);
      },
      advance: (target, rough = false) => advanceBare(machine, target, rough),
    };
  };
}

function advanceBare(machine: Opened, target: bigint, rough: boolean): string | undefined {
  const { processor } = machine;
  for (;;) {
    const left = Number(target - processor.instructions);
    if (left <= 0) return undefined;
    if (rough) {
      const exit = processor.runSlice(left);
      if (exit.reason !== "budget" && exit.reason !== "event") return exit.reason;
      continue;
    }
    const exit = machine.run({ maxInstructions: left });
    if (exit.reason !== "budget") return exit.reason === "exception" ? `exception ${exit.vector}` : exit.reason;
  }
}
