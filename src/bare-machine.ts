import { BlockBuilder } from "../jit/interpreter/block-builder.ts";
import { Segment, Vector } from "../runtime/abi/guest-state.ts";
import { MemoryMap } from "../runtime/abi/memory-map.ts";
import { resetCpu } from "../runtime/cpu/cpu.ts";
import { CpuModel, type CpuModelOptions } from "../runtime/cpu/cpuid.ts";
import { isolatedHooks } from "../runtime/cpu/hooks.ts";
import { Processor } from "../runtime/cpu/processor.ts";
import { PageTables } from "./bare-page-tables.ts";
import { type BareState, STATE_NAMES, StateAccess } from "./bare-state.ts";
import { VmError } from "./errors.ts";
import { loadCore } from "./host/core.ts";

export type BareMode = "long" | "protected" | "real";

export interface BareMachineOptions {
  /** bytes of guest memory, from guest-physical address 0: a multiple of 4096, at least 64 KiB, at most 2 GiB */
  readonly memoryBytes: number;
  readonly mode: BareMode;
  readonly engine?: "interpreter";
  /** the processor to be; by default everything that is implemented */
  readonly cpu?: CpuModelOptions;
}

export interface MapOptions {
  readonly write?: boolean;
  readonly execute?: boolean;
  readonly user?: boolean;
}

export interface BareExit {
  readonly reason: "halt" | "exception" | "budget" | "port" | "shutdown";
  /** exception: its vector; port: the port number */
  readonly vector?: number;
  readonly errorCode?: number;
  /** linear address of a page fault */
  readonly cr2?: bigint;
  /** port accesses; RIP is behind the instruction, and for a read the value goes into AL, AX or EAX before running on */
  readonly port?: { readonly number: number; readonly bytes: number; readonly write: boolean; readonly value: number };
  /** instructions retired during this run */
  readonly instructions: number;
}

/** Guest memory and one processor, with no devices around: for embedding, tests and conformance suites. */
export interface BareMachine {
  readonly memoryBytes: number;
  /**
   * Maps linear to guest-physical addresses in page tables of the guest, all multiples of 4096. Until the first call, memory is
   * mapped one to one with all rights; from then on only what is mapped exists.
   */
  map(gva: bigint | number, gpa: bigint | number, lengthBytes: number, options?: MapOptions): void;
  write(gpa: bigint | number, bytes: Uint8Array): void;
  read(gpa: bigint | number, lengthBytes: number): Uint8Array;
  setState(state: Partial<BareState>): void;
  getState(): BareState;
  /**
   * Runs until something ends it. Exceptions go to the guest's own IDT when it has one (`idt.limit` is not 0), else they end the
   * run with the state as it was before the instruction.
   */
  run(options?: { readonly maxInstructions?: number }): BareExit;
  close(): void;
}

const WASM_PAGE = 0x1_0000;
/** page tables of `map` lie behind the memory that the options ask for */
const TABLE_BYTES = 0x40_0000;
const MAXIMUM_BYTES = 0x8000_0000;

/**
 * Makes a bare machine in the given mode: long (64-bit, paging), protected (32-bit, flat segments, no paging) or real.
 *
 * @throws {VmError} ERR_CONFIG, ERR_MEMORY_SIZE
 */
export async function createBareMachine(options: BareMachineOptions): Promise<BareMachine> {
  const { memoryBytes, mode, engine = "interpreter" } = options;
  if (!["long", "protected", "real"].includes(mode)) {
    throw new VmError("ERR_CONFIG", `mode is "${String(mode)}", expected "long", "protected" or "real"`);
  }
  if (engine !== "interpreter") throw new VmError("ERR_CONFIG", `engine is "${String(engine)}", expected "interpreter"`);
  if (!Number.isInteger(memoryBytes) || memoryBytes % 4096 !== 0 || memoryBytes < WASM_PAGE || memoryBytes > MAXIMUM_BYTES) {
    throw new VmError(
      "ERR_MEMORY_SIZE",
      `memoryBytes is ${String(memoryBytes)}, expected a multiple of 4096 from ${WASM_PAGE} to ${MAXIMUM_BYTES}`,
    );
  }
  const { module, manifest } = await loadCore();
  const ramBytes = memoryBytes + TABLE_BYTES;
  const pages = Math.ceil((MemoryMap.RAM + ramBytes) / WASM_PAGE);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new VmError("ERR_MEMORY_SIZE", `the host cannot provide ${memoryBytes} bytes of guest memory`, { cause });
  }
  return new Bare(options, memory, module, manifest, ramBytes);
}

class Bare implements BareMachine {
  readonly memoryBytes: number;
  readonly #mode: BareMode;
  readonly #memory: WebAssembly.Memory;
  readonly #ram: Uint8Array;
  readonly #processor: Processor;
  readonly #access: StateAccess;
  readonly #tables: PageTables;
  #closed = false;

