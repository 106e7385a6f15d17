import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createMachine } from "../../src/index.ts";
import * as guest from "./support/tiny-guest.ts";

const MIB = 1 << 20;
/** A guest without a reader writes some 10 MiB in that time, where it may. */
const WAIT_MS = 3000;
/** 1 MiB in the stream, and what the guest writes in a turn of the machine's thread, and until it hears of it. */
const ALLOWED_UNREAD = 4 * MIB;
const WANTED = 2 * MIB;

describe("a guest that writes without end", { timeout: 120_000 }, () => {
  it.each([["worker"], ["same-thread"]] as const)("waits for its reader: %s", async (host) => {
    const kernel = guest.tinyKernel(guest.repeat(guest.print("0123456789abcdef".repeat(8))));
    await using machine = await createMachine({ kernel, host, memoryBytes: 64 * MIB });
    let written = 0;
    machine.serial.onOutput(({ length }) => (written += length));
    const reader = machine.serial.readable.getReader();
    const running = machine.run();

    // Nobody reads: the guest stands still soon.
    await expect.poll(() => written, { timeout: 60_000, interval: 20 }).toBeGreaterThan(MIB);
    const rss = process.memoryUsage.rss();
    await sleep(WAIT_MS);
    const stopped = written;
    expect(stopped).toBeLessThan(ALLOWED_UNREAD);
    await sleep(500);
    expect(written).toBe(stopped);
    expect((await machine.stats()).instructions).toBe((await machine.stats()).instructions);
    expect(process.memoryUsage.rss() - rss).toBeLessThan(64 * MIB);

    // A slow reader gets everything in order, and the guest is never far ahead.
    let read = 0;
    let wrong = 0;
    let ahead = 0;
    while (read < WANTED + stopped) {
      const { value } = await reader.read();
      if (!value) break;
      for (const [at, byte] of value.entries()) if (byte !== "0123456789abcdef".charCodeAt((read + at) % 16)) wrong++;
      read += value.length;
      ahead = Math.max(ahead, written - read);
      await sleep(2);
    }
    expect(wrong).toBe(0);
    expect(ahead).toBeLessThan(ALLOWED_UNREAD);

    // Held or not, it ends when it is told to, and the stream does with the machine.
    await machine.powerOff();
    expect((await running).reason).toBe("stopped");
    await machine.close();
    for (let done = false; !done;) ({ done } = await reader.read());
  });
});
