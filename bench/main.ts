// npm run bench: how fast guest code runs, and how long a boot takes.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { VmError } from "../src/errors.ts";
import { type BootResult, measureBoots } from "./boot.ts";
import { type MicroResult, runMicroSuite } from "./micro/suite.ts";
import { writeFileSync } from "node:fs";
import { runCompare, runSlowdown } from "./slowdown/main.ts";

const HELP = `Usage: npm run bench [-- micro|boot|slowdown|compare] [--json FILE]

micro (default): runs small loops of guest code and prints millions of guest instructions a second: the median of all runs after a
warm-up, and the slowest and fastest run.

boot: boots Debian's kernel through a script of one line to power-off, with each engine and with QEMU's translator in turn, and
prints seconds from the start of the process to the first line of init and to its end: the median, the fastest and the slowest.

  --rounds N    boots of each (default 3)
  --json FILE   also write the results to FILE
  --help        print this text

slowdown: how much slower whole programs run than natively, on Umbra and on its peers; see npm run bench -- slowdown --help.

passes: what Binaryen's passes would make of regions that are translated a second time; see npm run bench -- passes --help.

compare OLD.json NEW.json: what changed from one report of slowdown to another.`;

function microTable(results: readonly MicroResult[]): string {
  const rows = [["program", "engine", "M/s", "slowest", "fastest", "runs"]];
  for (const { program, engine, median, low, high, runs } of results) {
    rows.push([program, engine, median.toFixed(1), low.toFixed(1), high.toFixed(1), String(runs)]);
  }
  return table(rows, 2);
}

function bootTable(results: readonly BootResult[]): string {
  const rows = [["engine", "until", "wall s", "fastest", "slowest", "CPU s", "least", "most"]];
  for (const { engine, boots } of results) {
    for (const [until, key] of [
      ["init", "toInit"],
      ["power-off", "toPowerOff"],
    ] as const) {
      const figures = (["wall", "cpu"] as const).flatMap((kind) => {
        const sorted = boots.map((times) => times[key][kind]).toSorted((left, right) => left - right);
        return [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)].map((value) => (value ?? 0).toFixed(2));
      });
      rows.push([engine, until, ...figures]);
    }
  }
  return table(rows, 2);
}

/** Columns side by side; the first `names` of them are texts. */
function table(rows: readonly (readonly string[])[], names: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

interface Arguments {
  readonly suite: "micro" | "boot";
  readonly rounds: number;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** @throws {VmError} ERR_CONFIG */
function readArguments(): Arguments {
  const options = { json: { type: "string" }, rounds: { type: "string" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [suite = "micro", extra] = positionals;
  if ((suite !== "micro" && suite !== "boot") || extra !== undefined) {
    throw new VmError(
      "ERR_CONFIG",
      `"${extra ?? suite}" is no suite, expected micro, boot, slowdown, passes or compare`,
    );
  }
  const rounds = Number(values.rounds ?? 3);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new VmError("ERR_CONFIG", `--rounds is "${values.rounds ?? ""}", expected a number from 1 to 100`);
  }
  return { suite, rounds, json: values.json, help: values.help ?? false };
}

async function run({ suite, rounds, json, help }: Arguments): Promise<void> {
  if (help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const report = (what: string): void => void process.stderr.write(`${what} ...\n`);
  const machine = `${cpus()[0]?.model ?? "unknown processor"}, Node.js ${process.version}`;
  let results: readonly (MicroResult | BootResult)[];
  if (suite === "boot") {
    const boots = await measureBoots(rounds, report);
    process.stdout.write(`${machine}\nDebian's kernel from the start of the process\n\n${bootTable(boots)}\n`);
    results = boots;
  } else {
    const micro = await runMicroSuite(["interpreter", "tiered"], report);
    process.stdout.write(`${machine}\nmillions of guest instructions a second\n\n${microTable(micro)}\n`);
    results = micro;
  }
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ machine, date: new Date().toISOString(), results }, null, 2)}\n`);
  }
}

/** The suites with options of their own. */
async function dispatch(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === "slowdown") process.exitCode = await runSlowdown(rest);
  else if (command === "compare") process.exitCode = runCompare(rest);
  else if (command === "passes") process.exitCode = await (await import("./passes/main.ts")).runPasses(rest);
  else await run(readArguments());
}

try {
  await dispatch();
} catch (error) {
  // A wrong option is a TypeError of the parser's, with a message made for users.
  if (!(error instanceof VmError || error instanceof TypeError)) throw error;
  process.stderr.write(`bench: ${error.message.split("\n")[0]}\n`);
  process.exitCode = 2;
}
