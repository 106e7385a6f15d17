import { BlockBuilder } from "../jit/interpreter/block-builder.ts";
import { Segment, Vector } from "../runtime/abi/guest-state.ts";
import { MemoryMap, Rec } from "../runtime/abi/memory-map.ts";
import { resetCpu } from "../runtime/cpu/cpu.ts";
import { CpuModel, type CpuModelOptions } from "../runtime/cpu/cpuid.ts";
import { isolatedHooks } from "../runtime/cpu/hooks.ts";
import type { TranslationOptions } from "../runtime/code/translation-queue.ts";
import { Processor } from "../runtime/cpu/processor.ts";
import type { BareExit, BareMachine, BareMode, MapOptions, RunOptions } from "./bare-machine.ts";
import { PageTables } from "./bare-page-tables.ts";
import { type BareState, type BareStateChange, STATE_NAMES, StateAccess } from "./bare-state.ts";
import { VmError } from "./errors.ts";
import { type Engine, loadTranslation, type LoadOptions } from "./engine.ts";
import { loadCore, type LoadedCore } from "./host/core.ts";

const WASM_PAGE = 0x1_0000;
/** page tables of `map` lie behind the memory that the options ask for */
const TABLE_BYTES = 0x40_0000;

/** Options of a bare machine that have been checked. */
export interface BareConfig {
  readonly memoryBytes: number;
  readonly mode: BareMode;
  readonly engine: Engine;
  readonly codeCacheBytes: number | undefined;
  readonly cpu: CpuModelOptions | undefined;
}

/**
 * Makes what a bare machine is. In a file of its own, which is loaded when the first one is made: whoever runs PCs in workers needs
 * no processor on the thread that asks for them.
 *
 * @throws {VmError} ERR_CONFIG, ERR_MEMORY_SIZE
 */
export async function openBareGuest(config: BareConfig, load: LoadOptions): Promise<BareMachine> {
  const { mode, memoryBytes, engine, codeCacheBytes, cpu = {} } = config;
  const core = await loadCore();
  const ramBytes = memoryBytes + TABLE_BYTES;
  const pages = Math.ceil((MemoryMap.RAM + ramBytes) / WASM_PAGE);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new VmError("ERR_MEMORY_SIZE", `the host cannot provide ${memoryBytes} bytes of guest memory`, { cause });
  }
  const model = new CpuModel(cpu);
  const features = model.decoderFeatures();
  const translation = await loadTranslation(engine, core.manifest, features, { codeCacheBytes, ...load });
  return new Bare({ mode, memoryBytes, ramBytes, memory, core, model, translation });
}

/** What a bare machine is made from. */
interface Ingredients {
  readonly mode: BareMode;
  readonly memoryBytes: number;
  readonly ramBytes: number;
  readonly memory: WebAssembly.Memory;
  readonly core: LoadedCore;
  readonly model: CpuModel;
  readonly translation: TranslationOptions | undefined;
}

/** What a machine is made of, until it is closed. */
interface Parts {
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  readonly processor: Processor;
  readonly access: StateAccess;
  readonly tables: PageTables;
}

type Port = NonNullable<BareExit["port"]>;

class Bare implements BareMachine {
  readonly memoryBytes: number;
  readonly #mode: BareMode;
  /** indexes of the handlers of INS and OUTS */
  readonly #stringHandlers: ReadonlySet<number>;
  #parts: Parts | undefined;
  /** the port access that ended the last run */
  #port: (Port & { readonly string: boolean }) | undefined;
  /** INS or OUTS goes on: what its next port access finds */
  #answer: number | undefined;

