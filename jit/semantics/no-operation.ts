import { define } from "./define.ts";

/** NOP, also with an operand, which is not accessed. */
export const nop = define({
  reference: "SDM 2B NOP",
  operands: { ignored: "a" },
  hot: true,
  emit: () => undefined,
});

/** Instructions that tell the processor something it need not know: no effect that a program could see. */
function hint(reference: string) {
  return define({ reference, operands: { ignored: "a" }, emit: () => undefined });
}

/** Fences: one vCPU sees its own accesses in program order. */
export const lfence = hint("SDM 2A LFENCE");
export const sfence = hint("SDM 2B SFENCE");
export const mfence = hint("SDM 2B MFENCE");
export const pause = hint("SDM 2B PAUSE");
/** Landing pads of indirect branches; without CET they do nothing. */
export const endbr32 = hint("SDM 2A ENDBR32");
export const endbr64 = hint("SDM 2A ENDBR64");
/** Prefetches never fault. */
export const prefetch = hint("APM 3 PREFETCH");
export const prefetchw = hint("SDM 2B PREFETCHW");
export const prefetchwt1 = hint("SDM 2B PREFETCHWT1");
export const prefetchnta = hint("SDM 2B PREFETCHh");
export const prefetcht0 = hint("SDM 2B PREFETCHh");
export const prefetcht1 = hint("SDM 2B PREFETCHh");
export const prefetcht2 = hint("SDM 2B PREFETCHh");

/** Cache line writes and flushes: nothing to flush, but they fault as a one-byte load would. */
function cacheLine(reference: string) {
  return define({ reference, operands: { line: "a" }, emit: (_e, { line }) => line.probe(1, "r") });
}
export const clflush = cacheLine("SDM 2A CLFLUSH");
export const clflushopt = cacheLine("SDM 2A CLFLUSHOPT");
export const clwb = cacheLine("SDM 2A CLWB");

/** UD0, UD1, UD2: raise #UD by definition. Their operands are not accessed. */
function undefinedInstruction(reference: string) {
  return define({
    reference,
    operands: { ignored: "a", alsoIgnored: "a" },
    ends: true,
    emit: (e) => e.fault("UD"),
  });
}
export const ud0 = undefinedInstruction("SDM 2B UD");
export const ud1 = undefinedInstruction("SDM 2B UD");
export const ud2 = undefinedInstruction("SDM 2B UD");

export const noOperationDefinitions = {
  nop,
  lfence,
  sfence,
  mfence,
  pause,
  endbr32,
  endbr64,
  prefetch,
  prefetchw,
  prefetchwt1,
  prefetchnta,
  prefetcht0,
  prefetcht1,
  prefetcht2,
  clflush,
  clflushopt,
  clwb,
  ud0,
  ud1,
  ud2,
};
