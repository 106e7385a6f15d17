import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import {
  Blocker,
  copySlot,
  EXCEPTIONS,
  Fsw,
  isEmpty,
  makeTop,
  markValid,
  physical,
  pop,
  slot,
  storeIndefinite,
  unmasked,
} from "./registers.ts";

/**
 * Ends an instruction: moves fpRaised into FSW (C1 too), and pops `pops` times unless an unmasked exception among `blockers` has
 * stopped the instruction.
 */
const finishHelper: Helper = {
  name: "x87_finish",
  params: ["i32", "i32"],
  result: "none",
  emit(f, [pops, blockers]) {
    if (!pops || !blockers) return;
    const raised = f.get("fpRaised");
    const fsw = f.let(f.or(f.and(f.get("fsw"), f.constant(32, ~Fsw.C1)), raised));
    f.set("fsw", fsw);
    f.unless0(raised, () => {
      const open = f.let(f.and(f.and(fsw, f.not(f.get("fcw"))), f.constant(32, EXCEPTIONS)));
      f.unless0(open, () => {
        f.set("fsw", f.or(fsw, f.constant(32, Fsw.ES | Fsw.B)));
        f.if(f.and(f.and(raised, open), blockers), () => f.return());
      });
    });
    f.unless0(pops, () => {
      pop(f);
      f.if(f.gtU(pops, f.constant(32, 1)), () => pop(f));
    });
  },
};

/** Stack underflow of an instruction whose destination is ST(i). SDM Vol. 1, 8.5.1.1. */
const underflowHelper: Helper = {
  name: "x87_underflow",
  params: ["i32", "i32"],
  result: "none",
  emit(f, [i, pops]) {
    if (!i || !pops) return;
    f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
    f.if(f.eqz(unmasked(f, Fsw.IE)), () => {
      const register = physical(f, i);
      storeIndefinite(f, slot(f, register));
      markValid(f, register);
    });
    finish(f, pops);
  },
};

/** Pushes the f80 at a linear-memory offset, unless the exceptions that loading it raised forbid it. */
const pushHelper: Helper = {
  name: "x87_push",
  params: ["i32"],
  result: "none",
  emit(f, [source]) {
    if (!source) return;
    f.if(
      isEmpty(f, physical(f, 7)),
      () => {
        f.if(f.eqz(unmasked(f, Fsw.IE)), () => copySlot(f, slot(f, makeTop(f)), source));
      },
      () => {
        f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF | Fsw.C1));
        f.if(f.eqz(unmasked(f, Fsw.IE)), () => storeIndefinite(f, slot(f, makeTop(f))));
      },
    );
    finish(f, 0);
  },
};

/** Pushes the default NaN after a stack underflow: FLD of an empty register. */
const pushUnderflowHelper: Helper = {
  name: "x87_push_underflow",
  params: [],
  result: "none",
  emit(f) {
    f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
    f.if(f.eqz(unmasked(f, Fsw.IE)), () => storeIndefinite(f, slot(f, makeTop(f))));
    finish(f, 0);
  },
};

/** Stack overflow of an instruction that replaces ST(0) and pushes another value: FPTAN, FSINCOS, FXTRACT. */
const overflowPairHelper: Helper = {
  name: "x87_overflow_pair",
  params: [],
  result: "none",
  emit(f) {
    f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF | Fsw.C1));
    f.if(f.eqz(unmasked(f, Fsw.IE)), () => fillPair(f));
    finish(f, 0);
  },
};

/** Stack underflow of such an instruction. */
const underflowPairHelper: Helper = {
  name: "x87_underflow_pair",
  params: [],
  result: "none",
  emit(f) {
    f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
    f.if(f.eqz(unmasked(f, Fsw.IE)), () => fillPair(f));
    finish(f, 0);
  },
};

function fillPair(f: StateBuilder): void {
  const register = f.get("ftop");
  storeIndefinite(f, slot(f, register));
  markValid(f, register);
  storeIndefinite(f, slot(f, makeTop(f)));
}

/** Emits a call of `x87_finish`. */
export function finish(f: StateBuilder, pops: number | Value, blockers: number = Blocker.REGISTER): void {
  const count = typeof pops === "number" ? f.constant(32, pops) : pops;
  f.callVoid(finishHelper.name, [f.cpu, count, f.constant(32, blockers)]);
}

/** Emits a call of `x87_underflow`: ST(i) becomes the default NaN. */
export function underflow(f: StateBuilder, i: number | Value, pops: number | Value): void {
  const destination = typeof i === "number" ? f.constant(32, i) : i;
  const count = typeof pops === "number" ? f.constant(32, pops) : pops;
  f.callVoid(underflowHelper.name, [f.cpu, destination, count]);
}

/** Emits a call of `x87_push`. */
export function push(f: StateBuilder, source: Value): void {
  f.callVoid(pushHelper.name, [f.cpu, source]);
}

export const stackHelpers: readonly Helper[] = [
  finishHelper,
  underflowHelper,
  pushHelper,
  pushUnderflowHelper,
  overflowPairHelper,
  underflowPairHelper,
];
