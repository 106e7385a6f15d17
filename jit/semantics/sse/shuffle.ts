import type { Value, Width } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter, OperandHandle } from "../emitter.ts";
import {
  asVector,
  broadcastLane,
  bytesFrom,
  fromVector,
  identity,
  joinHalves,
  laneAt,
  lanes,
  lanesFromBits,
  packed,
  packedImmediate,
  packedUnary,
  packedWidth,
  readVector,
  SHAPE,
  shuffleLanes,
  withLaneAt,
  type LaneWidth,
  type PackedOptions,
} from "./packed.ts";

// Packing, unpacking, shuffling, blending, inserting and extracting: SDM Vol. 1, 9.4.3, 10.4.4, 11.4.1, 12.10.

// ---- pack and unpack ----

/** Narrows the lanes of DEST, then those of SRC, with saturation. */
function pack(
  reference: string,
  shape: "i8x16" | "i16x8",
  operation: "narrow_i16x8_s" | "narrow_i16x8_u" | "narrow_i32x4_s" | "narrow_i32x4_u",
): Definition {
  return packed(reference, (e, left, right, width) => {
    const narrow = (low: Value, high: Value): Value =>
      shape === "i8x16"
        ? e.vector("i8x16", operation as "narrow_i16x8_s", low, high)
        : e.vector("i16x8", operation as "narrow_i32x4_s", low, high);
    if (width === 128) return narrow(left, right);
    const whole = e.let(joinHalves(e, left, right));
    return narrow(whole, whole);
  });
}
const packsswb: Definition = pack("SDM 2B PACKSSWB/PACKSSDW", "i8x16", "narrow_i16x8_s");
const packuswb: Definition = pack("SDM 2B PACKUSWB", "i8x16", "narrow_i16x8_u");
const packssdw: Definition = pack("SDM 2B PACKSSWB/PACKSSDW", "i16x8", "narrow_i32x4_s");
const packusdw: Definition = pack("SDM 2B PACKUSDW", "i16x8", "narrow_i32x4_u");

/** Interleaves the lanes of the low or the high halves of DEST and SRC. */
function unpack(
  reference: string,
  laneWidth: LaneWidth,
  half: "low" | "high",
  options: PackedOptions = {},
): Definition {
  return packed(
    reference,
    (e, left, right, width) => {
      const pairs = width / laneWidth / 2;
      const first = half === "low" ? 0 : pairs;
      const second = 128 / laneWidth;
      const indexes = Array.from({ length: pairs }, (_, i) => [first + i, second + first + i]).flat();
      return shuffleLanes(e, laneWidth, left, right, indexes);
    },
    options,
  );
}
const UNPACK_LOW = "SDM 2B PUNPCKLBW/PUNPCKLWD/PUNPCKLDQ/PUNPCKLQDQ";
const UNPACK_HIGH = "SDM 2B PUNPCKHBW/PUNPCKHWD/PUNPCKHDQ/PUNPCKHQDQ";
const punpcklbw: Definition = unpack(UNPACK_LOW, 8, "low");
const punpcklwd: Definition = unpack(UNPACK_LOW, 16, "low");
const punpckldq: Definition = unpack(UNPACK_LOW, 32, "low");
const punpcklqdq: Definition = unpack(UNPACK_LOW, 64, "low", { hot: true });
const punpckhbw: Definition = unpack(UNPACK_HIGH, 8, "high");
const punpckhwd: Definition = unpack(UNPACK_HIGH, 16, "high");
const punpckhdq: Definition = unpack(UNPACK_HIGH, 32, "high");
const punpckhqdq: Definition = unpack(UNPACK_HIGH, 64, "high");
const unpcklps: Definition = unpack("SDM 2B UNPCKLPS", 32, "low");
const unpcklpd: Definition = unpack("SDM 2B UNPCKLPD", 64, "low", { hot: true });
const unpckhps: Definition = unpack("SDM 2B UNPCKHPS", 32, "high");
const unpckhpd: Definition = unpack("SDM 2B UNPCKHPD", 64, "high");

// ---- sign and zero extension ----

