import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { type DebianFiles, fetchDebian } from "../../src/boot/debian.ts";
import { VmError } from "../../src/errors.ts";
import { createPc } from "../../src/pc/create.ts";
import type { MachineExit } from "../../src/pc/exit.ts";
import type { PcOptions } from "../../src/pc/options.ts";
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
  readonly stats: MachineStats;
}

async function boot(
  { kernel, busybox }: DebianFiles,
  translation: NonNullable<PcOptions["translation"]>,
): Promise<Outcome> {
  let output = "";
  const machine = await createPc({
    kernel: await readFile(kernel.path),
    initrd: busyboxInitramfs({ busybox: await readFile(busybox.path), script: "date; md5sum /bin/busybox; uptime" }),
    commandLine: "console=ttyS0 cryptomgr.notests quiet nokaslr",
    memoryBytes: 256 << 20,
    clock: "instructions",
    engine: "tiered",
    translation,
    onSerial: (bytes) => (output += new TextDecoder().decode(bytes)),
  });
  try {
    const exit = await machine.run();
    return { exit, output, stats: machine.stats() };
  } finally {
    machine.close();
  }
}

describe.runIf(files !== undefined)("a clock that counts instructions, with a translator beside the guest", () => {
  it("runs the same wherever and however fast code is translated", { timeout: 480_000 }, async () => {
    if (!files) return;
    const worker = await boot(files, "worker");
    const thread = await boot(files, "same-thread");
    expect(worker.exit).toEqual({ reason: "power-off" });
    expect(thread.output).toBe(worker.output);
    expect(thread.stats.instructions).toBe(worker.stats.instructions);
    expect(thread.stats.exits).toEqual(worker.stats.exits);
    expect(thread.stats.translation?.regions).toBe(worker.stats.translation?.regions);
    expect(worker.stats.translation?.regions).toBeGreaterThan(500);
    expect(worker.stats.translation?.failure).toBeUndefined();
  });
});
