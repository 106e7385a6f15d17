import { parseArgs } from "node:util";
import { VmError } from "../../src/errors.ts";
import { ENGINE_NAMES, parseEngines } from "../peers/all.ts";
import type { Engine } from "../peers/engine.ts";
import { parseSelection, type Selection, SUITE_NAMES } from "./suites.ts";

export const SLOWDOWN_HELP = `Usage: npm run bench -- slowdown [options]
       npm run bench -- compare OLD.json NEW.json

slowdown: how much slower programs run on Umbra, and on whatever else could run them, than on the processor itself.

  --suite A,B      of ${SUITE_NAMES.join(", ")}; or single workloads, such as fp/fft (default: all)
  --engine X,Y     of ${ENGINE_NAMES.slice(0, 9).join(", ")},
                   ${ENGINE_NAMES.slice(9).join(", ")}; umbra and qemu name two each
                   (default: those of the first line; what is missing is listed with how to install it)
  --quick          small sizes, one round
  --rounds N       times that every engine is started (default 2; with --quick 1)
  --reps N         repetitions of a workload in a round, at most (default 3)
  --seconds S      a workload is not repeated after so many seconds (default 1; with --quick 0.3)
  --size N         order of the matrices of lapack and openblas, 16 to 2048; half of it for dsyev, dgesvd and zgesv
                   (default 448 to 640; with --quick 192 to 256)
  --json FILE      also write the results to FILE; docs/benchmarks.md describes the format
  --html FILE      also write a page with charts to FILE
  --no-install     do not install Debian packages that are missing
  --help           print this text

compare: what got slower or faster from one --json file to another by more than the noise; exit code 1 when something got slower.

Exit code of slowdown: 0, 1 when a result was wrong or an engine failed, 2 when the arguments or the tools are not usable, 130 after
Ctrl-C, which prints what there is.`;

export interface SlowdownOptions {
  readonly selection: Selection;
  readonly engines: readonly Engine[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly repetitions: number;
  readonly secondsPerWorkload: number;
  readonly matrixOrder: number | undefined;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly install: boolean;
  readonly help: boolean;
}

const SMALLEST_ORDER = 16;
/** Beyond it the matrices and their copies do not fit into the memory of the virtual machines. */
const LARGEST_ORDER = 2048;

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new VmError("ERR_CONFIG", `${name} is "${text}", expected a whole number from ${least} to ${most}`);
  }
  return value;
}

function seconds(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 600) {
    throw new VmError("ERR_CONFIG", `${name} is "${text}", expected a number of seconds from 0 to 600`);
  }
  return value;
}

/**
 * Reads what follows "slowdown".
 *
 * @throws {VmError} ERR_CONFIG, one line
 * @throws {TypeError} of the parser's, with a message made for users
 */
export function parseOptions(args: readonly string[]): SlowdownOptions {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ suite: text, engine: text, rounds: text, reps: text, seconds: text, size: text, json: text, html: text },
      ...{ quick: flag, "no-install": flag, help: flag },
    },
  });
  const quick = values.quick ?? false;
  return {
    selection: parseSelection(values.suite),
    engines: parseEngines(values.engine),
    quick,
    rounds: wholeNumber("--rounds", values.rounds ?? (quick ? "1" : "2"), 1, 100),
    repetitions: wholeNumber("--reps", values.reps ?? "3", 1, 1000),
    secondsPerWorkload: seconds("--seconds", values.seconds ?? (quick ? "0.3" : "1")),
    matrixOrder:
      values.size === undefined ? undefined : wholeNumber("--size", values.size, SMALLEST_ORDER, LARGEST_ORDER),
    json: values.json,
    html: values.html,
    install: !(values["no-install"] ?? false),
    help: values.help ?? false,
  };
}
