import { describe, expect, it } from "vitest";
import { describeFile, detectKernel, loadKernelImage } from "../../runtime/boot/detect.ts";
import { pcMemoryMap } from "../../runtime/boot/memory-ranges.ts";
import { loadMultiboot } from "../../runtime/boot/multiboot.ts";
import { loadPvh } from "../../runtime/boot/pvh.ts";
import { loadKernel } from "../../src/boot/kernel.ts";
import { bzImage, concat, elf, FakeMemory, multibootHeader } from "./support/images.ts";

const MiB = 0x10_0000;
const RAM = 8 * MiB;
const INFO = 0x2000;
const memory = new FakeMemory(RAM);
const memoryMap = pcMemoryMap(RAM);

describe("PVH", () => {
  it.each([{ wide: true }, { wide: false }])(
    "starts at the note's entry, whatever the class of the file: %o",
    ({ wide }) => {
      memory.bytes.fill(0xa5);
      const image = elf({
        wide,
        gpa: 2 * MiB,
        virtual: 0x8000_0000,
        entry: 0x8000_0000,
        memoryBytes: 0x3000,
        pvh: 2 * MiB + 2,
      });
      const initrd = Uint8Array.of(4, 5, 6);
      const loaded = loadPvh(memory, image, { memoryMap, commandLine: "hello", initrd, rsdp: 0xe_0000 });
      expect(loaded.entry).toMatchObject({
        rip: BigInt(2 * MiB + 2),
        rbx: BigInt(INFO),
        cr0: 0x11n,
        cr4: 0n,
        efer: 0n,
        rflags: 2n,
      });
      expect(loaded.entry.cs.attributes).toBe(0xc09b);
      expect(loaded.entry.tr).toEqual({ selector: 0x20, base: 0n, limit: 0x67, attributes: 0x8b });
      expect([...memory.read(2 * MiB, 4)]).toEqual([1, 2, 3, 4]);
      expect(memory.read(2 * MiB + 4, 0x2ffc).every((byte) => byte === 0)).toBe(true);
      expect(memory.bytes[2 * MiB + 0x3000]).toBe(0xa5);

      const info = memory.view(INFO, 56);
      expect([info.getUint32(0, true), info.getUint32(4, true), info.getUint32(12, true)]).toEqual([0x336e_c578, 1, 1]);
      const module = memory.view(Number(info.getBigUint64(16, true)), 32);
      expect([module.getBigUint64(0, true), module.getBigUint64(8, true)]).toEqual([BigInt(RAM - 0x1000), 3n]);
      expect([...memory.read(RAM - 0x1000, 3)]).toEqual([4, 5, 6]);
      expect(memory.text(Number(info.getBigUint64(24, true)))).toBe("hello");
      expect(info.getBigUint64(32, true)).toBe(0xe_0000n);
      const map = Number(info.getBigUint64(40, true));
      const ranges = Array.from({ length: info.getUint32(48, true) }, (_, index) => {
        const entry = memory.view(map + 24 * index, 24);
        return {
          gpa: Number(entry.getBigUint64(0, true)),
          bytes: Number(entry.getBigUint64(8, true)),
          type: entry.getUint32(16, true),
        };
      });
      expect(ranges).toEqual(memoryMap);
    },
  );

  it.each([
    ["no note", elf({ wide: true }), "ERR_KERNEL_FORMAT", "ELF file has no PVH entry point"],
    [
      "entry outside",
      elf({ wide: true, pvh: 0x10 }),
      "ERR_KERNEL_FORMAT",
      "PVH entry point 0x10 lies outside the kernel's segments",
    ],
    ["too low", elf({ wide: true, gpa: 0x8000, pvh: 0x8000 }), "ERR_KERNEL_PLACEMENT", "lies in the first megabyte"],
    [
      "too large",
      elf({ wide: true, memoryBytes: RAM, pvh: 2 * MiB }),
      "ERR_KERNEL_PLACEMENT",
      "kernel segment at 0x200000 to 0xa00000 does not fit: the machine has 8 MiB",
    ],
    ["far away", elf({ wide: true, memoryBytes: 2 ** 52, pvh: 2 * MiB }), "ERR_KERNEL_PLACEMENT", "does not fit"],
    [
      "ARM",
      elf({ wide: true, machine: 183, pvh: 2 * MiB }),
      "ERR_KERNEL_FORMAT",
      "kernel is for another processor: AArch64, expected x86-64 or Intel 80386",
    ],
    [
      "less in memory than in the file",
      elf({ wide: true, memoryBytes: 2, pvh: 2 * MiB }),
      "ERR_KERNEL_FORMAT",
      "damaged ELF file: segment 1 has 4 bytes in the file and 2 in memory",
    ],
  ])("%s: an error", (_name, image, code, message) => {
    expect(() => loadPvh(memory, image, { memoryMap })).toThrow(
      expect.objectContaining({ name: "BootError", code, message: expect.stringContaining(message) }),
    );
  });

  it("is cut short anywhere: an error", () => {
    const image = elf({ wide: true, pvh: 2 * MiB });
    for (let end = 0; end < image.length; end++) {
      expect(() => loadPvh(memory, image.slice(0, end), { memoryMap }), `${end} bytes`).toThrow(
        expect.objectContaining({ code: "ERR_KERNEL_FORMAT" }),
      );
    }
  });
});

