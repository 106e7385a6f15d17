import { describe, expect, it } from "vitest";
import type { Extended, Result } from "../../runtime/cpu/x87-number.ts";
import {
  angleOutOfRange,
  f2xm1,
  fcos,
  fpatan,
  fptan,
  fsin,
  fyl2x,
  fyl2xp1,
} from "../../runtime/cpu/x87-transcendental.ts";
import { Random } from "./cases.ts";
import { hostIsAmd, hostRunner, runOnHost } from "./host.ts";

const NEAREST = 0x37f;
const DOWN = 0x77f;
const UP = 0xb7f;
const TO_ZERO = 0xf7f;
const PE = 0x20;
const IE = 0x01;
const ZE = 0x04;

/** sign and exponent (16 bits), significand */
function extended(top: number, significand: bigint): Extended {
  return { sign: top & 0x8000 ? 1 : 0, exponent: top & 0x7fff, significand };
}
function packed({ sign, exponent, significand }: Extended): bigint {
  return (BigInt((sign << 15) | exponent) << 64n) | significand;
}
const hex = (result: Result): string => packed(result.value).toString(16).padStart(20, "0");

const ZERO = extended(0, 0n);
const ONE = extended(0x3fff, 1n << 63n);
const MINUS_ONE = extended(0xbfff, 1n << 63n);
const TWO = extended(0x4000, 1n << 63n);
const HALF = extended(0x3ffe, 1n << 63n);
const PI = extended(0x4000, 0xc90f_daa2_2168_c235n);

describe("transcendental functions of the x87", () => {
  // Expected values: decimal expansions of the constants, cut to 64 bits.
  it("rounds constants of analysis to 64 bits", () => {
    expect(hex(fpatan(ONE, ONE, NEAREST))).toBe("3ffec90fdaa22168c235"); // pi / 4
    expect(hex(fpatan(ONE, ONE, DOWN))).toBe("3ffec90fdaa22168c234");
    expect(hex(fpatan(MINUS_ONE, ZERO, NEAREST))).toBe("4000c90fdaa22168c235"); // pi
    expect(hex(fsin(ONE, NEAREST))).toBe("3ffed76aa47848677021"); // 0.841470984807896506652502321...
    expect(hex(fcos(ONE, NEAREST))).toBe("3ffe8a51407da8345c92"); // 0.540302305868139717400936607...
    expect(hex(f2xm1(HALF, NEAREST))).toBe("3ffdd413cccfe7799211"); // sqrt 2 - 1
    expect(hex(fyl2x(extended(0x4000, 0xa000_0000_0000_0000n), TWO, TO_ZERO))).toBe("4000a934f0979a3715fc"); // 2 log2 2.5
  });

  it("rounds as FCW says", () => {
    const [down, up, toZero] = [DOWN, UP, TO_ZERO].map((control) => fptan(MINUS_ONE, control).value.significand);
    expect(down).toBe((up ?? 0n) + 1n);
    expect(toZero).toBe(up);
  });

  it("reduces angles by the 66-bit pi of the hardware", () => {
    // pi rounded to 64 bits exceeds the 66-bit pi by exactly 2^-64.
    expect(hex(fsin(PI, NEAREST))).toBe("bfbf8000000000000000");
    expect(hex(fcos(PI, TO_ZERO))).toBe("bffeffffffffffffffff");
  });

  it("leaves angles of 2^63 and more alone", () => {
    expect(angleOutOfRange(extended(0x3fff + 63, 1n << 63n))).toBe(true);
    expect(angleOutOfRange(extended(0x3fff + 62, (1n << 64n) - 1n))).toBe(false);
    expect(angleOutOfRange(extended(0x7fff, 1n << 63n))).toBe(false);
  });

  it("knows the exact and the infinite cases", () => {
    expect(fyl2x(ZERO, ONE, NEAREST)).toEqual({ value: extended(0xffff, 1n << 63n), flags: ZE });
    expect(fyl2x(MINUS_ONE, ONE, NEAREST).flags).toBe(IE);
    expect(fyl2x(TWO, PI, NEAREST)).toEqual({ value: PI, flags: PE });
    expect(fyl2x(ONE, PI, NEAREST)).toEqual({ value: ZERO, flags: 0 });
    expect(fyl2xp1(ONE, PI, NEAREST)).toEqual({ value: PI, flags: PE });
    expect(f2xm1(extended(0xffff, 1n << 63n), NEAREST).value).toEqual(MINUS_ONE);
    expect(fsin(extended(0x7fff, 1n << 63n), NEAREST).flags).toBe(IE);
  });
});

const host = hostRunner();
const reason = !host ? "no x86-64 Linux host with gcc" : !hostIsAmd() ? "the host's processor is not AMD's" : undefined;
if (reason !== undefined)
  console.log(`not run: accuracy of the x87's functions against the host's processor: ${reason}`);
const COUNT = 2000;

type Function = (x: Extended, y: Extended, control: number) => Result;
// prettier-ignore
const FUNCTIONS = [
  ["f2xm1", (x, _, control) => f2xm1(x, control), [-60, -1], 0],
  ["fyl2x", fyl2x, [-200, 200], 1],
  ["fyl2xp1", fyl2xp1, [-60, -2], 1],
  ["fpatan", fpatan, [-30, 30], 1],
  ["fsin", (x, _, control) => fsin(x, control), [-60, 62], 0],
  ["fcos", (x, _, control) => fcos(x, control), [-60, 62], 0],
  ["fptan", (x, _, control) => fptan(x, control), [-30, 62], 1],
] as const satisfies readonly (readonly [string, Function, readonly [number, number], 0 | 1])[];

describe.skipIf(reason)(`accuracy against the host's processor${reason ? ` (skipped: ${reason})` : ""}`, () => {
  it.each(FUNCTIONS)("%s is off by at most one unit, and seldom", (operation, compute, [lowest, highest], resultAt) => {
    if (!host) return;
    const random = new Random(7);
    const number = (low: number, high: number): Extended => {
      const sign = operation === "fyl2x" ? 0 : random.below(2) << 15;
      return extended((16383 + low + random.below(high - low + 1)) | sign, random.bits(64) | (1n << 63n));
    };
    const inputs = Array.from({ length: COUNT }, () => [number(lowest, highest), number(-30, 30)] as const);
    const control = random.pick([NEAREST, DOWN, UP, TO_ZERO]);
    const two = operation === "fyl2x" || operation === "fyl2xp1" || operation === "fpatan";
    const cases = inputs.map(([x, y]) => ({
      operation,
      control,
      status: 6 << 11,
      tags: two ? 0x0fff : 0xcfff,
      stack: [packed(x), packed(y)],
      memory: new Uint8Array(32),
    }));
    let different = 0;
    runOnHost(host, operation, cases).forEach(({ stack }, index) => {
      const [x, y] = inputs[index] ?? [ZERO, ZERO];
      const ours = packed(compute(x, y, control).value);
      const theirs = stack[two ? 0 : resultAt] ?? 0n;
      if (ours === theirs) return;
      different++;
      const distance = ours - theirs;
      expect(
        distance === 1n || distance === -1n,
        `${hex({ value: x, flags: 0 })}: ${ours.toString(16)}, host ${theirs.toString(16)}`,
      ).toBe(true);
    });
    expect(different / COUNT).toBeLessThan(0.06);
  });
});
