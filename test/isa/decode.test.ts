import { describe, expect, it } from "vitest";
import { createDecoder } from "../../jit/isa/decode.ts";
import { format } from "../../jit/isa/format.ts";
import { type CodeSize, RIP } from "../../jit/isa/instruction.ts";
import { allFeatures, bytes, decode, featuresWithout, tryDecode } from "./support/bytes.ts";

/** Text of the instruction that `code` is as a whole, or the failure. */
function text(code: string, codeSize: CodeSize = 64): string {
  const instruction = tryDecode(code, codeSize);
  if (typeof instruction === "string") return instruction;
  expect(instruction.length).toBe(code.split(" ").length);
  return format(instruction);
}

describe("prefixes", () => {
  it("lets the last segment override win", () => {
    expect(text("26 64 8b 00", 32)).toBe("mov eax, dword ptr fs:[eax]");
    expect(text("64 26 8b 00", 32)).toBe("mov eax, dword ptr es:[eax]");
  });

  it("ignores ES, CS, SS and DS in 64-bit mode, also after FS", () => {
    expect(text("26 8b 00")).toBe("mov eax, dword ptr [rax]");
    expect(text("64 36 8b 00")).toBe("mov eax, dword ptr fs:[rax]");
    expect(decode("2e 8b 45 00").operands[1]).toMatchObject({ segment: 2 });
  });

  it("ignores REX that is not right before the opcode", () => {
    expect(text("48 66 89 c3")).toBe("mov bx, ax");
    expect(text("66 48 89 c3")).toBe("mov rbx, rax");
    expect(text("48 41 89 c3")).toBe("mov r11d, eax");
    expect(text("48 40 89 c3")).toBe("mov ebx, eax");
  });

  it("prefers REX.W to 66", () => {
    expect(decode("66 48 01 c0").operandSize).toBe(64);
    expect(decode("66 01 c0").operandSize).toBe(16);
  });

  it("takes 40..4F as INC and DEC outside 64-bit mode", () => {
    expect(text("48", 32)).toBe("dec eax");
    expect(text("66 43", 16)).toBe("inc ebx");
  });

  it("allows LOCK only on rows that have it, with a memory destination", () => {
    expect(text("f0 01 03")).toBe("lock add dword ptr [rbx], eax");
    expect(tryDecode("f0 01 c3")).toBe("invalid");
    expect(tryDecode("f0 03 03")).toBe("invalid");
    expect(tryDecode("f0 39 03")).toBe("invalid");
    expect(tryDecode("f0 90")).toBe("invalid");
    expect(tryDecode("f0 0f 22 c0")).toBe("invalid"); // CR8 by LOCK is AMD's alone
    expect(text("f0 48 0f c7 0b")).toBe("lock cmpxchg16b xmmword ptr [rbx]");
  });

  it("reports a repeat prefix only for string instructions", () => {
    expect(text("f3 48 a5")).toBe("rep movs qword ptr es:[rdi], qword ptr [rsi]");
    expect(text("f2 a6")).toBe("repnz cmps byte ptr [rsi], byte ptr es:[rdi]");
    expect(decode("f3 f2 aa").repeat).toBe(0xf2);
    expect(decode("f3 c3")).toMatchObject({ mnemonic: "ret", repeat: 0, length: 2 });
    expect(decode("f2 e8 00 00 00 00").repeat).toBe(0);
  });
});

