import type { EngineRun } from "../slowdown/measure.ts";
import { VmError } from "../../src/errors.ts";
import type { Environment } from "../slowdown/environment.ts";
import { median } from "../slowdown/statistics.ts";
import type { Suite } from "../slowdown/suites.ts";
import { isSound, type ResultRow, resultRows, type SuiteRow, suiteRows } from "./results.ts";

export const FORMAT = "umbra-slowdown";
export const FORMAT_VERSION = 1;

/** What is said of an engine, also of one that could not run. */
export interface EngineRow {
  readonly engine: string;
  readonly about: string;
  readonly word: 32 | 64;
  readonly usable: boolean;
  readonly version: string;
  /** why it did not run, and how to change that; "" when it did */
  readonly reason: string;
  readonly install: string;
  readonly leftOut: readonly { readonly suite: string; readonly reason: string }[];
  readonly failures: readonly string[];
  readonly notes: readonly string[];
}

/** A start of a virtual machine: medians of the rounds, in seconds from the start of its process. */
export interface BootRow {
  readonly engine: string;
  /** first byte on the serial console: the kernel has one */
  readonly firstOutput: number | null;
  /** first process of the guest */
  readonly init: number;
  readonly firstWorkload: number | null;
  readonly cpuSecondsToInit: number | null;
}

/** All of a measurement: what --json writes. */
export interface Report {
  readonly format: typeof FORMAT;
  readonly version: typeof FORMAT_VERSION;
  readonly header: Environment & {
    readonly quick: boolean;
    readonly rounds: number;
    readonly repetitions: number;
    readonly matrixOrder: number | null;
    readonly interrupted: boolean;
    readonly minutes: number;
    readonly programEnvironment: Readonly<Record<string, string>>;
  };
  readonly engines: readonly EngineRow[];
  readonly results: readonly ResultRow[];
  readonly suites: readonly SuiteRow[];
  readonly boots: readonly BootRow[];
}

/** Puts a measurement into the shape of a report. */
export function makeReport(
  header: Report["header"],
  runs: readonly EngineRun[],
  suites: readonly Suite[],
  referenceOf: (engine: string) => string,
): Report {
  const results = resultRows(runs, referenceOf);
  return {
    format: FORMAT,
    version: FORMAT_VERSION,
    header,
    engines: runs.map(engineRow),
    results,
    suites: suiteRows(
      results,
      suites,
      runs.map(({ engine }) => engine.name),
    ),
    boots: runs.flatMap(bootRow),
  };
}

function engineRow({ engine, availability, leftOut, failures, notes }: EngineRun): EngineRow {
  return {
    engine: engine.name,
    about: engine.about,
    word: engine.word,
    usable: availability.usable,
    version: availability.usable ? availability.version : "",
    reason: availability.usable ? "" : availability.reason,
    install: availability.usable ? "" : availability.install,
    leftOut: [...leftOut].map(([suite, reason]) => ({ suite, reason })),
    failures,
    notes,
  };
}

function bootRow({ engine, boots }: EngineRun): BootRow[] {
  const values = (pick: (boot: EngineRun["boots"][number]) => number | undefined): number | null => {
    const known = boots.map(pick).filter((value) => value !== undefined);
    return known.length === 0 ? null : median(known);
  };
  const init = values((boot) => boot.init);
  if (init === null) return [];
  return [
    {
      engine: engine.name,
      firstOutput: values((boot) => boot.firstOutput),
      init,
      firstWorkload: values((boot) => boot.firstWorkload),
      cpuSecondsToInit: values((boot) => boot.processorSecondsToInit),
    },
  ];
}

/** What makes a measurement a failed one, a line each: wrong results, and engines that are there and did not finish. */
export function complaints({ results, engines }: Report): string[] {
  const wrong = results
    .filter((row) => !isSound(row))
    .map(({ suite, workload, engine, hashEqual, residual }) => {
      const why = hashEqual ? `its residual is ${residual.toPrecision(3)}` : "its bits differ from the native run's";
      return `${engine}: ${suite}/${workload} is wrong: ${why}`;
    });
  return [...wrong, ...engines.flatMap(({ engine, failures }) => failures.map((failure) => `${engine}: ${failure}`))];
}

/**
 * Reads what --json wrote.
 *
 * @param name of the file, for the message
 * @throws {VmError} ERR_CONFIG when it is something else
 */
export function parseReport(name: string, text: string): Report {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new VmError("ERR_CONFIG", `${name} is not JSON`, { cause });
  }
  const report = parsed as Partial<Report> | null;
  if (typeof report !== "object" || report?.format !== FORMAT || !Array.isArray(report.results)) {
    throw new VmError("ERR_CONFIG", `${name} is no report of npm run bench -- slowdown --json`);
  }
  if (report.version !== FORMAT_VERSION) {
    throw new VmError("ERR_CONFIG", `${name} has version ${report.version} of the format, expected ${FORMAT_VERSION}`);
  }
  return report as Report;
}
