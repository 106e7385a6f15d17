import { BlockBuilder } from "../../jit/interpreter/block-builder.ts";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { Mode } from "../../runtime/abi/guest-state.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { CodePage, TranslatedBatch, Translator, TranslateRequest } from "../../runtime/abi/translator.ts";
import { needsStepping } from "../../runtime/cpu/debug.ts";
import { type MachineHooks, Processor } from "../../runtime/cpu/processor.ts";
import { loadCore } from "../host/core.ts";
import { ramOf } from "./guest-memory.ts";
import { RegionRunner } from "./region-runner.ts";
import { type ArchitecturalState, copyState, instructionsOf, stateOf } from "./state-compare.ts";
import type { Subject } from "./subject.ts";

/** A processor and its memory at one moment. */
export interface Snapshot {
  readonly ram: Uint8Array;
  readonly state: ArchitecturalState;
  /** how much of the input log came before */
  readonly inputs: number;
}

/**
 * What devices answered, in order: asked of a machine's own devices the first time, repeated from then on. So several processors
 * can run the same instructions, one after the other.
 */
export class InputLog {
  readonly #log: unknown[] = [];

  answer<T>(position: number, live: () => T): T {
    if (position < this.#log.length) return this.#log[position] as T;
    const value = live();
    this.#log.push(value);
    return value;
  }
}

const PAGE = 4096;
/** An opcode that does not exist in 64-bit mode (PUSH ES): whatever is translated ends in front of it. */
const CUT = 0x06;

/** A budget that is spent before anything runs: the interpreter comes back after a block. */
const SPENT = -1;
/** tries, each of which may be one repetition of a string instruction, until an instruction is retired */
const MOST_CYCLES = 0x1_0000;

/** What Probe.runOnce did. */
export interface Run {
  /** instructions retired; 0 if there is nothing to run any more */
  readonly retired: number;
  /** offset in linear memory of the region that ran; undefined for a block of the interpreter */
  readonly region: number | undefined;
}

/** What is translated, but for the code. */
export type RegionKey = Omit<TranslateRequest, "pages"> & { readonly pages: readonly Omit<CodePage, "bytes">[] };

/** Which regions a probe translates. */
export interface RegionChoice {
  /** by the offset where they begin; undefined: all */
  readonly regions: ReadonlyMap<number, RegionKey> | undefined;
  /** instructions that a region's loop may go on for */
  readonly loopInstructions: number;
  /** offsets in linear memory of instructions that are left to the interpreter */
  readonly cuts: readonly number[];
}

/** A processor alone, that can be put into a machine's state again and again. */
export class Probe {
  readonly processor: Processor;
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  /** which regions it runs; undefined for none */
  choice: RegionChoice | undefined;
  readonly #translator: Translator;
  readonly #runner: RegionRunner;
  #inputs = 0;

  private constructor(processor: Processor, memory: WebAssembly.Memory, ram: Uint8Array, translator: Translator) {
    this.processor = processor;
    this.memory = memory;
    this.ram = ram;
    this.#translator = translator;
    this.#runner = new RegionRunner(memory, processor.cpu.state);
  }

  /** @param subject whose devices answer what the log does not know yet */
  static async open(subject: Subject, log: InputLog): Promise<Probe> {
    const { module, manifest } = await loadCore();
    const { model, hooks } = subject.processor.cpu;
    const features = model.decoderFeatures();
    const pages = subject.memory.buffer.byteLength / 0x1_0000;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const answer = <T>(live: () => T): T => log.answer(probe.#inputs++, live);
    const bytes = new Uint8Array(memory.buffer);
    const subjectBytes = new Uint8Array(subject.memory.buffer);
    const processor: Processor = new Processor({
      memory,
      core: { module, callOuts: manifest.callOuts },
      decoder: new BlockBuilder(manifest, features),
      model,
      bus: {
        read: (gpa, offset, byteLength) => {
          const value = answer(() => {
            subject.bus.read(gpa, offset, byteLength);
            return subjectBytes.slice(offset, offset + byteLength);
          });
          bytes.set(value, offset);
        },
        write: (gpa, offset, byteLength) => {
          answer(() => {
            subjectBytes.set(bytes.subarray(offset, offset + byteLength), offset);
            subject.bus.write(gpa, offset, byteLength);
          });
        },
      },
      hooks: answeredHooks(hooks, answer),
      ramBytes: subject.ram.length,
      deliversFaults: () => processor.cpu.state.u32("idtLimit") !== 0,
    });
    const translator = subject.wrapTranslator(new RegionTranslator({ features }));
    const probe = new Probe(processor, memory, ramOf(memory, subject.ram.length), translator);
    return probe;
  }

  /**
   * Puts the processor into a state. Its TLB then holds what the next `warm` instructions need, as that of a machine that has been
   * running would: translated code leaves accesses that miss to the interpreter.
   */
  load(snapshot: Snapshot, warm: number): void {
    const { processor } = this;
    const { state } = processor.cpu;
    this.#restore(snapshot);
    processor.stateChanged(true);
    for (let step = 0; step < warm; step++) if (!this.step()) break;
    const fields = ["tlbBanks", "supervisorBank", "slotBit"] as const;
    const [banks, supervisor, bit] = fields.map((field) => state.u32(field));
    const paging = ["cr0", "cr3", "cr4", "efer"] as const;
    const before = paging.map((field) => state.u64(field));
    this.#restore(snapshot);
    if (paging.every((field, index) => state.u64(field) === before[index])) {
      state.setU32("tlbBanks", banks ?? 0);
      state.setU32("supervisorBank", supervisor ?? 0);
      state.setU32("slotBit", bit ?? 0);
      processor.stateChanged(false);
    } else {
      processor.stateChanged(true);
    }
  }

  #restore({ ram, state, inputs }: Snapshot): void {
    this.processor.blocks.clear();
    this.ram.set(ram);
    new Uint8Array(this.memory.buffer, MemoryMap.CPU, state.bytes.length).set(state.bytes);
    this.processor.cpu.restore({ nmiBlocked: state.nmiBlocked, msrs: [...state.msrs] });
    this.#inputs = inputs;
  }

