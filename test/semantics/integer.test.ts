import {
  CODE,
  DATA,
  describeInstruction,
  READ_ONLY,
  STACK_TOP,
  UNMAPPED,
  x86,
} from "../support/describe-instruction.ts";

// What the host's CPU cannot be asked (privileged effects), and what is worth reading: order of effects, faults, edges. The values
// of everything else are compared with hardware by `npm run oracle`.

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const PF_WRITE = 2;
const PF_PRESENT_WRITE = 3;
const quad = (value: bigint | number): number[] => [
  ...new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, BigInt(value))).buffer),
];

describeInstruction("add", (it) => {
  it("carries out of bit 63", {
    code: x86`48 01 c8  add rax, rcx`,
    before: { rax: ALL_ONES, rcx: 1 },
    after: { rax: 0, flags: "ZF PF AF CF" },
  });
  it("leaves flags alone when the store faults", {
    code: x86`01 07  add dword ptr [rdi], eax`,
    before: { rdi: UNMAPPED, rax: 1, flags: "CF" },
    fault: { vector: "#PF", errorCode: PF_WRITE, cr2: UNMAPPED },
  });
  it("does not write to a read-only page", {
    code: x86`01 07  add dword ptr [rdi], eax`,
    before: { rdi: READ_ONLY, rax: 1, flags: "CF" },
    fault: { vector: "#PF", errorCode: PF_PRESENT_WRITE, cr2: READ_ONLY },
  });
  it("writes across a page boundary", {
    code: x86`01 07  add dword ptr [rdi], eax`,
    before: { rdi: DATA + 0xffe, rax: 0x01020304, memory: { [DATA + 0xffe]: [1, 1, 1, 1] } },
    after: { flags: "PF", memory: { [DATA + 0xffe]: [5, 4, 3, 2] } },
  });
});

describeInstruction("sbb", (it) => {
  it("borrows through", {
    code: x86`48 19 c8  sbb rax, rcx`,
    before: { rax: 0, rcx: ALL_ONES, flags: "CF" },
    after: { rax: 0, flags: "CF ZF PF AF" },
  });
});

describeInstruction("inc", (it) => {
  it("keeps CF", {
    code: x86`fe c0  inc al`,
    before: { rax: 0x7f, flags: "CF" },
    after: { rax: 0x80, flags: "CF AF SF OF" },
  });
});

describeInstruction("pop", (it) => {
  it("uses the incremented rSP in an address", {
    code: x86`8f 44 24 08  pop qword ptr [rsp+0x8]`,
    before: { rsp: STACK_TOP - 0x40, memory: { [STACK_TOP - 0x40]: quad(0x1122_3344_5566_7788n) } },
    after: { rsp: STACK_TOP - 0x38, memory: { [STACK_TOP - 0x30]: quad(0x1122_3344_5566_7788n) } },
  });
  it("leaves rSP alone when the store faults", {
    code: x86`8f 00  pop qword ptr [rax]`,
    before: { rsp: STACK_TOP - 0x40, rax: UNMAPPED },
    fault: { vector: "#PF", errorCode: PF_WRITE, cr2: UNMAPPED },
  });
  it("into rSP keeps what was popped", {
    code: x86`5c  pop rsp`,
    before: { rsp: STACK_TOP - 8, memory: { [STACK_TOP - 8]: quad(DATA) } },
    after: { rsp: DATA },
  });
});

describeInstruction("push", (it) => {
  it("of rSP stores the value before", {
    code: x86`54  push rsp`,
    after: { rsp: STACK_TOP - 8, memory: { [STACK_TOP - 8]: quad(STACK_TOP) } },
  });
  it("sign-extends its immediate", {
    code: x86`6a fe  push 0xfffffffffffffffe`,
    after: { rsp: STACK_TOP - 8, memory: { [STACK_TOP - 8]: quad(-2) } },
  });
});

