import type { Value } from "../emit/value.ts";
import { multiplyHighSigned, multiplyHighUnsigned } from "../helpers/multiply.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { doubled, readSigned, upperHalf, widthOf } from "./integer.ts";
import type { IntegerWidth } from "./integer.ts";

const FLAGS = { writes: "OF CF", undefined: "SF ZF AF PF" } as const;

/** Both halves of the product of two values of one width. */
function product(e: Emitter, left: Value, right: Value, isSigned: boolean): { low: Value; high: Value } {
  if (left.width === 64) {
    const high = isSigned ? multiplyHighSigned(e, left, right) : multiplyHighUnsigned(e, left, right);
    return { low: e.let(e.mul(left, right)), high };
  }
  const width = left.width as 8 | 16 | 32;
  const wide = (value: Value): Value =>
    isSigned ? e.signExtend(value, doubled(width)) : e.extend(value, doubled(width));
  const both = e.let(e.mul(wide(left), wide(right)));
  return { low: e.let(e.truncate(both, width)), high: e.let(upperHalf(e, both)) };
}

/** CF = OF = whether the upper half is more than an extension of the lower. */
function overflowFlags(e: Emitter, low: Value, high: Value, isSigned: boolean): void {
  if (e.flagsAreDead) return;
  const { width } = low;
  const extension = isSigned ? e.shrS(low, e.constant(width === 64 ? 64 : 32, width - 1)) : e.constant(width, 0);
  const overflow = e.let(e.ne(high, extension));
  e.flags.set(low, { CF: overflow, OF: overflow });
}

/** MUL, and IMUL of one operand: rDX:rAX (AX for bytes) = rAX * operand. */
function multiplyAccumulator(isSigned: boolean) {
  return define({
    reference: isSigned ? "SDM 2A IMUL" : "SDM 2B MUL",
    operands: { src: "r" },
    flags: FLAGS,
    hot: true,
    emit(e, { src }) {
      const width = widthOf(src);
      const { low, high } = product(e, e.gpr("rax", width).read(), src.read(), isSigned);
      writeHalves(e, width, low, high);
      overflowFlags(e, low, high, isSigned);
    },
  });
}
export const mul = multiplyAccumulator(false);
export const imul1 = multiplyAccumulator(true);

/** Writes rDX:rAX, or AH and AL. */
function writeHalves(e: Emitter, width: IntegerWidth, low: Value, high: Value): void {
  if (width === 8) {
    e.gpr("rax", 16).write(e.or(e.extend(low, 16), e.shl(e.extend(high, 16), e.constant(32, 8))));
    return;
  }
  e.gpr("rax", width).write(low);
  e.gpr("rdx", width).write(high);
}

/** IMUL of two operands (dst *= src) or three (dst = src * factor): the lower half of the product. */
export const imul = define({
  reference: "SDM 2A IMUL",
  operands: { dst: "rw", src: "r", factor: "r" },
  flags: FLAGS,
  hot: true,
  emit(
    e,
    { dst, src, factor }: { readonly dst: OperandHandle; readonly src: OperandHandle; readonly factor?: OperandHandle },
  ) {
    const left = src.read();
    const right = factor ? readSigned(e, factor, widthOf(dst)) : dst.read();
    if (e.flagsAreDead) {
      dst.write(e.mul(left, right));
      return;
    }
    const { low, high } = product(e, left, right, true);
    dst.write(low);
    overflowFlags(e, low, high, true);
  },
});

/** MULX: unsigned multiplication without flags. When both destinations are one register, the upper half stays. */
export const mulx = define({
  reference: "SDM 2B MULX",
  operands: { high: "w", low: "w", src: "r" },
  emit(e, operands) {
    const { low, high } = product(e, e.gpr("rdx", widthOf(operands.src)).read(), operands.src.read(), false);
    operands.low.write(low);
    operands.high.write(high);
  },
});

export const multiplyDefinitions = { mul, imul1, imul, mulx };
