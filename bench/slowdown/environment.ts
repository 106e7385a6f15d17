import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../src/boot/command.ts";

/** Where and with what a measurement was made. */
export interface Environment {
  /** ISO 8601, UTC */
  readonly date: string;
  readonly umbra: string;
  /** of the checkout, with "+" when files differ from it; "" outside a checkout */
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMib: number;
  readonly hostKernel: string;
  readonly node: string;
  readonly v8: string;
  readonly gcc: string;
  /** the host's load average over a minute as it began: above the number of its cores, figures are those of a busy machine */
  readonly loadAtStart: number;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function firstLine(program: string, args: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(program, args, { cwd: ROOT });
  return code === 0 ? (output.split("\n")[0] ?? "").trim() : "";
}

/** Describes this machine and the tools at hand. */
export async function describeEnvironment(): Promise<Environment> {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  const [gcc, commit, changes] = await Promise.all([
    firstLine("gcc", ["--version"]),
    firstLine("git", ["rev-parse", "--short=12", "HEAD"]),
    firstLine("git", ["status", "--porcelain", "--untracked-files=no"]),
  ]);
  return {
    date: new Date().toISOString(),
    umbra: manifest.version,
    commit: commit + (changes === "" ? "" : "+"),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryMib: Math.round(totalmem() / 2 ** 20),
    hostKernel: release(),
    node: process.version,
    v8: process.versions.v8,
    gcc,
    loadAtStart: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
