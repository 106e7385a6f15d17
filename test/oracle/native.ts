import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { arch, platform } from "node:os";
import { fileURLToPath } from "node:url";
import type { CaseRunner } from "./case-runner.ts";
import { ByteWriter, itemBytes, readResult, writeCase } from "./format.ts";
import type { OracleCase, OracleResult } from "./format.ts";

const SOURCE = fileURLToPath(new URL("./runner.c", import.meta.url));
const BUILD = fileURLToPath(new URL("../../build/oracle/", import.meta.url));
const GREETING_BYTES = 16;
const GREETING_MAGIC = 0x524f_4d55;
/** Cases handed to one process: its start is then nothing, and neither side holds more than a few MB. */
const BATCH = 8192;
// prettier-ignore
const COMPILE = [
  "-std=gnu11", "-O2", "-fPIE", "-static-pie", "-nostdlib", "-nostartfiles", "-ffreestanding",
  "-fno-stack-protector", "-mno-red-zone", "-fcf-protection=none", "-z", "noexecstack",
];

/** The runner, compiled, or the reason why this host has no oracle. */
export type NativeOracle = { readonly runner: NativeRunner } | { readonly reason: string };

/** Compiles runner.c, if that has not been done, and starts it once to see that it works here. */
export function openNativeOracle(): NativeOracle {
  if (platform() !== "linux" || arch() !== "x64") {
    return { reason: `the oracle needs an x86-64 Linux host; this is ${platform()} on ${arch()}` };
  }
  const compiled = compile(SOURCE, "runner", COMPILE);
  if ("reason" in compiled) return compiled;
  const probe = spawnSync(compiled.path, { input: new Uint8Array(0) });
  if (probe.status !== 0 || probe.stdout.length < GREETING_BYTES || probe.stdout.readUInt32LE(0) !== GREETING_MAGIC) {
    return { reason: `the runner does not work here: ${probe.stderr.toString().trim() || `status ${probe.status}`}` };
  }
  const capabilities = probe.stdout.readUInt32LE(8);
  return { runner: new NativeRunner(compiled.path, (capabilities & 1) !== 0) };
}

/** Compiles a C file into build/oracle under a name that carries a hash of source and options. */
export function compile(
  source: string,
  name: string,
  options: readonly string[],
): { readonly path: string } | { readonly reason: string } {
  const hash = createHash("sha256").update(readFileSync(source)).update(options.join(" ")).digest("hex").slice(0, 12);
  const path = `${BUILD}${name}-${hash}`;
  if (existsSync(path)) return { path };
  mkdirSync(BUILD, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const result = spawnSync("gcc", [...options, "-o", temporary, source], { encoding: "utf8" });
  if (result.error) return { reason: "gcc is missing: the oracle's runner cannot be compiled" };
  if (result.status !== 0) return { reason: `gcc cannot compile ${source}: ${result.stderr.trim()}` };
  renameSync(temporary, path);
  return { path };
}

/** Runs cases on the host's own CPU, in user mode. */
export class NativeRunner implements CaseRunner {
  readonly name = "native";
  /** whether 16-bit code segments and the other segments of the LDT exist */
  readonly hasLdt: boolean;
  readonly #path: string;

  constructor(path: string, hasLdt: boolean) {
    this.#path = path;
    this.hasLdt = hasLdt;
  }

  run(cases: readonly OracleCase[]): OracleResult[] {
    const results: OracleResult[] = [];
    for (let from = 0; from < cases.length; from += BATCH)
      results.push(...this.#runBatch(cases.slice(from, from + BATCH)));
    return results;
  }

  #runBatch(cases: readonly OracleCase[]): OracleResult[] {
    const results = this.#runProcess(cases);
    if (results) return results;
    // A case killed the process. Halve until it is alone.
    const [only] = cases;
    if (cases.length === 1 && only) return [unsupported(only)];
    const half = cases.length >> 1;
    return [...this.#runBatch(cases.slice(0, half)), ...this.#runBatch(cases.slice(half))];
  }

  #runProcess(cases: readonly OracleCase[]): OracleResult[] | undefined {
    const writer = new ByteWriter();
    for (const oracleCase of cases) writeCase(writer, oracleCase);
    const { status, signal, stdout, stderr } = spawnSync(this.#path, { input: writer.bytes, maxBuffer: 1 << 30 });
    if (status === 2) throw new Error(`oracle runner: ${stderr.toString().trim()}`);
    if (status !== 0 || signal) return undefined;
    // A Buffer's slice shares memory; a Uint8Array's copies.
    const bytes = new Uint8Array(stdout.buffer, stdout.byteOffset, stdout.byteLength);
    const results: OracleResult[] = [];
    for (let at = GREETING_BYTES; at < bytes.length; at += itemBytes(bytes, at)) results.push(readResult(bytes, at));
    return results.length === cases.length ? results : undefined;
  }
}

function unsupported(oracleCase: OracleCase): OracleResult {
  return { outcome: "unsupported", vector: 0, errorCode: 0, cr2: 0n, state: oracleCase.state, changes: [] };
}
