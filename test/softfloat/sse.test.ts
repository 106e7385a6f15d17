import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BareMachine, createBareMachine } from "../../src/bare-machine.ts";
import { REQUEST_BYTES, RESULT_BYTES, SoftFloatMachine } from "./machine.ts";
import { floatOperand, Random } from "./requests.ts";

const CODE = 0x1_0000;
const HLT = 0xf4;
const CR4_OSFXSR = 0x200n;
const CR4_OSXMMEXCPT = 0x400n;
/** round to nearest, all masked, PE sticky: the case that instructions compute without the helpers */
const COMMON = 0x1fa0;

let machine: BareMachine;
beforeAll(async () => {
  machine = await createBareMachine({ memoryBytes: 1 << 20, mode: "long" });
});
afterAll(() => machine.close());

function vector(low: bigint, high: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, low, true);
  view.setBigUint64(8, high, true);
  return new Uint8Array(view.buffer);
}

interface Before {
  readonly mxcsr: number;
  readonly xmm1: Uint8Array;
  readonly xmm2: Uint8Array;
  readonly cr4?: bigint;
}

/** Runs one instruction on xmm1 and xmm2. */
function run(
  code: readonly number[],
  { mxcsr, xmm1, xmm2, cr4 = CR4_OSXMMEXCPT }: Before,
): { vector: number | undefined; mxcsr: number; xmm1: Uint8Array; rip: bigint } {
  machine.write(CODE, new Uint8Array([...code, HLT]));
  const others = machine.getState().cr4 & ~CR4_OSXMMEXCPT;
  machine.setState({ rip: BigInt(CODE), mxcsr, xmm1, xmm2, cr4: others | CR4_OSFXSR | cr4 });
  const exit = machine.run({ maxInstructions: 2 });
  const after = machine.getState();
  return { vector: exit.vector, mxcsr: after.mxcsr, xmm1: after.xmm1, rip: after.rip };
}

const ONE = 0x3ff0_0000_0000_0000n;
const LARGEST = 0x7fef_ffff_ffff_ffffn;
const INFINITY = 0x7ff0_0000_0000_0000n;
const DIVPD = [0x66, 0x0f, 0x5e, 0xca];
const DIVSD = [0xf2, 0x0f, 0x5e, 0xca];
const MULPD = [0x66, 0x0f, 0x59, 0xca];
const MULSD = [0xf2, 0x0f, 0x59, 0xca];
const ADDSD = [0xf2, 0x0f, 0x58, 0xca];

describe("SIMD floating-point exceptions", () => {
  it("divides by zero into #XM: the flag is set, the destination and RIP are not changed", () => {
    const xmm1 = vector(ONE, 7n);
    const after = run(DIVSD, { mxcsr: 0x1d80, xmm1, xmm2: vector(0n, 0n) });
    expect(after).toEqual({ vector: 19, mxcsr: 0x1d84, xmm1, rip: BigInt(CODE) });
  });

  it("raises #UD instead while CR4.OSXMMEXCPT is clear", () => {
    const xmm1 = vector(ONE, 7n);
    const after = run(DIVSD, { mxcsr: 0x1d80, xmm1, xmm2: vector(0n, 0n), cr4: 0n });
    expect(after).toEqual({ vector: 6, mxcsr: 0x1d84, xmm1, rip: BigInt(CODE) });
  });

  it("goes on when the exception is masked, and keeps the upper half", () => {
    const after = run(DIVSD, { mxcsr: 0x1f80, xmm1: vector(ONE, 7n), xmm2: vector(0n, 0n) });
    expect(after).toEqual({ vector: undefined, mxcsr: 0x1f84, xmm1: vector(INFINITY, 7n), rip: BigInt(CODE + 5) });
  });

  it("does not report another lane's overflow when an invalid operation is unmasked", () => {
    const xmm1 = vector(LARGEST, 0n);
    const after = run(MULPD, { mxcsr: 0x1f00, xmm1, xmm2: vector(LARGEST, INFINITY) });
    expect(after).toMatchObject({ vector: 19, mxcsr: 0x1f01, xmm1 });
  });

  it("reports all lanes' exceptions when none is unmasked", () => {
    const after = run(DIVPD, { mxcsr: 0x1f80, xmm1: vector(ONE, 0n), xmm2: vector(0x4008_0000_0000_0000n, 0n) });
    // 1/3 is inexact, 0/0 is invalid.
    expect(after).toMatchObject({ vector: undefined, mxcsr: 0x1fa1 });
  });

  it("reports an unmasked underflow although the result is exact", () => {
    const smallest = 0x0010_0000_0000_0000n;
    const half = 0x3fe0_0000_0000_0000n;
    const after = run(MULSD, { mxcsr: 0x1780, xmm1: vector(smallest, 0n), xmm2: vector(half, 0n) });
    expect(after).toMatchObject({ vector: 19, mxcsr: 0x1790 });
  });

  it("leaves the sticky flags alone when nothing happens", () => {
    expect(run(ADDSD, { mxcsr: 0x1f80, xmm1: vector(ONE, 0n), xmm2: vector(ONE, 0n) }).mxcsr).toBe(0x1f80);
  });
});

