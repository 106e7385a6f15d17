import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import type { Value } from "../../emit/value.ts";
import {
  asVector,
  bytesFrom,
  fromVector,
  joinHalves,
  lanes,
  lanewise,
  laneMask,
  packed,
  packedImmediate,
  packedUnary,
  SHAPE,
  shuffleLanes,
} from "./packed.ts";

// Packed integer arithmetic: SDM Vol. 1, 9.4 (MMX), 11.4.1 (SSE2), 12.6 (SSSE3), 12.10 (SSE4.1).

const paddb: Definition = lanewise("SDM 2B PADDB/PADDW/PADDD/PADDQ", "i8x16", "add");
const paddw: Definition = lanewise("SDM 2B PADDB/PADDW/PADDD/PADDQ", "i16x8", "add");
const paddd: Definition = lanewise("SDM 2B PADDB/PADDW/PADDD/PADDQ", "i32x4", "add", { hot: true });
const paddq: Definition = lanewise("SDM 2B PADDB/PADDW/PADDD/PADDQ", "i64x2", "add", { hot: true });
const paddsb: Definition = lanewise("SDM 2B PADDSB/PADDSW", "i8x16", "add_saturate_s");
const paddsw: Definition = lanewise("SDM 2B PADDSB/PADDSW", "i16x8", "add_saturate_s");
const paddusb: Definition = lanewise("SDM 2B PADDUSB/PADDUSW", "i8x16", "add_saturate_u");
const paddusw: Definition = lanewise("SDM 2B PADDUSB/PADDUSW", "i16x8", "add_saturate_u");
const psubb: Definition = lanewise("SDM 2B PSUBB/PSUBW/PSUBD", "i8x16", "sub");
const psubw: Definition = lanewise("SDM 2B PSUBB/PSUBW/PSUBD", "i16x8", "sub");
const psubd: Definition = lanewise("SDM 2B PSUBB/PSUBW/PSUBD", "i32x4", "sub");
const psubq: Definition = lanewise("SDM 2B PSUBQ", "i64x2", "sub");
const psubsb: Definition = lanewise("SDM 2B PSUBSB/PSUBSW", "i8x16", "sub_saturate_s");
const psubsw: Definition = lanewise("SDM 2B PSUBSB/PSUBSW", "i16x8", "sub_saturate_s");
const psubusb: Definition = lanewise("SDM 2B PSUBUSB/PSUBUSW", "i8x16", "sub_saturate_u");
const psubusw: Definition = lanewise("SDM 2B PSUBUSB/PSUBUSW", "i16x8", "sub_saturate_u");

const pavgb: Definition = lanewise("SDM 2B PAVGB/PAVGW", "i8x16", "avgr_u");
const pavgw: Definition = lanewise("SDM 2B PAVGB/PAVGW", "i16x8", "avgr_u");
const pminub: Definition = lanewise("SDM 2B PMINUB/PMINUW", "i8x16", "min_u");
const pminuw: Definition = lanewise("SDM 2B PMINUB/PMINUW", "i16x8", "min_u");
const pminud: Definition = lanewise("SDM 2B PMINUD/PMINUQ", "i32x4", "min_u");
const pminsb: Definition = lanewise("SDM 2B PMINSB/PMINSW", "i8x16", "min_s");
const pminsw: Definition = lanewise("SDM 2B PMINSB/PMINSW", "i16x8", "min_s");
const pminsd: Definition = lanewise("SDM 2B PMINSD/PMINSQ", "i32x4", "min_s");
const pmaxub: Definition = lanewise("SDM 2B PMAXUB/PMAXUW", "i8x16", "max_u");
const pmaxuw: Definition = lanewise("SDM 2B PMAXUB/PMAXUW", "i16x8", "max_u");
const pmaxud: Definition = lanewise("SDM 2B PMAXUD/PMAXUQ", "i32x4", "max_u");
const pmaxsb: Definition = lanewise("SDM 2B PMAXSB/PMAXSW/PMAXSD/PMAXSQ", "i8x16", "max_s");
const pmaxsw: Definition = lanewise("SDM 2B PMAXSB/PMAXSW/PMAXSD/PMAXSQ", "i16x8", "max_s");
const pmaxsd: Definition = lanewise("SDM 2B PMAXSB/PMAXSW/PMAXSD/PMAXSQ", "i32x4", "max_s");

