import { perCondition } from "./conditions.ts";
import { define } from "./define.ts";
import { readSigned, swapBytes, widthOf } from "./integer.ts";

/** MOV between general registers, memory and immediates; segment, control and debug registers have definitions of their own. */
export const mov = define({
  reference: "SDM 2B MOV",
  operands: { dst: "w", src: "r" },
  hot: true,
  emit(e, { dst, src }) {
    dst.write(readSigned(e, src, widthOf(dst)));
  },
});

/** MOVZX: move with zero-extension. */
export const movzx = define({
  reference: "SDM 2B MOVZX",
  operands: { dst: "w", src: "r" },
  hot: true,
  emit(e, { dst, src }) {
    dst.write(e.extend(src.read(), widthOf(dst)));
  },
});

/** MOVSX: move with sign-extension. */
export const movsx = define({
  reference: "SDM 2B MOVSX/MOVSXD",
  operands: { dst: "w", src: "r" },
  hot: true,
  emit(e, { dst, src }) {
    dst.write(e.signExtend(src.read(), widthOf(dst)));
  },
});

/** MOVSXD: move doubleword with sign-extension; without REX.W it only moves. */
export const movsxd = define({
  reference: "SDM 2B MOVSX/MOVSXD",
  operands: { dst: "w", src: "r" },
  hot: true,
  emit(e, { dst, src }) {
    const width = widthOf(dst);
    const value = src.read();
    dst.write(width <= value.width ? e.truncate(value, width) : e.signExtend(value, width));
  },
});

/** LEA: load effective address. */
export const lea = define({
  reference: "SDM 2A LEA",
  operands: { dst: "w", src: "a" },
  hot: true,
  emit(e, { dst, src }) {
    dst.write(e.truncate(src.address(), widthOf(dst)));
  },
});

/** CMOVcc: conditional move. The source is always read, and a 32-bit destination always loses its upper half. */
export const cmovDefinitions = perCondition("cmov", (code, reads) =>
  define({
    reference: "SDM 2A CMOVcc",
    operands: { dst: "rw", src: "r" },
    flags: { reads },
    emit(e, { dst, src }) {
      const value = src.read();
      dst.write(e.select(e.flags.condition(code), value, dst.read()));
    },
  }),
);

/** BSWAP: byte swap. Of a 16-bit register, which the manual leaves undefined, processors make zero. */
export const bswap = define({
  reference: "SDM 2A BSWAP",
  operands: { dst: "rw" },
  emit(e, { dst }) {
    dst.write(swapBytes(e, dst.read()));
  },
});

/** MOVBE: move after swapping the bytes. */
export const movbe = define({
  reference: "SDM 2B MOVBE",
  operands: { dst: "w", src: "r" },
  emit(e, { dst, src }) {
    const value = src.read();
    const width = widthOf(dst);
    if (width !== 16) return dst.write(swapBytes(e, value));
    dst.write(e.or(e.shl(value, e.constant(32, 8)), e.shrU(value, e.constant(32, 8))));
  },
});

export const dataTransferDefinitions = { mov, movzx, movsx, movsxd, lea, bswap, movbe, ...cmovDefinitions };
