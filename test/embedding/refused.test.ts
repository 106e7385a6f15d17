import { describe, expect, it } from "vitest";
import { createMachine, type MachineExit, type RefusedStats } from "../../src/index.ts";
import { describeStats } from "../../src/cli/statistics.ts";
import * as guest from "./support/tiny-guest.ts";

const MIB = 1 << 20;
const MEMORY = 64 * MIB;
/** Behind RAM, in no device's window. */
const NOWHERE = 0xd000_0000;

interface Outcome {
  readonly exit: MachineExit;
  readonly refused: RefusedStats;
  readonly serial: number[];
  readonly printed: string;
}

async function run(...code: readonly (readonly number[])[]): Promise<Outcome> {
  await using machine = await createMachine({
    kernel: guest.tinyKernel(...code),
    memoryBytes: MEMORY,
    host: "same-thread",
    engine: "interpreter",
    debugExitPort: guest.EXIT_PORT,
  });
  const serial: number[] = [];
  machine.serial.onOutput((bytes) => void serial.push(...bytes));
  const exit = await machine.run();
  const stats = await machine.stats();
  return { exit, refused: stats.refused, serial, printed: describeStats(stats) };
}

const NOTHING: RefusedStats = {
  virtqueues: 0,
  virtioRegisters: 0,
  diskRequests: 0,
  consoleOutput: 0,
  transfers: 0,
  ports: 0,
  mmio: 0,
};

describe("what no device answers", () => {
  it("is nothing in a guest that asks for nothing", async () => {
    const { exit, refused, serial } = await run(guest.print("!"), guest.exit(0));
    expect({ exit, refused, serial }).toEqual({
      exit: { reason: "debug-exit", status: 1 },
      refused: NOTHING,
      serial: [0x21],
    });
  });

  it("reads as all ones on ports, of every width, and counts once an access", async () => {
    const { exit, refused, serial, printed } = await run(
      ...([1, 2, 4] as const).flatMap((size) => [guest.readPort(0x1234, size), guest.printEax]),
      // Two of the four ports are the serial port's.
      ...[guest.readPort(0x3f6, 4), guest.printEax, guest.writePort(0xffff, 4), guest.writePort(0x1234, 1)],
      guest.exit(0),
    );
    expect(exit.reason).toBe("debug-exit");
    expect(serial.slice(0, 12)).toEqual([0xff, 0, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    expect(serial.slice(12, 14)).toEqual([0xff, 0xff]);
    expect(refused).toEqual({ ...NOTHING, ports: 6 });
    expect(printed).toMatch(/^refused +virtqueues 0, virtio registers 0, .* ports 6, mmio 0$/m);
  });

  it("reads as all ones behind RAM, and an access over its end has both", async () => {
    const { refused, serial } = await run(
      ...[guest.load(NOWHERE), guest.printEax, guest.set(0), guest.store(NOWHERE), guest.load(NOWHERE), guest.printEax],
      ...[guest.set(0x4433_2211), guest.store(MEMORY - 4), guest.load(MEMORY - 2), guest.printEax],
      ...[guest.set(0), guest.store(MEMORY - 2), guest.load(MEMORY - 4), guest.printEax, guest.exit(0)],
    );
    expect(serial).toEqual(
      [
        [0xff, 0xff, 0xff, 0xff],
        [0xff, 0xff, 0xff, 0xff],
        [0x33, 0x44, 0xff, 0xff],
        [0x11, 0x22, 0, 0],
      ].flat(),
    );
    expect(refused).toEqual({ ...NOTHING, mmio: 5 });
  });

  it("ends a guest that runs code there, or has its page tables there, as a PC would", async () => {
    for (const last of [guest.jumpToEax, guest.pagingOn]) {
      const { exit, serial } = await run(guest.print("!"), guest.set(NOWHERE), last);
      expect([exit.reason, serial]).toEqual(["triple-fault", [0x21]]);
    }
  });
});
