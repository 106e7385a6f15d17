import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** This folder, whose scripts go to the work disk. */
export const SYSTEM_DIRECTORY = dirname(fileURLToPath(import.meta.url));
export const PROGRAM_DIRECTORY = join(SYSTEM_DIRECTORY, "programs");
/** What runs them, natively and in the guest. */
export const RUNNER = "run-programs.sh";

/** How much a program has to do: what fits into the tests of every day, or all. */
export type Size = "quick" | "full";

/** Names of all programs, in the order of the alphabet. */
export function programNames(): string[] {
  return readdirSync(PROGRAM_DIRECTORY)
    .filter((file) => file.endsWith(".sh"))
    .map((file) => file.slice(0, -".sh".length))
    .sort();
}
