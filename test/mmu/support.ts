import { Efer } from "../../runtime/cpu/control-bits.ts";
import type { Processor } from "../../runtime/cpu/processor.ts";
import {
  type BareExit,
  type BareMachine,
  type BareMachineOptions,
  createBareMachineWith,
} from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";
import type { LoadOptions } from "../../src/engine.ts";

/** Engines that every memory test runs on. */
export const ENGINES = ["interpreter", "translator"] as const satisfies readonly NonNullable<
  BareMachineOptions["engine"]
>[];

/** Bits of page-table entries; SDM Vol. 3A, 4.5. */
export const P = 1n;
export const W = 2n;
export const U = 4n;
export const A = 0x20n;
export const D = 0x40n;
export const PS = 0x80n;
export const G = 0x100n;
export const NX = 1n << 63n;

/** Bits of the error code of #PF; SDM Vol. 3A, 4.7. */
export const Error = { P: 1, W: 2, U: 4, RSVD: 8, I: 16 } as const;

/** A bare machine with what only its tests may look at. */
export interface Inspected extends BareMachine {
  readonly processor: Processor;
  readonly memory: WebAssembly.Memory;
}

export async function openMachine(options: BareMachineOptions, load: LoadOptions = {}): Promise<Inspected> {
  return (await createBareMachineWith(options, load)) as Inspected;
}

/** Bytes of "48 89 07", with numbers in between for parts that vary. */
export function code(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string"
        ? part
            .split(/\s+/)
            .filter((text) => text !== "")
            .map((text) => Number.parseInt(text, 16))
        : [...part],
    ),
  );
}

/** Little-endian bytes of a number. */
export function le(value: bigint | number, bytes: 1 | 2 | 4 | 8): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return out.slice(0, bytes);
}

export function read64(machine: BareMachine, gpa: number): bigint {
  return new DataView(machine.read(gpa, 8).buffer).getBigUint64(0, true);
}

export function write64(machine: BareMachine, gpa: number, value: bigint): void {
  machine.write(gpa, le(value, 8));
}

export function write32(machine: BareMachine, gpa: number, value: number): void {
  machine.write(gpa, le(value, 4));
}

/** Where the tests put things, guest-physical; identity-mapped unless a test says otherwise. */
export const CODE = 0x1000;
export const STACK_TOP = 0x8000;
export const PML4 = 0x1_0000;
export const PDPT = 0x1_1000;
export const PD = 0x1_2000;
export const PT = 0x1_3000;

export interface RunOptions {
  readonly cpl?: 0 | 3;
  readonly state?: Partial<BareState>;
  readonly limit?: number;
}

/** Runs code at CODE until HLT or an exception; HLT at CPL 3 counts as the end, too. */
export function runCode(
  machine: BareMachine,
  bytes: Uint8Array,
  { cpl = 0, state = {}, limit = 10_000 }: RunOptions = {},
): BareExit {
  machine.write(CODE, code(bytes, "f4"));
  machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rflags: 2n, ...state, cpl });
  return machine.run({ maxInstructions: limit });
}

/** The #PF that a run must have ended with. */
export function pageFault(errorCode: number, cr2: bigint): object {
  return { reason: "exception", vector: 14, errorCode, cr2 };
}

/**
 * A long-mode machine with tables of its own: the first 2 MiB are mapped one to one with 4 KiB pages, writable, for users too.
 * PML4, PDPT, PD and PT are where the constants say.
 */
export async function longMachine(
  engine: NonNullable<BareMachineOptions["engine"]>,
  memoryBytes = 0x80_0000,
  load: LoadOptions = {},
): Promise<Inspected> {
  const machine = await openMachine({ memoryBytes, mode: "long", engine }, load);
  write64(machine, PML4, BigInt(PDPT) | P | W | U);
  write64(machine, PDPT, BigInt(PD) | P | W | U);
  write64(machine, PD, BigInt(PT) | P | W | U);
  for (let page = 0; page < 512; page++) write64(machine, PT + 8 * page, BigInt(page * 4096) | P | W | U);
  machine.setState({ cr3: BigInt(PML4) });
  return machine;
}

/** Drops everything the TLB holds, as tests that write tables from outside may rely on. */
export function flush(machine: BareMachine): void {
  machine.setState({ cr3: machine.getState().cr3 });
}

/** EFER of long mode with and without NX. */
export const EFER_LONG: bigint = Efer.SCE | Efer.LME | Efer.LMA;
export const EFER_LONG_NX: bigint = EFER_LONG | Efer.NXE;

export const CR0_PROTECTED = 0x33n;
export const CR0_PAGING = 0x8000_0033n;
export const CR0_WP = 0x1_0000n;
export const CR0_AM = 0x4_0000n;
export const CR4_PSE = 0x10n;
export const CR4_PAE = 0x20n;
export const CR4_PGE = 0x80n;
export const CR4_SMEP = 0x10_0000n;
export const CR4_SMAP = 0x20_0000n;
export const RFLAGS_AC = 0x4_0000n;
