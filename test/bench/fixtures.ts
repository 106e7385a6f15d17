import type { Engine } from "../../bench/peers/engine.ts";
import { makeReport, type Report } from "../../bench/report/report.ts";
import type { EngineRun, RoundSample } from "../../bench/slowdown/measure.ts";
import type { Suite } from "../../bench/slowdown/suites.ts";

/** A repetition of fp/fft that took a second, with the fields that a test names. */
export function sample(fields: Partial<RoundSample> = {}): RoundSample {
  const seconds = fields.seconds ?? 1;
  return {
    workload: "fp/fft",
    repetition: 1,
    round: 1,
    wallSeconds: seconds,
    hostSeconds: seconds,
    cpuSeconds: seconds,
    processorSeconds: seconds,
    seconds,
    rate: 100 / seconds,
    unit: "MFLOP/s",
    residual: 1,
    hash: "00000000deadbeef",
    ...fields,
  };
}

export function engineNamed(name: string): Engine {
  return {
    name,
    about: `the engine ${name}`,
    word: 64,
    expectedSlowdown: 10,
    expectedStart: 1,
    probe: () => Promise.resolve({ usable: true, version: "1" }),
    launches: () => Promise.resolve([]),
  };
}

export function runOf(name: string, samples: readonly RoundSample[], fields: Partial<EngineRun> = {}): EngineRun {
  return {
    engine: engineNamed(name),
    availability: { usable: true, version: "1" },
    samples,
    boots: [],
    leftOut: new Map(),
    failures: [],
    notes: [],
    ...fields,
  };
}

export const HEADER: Report["header"] = {
  date: "2026-11-25T12:00:00.000Z",
  umbra: "0.1.0",
  commit: "0123456789ab",
  cpu: "a processor",
  cores: 2,
  memoryMib: 1024,
  hostKernel: "6.1.0",
  node: "v26.10.0",
  v8: "14",
  gcc: "gcc 12",
  loadAtStart: 0.1,
  quick: true,
  rounds: 1,
  repetitions: 3,
  matrixOrder: null,
  interrupted: false,
  minutes: 1,
  programEnvironment: {},
};

export function reportOf(runs: readonly EngineRun[], suites: readonly Suite[] = ["fp"]): Report {
  return makeReport(HEADER, runs, suites, () => "native");
}
