import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../../src/boot/debian.ts";
import { createMachine, type HostThread, type MachineOptions } from "../../src/index.ts";
import * as guest from "./support/tiny-guest.ts";

const MACHINES = 100;
/** Of them the first ones fill the host's own pools. */
const WARM_UP = 20;
const MIB = 1 << 20;
/** What may be left of the 80 machines after the warm-up, of each of which the guest has touched 16 MiB. */
const ALLOWED_GROWTH = 160 * MIB;
/** Full boots are few, and each leaves more than 100 MiB if it leaves anything. */
const BOOTS = 4;
const ALLOWED_BOOT_GROWTH = 100 * MIB;

/** Writes to the last byte of each page of 16 MiB, from 16 MiB on, prints, and waits for what never comes. */
const TOUCH = [
  ...[0xb8, 0xff, 0x0f, 0x00, 0x01], // mov eax, 16 MiB + 4095
  ...[0xc6, 0x00, 0x55], // mov byte [eax], 0x55
  ...[0x05, 0x00, 0x10, 0x00, 0x00], // add eax, 4096
  ...[0x3d, 0x00, 0x00, 0x00, 0x02], // cmp eax, 32 MiB
  ...[0x72, 0xf1], // jb to the mov
];

/** Makes a machine, runs its guest to its first output, and closes it. */
async function makeAndClose(options: MachineOptions, awaited: string): Promise<void> {
  const machine = await createMachine(options);
  const text = new TextDecoder();
  let output = "";
  const seen = new Promise<void>((resolve) =>
    machine.serial.onOutput((bytes) => {
      output += text.decode(bytes);
      if (output.includes(awaited)) resolve();
    }),
  );
  const running = machine.run();
  await Promise.race([seen, running]);
  expect(output).toContain(awaited);
  await machine.close();
  expect((await running).reason).toBe("stopped");
}

/** @returns bytes by which this process has grown after the warm-up */
async function growth(machines: number, warmUp: number, each: () => Promise<void>): Promise<number> {
  let afterWarmUp = 0;
  for (let count = 1; count <= machines; count++) {
    await each();
    if (count === warmUp) afterWarmUp = process.memoryUsage.rss();
  }
  const grown = process.memoryUsage.rss() - afterWarmUp;
  console.log(
    `${machines} machines: ${Math.round(afterWarmUp / MIB)} MiB after ${warmUp}, then grown by ${Math.round(grown / MIB)} MiB`,
  );
  return grown;
}

describe("closed machines give their memory back", () => {
  it.each([["same-thread"], ["worker"]] as const)(
    `${MACHINES} one after the other: %s`,
    async (host: HostThread) => {
      const kernel = guest.tinyKernel(TOUCH, guest.print("!"), guest.spin);
      const options: MachineOptions = { kernel, host, memoryBytes: 64 * MIB, engine: "tiered" };
      const grown = await growth(MACHINES, WARM_UP, () => makeAndClose(options, "!"));
      expect(grown / MIB).toBeLessThan(ALLOWED_GROWTH / MIB);
    },
    600_000,
  );

  it.each([["same-thread"], ["worker"]] as const)(
    "after Linux has run in them: %s",
    async (host: HostThread) => {
      const debian = await fetchDebian();
      const options: MachineOptions = {
        kernel: readFileSync(debian.kernel.path),
        initrd: busyboxInitramfs({ busybox: readFileSync(debian.busybox.path), script: "echo here; sleep 1000" }),
        commandLine: "console=ttyS0 quiet cryptomgr.notests",
        memoryBytes: 256 * MIB,
        host,
      };
      const grown = await growth(BOOTS, 1, () => makeAndClose(options, "here"));
      expect(grown / MIB).toBeLessThan(ALLOWED_BOOT_GROWTH / MIB);
    },
    600_000,
  );
});
