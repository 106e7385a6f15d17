import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import {
  clearRaised,
  CONDITIONS,
  Fsw,
  isStackEmpty,
  physical,
  isEmpty,
  setConditions,
  slot,
  stackSlot,
} from "./registers.ts";
import { finish, underflow } from "./stack.ts";

/** A helper that replaces ST(0), after the check that there is one. */
function unary(name: string, emit: (f: StateBuilder, top: Value) => void): Helper {
  return {
    name,
    params: [],
    result: "none",
    emit(f) {
      f.if(
        isStackEmpty(f, 0),
        () => underflow(f, 0, 0),
        () => {
          clearRaised(f);
          emit(f, stackSlot(f, 0));
          finish(f, 0);
        },
      );
    },
  };
}

/** FXAM: the class of ST(0) in C3 C2 C0, its sign in C1, even of an empty register. SDM Vol. 2A, table 3-43. */
const examineHelper: Helper = {
  name: "x87_examine",
  params: [],
  result: "none",
  emit(f) {
    const register = physical(f, 0);
    const at = slot(f, register);
    const significand = f.let(f.loadOffset(64, at));
    const top = f.let(f.extend(f.loadOffset(16, at, 8), 32));
    const exponent = f.let(f.and(top, f.constant(32, 0x7fff)));
    const conditions = f.variable(f.constant(32, Fsw.C2));
    const set = (bits: number) => (): void => conditions.set(f.constant(32, bits));
    const hasInteger = f.let(f.ltS(significand, f.constant(64, 0)));
    f.if(isEmpty(f, register), set(Fsw.C3 | Fsw.C0), () => {
      f.if(
        f.eqz(exponent),
        () => f.if(f.eqz(significand), set(Fsw.C3), set(Fsw.C3 | Fsw.C2)),
        () => {
          f.if(f.eqz(hasInteger), set(0), () => {
            f.if(f.eq(exponent, f.constant(32, 0x7fff)), () => {
              f.if(f.eqz(f.shl(significand, f.constant(64, 1))), set(Fsw.C2 | Fsw.C0), set(Fsw.C0));
            });
          });
        },
      );
    });
    const sign = f.shl(f.shrU(top, f.constant(32, 15)), f.constant(32, 9));
    setConditions(f, CONDITIONS | Fsw.C1, f.or(sign, conditions.get()));
  },
};

/** FXCH: an empty register is filled with the default NaN first. */
const exchangeHelper: Helper = {
  name: "x87_exchange",
  params: ["i32"],
  result: "none",
  emit(f, [i]) {
    if (!i) return;
    const top = physical(f, 0);
    const other = physical(f, i);
    clearRaised(f);
    const missing = f.let(f.or(isEmpty(f, top), isEmpty(f, other)));
    f.if(missing, () => {
      const topEmpty = isEmpty(f, top);
      const otherEmpty = isEmpty(f, other);
      f.if(topEmpty, () => underflow(f, 0, 0));
      f.if(otherEmpty, () => underflow(f, i, 0));
      f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
      // Unmasked: nothing is exchanged.
      f.if(f.eqz(f.and(f.get("fcw"), f.constant(32, Fsw.IE))), () => f.return());
    });
    const left = slot(f, top);
    const right = slot(f, other);
    const value = f.let(f.loadOffset(128, left));
    f.storeOffset(left, f.let(f.loadOffset(128, right)));
    f.storeOffset(right, value);
    finish(f, 0);
  },
};

export const unaryHelpers: readonly Helper[] = [
  unary("x87_change_sign", (f, top) => {
    f.storeOffset(top, f.xor(f.loadOffset(16, top, 8), f.constant(16, 0x8000)), 8);
  }),
  unary("x87_absolute", (f, top) => {
    f.storeOffset(top, f.and(f.loadOffset(16, top, 8), f.constant(16, 0x7fff)), 8);
  }),
  unary("x87_square_root", (f, top) => f.callVoid("f80_sqrt", [f.cpu, top, top])),
  unary("x87_round", (f, top) => f.callVoid("f80_round_integer", [f.cpu, top, top])),
  examineHelper,
  exchangeHelper,
];
