import { createCipheriv, createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { WasmModule } from "../../jit/emit/module.ts";
import { StateBuilder } from "../../jit/emit/state.ts";
import type { Value } from "../../jit/emit/value.ts";
import { aesHelpers } from "../../jit/helpers/aes.ts";
import { carrylessHelpers } from "../../jit/helpers/carryless.ts";
import { addHelpers, type Helper } from "../../jit/helpers/helper.ts";
import { shaHelpers } from "../../jit/helpers/sha.ts";
import { stringCompareHelpers } from "../../jit/helpers/string-compare.ts";

// The helpers behind AES-NI, SHA, PCLMULQDQ and PCMPxSTRx, each alone in a module, against independent implementations.

const HELPERS = [...aesHelpers, ...carrylessHelpers, ...shaHelpers, ...stringCompareHelpers];
const SLOT_BYTES = 16;
const RESULT = 128;

/** Arguments stand in memory, sixteen bytes each, and so does the result: vectors do not cross into JavaScript. */
function instantiate(): { call(name: string, ...operands: readonly Uint8Array[]): Uint8Array } {
  const module = new WasmModule();
  module.importMemory(1, 1);
  addHelpers(module, HELPERS);
  for (const helper of HELPERS) addWrapper(module, helper);
  module.validate();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.binary() as BufferSource), {
    env: { memory },
  });
  const bytes = new Uint8Array(memory.buffer);
  return {
    call(name, ...operands) {
      operands.forEach((operand, i) => bytes.set(operand, i * SLOT_BYTES));
      (instance.exports[`wrapped.${name}`] as () => void)();
      return bytes.slice(RESULT, RESULT + SLOT_BYTES);
    },
  };
}

function addWrapper(module: WasmModule, { name, params, result }: Helper): void {
  const f = new StateBuilder(module.raw, `wrapped.${name}`, [], []);
  const zero = f.constant(32, 0);
  const operands = params.map((type, i): Value =>
    f.loadOffset(type === "v128" ? 128 : type === "i64" ? 64 : 32, zero, i * SLOT_BYTES),
  );
  if (result === "none") return;
  f.storeOffset(zero, f.call(name, [zero, ...operands], result), RESULT);
  f.finish();
  module.export(`wrapped.${name}`);
}

const helpers = instantiate();

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
function toWords(bytes: Uint8Array): number[] {
  return [...new Uint32Array(bytes.slice().buffer)];
}
function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, i) => byte ^ (right[i] ?? 0));
}
/** Repeatable bytes. */
function pattern(seed: number, length = 16): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

describe("AES", () => {
  /** FIPS 197, 5.2, with the substitution that AESKEYGENASSIST uses. */
  function expandKey(key: Uint8Array): Uint8Array[] {
    const keys = [key];
    let constant = 1;
    for (let round = 1; round <= 10; round++) {
      const previous = keys[round - 1] ?? key;
      const substituted = helpers.call("aes.substitute", previous);
      const last = [13, 14, 15, 12].map((i) => substituted[i] ?? 0);
      last[0] = (last[0] ?? 0) ^ constant;
      const next = new Uint8Array(16);
      for (let i = 0; i < 16; i++) next[i] = (previous[i] ?? 0) ^ (i < 4 ? (last[i] ?? 0) : (next[i - 4] ?? 0));
      keys.push(next);
      constant = (constant << 1) ^ (constant & 0x80 ? 0x11b : 0);
    }
    return keys;
  }

  const key = pattern(1);
  const keys = expandKey(key);
  const none = new Uint8Array(16);

  it("encrypts as the host's library does", () => {
    for (let seed = 2; seed < 12; seed++) {
      const plain = pattern(seed);
      let state = xor(plain, keys[0] ?? none);
      for (let round = 1; round < 10; round++) state = helpers.call("aes.encrypt", state, keys[round] ?? none);
      state = helpers.call("aes.encrypt-last", state, keys[10] ?? none);
      const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
      expect(Buffer.from(state)).toEqual(cipher.update(plain));
    }
  });

  it("decrypts what it encrypted, by the equivalent inverse cipher", () => {
    const plain = pattern(20);
    const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
    let state = xor(new Uint8Array(cipher.update(plain)), keys[10] ?? none);
    for (let round = 9; round > 0; round--) {
      state = helpers.call("aes.decrypt", state, helpers.call("aes.inverse-mix", keys[round] ?? none));
    }
    expect(helpers.call("aes.decrypt-last", state, keys[0] ?? none)).toEqual(plain);
  });
});

