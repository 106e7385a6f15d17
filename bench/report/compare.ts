import { geometricMean, overlap, type Range } from "../slowdown/statistics.ts";
import type { Report } from "./report.ts";
import type { ResultRow } from "./results.ts";
import { figure, table } from "./text.ts";

/** Differences below this are not worth a line, however little noise there is. */
const WORTH_MENTIONING = 0.05;

export type Verdict = "slower" | "faster" | "same";

export interface Change {
  readonly name: string;
  readonly engine: string;
  readonly before: number;
  readonly after: number;
  /** after / before: above 1 it got slower */
  readonly ratio: number;
  readonly verdict: Verdict;
}

function rangeOfRow({ slowdown, slowdownLow, slowdownHigh }: ResultRow): Range | undefined {
  return slowdown === null || slowdownLow === null || slowdownHigh === null
    ? undefined
    : { median: slowdown, low: slowdownLow, high: slowdownHigh };
}

/** Slower or faster alone when the measured ranges have nothing in common. */
export function verdictOf(before: Range, after: Range): Verdict {
  const ratio = after.median / before.median;
  if (overlap(before, after) || Math.abs(ratio - 1) < WORTH_MENTIONING) return "same";
  return ratio > 1 ? "slower" : "faster";
}

/** Compares what two reports have in common: slowdowns, which depend less on the machine than seconds do. */
export function compareReports(before: Report, after: Report): Change[] {
  const key = ({ suite, workload, engine }: ResultRow): string => `${engine} ${suite}/${workload}`;
  const known = new Map(before.results.map((row) => [key(row), row]));
  return after.results.flatMap((row): Change[] => {
    const earlier = known.get(key(row));
    if (row.engine === "native" || earlier === undefined) return [];
    const [left, right] = [rangeOfRow(earlier), rangeOfRow(row)];
    if (left === undefined || right === undefined) return [];
    return [
      {
        name: `${row.suite}/${row.workload}`,
        engine: row.engine,
        before: left.median,
        after: right.median,
        ratio: right.median / left.median,
        verdict: verdictOf(left, right),
      },
    ];
  });
}

/** What differs between the circumstances of two reports, a line each. */
function differences(before: Report, after: Report): string[] {
  const keys = ["cpu", "cores", "hostKernel", "node", "quick", "matrixOrder"] as const;
  return keys.flatMap((key) => {
    const [old, now] = [before.header[key], after.header[key]];
    return old === now ? [] : [`note: ${key} was ${old}, is ${now}`];
  });
}

/** The comparison for a terminal: what changed, then a geometric mean for each engine and suite. */
export function comparisonText(before: Report, after: Report): string {
  const changes = compareReports(before, after);
  const parts: string[] = [];
  const notes = differences(before, after);
  if (notes.length > 0) parts.push(notes.join("\n"));
  if (changes.length === 0)
    return `${[...parts, "the two reports have no workload and engine in common"].join("\n\n")}\n`;
  for (const verdict of ["slower", "faster"] as const) {
    const found = changes
      .filter((change) => change.verdict === verdict)
      .toSorted((left, right) => Math.abs(Math.log(right.ratio)) - Math.abs(Math.log(left.ratio)));
    if (found.length === 0) continue;
    const rows = found.map(({ name, engine, before: old, after: now, ratio }) => {
      const by = ratio > 1 ? ratio : 1 / ratio;
      return [engine, name, `${figure(old)}x`, `${figure(now)}x`, `${by.toFixed(2)} times`];
    });
    parts.push(`${verdict}\n\n${table([["engine", "workload", "before", "after", verdict], ...rows], 2)}`);
  }
  const groups = Map.groupBy(changes, ({ engine, name }) => `${engine} ${name.split("/")[0] ?? ""}`);
  const means = [...groups].map(([key, members]) => [
    ...key.split(" "),
    String(members.length),
    geometricMean(members.map(({ ratio }) => ratio)).toFixed(3),
  ]);
  parts.push(
    `after / before, geometric means (below 1 is faster)\n\n${table([["engine", "suite", "workloads", "ratio"], ...means], 2)}`,
  );
  const count = (verdict: Verdict): number => changes.filter((change) => change.verdict === verdict).length;
  parts.push(`${count("slower")} slower, ${count("faster")} faster, ${count("same")} the same within the noise`);
  return `${parts.join("\n\n")}\n`;
}
