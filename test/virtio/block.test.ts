import { describe, expect, it } from "vitest";
import type { Disk } from "../../runtime/disk/disk.ts";
import { MemoryDisk } from "../../runtime/disk/memory-disk.ts";
import { type BlockOptions, VirtioBlock } from "../../runtime/virtio/block.ts";
import { Structure } from "../../runtime/virtio/pci-registers.ts";
import { Feature } from "../../runtime/virtio/virtio-device.ts";
import { type Buffer, BUFFERS, Rig } from "./support.ts";
import { LateDisk } from "./late-disk.ts";

const SECTORS = 1000;
const Type = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13 } as const;
const [OK, IO_ERROR, UNSUPPORTED, UNTOUCHED] = [0, 1, 2, 0xaa];
const HEADER = BUFFERS;
const STATUS = BUFFERS + 0x100;
const DATA = BUFFERS + 0x1000;

function patternDisk(options: { readonly readOnly?: boolean; readonly id?: string } = {}): MemoryDisk {
  return new MemoryDisk(
    Uint8Array.from({ length: SECTORS * 512 }, (_, index) => (index * 7 + (index >> 9)) & 0xff),
    options,
  );
}

function make(disk: Disk, options: BlockOptions = {}) {
  const rig = new Rig(new VirtioBlock(disk, options)).start({ queueSize: 64 });
  /** Makes a request available; the header, and data if any, are at their places. */
  const publish = (
    type: number,
    sector: number,
    readable: readonly Buffer[] = [],
    writable: readonly Buffer[] = [],
  ) => {
    const header = new DataView(new ArrayBuffer(16));
    header.setUint32(0, type, true);
    header.setBigUint64(8, BigInt(sector), true);
    rig.put(HEADER, new Uint8Array(header.buffer));
    rig.put(STATUS, [UNTOUCHED]);
    rig.queue().publish(rig.queue().chain([[HEADER, 16], ...readable], [...writable, [STATUS, 1]]));
  };
  /** Status and bytes written of a request that is done at once; undefined if it is not. */
  const request = (...args: Parameters<typeof publish>) => {
    publish(...args);
    rig.queue().notify();
    const [used] = rig.queue().takeUsed();
    return used && { status: rig.get(STATUS, 1)[0], written: used[1] };
  };
  return { rig, request, publish };
}