describe("carry-less multiplication", () => {
  function product(left: bigint, right: bigint): bigint {
    let sum = 0n;
    for (let bit = 0n; bit < 64n; bit++) if ((right >> bit) & 1n) sum ^= left << bit;
    return sum;
  }
  it("multiplies polynomials", () => {
    const numbers = [0n, 1n, 2n, 0xffff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffffn, 0x1111_1111_1111_1111n];
    for (let seed = 0; seed < 20; seed++) numbers.push(new DataView(pattern(seed + 100).buffer).getBigUint64(0, true));
    for (const left of numbers) {
      for (const right of numbers) {
        const operand = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value, 0n).buffer);
        const [low = 0n, high = 0n] = new BigUint64Array(
          helpers.call("carryless.multiply64", operand(left), operand(right)).buffer,
        );
        expect(low | (high << 64n)).toBe(product(left, right));
      }
    }
  });
});

describe("SHA", () => {
  /** The only block of a message of up to 55 bytes, as sixteen big-endian words. */
  function block(message: string): number[] {
    const bytes = new Uint8Array(64);
    bytes.set(new TextEncoder().encode(message));
    bytes[message.length] = 0x80;
    const view = new DataView(bytes.buffer);
    view.setUint32(60, message.length * 8);
    return Array.from({ length: 16 }, (_, i) => view.getUint32(4 * i));
  }
  function hex(state: readonly number[]): string {
    return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
  function rotate(value: number, left: number): number {
    return ((value << left) | (value >>> (32 - left))) >>> 0;
  }
  /** Four words of a message, the first in the top lane. */
  function reversed(message: readonly number[], first: number): Uint8Array {
    return words(...message.slice(first, first + 4).reverse());
  }

  it("computes SHA-1 with its rounds and its message schedule", () => {
    const text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnop";
    const message = block(text);
    for (let t = 16; t < 80; t += 4) {
      // SHA1MSG1 is an exclusive or of words 0..3 and 2..5; words 8..11 enter by PXOR.
      const first = [0, 1, 2, 3].map(
        (i) => (message[t - 16 + i] ?? 0) ^ (message[t - 14 + i] ?? 0) ^ (message[t - 8 + i] ?? 0),
      );
      const next = toWords(helpers.call("sha1.message2", reversed(first, 0), reversed(message, t - 4))).reverse();
      message.push(...next);
    }
    const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = initial;
    for (let t = 0; t < 80; t += 4) {
      const input = toWords(reversed(message, t));
      input[3] = (input[3] ?? 0) + e;
      const before = a;
      const state = helpers.call(`sha1.rounds${Math.floor(t / 20)}`, words(d, c, b, a), words(...input));
      [d = 0, c = 0, b = 0, a = 0] = toWords(state);
      e = rotate(before, 30);
    }
    const digest = [a, b, c, d, e].map((word, i) => word + (initial[i] ?? 0));
    expect(hex(digest)).toBe(createHash("sha1").update(text).digest("hex"));
  });

  it("computes SHA-256 with its rounds and its message schedule", () => {
    const primes = Array.from({ length: 400 }, (_, i) => i)
      .filter((n) => n > 1 && ![2, 3, 5, 7, 11, 13, 17, 19].some((p) => p < n && n % p === 0))
      .slice(0, 64);
    const fraction = (n: number, power: 2 | 3): number => {
      // floor(2^32 * frac(n^(1/power))), in integers.
      const target = BigInt(n) << BigInt(32 * power);
      let root = 0n;
      for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) if ((root + bit) ** BigInt(power) <= target) root += bit;
      return Number(root & 0xffff_ffffn);
    };
    const constants = primes.map((p) => fraction(p, 3));
    const initial = primes.slice(0, 8).map((p) => fraction(p, 2));
    const message = block("abc");
    const four = (first: number): Uint8Array => words(...message.slice(first, first + 4));
    for (let t = 16; t < 64; t += 4) {
      const partial = toWords(helpers.call("sha256.message1", four(t - 16), four(t - 12)));
      const sum = partial.map((word, i) => word + (message[t - 7 + i] ?? 0));
      message.push(...toWords(helpers.call("sha256.message2", words(...sum), four(t - 4))));
    }
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = initial;
    let abef = words(f, e, b, a);
    let cdgh = words(h, g, d, c);
    for (let t = 0; t < 64; t += 2) {
      const pair = words(
        (message[t] ?? 0) + (constants[t] ?? 0),
        (message[t + 1] ?? 0) + (constants[t + 1] ?? 0),
        0,
        0,
      );
      [abef, cdgh] = [helpers.call("sha256.rounds", cdgh, abef, pair), abef];
    }
    const [f2 = 0, e2 = 0, b2 = 0, a2 = 0] = toWords(abef);
    const [h2 = 0, g2 = 0, d2 = 0, c2 = 0] = toWords(cdgh);
    const digest = [a2, b2, c2, d2, e2, f2, g2, h2].map((word, i) => word + (initial[i] ?? 0));
    expect(hex(digest)).toBe(createHash("sha256").update("abc").digest("hex"));
  });
});