describeInstruction("popf", (it) => {
  const flags = (value: number) => ({ rsp: STACK_TOP - 8, memory: { [STACK_TOP - 8]: quad(value) } });
  it("changes IF and IOPL at level 0", {
    code: x86`9d  popfq`,
    before: flags(0x24_7ed7),
    after: { rsp: STACK_TOP, flags: "CF PF AF ZF SF OF IF DF IOPL NT AC ID" },
  });
  it("leaves AC and ID alone with 16 bits", {
    code: x86`66 9d  popf`,
    before: { ...flags(0), flags: "AC ID CF" },
    after: { rsp: STACK_TOP - 6, flags: "AC ID" },
  });
  it("traps after the next instruction once TF is set", {
    code: x86`9d  popfq`,
    before: flags(0x102),
    after: { rsp: STACK_TOP, rip: CODE + 2, flags: "TF" },
    fault: { vector: "#DB" },
  });
});

describeInstruction("pushf", (it) => {
  it("stores all flags", {
    code: x86`9c  pushfq`,
    before: { flags: "CF ZF OF DF IF IOPL" },
    after: { rsp: STACK_TOP - 8, memory: { [STACK_TOP - 8]: quad(0x3e43) } },
  });
});

describeInstruction("enter", (it) => {
  it("makes a frame", {
    code: x86`c8 20 00 00  enter 0x20, 0x0`,
    before: { rbp: 0x1234 },
    after: { rbp: STACK_TOP - 8, rsp: STACK_TOP - 0x28, memory: { [STACK_TOP - 8]: quad(0x1234) } },
  });
  it("copies the pointers of enclosing frames", {
    code: x86`c8 10 00 02  enter 0x10, 0x2`,
    before: { rsp: STACK_TOP - 0x100, rbp: STACK_TOP - 0x80, memory: { [STACK_TOP - 0x88]: quad(0xabcd) } },
    after: {
      rbp: STACK_TOP - 0x108,
      rsp: STACK_TOP - 0x128,
      memory: {
        [STACK_TOP - 0x108]: quad(STACK_TOP - 0x80),
        [STACK_TOP - 0x110]: quad(0xabcd),
        [STACK_TOP - 0x118]: quad(STACK_TOP - 0x108),
      },
    },
  });
});

describeInstruction("ret", (it) => {
  it("releases arguments", {
    code: x86`c2 10 00  ret 0x10`,
    before: { rsp: STACK_TOP - 0x18, memory: { [STACK_TOP - 0x18]: quad(CODE + 0x80) } },
    after: { rsp: STACK_TOP, rip: CODE + 0x80 },
  });
  it("faults at itself when the target is not canonical", {
    code: x86`c3  ret`,
    before: { rsp: STACK_TOP - 8, memory: { [STACK_TOP - 8]: quad(1n << 47n) } },
    fault: { vector: "#GP", errorCode: 0 },
  });
});

describeInstruction("call", (it) => {
  it("reads its target before it pushes", {
    code: x86`ff 54 24 f8  call qword ptr [rsp-0x8]`,
    before: { memory: { [STACK_TOP - 8]: quad(CODE + 0x40) } },
    after: { rsp: STACK_TOP - 8, rip: CODE + 0x40, memory: { [STACK_TOP - 8]: quad(CODE + 4) } },
  });
  it("pushes nothing when the target is not canonical", {
    code: x86`ff d0  call rax`,
    before: { rax: 0x8000_0000_0000_0000n },
    fault: { vector: "#GP", errorCode: 0 },
  });
});