describe("mandatory prefixes", () => {
  it("prefers F2 and F3 to 66, and the last of F2 and F3", () => {
    expect(text("66 f2 0f 58 c1")).toBe("addsd xmm0, xmm1");
    expect(text("f2 66 0f 58 c1")).toBe("addsd xmm0, xmm1");
    expect(text("f2 f3 0f 58 c1")).toBe("addss xmm0, xmm1");
    expect(text("f3 f2 0f 58 c1")).toBe("addsd xmm0, xmm1");
    expect(text("66 0f 58 c1")).toBe("addpd xmm0, xmm1");
    expect(text("0f 58 c1")).toBe("addps xmm0, xmm1");
  });

  it("is #UD where the prefix has no row", () => {
    expect(tryDecode("f3 0f 54 c1")).toBe("invalid");
    expect(tryDecode("66 0f 52 c1")).toBe("invalid");
    expect(tryDecode("66 0f c3 00")).toBe("invalid");
    expect(tryDecode("66 0f ae 00")).toBe("invalid");
    expect(tryDecode("0f b8 c0")).toBe("invalid");
  });

  it("keeps 66 as the operand size beside F2 and F3", () => {
    expect(text("66 f3 0f b8 c1")).toBe("popcnt ax, cx");
    expect(text("66 f2 0f 38 f1 c1")).toBe("crc32 eax, cx");
    expect(text("f2 48 0f 38 f1 c1")).toBe("crc32 rax, rcx");
    expect(text("66 0f 38 f1 01")).toBe("movbe word ptr [rcx], ax");
    expect(text("66 0f c7 f0")).toBe("rdrand ax");
  });

  it("falls back to BSR and BSF without LZCNT and BMI1", () => {
    const old = createDecoder(featuresWithout("lzcnt", "bmi1", "popcnt"));
    expect(decode("f3 0f bd c1").mnemonic).toBe("lzcnt");
    expect(decode("f3 0f bd c1", 64, old).mnemonic).toBe("bsr");
    expect(decode("f3 0f bc c1", 64, old).mnemonic).toBe("bsf");
    expect(decode("f2 0f bc c1").mnemonic).toBe("bsf");
    expect(tryDecode("f3 0f b8 c1", 64, old)).toBe("invalid");
  });

  it("is #UD without the feature", () => {
    const old = createDecoder(featuresWithout("sse4.1", "bmi1", "cx16"));
    expect(tryDecode("66 0f 38 17 c1", 64, old)).toBe("invalid");
    expect(tryDecode("c4 e2 70 f2 c2", 64, old)).toBe("invalid");
    expect(tryDecode("48 0f c7 0b", 64, old)).toBe("invalid");
    expect(decode("0f c7 0b", 64, old).mnemonic).toBe("cmpxchg8b");
  });

  it("tells NOP, PAUSE and XCHG apart", () => {
    expect(text("90")).toBe("nop");
    expect(text("48 90")).toBe("nop");
    expect(text("f3 90")).toBe("pause");
    expect(text("41 90")).toBe("xchg r8d, eax");
    expect(text("f3 41 90")).toBe("xchg r8d, eax");
    expect(text("f3 0f 1e fa")).toBe("endbr64");
    expect(text("0f 1e fa")).toBe("nop edx");
    expect(text("f3 0f 1e f9")).toBe("nop ecx");
  });
});

