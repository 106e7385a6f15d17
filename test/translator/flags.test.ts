import { beforeAll, describe, expect, it } from "vitest";
import { Prng } from "../oracle/prng.ts";
import { compareEngines, type Engines, openEngines } from "./compare-engines.ts";
import { DATA, programOf } from "./random-program.ts";

const RESULTS = DATA + 0x100;

/** Operations of rbx with rcx (or with nothing), as opcode bytes of the 32-bit form; the byte form has an opcode of one less. */
const PRODUCERS: Readonly<Record<string, readonly number[]>> = {
  add: [0x01, 0xcb],
  or: [0x09, 0xcb],
  adc: [0x11, 0xcb],
  sbb: [0x19, 0xcb],
  and: [0x21, 0xcb],
  sub: [0x29, 0xcb],
  xor: [0x31, 0xcb],
  cmp: [0x39, 0xcb],
  test: [0x85, 0xcb],
  neg: [0xf7, 0xdb],
  inc: [0xff, 0xc3],
  dec: [0xff, 0xcb],
  mul: [0xf7, 0xe1],
  imul: [0xf7, 0xe9],
  "shl by cl": [0xd3, 0xe3],
  "shr by cl": [0xd3, 0xeb],
  "sar by cl": [0xd3, 0xfb],
  "rol by cl": [0xd3, 0xc3],
  "rcr by cl": [0xd3, 0xdb],
  "shl by 1": [0xd1, 0xe3],
  "sar by 1": [0xd1, 0xfb],
  xadd: [0x0f, 0xc1, 0xcb],
  cmpxchg: [0x0f, 0xb1, 0xcb],
};
/** Values around which carries, signs and overflows change. */
function edges(width: number): bigint[] {
  const top = 1n << BigInt(width - 1);
  return [0n, 1n, 2n, top - 1n, top, top + 1n, 2n * top - 1n];
}

/** The operation at a width: 8 bits by the byte opcode, 16 by a prefix, 64 by REX.W. */
function atWidth(bytes: readonly number[], width: number): number[] {
  if (width === 16) return [0x66, ...bytes];
  if (width === 64) return [0x48, ...bytes];
  const last = bytes.length - 2;
  return width === 8 ? bytes.map((byte, index) => (index === last ? byte - 1 : byte)) : [...bytes];
}

/** Looks at the flags in every way: SETcc of all conditions, ADC, PUSHF; `between` stands in front of each look. */
function looks(between: readonly number[]): number[] {
  const bytes: number[] = [];
  for (let condition = 0; condition < 16; condition++) {
    const address = RESULTS + condition;
    bytes.push(
      ...between,
      0x0f,
      0x90 + condition,
      0x04,
      0x25,
      address & 0xff,
      (address >> 8) & 0xff,
      (address >> 16) & 0xff,
      0,
    );
  }
  // pushfq; adc rdx, 0; inc r8; pushfq
  return [...bytes, ...between, 0x9c, 0x48, 0x83, 0xd2, 0x00, 0x49, 0xff, 0xc0, 0x9c];
}

describe("flags, seen in every way", () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });

  it.each(Object.keys(PRODUCERS))("after %s", { timeout: 120_000 }, (name) => {
    for (const width of [8, 16, 32, 64]) {
      const operation = atWidth(PRODUCERS[name] ?? [], width);
      // Directly, behind an instruction that keeps the flags, and behind a branch both of whose ways meet again.
      for (const between of [[], [0x49, 0xff, 0xc1, 0x49, 0xff, 0xc9], [0x7e, 0x00]]) {
        const program = programOf(new Prng(width), [...operation, ...looks(between)]);
        for (const rbx of edges(width)) {
          for (const rcx of edges(width).slice(0, between.length === 0 ? 7 : 3)) {
            const state = { ...program.state, rbx, rcx };
            const difference = compareEngines(engines, { ...program, state }, [200]);
            expect(difference, `${width} bits, rbx ${rbx.toString(16)}, rcx ${rcx.toString(16)}`).toBeUndefined();
          }
        }
      }
    }
  });
});
