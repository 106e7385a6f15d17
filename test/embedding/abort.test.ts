import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasProgram } from "../../src/boot/command.ts";
import { openFileDisk } from "../../src/host/node/file-disk.ts";
import { createMachine, fileDisk, httpDisk, type MachineOptions, memoryDisk, runProgram } from "../../src/index.ts";
import { elf } from "../boot/support/images.ts";
import { RangeServer } from "./support/range-server.ts";
import * as guest from "./support/tiny-guest.ts";

/** An abort must not wait for anything, not for a server, nor for the guest: those here never answer, and never end. */
const PROMPT_MS = 10_000;
const locks = hasProgram("flock");
if (!locks) console.log("not run: that aborting gives a locked file back: flock is missing");

const spinning = guest.tinyKernel(guest.print("!"), guest.spin);
const options: MachineOptions = { kernel: spinning, memoryBytes: 64 << 20 };

let server: RangeServer;
let url = "";
let folder = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "umbra-abort-"));
  server = new RangeServer(new Uint8Array(512 * 1024));
  url = await server.start();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function promptly<T>(work: Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work;
  } finally {
    expect(performance.now() - started).toBeLessThan(PROMPT_MS);
  }
}

describe.each([["worker"], ["same-thread"]] as const)("an AbortSignal: %s", { timeout: 60_000 }, (host) => {
  it("that is aborted already keeps everything from being done", async () => {
    const signal = AbortSignal.abort();
    for (const work of [
      createMachine({ ...options, host, signal }),
      runProgram(elf({ wide: true }), { kernel: spinning, host, signal }),
    ])
      await expect(work).rejects.toMatchObject({ name: "AbortError" });
  });

  it("ends createMachine while a disk is opened, and gives back what was opened before", async () => {
    const path = join(folder, "disk.img");
    writeFileSync(path, new Uint8Array(1024));
    server.fault = () => "hang";
    const aborter = new AbortController();
    const disks = [locks ? fileDisk(path) : memoryDisk(new Uint8Array(512)), httpDisk(url)];
    const making = createMachine({ ...options, host, signal: aborter.signal, disks });
    await expect.poll(() => server.requests, { timeout: 20_000 }).toBe(1);
    aborter.abort();
    await expect(promptly(making)).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => server.abandoned, { timeout: PROMPT_MS }).toBe(1);
    if (locks) await expect.poll(() => isFree(path), { timeout: PROMPT_MS }).toBe(true);
  });

  it("closes a machine that was made with it", async () => {
    const aborter = new AbortController();
    const machine = await createMachine({ ...options, host, signal: aborter.signal });
    const closed = new Promise<void>((resolve) => machine.on("close", () => resolve()));
    const running = machine.run();
    aborter.abort();
    expect((await promptly(running)).reason).toBe("stopped");
    await closed;
    await expect(machine.stats()).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("switches a machine off that runs, which can be run again", async () => {
    await using machine = await createMachine({ ...options, host });
    const aborter = new AbortController();
    const printed = new Promise<void>((resolve) => machine.serial.onOutput(() => resolve()));
    const running = machine.run({ signal: aborter.signal });
    await printed;
    aborter.abort(new Error("enough"));
    await expect(promptly(running)).rejects.toThrow("enough");
    expect(machine.status).toBe("off");
    await expect(machine.run({ signal: aborter.signal })).rejects.toThrow("enough");
    const again = machine.run();
    await machine.powerOff();
    expect((await again).reason).toBe("stopped");
  });

  it("ends runProgram, wherever it is", async () => {
    // The guest never comes to its program: the kernel prints and spins.
    const aborter = new AbortController();
    const running = runProgram(elf({ wide: true }), { kernel: spinning, host, signal: aborter.signal });
    setTimeout(() => aborter.abort(), 500);
    await expect(promptly(running)).rejects.toMatchObject({ name: "AbortError" });
  });

  it("is not needed to close a machine whose disk does not answer", async () => {
    const machine = await createMachine({ ...options, host, disks: [httpDisk(url)] });
    const running = machine.run();
    await promptly(machine.close());
    expect((await running).reason).toBe("stopped");
  });
});

function isFree(path: string): boolean {
  try {
    openFileDisk(path).close();
    return true;
  } catch {
    return false;
  }
}
