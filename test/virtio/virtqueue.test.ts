import { describe, expect, it } from "vitest";
import { Feature } from "../../runtime/virtio/virtio-device.ts";
import { BUFFERS, echoDevice, Rig } from "./support.ts";

describe("Virtqueue", () => {
  it("takes chains in the order in which they were made available, and gives them back", () => {
    const rig = new Rig(echoDevice()).start();
    const queue = rig.queue();
    rig.put(BUFFERS, [7]);
    const first = queue.chain([[BUFFERS, 1]], [[BUFFERS + 0x100, 3]]);
    const second = queue.chain([[BUFFERS, 1]]);
    queue.send(second, first);
    expect(queue.takeUsed()).toEqual([
      [second, 0],
      [first, 3],
    ]);
    expect(rig.get(BUFFERS + 0x100, 4)).toEqual([7, 7, 7, 0]);
    expect(rig.messages).toEqual([rig.message(0)]);
    expect(rig.needsReset).toBe(false);
  });

  it("tells the machine of every byte that it writes", () => {
    const rig = new Rig(echoDevice()).start();
    const queue = rig.queue();
    rig.memory.writes.length = 0;
    const before = rig.memory.bytes.slice();
    queue.publish(queue.chain([], [[BUFFERS, 5]]));
    before.set(rig.memory.bytes);
    queue.notify();
    const told = new Uint8Array(rig.memory.bytes.length);
    for (const [gpa, byteLength] of rig.memory.writes) told.fill(1, gpa, gpa + byteLength);
    const missed = [...rig.memory.bytes.keys()].filter((at) => rig.memory.bytes[at] !== before[at] && !told[at]);
    expect(missed).toEqual([]);
    expect(told.subarray(BUFFERS, BUFFERS + 5).every((mark) => mark === 1)).toBe(true);
    expect(told[queue.used + 2]).toBe(1);
  });

  it("goes on when the 16-bit indexes wrap", { timeout: 60_000 }, () => {
    const rig = new Rig(echoDevice()).start({ queueSize: 8 });
    const queue = rig.queue();
    const heads = [queue.chain([], [[BUFFERS, 1]]), queue.chain([], [[BUFFERS, 2]]), queue.chain([], [[BUFFERS, 3]])];
    for (let round = 0; round < 30_000; round++) {
      queue.send(...heads);
      if (queue.takeUsed().length !== 3) throw new Error(`round ${round}`);
    }
    expect(queue.usedIndex).toBe(90_000 & 0xffff);
    expect(rig.needsReset).toBe(false);
  });

  it("follows indirect tables, longer than the queue too", () => {
    const rig = new Rig(echoDevice()).start({ features: Feature.INDIRECT_DESC, queueSize: 4 });
    const queue = rig.queue();
    rig.put(BUFFERS, [9]);
    const pieces = Array.from({ length: 20 }, (_, index) => [BUFFERS + 0x100 + index * 2, 1] as const);
    const head = queue.indirectChain(0x1_0000, [[BUFFERS, 1]], pieces);
    queue.send(head);
    expect(queue.takeUsed()).toEqual([[head, 20]]);
    expect(rig.get(BUFFERS + 0x100, 4)).toEqual([9, 0, 9, 0]);
  });

  it("takes empty buffers for nothing, wherever they are", () => {
    const rig = new Rig(echoDevice()).start();
    const queue = rig.queue();
    queue.send(queue.chain([[2 ** 52, 0]], [[BUFFERS, 2]]));
    expect(queue.takeUsed()).toEqual([[0, 2]]);
  });

  it("does not interrupt a driver that wants none", () => {
    const rig = new Rig(echoDevice()).start();
    const queue = rig.queue();
    queue.suppressInterrupts(true);
    queue.send(queue.chain([], [[BUFFERS, 1]]));
    expect([rig.messages.length, queue.takeUsed().length]).toEqual([0, 1]);
    queue.suppressInterrupts(false);
    queue.send(queue.chain([], [[BUFFERS, 1]]));
    expect(rig.messages).toHaveLength(1);
  });

  describe("with event indexes", () => {
    const start = () => new Rig(echoDevice()).start({ features: Feature.EVENT_IDX, queueSize: 8 });

    it("interrupts when the used index passes the event, once", () => {
      const rig = start();
      const queue = rig.queue();
      queue.suppressInterrupts(true); // the flag means nothing now
      queue.setUsedEvent(2); // told when the third comes back
      const head = queue.chain([], [[BUFFERS, 1]]);
      const counts = [1, 2, 3, 4, 5].map(() => {
        queue.send(head);
        return rig.messages.length;
      });
      expect(counts).toEqual([0, 0, 1, 1, 1]);
      queue.setUsedEvent(6);
      queue.send(head, head, head);
      expect(rig.messages).toHaveLength(2);
    });

    it("interrupts right across the wrap of the index", { timeout: 60_000 }, () => {
      const rig = start();
      const queue = rig.queue();
      const head = queue.chain([], [[BUFFERS, 1]]);
      for (let round = 0; round < 65_535; round++) queue.send(head);
      const before = rig.messages.length;
      queue.setUsedEvent(0xffff);
      queue.send(head);
      expect([queue.usedIndex, rig.messages.length - before]).toEqual([0, 1]);
      queue.send(head);
      expect(rig.messages.length - before).toBe(1);
    });

    it("asks to be told of the next chain", () => {
      const rig = start();
      const queue = rig.queue();
      const head = queue.chain([], [[BUFFERS, 1]]);
      queue.send(head);
      expect(queue.availableEvent).toBe(1);
      queue.send(head, head);
      expect(queue.availableEvent).toBe(3);
    });
  });
});