const pabsb: Definition = packedUnary("SDM 2B PABSB/PABSW/PABSD", (e, value) => e.vector("i8x16", "abs", value));
const pabsw: Definition = packedUnary("SDM 2B PABSB/PABSW/PABSD", (e, value) => e.vector("i16x8", "abs", value));
const pabsd: Definition = packedUnary("SDM 2B PABSB/PABSW/PABSD", (e, value) => e.vector("i32x4", "abs", value));

/** PSIGN: negates, keeps or clears each lane of DEST by the sign of the lane of SRC. */
function sign(width: 8 | 16 | 32): Definition {
  const shape = SHAPE[width];
  return packed("SDM 2B PSIGNB/PSIGNW/PSIGND", (e, left, right) => {
    const negative = e.let(e.vector(shape, "shr_s", right, e.constant(32, width - 1)));
    const signed = e.vector(shape, "sub", e.vector("v128", "xor", left, negative), negative);
    const zero = e.vector(shape, "eq", right, lanes(e, 64, [0]));
    return e.vector("v128", "andnot", signed, zero);
  });
}
const psignb: Definition = sign(8);
const psignw: Definition = sign(16);
const psignd: Definition = sign(32);

// ---- multiplication ----

const pmullw: Definition = lanewise("SDM 2B PMULLW", "i16x8", "mul");
const pmulld: Definition = lanewise("SDM 2B PMULLD/PMULLQ", "i32x4", "mul");
const pmaddwd: Definition = lanewise("SDM 2B PMADDWD", "i32x4", "dot_i16x8_s");

/** The upper 16 bits of each 32-bit product. */
function multiplyHigh(signed: boolean): Definition {
  const suffix = signed ? "s" : "u";
  return packed(signed ? "SDM 2B PMULHW" : "SDM 2B PMULHUW", (e, left, right, width) => {
    const low = e.vector("i32x4", `extmul_low_i16x8_${suffix}`, left, right);
    if (width === 64) return shuffleLanes(e, 16, low, lanes(e, 64, [0]), [1, 3, 5, 7]);
    const high = e.vector("i32x4", `extmul_high_i16x8_${suffix}`, left, right);
    return shuffleLanes(e, 16, low, high, [1, 3, 5, 7, 9, 11, 13, 15]);
  });
}
const pmulhw: Definition = multiplyHigh(true);
const pmulhuw: Definition = multiplyHigh(false);

/** PMULHRSW: rounded upper halves. -1 times -1 stays -1 here, where WebAssembly's instruction saturates. */
const pmulhrsw: Definition = packed("SDM 2B PMULHRSW", (e, left, right) => {
  const smallest = lanes(e, 16, [0x8000]);
  const product = e.vector("i16x8", "q15mulr_sat_s", left, right);
  const both = e.vector(
    "v128",
    "and",
    e.vector("i16x8", "eq", left, smallest),
    e.vector("i16x8", "eq", right, smallest),
  );
  return e.vector("v128", "xor", product, both);
});

/** Products of the even 32-bit lanes. */
function multiplyEven(reference: string, operation: "extmul_low_i32x4_s" | "extmul_low_i32x4_u"): Definition {
  return packed(reference, (e, left, right, width) => {
    if (width === 64) return e.vector("i64x2", operation, left, right);
    const even = (value: Value): Value => shuffleLanes(e, 32, value, value, [0, 2, 0, 2]);
    return e.vector("i64x2", operation, even(left), even(right));
  });
}
const pmuludq: Definition = multiplyEven("SDM 2B PMULUDQ", "extmul_low_i32x4_u");
const pmuldq: Definition = multiplyEven("SDM 2B PMULDQ", "extmul_low_i32x4_s");

/** PMADDUBSW: unsigned bytes of DEST times signed bytes of SRC, neighbours added with saturation. */
const pmaddubsw: Definition = packed("SDM 2B PMADDUBSW", (e, left, right) => {
  const eight = e.constant(32, 8);
  const evenLeft = e.vector("v128", "and", left, lanes(e, 16, [0xff]));
  const oddLeft = e.vector("i16x8", "shr_u", left, eight);
  const evenRight = e.vector("i16x8", "shr_s", e.vector("i16x8", "shl", right, eight), eight);
  const oddRight = e.vector("i16x8", "shr_s", right, eight);
  const even = e.vector("i16x8", "mul", evenLeft, evenRight);
  return e.vector("i16x8", "add_saturate_s", even, e.vector("i16x8", "mul", oddLeft, oddRight));
});

// ---- sums across lanes ----

