import { Rflags, Segment } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { requireCanonical, setWholeFlags, wholeFlags } from "./system-checks.ts";

// Far transfers, interrupts and system calls. SDM Vol. 3A, 5.8 and chapter 6; the checks are in runtime/cpu.

/** Operand size in bytes, as call-outs take it. */
function operandBytes(e: Emitter): Value {
  return e.constant(64, e.operandWidth / 8);
}

/** Selector and offset of a far pointer in the instruction or in memory. */
function farPointer(e: Emitter, target: OperandHandle): readonly [selector: Value, offset: Value] {
  if (target.kind === "far") return [target.selector(), target.read()];
  const offset = target.part(0, e.operandWidth, "r").read();
  return [target.part(e.operandWidth / 8, 16, "r").read(), offset];
}

/** JMP far. */
export const farJump = define({
  reference: "SDM 2A JMP",
  operands: { target: "a" },
  ends: true,
  interpreterOnly: true,
  emit: (e, { target }) => void e.callOut("farJump", ...farPointer(e, target), operandBytes(e)),
});

/** CALL far. */
export const farCall = define({
  reference: "SDM 2A CALL",
  operands: { target: "a" },
  ends: true,
  interpreterOnly: true,
  emit: (e, { target }) => void e.callOut("farCall", ...farPointer(e, target), operandBytes(e)),
});

/** RET far, with or without releasing arguments. */
export const retf = define({
  reference: "SDM 2B RET",
  operands: { argumentBytes: "r" },
  ends: true,
  interpreterOnly: true,
  emit(e, operands: { readonly argumentBytes?: OperandHandle }) {
    e.callOut("farReturn", operandBytes(e), operands.argumentBytes?.read() ?? e.constant(64, 0n));
  },
});

/** IRET, IRETD, IRETQ. */
export const iret = define({
  reference: "SDM 2A IRET/IRETD/IRETQ",
  flags: { reads: "OF SF ZF AF PF CF", mayWrite: "OF SF ZF AF PF CF" },
  ends: true,
  interpreterOnly: true,
  emit: (e) => void e.callOut("iret", operandBytes(e)),
});

const INTERRUPT = { flags: { reads: "OF SF ZF AF PF CF" }, interpreterOnly: true } as const;

/** INT n: software interrupt. */
export const int = define({
  ...INTERRUPT,
  reference: "SDM 2A INT n/INTO/INT3/INT1",
  operands: { vector: "r" },
  ends: true,
  emit: (e, { vector }) => void e.callOut("int", vector.read()),
});

/** INT3: breakpoint. */
export const int3 = define({
  ...INTERRUPT,
  reference: "SDM 2A INT n/INTO/INT3/INT1",
  ends: true,
  emit: (e) => void e.callOut("int3"),
});

/** INT1: debug trap without a breakpoint. */
export const int1 = define({
  ...INTERRUPT,
  reference: "SDM 2A INT n/INTO/INT3/INT1",
  ends: true,
  emit: (e) => void e.callOut("int1"),
});

/** INTO: overflow interrupt if OF is set. */
export const into = define({
  ...INTERRUPT,
  reference: "SDM 2A INT n/INTO/INT3/INT1",
  emit: (e) => e.if(e.flags.overflow(), () => void e.callOut("into")),
});

// ---- system calls ----

const EFER_SCE = 1;
const CODE64 = 0xa09b;
const DATA = 0xc093;
const DPL3 = 0x60;

/** Loads CS or SS with a flat segment, without looking at a descriptor. */
function setFlatSegment(e: Emitter, segment: number, selector: Value, attributes: number): void {
  e.set("segmentSelector", selector, segment);
  e.set("segmentBase", e.constant(64, 0n), segment);
  e.set("segmentLimit", e.constant(32, -1), segment);
  e.set("segmentAttributes", e.constant(32, attributes), segment);
}

/** Sets CPL, CS and SS for flat 64-bit code, and with them the TLB bank. */
function enterLevel(e: Emitter, level: 0 | 3, selectors: { readonly code: Value; readonly stack: Value }): void {
  const dpl = level === 3 ? DPL3 : 0;
  setFlatSegment(e, Segment.CS, selectors.code, CODE64 | dpl);
  setFlatSegment(e, Segment.SS, selectors.stack, DATA | dpl);
  e.set("cpl", e.constant(32, level));
  e.helperVoid("select_tlb", []);
}

