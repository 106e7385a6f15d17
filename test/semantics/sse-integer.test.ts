import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBareMachine, type BareExit, type BareMachine } from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";

// The tricky ones of MMX and SSE. Expected values: the manuals, Intel's white papers on AES-NI and PCLMULQDQ, and an AMD processor.

const CODE = 0x1000;
const DATA = 0x3000;
const HLT = 0xf4;
/** PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
const CR4 = 0x4_0620n;
const CR0 = 0x8000_0033n;
const CR0_TS = 8n;
const Vector = { UD: 6, NM: 7, GP: 13, MF: 16 } as const;

let machine: BareMachine;
beforeAll(async () => {
  machine = await createBareMachine({ memoryBytes: 0x10000, mode: "long" });
});
afterAll(() => machine.close());

/** Sixteen bytes from 32 hexadecimal digits, the most significant first, as manuals write them. */
function vector(text: string): Uint8Array {
  const digits = text.replaceAll("_", "").padStart(32, "0");
  return Uint8Array.from({ length: 16 }, (_, i) => parseInt(digits.slice(30 - 2 * i, 32 - 2 * i), 16));
}
function hex(bytes: Uint8Array): string {
  return [...bytes]
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
function ascii(text: string): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => text.charCodeAt(i) || 0);
}

type Result = { readonly exit: BareExit; readonly state: BareState };

/** Runs instructions, given in hexadecimal, up to a HLT behind them. */
function run(code: string, before: Partial<BareState> = {}, data: Uint8Array = new Uint8Array(1024)): Result {
  const bytes = code.split(/\s+/).map((byte) => parseInt(byte, 16));
  machine.write(CODE, Uint8Array.from([...bytes, HLT]));
  machine.write(DATA, data);
  machine.setState({
    cr0: CR0,
    cr4: CR4,
    xcr0: 3n,
    rip: BigInt(CODE),
    rflags: 2n,
    rdi: BigInt(DATA),
    fcw: 0x37f,
    fsw: 0,
    ftw: 0,
    mxcsr: 0x1f80,
    cpl: 0,
    ...before,
  });
  const exit = machine.run({ maxInstructions: 20 });
  return { exit, state: machine.getState() };
}

/** XMM0 after an instruction on XMM0 and XMM1. */
function xmm(code: string, first: string, second: string, more: Partial<BareState> = {}): string {
  const { exit, state } = run(code, { xmm0: vector(first), xmm1: vector(second), ...more });
  expect(exit.reason).toBe("halt");
  return hex(state.xmm0);
}

describe("packed arithmetic", () => {
  it("PMULHRSW: -1 times -1 is -1", () => {
    expect(
      xmm("66 0f 38 0b c1", "8000_8000_7fff_4000_0001_ffff_1234_8001", "8000_7fff_7fff_4000_4000_4000_5678_8000"),
    ).toBe("800080017ffe2000000100000c4c7fff");
  });
  it("PMADDUBSW: saturates the sum of neighbours", () => {
    expect(xmm("66 0f 38 04 c1", "ffff_ffff", "7f7f_8080")).toBe("0000000000000000000000007fff8000");
  });
  it("PSADBW: sums each half", () => {
    expect(xmm("66 0f f6 c1", "ff00ff00ff00ff00_0102030405060708", "00ff00ff00ff00ff_0807060504030201")).toBe(
      "00000000000007f80000000000000020",
    );
  });
  it("PHMINPOSUW: takes the first of equal minima", () => {
    expect(xmm("66 0f 38 41 c1", "0", "8001_0007_ffff_0007_0100_ffff_7fff_8000")).toBe(
      "00000000000000000000000000040007",
    );
  });
  it("PSIGNW: negates the most negative number to itself, and clears for zero", () => {
    expect(xmm("66 0f 38 09 c1", "8000_8000_1234_0001", "ffff_0001_0000_8000")).toBe(
      "0000000000000000" + "800080000000ffff",
    );
  });
  it("MPSADBW: chooses offsets by the immediate", () => {
    const bytes = "0f0e0d0c0b0a09080706050403020100";
    // Group 3 of SRC (15..12) against bytes from 4 on: 4 * (12 - 4 - i).
    expect(xmm("66 0f 3a 42 c1 07", bytes, bytes)).toBe("00040008000c001000140018001c0020");
  });
});

