import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import { lanes, packed, packedUnary, shuffleLanes, type PackedOptions } from "./packed.ts";

// AES-NI and PCLMULQDQ (SDM Vol. 1, 12.13), SHA extensions (SDM Vol. 1, 5.23). The rounds are jit/helpers/{aes,carryless,sha}.ts.

/** DEST = helper(DEST, SRC). */
function byHelper(reference: string, name: string, options: PackedOptions = {}): Definition {
  return packed(reference, (e, left, right) => e.helper(name, [left, right], 128), options);
}

const aesenc: Definition = byHelper("SDM 2A AESENC", "aes.encrypt");
const aesenclast: Definition = byHelper("SDM 2A AESENCLAST", "aes.encrypt-last");
const aesdec: Definition = byHelper("SDM 2A AESDEC", "aes.decrypt");
const aesdeclast: Definition = byHelper("SDM 2A AESDECLAST", "aes.decrypt-last");
const aesimc: Definition = packedUnary("SDM 2A AESIMC", (e, value) => e.helper("aes.inverse-mix", [value], 128));

/** AESKEYGENASSIST: words 1 and 3 of SRC substituted, and the same rotated and with the round constant added. */
const aeskeygenassist: Definition = define({
  reference: "SDM 2A AESKEYGENASSIST",
  unit: "sse",
  operands: { dst: "w", src: "r", constant: "r" },
  emit(e, { dst, src, constant }) {
    const substituted = e.helper("aes.substitute", [src.read()], 128);
    // RotWord moves byte 1 to the lowest place: a rotation to the right.
    const spread = e.shuffle(substituted, substituted, [4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12]);
    const roundConstant = e.splat("i32x4", e.extend(constant.read(), 32));
    const odd = lanes(e, 32, [0, -1, 0, -1]);
    dst.write(e.vector("v128", "xor", spread, e.vector("v128", "and", roundConstant, odd)));
  },
});

/** PCLMULQDQ: carry-less product of one half of DEST (imm8[0]) and one half of SRC (imm8[4]). */
const pclmulqdq: Definition = define({
  reference: "SDM 2B PCLMULQDQ",
  unit: "sse",
  operands: { dst: "rw", src: "r", control: "r" },
  emit(e, { dst, src, control }) {
    const immediate = e.let(e.extend(control.read(), 32));
    const half = (vector: Value, bit: number): Value =>
      e.select(
        e.and(immediate, e.constant(32, 1 << bit)),
        e.extractLane("i64x2", vector, 1),
        e.extractLane("i64x2", vector, 0),
      );
    const right = src.read();
    dst.write(e.helper("carryless.multiply64", [half(dst.read(), 0), half(right, 4)], 128));
  },
});

// The SHA instructions do not check the alignment of their memory operand; seen on AMD processors.

/** SHA1RNDS4: four rounds, with function and constant by imm8[1:0]. */
const sha1rnds4: Definition = define({
  reference: "SDM 2B SHA1RNDS4",
  unit: "sse",
  unaligned: true,
  operands: { dst: "rw", src: "r", control: "r" },
  emit(e, { dst, src, control }) {
    const words = src.read();
    const state = dst.read();
    const phase = e.let(e.and(e.extend(control.read(), 32), e.constant(32, 3)));
    const rounds = (number: number) => (): Value => e.helper(`sha1.rounds${number}`, [state, words], 128);
    const lower = (): Value => e.choose(e.and(phase, e.constant(32, 1)), rounds(1), rounds(0));
    const upper = (): Value => e.choose(e.and(phase, e.constant(32, 1)), rounds(3), rounds(2));
    dst.write(e.choose(e.and(phase, e.constant(32, 2)), upper, lower));
  },
});

/** SHA1NEXTE: E for the next rounds, from A of the rounds before, added to the first word. */
const sha1nexte: Definition = packed(
  "SDM 2B SHA1NEXTE",
  (e, left, right) => {
    const a = e.extractLane("i32x4", left, 3);
    const sum = e.add(e.extractLane("i32x4", right, 3), e.rotl(a, e.constant(32, 30)));
    return e.replaceLane("i32x4", right, 3, sum);
  },
  { unaligned: true },
);
const sha1msg1: Definition = packed(
  "SDM 2B SHA1MSG1",
  (e, left, right) => e.vector("v128", "xor", left, shuffleLanes(e, 32, left, right, [6, 7, 0, 1])),
  { unaligned: true },
);
const sha1msg2: Definition = byHelper("SDM 2B SHA1MSG2", "sha1.message2", { unaligned: true });
const sha256msg1: Definition = byHelper("SDM 2B SHA256MSG1", "sha256.message1", { unaligned: true });
const sha256msg2: Definition = byHelper("SDM 2B SHA256MSG2", "sha256.message2", { unaligned: true });

/** SHA256RNDS2: two rounds; the words come from XMM0. */
const sha256rnds2: Definition = define({
  reference: "SDM 2B SHA256RNDS2",
  unit: "sse",
  unaligned: true,
  operands: { dst: "rw", src: "r", words: "r" },
  emit(e, { dst, src, words }) {
    const right = src.read();
    dst.write(e.helper("sha256.rounds", [dst.read(), right, words.read()], 128));
  },
});

// prettier-ignore
export const packedCryptoDefinitions = {
  aesenc, aesenclast, aesdec, aesdeclast, aesimc, aeskeygenassist, pclmulqdq,
  sha1rnds4, sha1nexte, sha1msg1, sha1msg2, sha256rnds2, sha256msg1, sha256msg2,
};
