import { invariant } from "../../runtime/abi/invariant.ts";
import type { Value } from "../emit/value.ts";
import { EXCEPTIONS, Fcw } from "../helpers/x87/registers.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { arithmetic, changeSign, comparison, comparisonToFlags, examine, unary } from "./x87-arithmetic.ts";
import {
  constantOf,
  type Context,
  type Emit,
  INTEGER_BIT,
  readSource,
  SIGN,
  SPECIAL,
  stackNumber,
} from "./x87-context.ts";
import {
  conditionalMove,
  exchange,
  load,
  loadConstant,
  loadReal,
  loadRounded,
  store,
  storeInteger,
} from "./x87-transfer.ts";

/*
 * Instructions of the x87 as the translator has them: the common case, in which no exception but PE is raised, on the registers that
 * X87State keeps in locals. What is not common (NaNs, infinities, denormals, stack faults) leaves the region before the instruction.
 */

// ---- control ----

/** FINCSTP, FDECSTP. */
function rotate(by: 1 | -1): Emit {
  return ({ x87 }) => {
    x87.move(by);
    x87.status.clearC1();
  };
}

function free(pops: 0 | 1): Emit {
  return (context) => {
    const { x87 } = context;
    x87.mark(stackNumber(context, 0), false);
    if (pops === 1) x87.pop();
    x87.status.clearC1();
  };
}

/** FLDCW: with all exceptions masked, as they are. */
const loadControl: Emit = ({ e, x87, memory }) => {
  invariant(memory !== undefined, "FLDCW reads memory");
  const control = e.let(e.extend(memory.read(), 32));
  const masks = e.and(control, e.constant(32, EXCEPTIONS));
  e.if(e.unlikely(e.ne(masks, e.constant(32, EXCEPTIONS))), () => e.giveUp());
  e.set("fcw", e.or(e.and(control, e.constant(32, Fcw.WRITABLE)), e.constant(32, Fcw.FIXED)));
  x87.forgetControl();
};

function storeWord({ memory, general }: Context, value: Value): void {
  (memory ?? general)?.write(value);
}

/** Instructions that set FIP, and FDP if they have an operand in memory. */
const RECORDING: Readonly<Record<string, Emit>> = {
  fadd: arithmetic("add", 0),
  faddp: arithmetic("add", 1),
  fiadd: arithmetic("add", 0, true),
  fsub: arithmetic("sub", 0),
  fsubp: arithmetic("sub", 1),
  fisub: arithmetic("sub", 0, true),
  fsubr: arithmetic("subr", 0),
  fsubrp: arithmetic("subr", 1),
  fisubr: arithmetic("subr", 0, true),
  fmul: arithmetic("mul", 0),
  fmulp: arithmetic("mul", 1),
  fimul: arithmetic("mul", 0, true),
  fdiv: arithmetic("div", 0),
  fdivp: arithmetic("div", 1),
  fidiv: arithmetic("div", 0, true),
  fdivr: arithmetic("divr", 0),
  fdivrp: arithmetic("divr", 1),
  fidivr: arithmetic("divr", 0, true),
  fsqrt: unary("sqrt"),
  frndint: unary("round"),
  fchs: changeSign((e, top) => e.xor(top, e.constant(32, SIGN))),
  fabs: changeSign((e, top) => e.and(top, e.constant(32, SPECIAL))),
  fxam: examine,
  fcom: comparison(0, (context) => readSource(context, 1, false)),
  fcomp: comparison(1, (context) => readSource(context, 1, false)),
  fcompp: comparison(2, ({ x87 }) => x87.read(1)),
  // Signalling and quiet comparisons differ for NaNs only.
  fucom: comparison(0, (context) => readSource(context, 1, false)),
  fucomp: comparison(1, (context) => readSource(context, 1, false)),
  fucompp: comparison(2, ({ x87 }) => x87.read(1)),
  ficom: comparison(0, (context) => readSource(context, 1, true)),
  ficomp: comparison(1, (context) => readSource(context, 1, true)),
  ftst: comparison(0, ({ e }) => constantOf(e, 0, 0n)),
  fcomi: comparisonToFlags(0),
  fcomip: comparisonToFlags(1),
  fucomi: comparisonToFlags(0),
  fucomip: comparisonToFlags(1),
  fld: loadReal,
  fild: load((context) => readSource(context, 0, true)),
  fld1: loadConstant(0x3fff, INTEGER_BIT),
  fldz: loadConstant(0, 0n),
  fldl2t: loadRounded(0x4000, 0xd49a_784b_cd1b_8afen),
  fldl2e: loadRounded(0x3fff, 0xb8aa_3b29_5c17_f0bcn),
  fldpi: loadRounded(0x4000, 0xc90f_daa2_2168_c235n),
  fldlg2: loadRounded(0x3ffd, 0x9a20_9a84_fbcf_f799n),
  fldln2: loadRounded(0x3ffe, 0xb172_17f7_d1cf_79acn),
  fst: store(0),
  fstp: store(1),
  fist: storeInteger(0, false),
  fistp: storeInteger(1, false),
  fisttp: storeInteger(1, true),
  fxch: exchange,
  fcmovb: conditionalMove("b"),
  fcmove: conditionalMove("e"),
  fcmovbe: conditionalMove("be"),
  fcmovu: conditionalMove("p"),
  fcmovnb: conditionalMove("ae"),
  fcmovne: conditionalMove("ne"),
  fcmovnbe: conditionalMove("a"),
  fcmovnu: conditionalMove("np"),
  fincstp: rotate(1),
  fdecstp: rotate(-1),
  ffree: free(0),
  ffreep: free(1),
  fnop: () => undefined,
};

/** Control instructions, which leave the pointers alone. */
const CONTROL: Readonly<Record<string, Emit>> = {
  fldcw: loadControl,
  fnstcw: (context) => storeWord(context, context.e.truncate(context.e.get("fcw"), 16)),
  fnstsw: (context) => storeWord(context, context.e.truncate(context.x87.assembledStatus(), 16)),
  fnclex: ({ x87 }) => x87.status.clearExceptions(),
};

/** Whether there is a translation of an instruction of the x87. */
export function translatesX87({ mnemonic }: Instruction): boolean {
  return mnemonic in RECORDING || mnemonic in CONTROL;
}

/** Emits an instruction of the x87 that stands at an offset of its page. */
export function emitX87(
  e: TranslatorEmitter,
  instruction: Instruction,
  offset: number,
  operands: Pick<Context, "memory" | "general">,
): void {
  const { mnemonic } = instruction;
  const { x87 } = e;
  const context: Context = { e, x87, instruction, ...operands };
  x87.use();
  const recording = RECORDING[mnemonic];
  if (recording) {
    recording(context);
    x87.recordPointers(offset, context.memory?.address());
  } else {
    CONTROL[mnemonic]?.(context);
  }
}
