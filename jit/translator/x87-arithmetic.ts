import type { Value } from "../emit/value.ts";
import type { Binary } from "../helpers/x87/ordinary/arithmetic.ts";
import { compare } from "../helpers/x87/ordinary/compare.ts";
import {
  addModerate,
  divideModerate,
  doubleModerate,
  multiplyModerate,
  squareRootModerate,
} from "../helpers/x87/ordinary/moderate.ts";
import { Fsw } from "../helpers/x87/registers.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import {
  call,
  callOrInPlace,
  type Computed,
  type Context,
  type Emit,
  inPlace,
  readSource,
  roundingControl,
  SIGN,
  SPECIAL,
  stackNumber,
} from "./x87-context.ts";
import type { Extended } from "./x87-state.ts";

// ---- arithmetic ----

type Operation = "add" | "sub" | "subr" | "mul" | "div" | "divr";

function operate({ e, x87 }: Context, operation: Operation, left: Extended, right: Extended): Computed {
  const apply = (name: string, other: Extended, common: Binary): Computed =>
    callOrInPlace({ e, x87 }, `x87_ordinary_${name}`, [left, other], (to) => common(to, left, other));
  switch (operation) {
    case "add":
      return apply("add", right, addModerate);
    case "sub":
    case "subr":
      return apply("add", { ...right, top: e.let(e.xor(right.top, e.constant(32, SIGN))) }, addModerate);
    case "mul":
      return apply("mul", right, multiplyModerate);
    case "div":
    case "divr":
      return apply("div", right, divideModerate);
  }
}

/** Destination (operation) source; the destination is ST(0) if the source is memory. */
export function arithmetic(operation: Operation, pops: 0 | 1, isInteger = false): Emit {
  return (context) => {
    const { e, x87, memory } = context;
    const to = memory ? 0 : stackNumber(context, 0);
    x87.requireCommonControl();
    x87.require([to]);
    const source = readSource(context, 1, isInteger);
    const destination = x87.read(to);
    const isReversed = operation === "subr" || operation === "divr";
    const [left, right] = isReversed ? [source, destination] : [destination, source];
    const isDoubled = operation === "add" && !memory && stackNumber(context, 1) === to;
    const { result, top, rounding } = isDoubled
      ? inPlace(e, (outcome) => doubleModerate(outcome, destination))
      : operate(context, operation, left, right);
    x87.write(to, { significand: result, top });
    x87.status.setRounding(rounding);
    if (pops === 1) x87.pop();
  };
}

/** FSQRT, FRNDINT: ST(0) = f(ST(0)). */
export function unary(name: "sqrt" | "round"): Emit {
  return ({ e, x87 }) => {
    x87.require([0]);
    const number = x87.read(0);
    if (name === "sqrt") x87.requireCommonControl();
    const { result, top, rounding } =
      name === "sqrt"
        ? callOrInPlace({ e, x87 }, "x87_ordinary_sqrt", [number], (to) => squareRootModerate(to, number))
        : call(e, "x87_ordinary_round", [number.significand, number.top, roundingControl(e)]);
    x87.write(0, { significand: result, top });
    x87.status.setRounding(rounding);
  };
}

/** FCHS and FABS, of any number. */
export function changeSign(change: (e: TranslatorEmitter, top: Value) => Value): Emit {
  return ({ e, x87 }) => {
    x87.require([0]);
    const { significand, top } = x87.read(0);
    x87.write(0, { significand, top: e.let(change(e, top)) });
    x87.status.clearC1();
  };
}

// ---- comparisons ----

/** FCOM and the like: the result goes to C3, C2 and C0. */
export function comparison(pops: 0 | 1 | 2, source: (context: Context) => Extended): Emit {
  return (context) => {
    const { e, x87 } = context;
    x87.require(pops === 2 ? [0, 1] : [0]);
    const right = source(context);
    const order = compare(e, x87.read(0), right, () => e.giveUp());
    const at = (condition: Value, bit: number): Value => e.shl(condition, e.constant(32, Math.log2(bit)));
    x87.status.setConditions(e.or(at(e.eqz(order), Fsw.C3), at(e.shrU(order, e.constant(32, 31)), Fsw.C0)));
    x87.status.clearC1();
    for (let count = 0; count < pops; count++) x87.pop();
  };
}

/** FCOMI and the like: the result goes to RFLAGS, and C1 stays as it is. */
export function comparisonToFlags(pops: 0 | 1): Emit {
  return (context) => {
    const { e, x87 } = context;
    const i = stackNumber(context, 1);
    x87.require([0, i]);
    const order = compare(e, x87.read(0), x87.read(i), () => e.giveUp());
    e.changed();
    // As small numbers that are in the same order, which the next branch compares.
    const left = e.convert("f64", "convert_s.i32", order);
    e.flags.orderNumbers({ type: "f64", left, right: e.floatConstant("f64", 0) });
    if (pops === 1) x87.pop();
  };
}

/** FXAM: the class of ST(0), which is not empty, in C3 C2 C0, and its sign in C1. SDM Vol. 2A, table 3-43. */
export const examine: Emit = ({ e, x87 }) => {
  x87.require([0]);
  const { significand, top } = x87.read(0);
  const bits = (value: number): Value => e.constant(32, value);
  const field = e.let(e.and(top, e.constant(32, SPECIAL)));
  const tiny = e.select(e.eqz(significand), bits(Fsw.C3), bits(Fsw.C3 | Fsw.C2));
  const fraction = e.shl(significand, e.constant(64, 1));
  const special = e.select(e.eqz(fraction), bits(Fsw.C2 | Fsw.C0), bits(Fsw.C0));
  const finite = e.select(e.eq(field, e.constant(32, SPECIAL)), special, bits(Fsw.C2));
  const supported = e.select(e.ltS(significand, e.constant(64, 0)), finite, bits(0));
  const kind = e.let(e.select(e.eqz(field), tiny, supported));
  x87.status.setConditions(kind);
  x87.status.setC1(e.shrU(top, e.constant(32, 15)));
};