describe("shifts", () => {
  it("PSRAW by a huge count fills with the sign", () => {
    expect(xmm("66 0f e1 c1", "8000_7fff_0000_0000_0000_0000_0000_0000", "1_0000_0000_0000")).toBe(
      "ffff0000000000000000000000000000",
    );
  });
  it("PSLLD by 32 clears, whatever the upper half of the count says", () => {
    expect(xmm("66 0f f2 c1", "1_0000_0001", "ffff_ffff_ffff_ffff_0000_0000_0000_0020")).toBe("0".repeat(32));
    expect(xmm("66 0f f2 c1", "1_0000_0001", "ffff_ffff_ffff_ffff_0000_0000_0000_001f")).toBe(
      "0".repeat(16) + "8000000080000000",
    );
  });
  it("PSRLDQ and PSLLDQ by 255 clear", () => {
    const all = "f".repeat(32);
    expect(xmm("66 0f 73 d8 ff", all, "0")).toBe("0".repeat(32));
    expect(xmm("66 0f 73 f8 ff", all, "0")).toBe("0".repeat(32));
    expect(xmm("66 0f 73 f8 0f", all, "0")).toBe("ff" + "0".repeat(30));
  });
  it("PALIGNR: counts through both operands, and beyond them finds zeros", () => {
    const first = "1f1e1d1c1b1a19181716151413121110";
    const second = "0f0e0d0c0b0a09080706050403020100";
    expect(xmm("66 0f 3a 0f c1 05", first, second)).toBe("14131211100f0e0d0c0b0a0908070605");
    expect(xmm("66 0f 3a 0f c1 13", first, second)).toBe("0000001f1e1d1c1b1a19181716151413");
    expect(xmm("66 0f 3a 0f c1 20", first, second)).toBe("0".repeat(32));
  });
});

describe("shuffles", () => {
  it("PSHUFB: clears where the top bit is set, and ignores bits 6..4", () => {
    const source = "0f0e0d0c0b0a09080706050403020100";
    expect(xmm("66 0f 38 00 c1", source, "80_70_0f_1f_00_00_00_00_00_00_00_00_00_00_00_ff")).toBe(
      "00000f0f000000000000000000000000",
    );
  });
  it("PSHUFD, PSHUFLW, PSHUFHW and SHUFPS take their lanes from the immediate", () => {
    const lanes = "0007_0006_0005_0004_0003_0002_0001_0000";
    expect(xmm("66 0f 70 c1 1b", "0", lanes)).toBe("00010000000300020005000400070006");
    expect(xmm("f2 0f 70 c1 1b", "0", lanes)).toBe("00070006000500040000000100020003");
    expect(xmm("f3 0f 70 c1 4e", "0", lanes)).toBe("00050004000700060003000200010000");
    expect(xmm("0f c6 c1 e4", "d_0000_000c_0000_000b_0000_000a", lanes)).toBe("00070006000500040000000b0000000a");
  });
  it("INSERTPS: picks, places and clears", () => {
    const first = "44444444_33333333_22222222_11111111";
    const second = "dddddddd_cccccccc_bbbbbbbb_aaaaaaaa";
    expect(xmm("66 0f 3a 21 c1 b1", first, second)).toBe("cccccccc333333332222222200000000");
    // From memory: the lane is what the address names, and bits 7..6 do not count.
    const { state } = run("66 0f 3a 21 07 d0", { xmm0: vector(first) }, Uint8Array.of(0x78, 0x56, 0x34, 0x12, 0xff));
    expect(hex(state.xmm0)).toBe("44444444333333331234567811111111");
  });
  it("PEXTRW zero-extends to 64 bits", () => {
    const { state } = run("66 0f c5 c1 0f", { xmm1: vector("8765".padEnd(32, "0")), rax: 0xffff_ffff_ffff_ffffn });
    expect(state.rax).toBe(0x8765n);
  });
  it("PINSRD with REX.W is PINSRQ", () => {
    expect(xmm("66 48 0f 3a 22 c0 01", "f".repeat(32), "0", { rax: 0x0123_4567_89ab_cdefn })).toBe(
      "0123456789abcdef" + "f".repeat(16),
    );
  });
});