  save(): Snapshot {
    return { ram: this.ram.slice(), state: copyState(this.state), inputs: this.#inputs };
  }

  get state(): ArchitecturalState {
    return stateOf(this.processor.cpu, this.memory);
  }

  get instructions(): bigint {
    return instructionsOf(this.state);
  }

  /** Retires one instruction, with all repetitions. @returns false if something else happened instead */
  step(): boolean {
    const before = this.instructions;
    for (;;) {
      const { reason } = this.processor.run(1);
      if (this.instructions > before) return true;
      if (reason !== "budget" && reason !== "event") return false;
    }
  }

  /** Runs one region once, or one block of the interpreter where there is none. */
  runOnce(): Run {
    const region = this.choice && this.#runRegion(this.choice);
    return region ?? { retired: this.#runBlock(), region: undefined };
  }

  #runRegion({ regions, loopInstructions, cuts }: RegionChoice): Run | undefined {
    const { cpu, tlb } = this.processor;
    const { state } = cpu;
    if (!cpu.code64 || needsStepping(cpu)) return undefined;
    const start = this.processor.fetchCode();
    if (start <= 0) return undefined;
    const mode = state.u32("mode") & ~Mode.STEP;
    const request: RegionKey | undefined = regions
      ? regions.get(start)
      : { pages: [{ distance: 0, start: start - (start % PAGE) }], start, mode };
    if (request?.mode !== mode) return undefined;
    const batch = this.#translate(request, cuts);
    const translated = batch.regions[0];
    if (!translated) return undefined;
    // As in a machine, where the pages are marked: a region that writes to its own pages leaves to the interpreter.
    for (const [first] of translated.spans) tlb.forgetWrites((first - MemoryMap.RAM) >>> 12);
    const retired = this.#runner.run(batch.binary, translated, loopInstructions);
    return retired > 0 ? { retired, region: start } : undefined;
  }

  /** Of the code as it is now, without what is cut out. */
  #translate(key: RegionKey, cuts: readonly number[]): TranslatedBatch {
    const memory = new Uint8Array(this.memory.buffer);
    const pages = key.pages.map(({ distance, start }) => {
      const bytes = memory.slice(start, start + PAGE);
      for (const offset of cuts) if (offset >= start && offset < start + PAGE) bytes[offset - start] = CUT;
      return { distance, start, bytes };
    });
    const builder = this.#translator.begin();
    builder.add({ ...key, pages });
    return builder.finish();
  }

  /** @returns instructions retired */
  #runBlock(): number {
    // Regions write to memory without a word to the cache of blocks.
    this.processor.blocks.clear();
    const before = this.instructions;
    for (let cycle = 0; cycle < MOST_CYCLES; cycle++) {
      const { reason } = this.processor.runSlice(SPENT);
      const retired = Number(this.instructions - before);
      if (retired > 0) return retired;
      if (reason !== "budget" && reason !== "event") break;
    }
    return 0;
  }
}

function answeredHooks(hooks: MachineHooks, answer: <T>(live: () => T) => T): MachineHooks {
  return {
    readTsc: () => answer(() => hooks.readTsc()),
    random64: () => answer(() => hooks.random64()),
    ports: {
      read: (port, size) => answer(() => hooks.ports.read(port, size)),
      write: (port, size, value) => answer(() => hooks.ports.write(port, size, value)),
    },
    msrs: {
      read: (msr) => answer(() => hooks.msrs.read(msr)),
      write: (msr, value) => answer(() => hooks.msrs.write(msr, value)),
      tscMoved: () => answer(() => hooks.msrs.tscMoved?.()),
    },
    taskPriorityChanged: (priority) => answer(() => hooks.taskPriorityChanged(priority)),
  };
}
