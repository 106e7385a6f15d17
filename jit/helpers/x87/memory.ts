import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import {
  clearRaised,
  copySlot,
  Fsw,
  isStackEmpty,
  markValid,
  physical,
  scratchSlot,
  ScratchSlot,
  slot,
  stackSlot,
  storeIndefinite,
  storeSlot,
} from "./registers.ts";
import { finish, push, underflow } from "./stack.ts";

/** FLD ST(i). */
const loadRegisterHelper: Helper = {
  name: "x87_load_register",
  params: ["i32"],
  result: "none",
  emit(f, [i]) {
    if (!i) return;
    f.if(
      isStackEmpty(f, i),
      () => f.callVoid("x87_push_underflow", [f.cpu]),
      () => {
        clearRaised(f);
        const value = scratchSlot(f, ScratchSlot.VALUE);
        copySlot(f, value, stackSlot(f, i));
        push(f, value);
      },
    );
  },
};

/**
 * FLD m32 and m64, when the number has been widened into a slot: pushes it. A denormal raises DE but is loaded even if DE is not masked,
 * as AMD's processors do; a signalling NaN is made quiet with IE, or not loaded.
 */
const loadRealHelper: Helper = {
  name: "x87_load_real",
  params: ["i32"],
  result: "none",
  emit(f, [value]) {
    if (!value) return;
    clearRaised(f);
    f.if(f.eq(f.loadOffset(16, value, 8 + 2), f.constant(16, 1)), () => {
      f.set("fpRaised", f.constant(32, Fsw.DE));
      f.storeOffset(value, f.constant(16, 0), 8 + 2);
    });
    const isSpecial = f.eq(f.and(f.loadOffset(16, value, 8), f.constant(16, 0x7fff)), f.constant(16, 0x7fff));
    f.if(isSpecial, () => {
      f.unless0(f.shl(f.loadOffset(64, value), f.constant(64, 1)), () =>
        f.callVoid("f80_nan", [f.cpu, value, value, value]),
      );
    });
    push(f, value);
  },
};

/** FSTPNCE: FSTP that knows no stack underflow. An empty ST(0) is only popped. */
const storeUncheckedHelper: Helper = {
  name: "x87_store_unchecked",
  params: ["i32"],
  result: "none",
  emit(f, [i]) {
    if (!i) return;
    f.if(
      isStackEmpty(f, 0),
      () => {
        clearRaised(f);
        finish(f, 1);
      },
      () => f.callVoid(storeRegisterHelper.name, [f.cpu, i, f.constant(32, 1)]),
    );
  },
};

/** FST and FSTP to a register: (i, pops). */
const storeRegisterHelper: Helper = {
  name: "x87_store_register",
  params: ["i32", "i32"],
  result: "none",
  emit(f, [i, pops]) {
    if (!i || !pops) return;
    f.if(
      isStackEmpty(f, 0),
      () => underflow(f, i, pops),
      () => {
        clearRaised(f);
        const destination = physical(f, i);
        copySlot(f, slot(f, destination), stackSlot(f, 0));
        markValid(f, destination);
        finish(f, pops);
      },
    );
  },
};

/**
 * The first half of a store to memory: what ST(0) is in the format of the destination; exceptions go to fpRaised only. The definition
 * stores unless one of Blocker.MEMORY is unmasked, and then ends the instruction with x87_finish.
 */
function convert(
  name: string,
  conversion: string,
  result: "i32" | "i64",
  indefinite: bigint,
  truncates: boolean,
): Helper {
  return {
    name,
    params: truncates ? ["i32"] : [],
    result,
    emit(f, operands) {
      clearRaised(f);
      f.if(isStackEmpty(f, 0), () => {
        f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
        f.return(f.constant(result === "i32" ? 32 : 64, indefinite));
      });
      f.return(f.call(conversion, [f.cpu, stackSlot(f, 0), ...operands], result));
    },
  };
}

/** FSTP m80: puts ST(0) or the default NaN into the first scratch slot. */
const storeExtendedHelper: Helper = {
  name: "x87_store_f80",
  params: [],
  result: "none",
  emit(f) {
    clearRaised(f);
    const value = scratchSlot(f, ScratchSlot.VALUE);
    f.if(
      isStackEmpty(f, 0),
      () => {
        f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
        storeIndefinite(f, value);
      },
      () => copySlot(f, value, stackSlot(f, 0)),
    );
  },
};

const TEN_TO_16 = 10n ** 16n;
const TEN_TO_18 = 10n ** 18n;