describeInstruction("div", (it) => {
  it("divides 128 bits", {
    code: x86`48 f7 f1  div rcx`,
    before: { rdx: 0x1234_5678_9abc_def0n, rax: 0x0fed_cba9_8765_4321n, rcx: 0xfedc_ba98_7654_3210n },
    after: {
      rax: ((0x1234_5678_9abc_def0n << 64n) | 0x0fed_cba9_8765_4321n) / 0xfedc_ba98_7654_3210n,
      rdx: ((0x1234_5678_9abc_def0n << 64n) | 0x0fed_cba9_8765_4321n) % 0xfedc_ba98_7654_3210n,
    },
  });
  it("overflows", { code: x86`48 f7 f1  div rcx`, before: { rdx: 5, rcx: 5, flags: "CF" }, fault: { vector: "#DE" } });
  it("by zero", { code: x86`f6 f1  div cl`, before: { rax: 5 }, fault: { vector: "#DE" } });
});

describeInstruction("idiv", (it) => {
  it("gives -2^63", {
    code: x86`48 f7 f9  idiv rcx`,
    before: { rdx: ALL_ONES, rax: 1n << 63n, rcx: 1 },
    after: { rax: 1n << 63n, rdx: 0 },
  });
  it("does not give 2^63", {
    code: x86`48 f7 f9  idiv rcx`,
    before: { rdx: ALL_ONES, rax: 1n << 63n, rcx: ALL_ONES },
    fault: { vector: "#DE" },
  });
  it("rounds towards zero", {
    code: x86`48 f7 f9  idiv rcx`,
    before: { rdx: -2n & ALL_ONES, rax: 5, rcx: 0x7000_0000_0000_0000n },
    after: { rax: ((-2n << 64n) + 5n) / (7n << 60n), rdx: BigInt.asUintN(64, ((-2n << 64n) + 5n) % (7n << 60n)) },
  });
  it("of 32 bits does not trap on the least dividend", {
    code: x86`f7 f9  idiv ecx`,
    before: { rdx: 0x8000_0000, rax: 0, rcx: 0xffff_ffff },
    fault: { vector: "#DE" },
  });
});

describeInstruction("imul1", (it) => {
  it("gives 128 bits", {
    code: x86`48 f7 e9  imul rcx`,
    before: { rax: -3n & ALL_ONES, rcx: 0x7fff_ffff_ffff_ffffn },
    after: {
      rax: BigInt.asUintN(64, -3n * 0x7fff_ffff_ffff_ffffn),
      rdx: BigInt.asUintN(64, (-3n * 0x7fff_ffff_ffff_ffffn) >> 64n),
      flags: "CF OF",
    },
  });
});

describeInstruction("bts", (it) => {
  it("reaches below the operand by a register index", {
    code: x86`48 0f ab 07  bts qword ptr [rdi], rax`,
    before: { rdi: DATA + 0x100, rax: -1n & ALL_ONES },
    after: { flags: "", memory: { [DATA + 0xff]: [0x80] } },
  });
  it("reaches above the operand by a register index", {
    code: x86`0f ab 07  bts dword ptr [rdi], eax`,
    before: { rdi: DATA + 0x100, rax: 8 * 0x200 + 3, memory: { [DATA + 0x300]: [8] } },
    after: { flags: "CF" },
  });
  it("takes an immediate index modulo the operand size", {
    code: x86`0f ba 2f 23  bts dword ptr [rdi], 0x23`,
    before: { rdi: DATA },
    after: { flags: "", memory: { [DATA]: [8] } },
  });
});

describeInstruction("shl", (it) => {
  it("by a masked count of zero clears the upper half and keeps flags", {
    code: x86`c1 e0 20  shl eax, 0x20`,
    before: { rax: ALL_ONES, flags: "CF OF" },
    after: { rax: 0xffff_ffff, flags: "CF OF" },
  });
});

describeInstruction("rcr", (it) => {
  it("turns 65 bits", {
    code: x86`48 d1 d8  rcr rax, 0x1`,
    before: { rax: 2, flags: "CF" },
    after: { rax: (1n << 63n) | 1n, flags: "OF" },
  });
});

