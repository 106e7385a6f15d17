// Stack and control instructions, environment and state. SDM Vol. 1, 8.1.10, 8.3.11 and 8.5.
import type { Value } from "../../emit/value.ts";
import {
  assembledStatus,
  EXCEPTIONS,
  Fsw,
  initialize,
  markEmpty,
  moveTop,
  physical,
  setConditions,
  setControl,
  setStatus,
  stackSlot,
  storeSlot,
  summarize,
} from "../../helpers/x87/registers.ts";
import { type Definition, define } from "../define.ts";
import type { Emitter, OperandHandle } from "../emitter.ts";
import { recordPointers } from "./common.ts";

const CR0_PE = 1;
const CR0_MP = 1 << 1;
const CR0_TS = 1 << 3;
const RFLAGS_VM = 1 << 17;

/** FINCSTP, FDECSTP: only TOP moves; the tags stay. */
function rotate(reference: string, by: 1 | -1): Definition {
  return define({
    reference,
    unit: "x87",
    emit(e) {
      recordPointers(e);
      moveTop(e, by);
      setConditions(e, Fsw.C1, e.constant(32, 0));
    },
  });
}

/** FFREE: ST(i) becomes empty. FFREEP pops, too. */
function free(reference: string, pops: boolean): Definition {
  return define({
    reference,
    operands: { register: "w" },
    unit: "x87",
    emit(e, { register }) {
      recordPointers(e);
      markEmpty(e, physical(e, register.number()));
      if (pops) {
        markEmpty(e, e.get("ftop"));
        moveTop(e, 1);
      }
      setConditions(e, Fsw.C1, e.constant(32, 0));
    },
  });
}

/** FNENI, FNDISI, FNSETPM: instructions of the 8087 and 80287 that have done nothing since. SDM Vol. 1, 8.3.11. */
const ignored = define({ reference: "SDM 1 8.3.11", unit: "x87-nowait", emit() {} });

/** FNINIT. */
const fninit = define({ reference: "SDM 2A FINIT/FNINIT", unit: "x87-nowait", emit: (e) => initialize(e) });

/** FNCLEX: clears the exception flags, ES, SF and B. */
const fnclex = define({
  reference: "SDM 2A FCLEX/FNCLEX",
  unit: "x87-nowait",
  emit(e) {
    e.set("fsw", e.and(e.get("fsw"), e.constant(32, ~(EXCEPTIONS | Fsw.SF | Fsw.ES | Fsw.B))));
  },
});

/** FLDCW: an exception that is flagged and no longer masked becomes pending. */
const fldcw = define({
  reference: "SDM 2A FLDCW",
  operands: { src: "r" },
  unit: "x87",
  emit(e, { src }) {
    setControl(e, e.extend(src.read(), 32));
    summarize(e);
  },
});

/** FNSTCW. */
const fnstcw = define({
  reference: "SDM 2A FSTCW/FNSTCW",
  operands: { dst: "w" },
  unit: "x87-nowait",
  emit: (e, { dst }) => dst.write(e.truncate(e.get("fcw"), 16)),
});

/** FNSTSW: to memory or AX. */
const fnstsw = define({
  reference: "SDM 2A FSTSW/FNSTSW",
  operands: { dst: "w" },
  unit: "x87-nowait",
  emit: (e, { dst }) => dst.write(e.truncate(assembledStatus(e), 16)),
});

/** FWAIT: raises the pending exception. Unlike the other instructions it asks CR0.MP whether CR0.TS matters, and never CR0.EM. */
const fwait = define({
  reference: "SDM 2D WAIT/FWAIT",
  emit(e) {
    const wanted = CR0_MP | CR0_TS;
    const cr0 = e.truncate(e.get("cr0"), 32);
    e.if(e.eq(e.and(cr0, e.constant(32, wanted)), e.constant(32, wanted)), () => e.fault("NM"));
    e.if(e.and(e.get("fsw"), e.constant(32, Fsw.ES)), () => e.fault("MF"));
  },
});

/** FNOP waits like any other. */
const fnop = define({ reference: "SDM 2A FNOP", unit: "x87", emit: (e) => recordPointers(e) });

// ---- environment: SDM Vol. 1, figures 8-9 to 8-12 ----

interface Format {
  /** bytes of a field, and of the whole */
  readonly unit: 2 | 4;
  readonly byteLength: 14 | 28;
}

function formatOf(e: Emitter): Format {
  return e.operandWidth === 16 ? { unit: 2, byteLength: 14 } : { unit: 4, byteLength: 28 };
}

