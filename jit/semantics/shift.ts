import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { bitOf, lowBit, sameType, signOf, widthOf } from "./integer.ts";

// A masked count of zero changes no flag at all, hence mayWrite. OF is defined for counts of 1 only; what is computed here for
// greater counts is what falls out.
const SHIFT_FLAGS = { mayWrite: "OF SF ZF PF CF", undefined: "OF AF" } as const;
const ROTATE_FLAGS = { mayWrite: "OF CF", undefined: "OF" } as const;

/** The count modulo 32, or modulo 64 for 64-bit operands, in the type that shifts of `value` take. Named. */
function maskedCount(e: Emitter, count: OperandHandle, value: Value): Value {
  const bits = e.and(e.truncate(count.read(), 8), e.constant(8, value.width === 64 ? 63 : 31));
  return e.let(e.extend(bits, value.width === 64 ? 64 : 32));
}

/** SHL, SAL: shift left. */
export const shl = define({
  reference: "SDM 2B SAL/SAR/SHL/SHR",
  operands: { dst: "rw", count: "r" },
  flags: SHIFT_FLAGS,
  hot: true,
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(e.shl(value, count));
    dst.write(result);
    if (e.flagsAreDead) return;
    e.unless0(count, () => {
      // The last bit that left: bit `width` of the wide result, or, where there is none, the top bit one step earlier.
      const CF = e.let(
        value.width < 32
          ? bitOf(e, e.shl(e.extend(value, 32), count), value.width)
          : signOf(e, e.shl(value, e.sub(count, sameType(e, value, 1)))),
      );
      e.flags.set(result, { CF, OF: e.xor(CF, signOf(e, result)) });
    });
  },
});

/** SHR: logical shift right. */
export const shr = define({
  reference: "SDM 2B SAL/SAR/SHL/SHR",
  operands: { dst: "rw", count: "r" },
  flags: SHIFT_FLAGS,
  hot: true,
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(e.shrU(value, count));
    dst.write(result);
    if (e.flagsAreDead) return;
    e.unless0(count, () => {
      const CF = e.let(lowBit(e, e.shrU(value, e.sub(count, sameType(e, value, 1)))));
      e.flags.set(result, { CF, OF: signOf(e, value) });
    });
  },
});

/** SAR: arithmetic shift right. */
export const sar = define({
  reference: "SDM 2B SAL/SAR/SHL/SHR",
  operands: { dst: "rw", count: "r" },
  flags: SHIFT_FLAGS,
  hot: true,
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(e.shrS(value, count));
    dst.write(result);
    if (e.flagsAreDead) return;
    e.unless0(count, () => {
      const CF = e.let(lowBit(e, e.shrS(value, e.sub(count, sameType(e, value, 1)))));
      e.flags.set(result, { CF });
    });
  },
});

/** ROL: rotate left. */
export const rol = define({
  reference: "SDM 2B RCL/RCR/ROL/ROR",
  operands: { dst: "rw", count: "r" },
  flags: ROTATE_FLAGS,
  hot: true,
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(value.width >= 32 ? e.rotl(value, count) : rotateNarrow(e, value, count));
    dst.write(result);
    if (e.flagsAreDead) return;
    e.unless0(count, () => {
      const CF = e.let(lowBit(e, result));
      e.flags.replace({ CF, OF: e.xor(CF, signOf(e, result)) });
    });
  },
});

/** ROR: rotate right. */
export const ror = define({
  reference: "SDM 2B RCL/RCR/ROL/ROR",
  operands: { dst: "rw", count: "r" },
  flags: ROTATE_FLAGS,
  hot: true,
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(
      value.width >= 32 ? e.rotr(value, count) : rotateNarrow(e, value, e.let(e.sub(e.constant(32, 0), count))),
    );
    dst.write(result);
    if (e.flagsAreDead) return;
    e.unless0(count, () => {
      const CF = e.let(signOf(e, result));
      e.flags.replace({ CF, OF: e.xor(CF, bitOf(e, result, result.width - 2)) });
    });
  },
});

