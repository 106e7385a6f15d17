import { beforeAll, describe, expect, it } from "vitest";
import { disassemble } from "../../jit/isa/format.ts";
import { FEATURES } from "../../runtime/abi/features.ts";
import type { TranslateRequest, Translator } from "../../runtime/abi/translator.ts";
import type { BareExit, BareMachine } from "../../src/bare-machine.ts";
import type { Engine, LoadOptions } from "../../src/engine.ts";
import type { BareState } from "../../src/bare-state.ts";
import { differences } from "../fuzz/support.ts";
import { type Inspected, openMachine } from "../mmu/support.ts";
import { Prng } from "../oracle/prng.ts";
import { DATA_END, type FaultingProgram, faultingProgram, FIRST_CODE, PAGES, SECOND_CODE } from "./faulting-program.ts";
import { DATA } from "./random-program.ts";

// Exceptions, and stops at random counts of instructions, in translated code: at each the whole state must be the interpreter's.

/** A longer run: TRANSLATOR_PROGRAMS=20000 npm test -- test/translator; TRANSLATOR_SEED shows other programs */
const PROGRAMS = Number(process.env["TRANSLATOR_PROGRAMS"] ?? 150);
const SEED = Number(process.env["TRANSLATOR_SEED"] ?? 0);
const STOPS = 8;

/** Under "tiered" regions become wide soon: they span both pages, and follow indirect branches. */
const SOON: LoadOptions = {
  hotAfter: 2,
  widenAfter: 3,
  batch: 1,
  wrapTranslator: (translator) => guessing(translator),
};

/** Has indirect branches look for all blocks of their regions, wherever they were seen to lead: a guess may be as wrong as it likes. */
function guessing(translator: Translator): Translator {
  return {
    begin: () => {
      const batch = translator.begin();
      const add = (request: TranslateRequest): void => {
        const { targets, blocks = [] } = request;
        const all = [...(targets ?? [])].map(([branch, places]) => [branch, [...places, ...blocks]] as const);
        batch.add({ ...request, ...(targets && { targets: new Map(all) }) });
      };
      return { add, finish: () => batch.finish() };
    },
  };
}

async function open(engine: Engine): Promise<Inspected> {
  const machine = await openMachine({ memoryBytes: 0x4_0000, mode: "long", engine }, SOON);
  for (const page of [FIRST_CODE, SECOND_CODE]) machine.map(page, page, 0x1000, { execute: true });
  for (const page of PAGES.writable) machine.map(page, page, 0x1000, { write: true });
  machine.map(PAGES.readOnly, PAGES.readOnly, 0x1000);
  const { cr0 } = machine.getState();
  machine.setState({ cr0: cr0 | 0x1_0000n });
  return machine;
}

function load(machine: BareMachine, program: FaultingProgram): void {
  for (const [page, bytes] of program.code) machine.write(page, bytes);
  machine.write(DATA, program.data);
  machine.setState({ cr2: 0n, ...program.state });
}

/** Instructions of the interpreter's code around an address. */
function listing(machine: BareMachine, rip: bigint, starts: readonly number[]): string {
  const from = starts.filter((start) => BigInt(start) <= rip).slice(-12)[0] ?? FIRST_CODE;
  const lines = [...disassemble(machine.read(from, 0x100), 64, BigInt(from), new Set(FEATURES))];
  return lines
    .slice(0, 24)
    .map(({ address, text }) => `  ${address.toString(16)}  ${text}`)
    .join("\n");
}

describe.each(["translator", "tiered"] as const)("exceptions and stops in translated code: %s", (engine) => {
  let interpreter: Inspected;
  let translator: Inspected;
  beforeAll(async () => {
    interpreter = await open("interpreter");
    translator = await open(engine);
  });

  it("are precise in random programs", { timeout: PROGRAMS * 400 + 60_000 }, () => {
    const seen = { exceptions: 0, budgets: 0, instructions: 0 };
    for (let index = 0; index < PROGRAMS; index++) {
      const seed = (SEED * 1_000_003 + index) * 7919 + 5;
      const prng = new Prng(seed);
      const program = faultingProgram(prng, 8 + prng.below(60));
      load(interpreter, program);
      load(translator, program);
      for (let stop = 0; stop < STOPS; stop++) {
        const before = interpreter.getState();
        const maxInstructions = prng.chance(30) ? 1 + prng.below(70) : 1 + prng.below(4000);
        const want = runExactly(interpreter, maxInstructions);
        const got = runExactly(translator, maxInstructions);
        const rows = compare(want, got);
        if (rows.length > 0)
          expect.fail(
            `program ${index} (seed ${SEED}), stop ${stop}, limit ${maxInstructions}, from rip ${before.rip.toString(16)}:\n` +
              `${rows.join("\n")}\n${listing(interpreter, interpreter.getState().rip, program.starts)}`,
          );
        seen.instructions += want.instructions;
        if (want.reason === "budget") seen.budgets++;
        else seen.exceptions++;
        if (want.reason === "budget") continue;
        // Goes on somewhere else, with bases that may be good now.
        const change: Partial<BareState> = {
          rip: BigInt(prng.pick(program.starts)),
          rsp: BigInt(DATA + 0x2800),
          [`r${12 + prng.below(4)}`]: BigInt(DATA + 16 * prng.below(0x100)),
          ...(want.vector === 19 ? { mxcsr: 0x1f80 } : {}),
          ...(want.vector === 16 ? { fcw: 0x37f, fsw: 0 } : {}),
        };
        interpreter.setState(change);
        translator.setState(change);
      }
    }
    // Otherwise the programs are not what this test is for.
    expect(seen.exceptions).toBeGreaterThan(PROGRAMS);
    expect(seen.budgets).toBeGreaterThan(PROGRAMS / 4);
    expect(translator.processor.exits.translate).toBeGreaterThan(PROGRAMS);
    if (engine === "tiered") expect(translator.processor.translation?.stats.widened).toBeGreaterThan(PROGRAMS / 4);
  });

  function compare(want: BareExit, got: BareExit): string[] {
    const rows = differences(interpreter.getState(), translator.getState());
    if (JSON.stringify(exitText(want)) !== JSON.stringify(exitText(got)))
      rows.unshift(`exit: ${JSON.stringify(exitText(want))} and ${JSON.stringify(exitText(got))}`);
    const [left, right] = [interpreter.read(DATA, DATA_END - DATA), translator.read(DATA, DATA_END - DATA)];
    const at = left.findIndex((byte, index) => byte !== right[index]);
    if (at >= 0) rows.push(`memory at 0x${(DATA + at).toString(16)}: ${left[at]} and ${right[at]}`);
    return rows;
  }
});

/**
 * A run may end early, in the middle of a string instruction, when very many repetitions have retired nothing; which one it is
 * depends on how the engine splits the run. Going on brings both to the same instruction.
 */
function runExactly(machine: BareMachine, limit: number): BareExit {
  let instructions = 0;
  for (;;) {
    const exit = machine.run({ maxInstructions: limit - instructions });
    instructions += exit.instructions;
    if (exit.reason !== "budget" || instructions === limit) return { ...exit, instructions };
  }
}

function exitText({ cr2, ...rest }: BareExit): object {
  return { ...rest, cr2: cr2?.toString(16) };
}
