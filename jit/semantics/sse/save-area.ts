import { guestState } from "../../../runtime/abi/guest-state.ts";
import type { Value, Width } from "../../emit/value.ts";
import type { Emitter, OperandHandle } from "../emitter.ts";

// The area in which FXSAVE and XSAVE keep x87, MMX and SSE state: SDM Vol. 1, 10.5 and 13.4.

/** Byte offsets in the FXSAVE image (SDM Vol. 1, table 10-2), and in the header behind it (13.4.2). */
export const Area = {
  FCW: 0,
  FIP: 8,
  FDP: 16,
  MXCSR: 24,
  MXCSR_MASK: 28,
  ST: 32,
  XMM: 160,
  LEGACY_BYTES: 512,
  XSTATE_BV: 512,
  XCOMP_BV: 520,
  RESERVED: 528,
  END: 576,
} as const;

/** Bits of MXCSR that exist; others in an image are #GP. */
const MXCSR_MASK = 0xffff;
export const MXCSR_INITIAL = 0x1f80;
export const FCW_INITIAL = 0x037f;
const ERROR_SUMMARY = 0x8080;

export type SaveArea = OperandHandle;

/** Runs `body` for 0..count-1: generated code loops, since these instructions are rare and their accesses are long. */
function repeat(e: Emitter, count: number, body: (index: Value) => void): void {
  const index = e.variable(e.constant(32, 0));
  e.loop((again) => {
    body(e.let(index.get()));
    index.set(e.add(index.get(), e.constant(32, 1)));
    e.continue(again, e.ltU(index.get(), e.constant(32, count)));
  });
}

/** A piece of the area. In 16-bit addressing the area wraps around at 64 KiB. */
function field(e: Emitter, area: SaveArea, offset: number | Value, width: Width, access: "r" | "w"): OperandHandle {
  if (e.addressWidth !== 16) return area.part(offset, width, access);
  const distance = typeof offset === "number" ? e.constant(64, offset) : offset;
  const address = e.and(e.add(area.address(), distance), e.constant(64, 0xffff));
  return e.memory("default", address, width, access);
}

/** Byte offset of slot `index` of the sixteen-byte slots that begin at `first`. */
function slot(e: Emitter, first: number, index: Value): Value {
  return e.extend(e.add(e.shl(index, e.constant(32, 4)), e.constant(32, first)), 64);
}

/** XMM registers that the mode has. */
function xmmCount(e: Emitter): number {
  return e.mode === "long" ? 16 : 8;
}

/** The 80 bits of an x87 register; the rest of its slot reads as zero. */
export function eightyBits(e: Emitter, value: Value): Value {
  return e.vector("v128", "and", value, e.vectorConstant(Array.from({ length: 16 }, (_, i) => (i < 10 ? 0xff : 0))));
}

/** Everything that can fault, before state moves: alignment, and two bytes that lie in the two pages there may be. */
export function checkArea(e: Emitter, area: SaveArea, alignment: 16 | 64, byteLength: number, access: "r" | "w"): void {
  // FXSAVE and FXRSTOR read their first doubleword before they look at the alignment of the whole.
  if (alignment === 16) area.checkPlace(4, "r");
  area.requireAligned(alignment);
  // Which byte of absent memory is reported is AMD's choice: FXSAVE and FXRSTOR look at the end first; XSAVE at the beginning, and
  // then at the end; XRSTOR at the beginning, and then at the header.
  const far = field(e, area, alignment === 64 && access === "r" ? Area.XSTATE_BV : byteLength - 1, 8, access);
  for (const byte of alignment === 16 ? [far, area] : [area, far]) byte.probe(1, access);
}

// ---- x87 ----

function combine(e: Emitter, low: Value, high: Value): Value {
  return e.or(e.extend(low, 64), e.shl(e.extend(high, 64), e.constant(64, 32)));
}

/** Instruction and data pointer as the image has them: 64 bits with REX.W, else 32 bits and a selector. */
function savedPointer(e: Emitter, pointer: Value, selector: Value): Value {
  return e.operandWidth === 64 ? pointer : combine(e, e.truncate(pointer, 32), e.and(selector, e.constant(32, 0xffff)));
}

export function saveX87(e: Emitter, area: SaveArea): void {
  const top = e.get("ftop");
  const status = e.get("fsw");
  // As AMD processors do, the pointers are saved only while an exception is pending. APM Vol. 2, 11.4.4.
  const pending = e.let(e.and(status, e.constant(32, 0x80)));
  const opcode = e.select(pending, e.get("fop"), e.constant(32, 0));
  const statusWord = e.or(status, e.shl(top, e.constant(32, 11)));
  const low = e.or(e.get("fcw"), e.shl(statusWord, e.constant(32, 16)));
  const high = e.or(e.get("ftag"), e.shl(opcode, e.constant(32, 16)));
  const nowhere = e.constant(64, 0n);
  field(e, area, Area.FCW, 64, "w").write(combine(e, low, high));
  field(e, area, Area.FIP, 64, "w").write(e.select(pending, savedPointer(e, e.get("fip"), e.get("fcs")), nowhere));
  field(e, area, Area.FDP, 64, "w").write(e.select(pending, savedPointer(e, e.get("fdp"), e.get("fds")), nowhere));
  repeat(e, 8, (index) => {
    const register = e.let(e.and(e.add(top, index), e.constant(32, 7)));
    field(e, area, slot(e, Area.ST, index), 128, "w").write(eightyBits(e, e.get("fpr", register)));
  });
}

