// Basic arithmetic and comparison. SDM Vol. 1, 8.3.5 and 8.3.6.
import type { ArithmeticName } from "../../helpers/x87/arithmetic.ts";
import { isStackEmpty, ScratchSlot, scratchSlot, stackSlot, storeSlot } from "../../helpers/x87/registers.ts";
import { type Definition, define } from "../define.ts";
import { type MemoryKind, recordPointers, widen } from "./common.ts";

/** FADD and the like: destination (operation) source, where one of the two is ST(0) and the other ST(i) or memory. */
function arithmetic(reference: string, name: ArithmeticName, pops: 0 | 1, kind: MemoryKind = "real"): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r" },
    unit: "x87",
    emit(e, { dst, src }) {
      if (src.kind === "memory") {
        const source = widen(e, src, kind);
        recordPointers(e, src);
        e.helperVoid(`x87_${name}_memory`, [source]);
      } else {
        recordPointers(e);
        e.helperVoid(`x87_${name}_register`, [dst.number(), src.number(), e.constant(32, pops)]);
      }
    },
  });
}

/** FCOM and the like: ST(0) with ST(i) or memory. `signalling`: any NaN is invalid; otherwise only a signalling one. */
function comparison(reference: string, signalling: boolean, pops: 0 | 1, kind: MemoryKind = "real"): Definition {
  return define({
    reference,
    operands: { left: "r", right: "r" },
    unit: "x87",
    emit(e, { right }) {
      const memory = right.kind === "memory";
      const i = memory ? undefined : e.let(right.number());
      const source = i ? stackSlot(e, i) : widen(e, right, kind);
      const empty = i ? isStackEmpty(e, i) : e.constant(32, 0);
      recordPointers(e, right);
      e.helperVoid("x87_compare", [source, empty, e.constant(32, signalling ? 1 : 0), e.constant(32, pops)]);
    },
  });
}

/** FCOMPP and FUCOMPP: ST(0) with ST(1), and both are popped. */
function comparisonOfTwo(reference: string, signalling: boolean): Definition {
  return define({
    reference,
    unit: "x87",
    emit(e) {
      recordPointers(e);
      const operands = [stackSlot(e, 1), isStackEmpty(e, 1), e.constant(32, signalling ? 1 : 0), e.constant(32, 2)];
      e.helperVoid("x87_compare", operands);
    },
  });
}

/** FCOMI and the like: the result goes to RFLAGS. */
function comparisonToFlags(reference: string, signalling: boolean, pops: 0 | 1): Definition {
  return define({
    reference,
    operands: { left: "r", right: "r" },
    flags: { writes: "OF SF ZF AF PF CF" },
    unit: "x87",
    emit(e, { right }) {
      recordPointers(e);
      const operands = [right.number(), e.constant(32, signalling ? 1 : 0), e.constant(32, pops)];
      e.flags.setWord(e.helper("x87_compare_flags", operands, 32));
    },
  });
}

/** FTST: compares ST(0) with 0.0. SDM Vol. 2A, "FTST". */
const ftst = define({
  reference: "SDM 2A FTST",
  unit: "x87",
  emit(e) {
    recordPointers(e);
    const zero = scratchSlot(e, ScratchSlot.VALUE);
    storeSlot(e, zero, e.constant(16, 0), e.constant(64, 0));
    e.helperVoid("x87_compare", [zero, e.constant(32, 0), e.constant(32, 1), e.constant(32, 0)]);
  },
});

const ADD = "SDM 2A FADD/FADDP/FIADD";
const SUB = "SDM 2A FSUB/FSUBP/FISUB";
const SUBR = "SDM 2A FSUBR/FSUBRP/FISUBR";
const MUL = "SDM 2A FMUL/FMULP/FIMUL";
const DIV = "SDM 2A FDIV/FDIVP/FIDIV";
const DIVR = "SDM 2A FDIVR/FDIVRP/FIDIVR";
const COM = "SDM 2A FCOM/FCOMP/FCOMPP";
const UCOM = "SDM 2A FUCOM/FUCOMP/FUCOMPP";
const COMI = "SDM 2A FCOMI/FCOMIP/FUCOMI/FUCOMIP";

export const x87ArithmeticDefinitions = {
  fadd: arithmetic(ADD, "add", 0),
  faddp: arithmetic(ADD, "add", 1),
  fiadd: arithmetic(ADD, "add", 0, "integer"),
  fsub: arithmetic(SUB, "sub", 0),
  fsubp: arithmetic(SUB, "sub", 1),
  fisub: arithmetic(SUB, "sub", 0, "integer"),
  fsubr: arithmetic(SUBR, "subr", 0),
  fsubrp: arithmetic(SUBR, "subr", 1),
  fisubr: arithmetic(SUBR, "subr", 0, "integer"),
  fmul: arithmetic(MUL, "mul", 0),
  fmulp: arithmetic(MUL, "mul", 1),
  fimul: arithmetic(MUL, "mul", 0, "integer"),
  fdiv: arithmetic(DIV, "div", 0),
  fdivp: arithmetic(DIV, "div", 1),
  fidiv: arithmetic(DIV, "div", 0, "integer"),
  fdivr: arithmetic(DIVR, "divr", 0),
  fdivrp: arithmetic(DIVR, "divr", 1),
  fidivr: arithmetic(DIVR, "divr", 0, "integer"),

  fcom: comparison(COM, true, 0),
  fcomp: comparison(COM, true, 1),
  fcompp: comparisonOfTwo(COM, true),
  fucom: comparison(UCOM, false, 0),
  fucomp: comparison(UCOM, false, 1),
  fucompp: comparisonOfTwo(UCOM, false),
  ficom: comparison("SDM 2A FICOM/FICOMP", true, 0, "integer"),
  ficomp: comparison("SDM 2A FICOM/FICOMP", true, 1, "integer"),
  fcomi: comparisonToFlags(COMI, true, 0),
  fcomip: comparisonToFlags(COMI, true, 1),
  fucomi: comparisonToFlags(COMI, false, 0),
  fucomip: comparisonToFlags(COMI, false, 1),
  ftst,
} as const;
