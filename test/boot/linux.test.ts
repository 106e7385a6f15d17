import { describe, expect, it } from "vitest";
import { loadLinux } from "../../runtime/boot/linux.ts";
import { MemoryType, pcMemoryMap } from "../../runtime/boot/memory-ranges.ts";
import { parseSetupHeader } from "../../runtime/boot/setup-header.ts";
import { bzImage, FakeMemory, SYSTEM_BYTES } from "./support/images.ts";

const MiB = 0x10_0000;
const RAM = 32 * MiB;
const ZERO_PAGE = 0x2000;

/** One for all tests: filling 32 MiB for each takes longer than the tests. */
const memory = new FakeMemory(RAM);

function load(image = bzImage(), options: Partial<Parameters<typeof loadLinux>[2]> = {}, ram = RAM) {
  return { memory, loaded: loadLinux(memory, image, { memoryMap: pcMemoryMap(ram), ...options }) };
}

describe("Linux by the 64-bit boot protocol", () => {
  it("starts at the 64-bit entry in long mode with interrupts off", () => {
    const { memory, loaded } = load();
    const { entry } = loaded;
    expect(entry.rip).toBe(0x100_0200n);
    expect(entry.rsi).toBe(BigInt(ZERO_PAGE));
    expect(entry.rflags & 0x200n).toBe(0n);
    expect([entry.cr0, entry.cr4, entry.efer]).toEqual([0x8000_0011n, 0x20n, 0x500n]);
    expect([entry.cs.selector, entry.ds.selector, entry.es.selector, entry.ss.selector]).toEqual([
      0x10, 0x18, 0x18, 0x18,
    ]);
    // What the segment registers hold is also what the GDT holds.
    const gdt = memory.view(Number(entry.gdt.base), entry.gdt.limit + 1);
    expect(gdt.getBigUint64(0x10, true)).toBe(0x00af_9b00_0000_ffffn);
    expect(gdt.getBigUint64(0x18, true)).toBe(0x00cf_9300_0000_ffffn);
  });

  it("maps the first 4 GiB to themselves, and nothing else", () => {
    const { memory, loaded } = load();
    const translate = (gva: bigint): bigint | undefined => {
      const entryAt = (table: bigint, shift: bigint) =>
        memory.view(Number(table + ((gva >> shift) & 511n) * 8n), 8).getBigUint64(0, true);
      const top = entryAt(loaded.entry.cr3, 39n);
      if ((top & 1n) === 0n) return undefined;
      const directory = entryAt(top & ~0xfffn, 30n);
      if ((directory & 1n) === 0n) return undefined;
      const page = entryAt(directory & ~0xfffn, 21n);
      expect(page & 0x83n).toBe(0x83n);
      return (page & ~0x1f_ffffn) | (gva & 0x1f_ffffn);
    };
    for (const gva of [0n, 0x1234n, 0x1f_ffffn, 0x20_0000n, 0x4000_0000n, 0xfee0_0000n, 0xffff_ffffn])
      expect(translate(gva)).toBe(gva);
    expect(translate(0x1_0000_0000n)).toBeUndefined();
    expect(translate(0x80_0000_0000n)).toBeUndefined();
  });

  it("loads the kernel without its signature and clears what it grows into", () => {
    memory.bytes.fill(0xa5);
    const { loaded } = load();
    expect(loaded.kernel).toEqual({ gpa: 0x100_0000, bytes: MiB });
    expect([...memory.read(0x100_0000, 4)]).toEqual([1, 2, 3, 4]);
    expect(memory.bytes[0x100_0000 + SYSTEM_BYTES - 1]).toBe(SYSTEM_BYTES & 0xff);
    expect(memory.read(0x100_0000 + SYSTEM_BYTES, MiB - SYSTEM_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(memory.bytes[0x100_0000 + MiB]).toBe(0xa5);
  });

  it("fills the zero page", () => {
    const initrd = new Uint8Array(5000).fill(7);
    const { memory, loaded } = load(bzImage(), { commandLine: "console=ttyS0 ä", initrd, rsdp: 0xe_0000 });
    const page = memory.view(ZERO_PAGE, 0x1000);
    expect(page.getUint8(0x210)).toBe(0xff);
    expect(page.getUint32(0x202, true)).toBe(0x5372_6448);
    expect(page.getUint8(0x1ef)).toBe(0);
    expect(page.getBigUint64(0x70, true)).toBe(0xe_0000n);
    expect(memory.text(page.getUint32(0x228, true))).toBe("console=ttyS0 ä");
    expect(page.getUint32(0xc8, true)).toBe(0);
    const [module] = loaded.modules;
    expect(module).toEqual({ gpa: RAM - 0x2000, bytes: 5000 });
    expect([page.getUint32(0x218, true), page.getUint32(0x21c, true)]).toEqual([RAM - 0x2000, 5000]);
    expect([page.getUint32(0xc0, true), page.getUint32(0xc4, true)]).toEqual([0, 0]);
    expect(memory.read(RAM - 0x2000, 5000)).toEqual(initrd);
    const map = Array.from({ length: page.getUint8(0x1e8) }, (_, index) => {
      const at = 0x2d0 + 20 * index;
      return {
        gpa: Number(page.getBigUint64(at, true)),
        bytes: Number(page.getBigUint64(at + 8, true)),
        type: page.getUint32(at + 16, true),
      };
    });
    expect(map).toEqual(pcMemoryMap(RAM));
  });

  it("puts no byte of the setup header behind its end", () => {
    memory.bytes.fill(0xa5, 0, MiB);
    const image = bzImage({ headerEnd: 0x268 });
    image[0x268] = 0x77;
    load(image);
    expect(memory.bytes[ZERO_PAGE + 0x268]).toBe(0);
  });

  it("keeps an initrd below initrd_addr_max unless the kernel takes it anywhere", () => {
    const initrd = new Uint8Array(0x1000);
    const low = { initrdLast: 0x17f_ffff };
    expect(load(bzImage({ ...low, xloadflags: 1 }), { initrd }).loaded.modules[0]?.gpa).toBe(0x17f_f000);
    expect(load(bzImage({ ...low, xloadflags: 3 }), { initrd }).loaded.modules[0]?.gpa).toBe(RAM - 0x1000);
  });

  it("puts an initrd below the kernel when there is no room above", () => {
    const initrd = new Uint8Array(8 * MiB);
    expect(load(bzImage(), { initrd }, 18 * MiB).loaded.modules[0]?.gpa).toBe(8 * MiB);
  });

  it("moves a relocatable kernel when there is no RAM at its preferred address", () => {
    const memoryMap = [
      { gpa: 0, bytes: 0x9_0000, type: MemoryType.RAM },
      { gpa: MiB, bytes: 8 * MiB, type: MemoryType.RAM },
      { gpa: 17 * MiB, bytes: 15 * MiB, type: MemoryType.RAM },
    ];
    expect(load(bzImage(), { memoryMap }).loaded.entry.rip).toBe(0x120_0200n);
    expect(() => load(bzImage({ relocatable: 0 }), { memoryMap })).toThrow("kernel does not fit");
  });

  it("takes setup_sects of 0 for 4", () => {
    const image = bzImage({ sectors: 4 });
    image[0x1f1] = 0;
    expect([...parseSetupHeader(image).system.subarray(0, 3)]).toEqual([1, 2, 3]);
  });
});

describe("what is no bootable bzImage", () => {
  // prettier-ignore
  it.each([
    ["no magic", { magic: 0x1234 }, "ERR_KERNEL_FORMAT", 'not a bzImage: magic at 0x202 is 0x1234, expected 0x53726448 ("HdrS")'],
    ["old protocol", { version: 0x20a }, "ERR_KERNEL_FORMAT", "kernel is too old: boot protocol 2.10, expected 2.12 or later"],
    ["short header", { headerEnd: 0x250 }, "ERR_KERNEL_FORMAT", "damaged bzImage: the setup header ends at 0x250, protocol 2.15 has fields up to 0x268"],
    ["zImage", { loadFlags: 0 }, "ERR_KERNEL_FORMAT", "unsupported kernel: a zImage, which loads at 0x10000; expected a bzImage"],
    ["32-bit", { xloadflags: 0 }, "ERR_KERNEL_FORMAT", "32-bit kernel: xloadflags at 0x236 is 0x0, expected bit 0 (a 64-bit entry point)"],
    ["alignment", { alignment: 0x3000 }, "ERR_KERNEL_FORMAT", "damaged bzImage: kernel_alignment at 0x230 is 0x3000, expected a power of two from 0x1000 on"],
    ["low address", { preferred: 0x1000 }, "ERR_KERNEL_FORMAT", "damaged bzImage: pref_address at 0x258 is 0x1000, expected an address from 1 MiB on"],
    ["no kernel", { paragraphs: 0 }, "ERR_KERNEL_FORMAT", "damaged bzImage: syssize at 0x1f4 is 0, the kernel would be empty"],
    ["huge kernel", { paragraphs: 0xffff_ffff }, "ERR_KERNEL_FORMAT", "bzImage is cut short: the file has 6244 bytes, the kernel ends at byte 68719478768"],
    ["needs more memory", { initBytes: 17 * MiB }, "ERR_KERNEL_PLACEMENT", "kernel does not fit: it needs 17 MiB of memory from 0x1000000 on, the machine has 32 MiB in all"],
  ] as const)("%s", (_name, fields, code, message) => {
    expect(() => load(bzImage(fields))).toThrow(expect.objectContaining({ name: "BootError", code, message }));
  });

  it("is cut short anywhere: an error, whatever is missing", () => {
    const image = bzImage();
    const boundaries = new Set([
      ...Array.from({ length: 0x26c }, (_, index) => index),
      0x400,
      2048,
      2049,
      2048 + SYSTEM_BYTES - 1,
    ]);
    for (const end of boundaries) {
      expect(() => load(image.slice(0, end)), `${end} bytes`).toThrow(
        expect.objectContaining({ code: "ERR_KERNEL_FORMAT" }),
      );
    }
    // The signature behind the kernel may be missing.
    expect(load(image.slice(0, 2048 + SYSTEM_BYTES)).loaded.entry.rip).toBe(0x100_0200n);
  });

  it("random header bytes: an error or a kernel that lies in RAM, never anything else", () => {
    let seed = 12345;
    const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16;
    for (let round = 0; round < 2000; round++) {
      const image = bzImage();
      for (let change = 0; change < 3; change++) image[0x1f1 + (random() % (0x26c - 0x1f1))] = random();
      try {
        const { loaded } = load(image, { initrd: new Uint8Array(100) });
        expect(loaded.kernel.gpa + loaded.kernel.bytes).toBeLessThanOrEqual(RAM);
      } catch (error) {
        expect(error).toMatchObject({ name: "BootError" });
      }
    }
  });
});

describe("what does not fit", () => {
  it("an initrd that is larger than what the kernel leaves", () => {
    const initrd = new Uint8Array(16 * MiB);
    expect(() => load(bzImage(), { initrd })).toThrow(
      expect.objectContaining({
        code: "ERR_INITRD",
        message:
          "initrd does not fit: it has 16 MiB, the machine has 32 MiB of memory, the kernel takes it from 0x1000000 to 0x1100000",
      }),
    );
    expect(load(bzImage(), { initrd: initrd.subarray(0, 15 * MiB) }).loaded.modules).toEqual([
      { gpa: 17 * MiB, bytes: 15 * MiB },
    ]);
  });

  it("a command line that is longer than the kernel takes, in bytes", () => {
    const image = bzImage({ commandLineBytes: 20 });
    expect(load(image, { commandLine: "x".repeat(20) }).loaded.format).toBe("linux");
    expect(() => load(image, { commandLine: `${"x".repeat(19)}ä` })).toThrow(
      expect.objectContaining({
        code: "ERR_COMMAND_LINE",
        message: "command line is too long: 21 bytes, the kernel takes 20 at most",
      }),
    );
    expect(() => load(image, { commandLine: "a\0b" })).toThrow(expect.objectContaining({ code: "ERR_COMMAND_LINE" }));
  });

  it("a command line that the kernel would take and the first megabyte has no room for", () => {
    const image = bzImage({ commandLineBytes: 0xffff_ffff });
    expect(() => load(image, { commandLine: "x".repeat(0x6_0000) })).toThrow(
      expect.objectContaining({ code: "ERR_COMMAND_LINE" }),
    );
  });
});