/** PMOVSX, PMOVZX: widens the lowest lanes of SRC. */
function widen(from: 8 | 16 | 32, to: 16 | 32 | 64, signed: boolean): Definition {
  const suffix = signed ? "s" : "u";
  return define({
    reference: signed ? "SDM 2B PMOVSX" : "SDM 2B PMOVZX",
    unit: "sse",
    operands: { dst: "w", src: "r" },
    emit(e, { dst, src }) {
      let value = src.kind === "register" ? src.readRegister128() : asVector(e, src.read());
      if (from === 8) value = e.vector("i16x8", `extend_low_i8x16_${suffix}`, value);
      if (from <= 16 && to >= 32) value = e.vector("i32x4", `extend_low_i16x8_${suffix}`, value);
      if (to === 64) value = e.vector("i64x2", `extend_low_i32x4_${suffix}`, value);
      dst.write(value);
    },
  });
}
const pmovsxbw: Definition = widen(8, 16, true);
const pmovsxbd: Definition = widen(8, 32, true);
const pmovsxbq: Definition = widen(8, 64, true);
const pmovsxwd: Definition = widen(16, 32, true);
const pmovsxwq: Definition = widen(16, 64, true);
const pmovsxdq: Definition = widen(32, 64, true);
const pmovzxbw: Definition = widen(8, 16, false);
const pmovzxbd: Definition = widen(8, 32, false);
const pmovzxbq: Definition = widen(8, 64, false);
const pmovzxwd: Definition = widen(16, 32, false);
const pmovzxwq: Definition = widen(16, 64, false);
const pmovzxdq: Definition = widen(32, 64, false);

// ---- shuffles by a control that is known at run time only ----

/** PSHUFB: each byte of DEST picked by the low bits of a byte of SRC, or cleared if its top bit is set. */
const pshufb: Definition = packed("SDM 2B PSHUFB", (e, left, right, width) => {
  const used = lanes(e, 8, [width === 128 ? 0x8f : 0x87]);
  return e.vector("i8x16", "swizzle", left, e.vector("v128", "and", right, used));
});

/** Byte indexes that pick, for 32-bit lane i, the lane named by bits 2i+1..2i of `control` (an i32). */
function dwordIndexes(e: Emitter, control: Value): Value {
  // The product moves bits 2i+1..2i of each lane to the same place, bits 7..6.
  const aligned = e.vector("i32x4", "mul", e.splat("i32x4", control), lanes(e, 32, [64, 16, 4, 1]));
  const first = e.vector("v128", "and", e.vector("i32x4", "shr_u", aligned, e.constant(32, 4)), lanes(e, 32, [0xc]));
  const bytes = e.vector("i32x4", "mul", first, lanes(e, 32, [0x0101_0101]));
  return e.vector("i32x4", "add", bytes, lanes(e, 32, [0x0302_0100]));
}

/** Byte indexes that pick words 0..3 of one half by `control`, and leave the other half in place. */
function wordIndexes(e: Emitter, control: Value, half: "low" | "high"): Value {
  const own = <T>(chosen: readonly T[], other: readonly T[]): T[] =>
    half === "low" ? [...chosen, ...other] : [...other, ...chosen];
  const still = [0, 0, 0, 0];
  const aligned = e.vector("i16x8", "mul", e.splat("i16x8", control), lanes(e, 16, own([64, 16, 4, 1], still)));
  const number = e.vector(
    "v128",
    "and",
    e.vector("i16x8", "shr_u", aligned, e.constant(32, 6)),
    lanes(e, 16, own([3, 3, 3, 3], still)),
  );
  const bytes = e.vector("i16x8", "mul", number, lanes(e, 16, [0x0202]));
  const base = half === "low" ? 0x0100 : 0x0908;
  const inPlace = [0, 1, 2, 3].map((i) => (half === "low" ? 0x0908 : 0x0100) + i * 0x0202);
  return e.vector("i16x8", "add", bytes, lanes(e, 16, own([base, base, base, base], inPlace)));
}

/** DEST = the lanes of SRC picked by an immediate. */
function shuffleByImmediate(
  reference: string,
  indexes: (e: Emitter, control: Value) => Value,
  hot = false,
): Definition {
  return define({
    reference,
    unit: "sse",
    hot,
    operands: { dst: "w", src: "r", control: "r" },
    emit(e, { dst, src, control }) {
      const value = readVector(e, src);
      const picked = indexes(e, e.extend(control.read(), 32));
      dst.write(fromVector(e, e.vector("i8x16", "swizzle", value, picked), dst.width));
    },
  });
}
const pshufd: Definition = shuffleByImmediate("SDM 2B PSHUFD", dwordIndexes, true);
const pshuflw: Definition = shuffleByImmediate("SDM 2B PSHUFLW", (e, control) => wordIndexes(e, control, "low"));
const pshufhw: Definition = shuffleByImmediate("SDM 2B PSHUFHW", (e, control) => wordIndexes(e, control, "high"));
const pshufw: Definition = shuffleByImmediate("SDM 2B PSHUFW", (e, control) => wordIndexes(e, control, "low"));