describe("Multiboot", () => {
  it.each([
    ["ELF32", false],
    ["ELF64", true],
  ])("loads an %s file, and starts at the physical address of its entry", (_name, wide) => {
    const content = concat(multibootHeader(3), Uint8Array.of(0x90, 0x90));
    const image = elf({ wide, content, gpa: MiB, virtual: 0xc010_0000, entry: 0xc010_000c, memoryBytes: 0x1000 });
    const modules = [
      { bytes: new Uint8Array(5000).fill(1), commandLine: "first" },
      { bytes: Uint8Array.of(2), commandLine: "second" },
    ];
    const loaded = loadMultiboot(memory, image, { memoryMap, commandLine: "a b", modules });
    expect(loaded.entry).toMatchObject({ rip: 0x10_000cn, rax: 0x2bad_b002n, rbx: BigInt(INFO), cr0: 0x11n, efer: 0n });
    expect([...memory.read(MiB + 12, 3)]).toEqual([0x90, 0x90, 0]);

    const info = memory.view(INFO, 120);
    const word = (at: number): number => info.getUint32(at, true);
    expect(word(0)).toBe(0x24d);
    expect([word(4), word(8)]).toEqual([639, 7 * 1024]);
    expect(memory.text(word(16))).toBe("a b");
    expect(memory.text(word(64))).toBe("Umbra");
    expect(word(20)).toBe(2);
    const list = memory.view(word(24), 32);
    expect(loaded.modules).toEqual([
      { gpa: RAM - 0x3000, bytes: 5000 },
      { gpa: RAM - 0x1000, bytes: 1 },
    ]);
    expect([
      list.getUint32(0, true),
      list.getUint32(4, true),
      list.getUint32(16, true),
      list.getUint32(20, true),
    ]).toEqual([RAM - 0x3000, RAM - 0x3000 + 5000, RAM - 0x1000, RAM - 0xfff]);
    expect([memory.text(list.getUint32(8, true)), memory.text(list.getUint32(24, true))]).toEqual(["first", "second"]);
    expect([memory.bytes[RAM - 0x3000], memory.bytes[RAM - 0x1000]]).toEqual([1, 2]);
    const ranges: unknown[] = [];
    for (let at = word(48); at < word(48) + word(44);) {
      const entry = memory.view(at, 24);
      ranges.push({
        gpa: Number(entry.getBigUint64(4, true)),
        bytes: Number(entry.getBigUint64(12, true)),
        type: entry.getUint32(20, true),
      });
      at += 4 + entry.getUint32(0, true);
    }
    expect(ranges).toEqual(memoryMap);
  });

  it("loads a file by the addresses in its header", () => {
    memory.bytes.fill(0xa5);
    // The header is 4 bytes into what is loaded, which is 8 bytes into the file.
    const header = multibootHeader(0x1_0000, 0x20_0004, 0x20_0000, 0x20_0030, 0x20_0040, 0x20_0024);
    const image = concat(new Uint8Array(8).fill(9), Uint8Array.of(1, 2, 3, 4), header, new Uint8Array(100).fill(5));
    const loaded = loadMultiboot(memory, image, { memoryMap });
    expect(loaded.entry.rip).toBe(0x20_0024n);
    expect(loaded.kernel).toEqual({ gpa: 0x20_0000, bytes: 0x40 });
    expect(memory.read(0x20_0000, 0x30)).toEqual(image.slice(8, 8 + 0x30));
    expect(memory.read(0x20_0030, 0x10).every((byte) => byte === 0)).toBe(true);
    expect(memory.bytes[0x20_0040]).toBe(0xa5);
  });

  it("loads the rest of the file when the header names no end", () => {
    const image = concat(multibootHeader(0x1_0000, 0x20_0000, 0x20_0000, 0, 0, 0x20_0020), new Uint8Array(50).fill(5));
    expect(loadMultiboot(memory, image, { memoryMap }).kernel.bytes).toBe(image.length);
  });

  it("finds a header at the end of the first 8 KiB, and takes the magic number alone for none", () => {
    const decoy = multibootHeader(0);
    decoy[8] = (decoy[8] ?? 0) ^ 1;
    const at = (offset: number): Uint8Array => concat(decoy, new Uint8Array(offset - 12), multibootHeader(4));
    expect(() => detectKernel(at(8192 - 12))).toThrow(
      "Multiboot kernel requires a video mode (flag 2), expected flags 0, 1 and 16 at most",
    );
    expect(() => detectKernel(at(8192 - 8))).toThrow("not a kernel");
    expect(() => detectKernel(at(14))).toThrow("not a kernel");
  });

  it.each([
    ["unknown features", multibootHeader(0x100), "features that are not known (flags 0x100)"],
    ["no addresses", multibootHeader(0), "no ELF file and its header has no load addresses"],
    ["cut short in the header", multibootHeader(0x1_0000, 0x20_0000), "its header at 0x0 needs 32 bytes"],
    [
      "cut short",
      multibootHeader(0x1_0000, 0x20_0000, 0x20_0000, 0x20_1000, 0, 0x20_0000),
      "the file has 32 bytes, expected 4096",
    ],
    [
      "load before the file",
      multibootHeader(0x1_0000, 0x20_0010, 0x20_0000, 0, 0, 0x20_0000),
      "does not fit header_addr",
    ],
    [
      "end before the beginning",
      multibootHeader(0x1_0000, 0x20_0000, 0x20_0000, 0x10_0000, 0, 0x20_0000),
      "not in this order",
    ],
    [
      "entry outside",
      multibootHeader(0x1_0000, 0x20_0000, 0x20_0000, 0, 0, 0x30_0000),
      "entry point 0x300000 lies outside the kernel, 0x200000 to 0x200020",
    ],
  ])("%s: an error", (_name, image, message) => {
    expect(() => loadMultiboot(memory, image, { memoryMap })).toThrow(
      expect.objectContaining({
        name: "BootError",
        code: "ERR_KERNEL_FORMAT",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("a module that does not fit: an error", () => {
    const image = concat(multibootHeader(0x1_0000, 0x20_0000, 0x20_0000, 0, 0, 0x20_0000));
    const modules = [{ bytes: new Uint8Array(6 * MiB), commandLine: "" }];
    expect(() => loadMultiboot(memory, image, { memoryMap, modules })).toThrow(
      expect.objectContaining({ code: "ERR_INITRD" }),
    );
  });
});

describe("which format a file has", () => {
  it.each([
    ["linux", bzImage()],
    ["pvh", elf({ wide: true, pvh: 2 * MiB })],
    ["multiboot", elf({ wide: false, content: multibootHeader(0) })],
    // Who has both can start either way.
    ["multiboot", elf({ wide: true, content: multibootHeader(0), pvh: 2 * MiB })],
  ])("%s", (format, image) => {
    expect(detectKernel(image)).toBe(format);
  });

  it("loads what it found", () => {
    expect(loadKernelImage(memory, elf({ wide: true, pvh: 2 * MiB }), { memoryMap }).format).toBe("pvh");
  });

  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  it.each([
    [new Uint8Array(0), "an empty file"],
    [Uint8Array.of(0x1f, 0x8b, 8), "a gzip-compressed file; decompress it first"],
    [text("070701000000"), "a cpio archive, perhaps an initrd"],
    [text("!<arch>\ndebian-binary"), "an ar archive, perhaps a Debian package"],
    [text("#!/bin/sh\n"), "a script"],
    [text("hello, kernel\n"), "a text file"],
    [new Uint8Array(1000), "a file that begins with zeros"],
    [Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 1), "a file that begins with de ad be ef"],
    [
      concat(new Uint8Array(0x1fe).fill(1), Uint8Array.of(0x55, 0xaa)),
      "a disk image (it ends its first sector as a boot sector does)",
    ],
    [concat(text("MZ"), new Uint8Array(0x36), text("ARMd")), "a Linux kernel for AArch64"],
  ])("says what else it is (%#)", (image, name) => {
    expect(describeFile(image)).toBe(name);
    expect(() => detectKernel(image)).toThrow(
      `not a kernel: ${name}; expected a bzImage, or an ELF file with a PVH or Multiboot entry`,
    );
  });

  it("an ELF program that is no kernel", () => {
    expect(() => detectKernel(elf({ wide: true }))).toThrow(
      "it has neither a PVH entry (ELF note) nor a Multiboot header",
    );
  });

  it("reaches the user as a VmError with the file's name", () => {
    expect(() => loadKernel(memory, "notes.txt", text("hello\n"), { memoryMap })).toThrow(
      expect.objectContaining({
        name: "VmError",
        code: "ERR_KERNEL_FORMAT",
        message: expect.stringMatching(/^notes\.txt: not a kernel: a text file/),
      }),
    );
  });
});
