import { beforeAll, describe, expect, it } from "vitest";
import { FEATURES } from "../../runtime/abi/features.ts";
import { disassemble } from "../../jit/isa/format.ts";
import { code, type Inspected, openMachine } from "../mmu/support.ts";
import { Prng } from "../oracle/prng.ts";

// The x87 of translated code gives the bits, the flags and C1 that the interpreter gives, which is compared with the host's CPU elsewhere.

/** Numbers for each case: X87_NUMBERS=1000000 npm test -- test/translator/x87 for a longer run */
const COUNT = Number(process.env["X87_NUMBERS"] ?? 4000);
const SEED = Number(process.env["X87_SEED"] ?? 1);
const BATCH = 4000;

const CODE = 0x1_0000;
const INPUT = 0x10_0000;
const OUTPUT = 0x20_0000;
const STRIDE = 32;
const HALF = 1n << 63n;

const LOAD_BOTH = "db 2e  db 6e 10"; // fld tbyte [rsi]; fld tbyte [rsi + 16]
const LOAD_ONE = "db 2e";
// fnstsw [rdi + 26]; fstp tbyte [rdi]: the store clears C1.
const STORE = "dd 7f 1a  db 3f";

/** name, and the bytes between the load of the input and the store of what was read from FSW */
const CASES: readonly (readonly [name: string, code: string])[] = [
  ["faddp", `${LOAD_BOTH} de c1 ${STORE}`],
  ["fsubp", `${LOAD_BOTH} de e9 ${STORE}`],
  ["fsubrp", `${LOAD_BOTH} de e1 ${STORE}`],
  ["fmulp", `${LOAD_BOTH} de c9 ${STORE}`],
  ["fdivp", `${LOAD_BOTH} de f9 ${STORE}`],
  ["fdivrp", `${LOAD_BOTH} de f1 ${STORE}`],
  ["fadd m64", `${LOAD_ONE} dc 46 10 ${STORE}`],
  ["fmul m32", `${LOAD_ONE} d8 4e 10 ${STORE}`],
  ["fiadd m32", `${LOAD_ONE} da 46 10 ${STORE}`],
  ["fidivr m16", `${LOAD_ONE} de 7e 10 ${STORE}`],
  ["fadd st, st", `${LOAD_ONE} d8 c0 ${STORE}`],
  ["fmul st, st", `${LOAD_ONE} d8 c8 ${STORE}`],
  ["fsub st, st", `${LOAD_ONE} d8 e0 ${STORE}`],
  ["fsqrt", `${LOAD_ONE} d9 fa ${STORE}`],
  // Into bytes of the output: by setcc, by a branch around a store, and by lahf.
  ["fcomip", `${LOAD_BOTH} df f1 ${STORE}  0f 92 47 10  0f 94 47 11  0f 97 47 12`],
  ["fucomip", `${LOAD_BOTH} df e9 ${STORE}  72 04  c6 47 10 01  77 04  c6 47 11 01`],
  ["fcomi", `${LOAD_BOTH} db f1 9f ${STORE} dd d8  88 67 10`],
  // A loop of its own: what its rounds know of the stack.
  ["fadd in a loop", `${LOAD_BOTH} 31 c0  d8 c1 d9 c9 ff c0 83 f8 05 72 f5  de c9 ${STORE}`],
  ["frndint", `${LOAD_ONE} d9 fc ${STORE}`],
  ["fcomp", `${LOAD_BOTH} d8 d9 ${STORE}`],
  ["ftst", `${LOAD_ONE} d9 e4 ${STORE}`],
  ["fxam", `${LOAD_ONE} d9 e5 ${STORE}`],
  ["fst m64", `${LOAD_ONE} dd 57 10 ${STORE}`],
  ["fst m32", `${LOAD_ONE} d9 57 10 ${STORE}`],
  ["fist m32", `${LOAD_ONE} db 57 10 ${STORE}`],
  ["fist m16", `${LOAD_ONE} df 57 10 ${STORE}`],
  ["fistp m64", `${LOAD_ONE} d9 c0 df 7f 10 ${STORE}`],
  ["fisttp m64", `${LOAD_ONE} d9 c0 dd 4f 10 ${STORE}`],
  ["fild m64", `df 2e ${STORE}`],
  ["fld m64", `dd 06 ${STORE}`],
  ["fld m32", `d9 06 ${STORE}`],
];
const ROUNDED = /^(frndint|fist|fst )/;
/** About exponents at which results could leave the range of normal numbers, or operands what is computed in place. */
const EDGES = [0x1fff, 0x2000, 0x2fff, 0x3000, 0x3001, 0x4ffe, 0x4fff, 0x5000, 0x5fff, 0x6000];