  constructor({ mode, memoryBytes, ramBytes, memory, core, model, translation }: Ingredients) {
    const { module, manifest } = core;
    this.memoryBytes = memoryBytes;
    this.#mode = mode;
    const names = Object.entries(manifest.handlers).filter(([name]) => /^(ins|outs)\./.test(name));
    this.#stringHandlers = new Set(names.map(([, index]) => index));
    const ram = new Uint8Array(memory.buffer, MemoryMap.RAM, ramBytes);
    const bytes = new Uint8Array(memory.buffer);
    const processor: Processor = new Processor({
      memory,
      core: { module, callOuts: manifest.callOuts },
      decoder: new BlockBuilder(manifest, model.decoderFeatures()),
      model,
      // Nothing is there: reads float high, writes are lost.
      bus: {
        read: (_gpa, offset, byteLength) => void bytes.fill(0xff, offset, offset + byteLength),
        write: () => undefined,
      },
      hooks: isolatedHooks({
        ports: {
          read: () => this.#takeAnswer() ?? "exit",
          write: () => (this.#takeAnswer() === undefined ? "exit" : undefined),
        },
      }),
      ramBytes,
      ...(translation && { translation }),
      deliversFaults: () => processor.cpu.state.u32("idtLimit") !== 0,
    });
    const access = new StateAccess(processor.cpu.state, memory.buffer);
    const tables = new PageTables(ram, memoryBytes, ramBytes, mode === "long");
    this.#parts = { memory, ram, processor, access, tables };
    this.#reset(this.#parts);
  }

  map(gva: bigint | number, gpa: bigint | number, lengthBytes: number, options: MapOptions = {}): void {
    const { processor, tables } = this.#open();
    if (this.#mode === "real") throw new VmError("ERR_CONFIG", "real mode has no page tables to map in");
    try {
      tables.map(gva, gpa, lengthBytes, options);
    } finally {
      const { state } = processor.cpu;
      state.setU64("cr3", BigInt(tables.root));
      state.setU64("cr4", state.cr4 | 0x20n);
      state.setU64("cr0", state.cr0 | 0x8000_0000n);
      processor.stateChanged(true);
    }
  }

  write(gpa: bigint | number, bytes: Uint8Array): void {
    const { processor, ram } = this.#open();
    if (!(bytes instanceof Uint8Array)) throw new VmError("ERR_CONFIG", "write: expected a Uint8Array");
    const at = this.#range("write", gpa, bytes.length);
    // Page tables must be seen as they were, so tell first; nothing is decoded in between.
    processor.memoryWritten(at, bytes.length);
    ram.set(bytes, at);
  }

  read(gpa: bigint | number, lengthBytes: number): Uint8Array {
    const { ram } = this.#open();
    const at = this.#range("read", gpa, lengthBytes);
    return ram.slice(at, at + lengthBytes);
  }

  setState(state: BareStateChange): void {
    const { processor, access } = this.#open();
    const names = Object.keys(state);
    const given = state as Readonly<Record<string, unknown>>;
    if ("rip" in state) {
      this.#port = undefined;
      processor.cpu.state.setU32("interruptShadow", 0);
    }
    try {
      // TOP decides where st0 to st7 are, CS what CPL changes: the order of the names must not matter.
      for (const rank of [0, 1, 2]) {
        for (const name of names) {
          const value = given[name];
          if ((RANKS.get(name) ?? 2) === rank && value !== undefined) access.set(name, value);
        }
      }
    } finally {
      processor.stateChanged(names.some((name) => PAGING_NAMES.has(name)));
    }
  }

  getState(): BareState {
    const { access } = this.#open();
    return Object.fromEntries(STATE_NAMES.map((name) => [name, access.get(name)])) as unknown as BareState;
  }

  run({ maxInstructions = Infinity, portValue }: RunOptions = {}): BareExit {
    const { processor } = this.#open();
    if (typeof maxInstructions !== "number" || !(maxInstructions >= 0)) {
      throw new VmError("ERR_CONFIG", `maxInstructions is ${String(maxInstructions)}, expected a number from 0 on`);
    }
    if (portValue !== undefined && !Number.isInteger(portValue)) {
      throw new VmError("ERR_CONFIG", `portValue is ${String(portValue)}, expected an integer`);
    }
    this.#completePortAccess(processor, portValue);
    const before = processor.instructions;
    let left = maxInstructions;
    for (;;) {
      const exit = processor.run(left);
      if (exit.reason === "port") this.#port = this.#portAccess(processor);
      const instructions = Number(processor.instructions - before);
      left = maxInstructions - instructions;
      if (exit.reason === "event") continue;
      if (exit.reason === "fault") {
        const { vector, errorCode, cr2 } = exit.fault;
        return {
          reason: "exception",
          vector,
          ...(errorCode === undefined ? {} : { errorCode }),
          ...(vector === Vector.PF && cr2 !== undefined ? { cr2 } : {}),
          instructions,
        };
      }
      if (this.#port && exit.reason === "port") {
        const { number, bytes, write, value } = this.#port;
        return { reason: "port", vector: number, port: { number, bytes, write, value }, instructions };
      }
      return { reason: exit.reason, instructions };
    }
  }

  close(): void {
    this.#parts = undefined;
  }

  // ---- ports ----

  #takeAnswer(): number | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  #portAccess({ cpu: { state }, instructions }: Processor): Port & { readonly string: boolean } {
    const number = state.u32("exitVector");
    const size = state.u32("exitErrorCode");
    const view = new DataView(this.#open().memory.buffer, state.u32("exitRecord"), Rec.BYTES);
    const string = this.#stringHandlers.has(view.getUint32(Rec.HANDLER, true));
    if (string) {
      // Nothing has happened but the access: the instruction runs again, and finds the answer.
      state.rip = state.u64("ripPage") + BigInt(view.getUint16(Rec.PAGE_OFFSET, true));
      state.setU64("instructions", instructions - 1n);
    }
    return { number, bytes: size & 7, write: (size & 8) !== 0, value: Number(state.u64("exitValue")), string };
  }

  #completePortAccess({ cpu: { state } }: Processor, value: number | undefined): void {
    const port = this.#port;
    this.#port = undefined;
    this.#answer = undefined;
    if (!port) return;
    if (port.string) {
      this.#answer = port.write ? 0 : (value ?? -1);
    } else if (!port.write && value !== undefined) {
      const wide = BigInt.asUintN(8 * port.bytes, BigInt(value));
      const old = state.u64("gpr", 0);
      state.setU64(
        "gpr",
        port.bytes === 4 ? wide : BigInt.asUintN(64, (old >> BigInt(8 * port.bytes)) << BigInt(8 * port.bytes)) | wide,
        0,
      );
    }
  }

  #range(what: string, gpa: bigint | number, lengthBytes: number): number {
    const at = typeof gpa === "bigint" || typeof gpa === "number" ? Number(gpa) : NaN;
    if (
      !Number.isInteger(lengthBytes) ||
      lengthBytes < 0 ||
      !Number.isInteger(at) ||
      at < 0 ||
      at + lengthBytes > this.memoryBytes
    ) {
      throw new VmError(
        "ERR_CONFIG",
        `${what} of ${lengthBytes} bytes at guest-physical ${Number.isInteger(at) ? `0x${at.toString(16)}` : String(gpa)}: memory ends at 0x${this.memoryBytes.toString(16)}`,
      );
    }
    return at;
  }