describeInstruction("cmpxchg", (it) => {
  it("loads the accumulator when it differs", {
    code: x86`48 0f b1 0f  cmpxchg qword ptr [rdi], rcx`,
    before: { rdi: DATA, rax: 1, rcx: 7, memory: { [DATA]: [2] } },
    after: { rax: 2, flags: "CF PF AF SF" },
  });
  it("faults on a read-only page even when it would not store", {
    code: x86`48 0f b1 0f  cmpxchg qword ptr [rdi], rcx`,
    before: { rdi: READ_ONLY, rax: 1 },
    fault: { vector: "#PF", errorCode: PF_PRESENT_WRITE, cr2: READ_ONLY },
  });
});

describeInstruction("cmpxchg16b", (it) => {
  it("exchanges", {
    code: x86`48 0f c7 0f  cmpxchg16b xmmword ptr [rdi]`,
    before: { rdi: DATA, rax: 1, rdx: 2, rbx: 3, rcx: 4, memory: { [DATA]: [...quad(1), ...quad(2)] } },
    after: { flags: "ZF", memory: { [DATA]: [...quad(3), ...quad(4)] } },
  });
  it("wants alignment", {
    code: x86`48 0f c7 0f  cmpxchg16b xmmword ptr [rdi]`,
    before: { rdi: DATA + 8 },
    fault: { vector: "#GP", errorCode: 0 },
  });
});

describeInstruction("movs", (it) => {
  const pattern = (length: number): number[] => Array.from({ length }, (_, index) => (index * 7 + 1) & 0xff);
  it("does nothing when rCX is zero", {
    code: x86`f3 a4  rep movs byte ptr es:[rdi], byte ptr [rsi]`,
    before: { rsi: UNMAPPED, rdi: UNMAPPED },
  });
  it("moves across pages, many elements at a time", {
    code: x86`f3 48 a5  rep movs qword ptr es:[rdi], qword ptr [rsi]`,
    budget: 10,
    before: { rsi: DATA + 0x10, rdi: DATA + 0xf83, rcx: 0x20, memory: { [DATA + 0x10]: pattern(0x100) } },
    after: { rsi: DATA + 0x110, rdi: DATA + 0x1083, rcx: 0, memory: { [DATA + 0xf83]: pattern(0x100) } },
  });
  it("repeats what lies between overlapping strings", {
    code: x86`f3 a4  rep movs byte ptr es:[rdi], byte ptr [rsi]`,
    before: { rsi: DATA, rdi: DATA + 3, rcx: 9, memory: { [DATA]: [1, 2, 3] } },
    after: { rsi: DATA + 9, rdi: DATA + 12, rcx: 0, memory: { [DATA]: [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3] } },
  });
  it("of quadwords one byte apart reads each before it is overwritten", {
    code: x86`f3 48 a5  rep movs qword ptr es:[rdi], qword ptr [rsi]`,
    before: {
      rsi: DATA,
      rdi: DATA + 1,
      rcx: 2,
      memory: { [DATA]: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] },
    },
    after: {
      rsi: DATA + 16,
      rdi: DATA + 17,
      rcx: 0,
      memory: { [DATA + 1]: [1, 2, 3, 4, 5, 6, 7, 8, 8, 10, 11, 12, 13, 14, 15, 16] },
    },
  });
  it("goes down", {
    code: x86`f3 a4  rep movs byte ptr es:[rdi], byte ptr [rsi]`,
    before: { rsi: DATA + 2, rdi: DATA + 3, rcx: 3, flags: "DF", memory: { [DATA]: [1, 2, 3] } },
    after: { rsi: DATA - 1, rdi: DATA, rcx: 0, memory: { [DATA]: [1, 1, 2, 3] } },
  });
  it("stops at a fault with everything before it done", {
    code: x86`f3 48 a5  rep movs qword ptr es:[rdi], qword ptr [rsi]`,
    before: { rsi: DATA, rdi: READ_ONLY - 0x20, rcx: 0x10, memory: { [DATA]: pattern(0x40) } },
    after: { rsi: DATA + 0x20, rdi: READ_ONLY, rcx: 0xc, memory: { [READ_ONLY - 0x20]: pattern(0x20) } },
    fault: { vector: "#PF", errorCode: PF_PRESENT_WRITE, cr2: READ_ONLY },
  });
});

