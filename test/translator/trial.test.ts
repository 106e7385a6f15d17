import { beforeAll, describe, expect, it } from "vitest";
import { Prng } from "../oracle/prng.ts";
import { compareEngines, type Engines, openEngines } from "./compare-engines.ts";
import { CODE, DATA, type Program } from "./random-program.ts";

// Instructions that run on trial, and what loops take for granted of numbers in registers: wherever a number turns out not to be
// ordinary, the translator must come to what the interpreter comes to, bit by bit, flags of MXCSR included.

/** All masked, round to nearest, PE sticky: what regions take for granted. */
const MXCSR = 0x1fa0;
const HALT = 0xf4;

const DOUBLES: readonly bigint[] = [
  0x3ff8_0000_0000_0000n, // 1.5
  0xc008_0000_0000_0000n, // -3
  0n,
  0x8000_0000_0000_0000n, // -0
  1n, // the smallest denormal: its upper half is that of zero
  0x8001_2345_6789_abcdn, // a denormal
  0x0010_0000_0000_0000n, // the smallest normal number
  0x0020_0000_0000_0001n,
  0x2000_0000_0000_0000n, // its square underflows
  0x7fe0_0000_0000_0000n, // its double overflows
  0xffef_ffff_ffff_ffffn,
  0x7ff0_0000_0000_0000n, // infinity
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0001n, // a quiet NaN
  0xfff4_0000_0000_0000n, // a signalling NaN
];

const SINGLES: readonly number[] = [
  0x3fc0_0000, 0xc040_0000, 0, 0x8000_0000, 1, 0x8012_3456, 0x0080_0000, 0x0080_0001, 0x0100_0000, 0x1f80_0000,
  0x7f00_0000, 0xff7f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0001, 0xffa0_0000,
];

const doubles = (low: bigint, high = 0x3ff0_0000_0000_0000n): Uint8Array =>
  new Uint8Array(BigUint64Array.of(low, high).buffer);
const singles = (...lanes: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(lanes).buffer);

/** x[0..4) at DATA, y[0..4) behind; all 2 but one of each. */
function arrays(x: bigint, y: bigint, index: number): Uint8Array {
  const values = new BigUint64Array(0x200).fill(0x4000_0000_0000_0000n);
  values[index] = x;
  values[4 + index] = y;
  return new Uint8Array(values.buffer);
}

/** Closes a loop on the code, and halts behind it. */
function looped(body: readonly number[]): Uint8Array {
  return Uint8Array.from([...body, 0x75, 256 - body.length - 2, HALT]);
}

