import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter } from "./emitter.ts";
import { doubled, widthOf } from "./integer.ts";

// #DE comes before anything changes. All six flags are left undefined: processors, and this, leave them alone.
const FLAGS = { undefined: "OF SF ZF AF PF CF" } as const;

/** DIV: unsigned division of rDX:rAX (AX for bytes); quotient to rAX (AL), remainder to rDX (AH). */
export const div = define({
  reference: "SDM 2A DIV",
  operands: { divisor: "r" },
  flags: FLAGS,
  emit(e, { divisor: operand }) {
    const width = widthOf(operand);
    const divisor = operand.read();
    if (width === 64) return divide64(e, divisor);
    const wide = doubled(width);
    const by = e.let(e.extend(divisor, wide));
    e.if(e.eqz(divisor), () => e.fault("DE"));
    const dividend = readDividend(e, width);
    const quotient = e.let(e.divU(dividend, by));
    e.if(e.gtU(quotient, e.constant(wide, (1n << BigInt(width)) - 1n)), () => e.fault("DE"));
    writeResults(e, width, quotient, e.let(e.remU(dividend, by)));
  },
});

/** IDIV: signed division, towards zero; the remainder has the sign of the dividend. */
export const idiv = define({
  reference: "SDM 2A IDIV",
  operands: { divisor: "r" },
  flags: FLAGS,
  emit(e, { divisor: operand }) {
    const width = widthOf(operand);
    const divisor = operand.read();
    if (width === 64) return divideSigned64(e, divisor);
    // Computed in at least 32 bits, in which WebAssembly divides; only there can the division itself overflow.
    const wide = width === 32 ? 64 : 32;
    const by = e.let(e.signExtend(divisor, wide));
    e.if(e.eqz(divisor), () => e.fault("DE"));
    const dividend = e.let(e.signExtend(readDividend(e, width), wide));
    if (width !== 8) {
      const least = e.constant(wide, 1n << BigInt(wide - 1));
      e.if(e.and(e.eq(dividend, least), e.eq(by, e.constant(wide, -1n))), () => e.fault("DE"));
    }
    const quotient = e.let(e.divS(dividend, by));
    e.if(e.ne(quotient, e.signExtend(e.truncate(quotient, width), wide)), () => e.fault("DE"));
    writeResults(e, width, quotient, e.let(e.remS(dividend, by)));
  },
});

/** AX, DX:AX or EDX:EAX as one value, named. */
function readDividend(e: Emitter, width: 8 | 16 | 32): Value {
  if (width === 8) return e.gpr("rax", 16).read();
  const wide = doubled(width);
  const high = e.shl(e.extend(e.gpr("rdx", width).read(), wide), e.constant(wide, width));
  return e.let(e.or(high, e.extend(e.gpr("rax", width).read(), wide)));
}

function writeResults(e: Emitter, width: 8 | 16 | 32, quotient: Value, remainder: Value): void {
  if (width === 8) {
    const upper = e.shl(e.extend(e.truncate(remainder, 8), 16), e.constant(32, 8));
    e.gpr("rax", 16).write(e.or(e.extend(e.truncate(quotient, 8), 16), upper));
    return;
  }
  e.gpr("rax", width).write(e.truncate(quotient, width));
  e.gpr("rdx", width).write(e.truncate(remainder, width));
}

/** Compilers clear RDX before DIV: then a division of 64 bits is enough. */
function divide64(e: Emitter, divisor: Value): void {
  const high = e.gpr("rdx", 64).read();
  const low = e.gpr("rax", 64).read();
  // Also true of a divisor of zero.
  e.if(e.geU(high, divisor), () => e.fault("DE"));
  const quotient = e.declare("i64", 64);
  const remainder = e.declare("i64", 64);
  e.if(
    e.eqz(high),
    () => {
      quotient.set(e.divU(low, divisor));
      remainder.set(e.remU(low, divisor));
    },
    () => {
      quotient.set(e.helper("divide_128", [high, low, divisor], 64));
      remainder.set(e.get("scratch", 0));
    },
  );
  e.gpr("rax", 64).write(quotient.get());
  e.gpr("rdx", 64).write(remainder.get());
}

/** After CQO the dividend has 64 bits. A divisor of -1 takes the long way because it alone can overflow. */
function divideSigned64(e: Emitter, divisor: Value): void {
  const high = e.gpr("rdx", 64).read();
  const low = e.gpr("rax", 64).read();
  const quotient = e.declare("i64", 64);
  const remainder = e.declare("i64", 64);
  const isNarrow = e.eq(high, e.shrS(low, e.constant(64, 63)));
  // divisor + 1 is neither 0 nor 1
  const isHarmless = e.gtU(e.add(divisor, e.constant(64, 1)), e.constant(64, 1));
  e.if(
    e.and(isNarrow, isHarmless),
    () => {
      quotient.set(e.divS(low, divisor));
      remainder.set(e.remS(low, divisor));
    },
    () => {
      quotient.set(e.helper("divide_signed_128", [high, low, divisor], 64));
      e.unless0(e.get("scratch", 1), () => e.fault("DE"));
      remainder.set(e.get("scratch", 0));
    },
  );
  e.gpr("rax", 64).write(quotient.get());
  e.gpr("rdx", 64).write(remainder.get());
}

export const divideDefinitions = { div, idiv };
