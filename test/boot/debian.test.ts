import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { type DebianFiles, fetchDebian } from "../../src/boot/debian.ts";
import { VmError } from "../../src/errors.ts";
import { createPc } from "../../src/pc/create.ts";
import type { MachineExit } from "../../src/pc/exit.ts";
import type { MachineStats } from "../../src/pc/stats.ts";

// Debian's own kernel, unmodified. It is fetched into the user's cache once; without network and cache there is nothing to boot.
let files: DebianFiles | undefined;
try {
  files = await fetchDebian();
} catch (error) {
  if (!(error instanceof VmError)) throw error;
  console.log(`not run: booting Debian's kernel: ${error.message}`);
}

interface Outcome {
  readonly exit: MachineExit;
  readonly output: string;
  readonly instructions: bigint;
  readonly stats: MachineStats;
}

async function boot(
  { kernel, busybox }: DebianFiles,
  script: string,
  clock: "host" | "instructions",
): Promise<Outcome> {
  let output = "";
  const machine = await createPc({
    kernel: await readFile(kernel.path),
    initrd: busyboxInitramfs({ busybox: await readFile(busybox.path), script }),
    commandLine: "console=ttyS0 cryptomgr.notests quiet nokaslr",
    memoryBytes: 256 << 20,
    clock,
    onSerial: (bytes) => (output += new TextDecoder().decode(bytes)),
  });
  const exit = await machine.run();
  const stats = machine.stats();
  return { exit, output, instructions: stats.instructions, stats };
}

/** Statistics of a boot: the parts make up the whole, and what every boot does has happened. */
function expectPlausible({ times, runningMs, idleMs, tlbMisses, callOuts, exits }: MachineStats): void {
  const { idle, ...running } = times;
  const sum = Object.values(running).reduce((total, ms) => total + ms, 0);
  // Parts are estimated apart; generated code, what they leave, is never less than nothing.
  expect(sum).toBeGreaterThanOrEqual(runningMs * 0.999);
  expect(idle).toBe(idleMs);
  for (const part of ["generated", "decoding", "callOuts", "tracing", "devices"] as const)
    expect(times[part], part).toBeGreaterThan(0);
  for (const [kind, count] of Object.entries(tlbMisses)) expect(count, kind).toBeGreaterThan(1000n);
  expect(callOuts["cpuid"]).toBeGreaterThan(100);
  expect(exits.block).toBeGreaterThan(10_000);
}

describe.runIf(files !== undefined)("Debian's kernel", () => {
  it("boots to a shell that runs programs, sleeps and powers off", { timeout: 240_000 }, async () => {
    if (!files) return;
    const script = "uname -m; echo $((6*7)); sleep 1; md5sum /bin/busybox; dmesg | grep kvm-clock:";
    const { exit, output, stats } = await boot(files, script, "host");
    expect(exit).toEqual({ reason: "power-off" });
    expect(output).toContain("x86_64\r\n42\r\n");
    const { createHash } = await import("node:crypto");
    const digest = createHash("md5")
      .update(await readFile(files.busybox.path))
      .digest("hex");
    expect(output).toContain(`${digest}  /bin/busybox`);
    expect(output).toContain("kvm-clock: Using msrs 4b564d01 and 4b564d00");
    expectPlausible(stats);
  });

  it("ends when poweroff is typed in its shell", { timeout: 480_000 }, async () => {
    if (!files) return;
    let output = "";
    const machine = await createPc({
      kernel: await readFile(files.kernel.path),
      initrd: busyboxInitramfs({ busybox: await readFile(files.busybox.path) }),
      commandLine: "console=ttyS0 cryptomgr.notests quiet",
      memoryBytes: 256 << 20,
      engine: "tiered",
      onSerial: (bytes) => {
        output += new TextDecoder().decode(bytes);
        if (!/umbra:~# /.test(output)) return;
        output = "";
        machine.serialInput(new TextEncoder().encode("poweroff\n"));
      },
    });
    expect(await machine.run()).toEqual({ reason: "power-off" });
  });

  it("runs the same twice when the clock counts instructions", { timeout: 480_000 }, async () => {
    if (!files) return;
    const script = "date; head -c 8 /dev/urandom | md5sum; cat /proc/uptime; sleep 2; cat /proc/uptime";
    const first = await boot(files, script, "instructions");
    const second = await boot(files, script, "instructions");
    expect(first.exit).toEqual({ reason: "power-off" });
    expect(second.output).toBe(first.output);
    expect(second.instructions).toBe(first.instructions);
  });
});