/** Rotates a value of 8 or 16 bits left; the count is taken modulo the width. */
function rotateNarrow(e: Emitter, value: Value, count: Value): Value {
  const { width } = value;
  const left = e.let(e.and(count, e.constant(32, width - 1)));
  return e.or(e.shl(value, left), e.shrU(value, e.sub(e.constant(32, width), left)));
}

/** RCL: rotate left through the carry flag. */
export const rcl = define({
  reference: "SDM 2B RCL/RCR/ROL/ROR",
  operands: { dst: "rw", count: "r" },
  flags: { reads: "CF", ...ROTATE_FLAGS },
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const masked = maskedCount(e, amount, value);
    const carry = e.let(e.extend(e.flags.carry(), 64));
    let result: Value;
    let CF: Value;
    if (value.width === 64) {
      // Shifts by 64 and 65 minus the count, split so that no single one reaches 64, which would count as 0.
      const rest = e.let(e.sub(e.constant(64, 63), masked));
      const around = e.shrU(e.shrU(value, e.constant(64, 2)), rest);
      const through = e.shrU(e.shl(carry, masked), e.constant(64, 1));
      result = e.let(e.or(e.or(e.shl(value, masked), around), through));
      CF = e.let(lowBit(e, e.shrU(e.shrU(value, e.constant(64, 1)), rest)));
    } else {
      const { width } = value;
      const count = carryRotationCount(e, masked, width);
      const ring = e.let(e.or(e.extend(value, 64), e.shl(carry, e.constant(64, width))));
      const turned = e.let(e.or(e.shl(ring, count), e.shrU(ring, e.sub(e.constant(64, width + 1), count))));
      result = e.let(e.truncate(turned, width));
      CF = e.let(bitOf(e, turned, width));
    }
    dst.write(result);
    e.unless0(masked, () => e.flags.replace({ CF, OF: e.xor(CF, signOf(e, result)) }));
  },
});

/** RCR: rotate right through the carry flag. */
export const rcr = define({
  reference: "SDM 2B RCL/RCR/ROL/ROR",
  operands: { dst: "rw", count: "r" },
  flags: { reads: "CF", ...ROTATE_FLAGS },
  emit(e, { dst, count: amount }) {
    const value = dst.read();
    const masked = maskedCount(e, amount, value);
    const carry = e.let(e.extend(e.flags.carry(), 64));
    let result: Value;
    let CF: Value;
    if (value.width === 64) {
      const rest = e.let(e.sub(e.constant(64, 63), masked));
      const around = e.shl(e.shl(value, e.constant(64, 2)), rest);
      const through = e.shl(e.shl(carry, e.constant(64, 1)), rest);
      result = e.let(e.or(e.or(e.shrU(value, masked), around), through));
      CF = e.let(lowBit(e, e.shrU(value, e.sub(masked, e.constant(64, 1)))));
    } else {
      const { width } = value;
      const count = carryRotationCount(e, masked, width);
      const ring = e.let(e.or(e.extend(value, 64), e.shl(carry, e.constant(64, width))));
      const turned = e.let(e.or(e.shrU(ring, count), e.shl(ring, e.sub(e.constant(64, width + 1), count))));
      result = e.let(e.truncate(turned, width));
      CF = e.let(bitOf(e, turned, width));
    }
    dst.write(result);
    e.unless0(masked, () => e.flags.replace({ CF, OF: e.xor(signOf(e, result), bitOf(e, result, result.width - 2)) }));
  },
});

/** Rotations through carry turn a ring of width + 1 bits: the count modulo that, 64 bits, named. */
function carryRotationCount(e: Emitter, masked: Value, width: number): Value {
  const turns = width === 32 ? masked : e.remU(masked, e.constant(32, width + 1));
  return e.let(e.extend(turns, 64));
}

