// Instructions on ST(0) and ST(1): sign, root, rounding, scaling, remainder, transcendental functions. SDM Vol. 1, 8.3.5 to 8.3.10.
import {
  Blocker,
  clearRaised,
  copySlot,
  Fsw,
  isStackEmpty,
  isEmpty,
  makeTop,
  physical,
  scratchSlot,
  ScratchSlot,
  setConditions,
  slot,
  stackSlot,
  unmasked,
} from "../../helpers/x87/registers.ts";
import { finish, underflow } from "../../helpers/x87/stack.ts";
import type { Value } from "../../emit/value.ts";
import { type Definition, define } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import { recordPointers } from "./common.ts";

/** An instruction without operands that one helper does. */
function simple(reference: string, helper: string, ...operands: number[]): Definition {
  return define({
    reference,
    unit: "x87",
    emit(e) {
      recordPointers(e);
      e.helperVoid(
        helper,
        operands.map((operand) => e.constant(32, operand)),
      );
    },
  });
}

/** The two words of ST(i): significand, then sign and exponent, as 64-bit values. */
function words(e: Emitter, i: number): [Value, Value] {
  const at = stackSlot(e, i);
  return [e.let(e.loadOffset(64, at)), e.let(e.extend(e.loadOffset(16, at, 8), 64))];
}

/** F2XM1: ST(0) = f(ST(0)), in TypeScript. */
function ofOne(reference: string, name: string): Definition {
  return define({
    reference,
    unit: "x87",
    interpreterOnly: true,
    emit(e) {
      recordPointers(e);
      e.if(
        isStackEmpty(e, 0),
        () => underflow(e, 0, 0),
        () => {
          clearRaised(e);
          e.drop(e.callOut(name, ...words(e, 0)));
          e.if(e.eqz(unmasked(e, Blocker.REGISTER)), () =>
            copySlot(e, stackSlot(e, 0), scratchSlot(e, ScratchSlot.RESULT)),
          );
          finish(e, 0);
        },
      );
    },
  });
}

/** FYL2X, FYL2XP1, FPATAN: ST(1) = f(ST(0), ST(1)), then ST(0) is popped. */
function ofTwo(reference: string, name: string): Definition {
  return define({
    reference,
    unit: "x87",
    interpreterOnly: true,
    emit(e) {
      recordPointers(e);
      e.if(
        e.or(isStackEmpty(e, 0), isStackEmpty(e, 1)),
        () => underflow(e, 1, 1),
        () => {
          clearRaised(e);
          e.drop(e.callOut(name, ...words(e, 0), ...words(e, 1)));
          e.if(e.eqz(unmasked(e, Blocker.REGISTER)), () =>
            copySlot(e, stackSlot(e, 1), scratchSlot(e, ScratchSlot.RESULT)),
          );
          finish(e, 1);
        },
      );
    },
  });
}

/** Calls out for a function of an angle; `use` takes the results unless the angle is too large: then only C2 is set. */
function callWithAngle(e: Emitter, name: string, use: () => void): void {
  clearRaised(e);
  const outOfRange = e.let(e.truncate(e.callOut(name, ...words(e, 0)), 32));
  e.if(
    outOfRange,
    () => setConditions(e, Fsw.C2, e.constant(32, Fsw.C2)),
    () => e.if(e.eqz(unmasked(e, Blocker.REGISTER)), use),
  );
  finish(e, 0);
}

/** FSIN, FCOS. */
function ofAngle(reference: string, name: string): Definition {
  return define({
    reference,
    unit: "x87",
    interpreterOnly: true,
    emit(e) {
      recordPointers(e);
      setConditions(e, Fsw.C2, e.constant(32, 0));
      e.if(
        isStackEmpty(e, 0),
        () => underflow(e, 0, 0),
        () => callWithAngle(e, name, () => copySlot(e, stackSlot(e, 0), scratchSlot(e, ScratchSlot.RESULT))),
      );
    },
  });
}

/** FSINCOS, FPTAN: the first result replaces ST(0), the second is pushed. */
function pairOfAngle(reference: string, name: string): Definition {
  return define({
    reference,
    unit: "x87",
    interpreterOnly: true,
    emit(e) {
      recordPointers(e);
      setConditions(e, Fsw.C2, e.constant(32, 0));
      e.if(
        isStackEmpty(e, 0),
        () => e.helperVoid("x87_underflow_pair", []),
        () =>
          e.if(
            isEmpty(e, physical(e, 7)),
            () =>
              callWithAngle(e, name, () => {
                copySlot(e, stackSlot(e, 0), scratchSlot(e, ScratchSlot.RESULT));
                copySlot(e, slot(e, makeTop(e)), scratchSlot(e, ScratchSlot.SECOND_RESULT));
              }),
            () => e.helperVoid("x87_overflow_pair", []),
          ),
      );
    },
  });
}

export const x87FunctionDefinitions = {
  fchs: simple("SDM 2A FCHS", "x87_change_sign"),
  fabs: simple("SDM 2A FABS", "x87_absolute"),
  fxam: simple("SDM 2A FXAM", "x87_examine"),
  fsqrt: simple("SDM 2A FSQRT", "x87_square_root"),
  frndint: simple("SDM 2A FRNDINT", "x87_round"),
  fscale: simple("SDM 2A FSCALE", "x87_scale"),
  fxtract: simple("SDM 2A FXTRACT", "x87_extract"),
  fprem: simple("SDM 2A FPREM", "x87_remainder", 0),
  fprem1: simple("SDM 2A FPREM1", "x87_remainder", 1),
  f2xm1: ofOne("SDM 2A F2XM1", "x87.f2xm1"),
  fyl2x: ofTwo("SDM 2A FYL2X", "x87.fyl2x"),
  fyl2xp1: ofTwo("SDM 2A FYL2XP1", "x87.fyl2xp1"),
  fpatan: ofTwo("SDM 2A FPATAN", "x87.fpatan"),
  fsin: ofAngle("SDM 2A FSIN", "x87.fsin"),
  fcos: ofAngle("SDM 2A FCOS", "x87.fcos"),
  fsincos: pairOfAngle("SDM 2A FSINCOS", "x87.fsincos"),
  fptan: pairOfAngle("SDM 2A FPTAN", "x87.fptan"),
} as const;
