import { describe, expect, it } from "vitest";
import { VirtioConsole } from "../../runtime/virtio/console.ts";
import { VirtioEntropy } from "../../runtime/virtio/entropy.ts";
import { Common, Structure } from "../../runtime/virtio/pci-registers.ts";
import { BUFFERS, Rig } from "./support.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function makeConsole(size?: { readonly columns: number; readonly rows: number }) {
  const output: string[] = [];
  const device = new VirtioConsole((bytes) => output.push(new TextDecoder().decode(bytes)), size);
  const rig = new Rig(device);
  /** What a buffer of the receive queue was filled with. */
  const received = (gpa: number, used: readonly [number, number][]): string[] =>
    used.map(([, bytes]) => String.fromCharCode(...rig.get(gpa, bytes)));
  return { output, device, rig, received };
}

describe("VirtioConsole", () => {
  it("hands on what the guest writes", () => {
    const { output, rig } = makeConsole();
    rig.start();
    rig.put(BUFFERS, text("hello world"));
    const queue = rig.queue(1);
    queue.send(
      queue.chain([
        [BUFFERS, 6],
        [BUFFERS + 6, 5],
      ]),
      queue.chain([[BUFFERS, 5]]),
      queue.chain([[BUFFERS, 0]]),
    );
    expect(output).toEqual(["hello world", "hello"]);
    expect([queue.takeUsed().length, rig.messages]).toEqual([3, [rig.message(1)]]);
  });

  it("bounds what one chain can say, and counts what it cuts", () => {
    const { output, rig } = makeConsole();
    rig.start();
    const queue = rig.queue(1);
    const half = [0, 0x8_0000] as const;
    queue.send(queue.chain([half, half]));
    expect([output[0]?.length, rig.transport.refused.consoleOutput]).toEqual([1 << 20, 0]);
    queue.send(queue.chain(Array.from({ length: 10 }, () => half)), queue.chain([half, half, [BUFFERS, 1]]));
    expect(output.map(({ length }) => length)).toEqual([1 << 20, 1 << 20, 1 << 20]);
    expect([queue.takeUsed().length, rig.transport.refused.consoleOutput]).toEqual([3, 2]);
  });

  it("keeps what is typed until there is a buffer, and a driver", () => {
    const { device, rig, received } = makeConsole();
    device.input(text("before "));
    rig.start();
    device.input(text("there was a buffer"));
    const queue = rig.queue(0);
    queue.send(queue.chain([], [[BUFFERS, 9]]));
    expect(received(BUFFERS, queue.takeUsed())).toEqual(["before th"]);
    queue.send(queue.chain([], [[BUFFERS, 100]]));
    expect(received(BUFFERS, queue.takeUsed())).toEqual(["ere was a buffer"]);
    queue.send(queue.chain([], [[BUFFERS, 100]]));
    expect(queue.takeUsed()).toEqual([]);
    device.input(text("!"));
    expect(received(BUFFERS, queue.takeUsed())).toEqual(["!"]);
    expect(rig.messages).toEqual([rig.message(0), rig.message(0), rig.message(0)]);
  });

  it("tells the size of the terminal, and when it changes", () => {
    const { device, rig } = makeConsole({ columns: 132, rows: 43 });
    rig.start();
    const { first } = Structure.DEVICE;
    expect([rig.read(first, 2), rig.read(first + 2, 2), rig.read(first + 4, 4)]).toEqual([132, 43, 1]);
    device.resize({ columns: 100, rows: 30 });
    expect([rig.read(first, 2), rig.read(first + 2, 2), rig.read(Common.CONFIG_GENERATION, 1)]).toEqual([100, 30, 1]);
    expect(rig.messages).toEqual([rig.message(2)]);
  });

  it("goes on after a restore with what was typed", () => {
    const before = makeConsole();
    before.rig.start();
    before.device.input(text("typed"));
    before.rig.queue(0).publish(before.rig.queue(0).chain([], [[BUFFERS, 100]]));
    const after = makeConsole();
    after.rig.memory.bytes.set(before.rig.memory.bytes);
    after.rig.transport.restore(structuredClone(before.rig.transport.save()));
    after.rig.pci.restore(structuredClone(before.rig.pci.save()));
    after.rig.write(Structure.NOTIFY.first, 2, 0);
    expect(String.fromCharCode(...after.rig.get(BUFFERS, 5))).toBe("typed");
  });
});

describe("VirtioEntropy", () => {
  it("fills buffers from its source, and no further", () => {
    let count = 0n;
    const rig = new Rig(new VirtioEntropy(() => ++count * 0x0101_0101_0101_0101n)).start({ queueSize: 8 });
    const queue = rig.queue();
    queue.send(
      queue.chain(
        [],
        [
          [BUFFERS, 3],
          [BUFFERS + 0x100, 8],
        ],
      ),
    );
    expect(queue.takeUsed()).toEqual([[0, 11]]);
    expect([rig.get(BUFFERS, 4), rig.get(BUFFERS + 0x100, 9)]).toEqual([
      [1, 1, 1, 0],
      [1, 1, 1, 1, 1, 2, 2, 2, 0],
    ]);
    // A source is not asked for more than is used: a deterministic one stays where it was.
    expect(count).toBe(2n);
  });

  it("fills a page at most, and takes chains without a buffer", () => {
    let count = 0;
    const rig = new Rig(new VirtioEntropy(() => BigInt(++count))).start({ queueSize: 8 });
    const queue = rig.queue();
    queue.send(queue.chain([], [[0x4_0000, 0x8_0000]]), queue.chain([[BUFFERS, 4]]));
    expect([queue.takeUsed(), count]).toEqual([
      [
        [0, 4096],
        [1, 0],
      ],
      512,
    ]);
  });
});