/** Whether addresses are stored in the form of real-address and virtual-8086 mode: as 20- or 32-bit linear addresses. */
function usesRealFormat(e: Emitter): Value {
  const real = e.eqz(e.and(e.truncate(e.get("cr0"), 32), e.constant(32, CR0_PE)));
  return e.or(real, e.ne(e.and(e.get("rflags"), e.constant(32, RFLAGS_VM)), e.constant(32, 0)));
}

/** selector * 16 + offset, 32 bits. */
function linear(e: Emitter, selector: "fcs" | "fds", offset: "fip" | "fdp"): Value {
  return e.let(e.add(e.shl(e.get(selector), e.constant(32, 4)), e.truncate(e.get(offset), 32)));
}

/** The four pointer words (of `unit` bytes) as the running mode stores them. */
function pointerWords(e: Emitter, unit: 2 | 4): readonly Value[] {
  const variables = [0, 1, 2, 3].map(() => e.declare("i32", 32));
  const assign = (values: readonly Value[]): void => values.forEach((value, index) => variables[index]?.set(value));
  const ones = e.constant(32, 0xffff_0000);
  const low16 = (value: Value): Value => e.and(value, e.constant(32, 0xffff));
  const reserved = (value: Value): Value => (unit === 4 ? e.or(low16(value), ones) : value);
  // The high part of a linear address goes to bits 12 and up: 4 bits of it in the 16-bit format, 16 in the other.
  const high = (value: Value): Value =>
    e.shl(e.and(e.shrU(value, e.constant(32, 16)), e.constant(32, unit === 4 ? 0xffff : 0xf)), e.constant(32, 12));
  const storeReal = (): void => {
    const instruction = linear(e, "fcs", "fip");
    const data = linear(e, "fds", "fdp");
    assign([reserved(instruction), e.or(high(instruction), e.get("fop")), reserved(data), high(data)]);
  };
  const storeProtected = (): void => {
    const selector = unit === 4 ? e.or(low16(e.get("fcs")), e.shl(e.get("fop"), e.constant(32, 16))) : e.get("fcs");
    assign([e.truncate(e.get("fip"), 32), selector, e.truncate(e.get("fdp"), 32), reserved(e.get("fds"))]);
  };
  if (e.mode === "long") storeProtected();
  else e.if(usesRealFormat(e), storeReal, storeProtected);
  return variables.map((variable) => e.let(variable.get()));
}

/** Writes the environment; the memory has been probed. */
function storeEnvironment(e: Emitter, destination: OperandHandle, { unit }: Format): void {
  const control = e.get("fcw");
  const status = assembledStatus(e);
  const tags = e.helper("x87_full_tags", [], 32);
  const word = (index: number, value: Value): void => {
    const width = unit === 4 ? 32 : 16;
    destination.part(index * unit, width, "w").write(e.truncate(value, width));
  };
  // Processors fill the upper halves of the 32-bit format with ones.
  [control, status, tags].forEach((value, index) => {
    word(index, unit === 4 ? e.or(value, e.constant(32, 0xffff_0000)) : value);
  });
  pointerWords(e, unit).forEach((value, index) => word(index + 3, value));
}

/** Reads the environment: all of it before anything changes. */
function loadEnvironment(e: Emitter, source: OperandHandle, { unit }: Format): void {
  const width = unit === 4 ? 32 : 16;
  const words = Array.from({ length: 7 }, (_, index) =>
    e.let(e.extend(source.part(index * unit, width, "r").read(), 32)),
  );
  const [control, status, tags, ip, cs, dp, ds] = words;
  if (!control || !status || !tags || !ip || !cs || !dp || !ds) return;
  const low16 = (value: Value): Value => e.and(value, e.constant(32, 0xffff));
  const setPointers = (fip: Value, fcs: Value, fop: Value, fdp: Value, fds: Value): void => {
    e.set("fip", e.extend(fip, 64));
    e.set("fcs", fcs);
    e.set("fop", e.and(fop, e.constant(32, 0x7ff)));
    e.set("fdp", e.extend(fdp, 64));
    e.set("fds", fds);
  };
  const zero = (): Value => e.constant(32, 0);
  const high = (value: Value): Value =>
    e.shl(e.and(e.shrU(value, e.constant(32, 12)), e.constant(32, unit === 4 ? 0xffff : 0xf)), e.constant(32, 16));
  const loadReal = (): void => {
    setPointers(e.or(low16(ip), high(cs)), zero(), cs, e.or(low16(dp), high(ds)), zero());
  };
  const loadProtected = (): void => {
    setPointers(ip, low16(cs), unit === 4 ? e.shrU(cs, e.constant(32, 16)) : zero(), dp, low16(ds));
  };
  setControl(e, control);
  e.helperVoid("x87_set_tags", [tags]);
  setStatus(e, low16(status));
  if (e.mode === "long") loadProtected();
  else e.if(usesRealFormat(e), loadReal, loadProtected);
}

