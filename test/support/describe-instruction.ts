import { beforeAll, describe, expect, it as vitestIt } from "vitest";
import { createDecoder } from "../../jit/isa/decode.ts";
import { format } from "../../jit/isa/format.ts";
import type { CodeSize } from "../../jit/isa/instruction.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import { definitions, type Mnemonic } from "../../jit/semantics/registry.ts";
import { Rflags, Vector } from "../../runtime/abi/guest-state.ts";
import { type BareMachine, type BareMode, createBareMachine } from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";

/** Where the snippet lies; the rest of its page is HLT. */
export const CODE = 0x1_0000;
/** Two pages that can be read and written, then one that can only be read, then nothing. */
export const DATA = 0x2_0000;
export const READ_ONLY = 0x2_2000;
export const UNMAPPED = 0x2_3000;
/** Top of a page of stack. */
export const STACK_TOP = 0x3_1000;
const STACK = 0x3_0000;
const MEMORY_BYTES = 0x4_0000;

const HLT = 0xf4;
const STATUS = ["CF", "PF", "AF", "ZF", "SF", "OF"] as const;
const CONTROL = ["TF", "IF", "DF", "IOPL", "NT", "AC", "ID"] as const;
type FlagName = (typeof STATUS)[number] | (typeof CONTROL)[number];
const FLAGS: readonly FlagName[] = [...STATUS, ...CONTROL];

// prettier-ignore
const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const;
type Register = (typeof REGISTERS)[number];