function requireSystemCalls(e: Emitter): void {
  e.if(e.eqz(e.and(e.truncate(e.get("efer"), 32), e.constant(32, EFER_SCE))), () => e.fault("UD"));
}

/** Bits of IA32_STAR from `shift` on, plus `add`: a selector. */
function starSelector(e: Emitter, shift: number, add: number, mask: number): Value {
  const field = e.truncate(e.shrU(e.get("star"), e.constant(64, shift)), 32);
  return e.and(e.add(field, e.constant(32, add)), e.constant(32, mask));
}

/**
 * SYSCALL: fast system call to level 0. 64-bit mode only: as on Intel's processors it is undefined elsewhere.
 *
 * LSTAR is canonical, because WRMSR checks it.
 */
export const syscall = define({
  reference: "SDM 2B SYSCALL",
  flags: { reads: "OF SF ZF AF PF CF", writes: "OF SF ZF AF PF CF" },
  ends: true,
  emit(e) {
    requireSystemCalls(e);
    const before = wholeFlags(e);
    e.gpr("rcx", 64).write(e.nextRip());
    const saved = e.and(before, e.constant(32, ~Rflags.RF));
    e.gpr("r11", 64).write(e.extend(saved, 64));
    const mask = e.or(e.truncate(e.get("fmask"), 32), e.constant(32, Rflags.RF));
    setWholeFlags(e, e.and(before, e.not(mask)));
    enterLevel(e, 0, { code: starSelector(e, 32, 0, 0xfffc), stack: starSelector(e, 32, 8, 0xffff) });
    const entry = e.get("lstar");
    // With the trap flag the machine must see which flag decides.
    e.if(e.and(before, e.constant(32, Rflags.TF)), () => void e.callOut("resumeAt", entry));
    e.goto(entry);
  },
});

/** Flags that SYSRET takes from R11. */
const SYSRET_FLAGS = 0x3c_7fd7;

/** SYSRET: return from a fast system call to level 3, in 64-bit or (without REX.W) compatibility mode. */
export const sysret = define({
  reference: "SDM 2B SYSRET",
  flags: { writes: "OF SF ZF AF PF CF" },
  ends: true,
  emit(e) {
    requireSystemCalls(e);
    e.requirePrivilege();
    if (e.operandWidth !== 64) {
      e.callOut("sysretCompatibility");
      return;
    }
    const target = e.gpr("rcx", 64).read();
    requireCanonical(e, target);
    const flags = e.let(e.and(e.truncate(e.gpr("r11", 64).read(), 32), e.constant(32, SYSRET_FLAGS)));
    setWholeFlags(e, flags);
    // The selectors always get RPL 3.
    const code = e.or(starSelector(e, 48, 16, 0xffff), e.constant(32, 3));
    const stack = e.or(starSelector(e, 48, 8, 0xffff), e.constant(32, 3));
    enterLevel(e, 3, { code, stack });
    const interruptible = e.and(
      e.ne(e.get("pendingEvents"), e.constant(32, 0)),
      e.and(e.shrU(flags, e.constant(32, 9)), e.constant(32, 1)),
    );
    const trap = e.and(e.shrU(flags, e.constant(32, 8)), e.constant(32, 1));
    e.if(e.or(interruptible, trap), () => void e.callOut("resumeAt", target));
    e.goto(target);
  },
});

/** SYSENTER. */
export const sysenter = define({
  reference: "SDM 2B SYSENTER",
  flags: { reads: "OF SF ZF AF PF CF" },
  ends: true,
  interpreterOnly: true,
  emit: (e) => void e.callOut("sysenter"),
});

/** SYSEXIT. */
export const sysexit = define({
  reference: "SDM 2B SYSEXIT",
  ends: true,
  interpreterOnly: true,
  emit: (e) => void e.callOut("sysexit", operandBytes(e)),
});

export const farDefinitions = {
  "jmp.far": farJump,
  "call.far": farCall,
  retf,
  iret,
  int,
  int3,
  int1,
  into,
  syscall,
  sysret,
  sysenter,
  sysexit,
};