describe("string comparison", () => {
  const needle = ascii("abc");
  const hay = ascii("xxabcxabcxxxxxab");

  it("PCMPISTRI finds a substring, and one that the end cuts off", () => {
    const first = run("66 0f 3a 63 c1 0c", { xmm0: needle, xmm1: hay, rcx: -1n & 0xffff_ffff_ffff_ffffn });
    expect(first.state.rcx).toBe(2n);
    // CF: found; SF: the first string ends in its register; the second fills it.
    expect(first.state.rflags & 0x8d5n).toBe(0x81n);
    const last = run("66 0f 3a 63 c1 4c", { xmm0: needle, xmm1: hay });
    expect(last.state.rcx).toBe(14n);
  });
  it("PCMPISTRI gives the number of elements when there is nothing", () => {
    const { state } = run("66 0f 3a 63 c1 00", { xmm0: ascii("Q"), xmm1: hay });
    expect(state.rcx).toBe(16n);
    expect(state.rflags & 0x8d5n).toBe(0x80n);
  });
  it("PCMPESTRM expands ranges to masks; lengths may be negative and too large", () => {
    const { state } = run("66 0f 3a 60 c1 44", {
      xmm0: ascii("azAZ"),
      xmm1: ascii("aB1[zZ"),
      rax: BigInt.asUintN(64, -4n),
      rdx: 0x7fff_ffffn,
    });
    expect(hex(state.xmm0)).toBe("00000000000000000000ffff0000ffff");
  });
  it("PCMPISTRM compares words of both strings, equal also where both have ended", () => {
    const { state } = run("66 0f 3a 62 c1 09", { xmm0: vector("0003_0002_0001"), xmm1: vector("0007_0002_0001") });
    expect(hex(state.xmm0)).toBe("000000000000000000000000000000fb");
  });
});

describe("cryptography", () => {
  const text = "7b5b54657374566563746f725d53475d";
  const key = "48692853686179295b477565726f6e5d";
  it("AES rounds", () => {
    expect(xmm("66 0f 38 dc c1", text, key)).toBe("a8311c2f9fdba3c58b104b58ded7e595");
    expect(xmm("66 0f 38 dd c1", text, key)).toBe("c7fb881e938c5964177ec42553fdc611");
    expect(xmm("66 0f 38 de c1", text, key)).toBe("138ac342faea2787b58eb95eb730392a");
    expect(xmm("66 0f 38 df c1", text, key)).toBe("c5a391ef6b317f95d410637b72a593d0");
    expect(xmm("66 0f 38 db c1", "0", key)).toBe("597f8df109efaa15f39bc5a119d859b6");
    expect(xmm("66 0f 3a df c1 01", "0", "3c4fcf098815f7aba6d2ae2816157e2b")).toBe("01eb848beb848a013424b5e524b5e434");
  });
  it("PCLMULQDQ chooses halves by the immediate", () => {
    expect(xmm("66 0f 3a 44 c1 00", text, key)).toBe("1d4d84c85c3440c0929633d5d36f0451");
    expect(xmm("66 0f 3a 44 c1 10", text, key)).toBe("1bd17c8d556ab5a17fa540ac2a281315");
    expect(xmm("66 0f 3a 44 c1 01", text, key)).toBe("1a2bf6db3a30862fbabf262df4b7d5c9");
    expect(xmm("66 0f 3a 44 c1 11", text, key)).toBe("1d1e1f2c592e7c45d66ee03e410fd4ed");
  });
});

describe("MMX", () => {
  it("makes all registers valid, TOP 0, and the exponent of what it writes all ones", () => {
    // paddb mm1, mm2
    const { state } = run("0f fc ca", {
      fsw: 0x2800,
      ftw: 0x10,
      mm1: 0x00ff_0102_0304_0506n,
      mm2: 0x0101_0101_0101_0101n,
    });
    expect(state.mm1).toBe(0x0100_0203_0405_0607n);
    expect(state.ftw).toBe(0xff);
    expect(state.fsw).toBe(0);
    expect(hex(state.st1.slice(8)).slice(-4)).toBe("ffff");
  });
  it("EMMS empties all registers", () => {
    const { state } = run("0f fc ca 0f 77", { fsw: 0x2800 });
    expect(state.ftw).toBe(0);
    expect(state.fsw).toBe(0);
  });
  it("PSHUFB and PHADDW work on 64 bits", () => {
    expect(run("0f 38 00 ca", { mm1: 0x0706_0504_0302_0100n, mm2: 0x80f7_0f08_0001_0207n }).state.mm1).toBe(
      0x0000_0700_0001_0207n,
    );
    expect(run("0f 38 01 ca", { mm1: 0x0004_0003_0002_0001n, mm2: 0x8000_8000_0001_ffffn }).state.mm1).toBe(
      0x0000_0000_0007_0003n,
    );
  });
  it("waits for a pending x87 exception", () => {
    expect(run("0f fc ca", { fcw: 0x37e, fsw: 0x8081 }).exit).toMatchObject({ reason: "exception", vector: Vector.MF });
  });
  it("MASKMOVQ stores the chosen bytes only", () => {
    const { exit } = run("0f f7 ca", { mm1: 0x8877_6655_4433_2211n, mm2: 0x8000_0080_0000_7fffn });
    expect(exit.reason).toBe("halt");
    expect(hex(machine.read(DATA, 8))).toBe("8800005500000011");
  });
});

