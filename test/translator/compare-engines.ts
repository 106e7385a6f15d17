import { disassemble } from "../../jit/isa/format.ts";
import { FEATURES } from "../../runtime/abi/features.ts";
import { type BareExit, type BareMachine, createBareMachine } from "../../src/bare-machine.ts";
import { openBareGuest } from "../../src/bare-guest.ts";
import type { BareState } from "../../src/bare-state.ts";
import { CODE, DATA, DATA_BYTES, type Program } from "./random-program.ts";

/** The interpreter, which is the specification, and the translator beside it. */
export interface Engines {
  readonly interpreter: BareMachine;
  readonly translator: BareMachine;
}

export async function openEngines(): Promise<Engines> {
  const options = { memoryBytes: 0x4_0000, mode: "long" } as const;
  return {
    interpreter: await createBareMachine({ ...options, engine: "interpreter" }),
    translator: await openBareGuest(
      { ...options, engine: "translator", codeCacheBytes: undefined, cpu: undefined },
      { onFailure: (failure) => failures.push(failure) },
    ),
  };
}

/** How the translator has failed: a guest goes on in the interpreter, so nothing else would tell of it. */
const failures: string[] = [];

interface Outcome {
  readonly exit: BareExit;
  readonly state: BareState;
  readonly data: Uint8Array;
}

const written = new WeakMap<BareMachine, Uint8Array>();

/** Runs a program on one engine; `limits` are the instructions of one run after the other. */
function run(machine: BareMachine, program: Program, limits: readonly number[]): Outcome[] {
  // The same code again need not be translated again.
  if (written.get(machine) !== program.code) machine.write(CODE, program.code);
  written.set(machine, program.code);
  machine.write(DATA, program.data);
  machine.setState(program.state);
  const outcomes: Outcome[] = [];
  for (const maxInstructions of limits) {
    const exit = machine.run({ maxInstructions });
    outcomes.push({ exit, state: machine.getState(), data: machine.read(DATA, DATA_BYTES) });
    if (exit.reason !== "budget") break;
  }
  return outcomes;
}

/** The first difference between the engines, as text; undefined if they agree in everything. */
export function compareEngines(engines: Engines, program: Program, limits: readonly number[]): string | undefined {
  const expected = run(engines.interpreter, program, limits);
  const actual = run(engines.translator, program, limits);
  const failure = failures.pop();
  if (failure !== undefined) throw new Error(`${failure}\n${listing(program)}`);
  for (const [index, want] of expected.entries()) {
    const got = actual[index];
    const rows = got ? differences(want, got) : ["missing"];
    if (rows.length > 0) return `run ${index}:\n${rows.join("\n")}\n${listing(program)}`;
  }
  return undefined;
}

function differences(want: Outcome, got: Outcome): string[] {
  const rows: string[] = [];
  const row = (name: string, a: unknown, b: unknown): void => {
    const [left, right] = [show(a), show(b)];
    if (left !== right) rows.push(`${name}: interpreter ${left}, translator ${right}`);
  };
  for (const key of new Set([...Object.keys(want.exit), ...Object.keys(got.exit)]) as Set<keyof BareExit>)
    row(key, want.exit[key], got.exit[key]);
  for (const key of Object.keys(want.state) as (keyof BareState)[]) row(key, want.state[key], got.state[key]);
  const at = want.data.findIndex((byte, index) => byte !== got.data[index]);
  if (at >= 0)
    rows.push(
      `memory at 0x${(DATA + at).toString(16)}: interpreter ${show(want.data.slice(at, at + 16))}, translator ${show(got.data.slice(at, at + 16))}`,
    );
  return rows;
}

function show(value: unknown): string {
  if (typeof value === "bigint" || typeof value === "number") return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return [...value].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString(16) : part));
}

/** The program as text, without the code that fills the TLB and the HLT behind it. */
export function listing({ code }: Program): string {
  const end = code.findLastIndex((byte) => byte !== 0xf4) + 2;
  const lines = disassemble(code.subarray(0x200, Math.max(end, 0x201)), 64, BigInt(CODE + 0x200), new Set(FEATURES));
  return [...lines]
    .map(({ address, bytes, text }) => `  ${address.toString(16)}  ${show(bytes).padEnd(24)}  ${text}`)
    .join("\n");
}
