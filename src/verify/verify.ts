import type { BareMachine, BareMachineOptions } from "../bare-machine.ts";
import type { LoadOptions } from "../engine.ts";
import { readLinear } from "./guest-memory.ts";
import { locate } from "./locate.ts";
import {
  type Agreement,
  type LockstepOptions,
  narrowToChunk,
  narrowToSlice,
  Pair,
  runToChunk,
  scan,
  type Window,
} from "./lockstep.ts";
import type { Difference } from "./report.ts";
import { codeSizeOf, linearRip } from "./state-compare.ts";
import { type BootOptions, bareSubjects, bootSubjects, type SubjectMaker } from "./subject.ts";

export type VerifyResult = { readonly agreement: Agreement } | { readonly difference: Difference };

export interface VerifyOptions extends LockstepOptions {
  /** what is being done now, for whoever waits */
  readonly onNote?: (text: string) => void;
  /** when "tiered" translates, and what stands before the compiler */
  readonly load?: LoadOptions;
}

const CODE_BYTES = 96;

/**
 * Boots a kernel on two machines, on the interpreter and on another engine, and compares them all the way. Guest time counts
 * instructions, so that each pass is like the first: a difference is narrowed down by further passes.
 */
export function verifyBoot(boot: BootOptions, options: VerifyOptions): Promise<VerifyResult> {
  return verify(bootSubjects(boot, options.load), options);
}

/** The same for a program on bare machines. */
export function verifyProgram(
  machine: Omit<BareMachineOptions, "engine">,
  prepare: (machine: BareMachine) => void,
  options: VerifyOptions,
): Promise<VerifyResult> {
  return verify(bareSubjects(machine, prepare, options.load), options);
}

async function verify(make: SubjectMaker, options: VerifyOptions): Promise<VerifyResult> {
  const { engine, untilInstructions: until, onNote = () => undefined } = options;
  const result = await scan(await Pair.open(make, engine), options);
  if (!("mismatch" in result)) return { agreement: result };
  onNote(`a difference between instructions ${result.from} and ${result.to}; looking for its place`);
  const slice = narrowToSlice(await Pair.open(make, engine), result, until);
  if (!slice) return { difference: await unlocated(make, options, result) };
  onNote(`between ${slice.from} and ${slice.to}`);
  const chunk = narrowToChunk(await Pair.open(make, engine), slice, until);
  if (!chunk) return { difference: await unlocated(make, options, slice) };
  onNote(`between ${chunk.from} and ${chunk.to}`);
  const pair = await Pair.open(make, engine);
  runToChunk(pair, slice, chunk, until);
  const code = codeAt(pair);
  const located = await locate(
    pair.reference,
    pair.candidate.regions,
    chunk.mismatch.pages,
    Number(chunk.to - chunk.from),
  );
  return { difference: { engine, window: chunk, located, code } };
}

async function unlocated(make: SubjectMaker, { engine }: VerifyOptions, window: Window): Promise<Difference> {
  // Once more on the interpreter alone, for the code that it ran.
  const reference = await make("interpreter");
  reference.advance(window.from);
  return { engine, window, located: undefined, code: codeAt({ reference }) };
}

function codeAt({ reference }: Pick<Pair, "reference">): Difference["code"] {
  const gva = linearRip(reference.state);
  const bytes = readLinear(reference.ram, reference.processor.cpu.state, gva, CODE_BYTES);
  return { gva, bytes, size: codeSizeOf(reference.state) };
}
