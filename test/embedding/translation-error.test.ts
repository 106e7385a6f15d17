import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMachine, type MachineStats, type VmError } from "../../src/index.ts";
import { createPcWith } from "../../src/pc/create.ts";
import { translationWorker } from "../../src/translation/worker-body.ts";
import * as guest from "./support/tiny-guest.ts";

/** Decrements EAX to 0: it is hot, and a region of its own. */
const loop = (rounds: number): number[] => [...guest.set(rounds), 0xff, 0xc8, 0x75, 0xfc]; // L: dec eax; jnz L
/** It works, and says so, for ever. */
const endless = guest.longKernel(guest.repeat(...[0, 1, 2].map(() => loop(100_000)), guest.print(".")));
const ROUNDS = 2_000_000;
/** It comes to an end, by six loops. */
const finite = guest.longKernel(
  ...Array.from({ length: 6 }, (_, index) => [...loop(ROUNDS), ...guest.print(String(index))]),
  guest.exit(3),
);
const DONE = { printed: "012345", exit: { reason: "debug-exit", status: 7 } };

/** On a machine that has much else to do. */
const TEST_MS = 180_000;
const POLLING = { timeout: 60_000 };

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "umbra-translation-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A module of the translator's worker. */
function module(name: string, source: string): URL {
  const path = join(folder, name);
  writeFileSync(path, source);
  return pathToFileURL(path);
}

/** What the modules of workers do, and what is said of it. */
const DEATHS: Readonly<Record<string, readonly [translatorWorker: () => URL, RegExp]>> = {
  "has no module": [() => pathToFileURL(join(folder, "nothing.js")), /Cannot find module/],
  "throws when it starts": [() => module("throws.mjs", "throw new Error('not today')"), /not today/],
  "dies of its first batch": [
    () =>
      module(
        "dies.mjs",
        `import { parentPort } from "node:worker_threads";
         parentPort.on("message", ({ kind }) => kind === "translate" && process.exit(9));`,
      ),
    /ended with code 9/,
  ],
};

describe.each(["worker", "same-thread"] as const)("a guest in a %s", { timeout: TEST_MS }, (host) => {
  it.each(Object.entries(DEATHS))("goes on when the translator's worker %s", async (_, [url, reason]) => {
    await using machine = await createMachine({
      kernel: endless,
      memoryBytes: 64 << 20,
      host,
      assets: { translatorWorker: url() },
    });
    const errors: VmError[] = [];
    let printed = 0;
    machine.on("translationError", (error) => void errors.push(error));
    machine.serial.onOutput(({ length }) => (printed += length));
    // Every boot has a worker of its own.
    for (const boot of [1, 2]) {
      const running = machine.run();
      await expect.poll(() => errors.length, POLLING).toBe(boot);
      const before = printed;
      await expect.poll(() => printed, POLLING).toBeGreaterThan(before + 3);
      const { translation } = await machine.stats();
      expect([translation?.regions, translation?.failure]).toEqual([0, expect.stringMatching(reason)]);
      await machine.powerOff();
      expect(await running).toEqual({ reason: "stopped" });
    }
    expect(errors.map(({ code }) => code)).toEqual(["ERR_WORKER", "ERR_WORKER"]);
    expect(errors[0]?.message).toMatch(reason);
    expect(errors[0]?.message).not.toContain("\n");
  });
});

describe("a translator's worker that dies later", { timeout: TEST_MS }, () => {
  async function run(tool: Parameters<typeof createPcWith>[1]) {
    const errors: VmError[] = [];
    let printed = "";
    const machine = await createPcWith(
      {
        kernel: finite,
        memoryBytes: 64 << 20,
        engine: "tiered",
        debugExitPort: guest.EXIT_PORT,
        onSerial: (bytes) => (printed += new TextDecoder().decode(bytes)),
        onTranslationError: (error) => void errors.push(error),
      },
      { hotAfter: 50, batch: 1, ...tool },
    );
    const exit = await machine.run();
    machine.close();
    const { translation } = machine.stats();
    return { printed, exit, errors, translation: translation as NonNullable<MachineStats["translation"]> };
  }

  it("leaves what it has translated, and costs nothing but what it has not", async () => {
    let batches = 0;
    const { errors, translation, ...rest } = await run({
      place: "worker",
      // With a latency the machine waits for each batch, so that it is the same ones in every run.
      latency: 1000,
      startWorker: (events) => {
        const take = translationWorker((batch) => setTimeout(() => events.message(batch), 0));
        return {
          post(message) {
            if (message.kind === "translate" && ++batches === 3)
              setTimeout(() => events.failed(new Error("out of memory")), 0);
            else take(message);
          },
          keepAlive: () => undefined,
          terminate: () => undefined,
        };
      },
    });
    expect(rest).toEqual(DONE);
    expect(errors).toEqual([
      expect.objectContaining({
        code: "ERR_WORKER",
        message: expect.stringMatching(/interpreter: Error: out of memory$/),
      }),
    ]);
    expect(translation.regions).toBe(2);
    expect(translation.failures).toBeGreaterThan(1);
    expect(translation.failure).toContain("out of memory");
  });

  it("is another thing than a bug, which costs some code only", async () => {
    const { errors, translation, ...rest } = await run({
      place: "immediate",
      wrapTranslator: (translator) => {
        let batches = 0;
        return {
          begin() {
            if (++batches === 1) throw new Error("a bug");
            return translator.begin();
          },
        };
      },
    });
    expect(rest).toEqual(DONE);
    expect(errors.map(({ code }) => code)).toEqual(["ERR_INTERNAL"]);
    expect([translation.failures, translation.regions > 1]).toEqual([1, true]);
  });

  it("is none when the machine is closed", async () => {
    const { errors, translation, ...rest } = await run({ place: "worker" });
    expect(rest).toEqual(DONE);
    expect([errors, translation.failure]).toEqual([[], undefined]);
  });
});
