import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { MachineStats } from "../../src/index.ts";
import { BootProgress } from "../../src/web/page/boot-progress.ts";
import { FigureTracker } from "../../src/web/page/figures.ts";
import { inspectFile, kindOf } from "../../src/web/page/guest-files.ts";
import { loadSettings, saveSettings } from "../../src/web/page/settings.ts";
import { TextWatch } from "../../src/web/page/text-watch.ts";

describe("kindOf", () => {
  const file = (byteLength: number, at: number, bytes: readonly number[]): Uint8Array => {
    const head = new Uint8Array(byteLength);
    head.set(bytes, at);
    return head;
  };
  const HDRS = [0x48, 0x64, 0x72, 0x53];

  it.each([
    ["a bzImage", file(1024, 0x202, HDRS), 1024, "kernel"],
    ["a bzImage cut off within its header", file(0x204, 0x202, HDRS.slice(0, 2)), 0x204, undefined],
    ["an ELF file", file(64, 0, [0x7f, 0x45, 0x4c, 0x46]), 64, "kernel"],
    ["a Multiboot image", file(4096, 0x40, [0x02, 0xb0, 0xad, 0x1b]), 4096, "kernel"],
    ["a Multiboot header that is not aligned", file(4096, 0x42, [0x02, 0xb0, 0xad, 0x1b]), 4096, "disk"],
    ["a cpio archive", file(512, 0, [0x30, 0x37, 0x30, 0x37, 0x30, 0x31]), 512, "initrd"],
    ["a gzip file", file(512, 0, [0x1f, 0x8b]), 512, "initrd"],
    ["a zstd file", file(512, 0, [0x28, 0xb5, 0x2f, 0xfd]), 512, "initrd"],
    ["a disk", file(512, 0x1fe, [0x55, 0xaa]), 1 << 20, "disk"],
    ["half a sector", file(256, 0, []), 256, undefined],
    ["nothing", new Uint8Array(), 0, undefined],
  ] as const)("takes %s for what it is", (_what, head, byteLength, kind) => {
    expect(kindOf(head, byteLength)).toBe(kind);
  });
});

describe("inspectFile", () => {
  const packed = (bytes: Uint8Array): Blob => new Blob([Uint8Array.from(gzipSync(bytes))]);
  const kernel = new Uint8Array(1 << 20);
  kernel.set([0x48, 0x64, 0x72, 0x53], 0x202);
  const archive = new TextEncoder().encode(`070701${"0".repeat(200_000)}`);

  it("takes an archive in gzip for an initrd, as Linux does, and any file for what it is", async () => {
    expect(await inspectFile(packed(archive))).toBe("initrd");
    expect(await inspectFile(new Blob([kernel]))).toBe("kernel");
    expect(await inspectFile(new Blob([new Uint8Array(1024)]))).toBe("disk");
  });

  it("says what is in a gzip file that is of no use, and what was expected", async () => {
    const refused = async (file: Blob): Promise<unknown> => inspectFile(file);
    expect(await refused(packed(new Uint8Array(1 << 20)))).toEqual({
      refused:
        "It is what may be a disk image compressed with gzip, expected the file itself: unpack it first, with gunzip.",
    });
    expect(await refused(packed(kernel))).toEqual({
      refused: expect.stringMatching(/^It is a kernel compressed with gzip/),
    });
    expect(await refused(new Blob([Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2)]))).toEqual({
      refused: expect.stringMatching(/damaged/),
    });
    expect(await refused(new Blob([new Uint8Array(100)]))).toEqual({ refused: expect.stringMatching(/^Expected/) });
  });
});

describe("BootProgress", () => {
  it("finds steps that come in parts, in their order, and only once", () => {
    const boot = new BootProgress();
    expect(boot.feed("[    0.000000] Linux ver")).toBeUndefined();
    expect(boot.feed("sion 6.1.0\n")?.label).toBe("Kernel unpacked");
    expect(boot.feed("nothing of note\n")).toBeUndefined();
    expect(boot.feed("Trying to unpack rootfs image\nFreeing initrd memory: 1K\n")?.label).toBe("Starting drivers");
    expect(boot.feed("Linux version again\n")).toBeUndefined();
    expect(boot.isReady).toBe(false);
    expect(boot.feed("Welcome to Umbra.")?.share).toBe(1);
    expect(boot.isReady).toBe(true);
    expect(boot.feed("Freeing unused kernel")).toBeUndefined();
  });

  it("never goes back", () => {
    const boot = new BootProgress();
    const shares = ["Linux version", "Freeing SMP alternatives", "Linux version", "Freeing unused kernel"].flatMap(
      (text) => boot.feed(`${text}\n`)?.share ?? [],
    );
    expect(shares).toEqual(shares.toSorted((left, right) => left - right));
    expect(shares).toHaveLength(3);
  });
});