const OPERATIONS = { sqrt: 0x51, add: 0x58, mul: 0x59, sub: 0x5c, min: 0x5d, div: 0x5e, max: 0x5f } as const;
/** mandatory prefix, lanes and scalar format of the four suffixes */
const SUFFIXES = {
  ss: { prefix: [0xf3], format: "f32", lanes: 1 },
  sd: { prefix: [0xf2], format: "f64", lanes: 1 },
  ps: { prefix: [], format: "f32", lanes: 4 },
  pd: { prefix: [0x66], format: "f64", lanes: 2 },
} as const;

/** Numbers that mostly stay in the common case, and enough that do not. */
function operands(random: Random, format: "f32" | "f64"): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  const wild = random.below(3) === 0;
  const bytes = format === "f32" ? 4 : 8;
  const [bias, fractionBits] = format === "f32" ? [127, 23n] : [1023, 52n];
  for (let at = 0; at < 16; at += bytes) {
    let bits = floatOperand(random, format, bias).low;
    if (!wild) {
      const sign = bits & (1n << BigInt(bytes * 8 - 1));
      const field = BigInt(bias - 6 + random.below(13));
      const fraction = bits & ((1n << fractionBits) - 1n);
      bits = random.below(5) === 0 ? sign : sign | (field << fractionBits) | fraction;
    }
    if (bytes === 4) view.setUint32(at, Number(bits & 0xffff_ffffn), true);
    else view.setBigUint64(at, bits, true);
  }
  return new Uint8Array(view.buffer);
}

describe("the guarded common case", () => {
  const smallest = 0x0010_0000_0000_0000n;

  it("does not take in a product that was tiny before it was rounded up to the smallest normal number", () => {
    const belowOne = 0x3fef_ffff_ffff_ffffn;
    const after = run(MULSD, { mxcsr: COMMON, xmm1: vector(belowOne, 0n), xmm2: vector(smallest, 0n) });
    expect(after).toMatchObject({ mxcsr: COMMON | 0x10, xmm1: vector(smallest, 0n) });
    const packed = run(MULPD, { mxcsr: COMMON, xmm1: vector(ONE, belowOne), xmm2: vector(ONE, smallest) });
    expect(packed).toMatchObject({ mxcsr: COMMON | 0x10, xmm1: vector(ONE, smallest) });
  });

  it("tells a zero that underflowed from one that is exact", () => {
    const small = 0x1000_0000_0000_0000n;
    for (const code of [MULSD, MULPD]) {
      expect(run(code, { mxcsr: COMMON, xmm1: vector(small, 0n), xmm2: vector(small, 0n) }).mxcsr).toBe(COMMON | 0x10);
      expect(run(code, { mxcsr: COMMON, xmm1: vector(small, 0n), xmm2: vector(0n, 0n) }).mxcsr).toBe(COMMON);
    }
    for (const code of [DIVSD, DIVPD]) {
      const huge = 0x7000_0000_0000_0000n;
      expect(run(code, { mxcsr: COMMON, xmm1: vector(small, ONE), xmm2: vector(huge, ONE) }).mxcsr).toBe(COMMON | 0x10);
      expect(run(code, { mxcsr: COMMON, xmm1: vector(0n, ONE), xmm2: vector(huge, ONE) }).mxcsr).toBe(COMMON);
    }
  });

  it("notes a denormal operand of a sum whose result is ordinary", () => {
    expect(run(ADDSD, { mxcsr: COMMON, xmm1: vector(ONE, 0n), xmm2: vector(1n, 0n) }).mxcsr).toBe(COMMON | 2);
  });

  const exact = new SoftFloatMachine();
  const request = new DataView(new ArrayBuffer(REQUEST_BYTES));
  const result = new DataView(new ArrayBuffer(RESULT_BYTES));

  for (const [operation, opcode] of Object.entries(OPERATIONS)) {
    for (const [suffix, { prefix, format, lanes }] of Object.entries(SUFFIXES)) {
      it(`${operation}${suffix} gives what the exact helpers give`, () => {
        const random = new Random(opcode * 8 + lanes);
        const bytes = format === "f32" ? 4 : 8;
        for (let i = 0; i < 250; i++) {
          const [xmm1, xmm2] = [operands(random, format), operands(random, format)];
          const mxcsr = COMMON | random.oneOf([0, 0, 0x40, 0x8000, 0x8040]);
          const expected = xmm1.slice();
          let flags = mxcsr;
          for (let lane = 0; lane < lanes; lane++) {
            const part = (source: Uint8Array): bigint => {
              const view = new DataView(source.buffer, source.byteOffset + lane * bytes);
              return bytes === 4 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
            };
            request.setUint32(0, mxcsr, true);
            request.setBigUint64(8, part(operation === "sqrt" ? xmm2 : xmm1), true);
            request.setBigUint64(24, part(xmm2), true);
            exact.run(`${format}_${operation}`, request, 0, result, 0);
            flags |= result.getUint32(16, true);
            expected.set(new Uint8Array(result.buffer, 0, bytes), lane * bytes);
          }
          const after = run([...prefix, 0x0f, opcode, 0xca], { mxcsr, xmm1, xmm2 });
          expect({ xmm1, xmm2, mxcsr: after.mxcsr, result: after.xmm1 }).toEqual({
            xmm1,
            xmm2,
            mxcsr: flags,
            result: expected,
          });
        }
      });
    }
  }
});
