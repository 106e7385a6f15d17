import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../runtime/disk/memory-disk.ts";
import { VirtioBlock } from "../../runtime/virtio/block.ts";
import { VirtioConsole } from "../../runtime/virtio/console.ts";
import { VirtioEntropy } from "../../runtime/virtio/entropy.ts";
import { Common } from "../../runtime/virtio/pci-registers.ts";
import { Feature, type VirtioDevice } from "../../runtime/virtio/virtio-device.ts";
import { randomNumbers } from "../devices/support.ts";
import { BAR0, BAR1, BUFFERS, type DriverQueue, echoDevice, RAM, Rig } from "./support.ts";

const INDIRECT = 0x1_0000;

/** What a driver must not do, and what the trace says of it. */
const MISDEEDS: Readonly<Record<string, readonly [(queue: DriverQueue) => void, RegExp]>> = {
  "a chain that is a loop": [
    (queue) => {
      queue.describe(0, [BUFFERS, 1], 1, 1);
      queue.describe(1, [BUFFERS, 1], 1, 0);
      queue.publish(0);
    },
    /a chain of descriptors is a loop/,
  ],
  "a descriptor that leads to itself": [
    (queue) => {
      queue.describe(0, [BUFFERS, 1], 1, 0);
      queue.publish(0);
    },
    /a loop/,
  ],
  "a head that there is not": [(queue) => queue.publish(16), /descriptor 16 is none of 16/],
  "a next descriptor that there is not": [
    (queue) => {
      queue.describe(0, [BUFFERS, 1], 1, 0xffff);
      queue.publish(0);
    },
    /descriptor 65535 is none of 16/,
  ],
  "more chains than the ring has": [(queue) => queue.setAvailableIndex(17), /17 entries are available in a ring of 16/],
  "an index that went back": [(queue) => queue.setAvailableIndex(-1), /65535 entries are available/],
  "a buffer beyond RAM": [
    (queue) => queue.publish(queue.chain([[RAM - 1, 2]])),
    /a buffer of 2 bytes at 0xfffff is not in RAM/,
  ],
  "a buffer at the end of all addresses": [(queue) => queue.publish(queue.chain([[2 ** 63, 4]])), /is not in RAM/],
  "a buffer of 4 GiB": [(queue) => queue.publish(queue.chain([[BUFFERS, 0xffff_ffff]])), /is not in RAM/],
  "a buffer to read after one to write": [
    (queue) => {
      queue.describe(0, [BUFFERS, 1], 3, 1);
      queue.describe(1, [BUFFERS, 1], 0);
      queue.publish(0);
    },
    /to read comes after one to write/,
  ],
  "an indirect table of no length": [
    (queue) => {
      queue.describe(0, [INDIRECT, 0], 4);
      queue.publish(0);
    },
    /an indirect table has 0 bytes/,
  ],
  "an indirect table that ends inside a descriptor": [
    (queue) => {
      queue.describe(0, [INDIRECT, 24], 4);
      queue.publish(0);
    },
    /an indirect table has 24 bytes/,
  ],
  "an indirect table without end": [
    (queue) => {
      queue.describe(0, [0, 0x8_0000], 4);
      queue.publish(0);
    },
    /an indirect table has 524288 bytes/,
  ],
  "an indirect table beyond RAM": [
    (queue) => {
      queue.describe(0, [RAM, 32], 4);
      queue.publish(0);
    },
    /an indirect table has 32 bytes at 0x100000/,
  ],
  "an indirect table in another": [
    (queue) => {
      queue.describe(0, [INDIRECT, 16], 4, 0, INDIRECT);
      queue.publish(queue.indirectChain(INDIRECT + 0x100, [[BUFFERS, 1]]));
      queue.describe(0, [INDIRECT, 16], 4);
    },
    /an indirect table leads to another/,
  ],
  "an indirect descriptor with a next one": [
    (queue) => {
      queue.describe(0, [INDIRECT, 16], 5, 1);
      queue.publish(0);
    },
    /an indirect descriptor has a next one/,
  ],
  "a loop in an indirect table": [
    (queue) => {
      queue.describe(0, [BUFFERS, 1], 1, 1, INDIRECT);
      queue.describe(1, [BUFFERS, 1], 1, 0, INDIRECT);
      queue.describe(0, [INDIRECT, 32], 4);
      queue.publish(0);
    },
    /a loop/,
  ],
};