  constructor(
    options: BareMachineOptions,
    memory: WebAssembly.Memory,
    module: WebAssembly.Module,
    manifest: { readonly handlers: Readonly<Record<string, number>>; readonly callOuts: readonly string[]; readonly undefinedMnemonics: readonly string[] },
    ramBytes: number,
  ) {
    this.memoryBytes = options.memoryBytes;
    this.#mode = options.mode;
    this.#memory = memory;
    this.#ram = new Uint8Array(memory.buffer, MemoryMap.RAM, ramBytes);
    const model = new CpuModel(options.cpu ?? {});
    const bytes = new Uint8Array(memory.buffer);
    this.#processor = new Processor({
      memory,
      core: { module, callOuts: manifest.callOuts },
      decoder: new BlockBuilder(manifest, model.decoderFeatures()),
      model,
      // Nothing is there: reads float high, writes are lost.
      bus: { read: (_gpa, offset, byteLength) => void bytes.fill(0xff, offset, offset + byteLength), write: () => undefined },
      hooks: isolatedHooks(),
      ramBytes,
      deliversFaults: () => this.#processor.cpu.state.u32("idtLimit") !== 0,
    });
    this.#access = new StateAccess(this.#processor.cpu.state, memory.buffer);
    this.#tables = new PageTables(this.#ram, options.memoryBytes, ramBytes, options.mode === "long");
    this.#reset();
  }

  map(gva: bigint | number, gpa: bigint | number, lengthBytes: number, options: MapOptions = {}): void {
    this.#open();
    if (this.#mode === "real") throw new VmError("ERR_CONFIG", "real mode has no page tables to map in");
    this.#tables.map(BigInt(gva), BigInt(gpa), lengthBytes, options);
    const { state } = this.#processor.cpu;
    state.setU64("cr3", BigInt(this.#tables.root));
    state.setU64("cr4", state.cr4 | 0x20n);
    state.setU64("cr0", state.cr0 | 0x8000_0000n);
    this.#processor.stateChanged(true);
  }

  write(gpa: bigint | number, bytes: Uint8Array): void {
    this.#open();
    const at = this.#range("write", gpa, bytes.length);
    this.#ram.set(bytes, at);
    this.#processor.memoryWritten(at, bytes.length);
  }

  read(gpa: bigint | number, lengthBytes: number): Uint8Array {
    this.#open();
    const at = this.#range("read", gpa, lengthBytes);
    return this.#ram.slice(at, at + lengthBytes);
  }

  setState(state: Partial<BareState>): void {
    this.#open();
    // TOP decides where st0 to st7 are, CS what CPL changes: the order of the names must not matter.
    const entries = Object.entries(state);
    const rank = (name: string): number => (name === "fsw" ? 0 : SEGMENT_NAMES.has(name) ? 1 : 2);
    entries.sort(([left], [right]) => rank(left) - rank(right));
    for (const [name, value] of entries) if (value !== undefined) this.#access.set(name, value);
    this.#processor.stateChanged(entries.some(([name]) => PAGING_NAMES.has(name)));
  }

  getState(): BareState {
    this.#open();
    return Object.fromEntries(STATE_NAMES.map((name) => [name, this.#access.get(name)])) as unknown as BareState;
  }

  run({ maxInstructions = Infinity }: { readonly maxInstructions?: number } = {}): BareExit {
    this.#open();
    if (typeof maxInstructions !== "number" || !(maxInstructions >= 0)) {
      throw new VmError("ERR_CONFIG", `maxInstructions is ${String(maxInstructions)}, expected a number from 0 on`);
    }
    const before = this.#processor.instructions;
    let left = maxInstructions;
    for (;;) {
      const exit = this.#processor.run(left);
      const instructions = Number(this.#processor.instructions - before);
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
      if (exit.reason === "port") return { reason: "port", ...this.#portAccess(), instructions };
      return { reason: exit.reason, instructions };
    }
  }

  close(): void {
    this.#closed = true;
  }

  #portAccess(): { vector: number; port: NonNullable<BareExit["port"]> } {
    const { state } = this.#processor.cpu;
    const number = state.u32("exitVector");
    const size = state.u32("exitErrorCode");
    return {
      vector: number,
      port: { number, bytes: size & 7, write: (size & 8) !== 0, value: Number(state.u64("exitValue")) },
    };
  }

  #range(what: string, gpa: bigint | number, lengthBytes: number): number {
    const at = Number(gpa);
    if (!Number.isInteger(at) || at < 0 || at + lengthBytes > this.memoryBytes) {
      throw new VmError(
        "ERR_CONFIG",
        `${what} of ${lengthBytes} bytes at guest-physical 0x${at.toString(16)}: memory ends at 0x${this.memoryBytes.toString(16)}`,
      );
    }
    return at;
  }

  #open(): void {
    if (this.#closed) throw new VmError("ERR_CONFIG", "the machine is closed");
  }

  /** The state in which the mode's code can begin. */
  #reset(): void {
    const { cpu } = this.#processor;
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
      state.setSegment(Segment.CS, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x009b });
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
        state.setU64("cr3", BigInt(this.#tables.identity()));
        state.setU64("cr4", 0x20n);
        state.setU64("cr0", 0x8000_0033n);
        state.setU64("efer", 0xd01n);
      }
    }
    // SSE is ready to use, as a user of a bare machine expects: CR4.OSFXSR, OSXMMEXCPT and OSXSAVE, CR4.FSGSBASE.
    state.setU64("cr4", state.cr4 | 0x5_0600n);
    state.setU64("xcr0", 3n);
    this.#processor.stateChanged(true);
  }

  /** for tests and tools that look inside */
  get memory(): WebAssembly.Memory {
    return this.#memory;
  }
}

const PAGING_NAMES: ReadonlySet<string> = new Set(["cr0", "cr3", "cr4", "efer"]);
const SEGMENT_NAMES: ReadonlySet<string> = new Set(["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"]);
