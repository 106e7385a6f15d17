/** What a workload's program, or the first process of a virtual machine, says; bench/workloads/harness/harness.c prints it. */
export type Message =
  | { readonly kind: "init" }
  | { readonly kind: "begin"; readonly workload: string; readonly repetition: number }
  | { readonly kind: "end"; readonly workload: string; readonly repetition: number }
  | { readonly kind: "result"; readonly result: PassResult }
  | { readonly kind: "fail"; readonly why: string }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "done" }
  | { readonly kind: "off" };

/** One repetition, as the program itself measured it. */
export interface PassResult {
  /** "suite/name" */
  readonly workload: string;
  /** counted from 1 */
  readonly repetition: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly rate: number;
  readonly unit: string;
  readonly residual: number;
  /** sixteen hexadecimal digits */
  readonly hash: string;
}

const NUMBER = "([0-9.+e-]+|nan|-nan|inf|-inf)";
const RESULT = new RegExp(
  `^(\\S+) (\\d+) wall=${NUMBER} cpu=${NUMBER} rate=${NUMBER} unit=(\\S+) residual=${NUMBER} hash=([0-9a-f]{16})$`,
);
const PASS = /^([\w-]+\/[\w-]+) (\d+)$/;
/** A kernel's message may share the line: what is ours begins at the sign. */
const MESSAGE = /@(init|begin|end|result|fail|note|done|off)\b ?(.*)$/;

/** NaN for what C prints for one; a residual that is NaN fails its check. */
function number(text: string | undefined): number {
  return text === undefined || text.includes("nan") ? NaN : Number(text.replace("inf", "Infinity"));
}

/** Reads one line of the output; undefined when it is not a message of ours, or is damaged. */
export function parseLine(line: string): Message | undefined {
  const [, kind, rest = ""] = MESSAGE.exec(line.trimEnd()) ?? [];
  switch (kind) {
    case "init":
    case "done":
    case "off":
      return { kind };
    case "begin":
    case "end": {
      const [, workload, repetition] = PASS.exec(rest) ?? [];
      return workload === undefined ? undefined : { kind, workload, repetition: Number(repetition) };
    }
    case "result": {
      const match = RESULT.exec(rest);
      if (match === null) return undefined;
      const [, workload = "", repetition, wall, cpu, rate, unit = "", residual, hash = ""] = match;
      const result: PassResult = {
        workload,
        repetition: Number(repetition),
        wallSeconds: number(wall),
        cpuSeconds: number(cpu),
        rate: number(rate),
        unit,
        residual: number(residual),
        hash,
      };
      return { kind, result };
    }
    case "fail":
      return { kind, why: rest };
    case "note":
      return { kind, text: rest };
    default:
      return undefined;
  }
}

/** Cuts what arrives in pieces into lines. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** @param bytes latin1: a console sends what it likes */
  push(bytes: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(bytes).toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line.replace(/\r/g, ""));
  }
}
