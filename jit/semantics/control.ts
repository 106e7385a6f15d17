import type { Value } from "../emit/value.ts";
import { perCondition } from "./conditions.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";

/** The target of an indirect branch, read and found to be one that RIP may take. */
function indirectTarget(e: Emitter, target: OperandHandle): Value {
  const rip = e.let(e.extend(target.read(), 64));
  e.checkTarget(rip);
  return rip;
}

/** JMP near, direct and indirect. */
export const jmp = define({
  reference: "SDM 2A JMP",
  operands: { target: "r" },
  ends: true,
  hot: true,
  emit(e, { target }) {
    if (target.kind === "relative") e.jump(target);
    else e.goto(indirectTarget(e, target));
  },
});

/** CALL near, direct and indirect. */
export const call = define({
  reference: "SDM 2A CALL",
  operands: { target: "r" },
  ends: true,
  hot: true,
  emit(e, { target }) {
    // The target is read and checked before the push: CALL [rSP] uses rSP as it was.
    const indirect = target.kind === "relative" ? undefined : indirectTarget(e, target);
    if (!indirect && e.mode === "legacy") e.checkTarget(e.let(target.target()));
    e.push(e.truncate(e.nextRip(), e.operandWidth));
    if (indirect) e.goto(indirect);
    else e.jump(target);
  },
});

/** RET near, with or without releasing arguments. */
export const ret = define({
  reference: "SDM 2B RET",
  operands: { argumentBytes: "r" },
  ends: true,
  hot: true,
  emit(e, operands: { readonly argumentBytes?: OperandHandle }) {
    const { argumentBytes } = operands;
    const target = e.let(e.extend(e.stackTop(e.operandWidth), 64));
    e.checkTarget(target);
    const slot = e.operandWidth / 8;
    e.release(argumentBytes ? e.add(e.extend(argumentBytes.read(), 64), e.constant(64, slot)) : slot);
    e.goto(target);
  },
});

/** Jcc: jump if a condition holds. */
export const jccDefinitions = perCondition("j", (code, reads) =>
  define({
    reference: "SDM 2A Jcc",
    operands: { target: "r" },
    flags: { reads },
    ends: true,
    hot: true,
    emit: (e, { target }) => e.branch(e.flags.condition(code), target),
  }),
);

/** SETcc: a byte that is 1 if a condition holds and 0 otherwise. */
export const setDefinitions = perCondition("set", (code, reads) =>
  define({
    reference: "SDM 2B SETcc",
    operands: { dst: "w" },
    flags: { reads },
    emit: (e, { dst }) => dst.write(e.truncate(e.flags.condition(code), 8)),
  }),
);

/** LOOP, LOOPE, LOOPNE: counts rCX down at the address size, and branches while it is not zero (and ZF is as wanted). */
function countedLoop(wantedZero?: 0 | 1) {
  return define({
    reference: "SDM 2A LOOP/LOOPcc",
    operands: { target: "r" },
    ...(wantedZero === undefined ? {} : { flags: { reads: "ZF" } }),
    ends: true,
    emit(e, { target }) {
      const counter = e.gpr("rcx", e.addressWidth);
      const left = e.let(e.sub(counter.read(), e.constant(e.addressWidth, 1)));
      const isLeft = e.ne(left, e.constant(e.addressWidth, 0));
      const isWanted = wantedZero === undefined ? isLeft : e.and(isLeft, wantedZero ? e.flags.zero() : e.eqz(e.flags.zero()));
      const taken = e.let(isWanted);
      // A target beyond the limit of CS faults with the counter as it was.
      if (e.mode === "legacy") e.if(taken, () => e.checkTarget(e.let(target.target())));
      counter.write(left);
      e.branch(taken, target);
    },
  });
}
export const loop = countedLoop();
export const loope = countedLoop(1);
export const loopne = countedLoop(0);

/** JCXZ, JECXZ, JRCXZ: jump if rCX, at the address size, is zero. */
export const jcxz = define({
  reference: "SDM 2A Jcc",
  operands: { target: "r" },
  ends: true,
  emit: (e, { target }) => e.branch(e.eqz(e.gpr("rcx", e.addressWidth).read()), target),
});

/** BOUND: #BR unless a signed index lies within the two bounds in memory. */
export const bound = define({
  reference: "SDM 2A BOUND",
  operands: { index: "r", bounds: "a" },
  emit(e, { index: operand, bounds }) {
    const width = operand.width as 16 | 32;
    const index = operand.read();
    const lower = bounds.part(0, width, "r").read();
    const upper = bounds.part(width / 8, width, "r").read();
    e.if(e.or(e.ltS(index, lower), e.gtS(index, upper)), () => e.fault("BR"));
  },
});

export const controlDefinitions = {
  jmp,
  call,
  ret,
  loop,
  loope,
  loopne,
  jcxz,
  bound,
  ...jccDefinitions,
  ...setDefinitions,
};