describe("VirtioBlock", () => {
  it("says how large it is, and what it can do", () => {
    const config = (disk: Disk) => {
      const { rig } = make(disk);
      const { first } = Structure.DEVICE;
      return { capacity: rig.read(first, 4), blockSize: rig.read(first + 20, 4), zeroes: rig.read(first + 48, 4), rig };
    };
    const writable = config(patternDisk());
    expect(writable).toMatchObject({ capacity: SECTORS, blockSize: 512 });
    expect(writable.zeroes).toBeGreaterThan(0);
    expect([(writable.rig.offered >> 5n) & 1n, (writable.rig.offered >> 9n) & 1n]).toEqual([0n, 1n]);
    const readOnly = config(patternDisk({ readOnly: true }));
    expect([(readOnly.rig.offered >> 5n) & 1n, (readOnly.rig.offered >> 14n) & 1n]).toEqual([1n, 0n]);
  });

  it("reads sectors into buffers that are cut anywhere", () => {
    const disk = patternDisk();
    const { rig, request } = make(disk);
    rig.memory.writes.length = 0;
    const result = request(
      Type.IN,
      5,
      [],
      [
        [DATA, 100],
        [DATA + 0x800, 1],
        [DATA + 0x1000, 923],
      ],
    );
    expect(result).toEqual({ status: OK, written: 1025 });
    const read = [...rig.get(DATA, 100), ...rig.get(DATA + 0x800, 1), ...rig.get(DATA + 0x1000, 923)];
    expect(read).toEqual([...disk.bytes.subarray(5 * 512, 7 * 512)]);
    expect(rig.memory.writes).toEqual(
      expect.arrayContaining([
        [DATA, 100],
        [DATA + 0x800, 1],
        [DATA + 0x1000, 923],
      ]),
    );
  });

  it("writes, and takes a header in pieces", () => {
    const disk = patternDisk();
    const { rig, request, publish } = make(disk);
    rig.memory.bytes.fill(0x5a, DATA, DATA + 512);
    expect(request(Type.OUT, SECTORS - 1, [[DATA, 512]])).toEqual({ status: OK, written: 1 });
    expect(disk.bytes.subarray(-512).every((byte) => byte === 0x5a)).toBe(true);
    publish(Type.OUT, 3, [[DATA, 512]]);
    const queue = rig.queue();
    queue.publish(
      queue.chain(
        [
          [HEADER, 5],
          [HEADER + 5, 11],
          [DATA, 200],
          [DATA + 200, 312],
        ],
        [[STATUS, 1]],
      ),
    );
    queue.notify();
    expect(disk.bytes.subarray(3 * 512, 4 * 512).every((byte) => byte === 0x5a)).toBe(true);
    expect([disk.bytes[2 * 512 + 511], disk.bytes[4 * 512]]).toEqual([
      patternDisk().bytes[1535],
      patternDisk().bytes[2048],
    ]);
  });

  it("flushes, zeroes, and tells its name", () => {
    const disk = patternDisk({ id: "a-name-of-more-than-twenty-characters" });
    const { rig, request } = make(disk);
    expect(request(Type.FLUSH, 0)).toEqual({ status: OK, written: 1 });
    expect(request(Type.GET_ID, 0, [], [[DATA, 20]])).toEqual({ status: OK, written: 21 });
    expect(String.fromCharCode(...rig.get(DATA, 20))).toBe("a-name-of-more-than-");
    const range = new DataView(new ArrayBuffer(16));
    range.setBigUint64(0, 10n, true);
    range.setUint32(8, 2, true);
    rig.put(DATA, new Uint8Array(range.buffer));
    expect(request(Type.WRITE_ZEROES, 0, [[DATA, 16]])).toEqual({ status: OK, written: 1 });
    expect(disk.bytes.findLastIndex((byte, index) => index < 12 * 512 && byte !== 0)).toBe(10 * 512 - 1);
    expect(disk.bytes[12 * 512]).toBe(patternDisk().bytes[12 * 512]);
  });

  it("refuses what lies outside, what is not whole sectors, what is too long, and what it does not know", () => {
    const disk = patternDisk();
    const { rig, request } = make(disk);
    const error = { status: IO_ERROR, written: 0 };
    expect(request(Type.IN, SECTORS - 1, [], [[DATA, 1024]])).toEqual(error);
    expect(request(Type.IN, 2 ** 55, [], [[DATA, 512]])).toEqual(error);
    expect(request(Type.IN, 0, [], [[DATA, 511]])).toEqual(error);
    expect(request(Type.OUT, SECTORS, [[DATA, 512]])).toMatchObject({ status: IO_ERROR });
    // 60 times the same 512 KiB: 30 MiB, of a disk of 500 KB
    expect(
      request(
        Type.IN,
        0,
        [],
        Array.from({ length: 60 }, () => [0x3_0000, 0x8_0000] as const),
      ),
    ).toEqual(error);
    rig.put(DATA, new Uint8Array(16).fill(0xff));
    expect(request(Type.WRITE_ZEROES, 0, [[DATA, 16]])).toMatchObject({ status: IO_ERROR });
    expect(request(Type.WRITE_ZEROES, 0, [[DATA, 15]])).toMatchObject({ status: IO_ERROR });
    expect(request(Type.DISCARD, 0, [[DATA, 16]])).toMatchObject({ status: UNSUPPORTED });
    expect(request(0xffff_ffff, 0)).toMatchObject({ status: UNSUPPORTED });
    expect(disk.bytes).toEqual(patternDisk().bytes);
    expect(rig.needsReset).toBe(false);
  });

  it("writes nothing to a disk that is read-only", () => {
    const disk = patternDisk({ readOnly: true });
    const { rig, request } = make(disk);
    rig.put(DATA, [0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(request(Type.OUT, 0, [[DATA, 512]])).toMatchObject({ status: IO_ERROR });
    expect(request(Type.WRITE_ZEROES, 0, [[DATA, 16]])).toMatchObject({ status: IO_ERROR });
    expect(disk.bytes).toEqual(patternDisk().bytes);
  });

  it("needs a reset for a request without header or status", () => {
    for (const [readable, writable] of [
      [[[HEADER, 15]], [[STATUS, 1]]],
      [[[HEADER, 16]], []],
      [[], [[STATUS, 1]]],
    ] as const) {
      const { rig } = make(patternDisk());
      rig.queue().send(rig.queue().chain(readable, writable));
      expect(rig.needsReset).toBe(true);
    }
  });

  it("turns a failure of the disk into an I/O error, at once or late", async () => {
    const failure = new Error("disk on fire");
    const errors: unknown[] = [];
    const broken: Disk = Object.assign(patternDisk(), {
      read: () => {
        throw failure;
      },
      write: () => Promise.reject(failure),
    });
    const { rig, request } = make(broken, { onError: (error) => errors.push(error) });
    expect(request(Type.IN, 0, [], [[DATA, 512]])).toEqual({ status: IO_ERROR, written: 0 });
    expect(request(Type.OUT, 0, [[DATA, 512]])).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect([rig.queue().takeUsed(), rig.get(STATUS, 1)]).toEqual([[[3, 1]], [IO_ERROR]]);
    expect(errors).toEqual([failure, failure]);
  });
});

describe("VirtioBlock on a disk that takes its time", () => {
  it("takes no more of the host's memory than a few large requests need", async () => {
    const disk = new LateDisk(new MemoryDisk(new Uint8Array(16 << 20)));
    const rig = new Rig(new VirtioBlock(disk)).start({ features: Feature.INDIRECT_DESC });
    const queue = rig.queue();
    // 31 times the same 512 KiB: 15.5 MiB for each of ten requests to read, of which five reach the limit of 64 MiB.
    const buffers = Array.from({ length: 31 }, () => [0x3_0000, 0x8_0000] as const);
    const heads = Array.from({ length: 10 }, () =>
      queue.indirectChain(0x1_0000, [[HEADER, 16]], [...buffers, [STATUS, 1]]),
    );
    queue.send(...heads);
    expect(disk.waiting).toBe(5);
    queue.notify();
    expect(disk.waiting).toBe(5);
    await disk.finish();
    expect(queue.takeUsed().length).toBe(10);
    // A driver that resets the device and asks again does not get around it.
    for (let round = 0; round < 4; round++) {
      rig.memory.bytes.fill(0);
      rig.start({ features: Feature.INDIRECT_DESC });
      const again = rig.queue();
      again.send(
        ...Array.from({ length: 10 }, () => again.indirectChain(0x1_0000, [[HEADER, 16]], [...buffers, [STATUS, 1]])),
      );
    }
    expect(disk.waiting).toBe(5);
    await disk.finish();
    expect([rig.queue().takeUsed().length, rig.needsReset]).toEqual([10, false]);
  });

  it("gives chains back when they are done, and interrupts then", async () => {
    const disk = new LateDisk(patternDisk());
    const { rig, request } = make(disk);
    expect(request(Type.IN, 1, [], [[DATA, 512]])).toBeUndefined();
    expect(rig.messages).toEqual([]);
    await disk.finish();
    expect([rig.queue().takeUsed(), rig.get(STATUS, 1), rig.messages.length]).toEqual([[[0, 513]], [OK], 1]);
    expect(rig.get(DATA, 512)).toEqual([...patternDisk().bytes.subarray(512, 1024)]);
  });

  it("leaves memory alone that a reset took back", async () => {
    const disk = new LateDisk(patternDisk());
    const { rig, request } = make(disk);
    request(Type.IN, 1, [], [[DATA, 512]]);
    rig.start({ queueSize: 64 });
    await disk.finish();
    expect([rig.get(DATA, 4), rig.get(STATUS, 1), rig.queue().usedIndex]).toEqual([[0, 0, 0, 0], [UNTOUCHED], 0]);
  });

  it("does not let a driver pile up work", () => {
    const disk = new LateDisk(patternDisk());
    const { rig, publish } = make(disk);
    for (let count = 0; count < 65; count++) {
      publish(Type.FLUSH, 0);
      rig.queue().notify();
    }
    expect([rig.needsReset, disk.waiting]).toEqual([true, 64]);
  });

  it("begins again after a restore what was unfinished", async () => {
    const disk = new LateDisk(patternDisk());
    const before = make(disk);
    before.request(Type.IN, 1, [], [[DATA, 512]]);
    const state = structuredClone(before.rig.transport.save());
    const other = new LateDisk(patternDisk());
    const after = make(other);
    after.rig.memory.bytes.set(before.rig.memory.bytes);
    after.rig.transport.restore(state);
    after.rig.pci.restore(structuredClone(before.rig.pci.save()));
    expect(after.rig.transport.save()).toEqual(state);
    await new Promise((resolve) => setImmediate(resolve));
    expect([after.rig.messages, other.waiting]).toEqual([[], 1]);
    await other.finish();
    expect(after.rig.messages).toHaveLength(1);
    expect(after.rig.get(DATA, 512)).toEqual([...patternDisk().bytes.subarray(512, 1024)]);
    await disk.finish();
    expect(after.rig.memory.bytes).toEqual(before.rig.memory.bytes);
  });
});