describe("string comparison", () => {
  /** The pseudo-code of SDM Vol. 2B, 4.1.1..4.1.7, element by element. */
  function reference(
    first: Uint8Array,
    second: Uint8Array,
    firstLength: number,
    secondLength: number,
    immediate: number,
  ): number {
    const wide = (immediate & 1) !== 0;
    const signed = (immediate & 2) !== 0;
    const count = wide ? 8 : 16;
    const element = (bytes: Uint8Array, i: number): number => {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      if (wide) return signed ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true);
      return signed ? view.getInt8(i) : view.getUint8(i);
    };
    const kind = (immediate >> 2) & 3;
    const matrix = (i: number, j: number): boolean => {
      const a = element(first, i);
      const b = element(second, j);
      const plain = kind === 1 ? (i % 2 === 0 ? b >= a : b <= a) : a === b;
      const inFirst = i < firstLength;
      const inSecond = j < secondLength;
      if (inFirst && inSecond) return plain;
      if (kind === 2) return !inFirst && !inSecond;
      return kind === 3 && !inFirst;
    };
    let result = 0;
    for (let j = 0; j < count; j++) {
      let bit = kind === 3;
      if (kind === 0) for (let i = 0; i < count; i++) bit ||= matrix(i, j);
      if (kind === 1) for (let i = 0; i < count; i += 2) bit ||= matrix(i, j) && matrix(i + 1, j);
      if (kind === 2) bit = matrix(j, j);
      if (kind === 3) for (let i = 0; i < count - j; i++) bit &&= matrix(i, j + i);
      const negate = (immediate & 0x10) !== 0 && ((immediate & 0x20) === 0 || j < secondLength);
      if (bit !== negate) result |= 1 << j;
    }
    const flags =
      (result === 0 ? 0 : 1) |
      (secondLength < count ? 0x40 : 0) |
      (firstLength < count ? 0x80 : 0) |
      ((result & 1) << 11);
    return (result | (flags << 16)) >>> 0;
  }

  it("agrees with the manual's pseudo-code for every control byte", () => {
    for (let immediate = 0; immediate < 128; immediate++) {
      const count = immediate & 1 ? 8 : 16;
      for (let seed = 0; seed < 12; seed++) {
        // Few different elements, so that something matches; with sign bits.
        const text = (s: number): Uint8Array => pattern(s).map((byte) => [0x41, 0x42, 0xc3, 0x44][byte & 3] ?? 0);
        const first = seed % 4 === 3 ? pattern(seed) : text(seed * 3 + immediate);
        const second = text(seed * 7 + immediate + 1);
        const firstLength = (seed * 5 + immediate) % (count + 1);
        const secondLength = seed % 3 === 0 ? count : (seed * 11) % (count + 1);
        const operands = [words(firstLength), words(secondLength), words(immediate)];
        const [packed = 0] = toWords(helpers.call("string.compare", first, second, ...operands));
        expect(packed, `immediate ${immediate}, seed ${seed}`).toBe(
          reference(first, second, firstLength, secondLength, immediate),
        );
      }
    }
  });

  it("finds the length of a string", () => {
    for (let length = 0; length <= 16; length++) {
      const bytes = Uint8Array.from({ length: 16 }, (_, i) => (i === length ? 0 : 0x80));
      expect(toWords(helpers.call("string.length", bytes, words(0)))[0]).toBe(length);
      const wide = Uint8Array.from({ length: 16 }, (_, i) => (i >> 1 === length ? 0 : i & 1));
      expect(toWords(helpers.call("string.length", wide, words(1)))[0]).toBe(Math.min(length, 8));
    }
  });
});