/** Horizontal operations: neighbours of DEST fill the low half, neighbours of SRC the high half. */
function horizontal<S extends 16 | 32>(
  reference: string,
  width: S,
  operation: "add" | "sub" | "add_saturate_s" | "sub_saturate_s",
): Definition {
  return packed(reference, (e, left, right, packedBits) => {
    const whole = packedBits === 64 ? e.let(joinHalves(e, left, right)) : undefined;
    const count = 128 / width;
    const pick = (odd: 0 | 1): Value => {
      const indexes = Array.from({ length: count }, (_, i) => 2 * i + odd);
      if (!whole) return shuffleLanes(e, width, left, right, indexes);
      return shuffleLanes(e, width, whole, whole, indexes);
    };
    // The 32-bit operations never saturate.
    return width === 16
      ? e.vector("i16x8", operation, pick(0), pick(1))
      : e.vector("i32x4", operation as "add" | "sub", pick(0), pick(1));
  });
}
const phaddw: Definition = horizontal("SDM 2B PHADDW/PHADDD", 16, "add");
const phaddd: Definition = horizontal("SDM 2B PHADDW/PHADDD", 32, "add");
const phaddsw: Definition = horizontal("SDM 2B PHADDSW", 16, "add_saturate_s");
const phsubw: Definition = horizontal("SDM 2B PHSUBW/PHSUBD", 16, "sub");
const phsubd: Definition = horizontal("SDM 2B PHSUBW/PHSUBD", 32, "sub");
const phsubsw: Definition = horizontal("SDM 2B PHSUBSW", 16, "sub_saturate_s");

/** |left - right| of unsigned bytes. */
function byteDifference(e: Emitter, left: Value, right: Value): Value {
  return e.vector("i8x16", "sub", e.vector("i8x16", "max_u", left, right), e.vector("i8x16", "min_u", left, right));
}

/** PSADBW: the sum of the absolute differences of eight bytes, in each 64-bit lane. */
const psadbw: Definition = packed("SDM 2B PSADBW", (e, left, right) => {
  const words = e.vector("i16x8", "extadd_pairwise_i8x16_u", byteDifference(e, left, right));
  const sums = e.let(e.vector("i32x4", "extadd_pairwise_i16x8_u", words));
  const total = e.vector("i32x4", "add", sums, e.vector("i64x2", "shr_u", sums, e.constant(32, 32)));
  return e.vector("v128", "and", total, lanes(e, 64, [0xffff]));
});

/** MPSADBW: sums of absolute differences of one group of four bytes of SRC with eight overlapping groups of DEST. */
const mpsadbw: Definition = packedImmediate("SDM 2B MPSADBW", (e, left, right, immediate) => {
  const offset = e.and(immediate, e.constant(32, 4));
  const group = e.shl(e.and(immediate, e.constant(32, 3)), e.constant(32, 2));
  const window = e.let(bytesFrom(e, left, offset));
  const block = e.let(bytesFrom(e, right, group));
  let sum: Value | undefined;
  for (let k = 0; k < 4; k++) {
    const moved = e.shuffle(
      window,
      window,
      laneMask(
        8,
        [0, 1, 2, 3, 4, 5, 6, 7].map((i) => i + k),
      ),
    );
    const one = e.shuffle(
      block,
      block,
      Array.from({ length: 16 }, () => k),
    );
    const difference = e.vector("i16x8", "extend_low_i8x16_u", byteDifference(e, e.let(moved), e.let(one)));
    sum = sum ? e.vector("i16x8", "add", sum, difference) : difference;
  }
  return sum ?? left;
});

/** PHMINPOSUW: the smallest of eight words, and the number of the first lane that holds it. */
const phminposuw: Definition = packedUnary("SDM 2B PHMINPOSUW", (e, value) => {
  // Each word above its own number: the least of these is the least word, with the least number among equals.
  const numbered = (half: "low" | "high", first: number): Value => {
    const wide = e.vector("i32x4", `extend_${half}_i16x8_u`, value);
    const shifted = e.vector("i32x4", "shl", wide, e.constant(32, 16));
    return e.vector("v128", "or", shifted, lanes(e, 32, [first, first + 1, first + 2, first + 3]));
  };
  const four = e.let(e.vector("i32x4", "min_u", numbered("low", 0), numbered("high", 4)));
  const two = e.let(e.vector("i32x4", "min_u", four, shuffleLanes(e, 32, four, four, [2, 3, 0, 1])));
  const one = e.vector("i32x4", "min_u", two, shuffleLanes(e, 32, two, two, [1, 0, 3, 2]));
  const least = e.rotl(e.extractLane("i32x4", one, 0), e.constant(32, 16));
  return e.replaceLane("i32x4", lanes(e, 64, [0]), 0, least);
});

// ---- comparisons ----