/** The case for each number of the input: fnstsw [rdi + 24], and FSW is cleared, so that every flag is seen. */
function program(body: string): Uint8Array {
  const loop = code(body, "dd 7f 18  db e2  48 83 c6 20  48 83 c7 20  ff c9");
  return code(loop, "75", Uint8Array.of(-(loop.length + 2) & 0xff), "f4");
}

const inverse = (number: bigint, modulus: bigint): bigint => {
  let [previous, current, left, right] = [0n, 1n, modulus, number % modulus];
  while (right > 1n) {
    const quotient = left / right;
    [left, right] = [right, left - quotient * right];
    [previous, current] = [current, previous - quotient * current];
  }
  return ((current % modulus) + modulus) % modulus;
};

/** A dividend and a divisor whose quotient is as near as can be to the middle between two numbers of 64 bits. */
function middleQuotient(prng: Prng): readonly [bigint, bigint] {
  const length = BigInt(17 + prng.below(15));
  const divisor = (1n << (length - 1n)) | BigInt(prng.u32() & (2 ** Number(length - 1n) - 1)) | 1n;
  const shift = 64n - length;
  const significand = divisor << shift;
  // The quotient is dividend * 2^bits / divisor.
  const bits = 63n - shift + BigInt(prng.below(2));
  const rest = (divisor + (prng.chance(50) ? 1n : -1n)) / 2n;
  const lowest = (rest * inverse(1n << bits, divisor)) % divisor;
  const from = bits === 63n - shift ? significand : HALF;
  const to = bits === 63n - shift ? 1n << 64n : significand;
  const steps = (to - from) / divisor - 1n;
  if (steps <= 0n) return [significand, significand];
  const step = ((BigInt(prng.u32()) << 32n) | BigInt(prng.u32())) % steps;
  const dividend = from - (from % divisor) + lowest + (step + 1n) * divisor;
  return [dividend < to ? dividend : significand, significand];
}

/** A quotient by nearly 2^64 whose first 31 bits are as near as can be to the middle between two numbers of so many. */
function middleDigit(prng: Prng): readonly [bigint, bigint] {
  const digit = BigInt((prng.u32() | (2 ** 31)) >>> 0) >> 1n;
  const dividend = (digit << 33n) + (1n << 32n) + BigInt(prng.below(9) - 4);
  return [dividend, BigInt.asUintN(64, -1n - (BigInt(prng.u32()) >> BigInt(prng.below(33))))];
}

/** Squares, whose roots are exact, and numbers beside them. */
function nearSquare(prng: Prng): bigint {
  const root = BigInt((prng.u32() | (2 ** 31)) >>> 0);
  const square = root * root;
  const significand = square >= HALF ? square : square << 1n;
  return BigInt.asUintN(64, significand + BigInt(prng.below(3) - 1)) | HALF;
}

/** Extended numbers that are near one another, near powers of two and near what can be rounded either way. */
function randomSignificand(prng: Prng): bigint {
  const random = BigInt.asUintN(64, (BigInt(prng.u32()) << 32n) | BigInt(prng.u32())) | HALF;
  const low = BigInt(prng.below(64));
  switch (prng.below(8)) {
    case 0:
      return HALF;
    case 1:
      return HALF | (1n << low);
    case 2:
      return BigInt.asUintN(64, -(1n << low)) | HALF;
    case 3:
      return (random >> low) << low || HALF;
    case 4:
      return random | ((1n << low) - 1n);
    case 5:
      return HALF | BigInt(prng.below(4));
    default:
      return random;
  }
}

function writeExtended(prng: Prng, view: DataView, at: number, exponent: number): void {
  const isSpecial = prng.chance(6);
  const field = isSpecial ? prng.pick([0, 0, 1, 2, 0x7ffe, 0x7fff]) : exponent;
  const significand = field === 0 && prng.chance(70) ? 0n : randomSignificand(prng);
  view.setBigUint64(at, significand, true);
  view.setUint16(at + 8, field | (prng.below(2) << 15), true);
}

