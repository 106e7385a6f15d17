import type { EngineRun, RoundSample } from "../slowdown/measure.ts";
import { geometricMean, median, overlap, type Range, rangeOf, ratioOf, spreadOf } from "../slowdown/statistics.ts";
import type { Suite } from "../slowdown/suites.ts";

/** One workload on one engine. docs/benchmarks.md describes the fields. */
export interface ResultRow {
  readonly suite: string;
  readonly workload: string;
  readonly engine: string;
  /** best pass of a round, the median of the rounds */
  readonly seconds: number;
  /** processor seconds of those passes */
  readonly cpuSeconds: number;
  /** `seconds` by those of the native run; null without a native run */
  readonly slowdown: number | null;
  /** smallest and largest slowdown that the measured values allow */
  readonly slowdownLow: number | null;
  readonly slowdownHigh: number | null;
  readonly cpuSlowdown: number | null;
  /** (slowest - fastest) / median of the best passes; null when there is but one value, which is then taken to be right to 10 % */
  readonly spread: number | null;
  /** every repetition gave the same bits as the native run of the same program */
  readonly hashEqual: boolean;
  readonly residual: number;
  /** of the first pass of a round, with everything cold: the median of the rounds */
  readonly firstSeconds: number;
  /** of the first, second, ... pass: the medians of the rounds */
  readonly passes: readonly number[];
  readonly rate: number;
  readonly unit: string;
  readonly rounds: number;
}

/** One suite on one engine: geometric means. */
export interface SuiteRow {
  readonly suite: string;
  readonly engine: string;
  readonly workloads: number;
  readonly slowdown: number;
  readonly slowdownLow: number;
  readonly slowdownHigh: number;
  /** null where all processor times are below the resolution of the clock */
  readonly cpuSlowdown: number | null;
  /** of the first passes */
  readonly firstSlowdown: number;
  /** another engine whose range this one's overlaps: the difference is no more than the noise */
  readonly withinNoiseOf: readonly string[];
}

/** A residual above this is no rounding error any more. */
const RESIDUAL_LIMIT = 100;
const NATIVE = "native";
/** What a value may be off by when nothing says how much it is. */
const ASSUMED_NOISE = 0.1;

function bySample<Key>(samples: readonly RoundSample[], key: (sample: RoundSample) => Key): Map<Key, RoundSample[]> {
  return Map.groupBy(samples, key);
}

function splitName(name: string): { suite: string; workload: string } {
  const [suite = "", workload = ""] = name.split("/");
  return { suite, workload };
}

/** What is certain about one workload on one engine, before it is compared with another. */
interface Measured {
  readonly best: Range;
  readonly spread: number | null;
  readonly cpu: number;
  readonly first: number;
  readonly passes: readonly number[];
  readonly rate: number;
  readonly rounds: number;
}

/** @param samples of one workload on one engine, at least one */
function measured(samples: readonly RoundSample[]): Measured {
  const rounds = [...bySample(samples, ({ round }) => round).values()];
  const bestPasses = rounds.map((passes) => passes.reduce((best, pass) => (pass.seconds < best.seconds ? pass : best)));
  const bests = bestPasses.map(({ seconds }) => seconds);
  // One round says nothing about its spread: then the passes after the first do.
  const warm = samples.filter(({ repetition }) => repetition > 1).map(({ seconds }) => seconds);
  const spreadFrom = rounds.length > 1 || warm.length === 0 ? bests : [...warm, ...bests];
  const byPass = bySample(samples, ({ repetition }) => repetition);
  const seconds = median(bests);
  const known = spreadFrom.length > 1;
  const best = known
    ? { ...rangeOf(spreadFrom), median: seconds }
    : { median: seconds, low: seconds * (1 - ASSUMED_NOISE), high: seconds * (1 + ASSUMED_NOISE) };
  return {
    best,
    spread: known ? spreadOf(best) : null,
    cpu: median(bestPasses.map(({ processorSeconds }) => processorSeconds)),
    first: median(rounds.map((passes) => passes[0]?.seconds ?? NaN)),
    passes: [...byPass.entries()]
      .toSorted(([left], [right]) => left - right)
      .map(([, passes]) => median(passes.map(({ seconds }) => seconds))),
    rate: median(bestPasses.map(({ rate, wallSeconds, seconds }) => (rate * wallSeconds) / seconds)),
    rounds: rounds.length,
  };
}