/** Statistics of which only the counters matter here. */
function stats(changes: {
  readonly instructions: bigint;
  readonly runningMs: number;
  readonly misses: bigint;
  readonly translation?: readonly [sampled: number, translated: number, live: number];
}): MachineStats {
  const { instructions, runningMs, misses, translation } = changes;
  return {
    instructions,
    runningMs,
    tlbMisses: { read: misses, write: 0n, fetch: 0n },
    memory: { guestBytes: 64 << 20, touchedBytes: 3 << 20 },
    translation: translation && {
      sampled: translation[0],
      sampledTranslated: translation[1],
      cache: { live: translation[2], liveBytes: 1 << 20 },
    },
  } as unknown as MachineStats;
}

describe("FigureTracker", () => {
  it("makes rates of what was counted between two looks", () => {
    const tracker = new FigureTracker(1000);
    tracker.next(stats({ instructions: 5_000_000n, runningMs: 100, misses: 7n, translation: [100, 0, 3] }), 1500);
    const figures = tracker.next(
      stats({ instructions: 105_000_000n, runningMs: 350, misses: 1007n, translation: [300, 150, 9] }),
      2000,
    );
    expect(figures).toEqual({
      seconds: 1,
      mips: 400,
      translatedPercent: 75,
      regions: 9,
      tlbMisses: 2,
      memoryMib: 4,
    });
  });

  it("shows nothing where nothing ran, or nothing is translated", () => {
    const tracker = new FigureTracker(0);
    const idle = stats({ instructions: 10n, runningMs: 1, misses: 0n, translation: [5, 5, 1] });
    tracker.next(idle, 500);
    expect(tracker.next(idle, 1000)).toMatchObject({ mips: 0, translatedPercent: null, tlbMisses: 0 });
    const interpreted = new FigureTracker(0).next(stats({ instructions: 1n, runningMs: 9, misses: 0n }), 9);
    expect(interpreted).toMatchObject({ translatedPercent: null, regions: 0, memoryMib: 3 });
  });
});

it("FigureTracker counts anew after a reset", () => {
  const tracker = new FigureTracker(0);
  tracker.next(stats({ instructions: 9_000_000n, runningMs: 900, misses: 900_000n }), 1000);
  const figures = tracker.next(stats({ instructions: 1_000_000n, runningMs: 10, misses: 1000n }), 2000);
  expect(figures).toMatchObject({ mips: 100, tlbMisses: 1 });
});

it("TextWatch finds a text that comes in parts, once", () => {
  const watch = new TextWatch("Kernel panic");
  expect(["Kern", "el pan", "ic - Kernel panic", "Kernel panic"].map((part) => watch.feed(part))).toEqual([
    false,
    false,
    true,
    false,
  ]);
  expect(new TextWatch("Kernel panic").feed("kernel panic")).toBe(false);
});

describe("settings", () => {
  const storage = (text: string | null): { get: () => Storage; saved: () => string | null } => {
    let saved = text;
    const fake = { getItem: () => saved, setItem: (_key: string, value: string) => (saved = value) };
    return { get: () => fake as unknown as Storage, saved: () => saved };
  };

  it("come back as they were saved", () => {
    const place = storage(null);
    const settings = { memoryMib: 1024, engine: "interpreter", diskMib: 64 } as const;
    saveSettings(settings, place.get);
    expect(loadSettings(place.get)).toEqual(settings);
  });

  it.each([null, "{", "null", "7", '{"memoryMib":"x","engine":"turbo","diskMib":-1}', '{"memoryMib":1e999}'])(
    "are the defaults where %s was saved",
    (text) => {
      expect(loadSettings(storage(text).get)).toEqual({ memoryMib: 512, engine: "tiered", diskMib: 0 });
    },
  );

  it("do without a storage that the browser refuses", () => {
    const refuse = (): Storage => {
      throw new DOMException("denied", "SecurityError");
    };
    saveSettings(loadSettings(refuse), refuse);
    expect(loadSettings(refuse).memoryMib).toBe(512);
  });
});