  #open(): Parts {
    if (!this.#parts) throw new VmError("ERR_CONFIG", "the machine is closed");
    return this.#parts;
  }

  /** The state in which the mode's code can begin. */
  #reset({ processor, tables }: Parts): void {
    const { cpu } = processor;
    const { state } = cpu;
    resetCpu(cpu);
    state.setU64("gpr", 0n, 2);
    state.setU32("fcw", 0x37f);
    state.setU32("ftag", 0);
    state.setU32("gdtLimit", 0);
    state.setU32("idtLimit", 0);
    state.setU64("dr", 0n, 7);
    state.setU64("dr", 0x400n, 7);
    state.rip = 0n;
    if (this.#mode === "real") {
      state.setSegment(Segment.CS, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0093 });
      state.setU64("cr0", 0x30n);
    } else {
      const long = this.#mode === "long";
      const code = long ? 0xa09b : 0xc09b;
      state.setSegment(Segment.CS, { selector: 8, base: 0n, limit: 0xffff_ffff, attributes: code });
      for (const segment of [Segment.ES, Segment.SS, Segment.DS, Segment.FS, Segment.GS]) {
        state.setSegment(segment, { selector: 16, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
      }
      state.setU64("cr0", 0x33n);
      if (long) {
        state.setU64("cr3", BigInt(tables.identity()));
        state.setU64("cr4", 0x20n);
        state.setU64("cr0", 0x8000_0033n);
        state.setU64("efer", 0xd01n);
      }
    }
    // SSE is ready to use, as a user of a bare machine expects: CR4.OSFXSR, OSXMMEXCPT and OSXSAVE, CR4.FSGSBASE.
    state.setU64("cr4", state.cr4 | 0x5_0600n);
    state.setU64("xcr0", 3n);
    processor.stateChanged(true);
  }

  /** for tests and tools that look inside */
  get memory(): WebAssembly.Memory {
    return this.#open().memory;
  }
  get processor(): Processor {
    return this.#open().processor;
  }
}

const PAGING_NAMES: ReadonlySet<string> = new Set(["cr0", "cr3", "cr4", "efer"]);
/** What must be set before the rest: TOP first, then segments. */
const RANKS: ReadonlyMap<string, number> = new Map([
  ["fsw", 0],
  ...["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"].map((name) => [name, 1] as const),
]);