describe("ModRM and SIB", () => {
  it("has no index with index 4, and R12 as an index", () => {
    expect(text("8b 04 24")).toBe("mov eax, dword ptr [rsp]");
    expect(text("42 8b 04 20")).toBe("mov eax, dword ptr [rax+r12]");
    expect(text("8b 04 e0")).toBe("mov eax, dword ptr [rax]");
  });

  it("has no base with base 5 and mod 0, also with REX.B", () => {
    expect(text("8b 04 25 10 00 00 80")).toBe("mov eax, dword ptr [0xffffffff80000010]");
    expect(text("41 8b 04 0d 10 00 00 00")).toBe("mov eax, dword ptr [rcx+0x10]");
    expect(text("8b 04 4d 10 00 00 00")).toBe("mov eax, dword ptr [rcx*2+0x10]");
    expect(text("41 8b 44 25 00")).toBe("mov eax, dword ptr [r13]");
  });

  it("is relative to RIP only in 64-bit mode without SIB", () => {
    expect(decode("8b 05 f0 ff ff ff").operands[1]).toMatchObject({ base: RIP, displacement: -16, segment: 3 });
    expect(decode("41 8b 05 00 00 00 00").operands[1]).toMatchObject({ base: RIP });
    expect(text("67 8b 05 10 00 00 00")).toBe("mov eax, dword ptr [eip+0x10]");
    expect(text("8b 05 10 00 00 80", 32)).toBe("mov eax, dword ptr [0x80000010]");
  });

  it("uses SS with RSP and RBP as a base, not as an index, nor with R12 and R13", () => {
    const segment = (code: string, codeSize: CodeSize = 64): unknown => decode(code, codeSize).operands[1];
    expect(segment("8b 45 00")).toMatchObject({ segment: 2 });
    expect(segment("8b 04 24")).toMatchObject({ segment: 2 });
    expect(segment("8b 04 28")).toMatchObject({ segment: 3 });
    expect(segment("8b 44 05 00")).toMatchObject({ segment: 2 });
    expect(segment("41 8b 45 00")).toMatchObject({ segment: 3 });
    expect(segment("41 8b 04 24")).toMatchObject({ segment: 3 });
    expect(segment("8b 02", 16)).toMatchObject({ segment: 2, base: 5, index: 6 });
    expect(segment("8b 06 34 12", 16)).toMatchObject({ segment: 3, base: -1, displacement: 0x1234 });
  });

  it("knows 16-bit addressing", () => {
    expect(text("8b 00", 16)).toBe("mov ax, word ptr [bx+si]");
    expect(text("8b 46 fe", 16)).toBe("mov ax, word ptr [bp-0x2]");
    expect(text("67 8b 87 34 12", 32)).toBe("mov eax, dword ptr [bx+0x1234]");
    expect(text("67 8b 04 8b", 16)).toBe("mov ax, word ptr [ebx+ecx*4]");
  });

  it("reads AH..BH without REX and SPL..DIL with it", () => {
    expect(text("88 e5")).toBe("mov ch, ah");
    expect(text("40 88 e5")).toBe("mov bpl, spl");
    expect(text("b7 01")).toBe("mov bh, 0x1");
    expect(text("40 b7 01")).toBe("mov dil, 0x1");
    expect(text("0f b6 c4")).toBe("movzx eax, ah");
    expect(text("48 0f b6 c4")).toBe("movzx rax, spl");
    expect(decode("88 e5").operands[1]).toMatchObject({ number: 0, high: true });
  });

  it("ignores REX for MMX, segment and x87 registers", () => {
    expect(text("45 0f fc c1")).toBe("paddb mm0, mm1");
    expect(text("45 66 0f fc c1")).toBe("paddb xmm0, xmm1");
    expect(text("66 45 0f fc c1")).toBe("paddb xmm8, xmm9");
    expect(text("44 8e d8")).toBe("mov ds, ax");
    expect(text("41 d8 c1")).toBe("fadd st(0), st(1)");
  });

  it("rejects registers that do not exist", () => {
    expect(tryDecode("8e c8")).toBe("invalid"); // MOV CS
    expect(tryDecode("8e f0")).toBe("invalid");
    expect(tryDecode("8c f8")).toBe("invalid");
    expect(text("8c c8")).toBe("mov eax, cs");
    expect(tryDecode("0f 20 c8")).toBe("invalid"); // CR1
    expect(tryDecode("44 0f 20 c8")).toBe("invalid"); // CR9
    expect(text("44 0f 20 c0")).toBe("mov rax, cr8");
    expect(tryDecode("44 0f 21 c0")).toBe("invalid"); // DR8
  });

  it("takes the r/m of MOV CRn as a register whatever mod says", () => {
    expect(text("0f 20 04")).toBe("mov rsp, cr0");
    expect(text("66 0f 22 d8", 64)).toBe("mov cr3, rax");
    expect(text("0f 22 d8", 16)).toBe("mov cr3, eax");
  });
});

