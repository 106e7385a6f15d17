import { invariant } from "../../runtime/abi/invariant.ts";
import type { Width } from "../emit/value.ts";
import { F32, F64 } from "../helpers/softfloat/format.ts";
import { narrow } from "../helpers/x87/ordinary/conversion.ts";
import type { ConditionCode } from "../semantics/emitter.ts";
import {
  call,
  constantOf,
  type Context,
  type Emit,
  inPlace,
  readSource,
  roundingControl,
  stackNumber,
} from "./x87-context.ts";
import type { Extended } from "./x87-state.ts";

// ---- loads and stores ----

/** What is pushed by a load, of a register or memory. */
export function load(source: (context: Context) => Extended): Emit {
  return (context) => {
    const { x87 } = context;
    const number = source(context);
    x87.require([], [7]);
    x87.push(number);
    x87.status.clearC1();
  };
}

export const loadReal = load((context) => {
  const { e, memory } = context;
  if (memory?.width !== 80) return readSource(context, 0, false);
  const at = e.let(memory.place(10, "r"));
  return { significand: e.loadNow(64, at), top: e.let(e.extend(e.loadOffset(16, at, 8), 32)) };
});

/** A constant that is the same however it is rounded. */
export function loadConstant(top: number, significand: bigint): Emit {
  return load(({ e }) => constantOf(e, top, significand));
}

/** FLDPI and the like, rounded to nearest. */
export function loadRounded(top: number, significand: bigint): Emit {
  return load(({ e, x87 }) => {
    x87.requireCommonControl();
    return constantOf(e, top, significand);
  });
}

/** FST and FSTP. */
export function store(pops: 0 | 1): Emit {
  return (context) => {
    const { e, x87, memory } = context;
    x87.require([0]);
    const number = x87.read(0);
    if (!memory) {
      const to = stackNumber(context, 0);
      x87.write(to, number);
      x87.mark(to, true);
      x87.status.clearC1();
    } else if (memory.width === 80) {
      const at = e.let(memory.place(10, "w"));
      e.storeOperand(at, number.significand);
      e.storeOffset(at, e.truncate(number.top, 16), 8);
      x87.status.clearC1();
    } else {
      x87.requireCommonControl();
      const { width } = memory;
      const { result, rounding } = inPlace(e, (to) => narrow(to, width === 32 ? F32 : F64, number));
      memory.write(e.truncate(result, width as Width));
      x87.status.setRounding(rounding);
    }
    if (pops === 1) x87.pop();
  };
}

/** FIST, FISTP, FISTTP. */
export function storeInteger(pops: 0 | 1, truncates: boolean): Emit {
  return ({ e, x87, memory }) => {
    invariant(memory !== undefined, "integers are stored in memory");
    x87.require([0]);
    const { significand, top } = x87.read(0);
    const width = memory.width as 16 | 32 | 64;
    const limit = e.constant(64, (1n << BigInt(width - 1)) - 1n);
    const mode = truncates ? e.constant(32, 3) : roundingControl(e);
    const { result, rounding } = call(e, "x87_ordinary_to_integer", [significand, top, mode, limit]);
    memory.write(e.truncate(result, width));
    x87.status.setRounding(rounding);
    if (pops === 1) x87.pop();
  };
}

export const exchange: Emit = (context) => {
  const { x87 } = context;
  const i = stackNumber(context, 1);
  x87.require([0, i]);
  const top = x87.read(0);
  const other = x87.read(i);
  x87.write(0, other);
  x87.write(i, top);
  x87.status.clearC1();
};

/** FCMOVcc. C1 stays as it is. */
export function conditionalMove(condition: ConditionCode): Emit {
  return (context) => {
    const { e, x87 } = context;
    const i = stackNumber(context, 1);
    x87.require([0, i]);
    const old = x87.read(0);
    const other = x87.read(i);
    const holds = e.let(e.flags.condition(condition));
    x87.write(0, {
      significand: e.let(e.select(holds, other.significand, old.significand)),
      top: e.let(e.select(holds, other.top, old.top)),
    });
  };
}
