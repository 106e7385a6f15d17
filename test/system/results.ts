import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a program did. */
export interface Result {
  readonly output: Buffer;
  /** exit code of its script */
  readonly code: number;
  /** by the clock of the system that it ran on */
  readonly seconds: number;
}

/** Reads what run-programs.sh left; undefined when the program did not end. */
export async function readResult(directory: string, name: string): Promise<Result | undefined> {
  try {
    const [output, status] = await Promise.all([
      readFile(join(directory, `${name}.out`)),
      readFile(join(directory, `${name}.status`), "utf8"),
    ]);
    const [code, begin, end] = status.trim().split(" ").map(Number);
    if (code === undefined || begin === undefined || end === undefined) return undefined;
    return { output, code, seconds: end - begin };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

export type Comparison = "equal" | "differs" | "unfinished";

/** Output and exit code, byte for byte. */
export function compare(native: Result, guest: Result | undefined): Comparison {
  if (guest === undefined) return "unfinished";
  return native.code === guest.code && native.output.equals(guest.output) ? "equal" : "differs";
}