/** SHUFPS: two lanes of DEST below two lanes of SRC. */
const shufps: Definition = packedImmediate("SDM 2B SHUFPS", (e, left, right, control) => {
  const indexes = e.let(dwordIndexes(e, control));
  const low = e.vector("i8x16", "swizzle", left, indexes);
  const high = e.vector("i8x16", "swizzle", right, indexes);
  return shuffleLanes(e, 64, low, high, [0, 3]);
});

/** SHUFPD: one lane of DEST below one lane of SRC. */
const shufpd: Definition = packedImmediate("SDM 2B SHUFPD", (e, left, right, control) => {
  const first = lanes(e, 8, [0, 1, 2, 3, 4, 5, 6, 7]);
  const lane = (vector: Value, bit: number): Value => {
    const offset = e.and(e.shl(e.shrU(control, e.constant(32, bit)), e.constant(32, 3)), e.constant(32, 8));
    return e.vector("i8x16", "swizzle", vector, e.vector("i8x16", "add", first, e.splat("i8x16", offset)));
  };
  return shuffleLanes(e, 64, lane(left, 0), lane(right, 1), [0, 2]);
});

/** PALIGNR: the bytes of DEST:SRC from byte number `immediate` on. */
const palignr: Definition = packedImmediate("SDM 2B PALIGNR", (e, left, right, immediate, width) => {
  if (width === 64) return bytesFrom(e, joinHalves(e, right, left), immediate);
  const indexes = e.let(e.vector("i8x16", "add_saturate_u", identity(e), e.splat("i8x16", immediate)));
  // Below 16 the bytes come from SRC; 16..31 are DEST, and what is below wraps to indexes for which SWIZZLE gives 0.
  const low = e.vector("i8x16", "swizzle", right, indexes);
  const high = e.vector("i8x16", "swizzle", left, e.vector("i8x16", "sub", indexes, lanes(e, 8, [16])));
  return e.vector("v128", "or", low, high);
});

/** PSRLDQ, PSLLDQ: shift of the whole register by bytes. */
function shiftBytes(reference: string, direction: "left" | "right"): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "rw", count: "r" },
    emit(e, { dst, count }) {
      const bytes = e.let(e.extend(count.read(), 32));
      const value = dst.read();
      if (direction === "right") {
        dst.write(bytesFrom(e, value, bytes));
        return;
      }
      const limited = e.select(e.gtU(bytes, e.constant(32, 16)), e.constant(32, 16), bytes);
      dst.write(e.vector("i8x16", "swizzle", value, e.vector("i8x16", "sub", identity(e), e.splat("i8x16", limited))));
    },
  });
}
const psrldq: Definition = shiftBytes("SDM 2B PSRLDQ", "right");
const pslldq: Definition = shiftBytes("SDM 2B PSLLDQ", "left");

// ---- blends ----

/** Lane i of SRC where bit i of the immediate is set, else of DEST. */
function blend(reference: string, width: 16 | 32 | 64): Definition {
  return packedImmediate(reference, (e, left, right, immediate) =>
    e.vector("v128", "bitselect", right, left, lanesFromBits(e, width, immediate)),
  );
}
const blendps: Definition = blend("SDM 2A BLENDPS", 32);
const blendpd: Definition = blend("SDM 2A BLENDPD", 64);
const pblendw: Definition = blend("SDM 2B PBLENDW", 16);

/** A lane of SRC where the top bit of the lane of XMM0 is set, else of DEST. */
function blendByMask(reference: string, width: 8 | 32 | 64): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "rw", src: "r", mask: "r" },
    emit(e, { dst, src, mask }) {
      const right = src.read();
      const chosen = e.vector(SHAPE[width], "shr_s", mask.read(), e.constant(32, width - 1));
      dst.write(e.vector("v128", "bitselect", right, dst.read(), chosen));
    },
  });
}
const blendvps: Definition = blendByMask("SDM 2A BLENDVPS", 32);
const blendvpd: Definition = blendByMask("SDM 2A BLENDVPD", 64);
const pblendvb: Definition = blendByMask("SDM 2B PBLENDVB", 8);

// ---- insert and extract ----

/** The number of a lane: as many low bits of an immediate as an operand of `bits` has lanes for. */
function laneNumber(e: Emitter, width: LaneWidth, bits: 64 | 128, immediate: OperandHandle): Value {
  return e.let(e.and(e.extend(immediate.read(), 32), e.constant(32, bits / width - 1)));
}

function laneWidth(lane: 8 | 16 | "operandSized", operand: OperandHandle): LaneWidth {
  if (lane !== "operandSized") return lane;
  return operand.width === 64 ? 64 : 32;
}

