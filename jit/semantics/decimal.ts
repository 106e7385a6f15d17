import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter } from "./emitter.ts";

// Decimal arithmetic; none of it exists in 64-bit mode. Values are computed in 32 bits.

const byte = (e: Emitter, value: Value): Value => e.and(value, e.constant(32, 0xff));

/** AL as 32 bits, named. */
function readAl(e: Emitter): Value {
  return e.let(e.extend(e.gpr("rax", 8).read(), 32));
}

/** Whether the low digit must be adjusted: above 9, or AF. Named. */
function lowDigitOverflows(e: Emitter, al: Value): Value {
  return e.let(e.or(e.gtU(e.and(al, e.constant(32, 0xf)), e.constant(32, 9)), e.flags.adjust()));
}

/** DAA, DAS: decimal adjustment of AL after an addition or a subtraction. */
function decimalAdjust(reference: string, isSubtraction: boolean) {
  return define({
    reference,
    flags: { reads: "AF CF", writes: "SF ZF AF PF CF", undefined: "OF" },
    emit(e) {
      const al = readAl(e);
      const carry = e.let(e.flags.carry());
      const AF = lowDigitOverflows(e, al);
      const high = e.let(e.or(e.gtU(al, e.constant(32, 0x99)), carry));
      const adjustment = e.or(e.mul(AF, e.constant(32, 6)), e.mul(high, e.constant(32, 0x60)));
      const result = e.let(e.truncate(isSubtraction ? e.sub(al, adjustment) : e.add(al, adjustment), 8));
      // DAS also carries when taking 6 from the low digit borrows.
      const borrow = e.and(AF, e.ltU(al, e.constant(32, 6)));
      const CF = isSubtraction ? e.or(high, borrow) : high;
      e.gpr("rax", 8).write(result);
      e.flags.set(result, { CF, AF });
    },
  });
}
export const daa = decimalAdjust("SDM 2A DAA", false);
export const das = decimalAdjust("SDM 2A DAS", true);

/** AAA, AAS: adjustment of unpacked digits. AX, not AL, takes the 6, so that a carry or borrow reaches AH as well. */
function asciiAdjust(reference: string, isSubtraction: boolean) {
  return define({
    reference,
    flags: { reads: "AF", writes: "AF CF", undefined: "OF SF ZF PF" },
    emit(e) {
      const ax = e.gpr("rax", 16);
      const value = e.let(e.extend(ax.read(), 32));
      const adjust = lowDigitOverflows(e, value);
      const amount = e.mul(adjust, e.constant(32, 0x106));
      const moved = isSubtraction ? e.sub(value, amount) : e.add(value, amount);
      const result = e.let(e.truncate(e.and(moved, e.constant(32, 0xff0f)), 16));
      ax.write(result);
      e.flags.set(e.truncate(result, 8), { CF: adjust, AF: adjust });
    },
  });
}
export const aaa = asciiAdjust("SDM 2A AAA", false);
export const aas = asciiAdjust("SDM 2A AAS", true);

/** AAM: splits AL into digits of the base that the immediate gives. */
export const aam = define({
  reference: "SDM 2A AAM",
  operands: { base: "r" },
  flags: { writes: "SF ZF PF", undefined: "OF AF CF" },
  emit(e, { base: operand }) {
    const base = e.let(e.and(e.resize(operand.read(), 32), e.constant(32, 0xff)));
    e.if(e.eqz(base), () => e.fault("DE"));
    const al = readAl(e);
    const low = e.let(e.remU(al, base));
    e.gpr("rax", 16).write(e.truncate(e.or(low, e.shl(e.divU(al, base), e.constant(32, 8))), 16));
    e.flags.set(e.truncate(low, 8));
  },
});

/** AAD: joins AH and AL, digits of the base that the immediate gives, in AL. */
export const aad = define({
  reference: "SDM 2A AAD",
  operands: { base: "r" },
  flags: { writes: "SF ZF PF", undefined: "OF AF CF" },
  emit(e, { base }) {
    const ax = e.let(e.extend(e.gpr("rax", 16).read(), 32));
    const scaled = e.mul(e.shrU(ax, e.constant(32, 8)), e.resize(base.read(), 32));
    const result = e.let(byte(e, e.add(ax, scaled)));
    e.gpr("rax", 16).write(e.truncate(result, 16));
    e.flags.set(e.truncate(result, 8));
  },
});

export const decimalDefinitions = { daa, das, aaa, aas, aam, aad };
