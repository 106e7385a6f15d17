import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { lowBit, sameType, widthOf } from "./integer.ts";

const TEST_FLAGS = { writes: "CF", undefined: "OF SF AF PF" } as const;

/** A bit of a bit string: the operand-sized word that holds it, and its position there, in the type that shifts take. */
interface BitPlace {
  readonly word: OperandHandle;
  readonly position: Value;
}

/**
 * Finds the bit that BT and its family name. A register index into memory is a signed bit offset that may lie anywhere; any other
 * index is taken modulo the operand size. SDM Vol. 2A, 3.1.1.9, "Bit(BitBase, BitOffset)".
 */
function bitPlace(e: Emitter, dst: OperandHandle, index: OperandHandle, access: "r" | "rw"): BitPlace {
  const width = widthOf(dst) as 16 | 32 | 64;
  const shiftWidth = width === 64 ? 64 : 32;
  const number = index.read();
  const position = e.let(e.and(e.resize(number, shiftWidth), e.constant(shiftWidth, width - 1)));
  if (dst.kind !== "memory" || index.kind === "immediate") return { word: dst, position };
  const words = e.shrS(e.signExtend(number, 64), e.constant(64, Math.log2(width)));
  return { word: dst.part(e.mul(words, e.constant(64, width / 8)), width, access), position };
}

/** BT: bit test. */
export const bt = define({
  reference: "SDM 2A BT",
  operands: { base: "r", index: "r" },
  flags: TEST_FLAGS,
  emit(e, { base, index }) {
    const { word, position } = bitPlace(e, base, index, "r");
    e.flags.replace({ CF: e.let(lowBit(e, e.shrU(word.read(), position))) });
  },
});

/** BTS, BTR, BTC: bit test, then the bit is set, cleared or inverted. */
function bitTestAnd(reference: string, change: (e: Emitter, word: Value, bit: Value) => Value) {
  return define({
    reference,
    operands: { base: "rw", index: "r" },
    flags: TEST_FLAGS,
    emit(e, { base, index }) {
      const { word, position } = bitPlace(e, base, index, "rw");
      const value = word.read();
      const bit = e.shl(e.constant(value.width, 1), position);
      word.write(change(e, value, bit));
      e.flags.replace({ CF: e.let(lowBit(e, e.shrU(value, position))) });
    },
  });
}
export const bts = bitTestAnd("SDM 2A BTS", (e, word, bit) => e.or(word, bit));
export const btr = bitTestAnd("SDM 2A BTR", (e, word, bit) => e.and(word, e.not(bit)));
export const btc = bitTestAnd("SDM 2A BTC", (e, word, bit) => e.xor(word, bit));

/** BSF, BSR: position of the lowest or highest bit; without any bit the destination stays as it is. */
function bitScan(reference: string, find: (e: Emitter, value: Value) => Value) {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    flags: { writes: "ZF", undefined: "OF SF AF PF CF" },
    emit(e, { dst, src }) {
      const value = src.read();
      e.unless0(value, () => dst.write(find(e, value)));
      e.flags.logic(value);
    },
  });
}
export const bsf = bitScan("SDM 2A BSF", (e, value) => e.ctz(value));
export const bsr = bitScan("SDM 2A BSR", (e, value) => e.xor(e.clz(value), e.constant(value.width, value.width - 1)));

/** LZCNT, TZCNT: number of zeros above the highest or below the lowest bit; the width when there is none. */
function zeroCount(reference: string, count: (e: Emitter, value: Value) => Value) {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    flags: { writes: "ZF CF", undefined: "OF SF AF PF" },
    emit(e, { dst, src }) {
      const value = src.read();
      const result = e.let(count(e, value));
      dst.write(result);
      e.flags.set(result, { CF: e.eqz(value) });
    },
  });
}
export const lzcnt = zeroCount("SDM 2A LZCNT", (e, value) => e.clz(value));
/** A bit above the operand stops the count of narrow values at their width. */
export const tzcnt = zeroCount("SDM 2B TZCNT", (e, value) =>
  value.width < 32 ? e.truncate(e.ctz(e.or(e.extend(value, 32), e.constant(32, 1 << value.width))), 16) : e.ctz(value),
);

/** POPCNT: number of ones. All flags but ZF are cleared. */
export const popcnt = define({
  reference: "SDM 2B POPCNT",
  operands: { dst: "w", src: "r" },
  flags: { writes: "OF SF ZF AF PF CF" },
  emit(e, { dst, src }) {
    const value = src.read();
    dst.write(e.popcnt(value));
    e.flags.setWord(e.shl(e.eqz(value), e.constant(32, 6)));
  },
});

const BMI_FLAGS = { writes: "OF SF ZF CF", undefined: "AF PF" } as const;