describe("numbers that are looked at together", () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });

  function check(code: Uint8Array, data: Uint8Array, state: Program["state"]): void {
    const rip = BigInt(CODE);
    const program = { code, data, state: { rip, rflags: 2, mxcsr: MXCSR, rax: 0n, ...state } } as Program;
    // Twice: behind the first run there is a translation.
    for (let round = 0; round < 2; round++) expect(compareEngines(engines, program, [1000])).toBeUndefined();
  }

  // movsd xmm0,[rsi+rax*8]; mulsd xmm0,xmm1; addsd xmm0,[rdi+rax*8]; movsd [rdi+rax*8],xmm0; inc rax; cmp rax,rcx; jne
  const axpy = [
    0xf2, 0x0f, 0x10, 0x04, 0xc6, 0xf2, 0x0f, 0x59, 0xc1, 0xf2, 0x0f, 0x58, 0x04, 0xc7, 0xf2, 0x0f, 0x11, 0x04, 0xc7,
    0x48, 0xff, 0xc0, 0x48, 0x39, 0xc8,
  ];
  it.each([0, 2])("y += a * x, with extraordinary numbers in round %i", (index) => {
    const code = looped(axpy);
    for (const x of DOUBLES)
      for (const y of DOUBLES)
        for (const a of [DOUBLES[0], DOUBLES[4], DOUBLES[8], DOUBLES[13]])
          check(code, arrays(x, y, index), {
            rsi: BigInt(DATA),
            rdi: BigInt(DATA + 32),
            rcx: 4n,
            xmm1: doubles(a ?? 0n),
          });
  });

  // movupd xmm0,[rsi+rax*8]; mulpd xmm0,xmm1; movupd xmm3,[rdi+rax*8]; addpd xmm0,xmm3; movupd [rdi+rax*8],xmm0; add rax,2; cmp; jne
  const packed = [
    0x66, 0x0f, 0x10, 0x04, 0xc6, 0x66, 0x0f, 0x59, 0xc1, 0x66, 0x0f, 0x10, 0x1c, 0xc7, 0x66, 0x0f, 0x58, 0xc3, 0x66,
    0x0f, 0x11, 0x04, 0xc7, 0x48, 0x83, 0xc0, 0x02, 0x48, 0x39, 0xc8,
  ];
  it.each([0, 3])("the same in packed form, in element %i", (index) => {
    const code = looped(packed);
    for (const x of DOUBLES)
      for (const y of DOUBLES)
        check(code, arrays(x, y, index), {
          rsi: BigInt(DATA),
          rdi: BigInt(DATA + 32),
          rcx: 4n,
          xmm1: doubles(DOUBLES[0] ?? 0n),
        });
  });

  // mulss xmm0,xmm1; addss xmm0,xmm2; ucomiss xmm0,xmm3; inc rax; cmp rax,3; jne
  const single = [
    0xf3, 0x0f, 0x59, 0xc1, 0xf3, 0x0f, 0x58, 0xc2, 0x0f, 0x2e, 0xc3, 0x48, 0xff, 0xc0, 0x48, 0x83, 0xf8, 0x03,
  ];
  it("single precision", () => {
    const code = looped(single);
    const one = SINGLES[0] ?? 0;
    for (const a of SINGLES)
      for (const b of SINGLES)
        for (const c of [one, SINGLES[5] ?? 0, SINGLES[14] ?? 0]) {
          const [x, y, z] = [singles(a, 1, 2, 3), singles(b, 1, 2, 3), singles(c, 1, 2, 3)];
          check(code, new Uint8Array(0x1000), { xmm0: x, xmm1: y, xmm2: z, xmm3: z });
          check(code, new Uint8Array(0x1000), { xmm0: z, xmm1: x, xmm2: y, xmm3: x });
        }
  });

  // movapd xmm2,xmm0; mulsd xmm2,xmm5; addsd xmm2,xmm6; comisd xmm7,xmm2; ja forward over a halt; movapd xmm0,xmm2; inc rax; cmp rax,4; jne
  const constants = [
    0x66,
    0x0f,
    0x28,
    0xd0,
    0xf2,
    0x0f,
    0x59,
    0xd5,
    0xf2,
    0x0f,
    0x58,
    0xd6,
    0x66,
    0x0f,
    0x2f,
    0xfa,
    0x77,
    0x01,
    HALT,
    0x66,
    0x0f,
    0x28,
    0xc2,
    0x48,
    0xff,
    0xc0,
    0x48,
    0x83,
    0xf8,
    0x04,
  ];
  it("a loop with constants in registers", () => {
    const code = looped(constants);
    const prng = new Prng(5);
    const plain = DOUBLES[0] ?? 0n;
    for (let round = 0; round < 600; round++) {
      const [a, b, c, d] = Array.from({ length: 4 }, () => (prng.chance(50) ? plain : prng.pick(DOUBLES)));
      check(code, new Uint8Array(0x1000), {
        xmm0: doubles(a ?? 0n),
        xmm5: doubles(b ?? 0n, 7n),
        xmm6: doubles(c ?? 0n),
        xmm7: doubles(d ?? 0n),
      });
    }
  });

  // A loop over four vectors at DATA; lanes of one of them are extraordinary in turn.
  const vectors = (values: readonly number[], plain: number): Uint8Array => {
    const words = new Uint32Array(0x400).fill(plain);
    values.forEach((value, lane) => (words[4 + lane] = value));
    return new Uint8Array(words.buffer);
  };
  const next = [0x48, 0x83, 0xc0, 0x10, 0x48, 0x83, 0xf8, 0x40];

  // andnps, cmpltps, andps, shufps, mulps, cvttps2dq, cvtdq2ps, maxps, addps
  const clipped = [
    ...[0x0f, 0x28, 0xcd, 0x0f, 0x55, 0x0c, 0x06, 0x0f, 0x28, 0xc1, 0x0f, 0xc2, 0xc4, 0x01, 0x0f, 0x54, 0xc1],
    ...[0x0f, 0xc6, 0xc0, 0x39, 0x0f, 0x59, 0xc3, 0xf3, 0x0f, 0x5b, 0xc0, 0x0f, 0x5b, 0xc0, 0x0f, 0x5f, 0xc1],
    ...[0x0f, 0x58, 0xd0, ...next],
  ];
  it("masks of comparisons, conversions and extremes of packed singles", () => {
    const code = looped(clipped);
    for (const plain of [0x3fc0_0000, 0])
      for (const value of [...SINGLES, 0x4eff_ffff, 0x4f00_0000, 0xcf00_0000, 0xcf00_0001])
        for (const [limit, scale] of [
          [0x4000_0000, 0x4480_0000],
          [0x7f7f_ffff, 0x0080_0000], // products underflow
          [0x7f7f_ffff, 0],
          [0x7f7f_ffff, value],
          [value, 0x4480_0000],
        ] as const)
          for (const sign of [0x8000_0000, 0])
            check(code, vectors([plain, value, 0x3f80_0000, 0], plain), {
              rsi: BigInt(DATA),
              xmm2: singles(0, 0, 0, 0),
              xmm3: singles(scale, scale, scale, scale),
              xmm4: singles(limit, limit, limit, limit),
              xmm5: singles(sign, sign, sign, sign),
            });
  });

  // movaps xmm0,[rsi+rax]; minps xmm0,xmm3; maxps xmm0,xmm4; cvtps2pd xmm1,xmm0; cvtpd2ps xmm6,xmm1; cmpps xmm6,xmm0,le; addpd xmm2,xmm1;
  // cvttpd2dq xmm7,xmm2; cvtdq2pd xmm8,xmm7
  const extremes = [
    ...[0x0f, 0x28, 0x04, 0x06, 0x0f, 0x5d, 0xc3, 0x0f, 0x5f, 0xc4, 0x0f, 0x5a, 0xc8, 0x66, 0x0f, 0x5a, 0xf1],
    ...[0x0f, 0xc2, 0xf0, 0x02, 0x66, 0x0f, 0x58, 0xd1, 0x66, 0x0f, 0xe6, 0xfa, 0xf3, 0x44, 0x0f, 0xe6, 0xc7, ...next],
  ];
  it("extremes and conversions of packed numbers", () => {
    const code = looped(extremes);
    for (const value of SINGLES)
      for (const other of SINGLES)
        for (const lane of [0, 1])
          check(code, vectors(lane === 0 ? [value] : [0x3f80_0000, value], 0x3fc0_0000), {
            rsi: BigInt(DATA),
            xmm2: doubles(0n, 0n),
            xmm3: singles(other, 0x4000_0000, 0x4000_0000, 0x4000_0000),
            xmm4: singles(0, other, 0, 0),
          });
  });

  // movsd xmm0,[rsi+rax]; minsd xmm0,xmm3; maxsd xmm0,xmm4; cvttsd2si rcx,xmm0; cvtsi2sd xmm1,rcx; cmpltsd xmm1,xmm0; cvtsd2ss xmm5,xmm0;
  // cvtss2sd xmm6,xmm5
  const scalar = [
    ...[0xf2, 0x0f, 0x10, 0x04, 0x06, 0xf2, 0x0f, 0x5d, 0xc3, 0xf2, 0x0f, 0x5f, 0xc4, 0xf2, 0x48, 0x0f, 0x2c, 0xc8],
    ...[0xf2, 0x48, 0x0f, 0x2a, 0xc9, 0xf2, 0x0f, 0xc2, 0xc8, 0x01, 0xf2, 0x0f, 0x5a, 0xe8, 0xf3, 0x0f, 0x5a, 0xf5],
    ...next,
  ];
  it("extremes and conversions of scalars", () => {
    const code = looped(scalar);
    const large = [0x43e0_0000_0000_0000n, 0xc3e0_0000_0000_0000n, 0xc3e0_0000_0000_0001n, 0x43df_ffff_ffff_ffffn];
    for (const value of [...DOUBLES, ...large])
      for (const other of DOUBLES) {
        const data = new BigUint64Array(0x200).fill(0x4000_0000_0000_0000n);
        data[2] = value;
        check(code, new Uint8Array(data.buffer), {
          rsi: BigInt(DATA),
          xmm3: doubles(other),
          xmm4: doubles(DOUBLES[1] ?? 0n),
        });
        check(code, new Uint8Array(data.buffer), {
          rsi: BigInt(DATA),
          xmm3: doubles(0x7fe0_0000_0000_0000n),
          xmm4: doubles(other),
        });
      }
  });

  it("a fault behind them leaves all registers as they were before it", () => {
    // mulsd xmm0,xmm1; movapd xmm3,xmm0; inc rax; addsd xmm3,[rbx]: nothing is mapped there
    const code = Uint8Array.from([
      0xf2,
      0x0f,
      0x59,
      0xc1,
      0x66,
      0x0f,
      0x28,
      0xd8,
      0x48,
      0xff,
      0xc0,
      0xf2,
      0x0f,
      0x58,
      0x1b,
      HALT,
    ]);
    for (const value of DOUBLES)
      check(code, new Uint8Array(0x1000), { rbx: 0x5000_0000n, xmm0: doubles(value), xmm1: doubles(DOUBLES[1] ?? 0n) });
  });
});
