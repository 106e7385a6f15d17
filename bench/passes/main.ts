import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { optimizedBinary } from "../../jit/emit/module.ts";
import { VmError } from "../../src/errors.ts";
import { buildProgram } from "../slowdown/programs.ts";
import { parseSelection, type Selection } from "../slowdown/suites.ts";
import { type CompileResult, type GuestResult, type GuestTask, optimizationOf } from "./protocol.ts";

const CANDIDATES =
  "none;read;precompute;simplify-locals;local-cse;merge-locals;coalesce-locals;reorder-locals;vacuum;remove-unused-brs;" +
  "optimize-instructions;code-folding;simplify-locals,local-cse,vacuum;-O1;-O2;-O3";
const WORKLOADS =
  "lapack/dgemm,lapack/dgetrf,fp/nbody,fp/mandelbrot,fp/fft,fp/exp-log,fp/sin-cos,integer/sha256,integer/qsort,integer/matrix,integer/bytecode,integer/lz";

const HELP = `Usage: npm run bench -- passes [options]

What Binaryen's passes make of wide regions, the ones that stay hot and are translated a second time. Each candidate gets a guest of its
own that runs the workloads, with all wide regions put through its passes; then TurboFan compiles the modules by themselves.

  --passes "A;B,C;..."  candidates: lists of Binaryen's passes, or one of
                        none: as the translator writes them; read: through Binaryen and back unchanged; -O1, -O2, -O3
                        (default: a dozen single passes, a list and the levels)
  --suite X,Y           workloads, as in slowdown: "fp", "integer/lz" (default: twelve of lapack, fp and integer)
  --rounds N            times that every candidate runs, in turn; the best figures count (default 2)
  --reps N              repetitions of each workload in a round (default 5)
  --help                print this text

Times are of the processor. "run" is the geometric mean of what workloads take, "most" and "least" are those that change most; all three
are relative to the first candidate.`;

/** V8 compiles functions with TurboFan when their module is compiled, on the threads of the process. */
const COMPILE_FLAGS = ["--no-liftoff", "--no-wasm-lazy-compilation"];

/** What is known of a candidate after some rounds: the least of each figure. */
interface Figures {
  readonly guest: GuestResult;
  readonly turbofanMs: number;
}

/** @returns exit code */
export async function runPasses(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const options = { passes: text, suite: text, rounds: text, reps: text, help: { type: "boolean" } } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const candidates = (values.passes ?? CANDIDATES).split(";").map((list) => list.split(",").map((name) => name.trim()));
  for (const passes of candidates) checkPasses(passes);
  const rounds = count("--rounds", values.rounds ?? "2");
  const repetitions = count("--reps", values.reps ?? "5");
  const programs = await programsOf(parseSelection(values.suite ?? WORKLOADS), repetitions);
  const figures = new Map<readonly string[], Figures>();
  for (let round = 1; round <= rounds; round++) {
    for (const passes of candidates) {
      process.stderr.write(`${passes.join(",")}: round ${round} of ${rounds} ...\n`);
      const own = better(figures.get(passes), await measure(passes, programs));
      figures.set(passes, own);
      const [base = own] = figures.values();
      process.stderr.write(`${row(passes, own, base)}\n`);
    }
  }
  const [base] = figures.values();
  const rows = [...figures].map(([passes, own]) => row(passes, own, base ?? own));
  process.stdout.write(`${[HEAD, ...rows].join("\n")}\n`);
  return 0;
}

/** A module without anything in it. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** @throws {VmError} ERR_CONFIG for a pass that Binaryen does not have */
function checkPasses(passes: readonly string[]): void {
  const how = optimizationOf(passes);
  try {
    if (how) optimizedBinary(EMPTY_MODULE, how);
  } catch (cause) {
    throw new VmError("ERR_CONFIG", `--passes: "${passes.join(",")}" has a pass that Binaryen does not have`, {
      cause,
    });
  }
}

/** @throws {VmError} ERR_CONFIG */
function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw new VmError("ERR_CONFIG", `${option} is "${text}", expected a number from 1 to 100`);
}

function programsOf(selection: Selection, repetitions: number): Promise<GuestTask["programs"]> {
  return Promise.all(
    [...selection].map(async ([name, workloads]) => ({
      ...{ name, path: await buildProgram(name, 64) },
      args: ["--quick", "--reps", String(repetitions), ...workloads],
    })),
  );
}

async function measure(passes: readonly string[], programs: GuestTask["programs"]): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), "umbra-passes-"));
  try {
    const task: GuestTask = { passes, programs, folder };
    const guest = await child<GuestResult>([], "guest.ts", JSON.stringify(task));
    const { turbofanMs } = await child<CompileResult>(COMPILE_FLAGS, "compile.ts", folder);
    return { guest, turbofanMs };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs a program of this folder, and reads what it prints. */
async function child<Result>(flags: readonly string[], name: string, argument: string): Promise<Result> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const running = spawn(process.execPath, [...flags, program, argument], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise<number | null>((resolve, reject) => {
    running.on("error", reject);
    running.on("close", resolve);
  });
  let text = "";
  running.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  const code = await closed;
  if (code !== 0) throw new Error(`${name} ended with code ${String(code)}`);
  return JSON.parse(text) as Result;
}

function better(known: Figures | undefined, found: Figures): Figures {
  if (!known) return found;
  const seconds = Object.fromEntries(
    Object.entries(found.guest.seconds).map(([name, value]) => [
      name,
      Math.min(value, known.guest.seconds[name] ?? value),
    ]),
  );
  const binaryenMs = Math.min(known.guest.binaryenMs, found.guest.binaryenMs);
  return {
    guest: { ...found.guest, seconds, binaryenMs },
    turbofanMs: Math.min(known.turbofanMs, found.turbofanMs),
  };
}

const HEAD =
  "| passes | regions | instructions | Binaryen us | bytes | TurboFan us | run | most | least |\n|" +
  " --- |".repeat(9);

/** Figures for each instruction, but for the times of workloads, which are relative to `base`. */
function row(passes: readonly string[], { guest, turbofanMs }: Figures, base: Figures): string {
  const perInstruction = (value: number): string => (value / guest.instructions).toFixed(1);
  const changes = Object.entries(guest.seconds)
    .map(([name, value]) => ({ name, ratio: value / (base.guest.seconds[name] ?? value) }))
    .toSorted((left, right) => left.ratio - right.ratio);
  const mean = Math.exp(changes.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / changes.length);
  const [least, most] = [changes[0], changes.at(-1)].map((one) => (one ? `${one.ratio.toFixed(2)} ${one.name}` : ""));
  const cells = [
    ...[passes.join(", "), guest.regions, guest.instructions, perInstruction(1000 * guest.binaryenMs)],
    ...[perInstruction(guest.bytesAfter), perInstruction(1000 * turbofanMs), mean.toFixed(3), most, least],
  ];
  return `| ${cells.join(" | ")} |`;
}
