import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { busyboxInitramfs } from "../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../src/boot/debian.ts";

const COMMAND_LINE = "console=ttyS0 cryptomgr.notests quiet";
/** What the guest prints before it powers off: without it a run is no measurement. */
const READY = "ready-to-measure";
const TIMEOUT_MS = 300_000;

export interface BootResult {
  readonly engine: string;
  /** whole process, from its start to its end: seconds on the clock, and of processor time */
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
}

interface Contender {
  readonly engine: string;
  readonly command: readonly [string, ...string[]];
}

/**
 * Boots Debian's kernel with a small initramfs to power-off on each engine and on QEMU's translator, in turn, `rounds` times.
 *
 * @throws {VmError} when the kernel cannot be fetched
 */
export async function measureBoots(rounds: number, report: (what: string) => void): Promise<BootResult[]> {
  const { kernel, busybox } = await fetchDebian();
  const folder = mkdtempSync(join(tmpdir(), "umbra-boot-"));
  try {
    const initrd = join(folder, "initrd");
    writeFileSync(initrd, busyboxInitramfs({ busybox: readFileSync(busybox.path), script: `echo ${READY}` }));
    const contenders = contendersFor(kernel.path, initrd).filter(({ engine, command }) => {
      const missing = spawnSync(command[0], ["--version"]).error !== undefined;
      if (missing) report(`${engine}: not measured, ${command[0]} is not installed (Debian package qemu-system-x86)`);
      return !missing;
    });
    const results = contenders.map(({ engine }) => ({ engine, wall: [] as number[], cpu: [] as number[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const [index, { engine, command }] of contenders.entries()) {
        report(`${engine}: boot ${round} of ${rounds}`);
        const { wall, cpu } = time(engine, command);
        results[index]?.wall.push(wall);
        results[index]?.cpu.push(cpu);
      }
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function contendersFor(kernel: string, initrd: string): Contender[] {
  const umbra = fileURLToPath(new URL("../src/cli/run.ts", import.meta.url));
  const boot = ["--kernel", kernel, "--initrd", initrd, "--append", COMMAND_LINE];
  const qemu = ["-accel", "tcg", "-m", "512", "-nographic", "-no-reboot", "-nic", "none"];
  return [
    ...["interpreter", "tiered"].map((engine): Contender => ({
      engine,
      command: [process.execPath, umbra, "run", "--engine", engine, ...boot],
    })),
    {
      engine: "qemu-system-x86_64 (TCG)",
      command: ["qemu-system-x86_64", ...qemu, "-kernel", kernel, "-initrd", initrd, "-append", COMMAND_LINE],
    },
  ];
}

function time(engine: string, [program, ...rest]: readonly [string, ...string[]]): { wall: number; cpu: number } {
  const before = childCpuSeconds();
  const started = performance.now();
  const { stdout, error } = spawnSync(program, rest, { input: "", timeout: TIMEOUT_MS, encoding: "latin1" });
  const wall = (performance.now() - started) / 1000;
  if (error !== undefined || !stdout.includes(READY))
    throw new Error(`${engine} did not boot: ${error?.message ?? stdout.slice(-200)}`);
  return { wall, cpu: childCpuSeconds() - before };
}

/** Processor time of all children that have ended: user and system, proc(5), /proc/self/stat, cutime and cstime in ticks of 10 ms. */
function childCpuSeconds(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // The name of the program, in parentheses, may hold blanks: fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