/** Whether a computation came out as it must. */
export function isSound(row: ResultRow): boolean {
  return row.hashEqual && row.residual <= RESIDUAL_LIMIT;
}

/** Ratio, or null where it means nothing: without a native time, or with a processor time below the clock's resolution. */
function ratio(above: number, below: number | undefined): number | null {
  return below === undefined || !(below > 0) ? null : above / below;
}

/**
 * Turns repetitions into rows.
 *
 * @param referenceOf name of the engine whose bits another's must equal
 */
export function resultRows(runs: readonly EngineRun[], referenceOf: (engine: string) => string): ResultRow[] {
  const samplesOf = new Map(
    runs.map(({ engine, samples }) => [engine.name, bySample(samples, ({ workload }) => workload)] as const),
  );
  const rows: ResultRow[] = [];
  for (const [engine, workloads] of samplesOf) {
    for (const [name, samples] of workloads) {
      const own = measured(samples);
      const nativeSamples = samplesOf.get(NATIVE)?.get(name);
      const base = nativeSamples === undefined ? undefined : measured(nativeSamples);
      const slowdown = base === undefined ? undefined : ratioOf(own.best, base.best);
      const expected = samplesOf.get(referenceOf(engine))?.get(name)?.[0]?.hash;
      rows.push({
        ...splitName(name),
        engine,
        seconds: own.best.median,
        cpuSeconds: own.cpu,
        slowdown: slowdown?.median ?? null,
        slowdownLow: slowdown?.low ?? null,
        slowdownHigh: slowdown?.high ?? null,
        cpuSlowdown: ratio(own.cpu, base?.cpu),
        spread: own.spread,
        hashEqual: samples.every(({ hash }) => hash === expected),
        residual: samples.reduce((worst, { residual }) => (residual <= worst ? worst : residual), 0),
        firstSeconds: own.first,
        passes: own.passes,
        rate: own.rate,
        unit: samples[0]?.unit ?? "",
        rounds: own.rounds,
      });
    }
  }
  return rows;
}

/** Geometric means of rows with a slowdown, for each suite and engine; never a mean of ratios. */
export function suiteRows(
  rows: readonly ResultRow[],
  suites: readonly Suite[],
  engines: readonly string[],
): SuiteRow[] {
  return suites.flatMap((suite) => {
    const means = engines.flatMap((engine) => {
      const mean = suiteMean(suite, engine, rows);
      return mean === undefined ? [] : [mean];
    });
    return means.map((mean): SuiteRow => ({
      ...mean,
      withinNoiseOf: means
        .filter((other) => other !== mean && overlap(rangeIn(mean), rangeIn(other)))
        .map(({ engine }) => engine),
    }));
  });
}

function rangeIn(row: Omit<SuiteRow, "withinNoiseOf">): Range {
  return { median: row.slowdown, low: row.slowdownLow, high: row.slowdownHigh };
}

function suiteMean(
  suite: string,
  engine: string,
  rows: readonly ResultRow[],
): Omit<SuiteRow, "withinNoiseOf"> | undefined {
  const own = rows.filter((row) => row.suite === suite && row.engine === engine && row.slowdown !== null);
  if (own.length === 0) return undefined;
  const mean = (pick: (row: ResultRow) => number | null): number => geometricMean(own.map((row) => pick(row) ?? NaN));
  const withCpu = own.filter(({ cpuSlowdown }) => cpuSlowdown !== null && cpuSlowdown > 0);
  return {
    suite,
    engine,
    workloads: own.length,
    slowdown: mean(({ slowdown }) => slowdown),
    slowdownLow: mean(({ slowdownLow }) => slowdownLow),
    slowdownHigh: mean(({ slowdownHigh }) => slowdownHigh),
    cpuSlowdown: withCpu.length === 0 ? null : geometricMean(withCpu.map(({ cpuSlowdown }) => cpuSlowdown ?? NaN)),
    firstSlowdown: mean((row) => (row.slowdown === null ? null : (row.slowdown * row.firstSeconds) / row.seconds)),
  };
}