describe("faults", () => {
  it("MOVAPS needs alignment, MOVUPS and PCMPISTRI do not, SHA256MSG1 neither", () => {
    const address = { rdi: BigInt(DATA + 1) };
    expect(run("0f 28 07", address).exit).toMatchObject({ reason: "exception", vector: Vector.GP, errorCode: 0 });
    expect(run("0f 10 07", address).exit.reason).toBe("halt");
    expect(run("66 0f 3a 63 07 00", address).exit.reason).toBe("halt");
    expect(run("0f 38 cc 07", address).exit.reason).toBe("halt");
    // MMX memory operands are never aligned.
    expect(run("0f fc 0f", address).exit.reason).toBe("halt");
  });
  it("CR0.TS stops SSE and MMX, but not MOVNTI", () => {
    const ts = { cr0: CR0 | CR0_TS };
    expect(run("66 0f ef c0", ts).exit).toMatchObject({ vector: Vector.NM });
    expect(run("0f ef c0", ts).exit).toMatchObject({ vector: Vector.NM });
    expect(run("0f ae 27", ts).exit).toMatchObject({ vector: Vector.NM });
    expect(run("0f c3 07", ts).exit.reason).toBe("halt");
  });
  it("without CR4.OSFXSR there is no SSE, without CR4.OSXSAVE no XSAVE", () => {
    expect(run("66 0f ef c0", { cr4: 0x20n }).exit).toMatchObject({ vector: Vector.UD });
    expect(run("0f ae 27", { cr4: 0x620n }).exit).toMatchObject({ vector: Vector.UD });
  });
  it("LDMXCSR and FXRSTOR refuse reserved bits of MXCSR, and change nothing", () => {
    const data = new Uint8Array(512);
    data[2] = 1;
    expect(run("0f ae 17", {}, data).exit).toMatchObject({ vector: Vector.GP });
    data[26] = 1;
    const { exit, state } = run("0f ae 0f", { xmm3: vector("123") }, data);
    expect(exit).toMatchObject({ vector: Vector.GP, errorCode: 0 });
    expect(hex(state.xmm3)).toBe(hex(vector("123")));
  });
});