/** FBLD: (destination slot, low 64 bits, high 16 bits). SDM Vol. 1, 4.7: eighteen digits of four bits and a sign. */
const loadDecimalHelper: Helper = {
  name: "x87_load_decimal",
  params: ["i32", "i64", "i32"],
  result: "none",
  emit(f, [destination, low, high]) {
    if (!destination || !low || !high) return;
    const four = f.constant(64, 4);
    const digits = f.variable(low);
    const sum = f.declare("i64", 64);
    const count = f.variable(f.constant(32, 16));
    f.loop((again) => {
      const word = f.let(digits.get());
      sum.set(f.add(f.mul(sum.get(), f.constant(64, 10)), f.shrU(word, f.constant(64, 60))));
      digits.set(f.shl(word, four));
      count.set(f.sub(count.get(), f.constant(32, 1)));
      f.continue(again, count.get());
    });
    const digit = (from: number): Value => f.and(f.shrU(high, f.constant(32, from)), f.constant(32, 15));
    const top = f.add(f.mul(digit(4), f.constant(32, 10)), digit(0));
    const value = f.add(f.mul(f.extend(top, 64), f.constant(64, TEN_TO_16)), sum.get());
    f.callVoid("f80_from_i64", [f.cpu, destination, value]);
    const sign = f.let(f.truncate(f.and(high, f.constant(32, 0x8000)), 16));
    f.storeOffset(destination, f.or(f.loadOffset(16, destination, 8), sign), 8);
  },
};

/** FBSTP, as far as memory: the ten bytes go to the first scratch slot, exceptions to fpRaised. */
const storeDecimalHelper: Helper = {
  name: "x87_store_decimal",
  params: [],
  result: "none",
  emit(f) {
    clearRaised(f);
    const bytes = scratchSlot(f, ScratchSlot.VALUE);
    const indefinite = (flags: number): void => {
      f.set("fpRaised", f.constant(32, flags));
      storeSlot(f, bytes, f.constant(16, 0xffff), f.constant(64, 0xc000_0000_0000_0000n));
      f.return();
    };
    f.if(isStackEmpty(f, 0), () => indefinite(Fsw.IE | Fsw.SF));
    const top = stackSlot(f, 0);
    const sign = f.let(f.and(f.loadOffset(16, top, 8), f.constant(16, 0x8000)));
    const integer = f.call("f80_to_i64", [f.cpu, top, f.constant(32, 0)], "i64");
    const negative = f.ltS(integer, f.constant(64, 0));
    const magnitude = f.let(f.select(negative, f.neg(integer), integer));
    f.if(f.geU(magnitude, f.constant(64, TEN_TO_18)), () => indefinite(Fsw.IE));
    const low = packDigits(f, f.remU(magnitude, f.constant(64, TEN_TO_16)));
    const high = packDigits(f, f.divU(magnitude, f.constant(64, TEN_TO_16)));
    storeSlot(f, bytes, f.or(f.truncate(high, 16), sign), low);
  },
};

/** Up to sixteen decimal digits as four bits each. */
function packDigits(f: StateBuilder, number: Value): Value {
  const ten = f.constant(64, 10);
  const rest = f.variable(number);
  const packed = f.declare("i64", 64);
  packed.set(f.constant(64, 0));
  const shift = f.variable(f.constant(64, 0));
  f.loop((again) => {
    const left = f.let(rest.get());
    packed.set(f.or(packed.get(), f.shl(f.remU(left, ten), shift.get())));
    rest.set(f.divU(left, ten));
    shift.set(f.add(shift.get(), f.constant(64, 4)));
    f.continue(again, f.ne(rest.get(), f.constant(64, 0)));
  });
  return f.let(packed.get());
}

export const memoryHelpers: readonly Helper[] = [
  loadRegisterHelper,
  loadRealHelper,
  storeRegisterHelper,
  storeUncheckedHelper,
  convert("x87_store_f32", "f80_to_f32", "i32", 0xffc0_0000n, false),
  convert("x87_store_f64", "f80_to_f64", "i64", 0xfff8_0000_0000_0000n, false),
  convert("x87_store_i16", "f80_to_i16", "i32", 0x8000n, true),
  convert("x87_store_i32", "f80_to_i32", "i32", 0x8000_0000n, true),
  convert("x87_store_i64", "f80_to_i64", "i64", 1n << 63n, true),
  storeExtendedHelper,
  loadDecimalHelper,
  storeDecimalHelper,
];
