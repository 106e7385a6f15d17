// Data transfer: loads, stores, exchange, conditional moves, constants. SDM Vol. 1, 8.3.3 and 8.3.4.
import type { Value } from "../../emit/value.ts";
import { Blocker, clearRaised, ScratchSlot, scratchSlot, storeSlot, unmasked } from "../../helpers/x87/registers.ts";
import { finish, push } from "../../helpers/x87/stack.ts";
import { type Definition, define } from "../define.ts";
import type { ConditionCode, Emitter, OperandHandle } from "../emitter.ts";
import { recordPointers, widen } from "./common.ts";

/** FLD: pushes ST(i) or a real number in memory. */
const fld = define({
  reference: "SDM 2A FLD",
  operands: { src: "r" },
  unit: "x87",
  emit(e, { src }) {
    if (src.kind !== "memory") {
      recordPointers(e);
      e.helperVoid("x87_load_register", [src.number()]);
      return;
    }
    if (src.width === 80) {
      const value = scratchSlot(e, ScratchSlot.VALUE);
      const significand = src.part(0, 64, "r").read();
      const top = src.part(8, 16, "r").read();
      clearRaised(e);
      storeSlot(e, value, top, significand);
      recordPointers(e, src);
      push(e, value);
    } else {
      const value = widen(e, src, "real");
      recordPointers(e, src);
      e.helperVoid("x87_load_real", [value]);
    }
  },
});

/** FILD: pushes an integer. */
const fild = define({
  reference: "SDM 2A FILD",
  operands: { src: "r" },
  unit: "x87",
  emit(e, { src }) {
    const integer = src.read();
    const value = scratchSlot(e, ScratchSlot.VALUE);
    clearRaised(e);
    e.helperVoid("f80_from_i64", [value, e.signExtend(integer, 64)]);
    recordPointers(e, src);
    push(e, value);
  },
});

/** FBLD: pushes a packed decimal number. */
const fbld = define({
  reference: "SDM 2A FBLD",
  operands: { src: "r" },
  unit: "x87",
  emit(e, { src }) {
    const low = src.part(0, 64, "r").read();
    const high = src.part(8, 16, "r").read();
    const value = scratchSlot(e, ScratchSlot.VALUE);
    clearRaised(e);
    e.helperVoid("x87_load_decimal", [value, low, e.extend(high, 32)]);
    recordPointers(e, src);
    push(e, value);
  },
});

/**
 * Stores the ten bytes that a helper has put into the first scratch slot. Both halves are probed first: if the second one faulted after
 * the first was written, the instruction could not be restarted.
 */
function storeTenBytes(e: Emitter, destination: OperandHandle): void {
  const low = destination.part(0, 64, "w");
  const high = destination.part(8, 16, "w");
  low.probe(8, "w");
  high.probe(2, "w");
  e.if(e.eqz(unmasked(e, Blocker.MEMORY)), () => {
    const value = scratchSlot(e, ScratchSlot.VALUE);
    low.write(e.let(e.loadOffset(64, value)));
    high.write(e.let(e.loadOffset(16, value, 8)));
  });
}

/** Ends a store to memory. */
function finishStore(e: Emitter, destination: OperandHandle, pops: number): void {
  recordPointers(e, destination);
  finish(e, pops, Blocker.MEMORY);
}

/** Stores `value` unless an unmasked exception of its conversion forbids it; a fault of the memory comes first even then. */
function storeConverted(e: Emitter, destination: OperandHandle, value: Value, pops: number): void {
  const named = e.let(value);
  e.if(
    unmasked(e, Blocker.MEMORY),
    () => destination.probe(destination.width / 8, "w"),
    () => destination.write(named),
  );
  finishStore(e, destination, pops);
}

/** FST and FSTP: to ST(i) or to memory as a real number. */
function store(pops: 0 | 1): Definition {
  return define({
    reference: "SDM 2A FST/FSTP",
    operands: { dst: "w" },
    unit: "x87",
    emit(e, { dst }) {
      if (dst.kind !== "memory") {
        recordPointers(e);
        e.helperVoid("x87_store_register", [dst.number(), e.constant(32, pops)]);
      } else if (dst.width === 80) {
        e.helperVoid("x87_store_f80", []);
        storeTenBytes(e, dst);
        finishStore(e, dst, pops);
      } else {
        const bits = dst.width === 32 ? e.helper("x87_store_f32", [], 32) : e.helper("x87_store_f64", [], 64);
        storeConverted(e, dst, bits, pops);
      }
    },
  });
}

/** FSTPNCE: FSTP to a register without the check for an empty ST(0); undocumented by Intel. */
const fstpnce = define({
  reference: "APM 5 FSTP",
  operands: { dst: "w" },
  unit: "x87",
  emit(e, { dst }) {
    recordPointers(e);
    e.helperVoid("x87_store_unchecked", [dst.number()]);
  },
});