export interface Snippet {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A snippet as a listing has it: bytes in hexadecimal, two blanks, Intel syntax. */
export function x86(source: TemplateStringsArray): Snippet {
  const [hex = "", text = ""] = (source[0] ?? "").split("  ");
  return { bytes: Uint8Array.from(hex.split(" "), (byte) => parseInt(byte, 16)), text: text.trim() };
}

type Registers = { readonly [Name in Register]?: bigint | number };

export interface Side extends Registers {
  /** the flags that are set: "CF ZF"; afterwards, without it, they must be what they were */
  readonly flags?: string;
  /** bytes by linear address */
  readonly memory?: Readonly<Record<number, readonly number[]>>;
}

export interface InstructionCase {
  readonly code: Snippet;
  readonly mode?: BareMode;
  /** instructions, and repetitions of one, that it may take to get to the HLT behind the snippet */
  readonly budget?: number;
  readonly before?: Side;
  /** the stack pointer is STACK_TOP unless given; registers, flags and memory that are not named must not change */
  readonly after?: Side & { readonly rip?: number };
  readonly fault?: { readonly vector: `#${keyof typeof Vector}`; readonly errorCode?: number; readonly cr2?: number };
}

type It = (name: string, test: InstructionCase) => void;

const CODE_SIZE: Readonly<Record<BareMode, CodeSize>> = { long: 64, protected: 32, real: 16 };

/** Describes what an instruction does by cases; each is run by every engine. */
export function describeInstruction(mnemonic: Mnemonic, body: (it: It) => void): void {
  describe(mnemonic, () => {
    const machines = new Map<BareMode, BareMachine>();
    const modes = new Set<BareMode>();
    beforeAll(async () => {
      for (const mode of modes) machines.set(mode, await openMachine(mode));
    });
    body((name, test) => {
      const { code, mode = "long" } = test;
      modes.add(mode);
      vitestIt(`${name}: ${code.text}`, () => {
        expect(listing(code, CODE_SIZE[mode])).toBe(code.text);
        const machine = machines.get(mode);
        if (!machine) throw new Error("the machine was not made");
        runCase(machine, mnemonic, test);
      });
    });
  });
}

const decoder = createDecoder(new Set(FEATURES));

function listing({ bytes }: Snippet, codeSize: CodeSize): string {
  const instruction = decoder.decode(bytes, 0, bytes.length, codeSize);
  return typeof instruction === "string" ? instruction : format(instruction, BigInt(CODE));
}

async function openMachine(mode: BareMode): Promise<BareMachine> {
  const machine = await createBareMachine({ memoryBytes: MEMORY_BYTES, mode });
  if (mode !== "long") return machine;
  machine.map(CODE, CODE, 0x1000, { execute: true });
  machine.map(DATA, DATA, 0x2000, { write: true });
  machine.map(READ_ONLY, READ_ONLY, 0x1000);
  machine.map(STACK, STACK, 0x1000, { write: true });
  machine.setState({ cr0: machine.getState().cr0 | 0x1_0000n });
  return machine;
}

/** Flags that the definition leaves undefined are not looked at, unless the case faults. */
function runCase(
  machine: BareMachine,
  mnemonic: Mnemonic,
  { code, budget = 10_000, before = {}, after = {}, fault }: InstructionCase,
): void {
  const memory = new Uint8Array(MEMORY_BYTES - DATA);
  place(memory, before.memory);
  machine.write(DATA, memory);
  machine.write(CODE, new Uint8Array(0x1000).fill(HLT));
  machine.write(CODE, code.bytes);
  const start: Record<string, bigint> = { rip: BigInt(CODE), rflags: flagBits(before.flags ?? "") };
  for (const name of REGISTERS) start[name] = BigInt(before[name] ?? (name === "rsp" ? STACK_TOP : 0));
  machine.setState(start as Partial<BareState>);

  const exit = machine.run({ maxInstructions: budget });
  const state = machine.getState();

  const expectedExit = fault
    ? { reason: "exception", vector: fault.vector, errorCode: fault.errorCode, cr2: fault.cr2 }
    : { reason: "halt", vector: undefined, errorCode: undefined, cr2: undefined };
  const vector = Object.entries(Vector).find(([, number]) => number === exit.vector)?.[0];
  expect({
    reason: exit.reason,
    vector: vector === undefined ? undefined : `#${vector}`,
    errorCode: fault?.errorCode === undefined ? undefined : exit.errorCode,
    cr2: fault?.cr2 === undefined ? undefined : Number(exit.cr2),
  }).toEqual(expectedExit);

  const expected: Record<string, string> = {};
  const actual: Record<string, string> = {};
  const compare = (name: string, want: string, got: string): void => {
    expected[name] = want;
    actual[name] = got;
  };
  // HLT leaves RIP behind itself.
  const rip = Number(state.rip) - (fault ? 0 : 1);
  compare("rip", hex(after.rip ?? CODE + (fault ? 0 : code.bytes.length)), hex(rip));
  for (const name of REGISTERS)
    compare(name, hex(BigInt.asUintN(64, BigInt(after[name] ?? start[name] ?? 0n))), hex(state[name]));
  const ignored = fault ? 0n : flagBits(definitions[mnemonic]?.flags?.undefined ?? "");
  const wanted = flagBits(after.flags ?? before.flags ?? "");
  compare("flags", flagNames(wanted & ~ignored), flagNames(state.rflags & ~ignored));
  place(memory, after.memory);
  const left = machine.read(DATA, memory.length);
  for (let at = 0; at < memory.length; at++) {
    if (memory[at] !== left[at]) compare(`[${hex(DATA + at)}]`, hex(memory[at] ?? 0), hex(left[at] ?? 0));
  }
  expect(actual).toEqual(expected);
}

function place(memory: Uint8Array, spans: Side["memory"] = {}): void {
  for (const [gva, bytes] of Object.entries(spans)) memory.set(bytes, Number(gva) - DATA);
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

function flagBits(names: string): bigint {
  let bits: number = Rflags.ONE;
  for (const name of names.split(" ").filter(Boolean)) bits |= Rflags[name as FlagName];
  return BigInt(bits);
}

function flagNames(rflags: bigint): string {
  return FLAGS.filter((name) => Number(rflags) & Rflags[name]).join(" ");
}
