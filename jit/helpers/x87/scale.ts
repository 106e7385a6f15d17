import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import { Kind, type Unpacked, unpackF80 } from "../softfloat/format.ts";
import { isNan } from "../softfloat/round.ts";
import {
  clearRaised,
  copySlot,
  Fsw,
  isStackEmpty,
  makeTop,
  scratchSlot,
  ScratchSlot,
  stackSlot,
  storeSlot,
  unmasked,
  isEmpty,
  physical,
  slot,
  Blocker,
} from "./registers.ts";
import { finish, underflow } from "./stack.ts";

const INFINITY_SIGNIFICAND = 1n << 63n;
const BIAS = 16383;
/** Exponents beyond this all overflow, or underflow, to the same result. */
const FAR = 0x1_0000;

/** Ends an instruction whose result in ST(0) is complete. */
function done(f: StateBuilder): void {
  finish(f, 0);
  f.return();
}

function isInfinite(f: StateBuilder, { kind }: Unpacked): Value {
  return f.let(f.eq(kind, f.constant(32, Kind.INFINITE)));
}

function raise(f: StateBuilder, bits: number): void {
  f.set("fpRaised", f.or(f.get("fpRaised"), f.constant(32, bits)));
}

/** FSCALE: ST(0) times two to the power of ST(1), truncated. SDM Vol. 2A, table 3-34. */
const scaleHelper: Helper = {
  name: "x87_scale",
  params: [],
  result: "none",
  emit(f) {
    f.if(f.or(isStackEmpty(f, 0), isStackEmpty(f, 1)), () => {
      underflow(f, 0, 0);
      f.return();
    });
    clearRaised(f);
    const top = stackSlot(f, 0);
    const second = stackSlot(f, 1);
    const value = unpackF80(f, top);
    const scale = unpackF80(f, second);
    f.if(f.or(isNan(f, value.kind), isNan(f, scale.kind)), () => {
      f.callVoid("f80_nan", [f.cpu, top, top, second]);
      done(f);
    });
    const valueInfinite = isInfinite(f, value);
    const scaleInfinite = isInfinite(f, scale);
    const valueZero = f.let(f.eqz(value.kind));
    // Infinity times two to the minus infinity, and zero times two to the infinity.
    const contradiction = f.select(scale.sign, valueInfinite, valueZero);
    f.if(f.and(scaleInfinite, contradiction), () => {
      f.callVoid("f80_invalid", [f.cpu, top]);
      done(f);
    });
    f.if(f.or(value.denormal, scale.denormal), () => raise(f, Fsw.DE));
    f.if(unmasked(f, Fsw.DE), () => done(f));
    f.if(f.or(valueInfinite, valueZero), () => done(f));
    const sign = f.let(f.shl(value.sign, f.constant(32, 15)));
    f.if(scaleInfinite, () => {
      f.if(
        scale.sign,
        () => storeSlot(f, top, f.truncate(sign, 16), f.constant(64, 0)),
        () =>
          storeSlot(f, top, f.truncate(f.or(sign, f.constant(32, 0x7fff)), 16), f.constant(64, INFINITY_SIGNIFICAND)),
      );
      done(f);
    });
    const amount = f.variable(f.constant(32, 0));
    f.if(f.geS(scale.exponent, f.constant(32, 0)), () => {
      f.if(
        f.gtS(scale.exponent, f.constant(32, 16)),
        () => amount.set(f.constant(32, FAR)),
        () => {
          const shift = f.extend(f.sub(f.constant(32, 63), scale.exponent), 64);
          amount.set(f.truncate(f.shrU(scale.significand, shift), 32));
        },
      );
    });
    const magnitude = f.let(amount.get());
    const signed = f.select(scale.sign, f.neg(magnitude), magnitude);
    const exponent = f.add(value.exponent, signed);
    f.callVoid("f80_pack", [f.cpu, top, value.sign, exponent, value.significand, f.constant(64, 0)]);
    // So far out that not even the wrapped exponent of an unmasked exception fits: infinity or zero, and inexact.
    f.if(unmasked(f, Fsw.OE), () => {
      const field = f.and(f.loadOffset(16, top, 8), f.constant(16, 0x7fff));
      f.if(f.eq(field, f.constant(16, 0x7fff)), () => raise(f, Fsw.PE | Fsw.C1));
    });
    f.if(unmasked(f, Fsw.UE), () => f.if(f.eqz(f.loadOffset(64, top)), () => raise(f, Fsw.PE)));
    done(f);
  },
};

/** FXTRACT: the exponent of ST(0) replaces it, and its significand is pushed. */
const extractHelper: Helper = {
  name: "x87_extract",
  params: [],
  result: "none",
  emit(f) {
    f.if(isStackEmpty(f, 0), () => {
      f.callVoid("x87_underflow_pair", [f.cpu]);
      f.return();
    });
    f.if(f.eqz(isEmpty(f, physical(f, 7))), () => {
      f.callVoid("x87_overflow_pair", [f.cpu]);
      f.return();
    });
    clearRaised(f);
    const top = stackSlot(f, 0);
    const result = scratchSlot(f, ScratchSlot.VALUE);
    const value = unpackF80(f, top);
    const sign = f.let(f.shl(value.sign, f.constant(32, 15)));
    const pushResult = (): void => copySlot(f, slot(f, makeTop(f)), result);
    f.if(isNan(f, value.kind), () => {
      f.callVoid("f80_nan", [f.cpu, top, top, top]);
      f.if(unmasked(f, Blocker.REGISTER), () => done(f));
      copySlot(f, result, top);
      pushResult();
      done(f);
    });
    f.if(isInfinite(f, value), () => {
      copySlot(f, result, top);
      storeSlot(f, top, f.constant(16, 0x7fff), f.constant(64, INFINITY_SIGNIFICAND));
      pushResult();
      done(f);
    });
    f.if(f.eqz(value.kind), () => {
      raise(f, Fsw.ZE);
      f.if(unmasked(f, Fsw.ZE), () => done(f));
      copySlot(f, result, top);
      storeSlot(f, top, f.constant(16, 0xffff), f.constant(64, INFINITY_SIGNIFICAND));
      pushResult();
      done(f);
    });
    f.if(value.denormal, () => raise(f, Fsw.DE));
    f.if(unmasked(f, Fsw.DE), () => done(f));
    storeSlot(f, result, f.truncate(f.or(sign, f.constant(32, BIAS)), 16), value.significand);
    f.callVoid("f80_from_i64", [f.cpu, top, f.signExtend(value.exponent, 64)]);
    pushResult();
    done(f);
  },
};

export const scaleHelpers: readonly Helper[] = [scaleHelper, extractHelper];