/** FIST, FISTP, FISTTP: to memory as an integer, rounded as FCW says or truncated. */
function storeInteger(reference: string, pops: 0 | 1, truncate: boolean): Definition {
  return define({
    reference,
    operands: { dst: "w" },
    unit: "x87",
    emit(e, { dst }) {
      const { width } = dst;
      const integer = e.helper(`x87_store_i${width}`, [e.constant(32, truncate ? 1 : 0)], width === 64 ? 64 : 32);
      storeConverted(e, dst, width === 16 ? e.truncate(integer, 16) : integer, pops);
    },
  });
}

/** FBSTP: as a packed decimal number. */
const fbstp = define({
  reference: "SDM 2A FBSTP",
  operands: { dst: "w" },
  unit: "x87",
  emit(e, { dst }) {
    e.helperVoid("x87_store_decimal", []);
    storeTenBytes(e, dst);
    finishStore(e, dst, 1);
  },
});

/** FXCH: exchanges ST(0) and ST(i). */
const fxch = define({
  reference: "SDM 2A FXCH",
  operands: { left: "rw", right: "rw" },
  unit: "x87",
  emit(e, { right }) {
    recordPointers(e);
    e.helperVoid("x87_exchange", [right.number()]);
  },
});

/** FCMOVcc: ST(0) = ST(i) if the condition holds. */
function conditionalMove(condition: ConditionCode, reads: string): Definition {
  return define({
    reference: "SDM 2A FCMOVcc",
    operands: { dst: "rw", src: "r" },
    flags: { reads },
    unit: "x87",
    emit(e, { src }) {
      recordPointers(e);
      e.helperVoid("x87_conditional_move", [src.number(), e.flags.condition(condition)]);
    },
  });
}

/** FLDPI and the like: the constant's 66 leading bits decide how it is rounded. */
function constant(exponent: number, significand: bigint, rounding: "exact" | "up" | "down"): Definition {
  return define({
    reference: "SDM 2A FLD1/FLDL2T/FLDL2E/FLDPI/FLDLG2/FLDLN2/FLDZ",
    unit: "x87",
    emit(e) {
      recordPointers(e);
      clearRaised(e);
      const value = scratchSlot(e, ScratchSlot.VALUE);
      const bits =
        rounding === "exact"
          ? e.constant(64, significand)
          : e.add(e.constant(64, significand), e.extend(adjustment(e, rounding), 64));
      storeSlot(e, value, e.constant(16, exponent), bits);
      push(e, value);
    },
  });
}

/**
 * What is added to a positive constant's truncated significand: 1 when rounding up, and when rounding to nearest if the lost part is
 * more than a half.
 */
function adjustment(e: Emitter, nearest: "up" | "down"): Value {
  const mode = e.let(e.and(e.shrU(e.get("fcw"), e.constant(32, 10)), e.constant(32, 3)));
  const up = e.eq(mode, e.constant(32, 2));
  return nearest === "up" ? e.or(up, e.eqz(mode)) : up;
}

export const x87DataTransferDefinitions = {
  fld,
  fild,
  fbld,
  fst: store(0),
  fstp: store(1),
  fstpnce,
  fist: storeInteger("SDM 2A FIST/FISTP", 0, false),
  fistp: storeInteger("SDM 2A FIST/FISTP", 1, false),
  fisttp: storeInteger("SDM 2A FISTTP", 1, true),
  fbstp,
  fxch,
  fcmovb: conditionalMove("b", "CF"),
  fcmove: conditionalMove("e", "ZF"),
  fcmovbe: conditionalMove("be", "CF ZF"),
  fcmovu: conditionalMove("p", "PF"),
  fcmovnb: conditionalMove("ae", "CF"),
  fcmovne: conditionalMove("ne", "ZF"),
  fcmovnbe: conditionalMove("a", "CF ZF"),
  fcmovnu: conditionalMove("np", "PF"),
  fld1: constant(0x3fff, 0x8000_0000_0000_0000n, "exact"),
  fldl2t: constant(0x4000, 0xd49a_784b_cd1b_8afen, "down"),
  fldl2e: constant(0x3fff, 0xb8aa_3b29_5c17_f0bbn, "up"),
  fldpi: constant(0x4000, 0xc90f_daa2_2168_c234n, "up"),
  fldlg2: constant(0x3ffd, 0x9a20_9a84_fbcf_f798n, "up"),
  fldln2: constant(0x3ffe, 0xb172_17f7_d1cf_79abn, "up"),
  fldz: constant(0, 0n, "exact"),
} as const;
