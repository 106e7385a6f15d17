import type { Comparison } from "./results.ts";

/** A line of the summary. */
export interface TableRow {
  readonly engine: string;
  readonly program: string;
  readonly nativeSeconds: number;
  readonly guestSeconds: number | undefined;
  /** of the whole boot */
  readonly instructions: bigint;
  readonly comparison: Comparison;
}

const HEAD = ["engine", "program", "native s", "guest s", "ratio", "instructions", "equal"] as const;

/** The summary: a line for each program, numbers to the right. */
export function formatTable(rows: readonly TableRow[]): string {
  const cells = rows.map(({ engine, program, nativeSeconds, guestSeconds, instructions, comparison }) => [
    engine,
    program,
    nativeSeconds.toFixed(2),
    guestSeconds?.toFixed(1) ?? "-",
    guestSeconds === undefined ? "-" : (guestSeconds / nativeSeconds).toFixed(0),
    `${(Number(instructions) / 1e9).toFixed(1)} G`,
    comparison === "equal" ? "yes" : comparison === "differs" ? "NO" : "NOT ENDED",
  ]);
  const lines = [[...HEAD], ...cells];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column < 2 || column === HEAD.length - 1 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
