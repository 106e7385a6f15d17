import { describe, expect, it } from "vitest";
import { decode, format } from "../../src/index.ts";

describe("decode and format", () => {
  const text = (bytes: readonly number[], options?: Parameters<typeof decode>[1]): string => {
    const instruction = decode(Uint8Array.from(bytes), options);
    return typeof instruction === "string" ? instruction : `${instruction.length} ${format(instruction, 0x1000n)}`;
  };

  it("take code of every size", () => {
    expect(text([0x48, 0x01, 0xc8, 0x90])).toBe("3 add rax, rcx");
    expect(text([0x01, 0xc8], { codeSize: 32 })).toBe("2 add eax, ecx");
    expect(text([0x01, 0xc8], { codeSize: 16 })).toBe("2 add ax, cx");
    expect(text([0xeb, 0xfe])).toBe("2 jmp 0x1000");
  });

  it("say why there is no instruction", () => {
    expect(text([])).toBe("truncated");
    expect(text([0x0f])).toBe("truncated");
    expect(text([0x06])).toBe("invalid"); // PUSH ES is none in 64-bit mode
    expect(text([...Array.from({ length: 15 }, () => 0x66), 0x90])).toBe("too-long");
  });

  it("know only what the processor has", () => {
    const popcnt = [0xf3, 0x0f, 0xb8, 0xc1];
    expect(text(popcnt)).toBe("4 popcnt eax, ecx");
    expect(text(popcnt, { features: [] })).toBe("invalid");
  });
});