/** FNSTENV: stores the environment and masks all exceptions. */
const fnstenv = define({
  reference: "SDM 2A FSTENV/FNSTENV",
  operands: { dst: "a" },
  unit: "x87-nowait",
  emit(e, { dst }) {
    const format = formatOf(e);
    probeEnds(dst, format.unit, format.byteLength, "w");
    storeEnvironment(e, dst, format);
    e.set("fcw", e.or(e.get("fcw"), e.constant(32, EXCEPTIONS)));
    summarize(e);
  },
});

/** FLDENV. */
const fldenv = define({
  reference: "SDM 2A FLDENV",
  operands: { src: "a" },
  unit: "x87",
  emit(e, { src }) {
    const format = formatOf(e);
    probeEnds(src, format.unit, format.byteLength, "r");
    loadEnvironment(e, src, format);
  },
});

/**
 * Faults now if any byte of an environment or state could not be accessed later. Processors touch the first field and then the last
 * byte, which is what CR2 tells.
 */
function probeEnds(operand: OperandHandle, unit: number, byteLength: number, access: "r" | "w"): void {
  operand.probe(unit, access);
  operand.part(byteLength - 1, 8, access).probe(1, access);
}

/**
 * Calls `body` for each of ST(0)..ST(7) with the slot and the byte offset in the image. Words are moved one by one: the
 * registers are not aligned, and no processor raises #AC for them.
 */
function forEachRegister(e: Emitter, { byteLength }: Format, body: (at: Value, offset: Value) => void): void {
  const i = e.variable(e.constant(32, 0));
  e.loop((again) => {
    const number = e.let(i.get());
    const offset = e.let(e.add(e.mul(number, e.constant(32, 10)), e.constant(32, byteLength)));
    body(stackSlot(e, number), e.let(e.extend(offset, 64)));
    i.set(e.add(number, e.constant(32, 1)));
    e.continue(again, e.ltU(i.get(), e.constant(32, 8)));
  });
}

/** FNSAVE: stores environment and registers, then initializes. */
const fnsave = define({
  reference: "SDM 2A FSAVE/FNSAVE",
  operands: { dst: "a" },
  unit: "x87-nowait",
  emit(e, { dst }) {
    const format = formatOf(e);
    probeEnds(dst, format.unit, format.byteLength + 80, "w");
    storeEnvironment(e, dst, format);
    forEachRegister(e, format, (at, offset) => {
      for (let byte = 0; byte < 10; byte += 2) {
        dst.part(e.add(offset, e.constant(64, byte)), 16, "w").write(e.let(e.loadOffset(16, at, byte)));
      }
    });
    initialize(e);
  },
});

/** FRSTOR. */
const frstor = define({
  reference: "SDM 2A FRSTOR",
  operands: { src: "a" },
  unit: "x87",
  emit(e, { src }) {
    const format = formatOf(e);
    probeEnds(src, format.unit, format.byteLength + 80, "r");
    loadEnvironment(e, src, format);
    forEachRegister(e, format, (at, offset) => {
      const words = [0, 2, 4, 6, 8].map((byte) =>
        e.extend(src.part(e.add(offset, e.constant(64, byte)), 16, "r").read(), 64),
      );
      const top = e.truncate(words.pop() ?? e.constant(64, 0n), 16);
      const significand = words.reduceRight((sum, word) => e.or(e.shl(sum, e.constant(64, 16)), word));
      storeSlot(e, at, top, significand);
    });
  },
});

export const x87ControlDefinitions = {
  fincstp: rotate("SDM 2A FINCSTP", 1),
  fdecstp: rotate("SDM 2A FDECSTP", -1),
  ffree: free("SDM 2A FFREE", false),
  ffreep: free("APM 5 FFREEP", true),
  fneni: ignored,
  fndisi: ignored,
  fnsetpm: ignored,
  fninit,
  fnclex,
  fldcw,
  fnstcw,
  fnstsw,
  fwait,
  fnop,
  fnstenv,
  fldenv,
  fnsave,
  frstor,
} as const;