function randomInput(prng: Prng, count: number): Uint8Array {
  const input = new Uint8Array(count * STRIDE);
  const view = new DataView(input.buffer);
  for (let at = 0; at < input.length; at += STRIDE) {
    const anywhere = prng.chance(50) ? 1 + prng.below(0x7ffe) : prng.pick(EDGES);
    const exponent = prng.chance(80) ? 16383 - 70 + prng.below(140) : anywhere;
    const distance = prng.pick([0, 0, 1, 1, 2, 3, prng.below(64), 62, 63, 64, 65, 66, 67, 126, 127, 128, 129, 200]);
    const other = Math.min(0x7ffe, Math.max(1, exponent + (prng.chance(50) ? distance : -distance)));
    writeExtended(prng, view, at, exponent);
    // Sometimes the second number is one in a narrower format, or both are the same.
    const choice = prng.below(12);
    if (choice === 0) view.setFloat64(at + 16, (prng.u32() - 2 ** 31) * 2 ** (prng.below(80) - 40), true);
    else if (choice === 1) view.setFloat32(at + 16, (prng.u32() - 2 ** 31) * 2 ** (prng.below(60) - 40), true);
    else if (choice === 2) view.setBigInt64(at, BigInt(prng.u32() | 0) << BigInt(prng.below(33)), true);
    else if (choice === 3) input.copyWithin(at + 16, at, at + 10);
    else writeExtended(prng, view, at + 16, other);
    if (choice === 4) {
      const [dividend, divisor] = prng.chance(70) ? middleQuotient(prng) : middleDigit(prng);
      view.setBigUint64(at, dividend, true);
      view.setBigUint64(at + 16, divisor, true);
    } else if (choice === 5) {
      view.setBigUint64(at, nearSquare(prng), true);
    }
  }
  return input;
}

describe("the x87 in translated code", () => {
  let interpreter: Inspected;
  let translator: Inspected;
  beforeAll(async () => {
    interpreter = await openMachine({ memoryBytes: 0x40_0000, mode: "long", engine: "interpreter" });
    translator = await openMachine({ memoryBytes: 0x40_0000, mode: "long", engine: "translator" });
  });

  function run(machine: Inspected, bytes: Uint8Array, input: Uint8Array, fcw: number): Uint8Array {
    machine.write(CODE, bytes);
    machine.write(INPUT, input);
    machine.write(OUTPUT, new Uint8Array(input.length));
    const rcx = BigInt(input.length / STRIDE);
    machine.setState({ rip: BigInt(CODE), rsi: BigInt(INPUT), rdi: BigInt(OUTPUT), rcx, fcw, fsw: 0, ftw: 0 });
    expect(machine.run().reason).toBe("halt");
    return machine.read(OUTPUT, input.length);
  }

  for (const [name, body] of CASES) {
    it(`${name} is the interpreter's`, { timeout: 30_000 + COUNT }, () => {
      const bytes = program(body);
      const prng = new Prng(SEED * 7919 + name.length);
      for (let done = 0; done < COUNT; done += BATCH) {
        const input = randomInput(prng, Math.min(BATCH, COUNT - done));
        for (const fcw of ROUNDED.test(name) ? [0x37f, 0x77f, 0xb7f, 0xf7f] : [0x37f, 0x27f]) {
          const want = run(interpreter, bytes, input, fcw);
          const got = run(translator, bytes, input, fcw);
          const at = want.findIndex((byte, index) => byte !== got[index]);
          if (at < 0) continue;
          const from = at - (at % STRIDE);
          const hex = (array: Uint8Array): string => Buffer.from(array.subarray(from, from + STRIDE)).toString("hex");
          const listing = [...disassemble(bytes, 64, 0n, new Set(FEATURES))].map(({ text }) => text).join("; ");
          expect.fail(
            `fcw ${fcw.toString(16)}: ${listing}\ninput ${hex(input)}\nwant  ${hex(want)}\ngot   ${hex(got)}`,
          );
        }
      }
      expect(translator.processor.exits.translate).toBeGreaterThan(0);
    });
  }
});
