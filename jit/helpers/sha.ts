import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

// The SHA extensions, SDM Vol. 2, "SHA1RNDS4" and following; the functions are those of FIPS 180-4.

/** The four 32-bit lanes, lowest first. */
function split(f: StateBuilder, vector: Value): [Value, Value, Value, Value] {
  const lane = (index: number): Value => f.let(f.extractLane("i32x4", vector, index));
  return [lane(0), lane(1), lane(2), lane(3)];
}

function join(f: StateBuilder, first: Value, ...rest: readonly Value[]): Value {
  return rest.reduce((vector, lane, i) => f.replaceLane("i32x4", vector, i + 1, lane), f.splat("i32x4", first));
}

function sum(f: StateBuilder, ...values: readonly Value[]): Value {
  return values.reduce((total, value) => f.add(total, value));
}

function rotate(f: StateBuilder, value: Value, right: number): Value {
  return f.rotr(value, f.constant(32, right));
}

function choice(f: StateBuilder, b: Value, c: Value, d: Value): Value {
  return f.xor(d, f.and(b, f.xor(c, d)));
}
function parity(f: StateBuilder, b: Value, c: Value, d: Value): Value {
  return f.xor(b, f.xor(c, d));
}
function majority(f: StateBuilder, b: Value, c: Value, d: Value): Value {
  return f.or(f.and(b, c), f.and(d, f.or(b, c)));
}

/** FIPS 180-4, 4.1.1 and 4.2.1: function and constant for each twenty rounds of SHA-1. */
const SHA1_PHASES = [
  { mix: choice, constant: 0x5a82_7999 },
  { mix: parity, constant: 0x6ed9_eba1 },
  { mix: majority, constant: 0x8f1b_bcdc },
  { mix: parity, constant: 0xca62_c1d6 },
] as const;

/** Four rounds of SHA-1 for one phase: (A B C D from the top lane down, four words with E added to the first). */
function sha1Rounds(phase: number, { mix, constant }: (typeof SHA1_PHASES)[number]): Helper {
  return {
    name: `sha1.rounds${phase}`,
    params: ["v128", "v128"],
    result: "v128",
    emit(f, [state, words]) {
      if (!state || !words) return;
      let [d, c, b, a] = split(f, state);
      let e = f.constant(32, 0);
      for (const word of split(f, words).reverse()) {
        const next = f.let(sum(f, mix(f, b, c, d), f.rotl(a, f.constant(32, 5)), word, e, f.constant(32, constant)));
        [a, b, c, d, e] = [next, a, f.let(rotate(f, b, 2)), c, d];
      }
      f.return(join(f, d, c, b, a));
    },
  };
}

const sha1Message2: Helper = {
  name: "sha1.message2",
  params: ["v128", "v128"],
  result: "v128",
  emit(f, [first, second]) {
    if (!first || !second) return;
    const [w3, w2, w1, w0] = split(f, first);
    const [w15, w14, w13] = split(f, second);
    const next = (left: Value, right: Value): Value => f.let(f.rotl(f.xor(left, right), f.constant(32, 1)));
    const w16 = next(w0, w13);
    const w17 = next(w1, w14);
    const w18 = next(w2, w15);
    f.return(join(f, next(w3, w16), w18, w17, w16));
  },
};

/** Upper-case sigma of FIPS 180-4, 4.1.2: three rotations. */
function bigSigma(f: StateBuilder, value: Value, [i, j, k]: readonly [number, number, number]): Value {
  return f.xor(rotate(f, value, i), f.xor(rotate(f, value, j), rotate(f, value, k)));
}
/** Lower-case sigma: two rotations and a shift. */
function smallSigma(f: StateBuilder, value: Value, [i, j, k]: readonly [number, number, number]): Value {
  return f.xor(rotate(f, value, i), f.xor(rotate(f, value, j), f.shrU(value, f.constant(32, k))));
}

/** Two rounds of SHA-256: (C D G H, A B E F, words plus constants), each from the top lane down. */
const sha256Rounds: Helper = {
  name: "sha256.rounds",
  params: ["v128", "v128", "v128"],
  result: "v128",
  emit(f, [cdgh, abef, words]) {
    if (!cdgh || !abef || !words) return;
    let [h, g, d, c] = split(f, cdgh);
    let [F, e, b, a] = split(f, abef);
    for (const word of split(f, words).slice(0, 2)) {
      const first = f.let(sum(f, choice(f, e, F, g), bigSigma(f, e, [6, 11, 25]), word, h));
      const second = sum(f, majority(f, a, b, c), bigSigma(f, a, [2, 13, 22]));
      const nextE = f.let(f.add(first, d));
      [a, b, c, d, e, F, g, h] = [f.let(f.add(first, second)), a, b, c, nextE, e, F, g];
    }
    f.return(join(f, F, e, b, a));
  },
};

const sha256Message1: Helper = {
  name: "sha256.message1",
  params: ["v128", "v128"],
  result: "v128",
  emit(f, [first, second]) {
    if (!first || !second) return;
    const [w0, w1, w2, w3] = split(f, first);
    const w4 = f.let(f.extractLane("i32x4", second, 0));
    const next = (word: Value, after: Value): Value => f.add(word, smallSigma(f, after, [7, 18, 3]));
    f.return(join(f, next(w0, w1), next(w1, w2), next(w2, w3), next(w3, w4)));
  },
};

const sha256Message2: Helper = {
  name: "sha256.message2",
  params: ["v128", "v128"],
  result: "v128",
  emit(f, [first, second]) {
    if (!first || !second) return;
    const [w0, w1, w2, w3] = split(f, first);
    const [, , w14, w15] = split(f, second);
    const next = (word: Value, earlier: Value): Value => f.let(f.add(word, smallSigma(f, earlier, [17, 19, 10])));
    const w16 = next(w0, w14);
    const w17 = next(w1, w15);
    f.return(join(f, w16, w17, next(w2, w16), next(w3, w17)));
  },
};

/** `sha1.rounds0`..`3` and the others take the operands of the instruction, and give the new destination. */
export const shaHelpers: readonly Helper[] = [
  ...SHA1_PHASES.map((phase, i) => sha1Rounds(i, phase)),
  sha1Message2,
  sha256Rounds,
  sha256Message1,
  sha256Message2,
];
