import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/**
 * The AES round, FIPS 197, on a state of 16 bytes in a vector: byte r + 4c is row r, column c.
 *
 * The S-boxes are computed here from their definition (inverse in GF(2^8), then an affine map) and applied to all sixteen bytes at
 * once: sixteen SWIZZLEs, each of which serves the bytes with one value of the high nibble and gives 0 for the others.
 */

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function multiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x80 ? 0x11b : 0);
    if ((right >> bit) & 1) product ^= left;
  }
  return product;
}

/** FIPS 197, 5.1.1. */
function substitutionBox(): number[] {
  return Array.from({ length: 256 }, (_, value) => {
    // The group has 255 elements: the inverse is the 254th power. 0 goes to 0.
    let inverse = 1;
    for (let i = 0; i < 254; i++) inverse = multiply(inverse, value);
    const rotated = (count: number): number => ((inverse << count) | (inverse >> (8 - count))) & 0xff;
    return rotated(0) ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63;
  });
}

function invert(box: readonly number[]): number[] {
  const inverse = Array.from({ length: 256 }, () => 0);
  box.forEach((image, value) => (inverse[image] = value));
  return inverse;
}

/** A function that maps each byte of a vector through a table of 256. */
function substitution(name: string, table: readonly number[]): Helper {
  return {
    name,
    params: ["v128"],
    result: "v128",
    emit(f, [state]) {
      if (!state) return;
      const index = f.variable(state);
      const sixteen = f.splat("i8x16", f.constant(32, 16));
      const step = f.let(sixteen);
      let result: Value | undefined;
      for (let row = 0; row < 16; row++) {
        const entries = f.vectorConstant(table.slice(row * 16, row * 16 + 16));
        const found = f.vector("i8x16", "swizzle", entries, index.get());
        result = f.let(result ? f.vector("v128", "or", result, found) : found);
        index.set(f.vector("i8x16", "sub", index.get(), step));
      }
      if (result) f.return(result);
    },
  };
}

/** Byte i of the result is byte permutation[i]. */
function permute(f: StateBuilder, vector: Value, permutation: (index: number) => number): Value {
  const named = f.let(vector);
  return f.shuffle(
    named,
    named,
    Array.from({ length: 16 }, (_, i) => permutation(i)),
  );
}

/** Row r moves left by r columns, or right. FIPS 197, 5.1.2 and 5.3.1. */
function shiftRows(f: StateBuilder, state: Value, direction: 1 | -1): Value {
  return permute(f, state, (i) => (i + direction * 4 * (i % 4) + 16) % 16);
}

/** Row r of each column comes from row r + count. */
function rotateColumns(f: StateBuilder, state: Value, count: number): Value {
  return permute(f, state, (i) => (i & ~3) + ((i + count) % 4));
}

/** Each byte times x. */
function double(f: StateBuilder, vector: Value): Value {
  const value = f.let(vector);
  const overflow = f.vector("i8x16", "shr_s", value, f.constant(32, 7));
  const reduction = f.vector("v128", "and", overflow, f.splat("i8x16", f.constant(32, 0x1b)));
  return f.vector("v128", "xor", f.vector("i8x16", "shl", value, f.constant(32, 1)), reduction);
}

function xor(f: StateBuilder, ...values: readonly Value[]): Value {
  return values.reduce((sum, value) => f.vector("v128", "xor", sum, value));
}

/** FIPS 197, 5.1.3: 2a + 3b + c + d for a column a b c d, which is 2(a + b) + b + c + d. */
function mixColumns(f: StateBuilder, vector: Value): Value {
  const state = f.let(vector);
  const next = f.let(rotateColumns(f, state, 1));
  return xor(f, double(f, xor(f, state, next)), next, rotateColumns(f, state, 2), rotateColumns(f, state, 3));
}

/** FIPS 197, 5.3.3. The inverse polynomial is the forward one times 4x^2 + 5: add 4(a + c) first, then mix. */
function inverseMixColumns(f: StateBuilder, vector: Value): Value {
  const state = f.let(vector);
  const opposite = f.let(rotateColumns(f, state, 2));
  return mixColumns(f, xor(f, state, double(f, double(f, xor(f, state, opposite)))));
}

const SUBSTITUTE = "aes.substitute";
const SUBSTITUTE_INVERSE = "aes.substitute-inverse";

/** A round of the cipher; SDM Vol. 1, 12.13.3. */
function round(name: string, transform: (f: StateBuilder, state: Value) => Value): Helper {
  return {
    name,
    params: ["v128", "v128"],
    result: "v128",
    emit(f, [state, key]) {
      if (state && key) f.return(xor(f, transform(f, state), key));
    },
  };
}

function substitute(f: StateBuilder, state: Value, name: string): Value {
  return f.call(name, [f.cpu, state], "v128");
}

const box = substitutionBox();

/** `aes.encrypt` and its kin take (state, round key); `aes.inverse-mix` and `aes.substitute` take one vector. */
export const aesHelpers: readonly Helper[] = [
  substitution(SUBSTITUTE, box),
  substitution(SUBSTITUTE_INVERSE, invert(box)),
  round("aes.encrypt", (f, state) => mixColumns(f, substitute(f, shiftRows(f, state, 1), SUBSTITUTE))),
  round("aes.encrypt-last", (f, state) => substitute(f, shiftRows(f, state, 1), SUBSTITUTE)),
  round("aes.decrypt", (f, state) => inverseMixColumns(f, substitute(f, shiftRows(f, state, -1), SUBSTITUTE_INVERSE))),
  round("aes.decrypt-last", (f, state) => substitute(f, shiftRows(f, state, -1), SUBSTITUTE_INVERSE)),
  {
    name: "aes.inverse-mix",
    params: ["v128"],
    result: "v128",
    emit(f, [state]) {
      if (state) f.return(inverseMixColumns(f, state));
    },
  },
];
