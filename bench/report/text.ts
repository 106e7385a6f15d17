import type { Report } from "./report.ts";
import type { ResultRow } from "./results.ts";

/** Columns side by side; the first `names` of them are texts, the others figures. */
export function table(rows: readonly (readonly string[])[], names: number): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Three digits that matter: 0.987, 12.3, 1230. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  return magnitude >= 0.01 ? value.toPrecision(3) : value.toExponential(1);
}

/** "12.3x" */
function times(value: number | null): string {
  const text = figure(value);
  return text === "-" ? text : `${text}x`;
}

/** Lines about the machine and the engines. */
export function headerLines({ header, engines }: Report): string[] {
  const size = header.matrixOrder === null ? "" : `, matrices of order ${header.matrixOrder}`;
  return [
    `Umbra ${header.umbra} (${header.commit || "no checkout"}), ${header.date.slice(0, 16).replace("T", " ")} UTC`,
    `${header.cpu}, ${header.cores} cores, Linux ${header.hostKernel}, Node.js ${header.node}, load ${header.loadAtStart} at the start`,
    `${header.quick ? "quick sizes" : "full sizes"}${size}, rounds: ${header.rounds}, repetitions: up to ${header.repetitions}, ` +
      `${header.minutes.toFixed(1)} minutes${header.interrupted ? ", interrupted" : ""}`,
    ...(header.loadAtStart > header.cores
      ? ["the machine was busy with other work: processor time says more than seconds"]
      : []),
    "",
    ...engines.map(({ engine, about, usable, version, reason, install }) =>
      usable
        ? `${engine.padEnd(18)} ${version === "" ? about : `${about} (${version})`}`
        : `${engine.padEnd(18)} not measured: ${reason}; to have it: ${install}`,
    ),
    ...remarks(engines),
  ];
}

/** What is to be said of engines, each remark once. */
function remarks(engines: Report["engines"]): string[] {
  const all = engines.flatMap(({ engine, notes, leftOut }) => [
    ...notes.map((text) => ({ engine, text })),
    ...leftOut.map(({ suite, reason }) => ({ engine, text: `without ${suite}: ${reason}` })),
  ]);
  return [...Map.groupBy(all, ({ text }) => text)].map(
    ([text, of]) => `note: ${text} (${of.map(({ engine }) => engine).join(", ")})`,
  );
}

function pivot(
  title: string,
  names: readonly string[],
  engines: readonly string[],
  cell: (name: string, engine: string) => string,
): string {
  return table(
    [[title, ...engines], ...names.map((name) => [name, ...engines.map((engine) => cell(name, engine))])],
    1,
  );
}

/** The report for a terminal: the machine, the suites, every workload, the boots. */
export function reportText(report: Report): string {
  const { results, suites, boots } = report;
  const engines = [...new Set(results.map(({ engine }) => engine))];
  const suiteNames = [...new Set(results.map(({ suite }) => suite))];
  const suiteCell = (pick: "slowdown" | "cpuSlowdown" | "firstSlowdown") => (name: string, engine: string) =>
    times(suites.find((row) => row.suite === name && row.engine === engine)?.[pick] ?? null);
  const parts = [headerLines(report).join("\n")];
  if (suites.length > 0) {
    parts.push(
      `Slowdown against native, best passes, geometric means\n\n${pivot("suite", suiteNames, engines, suiteCell("slowdown"))}`,
      `The same of processor time (of a virtual machine: its whole process)\n\n${pivot("suite", suiteNames, engines, suiteCell("cpuSlowdown"))}`,
      `The same of first passes, with nothing warm\n\n${pivot("suite", suiteNames, engines, suiteCell("firstSlowdown"))}`,
    );
    const alike = suiteNames.flatMap((suite) => {
      const pairs = suites
        .filter((row) => row.suite === suite)
        .flatMap(({ engine, withinNoiseOf }) =>
          // Each pair once, in the order of the columns.
          withinNoiseOf
            .filter((other) => engines.indexOf(engine) < engines.indexOf(other))
            .map((other) => `${engine} and ${other}`),
        );
      return pairs.length === 0 ? [] : [`  ${suite}: ${pairs.join("; ")}`];
    });
    if (alike.length > 0) parts.push(`Differences no larger than the spread of the values\n\n${alike.join("\n")}`);
  }
  const rowOf = (name: string, engine: string): ResultRow | undefined =>
    results.find((row) => `${row.suite}/${row.workload}` === name && row.engine === engine);
  const names = [...new Set(results.map(({ suite, workload }) => `${suite}/${workload}`))];
  if (names.length > 0) {
    parts.push(
      `Native seconds and rate, then slowdown ± half the spread (? where only one pass was measured)\n\n${table(
        [
          ["workload", "s", "rate", "", ...engines.filter((engine) => engine !== "native")],
          ...names.map((name) => {
            const native = rowOf(name, "native");
            return [
              name,
              figure(native?.seconds ?? null),
              figure(native?.rate ?? null),
              native?.unit ?? "",
              ...engines.filter((engine) => engine !== "native").map((engine) => workloadCell(rowOf(name, engine))),
            ];
          }),
        ],
        1,
      )}`,
    );
  }
  if (boots.length > 0) {
    parts.push(
      `Seconds from the start of a virtual machine\n\n${table(
        [
          ["engine", "kernel speaks", "first process", "first workload", "CPU s to first process"],
          ...boots.map(({ engine, firstOutput, init, firstWorkload, cpuSecondsToInit }) => [
            engine,
            ...[firstOutput, init, firstWorkload, cpuSecondsToInit].map(figure),
          ]),
        ],
        1,
      )}`,
    );
  }
  return `${parts.join("\n\n")}\n`;
}

function workloadCell(row: ResultRow | undefined): string {
  if (row === undefined) return "-";
  const spread = row.spread === null ? "?" : `${Math.round(row.spread * 50)}%`;
  const text = `${times(row.slowdown)} ±${spread}`;
  return row.hashEqual ? text : `WRONG ${text}`;
}
