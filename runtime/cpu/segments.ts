import { Segment, Vector } from "../abi/guest-state.ts";
import { bigintOf, numberOf, type CallOutTable } from "./call-out.ts";
import { Attribute, FlatSegment, SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { isNull, isTss, markAccessed, markBusy, readDescriptor, readUpperHalf, type Descriptor } from "./descriptor.ts";
import { Fault, generalProtection, invalidOpcode, selectorError } from "./fault.ts";
import { isCanonical } from "./memory-access.ts";
import type { SegmentRegister } from "./state-view.ts";

/** Loads of data segment registers and of LDTR and TR. SDM Vol. 3A, chapters 3 and 5; Vol. 2 "MOV", "LLDT", "LTR". */

/** A segment register after a load in real-address or virtual-8086 mode. SDM Vol. 3B, 20.1 and 20.2. */
export function realSegment(cpu: Cpu, segment: number, selector: number): SegmentRegister {
  const base = BigInt(selector << 4);
  if (cpu.virtual8086) return { selector, base, limit: 0xffff, attributes: FlatSegment.VIRTUAL };
  // Real mode replaces the base alone: limits set up in protected mode stay ("unreal mode").
  const { limit, attributes } = cpu.state.segment(segment);
  const keep = attributes & (Attribute.DEFAULT | Attribute.GRANULAR);
  // CS, too, becomes readable and writable (SDM Vol. 3A, table 9-1).
  return { selector, base, limit: attributes === 0 ? 0xffff : limit, attributes: FlatSegment.REAL | keep };
}

/** The null segment: unusable outside 64-bit mode. */
export function nullSegment(selector: number): SegmentRegister {
  return { selector, base: 0n, limit: 0, attributes: 0 };
}

/** Checks and fetches what a load of SS would give, at a CPL. `vector` is #GP, or #TS when a TSS supplied the selector. */
export function stackSegment(
  cpu: Cpu,
  selector: number,
  options: { cpl: number; vector?: number; external?: 0 | 1; nullAllowed?: boolean },
): SegmentRegister | Fault {
  const { cpl, vector = Vector.GP, external = 0, nullAllowed = false } = options;
  if (isNull(selector)) return nullAllowed ? nullSegment(selector) : new Fault(vector, external);
  const error = selectorError(selector, external);
  const descriptor = readDescriptor(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor || (selector & 3) !== cpl || !descriptor.writableData || descriptor.dpl !== cpl)
    return new Fault(vector, error);
  if (!descriptor.present) return new Fault(Vector.SS, error);
  const accessed = markAccessed(cpu, descriptor);
  return accessed instanceof Fault ? accessed : accessed.register(selector);
}

/** Loads ES, SS, DS, FS or GS. */
export function loadDataSegment(cpu: Cpu, segment: number, selector: number): Fault | undefined {
  const loaded = dataSegment(cpu, segment, selector);
  if (loaded instanceof Fault) return loaded;
  cpu.state.setSegment(segment, loaded);
  return undefined;
}

function dataSegment(cpu: Cpu, segment: number, selector: number): SegmentRegister | Fault {
  if (cpu.realSegments) return realSegment(cpu, segment, selector);
  const { cpl } = cpu.state;
  if (segment === Segment.SS) {
    return stackSegment(cpu, selector, { cpl, nullAllowed: cpu.code64 && cpl < 3 && (selector & 3) === cpl });
  }
  if (isNull(selector)) return nullSegment(selector);
  const error = selectorError(selector);
  const descriptor = readDescriptor(cpu, selector);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor?.readable) return generalProtection(error);
  if (!descriptor.conforming && ((selector & 3) > descriptor.dpl || cpl > descriptor.dpl))
    return generalProtection(error);
  if (!descriptor.present) return new Fault(Vector.NP, error);
  const accessed = markAccessed(cpu, descriptor);
  return accessed instanceof Fault ? accessed : accessed.register(selector);
}

/** After a return to an outer level: data segments that the new CPL may not use become null. SDM Vol. 2B "RET". */
export function dropPrivilegedSegments(cpu: Cpu): void {
  const { state } = cpu;
  for (const segment of [Segment.ES, Segment.DS, Segment.FS, Segment.GS]) {
    const attributes = state.u32("segmentAttributes", segment);
    if (attributes === 0) continue;
    const conforming =
      (attributes & (Attribute.CODE | Attribute.CONFORMING)) === (Attribute.CODE | Attribute.CONFORMING);
    if (!conforming && ((attributes >> Attribute.DPL_SHIFT) & 3) < state.cpl) state.setSegment(segment, nullSegment(0));
  }
}

// ---- system segments ----

/** Base of a system descriptor, all 64 bits of it in IA-32e mode. */
export function systemBase(cpu: Cpu, descriptor: Descriptor, selector: number): bigint | Fault {
  if (!cpu.longMode) return descriptor.base;
  const upper = readUpperHalf(cpu, descriptor.linear);
  if (upper instanceof Fault) return upper;
  const base = (upper.upper << 32n) | descriptor.base;
  return upper.typeIsZero && isCanonical(base) ? base : generalProtection(selectorError(selector));
}

function loadLdt(cpu: Cpu, selector: number): Fault | undefined {
  if (isNull(selector)) {
    cpu.state.setSegment(Segment.LDTR, nullSegment(selector));
    return undefined;
  }
  const error = selectorError(selector);
  if (selector & 4) return generalProtection(error);
  const descriptor = readDescriptor(cpu, selector, cpu.longMode ? 16 : 8);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor?.system || descriptor.type !== SystemType.LDT) return generalProtection(error);
  if (!descriptor.present) return new Fault(Vector.NP, error);
  const base = systemBase(cpu, descriptor, selector);
  if (base instanceof Fault) return base;
  cpu.state.setSegment(Segment.LDTR, { ...descriptor.register(selector), base });
  return undefined;
}

