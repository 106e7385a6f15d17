import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { ensurePackages } from "../../src/cli/bootstrap/debian.mjs";
import { VmError } from "../../src/errors.ts";
import { referenceOf } from "../peers/all.ts";
import { compareReports, comparisonText } from "../report/compare.ts";
import { reportPage } from "../report/page.ts";
import { complaints, makeReport, parseReport, type Report } from "../report/report.ts";
import { reportText } from "../report/text.ts";
import { describeEnvironment } from "./environment.ts";
import { measure, PROGRAM_ENVIRONMENT } from "./measure.ts";
import { parseOptions, SLOWDOWN_HELP, type SlowdownOptions } from "./options.ts";
import { Progress } from "./progress.ts";

/** Engines have process groups of their own: whatever ends this process must end them first. A second signal ends it at once. */
const INTERRUPTING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const INTERRUPTED = 128 + constants.signals.SIGINT;

/** Writes a file of the user's. @throws {VmError} ERR_FILE */
function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VmError("ERR_FILE", `cannot write ${path}: ${reason}`, { cause });
  }
}

/**
 * npm run bench -- slowdown
 *
 * @returns exit code
 * @throws {VmError} for what the user can mend
 */
export async function runSlowdown(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(`${SLOWDOWN_HELP}\n`);
    return 0;
  }
  // Found out before half an hour of measuring, not after it.
  for (const path of [options.json, options.html]) if (path !== undefined) write(path, "");
  if (options.install) await ensurePackages("slowdown");
  const started = performance.now();
  const environment = await describeEnvironment();
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  for (const signal of INTERRUPTING) process.once(signal, interrupt);
  const progress = new Progress({ ...options, stream: process.stderr });
  try {
    const runs = await measure({ ...options, signal: controller.signal }, progress);
    progress.close();
    const header: Report["header"] = {
      ...environment,
      quick: options.quick,
      rounds: options.rounds,
      repetitions: options.repetitions,
      matrixOrder: options.matrixOrder ?? null,
      interrupted: controller.signal.aborted,
      minutes: (performance.now() - started) / 60_000,
      programEnvironment: PROGRAM_ENVIRONMENT,
    };
    const references = new Map(options.engines.map((engine) => [engine.name, referenceOf(engine).name]));
    const report = makeReport(header, runs, [...options.selection.keys()], (name) => references.get(name) ?? name);
    return publish(report, options);
  } finally {
    progress.close();
    for (const signal of INTERRUPTING) process.removeListener(signal, interrupt);
  }
}

async function publish(report: Report, { json, html }: SlowdownOptions): Promise<number> {
  process.stdout.write(reportText(report));
  if (json !== undefined) write(json, `${JSON.stringify(report, null, 2)}\n`);
  if (html !== undefined) write(html, await reportPage(report));
  const wrong = complaints(report);
  for (const line of wrong) process.stderr.write(`bench: ${line}\n`);
  if (report.header.interrupted) return INTERRUPTED;
  return wrong.length > 0 ? 1 : 0;
}

/**
 * npm run bench -- compare OLD.json NEW.json
 *
 * @returns exit code: 1 when something got slower
 * @throws {VmError} when a file is no report
 */
export function runCompare(args: readonly string[]): number {
  const [before, after, extra] = args;
  if (before === undefined || after === undefined || extra !== undefined) {
    throw new VmError("ERR_CONFIG", "compare takes two files: npm run bench -- compare OLD.json NEW.json");
  }
  const [old, now] = [before, after].map((path) => {
    try {
      return parseReport(path, readFileSync(path, "utf8"));
    } catch (cause) {
      if (cause instanceof VmError) throw cause;
      throw new VmError("ERR_FILE", `cannot read ${path}: no such file`, { cause });
    }
  });
  if (old === undefined || now === undefined) return 2;
  process.stdout.write(comparisonText(old, now));
  return compareReports(old, now).some(({ verdict }) => verdict === "slower") ? 1 : 0;
}
