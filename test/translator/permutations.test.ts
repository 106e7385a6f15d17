import { beforeAll, describe, expect, it } from "vitest";
import { compareEngines, type Engines, openEngines } from "./compare-engines.ts";
import { CODE, DATA, type Program } from "./random-program.ts";

// Permutations, shifts and blends by an immediate, which the translator turns into constants: every immediate, against the interpreter.

const HALT = 0xf4;
const bytes = (first: number, step: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, index) => (first + step * index) & 0xff);

/** Opcodes up to the immediate, with xmm0 as the target and, where there is one, xmm1 as the source. */
const FORMS: Readonly<Record<string, readonly number[]>> = {
  pshufd: [0x66, 0x0f, 0x70, 0xc1],
  pshuflw: [0xf2, 0x0f, 0x70, 0xc1],
  pshufhw: [0xf3, 0x0f, 0x70, 0xc1],
  shufps: [0x0f, 0xc6, 0xc1],
  "shufps of one register": [0x0f, 0xc6, 0xc0],
  shufpd: [0x66, 0x0f, 0xc6, 0xc1],
  palignr: [0x66, 0x0f, 0x3a, 0x0f, 0xc1],
  psrldq: [0x66, 0x0f, 0x73, 0xd8],
  pslldq: [0x66, 0x0f, 0x73, 0xf8],
  psrlw: [0x66, 0x0f, 0x71, 0xd0],
  psrad: [0x66, 0x0f, 0x72, 0xe0],
  psllq: [0x66, 0x0f, 0x73, 0xf0],
  blendps: [0x66, 0x0f, 0x3a, 0x0c, 0xc1],
  blendpd: [0x66, 0x0f, 0x3a, 0x0d, 0xc1],
  pblendw: [0x66, 0x0f, 0x3a, 0x0e, 0xc1],
  insertps: [0x66, 0x0f, 0x3a, 0x21, 0xc1],
  "pinsrw of eax": [0x66, 0x0f, 0xc4, 0xc0],
  "pinsrq of rax": [0x66, 0x48, 0x0f, 0x3a, 0x22, 0xc0],
  "pextrw to eax": [0x66, 0x0f, 0xc5, 0xc1],
  "pextrb to eax": [0x66, 0x0f, 0x3a, 0x14, 0xc8],
  "pextrq to rax": [0x66, 0x48, 0x0f, 0x3a, 0x16, 0xc8],
};

describe("permutations by an immediate", () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });

  it.each(Object.keys(FORMS))("%s", (name) => {
    const form = FORMS[name] ?? [];
    for (let immediate = 0; immediate < 0x100; immediate++) {
      // Twice in a row, so that one permutation meets another; then pshufd xmm2, xmm0, 0x1b.
      const instruction = [...form, immediate];
      const other = [...form, (immediate * 7 + 3) & 0xff];
      const code = Uint8Array.from([...instruction, ...other, 0x66, 0x0f, 0x70, 0xd0, 0x1b, HALT]);
      const state = {
        rip: BigInt(CODE),
        rflags: 2n,
        mxcsr: 0x1fa0,
        rsi: BigInt(DATA),
        rax: 0x0123_4567_89ab_cdefn,
        xmm0: bytes(0x80, 1),
        xmm1: bytes(0x13, 0x1d),
      };
      const program = { code, data: new Uint8Array(0x10), state } as Program;
      // Twice: behind the first run there is a translation.
      for (let round = 0; round < 2; round++) expect(compareEngines(engines, program, [100])).toBeUndefined();
    }
  });
});