function loadTask(cpu: Cpu, selector: number): Fault | undefined {
  if (isNull(selector)) return generalProtection(0);
  const error = selectorError(selector);
  if (selector & 4) return generalProtection(error);
  const descriptor = readDescriptor(cpu, selector, cpu.longMode ? 16 : 8);
  if (descriptor instanceof Fault) return descriptor;
  if (!descriptor || !isTss(descriptor, false)) return generalProtection(error);
  // IA-32e mode has no 16-bit TSS.
  if (cpu.longMode && descriptor.type !== SystemType.TSS32) return generalProtection(error);
  if (!descriptor.present) return new Fault(Vector.NP, error);
  const base = systemBase(cpu, descriptor, selector);
  if (base instanceof Fault) return base;
  const fault = markBusy(cpu, descriptor, true);
  if (fault) return fault;
  const register = descriptor.register(selector);
  cpu.state.setSegment(Segment.TR, { ...register, base, attributes: register.attributes | 2 });
  return undefined;
}

// ---- looking at descriptors: LAR, LSL, VERR, VERW ----

/** The descriptor if the selector is one that LAR, LSL, VERR and VERW may look at. */
function visible(cpu: Cpu, selector: number): Descriptor | Fault | undefined {
  if (isNull(selector)) return undefined;
  const descriptor = readDescriptor(cpu, selector);
  if (descriptor instanceof Fault || !descriptor) return descriptor;
  const dpl = Math.max(cpu.state.cpl, selector & 3);
  return descriptor.conforming || dpl <= descriptor.dpl ? descriptor : undefined;
}

/** System types that LAR accepts; LSL leaves out the gates. SDM Vol. 2A, tables 3-55 and 3-57. */
const LAR_TYPES = new Set([1, 2, 3, 4, 5, 9, 11, 12]);
const LAR_TYPES_LONG = new Set([2, 9, 11, 12]);
const LSL_TYPES = new Set([1, 2, 3, 9, 11]);
const LSL_TYPES_LONG = new Set([2, 9, 11]);

const VALID = 1n << 32n;

/**
 * lar, lsl: 2^32 + result if valid, else 0. verr, verw: 1 if accessible, else 0.
 * loadSegment(segment, selector), loadFarSegment(segment, selector); loadStackSegmentFromStack(selector, operand bytes); lldt(selector); ltr(selector)
 */
export const segmentCallOuts: CallOutTable = {
  loadSegment(cpu, operands) {
    const segment = numberOf(operands, 0);
    if (segment === Segment.CS || segment > Segment.GS) return invalidOpcode();
    const fault = loadDataSegment(cpu, segment, numberOf(operands, 1) & 0xffff);
    if (fault) return fault;
    if (segment === Segment.SS) cpu.shadowStackLoad();
    return undefined;
  },

  /** LSS loads the stack pointer as well, so that nothing has to be held back after it. */
  loadFarSegment: (cpu, operands) => loadDataSegment(cpu, numberOf(operands, 0), numberOf(operands, 1) & 0xffff),

  /** POP SS: the stack pointer moves at the width that the old SS gives. */
  popStackSegment(cpu, operands) {
    const before = cpu.state.rsp;
    const big = cpu.state.u32("segmentAttributes", Segment.SS) & Attribute.DEFAULT;
    const fault = loadDataSegment(cpu, Segment.SS, numberOf(operands, 0) & 0xffff);
    if (fault) return fault;
    const moved = before + bigintOf(operands, 1);
    cpu.state.rsp = big ? moved & 0xffff_ffffn : (before & ~0xffffn) | (moved & 0xffffn);
    cpu.shadowStackLoad();
    return undefined;
  },

  lldt: (cpu, operands) => loadLdt(cpu, numberOf(operands, 0) & 0xffff),
  ltr: (cpu, operands) => loadTask(cpu, numberOf(operands, 0) & 0xffff),

  lar(cpu, operands) {
    const descriptor = visible(cpu, numberOf(operands, 0) & 0xffff);
    if (descriptor instanceof Fault) return descriptor;
    const types = cpu.longMode ? LAR_TYPES_LONG : LAR_TYPES;
    if (!descriptor || (descriptor.system && !types.has(descriptor.type))) return 0n;
    return VALID | BigInt((descriptor.high & 0x00ff_ff00) >>> 0);
  },

  lsl(cpu, operands) {
    const descriptor = visible(cpu, numberOf(operands, 0) & 0xffff);
    if (descriptor instanceof Fault) return descriptor;
    const types = cpu.longMode ? LSL_TYPES_LONG : LSL_TYPES;
    if (!descriptor || (descriptor.system && !types.has(descriptor.type))) return 0n;
    return VALID | BigInt(descriptor.limit);
  },

  verr(cpu, operands) {
    const descriptor = visible(cpu, numberOf(operands, 0) & 0xffff);
    if (descriptor instanceof Fault) return descriptor;
    return descriptor?.readable ? 1n : 0n;
  },

  verw(cpu, operands) {
    const descriptor = visible(cpu, numberOf(operands, 0) & 0xffff);
    if (descriptor instanceof Fault) return descriptor;
    return descriptor?.writableData ? 1n : 0n;
  },
};
