import { type CallOut, type CallOutTable, numberOf, bigintOf } from "./call-out.ts";
import type { StateView } from "./state-view.ts";
import type { Extended, Result } from "./x87-number.ts";
import { ONE, Status } from "./x87-number.ts";
import { angleOutOfRange, f2xm1, fcos, fpatan, fptan, fsin, fyl2x, fyl2xp1 } from "./x87-transcendental.ts";

/** Words of guestState.scratch where the definitions look for results: two for each. */
const FIRST_RESULT = 8;
const SECOND_RESULT = 10;

/** Operand number `index`, which takes two arguments: significand, then sign and exponent. */
function operand(operands: BigUint64Array | readonly bigint[], index: number): Extended {
  const top = numberOf(operands, index * 2 + 1);
  return { sign: top & 0x8000 ? 1 : 0, exponent: top & 0x7fff, significand: bigintOf(operands, index * 2) };
}

function store(state: StateView, first: number, { value: { sign, exponent, significand } }: Result): void {
  state.setU64("scratch", significand, first);
  state.setU64("scratch", BigInt((sign << 15) | exponent), first + 1);
}

/** A function of ST(0), or of ST(0) and ST(1). Exceptions go to fpRaised: the definition has cleared it and looks at it. */
function transcendental(compute: (x: Extended, y: Extended, control: number) => Result): CallOut {
  return ({ state }, operands) => {
    const result = compute(operand(operands, 0), operand(operands, 1), state.u32("fcw"));
    store(state, FIRST_RESULT, result);
    state.setU32("fpRaised", result.flags);
    return 0n;
  };
}

/** Functions of an angle give 1 when it is out of range, and then nothing else. */
function ofAngle(
  first: (x: Extended, control: number) => Result,
  second?: (x: Extended, control: number) => Result,
): CallOut {
  return ({ state }, operands) => {
    const x = operand(operands, 0);
    if (angleOutOfRange(x)) return 1n;
    const control = state.u32("fcw");
    const result = first(x, control);
    store(state, FIRST_RESULT, result);
    let { flags } = result;
    if (second) {
      const other = second(x, control);
      store(state, SECOND_RESULT, other);
      // C1 tells how the first result was rounded.
      flags |= other.flags & ~Status.C1;
    }
    state.setU32("fpRaised", flags);
    return 0n;
  };
}

/** FPTAN pushes 1.0, or once more the NaN that it found or made. */
function pushedByTangent(x: Extended, control: number): Result {
  const result = fptan(x, control);
  return { value: result.value.exponent === 0x7fff ? result.value : ONE, flags: 0 };
}

export const x87CallOuts: CallOutTable = {
  "x87.f2xm1": transcendental((x, _, control) => f2xm1(x, control)),
  "x87.fyl2x": transcendental(fyl2x),
  "x87.fyl2xp1": transcendental(fyl2xp1),
  "x87.fpatan": transcendental(fpatan),
  "x87.fsin": ofAngle(fsin),
  "x87.fcos": ofAngle(fcos),
  "x87.fsincos": ofAngle(fsin, fcos),
  "x87.fptan": ofAngle(fptan, pushedByTangent),
};