/** ANDN: conjunction of the inverted first source with the second. */
export const andn = define({
  reference: "SDM 2A ANDN",
  operands: { dst: "w", inverted: "r", src: "r" },
  flags: BMI_FLAGS,
  emit(e, { dst, inverted, src }) {
    const result = e.let(e.and(e.not(inverted.read()), src.read()));
    dst.write(result);
    e.flags.logic(result);
  },
});

/** BLSI: the lowest set bit alone. CF tells whether there is one. */
export const blsi = define({
  reference: "SDM 2A BLSI",
  operands: { dst: "w", src: "r" },
  flags: BMI_FLAGS,
  emit(e, { dst, src }) {
    const value = src.read();
    const result = e.let(e.and(value, e.neg(value)));
    dst.write(result);
    e.flags.set(result, { CF: e.eqz(e.eqz(value)) });
  },
});

/** BLSMSK: ones up to the lowest set bit. CF tells whether there is none. */
export const blsmsk = define({
  reference: "SDM 2A BLSMSK",
  operands: { dst: "w", src: "r" },
  flags: BMI_FLAGS,
  emit(e, { dst, src }) {
    const value = src.read();
    const result = e.let(e.xor(value, e.sub(value, e.constant(value.width, 1))));
    dst.write(result);
    e.flags.set(result, { CF: e.eqz(value) });
  },
});

/** BLSR: clears the lowest set bit. CF tells whether there was none. */
export const blsr = define({
  reference: "SDM 2A BLSR",
  operands: { dst: "w", src: "r" },
  flags: BMI_FLAGS,
  emit(e, { dst, src }) {
    const value = src.read();
    const result = e.let(e.and(value, e.sub(value, e.constant(value.width, 1))));
    dst.write(result);
    e.flags.set(result, { CF: e.eqz(value) });
  },
});

/** Ones in the low `count` bits; all ones when the count (0..255) reaches the width. */
function lowOnes(e: Emitter, width: 32 | 64, count: Value): Value {
  const named = e.let(count);
  const some = e.not(e.shl(e.constant(width, -1n), named));
  return e.select(e.ltU(named, e.constant(width, width)), some, e.constant(width, -1n));
}

/** BEXTR: the bits from start (control byte 0) on, as many as length (control byte 1) says. */
export const bextr = define({
  reference: "SDM 2A BEXTR",
  operands: { dst: "w", src: "r", control: "r" },
  flags: { writes: "OF ZF CF", undefined: "SF AF PF" },
  emit(e, { dst, src, control: operand }) {
    const width = widthOf(dst) as 32 | 64;
    const control = operand.read();
    const byte = (shift: number): Value =>
      e.let(e.and(e.shrU(control, sameType(e, control, shift)), e.constant(width, 0xff)));
    const start = byte(0);
    const moved = e.shrU(src.read(), start);
    const inside = e.select(e.ltU(start, e.constant(width, width)), moved, e.constant(width, 0));
    const result = e.let(e.and(inside, lowOnes(e, width, byte(8))));
    dst.write(result);
    e.flags.logic(result);
  },
});

/** BZHI: clears the bits from an index on. CF tells whether the index exceeds the operand. */
export const bzhi = define({
  reference: "SDM 2A BZHI",
  operands: { dst: "w", src: "r", index: "r" },
  flags: BMI_FLAGS,
  emit(e, { dst, src, index: operand }) {
    const width = widthOf(dst) as 32 | 64;
    const index = e.let(e.and(operand.read(), e.constant(width, 0xff)));
    const result = e.let(e.and(src.read(), lowOnes(e, width, index)));
    dst.write(result);
    e.flags.set(result, { CF: e.geU(index, e.constant(width, width)) });
  },
});

/** PDEP and PEXT: parallel bit deposit and extraction; no flags. */
function parallelBits(reference: string, helper: string) {
  return define({
    reference,
    operands: { dst: "w", src: "r", mask: "r" },
    emit(e, { dst, src, mask }) {
      const source = e.extend(src.read(), 64);
      const bits = e.helper(helper, [source, e.extend(mask.read(), 64)], 64);
      dst.write(e.truncate(bits, widthOf(dst)));
    },
  });
}
export const pdep = parallelBits("SDM 2B PDEP", "deposit_bits");
export const pext = parallelBits("SDM 2B PEXT", "extract_bits");

/** CRC32: adds the source to a CRC-32C sum; a 64-bit destination gets zeros above it. */
export const crc32 = define({
  reference: "SDM 2A CRC32",
  operands: { dst: "rw", src: "r" },
  emit(e, { dst, src }) {
    const data = e.extend(src.read(), 64);
    const sum = e.helper("crc32c", [e.truncate(dst.read(), 32), data, e.constant(32, src.width)], 32);
    dst.write(e.extend(sum, widthOf(dst)));
  },
});

export const bitDefinitions = {
  bt,
  bts,
  btr,
  btc,
  bsf,
  bsr,
  lzcnt,
  tzcnt,
  popcnt,
  andn,
  blsi,
  blsmsk,
  blsr,
  bextr,
  bzhi,
  pdep,
  pext,
  crc32,
};
