import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import type { ProcessInput } from "./process-entry.ts";
import type { Report } from "./work.ts";

/** A runtime that runs a program in a process of its own. */
export interface ProcessRuntime {
  readonly name: string;
  /** undefined where it cannot be run; `missing` says why */
  readonly version: string | undefined;
  readonly missing: string;
  readonly program: string;
  /** what comes before the path of the script */
  readonly args: readonly string[];
}

/** What a process has done. */
export interface ProcessRun {
  readonly report: Report;
  readonly stderr: string;
  /** from its last line to its end: it ends when nothing is left that could wake it */
  readonly lingeredMs: number;
}

const INSTALLED = join(import.meta.dirname, "../runtimes/node_modules");
/** For three boots of Linux, on a machine that has much else to do. */
const RUN_MS = 400_000;

const DENO = process.arch === "arm64" ? "linux-arm64-glibc" : "linux-x64-glibc";
const BUN = process.arch === "arm64" ? "bun-linux-aarch64" : "bun-linux-x64";

/** The Node.js that runs the tests, and what test/runtimes brings in. */
export function findProcessRuntimes(): readonly ProcessRuntime[] {
  return [
    find("Node.js", process.execPath, []),
    find("Node.js", join(INSTALLED, `node-linux-${process.arch}/bin/node`), []),
    find("Deno", join(INSTALLED, `@deno/${DENO}/deno`), ["run", "--allow-all", "--cached-only"]),
    find("Bun", join(INSTALLED, `@oven/${BUN}/bin/bun`), ["run", "--no-install"]),
  ];
}

function find(name: string, program: string, args: readonly string[]): ProcessRuntime {
  const { error, status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 60_000 });
  const version = /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0];
  const missing = error ? error.message : `${program} --version ended with code ${String(status)}`;
  return { name, program, args, missing, version: status === 0 ? version : undefined };
}

/** Runs a script in a folder, in an environment that has no more than a shell would have. */
export function runProcess(
  { program, args }: ProcessRuntime,
  script: string,
  input: ProcessInput,
  directory: string,
): Promise<ProcessRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, script, JSON.stringify(input)], {
      cwd: directory,
      env: {
        PATH: process.env["PATH"],
        HOME: directory,
        DENO_DIR: join(directory, ".deno"),
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_MS,
    });
    let stdout = "";
    let stderr = "";
    let lastMs = performance.now();
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      lastMs = performance.now();
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const lingeredMs = performance.now() - lastMs;
      if (code === 0) return resolve({ report: JSON.parse(stdout) as Report, stderr, lingeredMs });
      const why = signal === null ? `code ${String(code)}` : `${signal}, perhaps after ${RUN_MS / 1000} s`;
      reject(new Error(`${program} ended with ${why}:\n${stdout}${stderr}`));
    });
  });
}
