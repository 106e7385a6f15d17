import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { fetchDebian } from "../../src/boot/debian.ts";
import { createMachine, type HostThread } from "../../src/index.ts";

const MACHINES = 100;
/** Of them the first ones fill the host's own pools. */
const WARM_UP = 20;
const MIB = 1 << 20;
/** What may be left of the 80 machines after the warm-up: each has touched more than 14 MiB (its kernel) and reserved 512. */
const ALLOWED_GROWTH = 160 * MIB;

/** Makes a machine, runs its guest for a moment, and closes it. */
async function makeAndClose(kernel: Uint8Array, host: HostThread): Promise<void> {
  const machine = await createMachine({ kernel, host, engine: "interpreter", commandLine: "console=ttyS0 quiet" });
  const running = machine.run();
  await sleep(5);
  await machine.close();
  expect((await running).reason).toBe("stopped");
}

describe("closed machines give their memory back", () => {
  it.each([["same-thread"], ["worker"]] as const)(
    `${MACHINES} one after the other: %s`,
    async (host) => {
      const kernel = readFileSync((await fetchDebian()).kernel.path);
      let afterWarmUp = 0;
      for (let count = 1; count <= MACHINES; count++) {
        await makeAndClose(kernel, host);
        if (count === WARM_UP) afterWarmUp = process.memoryUsage.rss();
      }
      const grown = process.memoryUsage.rss() - afterWarmUp;
      expect(grown / MIB).toBeLessThan(ALLOWED_GROWTH / MIB);
    },
    600_000,
  );
});
