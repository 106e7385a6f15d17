import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../runtime/disk/memory-disk.ts";
import { OverlayDisk } from "../../runtime/disk/overlay-disk.ts";
import { sectorsOfPartitions } from "../../runtime/disk/partition-table.ts";
import { randomNumbers } from "../devices/support.ts";
import { LateDisk } from "./late-disk.ts";

/** No multiple of the overlay's chunk: its last one is cut short. */
const SECTORS = 128 * 3 + 37;

function base(): MemoryDisk {
  return new MemoryDisk(Uint8Array.from({ length: SECTORS * 512 }, (_, index) => (index * 31) >>> 3));
}

describe("OverlayDisk", () => {
  it("reads what was written last, like the disk itself would, and changes nothing below", async () => {
    for (const late of [false, true]) {
      const random = randomNumbers(late ? 2 : 1);
      const below = base();
      const slow = new LateDisk(below);
      const overlay = new OverlayDisk(late ? slow : below);
      expect(overlay).toMatchObject({ synchronous: !late, sectors: SECTORS, readOnly: false });
      const expected = base();
      for (let step = 0; step < 300; step++) {
        const sector = random(SECTORS);
        const count = 1 + random(Math.min(SECTORS - sector, random(4) ? 8 : 300));
        const bytes = new Uint8Array(count * 512).fill(random(256));
        const wait = [
          () => overlay.write(sector, bytes),
          () => overlay.writeZeroes(sector, count),
          () => overlay.read(sector, bytes),
        ][step % 3]?.();
        if (late) await slow.finish();
        else expect(wait).toBeUndefined();
        await wait;
        if (step % 3 === 0) expected.write(sector, bytes);
        else if (step % 3 === 1) expected.writeZeroes(sector, count);
        else expect(bytes).toEqual(expected.bytes.subarray(sector * 512, (sector + count) * 512));
      }
      expect(below.bytes).toEqual(base().bytes);
    }
  });

  it("takes memory only for what was written", () => {
    const overlay = new OverlayDisk(base());
    expect(overlay.overlayBytes).toBe(0);
    void overlay.read(0, new Uint8Array(SECTORS * 512));
    expect(overlay.overlayBytes).toBe(0);
    void overlay.write(127, new Uint8Array(1024));
    expect(overlay.overlayBytes).toBe(2 * 0x1_0000);
  });

  it("loses nothing when two writes to a chunk wait for the disk below", async () => {
    const slow = new LateDisk(base());
    const overlay = new OverlayDisk(slow);
    const first = overlay.write(0, new Uint8Array(512).fill(1));
    const second = overlay.write(1, new Uint8Array(512).fill(2));
    await slow.finish();
    await Promise.all([first, second]);
    const read = new Uint8Array(3 * 512);
    await overlay.read(0, read);
    expect([read[0], read[512], read[1024]]).toEqual([1, 2, base().bytes[1024]]);
  });

  it("goes on when the disk below has failed once", async () => {
    const broken = Object.assign(base(), { failing: true, read: () => Promise.reject(new Error("unplugged")) });
    const overlay = new OverlayDisk(broken);
    await expect(overlay.write(0, new Uint8Array(512))).rejects.toThrow("unplugged");
    // A whole chunk needs nothing from below.
    await overlay.write(0, new Uint8Array(128 * 512).fill(3));
    const read = new Uint8Array(512);
    await overlay.read(5, read);
    expect(read[0]).toBe(3);
  });

  it("saves and restores its differences", () => {
    const before = new OverlayDisk(base());
    void before.write(130, new Uint8Array(512).fill(9));
    const after = new OverlayDisk(base());
    void after.write(0, new Uint8Array(512).fill(1));
    after.restore(structuredClone(before.save()));
    const content = (disk: OverlayDisk): Uint8Array => {
      const bytes = new Uint8Array(SECTORS * 512);
      void disk.read(0, bytes);
      return bytes;
    };
    expect(content(after)).toEqual(content(before));
    expect(content(after)[0]).toBe(base().bytes[0]);
  });
});

/** A disk with an MBR: type, first sector and number of sectors of each partition. */
function mbr(...partitions: readonly (readonly [type: number, first: number, sectors: number])[]): Uint8Array {
  const bytes = new Uint8Array(100 * 512);
  const view = new DataView(bytes.buffer);
  partitions.forEach(([type, first, sectors], index) => {
    view.setUint8(446 + index * 16 + 4, type);
    view.setUint32(446 + index * 16 + 8, first, true);
    view.setUint32(446 + index * 16 + 12, sectors, true);
  });
  view.setUint16(510, 0xaa55, true);
  return bytes;
}

/** A disk with a GPT: last sector of each partition. */
function gpt(backup: number, lasts: readonly number[], entryBytes = 128): Uint8Array {
  const bytes = mbr([0xee, 1, 0xffff_ffff]);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("EFI PART"), 512);
  view.setBigUint64(512 + 32, BigInt(backup), true);
  view.setBigUint64(512 + 72, 2n, true);
  view.setUint32(512 + 80, 128, true);
  view.setUint32(512 + 84, entryBytes, true);
  lasts.forEach((last, index) => {
    view.setUint8(1024 + index * entryBytes, 1);
    view.setBigUint64(1024 + index * entryBytes + 40, BigInt(last), true);
  });
  return bytes;
}

describe("sectorsOfPartitions", () => {
  const needed = (bytes: Uint8Array): number =>
    sectorsOfPartitions((sector, count) =>
      (sector + count) * 512 <= bytes.length ? bytes.subarray(sector * 512, (sector + count) * 512) : undefined,
    );

  it("finds the end of the last partition", () => {
    expect(needed(mbr([0x83, 1, 10], [0x82, 20, 30], [0x0c, 11, 5]))).toBe(50);
    expect(needed(mbr([0x83, 0x8000_0000, 0x7fff_ffff]))).toBe(0xffff_ffff);
    expect(needed(mbr([0, 1, 1000]))).toBe(0);
    expect(needed(gpt(99, [50, 60, 0]))).toBe(100);
    expect(needed(gpt(99, [50, 600]))).toBe(601);
    expect(needed(gpt(2000, [50]))).toBe(2001);
  });

  it("takes nothing else for a partition table", () => {
    expect(needed(new Uint8Array(0))).toBe(0);
    expect(needed(new Uint8Array(512))).toBe(0);
    const fat = mbr([0x20, 0x6573_6165, 0x7270_2065]);
    fat[446] = 0x6e; // text of a boot sector
    expect(needed(fat)).toBe(0);
    // A protective entry without a GPT says nothing of the size.
    expect(needed(mbr([0xee, 1, 0xffff_ffff]))).toBe(0);
  });

  it("survives a damaged GPT", () => {
    for (const entryBytes of [0, 1, 127, 0xffff_ffff]) {
      const damaged = gpt(99, []);
      new DataView(damaged.buffer).setUint32(512 + 84, entryBytes, true);
      expect(needed(damaged)).toBe(100);
    }
    const far = gpt(99, [50]);
    new DataView(far.buffer).setBigUint64(512 + 72, 2n ** 63n, true);
    new DataView(far.buffer).setUint32(512 + 80, 0xffff_ffff, true);
    expect(needed(far)).toBe(100);
    const random = randomNumbers(7);
    for (let round = 0; round < 2000; round++) {
      const bytes = gpt(99, [50, 60]);
      for (let count = 0; count < 4; count++) bytes[512 + random(1024)] = random(256);
      expect(needed(bytes)).toBeGreaterThanOrEqual(0);
    }
  });
});
