import { describe, expect, it } from "vitest";
import { disassemble, format } from "../../jit/isa/format.ts";
import type { CodeSize } from "../../jit/isa/instruction.ts";
import { allFeatures, bytes, decode } from "./support/bytes.ts";

describe("format", () => {
  it.each<[string, CodeSize, string]>([
    ["48 8b 44 c8 10", 64, "mov rax, qword ptr [rax+rcx*8+0x10]"],
    ["01 c8", 64, "add eax, ecx"],
    ["65 48 8b 04 25 28 00 00 00", 64, "mov rax, qword ptr gs:[0x28]"],
    ["48 8d 7d f0", 64, "lea rdi, [rbp-0x10]"],
    ["83 c0 ff", 64, "add eax, 0xffffffff"],
    ["d1 e0", 64, "shl eax, 0x1"],
    ["f6 e9", 64, "imul cl"],
    ["6b c1 0a", 64, "imul eax, ecx, 0xa"],
    ["0f 22 d8", 64, "mov cr3, rax"],
    ["8e d8", 64, "mov ds, ax"],
    ["66 0f 38 10 c1", 64, "pblendvb xmm0, xmm1, xmm0"],
    ["66 48 0f 3a 16 c0 01", 64, "pextrq rax, xmm0, 0x1"],
    ["0f f7 c1", 64, "maskmovq mm0, mm1"],
    ["d9 c9", 64, "fxch st(1)"],
    ["48 cf", 64, "iretq"],
    ["60", 32, "pushad"],
    ["ff 2e 00 10", 16, "jmp dword ptr [0x1000]"],
    ["64 d7", 64, "xlat byte ptr fs:[rbx]"],
    ["6f", 32, "outs dx, dword ptr [esi]"],
    ["f2 ae", 64, "repnz scas al, byte ptr es:[rdi]"],
  ])("%s (%i bits)", (code, codeSize, text) => {
    expect(format(decode(code, codeSize))).toBe(text);
  });

  it("writes targets as addresses when it knows its own", () => {
    expect(format(decode("74 fe"), 0x40_1000n)).toBe("je 0x401000");
    expect(format(decode("e8 00 01 00 00"), 0xffff_ffff_8100_0000n)).toBe("call 0xffffffff81000105");
    expect(format(decode("66 e9 00 00", 32), 0x1_2345n)).toBe("jmp 0x2349");
    expect(format(decode("8b 05 10 00 00 00"), 0x1000n)).toBe("mov eax, dword ptr [rip+0x10] # 0x1016");
  });

  it("writes targets relative to the instruction otherwise", () => {
    expect(format(decode("74 fe"))).toBe("je .+0x0");
    expect(format(decode("74 00"))).toBe("je .+0x2");
    expect(format(decode("74 f0"))).toBe("je .-0xe");
  });
});

describe("disassemble", () => {
  it("goes on one byte after what is no instruction", () => {
    const lines = [...disassemble(bytes("90 06 01 c8 e8 00"), 64, 0x1000n, allFeatures)];
    expect(lines.map(({ address, text }) => `${address.toString(16)} ${text}`)).toEqual([
      "1000 nop",
      "1001 (bad)",
      "1002 add eax, ecx",
      "1004 (bad)",
      "1005 (bad)",
    ]);
    expect(lines[2]?.bytes).toEqual(bytes("01 c8"));
  });
});