describe("operand and address size", () => {
  it("defaults pushes and near branches to 64 bits", () => {
    expect(text("50")).toBe("push rax");
    expect(text("66 50")).toBe("push ax");
    expect(text("6a ff")).toBe("push 0xffffffffffffffff");
    expect(text("66 6a ff")).toBe("push 0xffff");
    expect(text("ff d0")).toBe("call rax");
    expect(text("66 ff d0")).toBe("call rax");
    expect(text("66 e8 00 00 00 00")).toBe("call .+0x6");
    expect(text("66 e8 00 00", 32)).toBe("call .+0x4");
  });

  it("extends immediates as the instruction does", () => {
    expect(decode("48 81 c0 00 00 00 80").operands[1]).toEqual({
      kind: "immediate",
      low: -0x8000_0000,
      high: -1,
      width: 64,
    });
    expect(decode("66 83 c0 ff").operands[1]).toEqual({ kind: "immediate", low: 0xffff, high: 0, width: 16 });
    expect(decode("b0 ff").operands[1]).toEqual({ kind: "immediate", low: 0xff, high: 0, width: 8 });
    expect(text("48 b8 01 02 03 04 05 06 07 88")).toBe("mov rax, 0x8807060504030201");
    expect(text("c8 34 12 05")).toBe("enter 0x1234, 0x5");
  });

  it("reads absolute offsets of the address size", () => {
    expect(text("a0 01 02 03 04 05 06 07 88")).toBe("mov al, byte ptr [0x8807060504030201]");
    expect(text("67 48 a1 01 02 03 84")).toBe("mov rax, qword ptr [0x84030201]");
    expect(text("a2 34 f2", 16)).toBe("mov byte ptr [0xf234], al");
  });

  it("reads far pointers outside 64-bit mode", () => {
    expect(text("9a 01 02 03 04 10 00", 32)).toBe("call 0x10:0x4030201");
    expect(text("ea 00 00 ff ff", 16)).toBe("jmp 0xffff:0x0");
    expect(tryDecode("9a 01 02 03 04 10 00")).toBe("invalid");
    expect(text("48 ff 28")).toBe("jmp tbyte ptr [rax]");
    expect(tryDecode("ff e8")).toBe("invalid");
  });

  it("names by operand or address size what the manual does", () => {
    expect([text("66 98"), text("98"), text("48 98")]).toEqual(["cbw", "cwde", "cdqe"]);
    expect([text("67 e3 00"), text("e3 00")]).toEqual(["jecxz .+0x3", "jrcxz .+0x2"]);
    expect([text("66 0f 6e c0"), text("66 48 0f 6e c0")]).toEqual(["movd xmm0, eax", "movq xmm0, rax"]);
  });

  it("keeps rows out of the modes they are not for", () => {
    for (const code of ["06", "27", "60", "62 00", "82 c0 00", "c5 00", "ce", "d4 0a", "d6"]) {
      expect(tryDecode(code), code).toBe("invalid");
      expect(typeof tryDecode(code, 32), code).toBe("object");
    }
    for (const code of ["0f 05", "0f 01 f8"]) expect(tryDecode(code, 32), code).toBe("invalid");
    expect(text("63 c0")).toBe("movsxd eax, eax");
    expect(text("63 c0", 32)).toBe("arpl ax, ax");
  });
});

describe("VEX", () => {
  it("decodes BMI1 and BMI2", () => {
    expect(text("c4 e2 70 f2 c2")).toBe("andn eax, ecx, edx");
    expect(text("c4 42 80 f2 c2")).toBe("andn r8, r15, r10");
    expect(text("c4 e2 78 f3 4b 10")).toBe("blsr eax, dword ptr [rbx+0x10]");
    expect(text("c4 e3 7b f0 c2 05")).toBe("rorx eax, edx, 0x5");
    expect(text("c4 e2 71 f7 c2")).toBe("shlx eax, edx, ecx");
  });

  it("is #UD after 66, F2, F3, LOCK and REX", () => {
    for (const prefix of ["66", "f2", "f3", "f0", "48"]) {
      expect(tryDecode(`${prefix} c4 e2 70 f2 c2`), prefix).toBe("invalid");
    }
    expect(text("64 67 c4 e2 70 f2 00")).toBe("andn eax, ecx, dword ptr fs:[eax]");
  });

  it("is #UD with L, and with a vvvv that nothing uses", () => {
    expect(tryDecode("c4 e2 74 f2 c2")).toBe("invalid");
    expect(tryDecode("c4 e3 73 f0 c2 05")).toBe("invalid");
    expect(tryDecode("c5 f8 77")).toBe("invalid");
  });

  it("is LES and LDS outside 64-bit mode unless mod is 3", () => {
    expect(text("c4 42 10", 32)).toBe("les eax, fword ptr [edx+0x10]");
    expect(text("c5 06 34 12", 16)).toBe("lds ax, dword ptr [0x1234]");
    expect(text("c4 e2 70 f2 c2", 32)).toBe("andn eax, ecx, edx");
    expect(text("c4 e2 f0 f2 c2", 32)).toBe("andn eax, ecx, edx");
    expect(tryDecode("c5 c2", 32)).toBe("invalid");
  });
});

