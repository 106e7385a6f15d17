// npm run bench: millions of guest instructions a second.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type MicroResult, runMicroSuite } from "./micro/suite.ts";
import { writeFileSync } from "node:fs";

const HELP = `Usage: npm run bench [-- --json FILE]

Runs small loops of guest code and prints millions of guest instructions a second: the median of all runs after a warm-up, and
the slowest and fastest run.

  --json FILE   also write the results to FILE
  --help        print this text`;

function table(results: readonly MicroResult[]): string {
  const rows = [["program", "engine", "M/s", "slowest", "fastest", "runs"]];
  for (const { program, engine, median, low, high, runs } of results) {
    rows.push([program, engine, median.toFixed(1), low.toFixed(1), high.toFixed(1), String(runs)]);
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

async function main(): Promise<void> {
  let values: { json?: string; help?: boolean };
  try {
    ({ values } = parseArgs({ options: { json: { type: "string" }, help: { type: "boolean" } } }));
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
    return;
  }
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const results = await runMicroSuite(["interpreter", "tiered"], (what) => process.stderr.write(`${what} ...\n`));
  const machine = `${cpus()[0]?.model ?? "unknown processor"}, Node.js ${process.version}`;
  process.stdout.write(`${machine}\nmillions of guest instructions a second\n\n${table(results)}\n`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine, date: new Date().toISOString(), results }, null, 2)}\n`);
  }
}

await main();
