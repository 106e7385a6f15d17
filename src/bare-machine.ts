import type { CpuModelOptions } from "../runtime/cpu/cpuid.ts";
import type { BareState, BareStateChange } from "./bare-state.ts";
import { checkEngine, type Engine, type LoadOptions } from "./engine.ts";
import { VmError } from "./errors.ts";

export type BareMode = "long" | "protected" | "real";

export interface BareMachineOptions {
  /** bytes of guest memory, from guest-physical address 0: a multiple of 4096, at least 64 KiB, at most 2 GiB */
  readonly memoryBytes: number;
  readonly mode: BareMode;
  /** interpreter (default); translator: everything is translated before it runs, as far as possible; tiered: what runs often */
  readonly engine?: Engine;
  /** bytes that translated code may take, machine code included: from 1 MiB to 2 GiB; default 256 MiB */
  readonly codeCacheBytes?: number;
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
  /**
   * A port access. After IN and OUT, RIP is behind the instruction; a value read is given by `portValue` of the next run, or put
   * into AL, AX or EAX. An INS or OUTS is done element by element, and completes in the next run: RIP is still at it.
   */
  readonly port?: { readonly number: number; readonly bytes: number; readonly write: boolean; readonly value: number };
  /** instructions retired during this run */
  readonly instructions: number;
}

export interface RunOptions {
  /** instructions to run at most, exactly; no limit unless given */
  readonly maxInstructions?: number;
  /** what the port read that ended the last run gives; for INS all ones unless given, for IN what the register holds */
  readonly portValue?: number;
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
  setState(state: BareStateChange): void;
  getState(): BareState;
  /**
   * Runs until something ends it. Exceptions go to the guest's own IDT when it has one (`idt.limit` is not 0), else they end the
   * run with the state as it was before the instruction.
   *
   * A run with a limit always ends: repetitions of a string instruction and exceptions retire nothing, but 65,536 more of them than
   * the limit end the run, too, with reason "budget".
   */
  run(options?: RunOptions): BareExit;
  /** Gives the memory back; whatever is called afterwards throws. */
  close(): void;
}

const WASM_PAGE = 0x1_0000;
const MAXIMUM_BYTES = 0x8000_0000;

/**
 * Makes a bare machine in the given mode: long (64-bit, paging), protected (32-bit, flat segments, no paging) or real.
 *
 * @throws {VmError} ERR_CONFIG, ERR_MEMORY_SIZE
 */
export function createBareMachine(options: BareMachineOptions): Promise<BareMachine> {
  return createBareMachineWith(options, {});
}

/** The same, with a say in when and where code is translated: for tests and tools. @internal */
export async function createBareMachineWith(options: BareMachineOptions, load: LoadOptions): Promise<BareMachine> {
  const { memoryBytes, mode, engine = "interpreter" } = options;
  if (!["long", "protected", "real"].includes(mode)) {
    throw new VmError("ERR_CONFIG", `mode is "${String(mode)}", expected "long", "protected" or "real"`);
  }
  checkEngine(engine);
  if (
    !Number.isInteger(memoryBytes) ||
    memoryBytes % 4096 !== 0 ||
    memoryBytes < WASM_PAGE ||
    memoryBytes > MAXIMUM_BYTES
  ) {
    throw new VmError(
      "ERR_MEMORY_SIZE",
      `memoryBytes is ${String(memoryBytes)}, expected a multiple of 4096 from ${WASM_PAGE} to ${MAXIMUM_BYTES}`,
    );
  }
  const { openBareGuest } = await import("./bare-guest.ts");
  return openBareGuest({ mode, memoryBytes, engine, codeCacheBytes: options.codeCacheBytes, cpu: options.cpu }, load);
}