/** PINSRB, PINSRW, PINSRD, PINSRQ: `operandSized` lanes are as wide as the source, 32 bits or with REX.W 64. */
function insert(reference: string, lane: 8 | 16 | "operandSized"): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "rw", src: "r", index: "r" },
    emit(e, { dst, src, index }) {
      const whole = packedWidth(dst);
      const width = laneWidth(lane, src);
      // The register form names a general register wider than the lane.
      const value = e.let(e.resize(src.read(), width));
      const number = laneNumber(e, width, whole, index);
      dst.write(fromVector(e, withLaneAt(e, width, readVector(e, dst), number, value), whole));
    },
  });
}
const pinsrb: Definition = insert("SDM 2B PINSRB/PINSRD/PINSRQ", 8);
const pinsrw: Definition = insert("SDM 2B PINSRW", 16);
const pinsrd: Definition = insert("SDM 2B PINSRB/PINSRD/PINSRQ", "operandSized");

/** PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS. */
function extract(reference: string, lane: 8 | 16 | "operandSized"): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "w", src: "r", index: "r" },
    emit(e, { dst, src, index }) {
      const width = laneWidth(lane, dst);
      const number = laneNumber(e, width, packedWidth(src), index);
      const value = laneAt(e, width, readVector(e, src), number);
      // A general register receives the lane zero-extended.
      dst.write(e.extend(value, dst.width as Width));
    },
  });
}
const pextrb: Definition = extract("SDM 2B PEXTRB/PEXTRD/PEXTRQ", 8);
const pextrw: Definition = extract("SDM 2B PEXTRW", 16);
const pextrd: Definition = extract("SDM 2B PEXTRB/PEXTRD/PEXTRQ", "operandSized");
const extractps: Definition = extract("SDM 2A EXTRACTPS", "operandSized");

/** INSERTPS: one lane of SRC into one lane of DEST, then zeros where the low four bits of the immediate say so. */
const insertps: Definition = define({
  reference: "SDM 2A INSERTPS",
  unit: "sse",
  operands: { dst: "rw", src: "r", control: "r" },
  emit(e, { dst, src, control }) {
    const immediate = e.let(e.extend(control.read(), 32));
    const three = e.constant(32, 3);
    // A memory source is the lane itself, and bits 7..6 are ignored.
    const lane =
      src.kind === "memory"
        ? e.splat("i32x4", src.read())
        : broadcastLane(e, 32, src.readRegister128(), e.shrU(immediate, e.constant(32, 6)));
    const target = e.splat("i32x4", e.and(e.shrU(immediate, e.constant(32, 4)), three));
    const chosen = e.vector("i32x4", "eq", target, lanes(e, 32, [0, 1, 2, 3]));
    const inserted = e.vector("v128", "bitselect", lane, dst.read(), chosen);
    dst.write(e.vector("v128", "andnot", inserted, lanesFromBits(e, 32, immediate)));
  },
});

/** MOVDDUP: the low double in both lanes. */
const movddup: Definition = define({
  reference: "SDM 2B MOVDDUP",
  unit: "sse",
  operands: { dst: "w", src: "r" },
  emit(e, { dst, src }) {
    if (src.kind === "memory") dst.writeRegister128(e.splat("i64x2", src.read()));
    else {
      const value = src.readRegister128();
      dst.writeRegister128(shuffleLanes(e, 64, value, value, [0, 0]));
    }
  },
});
const movshdup: Definition = packedUnary("SDM 2B MOVSHDUP", (e, value) =>
  shuffleLanes(e, 32, value, value, [1, 1, 3, 3]),
);
const movsldup: Definition = packedUnary("SDM 2B MOVSLDUP", (e, value) =>
  shuffleLanes(e, 32, value, value, [0, 0, 2, 2]),
);

// prettier-ignore
export const packedShuffleDefinitions = {
  packsswb, packuswb, packssdw, packusdw,
  punpcklbw, punpcklwd, punpckldq, punpcklqdq, punpckhbw, punpckhwd, punpckhdq, punpckhqdq, unpcklps, unpcklpd, unpckhps, unpckhpd,
  pmovsxbw, pmovsxbd, pmovsxbq, pmovsxwd, pmovsxwq, pmovsxdq, pmovzxbw, pmovzxbd, pmovzxbq, pmovzxwd, pmovzxwq, pmovzxdq,
  pshufb, pshufd, pshuflw, pshufhw, pshufw, shufps, shufpd, palignr, psrldq, pslldq,
  blendps, blendpd, pblendw, blendvps, blendvpd, pblendvb,
  pinsrb, pinsrw, pinsrd, pextrb, pextrw, pextrd, extractps, insertps, movddup, movshdup, movsldup,
};