/** SHLD: shift left, filled from a second operand. */
export const shld = define({
  reference: "SDM 2B SHLD",
  operands: { dst: "rw", src: "r", count: "r" },
  flags: SHIFT_FLAGS,
  emit(e, { dst, src, count: amount }) {
    const value = dst.read();
    const fill = src.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(shiftLeftFilled(e, value, fill, count));
    dst.write(result);
    e.unless0(count, () => {
      const CF = e.let(signOf(e, shiftLeftFilled(e, value, fill, e.let(e.sub(count, sameType(e, value, 1))))));
      e.flags.set(result, { CF, OF: e.xor(CF, signOf(e, result)) });
    });
  },
});

/** SHRD: shift right, filled from a second operand. */
export const shrd = define({
  reference: "SDM 2B SHRD",
  operands: { dst: "rw", src: "r", count: "r" },
  flags: SHIFT_FLAGS,
  emit(e, { dst, src, count: amount }) {
    const value = dst.read();
    const fill = src.read();
    const count = maskedCount(e, amount, value);
    const result = e.let(shiftRightFilled(e, value, fill, count));
    dst.write(result);
    e.unless0(count, () => {
      const CF = e.let(lowBit(e, shiftRightFilled(e, value, fill, e.let(e.sub(count, sameType(e, value, 1))))));
      e.flags.set(result, { CF, OF: e.xor(signOf(e, result), bitOf(e, result, result.width - 2)) });
    });
  },
});

/** The top of value:fill after a shift left. 16-bit operands with counts above 16 go on with `value`, as processors do. */
function shiftLeftFilled(e: Emitter, value: Value, fill: Value, count: Value): Value {
  const wide = (part: Value, position: number): Value => e.shl(e.extend(part, 64), e.constant(64, position));
  switch (value.width) {
    case 64:
      return e.or(e.shl(value, count), e.shrU(e.shrU(fill, e.constant(64, 1)), e.sub(e.constant(64, 63), count)));
    case 32:
      return e.truncate(
        e.shrU(e.shl(e.or(wide(value, 32), wide(fill, 0)), e.extend(count, 64)), e.constant(64, 32)),
        32,
      );
    default: {
      const chain = e.or(e.or(wide(value, 32), wide(fill, 16)), wide(value, 0));
      return e.truncate(e.shrU(chain, e.sub(e.constant(64, 32), e.extend(count, 64))), 16);
    }
  }
}

/** The bottom of fill:value after a shift right. */
function shiftRightFilled(e: Emitter, value: Value, fill: Value, count: Value): Value {
  const wide = (part: Value, position: number): Value => e.shl(e.extend(part, 64), e.constant(64, position));
  switch (value.width) {
    case 64:
      return e.or(e.shrU(value, count), e.shl(e.shl(fill, e.constant(64, 1)), e.sub(e.constant(64, 63), count)));
    case 32:
      return e.truncate(e.shrU(e.or(wide(fill, 32), wide(value, 0)), e.extend(count, 64)), 32);
    default: {
      const chain = e.or(e.or(wide(value, 32), wide(fill, 16)), wide(value, 0));
      return e.truncate(e.shrU(chain, e.extend(count, 64)), 16);
    }
  }
}

/** SHLX, SHRX, SARX: shifts without flags; the count is taken modulo the operand size. */
function flagless(operation: "shl" | "shrU" | "shrS") {
  return define({
    reference: "SDM 2B SARX/SHLX/SHRX",
    operands: { dst: "w", src: "r", count: "r" },
    emit: (e, { dst, src, count }) => dst.write(e[operation](src.read(), count.read())),
  });
}
export const shlx = flagless("shl");
export const shrx = flagless("shrU");
export const sarx = flagless("shrS");

/** RORX: rotate right without flags. */
export const rorx = define({
  reference: "SDM 2B RORX",
  operands: { dst: "w", src: "r", count: "r" },
  emit(e, { dst, src, count }) {
    dst.write(e.rotr(src.read(), e.extend(e.truncate(count.read(), 8), widthOf(dst))));
  },
});

export const shiftDefinitions = { shl, shr, sar, rol, ror, rcl, rcr, shld, shrd, shlx, shrx, sarx, rorx };
