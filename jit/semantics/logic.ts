import { define } from "./define.ts";
import { readSigned, widthOf } from "./integer.ts";

const EFFECTS = { writes: "OF SF ZF PF CF", undefined: "AF" } as const;

/** AND: bitwise conjunction. */
export const and = define({
  reference: "SDM 2A AND",
  operands: { dst: "rw", src: "r" },
  flags: EFFECTS,
  hot: true,
  emit(e, { dst, src }) {
    const result = e.let(e.and(dst.read(), readSigned(e, src, widthOf(dst))));
    dst.write(result);
    e.flags.logic(result);
  },
});

/** OR: bitwise disjunction. */
export const or = define({
  reference: "SDM 2B OR",
  operands: { dst: "rw", src: "r" },
  flags: EFFECTS,
  hot: true,
  emit(e, { dst, src }) {
    const result = e.let(e.or(dst.read(), readSigned(e, src, widthOf(dst))));
    dst.write(result);
    e.flags.logic(result);
  },
});

/** XOR: bitwise exclusive disjunction. */
export const xor = define({
  reference: "SDM 2B XOR",
  operands: { dst: "rw", src: "r" },
  flags: EFFECTS,
  hot: true,
  emit(e, { dst, src }) {
    const result = e.let(e.xor(dst.read(), readSigned(e, src, widthOf(dst))));
    dst.write(result);
    e.flags.logic(result);
  },
});

/** TEST: conjunction for its flags alone. */
export const test = define({
  reference: "SDM 2B TEST",
  operands: { left: "r", right: "r" },
  flags: EFFECTS,
  hot: true,
  emit(e, { left, right }) {
    e.flags.logic(e.and(left.read(), readSigned(e, right, widthOf(left))));
  },
});

/** NOT: bitwise complement; no flags. */
export const not = define({
  reference: "SDM 2B NOT",
  operands: { dst: "rw" },
  emit(e, { dst }) {
    dst.write(e.not(dst.read()));
  },
});

export const logicDefinitions = { and, or, xor, test, not };
