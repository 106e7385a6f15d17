import { Segment } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import { perCondition } from "./conditions.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { stackMask } from "./stack.ts";

/** #GP(0) before anything changes if a direct branch would leave the code segment; 64-bit code cannot. */
function checkRelative(e: Emitter, target: OperandHandle): void {
  if (e.mode === "legacy") e.checkTarget(e.let(target.target()));
}

/** Branches, if `condition`, to a target that is checked first. */
function branchChecked(e: Emitter, condition: Value, target: OperandHandle, before?: () => void): void {
  const taken = e.let(condition);
  if (e.mode === "legacy") e.if(taken, () => checkRelative(e, target));
  before?.();
  e.branch(taken, target);
}

/** JMP near, direct and indirect. */
export const jmp = define({
  reference: "SDM 2A JMP",
  operands: { target: "r" },
  ends: true,
  hot: true,
  emit(e, { target }) {
    if (target.kind === "relative") {
      checkRelative(e, target);
      e.jump(target);
    } else {
      const rip = e.let(e.extend(target.read(), 64));
      e.checkTarget(rip);
      e.goto(rip);
    }
  },
});

/** CALL near, direct and indirect. */
export const call = define({
  reference: "SDM 2A CALL",
  operands: { target: "r" },
  ends: true,
  hot: true,
  emit(e, { target }) {
    // The target is read before the push: CALL [rSP] uses rSP as it was.
    const rip = target.kind === "relative" ? undefined : e.let(e.extend(target.read(), 64));
    const returnRip = e.truncate(e.nextRip(), e.operandWidth);
    if (e.mode === "legacy") {
      // A push that would fault comes before a target beyond the limit.
      const bytes = e.operandWidth / 8;
      const top = e.sub(e.gpr("rsp", 64).read(), e.constant(64, bytes));
      e.memory(Segment.SS, stackMask(e)(top), e.operandWidth, "w").probe(bytes, "w");
      e.checkTarget(rip ?? e.let(target.target()));
    } else if (rip) e.checkTarget(rip);
    e.push(returnRip);
    if (rip) e.goto(rip);
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
    emit: (e, { target }) => branchChecked(e, e.flags.condition(code), target),
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
      const isWanted =
        wantedZero === undefined ? isLeft : e.and(isLeft, wantedZero ? e.flags.zero() : e.eqz(e.flags.zero()));
      branchChecked(e, isWanted, target, () => counter.write(left));
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
  emit: (e, { target }) => branchChecked(e, e.eqz(e.gpr("rcx", e.addressWidth).read()), target),
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
