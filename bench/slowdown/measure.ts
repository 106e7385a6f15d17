import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Availability, Engine, Launch, Plan, PlanItem } from "../peers/engine.ts";
import { scratchDirectory } from "../peers/native.ts";
import { buildProgram } from "./programs.ts";
import { type BootTimeline, runLaunch, type Sample } from "./session.ts";
import type { Selection, Suite } from "./suites.ts";

/** A repetition, and where it belongs. */
export interface RoundSample extends Sample {
  /** counted from 1 */
  readonly round: number;
}

/** All that came of one engine. */
export interface EngineRun {
  readonly engine: Engine;
  readonly availability: Availability;
  readonly samples: readonly RoundSample[];
  readonly boots: readonly BootTimeline[];
  /** suites that were left out, with the reason */
  readonly leftOut: ReadonlyMap<Suite, string>;
  readonly failures: readonly string[];
  readonly notes: readonly string[];
}

export interface MeasureOptions {
  readonly selection: Selection;
  readonly engines: readonly Engine[];
  readonly rounds: number;
  /** of each workload in a round, at most */
  readonly repetitions: number;
  /** a workload is not repeated after so many seconds, see bench/workloads/harness/harness.c */
  readonly secondsPerWorkload: number;
  readonly quick: boolean;
  readonly matrixOrder: number | undefined;
  readonly signal: AbortSignal;
}

/** Told what goes on. */
export interface Observer {
  note(line: string): void;
  /**
   * @param engines that will run, in each round
   * @param workloadsOf how many workloads an engine runs in a round
   */
  begin(engines: readonly Engine[], workloadsOf: (engine: Engine) => number): void;
  start(engine: Engine, round: number): void;
  workload(engine: Engine, workload: string, repetition: number): void;
  /** an engine has ended what it does in a round */
  finish(engine: Engine): void;
}

/**
 * What every program gets, whatever runs it, so that equal work gives equal bits: one kernel of OpenBLAS that needs no more than SSE3,
 * no threads, and of the C library's functions the ones for every x86-64 processor, not those with FMA that some processors get.
 */
export const PROGRAM_ENVIRONMENT: Readonly<Record<string, string>> = {
  OPENBLAS_CORETYPE: "Prescott",
  OPENBLAS_NUM_THREADS: "1",
  GLIBC_TUNABLES: "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4",
};

/** A virtual machine that says nothing for so long has stopped. */
const STALL_MS = 300_000;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

interface Preparation {
  readonly run: Mutable<EngineRun>;
  readonly items: readonly PlanItem[];
}

/**
 * Runs every workload on every engine, round by round, so that what disturbs the machine for a while disturbs them all.
 *
 * @throws {VmError} ERR_TOOL when the programs cannot be built
 */
export async function measure(options: MeasureOptions, observer: Observer): Promise<readonly EngineRun[]> {
  const prepared: Preparation[] = [];
  for (const engine of options.engines) {
    if (options.signal.aborted) break;
    observer.note(`looking at ${engine.name}`);
    const availability = await engine.probe();
    const leftOut = new Map<Suite, string>();
    const items = availability.usable ? await itemsFor(engine, options, leftOut) : [];
    const notes = availability.usable ? [...(availability.notes ?? [])] : [];
    prepared.push({ run: { engine, availability, samples: [], boots: [], leftOut, failures: [], notes }, items });
  }
  const running = prepared.filter(({ items }) => items.length > 0);
  observer.begin(
    running.map(({ run }) => run.engine),
    (engine) => {
      const items = running.find(({ run }) => run.engine === engine)?.items ?? [];
      return items.reduce((count, { suite }) => count + (options.selection.get(suite)?.length ?? 0), 0);
    },
  );
  for (let round = 1; round <= options.rounds; round++) {
    // Back and forth: no engine is always the first after another.
    for (const preparation of round % 2 === 1 ? running : running.toReversed()) {
      if (options.signal.aborted) return prepared.map(({ run }) => run);
      observer.start(preparation.run.engine, round);
      await runRound(preparation, round, options, observer);
      observer.finish(preparation.run.engine);
    }
  }
  return prepared.map(({ run }) => run);
}

/** Builds what an engine is to run. Without the 64-bit programs there is nothing to measure; a 32-bit one that is missing is left out. */
async function itemsFor(
  engine: Engine,
  options: MeasureOptions,
  leftOut: Map<Suite, string>,
): Promise<readonly PlanItem[]> {
  const items: PlanItem[] = [];
  for (const [suite, workloads] of options.selection) {
    const reason = engine.cannotRun?.[suite];
    if (reason !== undefined) {
      leftOut.set(suite, reason);
      continue;
    }
    try {
      const program = await buildProgram(suite, engine.word);
      items.push({ suite, program, args: argumentsFor(workloads, options) });
    } catch (error) {
      if (engine.word === 64) throw error;
      leftOut.set(suite, error instanceof Error ? error.message : String(error));
    }
  }
  return items;
}

function argumentsFor(workloads: readonly string[], options: MeasureOptions): readonly string[] {
  return [
    ...(options.quick ? ["--quick"] : []),
    ...["--reps", String(options.repetitions), "--seconds", String(options.secondsPerWorkload)],
    ...(options.matrixOrder === undefined ? [] : ["--n", String(options.matrixOrder)]),
    ...workloads,
  ];
}

async function runRound(
  { run, items }: Preparation,
  round: number,
  options: MeasureOptions,
  observer: Observer,
): Promise<void> {
  const { engine } = run;
  const folder = await mkdtemp(join(scratchDirectory(), "umbra-bench-"));
  try {
    const plan: Plan = { items, environment: PROGRAM_ENVIRONMENT, folder };
    for (const launch of await engine.launches(plan)) {
      if (options.signal.aborted) return;
      await runOne(run, launch, round, options, observer);
    }
  } catch (error) {
    run.failures.push(`round ${round}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runOne(
  run: Mutable<EngineRun>,
  launch: Launch,
  round: number,
  options: MeasureOptions,
  observer: Observer,
): Promise<void> {
  const outcome = await runLaunch(launch, {
    stallMs: STALL_MS,
    signal: options.signal,
    onBegin: (workload, repetition) => observer.workload(run.engine, workload, repetition),
    onSample: (sample) => run.samples.push({ ...sample, round }),
  });
  if (launch.kind === "machine" && outcome.boot.init !== undefined) run.boots.push(outcome.boot);
  for (const note of outcome.notes) if (!run.notes.includes(note)) run.notes.push(note);
  if (options.signal.aborted) return;
  const where = `round ${round}, ${launch.suites.join(", ")}`;
  run.failures.push(...outcome.failures.map((why) => `${where}: ${why}`));
  if (outcome.problem !== undefined) run.failures.push(`${where}: ${outcome.problem}`);
}
