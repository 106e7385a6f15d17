import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import {
  clearRaised,
  CONDITIONS,
  copySlot,
  Fsw,
  isEmpty,
  isStackEmpty,
  physical,
  setConditions,
  slot,
  stackSlot,
} from "./registers.ts";
import { finish, underflow } from "./stack.ts";

export type ArithmeticName = "add" | "sub" | "subr" | "mul" | "div" | "divr";
const NAMES: readonly ArithmeticName[] = ["add", "sub", "subr", "mul", "div", "divr"];

/** destination = destination (operation) source, or the other way round for the reversed ones. */
function operate(f: StateBuilder, name: ArithmeticName, destination: Value, source: Value): void {
  const reversed = name === "subr" || name === "divr";
  const operation = name === "subr" ? "sub" : name === "divr" ? "div" : name;
  const operands = reversed ? [source, destination] : [destination, source];
  f.callVoid(`f80_${operation}`, [f.cpu, destination, ...operands]);
}

/** x87_add_register and the like: (i of the destination, i of the source, pops). */
function registerHelper(name: ArithmeticName): Helper {
  return {
    name: `x87_${name}_register`,
    params: ["i32", "i32", "i32"],
    result: "none",
    emit(f, [to, from, pops]) {
      if (!to || !from || !pops) return;
      const left = physical(f, to);
      const right = physical(f, from);
      f.if(
        f.or(isEmpty(f, left), isEmpty(f, right)),
        () => underflow(f, to, pops),
        () => {
          clearRaised(f);
          operate(f, name, slot(f, left), slot(f, right));
          finish(f, pops);
        },
      );
    },
  };
}

/** x87_add_memory and the like: (linear-memory offset of the source); the destination is ST(0). */
function memoryHelper(name: ArithmeticName): Helper {
  return {
    name: `x87_${name}_memory`,
    params: ["i32"],
    result: "none",
    emit(f, [source]) {
      if (!source) return;
      f.if(
        isStackEmpty(f, 0),
        () => underflow(f, 0, 0),
        () => {
          clearRaised(f);
          operate(f, name, stackSlot(f, 0), source);
          finish(f, 0);
        },
      );
    },
  };
}

/** Flags of a comparison of ST(0) with an f80, ZF PF CF at their places in RFLAGS; exceptions are raised, an empty register too. */
const compareHelper: Helper = {
  name: "x87_compare_values",
  params: ["i32", "i32", "i32"],
  result: "i32",
  emit(f, [source, sourceEmpty, signalling]) {
    if (!source || !sourceEmpty || !signalling) return;
    clearRaised(f);
    f.if(f.or(isStackEmpty(f, 0), sourceEmpty), () => {
      f.set("fpRaised", f.constant(32, Fsw.IE | Fsw.SF));
      f.return(f.constant(32, 0x45));
    });
    f.return(f.call("f80_compare", [f.cpu, stackSlot(f, 0), source, signalling], "i32"));
  },
};

/** FCOM, FUCOM and the rest: (offset of the source, whether it is an empty register, signalling, pops). */
const compareStatusHelper: Helper = {
  name: "x87_compare",
  params: ["i32", "i32", "i32", "i32"],
  result: "none",
  emit(f, [source, sourceEmpty, signalling, pops]) {
    if (!source || !sourceEmpty || !signalling || !pops) return;
    const flags = f.call(compareHelper.name, [f.cpu, source, sourceEmpty, signalling], "i32");
    setConditions(f, CONDITIONS, f.shl(flags, f.constant(32, 8)));
    finish(f, pops);
  },
};

/** FCOMI and the like: (i, signalling, pops) -> flags. C1 stays as it is, but for a stack fault. */
const compareFlagsHelper: Helper = {
  name: "x87_compare_flags",
  params: ["i32", "i32", "i32"],
  result: "i32",
  emit(f, [i, signalling, pops]) {
    if (!i || !signalling || !pops) return;
    const register = physical(f, i);
    const flags = f.call(compareHelper.name, [f.cpu, slot(f, register), isEmpty(f, register), signalling], "i32");
    const raised = f.get("fpRaised");
    f.if(f.eqz(f.and(raised, f.constant(32, Fsw.SF))), () => {
      f.set("fpRaised", f.or(raised, f.and(f.get("fsw"), f.constant(32, Fsw.C1))));
    });
    finish(f, pops);
    f.return(flags);
  },
};

/** FCMOVcc: (i, condition). An empty register is an underflow even if nothing would be moved. */
const conditionalMoveHelper: Helper = {
  name: "x87_conditional_move",
  params: ["i32", "i32"],
  result: "none",
  emit(f, [i, condition]) {
    if (!i || !condition) return;
    f.if(
      f.or(isStackEmpty(f, 0), isStackEmpty(f, i)),
      () => underflow(f, 0, 0),
      () => f.if(condition, () => copySlot(f, stackSlot(f, 0), stackSlot(f, i))),
    );
  },
};

export const arithmeticHelpers: readonly Helper[] = [
  ...NAMES.flatMap((name) => [registerHelper(name), memoryHelper(name)]),
  compareHelper,
  compareStatusHelper,
  compareFlagsHelper,
  conditionalMoveHelper,
];