export function loadX87(e: Emitter, area: SaveArea): void {
  const control = field(e, area, Area.FCW, 64, "r").read();
  const instruction = field(e, area, Area.FIP, 64, "r").read();
  const data = field(e, area, Area.FDP, 64, "r").read();
  const low = e.let(e.truncate(control, 32));
  const high = e.let(e.truncate(e.shrU(control, e.constant(64, 32)), 32));
  const controlWord = e.let(e.or(e.and(low, e.constant(32, 0x1f7f)), e.constant(32, 0x40)));
  const statusWord = e.let(e.shrU(low, e.constant(32, 16)));
  const top = e.let(e.and(e.shrU(statusWord, e.constant(32, 11)), e.constant(32, 7)));
  // ES and B say whether an exception is flagged and not masked; the image's own bits do not count.
  const unmasked = e.and(e.and(statusWord, e.not(controlWord)), e.constant(32, 0x3f));
  const summary = e.select(unmasked, e.constant(32, ERROR_SUMMARY), e.constant(32, 0));
  e.set("fcw", controlWord);
  e.set("fsw", e.or(e.and(statusWord, e.constant(32, 0x477f)), summary));
  e.set("ftop", top);
  e.set("ftag", e.and(high, e.constant(32, 0xff)));
  e.set("fop", e.and(e.shrU(high, e.constant(32, 16)), e.constant(32, 0x7ff)));
  loadPointer(e, "fip", "fcs", instruction);
  loadPointer(e, "fdp", "fds", data);
  repeat(e, 8, (index) => {
    const value = field(e, area, slot(e, Area.ST, index), 128, "r").read();
    const register = e.let(e.and(e.add(top, index), e.constant(32, 7)));
    e.set("fpr", eightyBits(e, value), register);
  });
}

function loadPointer(e: Emitter, pointer: "fip" | "fdp", selector: "fcs" | "fds", image: Value): void {
  if (e.operandWidth === 64) {
    e.set(pointer, image);
    e.set(selector, e.constant(32, 0));
    return;
  }
  e.set(pointer, e.and(image, e.constant(64, 0xffff_ffffn)));
  e.set(selector, e.and(e.truncate(e.shrU(image, e.constant(64, 32)), 32), e.constant(32, 0xffff)));
}

/** The initial configuration: FNINIT, and all registers zero. SDM Vol. 1, 13.6. */
export function resetX87(e: Emitter): void {
  e.set("fcw", e.constant(32, FCW_INITIAL));
  for (const field of ["fsw", "ftop", "ftag", "fop", "fcs", "fds"] as const) e.set(field, e.constant(32, 0));
  for (const field of ["fip", "fdp"] as const) e.set(field, e.constant(64, 0n));
  for (let i = 0; i < 8; i++) e.set("fpr", e.splat("i64x2", e.constant(64, 0n)), i);
}

// ---- SSE ----

export function saveMxcsr(e: Emitter, area: SaveArea): void {
  field(e, area, Area.MXCSR, 32, "w").write(e.get("mxcsr"));
  field(e, area, Area.MXCSR_MASK, 32, "w").write(e.constant(32, MXCSR_MASK));
}

/** MXCSR from an image, or #GP. */
export function readMxcsr(e: Emitter, area: SaveArea): Value {
  const value = field(e, area, Area.MXCSR, 32, "r").read();
  requireMxcsr(e, value);
  return value;
}

export function requireMxcsr(e: Emitter, value: Value): void {
  e.if(e.and(value, e.constant(32, ~MXCSR_MASK)), () => e.fault("GP", 0));
}

// Registers by run-time number are reached in the state itself; these instructions run in the interpreter only, where they live.

export function saveXmm(e: Emitter, area: SaveArea): void {
  repeat(e, xmmCount(e), (index) => {
    const register = e.add(e.cpu, e.shl(index, e.constant(32, 4)));
    field(e, area, slot(e, Area.XMM, index), 128, "w").write(e.loadOffset(128, register, guestState.xmm.offset));
  });
}

export function loadXmm(e: Emitter, area: SaveArea): void {
  repeat(e, xmmCount(e), (index) => {
    const value = field(e, area, slot(e, Area.XMM, index), 128, "r").read();
    e.storeOffset(e.add(e.cpu, e.shl(index, e.constant(32, 4))), value, guestState.xmm.offset);
  });
}

export function resetXmm(e: Emitter): void {
  const first = e.add(e.cpu, e.constant(32, guestState.xmm.offset));
  e.memoryFill(first, e.constant(32, 0), e.constant(32, 16 * xmmCount(e)));
}
