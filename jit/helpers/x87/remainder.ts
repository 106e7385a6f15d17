import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import { Kind, unpackF80 } from "../softfloat/format.ts";
import { isNan } from "../softfloat/round.ts";
import {
  clearRaised,
  CONDITIONS,
  Fsw,
  isStackEmpty,
  setConditions,
  stackSlot,
  storeSlot,
  unmasked,
} from "./registers.ts";
import { finish, underflow } from "./stack.ts";

/**
 * FPREM (nearest = 0) and FPREM1 (nearest = 1): ST(0) modulo ST(1), by long division of the significands. When the exponents differ by
 * 64 or more only a part is done, and C2 says so. SDM Vol. 2A, "FPREM".
 */
const remainderHelper: Helper = {
  name: "x87_remainder",
  params: ["i32"],
  result: "none",
  emit(f, [nearest]) {
    if (!nearest) return;
    const done = (): void => {
      finish(f, 0);
      f.return();
    };
    // Of a stack fault or an invalid operation, C2 = 0 alone tells that nothing is left to do.
    setConditions(f, Fsw.C2, f.constant(32, 0));
    f.if(f.or(isStackEmpty(f, 0), isStackEmpty(f, 1)), () => {
      underflow(f, 0, 0);
      f.return();
    });
    clearRaised(f);
    const top = stackSlot(f, 0);
    const second = stackSlot(f, 1);
    const dividend = unpackF80(f, top);
    const divisor = unpackF80(f, second);
    f.if(f.or(isNan(f, dividend.kind), isNan(f, divisor.kind)), () => {
      f.callVoid("f80_nan", [f.cpu, top, top, second]);
      done();
    });
    f.if(f.or(f.eq(dividend.kind, f.constant(32, Kind.INFINITE)), f.eqz(divisor.kind)), () => {
      f.callVoid("f80_invalid", [f.cpu, top]);
      done();
    });
    f.if(f.or(dividend.denormal, divisor.denormal), () => {
      f.set("fpRaised", f.constant(32, Fsw.DE));
      f.if(unmasked(f, Fsw.DE), done);
    });
    const quotient = f.variable(f.constant(32, 0));
    const finishWith = (partial: number): void => {
      // Q2 Q1 Q0 of the quotient go to C0 C3 C1.
      const q = f.let(partial ? f.constant(32, 0) : quotient.get());
      const bit = (from: number, to: number): Value =>
        f.shl(f.and(f.shrU(q, f.constant(32, from)), f.constant(32, 1)), f.constant(32, to));
      setConditions(f, CONDITIONS, f.or(f.or(bit(2, 8), bit(1, 14)), f.constant(32, partial)));
      f.set("fpRaised", f.or(f.get("fpRaised"), bit(0, 9)));
      done();
    };
    const distance = f.let(f.sub(dividend.exponent, divisor.exponent));
    const sign = f.variable(dividend.sign);
    const rest = f.variable(dividend.significand);
    const y = divisor.significand;
    /** Stores the rest, whose leading bit at 63 would mean 2^exponent. */
    const store = (exponent: Value): void => {
      const left = f.let(rest.get());
      f.if(
        f.eqz(left),
        () => storeSlot(f, top, f.truncate(f.shl(sign.get(), f.constant(32, 15)), 16), f.constant(64, 0)),
        () => {
          const zeros = f.let(f.clz(left));
          const power = f.sub(exponent, f.truncate(zeros, 32));
          f.callVoid("f80_pack", [f.cpu, top, sign.get(), power, f.shl(left, zeros), f.constant(64, 0)]);
        },
      );
    };
    f.if(f.or(f.eqz(dividend.kind), f.eq(divisor.kind, f.constant(32, Kind.INFINITE))), () => {
      // Unchanged, but for a pseudo-denormal, which becomes the normal number that it is.
      store(dividend.exponent);
      finishWith(0);
    });
    f.if(f.ltS(distance, f.constant(32, 0)), () => {
      const close = f.and(nearest, f.eq(distance, f.constant(32, -1)));
      f.if(f.and(close, f.gtU(dividend.significand, y)), () => {
        // More than half of the divisor: the nearest multiple is the divisor itself. 2y - x fits, in units of x.
        rest.set(f.sub(f.shl(y, f.constant(64, 1)), dividend.significand));
        sign.set(f.xor(dividend.sign, f.constant(32, 1)));
        quotient.set(f.constant(32, 1));
      });
      store(dividend.exponent);
      finishWith(0);
    });

    const partial = f.let(f.geS(distance, f.constant(32, 64)));
    // A partial reduction takes 32 to 63 bits of the quotient.
    const some = f.or(f.and(distance, f.constant(32, 31)), f.constant(32, 32));
    const steps = f.variable(f.select(partial, some, distance));
    const first = f.let(steps.get());
    f.if(f.geU(dividend.significand, y), () => {
      rest.set(f.sub(dividend.significand, y));
      quotient.set(f.constant(32, 1));
    });
    f.block((end) => {
      f.loop((again) => {
        f.break(end, f.eqz(steps.get()));
        const before = f.let(rest.get());
        const doubled = f.let(f.shl(before, f.constant(64, 1)));
        const carry = f.ltS(before, f.constant(64, 0));
        const fits = f.let(f.or(carry, f.geU(doubled, y)));
        rest.set(f.select(fits, f.sub(doubled, y), doubled));
        quotient.set(f.or(f.shl(quotient.get(), f.constant(32, 1)), fits));
        steps.set(f.sub(steps.get(), f.constant(32, 1)));
        f.continue(again);
      });
    });
    f.if(partial, () => {
      store(f.sub(dividend.exponent, first));
      finishWith(Fsw.C2);
    });
    f.if(nearest, () => {
      const left = f.let(rest.get());
      const other = f.let(f.sub(y, left));
      const odd = f.and(quotient.get(), f.constant(32, 1));
      const up = f.or(f.gtU(left, other), f.and(f.eq(left, other), odd));
      f.if(up, () => {
        rest.set(other);
        sign.set(f.xor(sign.get(), f.constant(32, 1)));
        quotient.set(f.add(quotient.get(), f.constant(32, 1)));
      });
    });
    store(divisor.exponent);
    finishWith(0);
  },
};

export const remainderHelpers: readonly Helper[] = [remainderHelper];