describe("FXSAVE and XSAVE", () => {
  const st0 = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0x88, 0xff, 0x3f);

  it("FXSAVE writes x87 registers from the top of the stack, and leaves the end of the area alone", () => {
    const { exit } = run(
      "0f ae 07",
      { fsw: 0x3000, ftw: 0x40, st0, xmm15: vector("abcd"), mxcsr: 0x1fa0 },
      new Uint8Array(512).fill(0xcc),
    );
    expect(exit.reason).toBe("halt");
    const area = machine.read(DATA, 512);
    expect(Array.from(area.subarray(0, 5))).toEqual([0x7f, 0x03, 0x00, 0x30, 0x40]);
    expect(Array.from(area.subarray(24, 32))).toEqual([0xa0, 0x1f, 0, 0, 0xff, 0xff, 0, 0]);
    expect(Array.from(area.subarray(32, 48))).toEqual([...st0, 0, 0, 0, 0, 0, 0]);
    expect(hex(area.slice(400, 416))).toBe(hex(vector("abcd")));
    expect(area.slice(416).every((byte) => byte === 0xcc)).toBe(true);
  });

  it("FXRSTOR computes the error summary from flags and masks", () => {
    const data = new Uint8Array(512);
    data.set([0x7e, 0x03, 0x01, 0x00, 0xff]);
    expect(run("0f ae 0f", {}, data).state.fsw).toBe(0x8081);
    data.set([0x7f, 0x03, 0x80, 0x80, 0xff]);
    expect(run("0f ae 0f", {}, data).state.fsw).toBe(0);
  });

  /** All sixteen XMM registers zero. */
  const noSse = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [`xmm${i}`, new Uint8Array(16)]),
  ) as Partial<BareState>;
  /** All x87 registers zero. */
  const noX87 = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`st${i}`, new Uint8Array(10)]),
  ) as Partial<BareState>;

  it("XSAVE merges XSTATE_BV and keeps what was not asked for", () => {
    const data = new Uint8Array(576).fill(0xcc, 0, 512);
    data[512] = 0xf5;
    run("0f ae 27", { ...noX87, ...noSse, xmm2: vector("77"), rax: 2n, rdx: 0n }, data);
    const area = machine.read(DATA, 576);
    expect(area[512]).toBe(0xf7);
    expect(area[0]).toBe(0xcc);
    expect(area[24]).toBe(0x80);
    expect(area[192]).toBe(0x77);
  });
  it("XSAVEC leaves out what is in its initial configuration", () => {
    run("0f c7 27", { ...noX87, ...noSse, rax: 3n, rdx: 0n }, new Uint8Array(576).fill(0xcc, 0, 512));
    const area = machine.read(DATA, 576);
    expect(area.slice(0, 512).every((byte) => byte === 0xcc)).toBe(true);
    expect(hex(area.slice(512, 528))).toBe("8000000000000003" + "0000000000000000");
  });
  it("XRSTOR resets what the area does not have; MXCSR is loaded in the standard format only", () => {
    const data = new Uint8Array(576);
    data[24] = 0xc0;
    data[25] = 0x1f;
    const before = { xmm5: vector("99"), st0, ftw: 0xff, fcw: 0x27f, rax: 3n, rdx: 0n };
    const standard = run("0f ae 2f", before, data).state;
    expect([hex(standard.xmm5), standard.fcw, standard.ftw, standard.mxcsr]).toEqual([
      "0".repeat(32),
      0x37f,
      0,
      0x1fc0,
    ]);
    data[520] = 3;
    data[527] = 0x80;
    expect(run("0f ae 2f", { ...before, mxcsr: 0x1fa0 }, data).state.mxcsr).toBe(0x1f80);
  });
  it("XRSTOR refuses bad headers", () => {
    const bad = (offset: number, value: number, compacted = false): BareExit => {
      const data = new Uint8Array(576);
      if (compacted) data.set([3, 0, 0, 0, 0, 0, 0, 0x80], 520);
      data[offset] = value;
      return run("0f ae 2f", { rax: 3n, rdx: 0n }, data).exit;
    };
    const refused = { vector: Vector.GP, errorCode: 0 };
    expect(bad(512, 0x80)).toMatchObject(refused);
    expect(bad(520, 1)).toMatchObject(refused);
    expect(bad(528, 1)).toMatchObject(refused);
    expect(bad(544, 1).reason).toBe("halt");
    expect(bad(544, 1, true)).toMatchObject(refused);
    expect(bad(520, 7, true)).toMatchObject(refused);
  });
  it("XSETBV takes x87 with or without SSE, nothing else", () => {
    const set = (rax: bigint, rcx = 0n): BareExit => run("0f 01 d1", { rax, rcx, rdx: 0n }).exit;
    expect(set(1n).reason).toBe("halt");
    expect(machine.getState().xcr0).toBe(1n);
    expect(set(3n).reason).toBe("halt");
    for (const value of [0n, 2n, 7n]) expect(set(value)).toMatchObject({ vector: Vector.GP, errorCode: 0 });
    expect(set(3n, 1n)).toMatchObject({ vector: Vector.GP });
  });
  it("XGETBV reads XCR0, and with ECX = 1 what of it is in use", () => {
    const zero = { ...noX87, ...noSse, rdx: -1n & 0xffffn };
    expect(run("0f 01 d0", { ...zero, rcx: 0n }).state).toMatchObject({ rax: 3n, rdx: 0n });
    expect(run("0f 01 d0", { ...zero, rcx: 1n }).state).toMatchObject({ rax: 0n, rdx: 0n });
    expect(run("0f 01 d0", { ...zero, rcx: 1n, xmm9: vector("1") }).state).toMatchObject({ rax: 2n, rdx: 0n });
    expect(run("0f 01 d0", { rcx: 2n }).exit).toMatchObject({ vector: Vector.GP });
  });
});