describeInstruction("stos", (it) => {
  it("fills by words, across pages", {
    code: x86`f3 66 ab  rep stos word ptr es:[rdi], ax`,
    before: { rdi: DATA + 0xff1, rcx: 11, rax: 0x1234 },
    after: {
      rdi: DATA + 0x1007,
      rcx: 0,
      memory: { [DATA + 0xff1]: Array.from({ length: 22 }, (_, i) => (i % 2 ? 0x12 : 0x34)) },
    },
  });
  it("fills whole pages at a time", {
    code: x86`f3 aa  rep stos byte ptr es:[rdi], al`,
    budget: 10,
    before: { rdi: DATA, rcx: 0x1800, rax: 0x5a },
    after: { rdi: DATA + 0x1800, rcx: 0, memory: { [DATA]: Array.from({ length: 0x1800 }, () => 0x5a) } },
  });
});

describeInstruction("scas", (it) => {
  it("finds the end of a string", {
    code: x86`f2 ae  repnz scas al, byte ptr es:[rdi]`,
    before: { rdi: DATA, rcx: ALL_ONES, memory: { [DATA]: [1, 2, 3, 0] } },
    after: { rdi: DATA + 4, rcx: -5n & ALL_ONES, flags: "ZF PF" },
  });
});

describeInstruction("loopne", (it) => {
  it("counts ECX with a 32-bit address size", {
    code: x86`67 e0 10  loopne 0x10013`,
    before: { rcx: 0xffff_ffff_0000_0000n },
    after: { rcx: 0xffff_ffff, rip: CODE + 0x13 },
  });
});

describeInstruction("daa", (it) => {
  it("adjusts both digits", {
    mode: "protected",
    code: x86`27  daa`,
    before: { rax: 0xae },
    after: { rax: 0x14, flags: "CF AF PF" },
  });
});

describeInstruction("aam", (it) => {
  it("divides by its immediate", {
    mode: "protected",
    code: x86`d4 07  aam 0x7`,
    before: { rax: 0xff2c },
    after: { rax: 0x0602, flags: "" },
  });
  it("of base zero", { mode: "protected", code: x86`d4 00  aam 0x0`, before: { rax: 5 }, fault: { vector: "#DE" } });
});

describeInstruction("bound", (it) => {
  it("accepts its bounds", {
    mode: "protected",
    code: x86`62 07  bound eax, qword ptr [edi]`,
    before: { rdi: DATA, rax: 0xffff_fffe, memory: { [DATA]: [0xfe, 0xff, 0xff, 0xff, 2, 0, 0, 0] } },
  });
  it("faults beyond them", {
    mode: "protected",
    code: x86`62 07  bound eax, qword ptr [edi]`,
    before: { rdi: DATA, rax: 3, memory: { [DATA]: [0xfe, 0xff, 0xff, 0xff, 2, 0, 0, 0] } },
    fault: { vector: "#BR" },
  });
});

describeInstruction("ud2", (it) => {
  it("is undefined", { code: x86`0f 0b  ud2`, fault: { vector: "#UD" } });
});

describeInstruction("pusha", (it) => {
  it("pushes ESP as it was", {
    mode: "protected",
    code: x86`60  pushad`,
    before: { rax: 1, rcx: 2, rdx: 3, rbx: 4, rbp: 5, rsi: 6, rdi: 7 },
    after: {
      rsp: STACK_TOP - 32,
      memory: {
        [STACK_TOP - 32]: [7, 6, 5, STACK_TOP, 4, 3, 2, 1].flatMap((value) => quad(value).slice(0, 4)),
      },
    },
  });
});
