import { describe, expect, it } from "vitest";
import { parseElf } from "../../src/elf.ts";
import { VmError, type VmErrorCode } from "../../src/errors.ts";
import { loadProgram } from "../../src/program.ts";
import { elfImage } from "./elf-image.ts";

function errorOf(work: () => unknown): VmError {
  try {
    work();
  } catch (error) {
    if (error instanceof VmError) return error;
    throw error;
  }
  throw new Error("expected a VmError");
}

function expectError(work: () => unknown, code: VmErrorCode, message: RegExp): void {
  const error = errorOf(work);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain("\n");
}

/** A valid image with some of its bytes replaced. */
function patched(changes: Readonly<Record<number, number>>): Uint8Array {
  const image = elfImage(0x1000n, [{ gpa: 0x1000n, bytes: [0xf4] }]);
  for (const [offset, value] of Object.entries(changes)) image[Number(offset)] = value;
  return image;
}

describe("parseElf", () => {
  it("reads the entry and what is to be loaded, and leaves out the rest", () => {
    const image = elfImage(0x10_0004n, [
      { type: 4, gpa: 0n, bytes: [1, 2, 3, 4] },
      { gpa: 0x10_0000n, bytes: [0x90, 0x90, 0x90, 0x90, 0xf4], zeroBytes: 11 },
      { gpa: 0x20_0000n, bytes: [], zeroBytes: 4096 },
      { gpa: 0x30_0000n, bytes: [] },
    ]);
    const { entry, segments } = parseElf(image);
    expect(entry).toBe(0x10_0004n);
    expect(segments.map(({ gpa, memoryBytes }) => [gpa, memoryBytes])).toEqual([
      [0x10_0000n, 16n],
      [0x20_0000n, 4096n],
    ]);
    expect([...(segments[0]?.bytes ?? [])]).toEqual([0x90, 0x90, 0x90, 0x90, 0xf4]);
  });

  it("reads an image that is a view into a larger buffer", () => {
    const image = elfImage(0x1000n, [{ gpa: 0x1000n, bytes: [0xf4] }]);
    const larger = new Uint8Array(image.length + 7);
    larger.set(image, 7);
    expect(parseElf(larger.subarray(7)).entry).toBe(0x1000n);
  });

  const refused: readonly [what: string, image: Uint8Array, message: RegExp][] = [
    ["another file", new TextEncoder().encode("#!/bin/sh"), /not an ELF file: it begins with 23 21 2f 62/],
    ["an empty file", new Uint8Array(0), /not an ELF file: it begins with nothing/],
    ["a header cut short", patched({}).subarray(0, 40), /cut short: 40 bytes/],
    ["program headers cut short", patched({}).subarray(0, 100), /cut short: program headers at 0x40 need 56 bytes/],
    ["a segment cut short", patched({}).subarray(0, 120), /cut short: segment 0 ends at 0x79, the file has 120 bytes/],
    ["a 32-bit file", patched({ 4: 1 }), /class .* is 1, expected 2 \(64-bit\)/],
    ["a big-endian file", patched({ 5: 2 }), /byte order .* expected 1 \(little-endian\)/],
    ["another machine", patched({ 18: 183 }), /machine .* is 183, expected 62 \(x86-64\)/],
    ["a shared object", patched({ 16: 3 }), /type .* is 3, expected 2/],
    ["program headers of another size", patched({ 54: 32 }), /program header size .* is 32/],
    ["program headers at 2^63", patched({ 39: 0x80 }), /cut short/],
    ["a segment of 2^63 bytes in the file", patched({ 103: 0x80 }), /cut short/],
    ["more bytes in the file than in memory", patched({ 104: 0 }), /more bytes in the file \(1\) than in memory \(0\)/],
    ["nothing to load", elfImage(0n, []), /nothing to load/],
    ["a dynamically linked file", elfImage(0n, [{ type: 3, gpa: 0n, bytes: [0] }]), /dynamically linked/],
  ];
  for (const [what, image, message] of refused) {
    it(`refuses ${what}`, () => expectError(() => parseElf(image), "ERR_PROGRAM_FORMAT", message));
  }

  it("never fails in another way, whatever byte is damaged or missing", () => {
    for (let offset = 0; offset < 120; offset++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const damaged = patched({ [offset]: value });
        for (const image of [damaged, damaged.subarray(0, offset)]) {
          try {
            parseElf(image);
          } catch (error) {
            expect(error).toBeInstanceOf(VmError);
          }
        }
      }
    }
  });
});

describe("loadProgram", () => {
  const memoryBytes = 0x10_0000;

  it("takes any other file as a flat binary that starts at its base", () => {
    const image = Uint8Array.of(0x90, 0xf4);
    const program = loadProgram(image, { base: 0x7c00n, memoryBytes });
    expect(program).toEqual({ entry: 0x7c00n, segments: [{ gpa: 0x7c00n, bytes: image, memoryBytes: 2n }] });
  });

  it("starts where it is told", () => {
    const image = elfImage(0x1000n, [{ gpa: 0x1000n, bytes: [0x90, 0xf4] }]);
    expect(loadProgram(image, { base: 0n, entry: 0x1001n, memoryBytes }).entry).toBe(0x1001n);
  });

  it("accepts a program that ends with the memory, and refuses one that is a byte longer", () => {
    const image = new Uint8Array(16);
    expect(loadProgram(image, { base: 0xf_fff0n, memoryBytes }).entry).toBe(0xf_fff0n);
    const work = () => loadProgram(image, { base: 0xf_fff1n, memoryBytes });
    expectError(work, "ERR_PROGRAM_PLACEMENT", /memory up to 0x100001, but the machine's memory ends at 0x100000/);
  });

  it("counts the zeroes after a segment", () => {
    const image = elfImage(0x1000n, [{ gpa: 0x1000n, bytes: [0xf4], zeroBytes: 0x10_0000 }]);
    expectError(() => loadProgram(image, { base: 0n, memoryBytes }), "ERR_PROGRAM_PLACEMENT", /0x101001/);
  });

  it("refuses an entry outside the memory, and an empty file", () => {
    const image = elfImage(0xffff_8000_0000_0000n, [{ gpa: 0x1000n, bytes: [0xf4] }]);
    expectError(
      () => loadProgram(image, { base: 0n, memoryBytes }),
      "ERR_PROGRAM_PLACEMENT",
      /entry is 0xffff800000000000/,
    );
    expectError(() => loadProgram(new Uint8Array(0), { base: 0n, memoryBytes }), "ERR_PROGRAM_FORMAT", /empty/);
  });
});
