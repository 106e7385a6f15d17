import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { type DebianFiles, fetchDebian } from "../../src/boot/debian.ts";
import { VmError } from "../../src/errors.ts";
import { createPc } from "../../src/pc/create.ts";
import type { Pc } from "../../src/pc/pc.ts";
import { buildImage, imageFolder } from "./support/bare-metal.ts";

let files: DebianFiles | undefined;
try {
  files = await fetchDebian();
} catch (error) {
  if (!(error instanceof VmError)) throw error;
  console.log(`not run: an idle guest: ${error.message}`);
}

const IDLE_MS = 5000;
/** A tenth of a core is many times what it takes, and a fraction of what a guest takes that does not sleep. */
const BUSY_SHARE = 0.1;
/** What the guest does between a key and its echo takes some milliseconds; a timer that it would wait for without being woken, longer. */
const ECHO_MS = 250;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Processor time of this thread, in milliseconds. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A guest at a shell prompt. */
class Shell {
  machine: Pc | undefined;
  #text = "";
  #seen: (() => void) | undefined;

  output(bytes: Uint8Array): void {
    this.#text += new TextDecoder().decode(bytes);
    this.#seen?.();
  }

  /** Forgets what was printed up to now, and waits for `text`. */
  async wait(text: string): Promise<void> {
    while (!this.#text.includes(text)) await new Promise<void>((resolve) => (this.#seen = resolve));
    this.#text = "";
  }

  type(text: string): void {
    this.machine?.serialInput(new TextEncoder().encode(text));
  }
}

describe.runIf(files !== undefined)("an idle guest", () => {
  it("lets the host sleep, and wakes for a key at once", { timeout: 240_000 }, async () => {
    if (!files) return;
    const shell = new Shell();
    const machine = await createPc({
      kernel: await readFile(files.kernel.path),
      initrd: busyboxInitramfs({ busybox: await readFile(files.busybox.path) }),
      commandLine: "console=ttyS0 cryptomgr.notests quiet",
      memoryBytes: 256 << 20,
      onSerial: (bytes) => shell.output(bytes),
    });
    shell.machine = machine;
    const ended = machine.run();
    await shell.wait(":~# ");
    // What the boot has left to do in the background.
    await pause(2000);

    const before = { cpuMs: threadMs(), idleMs: machine.stats().idleMs, atMs: performance.now() };
    await pause(IDLE_MS);
    const passedMs = performance.now() - before.atMs;
    const share = (threadMs() - before.cpuMs) / passedMs;
    expect(share, "share of a core").toBeLessThan(BUSY_SHARE);

    const echoes: number[] = [];
    for (let key = 0; key < 9; key++) {
      await pause(100);
      const typedMs = performance.now();
      shell.type("z");
      await shell.wait("z");
      echoes.push(performance.now() - typedMs);
    }
    const median = echoes.toSorted((left, right) => left - right)[echoes.length >> 1] ?? Infinity;
    expect(median, "milliseconds to the echo").toBeLessThan(ECHO_MS);
    console.log(`idle guest: ${(share * 100).toFixed(1)} % of a core, ${median.toFixed(1)} ms to the echo of a key`);
    shell.type("\u0015exit\n");
    expect(await ended).toEqual({ reason: "power-off" });
  });
});

const folder = imageFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const echo = buildImage(folder, "echo.S");
if ("reason" in echo) console.log(`not run: a guest that answers: ${echo.reason}`);

describe.runIf("path" in echo)("a guest without timers", () => {
  // Nobody wakes it but the input: an answer that is missed is never seen.
  it("is woken by what is typed while its output is handed over, and later", { timeout: 30_000 }, async () => {
    if (!("path" in echo)) return;
    let text = "";
    const machine = await createPc({
      kernel: await readFile(echo.path),
      memoryBytes: 64 << 20,
      debugExitPort: 0xf4,
      onSerial(bytes) {
        text += String.fromCharCode(...bytes);
        const next = Uint8Array.of(text.length < 8 ? 0x61 : 0x71);
        if (text.length % 2 === 0) setTimeout(() => machine.serialInput(next), 20);
        else machine.serialInput(next);
      },
    });
    expect([await machine.run(), text]).toEqual([{ reason: "debug-exit", status: 0xe3 }, "!aaaaaaa"]);
  });
});