describe("x87", () => {
  it("decodes memory, register and undocumented forms", () => {
    expect(text("d8 00")).toBe("fadd dword ptr [rax]");
    expect(text("dc c1")).toBe("fadd st(1), st(0)");
    expect(text("dc e1")).toBe("fsubr st(1), st(0)");
    expect(text("de e9")).toBe("fsubp st(1), st(0)");
    expect(text("db 28")).toBe("fld tbyte ptr [rax]");
    expect(text("df e0")).toBe("fnstsw ax");
    expect(text("d9 d9")).toBe("fstpnce st(1)");
    expect(text("dc d1")).toBe("fcom st(1)");
    expect(text("de d1")).toBe("fcomp st(1)");
    expect(text("df c1")).toBe("ffreep st(1)");
    expect(tryDecode("d9 08")).toBe("invalid");
    expect(tryDecode("d9 d1")).toBe("invalid");
    expect(tryDecode("db e5")).toBe("invalid");
  });
});

describe("failures", () => {
  const decoder = createDecoder(allFeatures);

  it("is truncated at every prefix of a valid instruction", () => {
    for (const code of ["66 48 81 84 88 00 00 00 00 01 00 00 00", "f0 48 0f b1 05 00 00 00 00", "c4 e3 7b f0 c2 05"]) {
      const all = bytes(code);
      for (let end = 0; end < all.length; end++) expect(decoder.decode(all, 0, end, 64), code).toBe("truncated");
      expect(typeof decoder.decode(all, 0, all.length, 64)).toBe("object");
    }
  });

  it("is invalid as soon as that is certain", () => {
    expect(tryDecode("06")).toBe("invalid");
    expect(tryDecode("0f 04")).toBe("invalid");
    expect(tryDecode("f0 00 c0")).toBe("invalid");
    expect(tryDecode("0f ba 00")).toBe("invalid");
    expect(tryDecode("66 c4")).toBe("invalid");
    expect(tryDecode("8e 0d")).toBe("invalid"); // MOV CS, with its displacement still to come
  });

  it("is truncated rather than wrongly locked", () => {
    for (const code of ["f0 8b", "f0 8b 05 00 00 00", "f0 0f 00", "f0 66 0f 5e 44 24"]) {
      expect(tryDecode(code), code).toBe("truncated");
      expect(tryDecode(`${code} 00 00`), code).toBe("invalid");
    }
  });

  it("does not wait for the operands of UD0 and UD1", () => {
    for (const code of ["0f ff", "0f b9", "0f b9 05 00"]) expect(tryDecode(code), code).toBe("invalid");
    expect(tryDecode("0f")).toBe("truncated");
  });

  it("is too long beyond 15 bytes", () => {
    const prefixes = (count: number): string => Array.from({ length: count }, () => "66").join(" ");
    expect(decode(`${prefixes(14)} 90`).length).toBe(15);
    expect(tryDecode(`${prefixes(15)} 90`)).toBe("too-long");
    expect(tryDecode(`${prefixes(10)} 81 00 00 00 00 00`)).toMatchObject({ length: 14 });
    expect(tryDecode(`${prefixes(12)} 81 00 00 00`)).toBe("too-long");
    expect(tryDecode(prefixes(14))).toBe("truncated");
    expect(tryDecode(prefixes(15))).toBe("too-long");
  });

  it("reads neither before start nor from end on", () => {
    const code = bytes("f3 66 01 d8 90");
    expect(decoder.decode(code, 2, 4, 64)).toMatchObject({ mnemonic: "add", operandSize: 32, length: 2, repeat: 0 });
    expect(decoder.decode(code, 2, 3, 64)).toBe("truncated");
    expect(decoder.decode(code, 5, 5, 64)).toBe("truncated");
  });
});