const pcmpeqb: Definition = lanewise("SDM 2B PCMPEQB/PCMPEQW/PCMPEQD", "i8x16", "eq", { hot: true });
const pcmpeqw: Definition = lanewise("SDM 2B PCMPEQB/PCMPEQW/PCMPEQD", "i16x8", "eq");
const pcmpeqd: Definition = lanewise("SDM 2B PCMPEQB/PCMPEQW/PCMPEQD", "i32x4", "eq");
const pcmpeqq: Definition = lanewise("SDM 2B PCMPEQQ", "i64x2", "eq");
const pcmpgtb: Definition = lanewise("SDM 2B PCMPGTB/PCMPGTW/PCMPGTD", "i8x16", "gt_s");
const pcmpgtw: Definition = lanewise("SDM 2B PCMPGTB/PCMPGTW/PCMPGTD", "i16x8", "gt_s");
const pcmpgtd: Definition = lanewise("SDM 2B PCMPGTB/PCMPGTW/PCMPGTD", "i32x4", "gt_s");
const pcmpgtq: Definition = lanewise("SDM 2B PCMPGTQ", "i64x2", "gt_s");

// ---- shifts ----

/** Shift of every lane by one count: an immediate byte, or the low 64 bits of a register or of memory. */
function shift(reference: string, width: 16 | 32 | 64, operation: "shl" | "shr_u" | "shr_s"): Definition {
  const shape = SHAPE[width];
  return define({
    reference,
    unit: "sse",
    operands: { dst: "rw", count: "r" },
    emit(e, { dst, count }) {
      const amount = e.let(smallCount(e, count.read()));
      const value = asVector(e, dst.read());
      const last = e.constant(32, width - 1);
      const tooLarge = e.gtU(amount, last);
      // WebAssembly takes counts modulo the lane width; x86 shifts everything out.
      const result =
        operation === "shr_s"
          ? e.vector(shape, operation, value, e.select(tooLarge, last, amount))
          : e.select(tooLarge, lanes(e, 64, [0]), e.vector(shape, operation, value, amount));
      dst.write(fromVector(e, result, dst.width));
    },
  });
}

/** A count as an i32; what does not fit becomes some count above 63. */
function smallCount(e: Emitter, count: Value): Value {
  if (count.type === "i32") return e.extend(count, 32);
  const wide = count.type === "v128" ? e.let(e.extractLane("i64x2", count, 0)) : count;
  return e.select(e.gtU(wide, e.constant(64, 0xff)), e.constant(32, 0xff), e.truncate(wide, 32));
}
const psllw: Definition = shift("SDM 2B PSLLW/PSLLD/PSLLQ", 16, "shl");
const pslld: Definition = shift("SDM 2B PSLLW/PSLLD/PSLLQ", 32, "shl");
const psllq: Definition = shift("SDM 2B PSLLW/PSLLD/PSLLQ", 64, "shl");
const psrlw: Definition = shift("SDM 2B PSRLW/PSRLD/PSRLQ", 16, "shr_u");
const psrld: Definition = shift("SDM 2B PSRLW/PSRLD/PSRLQ", 32, "shr_u");
const psrlq: Definition = shift("SDM 2B PSRLW/PSRLD/PSRLQ", 64, "shr_u");
const psraw: Definition = shift("SDM 2B PSRAW/PSRAD/PSRAQ", 16, "shr_s");
const psrad: Definition = shift("SDM 2B PSRAW/PSRAD/PSRAQ", 32, "shr_s");

// prettier-ignore
export const packedArithmeticDefinitions = {
  paddb, paddw, paddd, paddq, paddsb, paddsw, paddusb, paddusw, psubb, psubw, psubd, psubq, psubsb, psubsw, psubusb, psubusw,
  pavgb, pavgw, pminub, pminuw, pminud, pminsb, pminsw, pminsd, pmaxub, pmaxuw, pmaxud, pmaxsb, pmaxsw, pmaxsd,
  pabsb, pabsw, pabsd, psignb, psignw, psignd, pmullw, pmulld, pmaddwd, pmulhw, pmulhuw, pmulhrsw, pmuludq, pmuldq, pmaddubsw,
  phaddw, phaddd, phaddsw, phsubw, phsubd, phsubsw, psadbw, mpsadbw, phminposuw,
  pcmpeqb, pcmpeqw, pcmpeqd, pcmpeqq, pcmpgtb, pcmpgtw, pcmpgtd, pcmpgtq,
  psllw, pslld, psllq, psrlw, psrld, psrlq, psraw, psrad,
};