describe("a driver that breaks the rules", () => {
  for (const [misdeed, [commit, reason]] of Object.entries(MISDEEDS)) {
    it(`is told that the device needs a reset: ${misdeed}`, () => {
      const rig = new Rig(echoDevice()).start({ features: Feature.INDIRECT_DESC });
      commit(rig.queue());
      rig.queue().notify();
      expect(rig.needsReset).toBe(true);
      expect(rig.messages).toEqual([rig.message(1)]); // the configuration's vector
      expect(rig.traced).toEqual([expect.stringMatching(reason)]);
      expect(rig.queue().usedIndex).toBe(0);
      // Nothing more is said or done until the reset, and after it everything works.
      rig.queue().notify();
      expect([rig.messages.length, rig.transport.failures]).toEqual([1, 1]);
      rig.memory.bytes.fill(0);
      rig.start();
      rig.queue().send(rig.queue().chain([], [[BUFFERS, 1]]));
      expect([rig.needsReset, rig.queue().takeUsed()]).toEqual([false, [[0, 1]]]);
    });
  }

  it("may use no indirect descriptors that were not agreed on", () => {
    const rig = new Rig(echoDevice()).start();
    rig.queue().send(rig.queue().indirectChain(INDIRECT, [[BUFFERS, 1]]));
    expect([rig.needsReset, rig.traced]).toEqual([true, [expect.stringMatching("was not agreed on")]]);
  });

  it("may put no ring outside RAM, nor at an odd place", () => {
    for (const areas of [
      { table: RAM },
      { used: RAM - 4 },
      { available: 2 ** 40 },
      { table: 8 },
      { available: 1 },
      { used: 2 },
    ]) {
      const rig = new Rig(echoDevice());
      rig.acceptFeatures(Feature.VERSION_1);
      rig.setUpQueue(0, areas);
      expect([rig.needsReset, rig.read(Common.QUEUE_ENABLE, 2)], JSON.stringify(areas)).toEqual([true, 0]);
    }
  });
});

const DEVICES: Readonly<Record<string, () => VirtioDevice>> = {
  block: () => new VirtioBlock(new MemoryDisk(new Uint8Array(64 * 512))),
  console: () => new VirtioConsole(() => undefined),
  entropy: () => new VirtioEntropy(() => 1n),
};

const BLOCK_REQUESTS = [0, 1, 4, 8, 13, 77];

/** A request that a driver could make, of which some bytes may then be replaced. */
function randomRequest(rig: Rig, queue: DriverQueue, random: (limit: number) => number): void {
  rig.put(BUFFERS, [BLOCK_REQUESTS[random(6)] ?? 0, 0, 0, 0, 0, 0, 0, 0, random(80), 0, 0, 0, 0, 0, 0, 0]);
  const data = Array.from({ length: random(4) }, () => [BUFFERS + 0x1000 * (1 + random(8)), 512 * random(8)] as const);
  const toDevice = random(2) === 0;
  const readable = [[BUFFERS, 16] as const, ...(toDevice ? data : [])];
  const writable = [...(toDevice ? [] : data), [BUFFERS + 0x20, 1] as const];
  const indirect = random(2) === 0;
  const head = indirect ? queue.indirectChain(INDIRECT, readable, writable) : queue.chain(readable, writable);
  if (random(2) === 0) {
    const table = indirect && random(2) === 0 ? INDIRECT : queue.table;
    for (let count = random(4); count >= 0; count--) rig.put(table + random(16 * 8), [random(256)]);
  }
  if (random(40) === 0) queue.setAvailableIndex(random(0x1_0000));
  queue.publish(random(30) === 0 ? random(0x1_0000) : head);
}

describe("random rings and registers", () => {
  for (const [name, make] of Object.entries(DEVICES)) {
    it(`neither throw nor hang: ${name}`, { timeout: 120_000 }, () => {
      let failures = 0;
      let used = 0;
      for (let seed = 1; seed <= 200; seed++) {
        const random = randomNumbers(seed);
        const rig = new Rig(make());
        const features = seed % 4 ? Feature.INDIRECT_DESC | (seed % 2 ? Feature.EVENT_IDX : 0n) : 0n;
        rig.start({ features });
        for (let step = 0; step < 60; step++) {
          const queue = rig.queue(random(rig.queues.length));
          randomRequest(rig, queue, random);
          queue.notify();
          used += queue.takeUsed().length;
          if (random(10) === 0) rig.mmio.store(BAR0 + random(0x1000) * 4, 4, random(2 ** 32));
          if (random(20) === 0) rig.mmio.store(BAR0 + random(0x38), 1, random(256));
          if (random(20) === 0) rig.mmio.store(BAR1 + random(0x400) * 4, 4, random(2 ** 32));
          if (random(20) === 0) rig.writeConfig(0x40 + random(48) * 4, 4, random(2 ** 32));
          rig.mmio.load(BAR0 + random(0x4000), 1);
          rig.readConfig(random(64) * 4, 4);
          if (rig.needsReset || !rig.transport.running) {
            rig.memory.bytes.fill(0);
            rig.start({ features });
          }
        }
        failures += rig.transport.failures;
      }
      // The input must reach both ends: chains that are served, and chains that are refused.
      expect(failures).toBeGreaterThan(1000);
      expect(used).toBeGreaterThan(3000);
    });
  }
});
