import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { busyboxInitramfs } from "../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../src/boot/debian.ts";

const COMMAND_LINE = "console=ttyS0 cryptomgr.notests quiet";
/** What the guest prints before it powers off: without it a run is no measurement. */
const READY = "ready-to-measure";
/** The first line that init prints; the kernel is quiet until then. */
const INIT_BANNER = "init-has-begun";
const TIMEOUT_MS = 300_000;

/** On the clock, and of processor time, from the start of the process. */
interface Seconds {
  readonly wall: number;
  readonly cpu: number;
}

interface BootTimes {
  readonly toInit: Seconds;
  /** to the end of the process */
  readonly toPowerOff: Seconds;
}

export interface BootResult {
  readonly engine: string;
  /** one for each round */
  readonly boots: readonly BootTimes[];
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
    writeFileSync(
      initrd,
      busyboxInitramfs({ busybox: readFileSync(busybox.path), banner: INIT_BANNER, script: `echo ${READY}` }),
    );
    const contenders = contendersFor(kernel.path, initrd).filter(({ engine, command }) => {
      const missing = spawnSync(command[0], ["--version"]).error !== undefined;
      if (missing) report(`${engine}: not measured, ${command[0]} is not installed (Debian package qemu-system-x86)`);
      return !missing;
    });
    const results = contenders.map(({ engine }) => ({ engine, boots: [] as BootTimes[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const [index, { engine, command }] of contenders.entries()) {
        report(`${engine}: boot ${round} of ${rounds}`);
        results[index]?.boots.push(await time(engine, command));
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

/** Runs a contender to its end, without input, and notes when the first line of init comes. */
async function time(engine: string, [program, ...rest]: readonly [string, ...string[]]): Promise<BootTimes> {
  const before = childCpuSeconds();
  const started = performance.now();
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "ignore"], timeout: TIMEOUT_MS });
  let output = "";
  let toInit: Seconds | undefined;
  child.stdout.setEncoding("latin1");
  child.stdout.on("data", (text: string) => {
    output += text;
    if (toInit === undefined && output.includes(INIT_BANNER)) {
      toInit = { wall: (performance.now() - started) / 1000, cpu: cpuSeconds(String(child.pid), OWN_TIMES) };
    }
  });
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  });
  const wall = (performance.now() - started) / 1000;
  if (toInit === undefined || !output.includes(READY))
    throw new Error(`${engine} did not boot: ${output.slice(-200) || "it printed nothing"}`);
  return { toInit, toPowerOff: { wall, cpu: childCpuSeconds() - before } };
}

/** Places of the times in /proc/PID/stat, behind the program's name: user and system, in ticks of 10 ms; proc(5). */
const OWN_TIMES = [11, 12] as const;
const CHILDREN_TIMES = [13, 14] as const;

/** Processor time of all children that have ended. */
function childCpuSeconds(): number {
  return cpuSeconds("self", CHILDREN_TIMES);
}

function cpuSeconds(pid: string, places: readonly number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in parentheses, may hold blanks: fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return places.reduce((sum, place) => sum + Number(fields[place]), 0) / 100;
}
