import { guestState } from "../../../runtime/abi/guest-state.ts";
import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter, OperandHandle } from "../emitter.ts";

// Saving and loading of x87, MMX and SSE state: SDM Vol. 1, 10.5 (FXSAVE) and chapter 13 (XSAVE).

/** Byte offsets in the FXSAVE image (SDM Vol. 1, table 10-2), and in the header behind it (13.4.2). */
const Area = {
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

/** State components, bits of XCR0 and XSTATE_BV. */
const Component = { X87: 1, SSE: 2 } as const;
const SUPPORTED = Component.X87 | Component.SSE;

/** Bits of MXCSR that exist; others in an image are #GP. */
const MXCSR_MASK = 0xffff;
const MXCSR_INITIAL = 0x1f80;
const FCW_INITIAL = 0x037f;
const CR0_TS = 1 << 3;
const CR4_OSXSAVE = 1 << 18;
const ERROR_SUMMARY = 0x8080;

type SaveArea = OperandHandle;

/** Runs `body` for 0..count-1: generated code loops, since these instructions are rare and their accesses are long. */
function repeat(e: Emitter, count: number, body: (index: Value) => void): void {
  const index = e.variable(e.constant(32, 0));
  e.loop((again) => {
    body(e.let(index.get()));
    index.set(e.add(index.get(), e.constant(32, 1)));
    e.continue(again, e.ltU(index.get(), e.constant(32, count)));
  });
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
function eightyBits(e: Emitter, value: Value): Value {
  return e.vector("v128", "and", value, e.vectorConstant(Array.from({ length: 16 }, (_, i) => (i < 10 ? 0xff : 0))));
}

/** Everything that can fault, before state moves: alignment, and two bytes that lie in the two pages there may be. */
function checkArea(e: Emitter, area: SaveArea, alignment: 16 | 64, byteLength: number, access: "r" | "w"): void {
  e.if(e.and(e.truncate(area.address(), 32), e.constant(32, alignment - 1)), () => e.fault("GP", 0));
  // Which byte of absent memory is reported is AMD's choice: FXSAVE and FXRSTOR look at the end first; XSAVE at the beginning, and
  // then at the end; XRSTOR at the beginning, and then at the header.
  const far = area.part(alignment === 64 && access === "r" ? Area.XSTATE_BV : byteLength - 1, 8, access);
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

function saveX87(e: Emitter, area: SaveArea): void {
  const top = e.get("ftop");
  const status = e.get("fsw");
  // As AMD processors do, the pointers are saved only while an exception is pending. APM Vol. 2, 11.4.4.
  const pending = e.let(e.and(status, e.constant(32, 0x80)));
  const opcode = e.select(pending, e.get("fop"), e.constant(32, 0));
  const statusWord = e.or(status, e.shl(top, e.constant(32, 11)));
  const low = e.or(e.get("fcw"), e.shl(statusWord, e.constant(32, 16)));
  const high = e.or(e.get("ftag"), e.shl(opcode, e.constant(32, 16)));
  const nowhere = e.constant(64, 0n);
  area.part(Area.FCW, 64, "w").write(combine(e, low, high));
  area.part(Area.FIP, 64, "w").write(e.select(pending, savedPointer(e, e.get("fip"), e.get("fcs")), nowhere));
  area.part(Area.FDP, 64, "w").write(e.select(pending, savedPointer(e, e.get("fdp"), e.get("fds")), nowhere));
  repeat(e, 8, (index) => {
    const register = e.let(e.and(e.add(top, index), e.constant(32, 7)));
    area.part(slot(e, Area.ST, index), 128, "w").write(eightyBits(e, e.get("fpr", register)));
  });
}

function loadX87(e: Emitter, area: SaveArea): void {
  const control = area.part(Area.FCW, 64, "r").read();
  const instruction = area.part(Area.FIP, 64, "r").read();
  const data = area.part(Area.FDP, 64, "r").read();
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
    const value = area.part(slot(e, Area.ST, index), 128, "r").read();
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
function resetX87(e: Emitter): void {
  e.set("fcw", e.constant(32, FCW_INITIAL));
  for (const field of ["fsw", "ftop", "ftag", "fop", "fcs", "fds"] as const) e.set(field, e.constant(32, 0));
  for (const field of ["fip", "fdp"] as const) e.set(field, e.constant(64, 0n));
  for (let i = 0; i < 8; i++) e.set("fpr", e.splat("i64x2", e.constant(64, 0n)), i);
}

// ---- SSE ----

function saveMxcsr(e: Emitter, area: SaveArea): void {
  area.part(Area.MXCSR, 32, "w").write(e.get("mxcsr"));
  area.part(Area.MXCSR_MASK, 32, "w").write(e.constant(32, MXCSR_MASK));
}

/** MXCSR from an image, or #GP. */
function readMxcsr(e: Emitter, area: SaveArea): Value {
  const value = area.part(Area.MXCSR, 32, "r").read();
  requireMxcsr(e, value);
  return value;
}

function requireMxcsr(e: Emitter, value: Value): void {
  e.if(e.and(value, e.constant(32, ~MXCSR_MASK)), () => e.fault("GP", 0));
}

// Registers by run-time number are reached in the state itself; these instructions run in the interpreter only, where they live.

function saveXmm(e: Emitter, area: SaveArea): void {
  repeat(e, xmmCount(e), (index) => {
    const register = e.add(e.cpu, e.shl(index, e.constant(32, 4)));
    area.part(slot(e, Area.XMM, index), 128, "w").write(e.loadOffset(128, register, guestState.xmm.offset));
  });
}

function loadXmm(e: Emitter, area: SaveArea): void {
  repeat(e, xmmCount(e), (index) => {
    const value = area.part(slot(e, Area.XMM, index), 128, "r").read();
    e.storeOffset(e.add(e.cpu, e.shl(index, e.constant(32, 4))), value, guestState.xmm.offset);
  });
}

function resetXmm(e: Emitter): void {
  const first = e.add(e.cpu, e.constant(32, guestState.xmm.offset));
  e.memoryFill(first, e.constant(32, 0), e.constant(32, 16 * xmmCount(e)));
}

// ---- FXSAVE, FXRSTOR, LDMXCSR, STMXCSR ----

const fxsave: Definition = define({
  reference: "SDM 2A FXSAVE",
  unit: "fxsr",
  interpreterOnly: true,
  operands: { area: "a" },
  emit(e, { area }) {
    checkArea(e, area, 16, Area.LEGACY_BYTES, "w");
    saveX87(e, area);
    saveMxcsr(e, area);
    saveXmm(e, area);
  },
});

const fxrstor: Definition = define({
  reference: "SDM 2A FXRSTOR",
  unit: "fxsr",
  interpreterOnly: true,
  operands: { area: "a" },
  emit(e, { area }) {
    checkArea(e, area, 16, Area.LEGACY_BYTES, "r");
    const mxcsr = readMxcsr(e, area);
    loadX87(e, area);
    e.set("mxcsr", mxcsr);
    loadXmm(e, area);
  },
});

const ldmxcsr: Definition = define({
  reference: "SDM 2A LDMXCSR",
  unit: "sse",
  operands: { src: "r" },
  emit(e, { src }) {
    const value = src.read();
    requireMxcsr(e, value);
    e.set("mxcsr", value);
  },
});

const stmxcsr: Definition = define({
  reference: "SDM 2B STMXCSR",
  unit: "sse",
  operands: { dst: "w" },
  emit(e, { dst }) {
    dst.write(e.get("mxcsr"));
  },
});

/** EMMS: all x87 registers empty, TOP 0. SDM Vol. 3A, table 12-3. */
const emms: Definition = define({
  reference: "SDM 2A EMMS",
  unit: "mmx",
  emit(e) {
    e.set("ftop", e.constant(32, 0));
    e.set("ftag", e.constant(32, 0));
  },
});

// ---- XSAVE and its family ----

function requireXsave(e: Emitter): void {
  const enabled = e.and(e.truncate(e.get("cr4"), 32), e.constant(32, CR4_OSXSAVE));
  e.if(e.eqz(enabled), () => e.fault("UD"));
}

function checkXsave(e: Emitter, area: SaveArea, access: "r" | "w"): void {
  requireXsave(e);
  e.if(e.and(e.truncate(e.get("cr0"), 32), e.constant(32, CR0_TS)), () => e.fault("NM"));
  checkArea(e, area, 64, Area.END, access);
}

/** XCR0 as 32 bits: nothing above the SSE component can be enabled. */
function enabledComponents(e: Emitter): Value {
  return e.truncate(e.get("xcr0"), 32);
}

/** RFBM: the components that XCR0 and EDX:EAX both name. */
function requestedComponents(e: Emitter): Value {
  return e.let(e.and(enabledComponents(e), e.gpr("rax", 32).read()));
}

/** XINUSE: the components that are not in their initial configuration. SDM Vol. 1, 13.6. */
function componentsInUse(e: Emitter): Value {
  const nonZero = (fields: readonly ("fsw" | "ftop" | "ftag" | "fop" | "fcs" | "fds")[]): Value =>
    fields.reduce((sum, field) => e.or(sum, e.get(field)), e.xor(e.get("fcw"), e.constant(32, FCW_INITIAL)));
  const words = nonZero(["fsw", "ftop", "ftag", "fop", "fcs", "fds"]);
  const pointers = e.ne(e.or(e.get("fip"), e.get("fdp")), e.constant(64, 0n));
  const either = (values: readonly Value[]): Value => values.reduce((sum, value) => e.vector("v128", "or", sum, value));
  const stack = either(Array.from({ length: 8 }, (_, i) => eightyBits(e, e.get("fpr", i))));
  const x87 = e.or(e.or(e.ne(words, e.constant(32, 0)), pointers), e.anyTrue(stack));
  const registers = either(Array.from({ length: 16 }, (_, i) => e.xmm(i, 128).read()));
  const control = e.ne(e.get("mxcsr"), e.constant(32, MXCSR_INITIAL));
  return e.let(e.or(x87, e.shl(e.or(e.anyTrue(registers), control), e.constant(32, 1))));
}

function whenBit(e: Emitter, bits: Value, bit: number, then: () => void, otherwise?: () => void): void {
  e.if(e.and(bits, e.constant(32, bit)), then, otherwise);
}

/**
 * XSAVE writes all requested components, XSAVEOPT those that are in use, XSAVEC these and the compacted format's header (which
 * for x87 and SSE is the only difference of formats: both stand in the legacy region).
 */
function saveComponents(reference: string, which: "all" | "used" | "compacted"): Definition {
  return define({
    reference,
    interpreterOnly: true,
    operands: { area: "a" },
    emit(e, { area }) {
      checkXsave(e, area, "w");
      const requested = requestedComponents(e);
      const used = e.let(e.and(requested, componentsInUse(e)));
      const saved = which === "all" ? requested : used;
      whenBit(e, saved, Component.X87, () => saveX87(e, area));
      whenBit(e, saved, Component.SSE, () => saveXmm(e, area));
      // Only the compacted format counts MXCSR as part of the SSE component.
      whenBit(e, which === "compacted" ? saved : requested, Component.SSE, () => saveMxcsr(e, area));
      const present = area.part(Area.XSTATE_BV, 64, "rw");
      if (which === "compacted") {
        present.write(e.extend(used, 64));
        area.part(Area.XCOMP_BV, 64, "w").write(e.or(e.extend(requested, 64), e.constant(64, 1n << 63n)));
      } else {
        const others = e.and(present.read(), e.not(e.extend(requested, 64)));
        present.write(e.or(others, e.extend(used, 64)));
      }
    },
  });
}
const xsave: Definition = saveComponents("SDM 2D XSAVE", "all");
const xsaveopt: Definition = saveComponents("SDM 2D XSAVEOPT", "used");
const xsavec: Definition = saveComponents("SDM 2D XSAVEC", "compacted");

/** #GP unless the header is one that XRSTOR takes; SDM Vol. 1, 13.8.1 and 13.8.2. */
function checkHeader(e: Emitter, area: SaveArea, present: Value): { readonly compacted: Value } {
  const layout = area.part(Area.XCOMP_BV, 64, "r").read();
  const compacted = e.let(e.truncate(e.shrU(layout, e.constant(64, 63)), 32));
  const enabled = e.let(e.extend(enabledComponents(e), 64));
  const reserved = (offset: number): Value => area.part(offset, 64, "r").read();
  const components = e.let(e.and(layout, e.constant(64, (1n << 63n) - 1n)));
  const bad = e.variable(e.and(present, e.not(enabled)));
  const reject = (bits: Value): void => bad.set(e.or(bad.get(), bits));
  reject(reserved(Area.RESERVED));
  e.if(
    compacted,
    () => {
      reject(e.and(components, e.not(enabled)));
      reject(e.and(present, e.not(components)));
      for (let offset: number = Area.RESERVED + 8; offset < Area.END; offset += 8) reject(reserved(offset));
    },
    () => reject(components),
  );
  e.if(e.ne(bad.get(), e.constant(64, 0n)), () => e.fault("GP", 0));
  return { compacted };
}

const xrstor: Definition = define({
  reference: "SDM 2D XRSTOR",
  interpreterOnly: true,
  operands: { area: "a" },
  emit(e, { area }) {
    checkXsave(e, area, "r");
    const header = area.part(Area.XSTATE_BV, 64, "r").read();
    const { compacted } = checkHeader(e, area, header);
    const requested = requestedComponents(e);
    const present = e.let(e.truncate(header, 32));
    // The standard format loads MXCSR whether or not the SSE component is present.
    const hasMxcsr = e.let(e.or(e.and(present, e.constant(32, Component.SSE)), e.eqz(compacted)));
    const mxcsr = e.variable(e.constant(32, MXCSR_INITIAL));
    whenBit(e, requested, Component.SSE, () => e.if(hasMxcsr, () => mxcsr.set(readMxcsr(e, area))));

    whenBit(e, requested, Component.X87, () =>
      whenBit(
        e,
        present,
        Component.X87,
        () => loadX87(e, area),
        () => resetX87(e),
      ),
    );
    whenBit(e, requested, Component.SSE, () => {
      e.set("mxcsr", mxcsr.get());
      whenBit(
        e,
        present,
        Component.SSE,
        () => loadXmm(e, area),
        () => resetXmm(e),
      );
    });
  },
});

/** XGETBV: XCR0, or with ECX = 1 the components of it that are in use. */
const xgetbv: Definition = define({
  reference: "SDM 2D XGETBV",
  interpreterOnly: true,
  emit(e) {
    requireXsave(e);
    const index = e.gpr("rcx", 32).read();
    e.if(e.gtU(index, e.constant(32, 1)), () => e.fault("GP", 0));
    const enabled = e.let(enabledComponents(e));
    const low = e.choose(
      index,
      () => e.and(enabled, componentsInUse(e)),
      () => enabled,
    );
    e.gpr("rax", 32).write(low);
    e.gpr("rdx", 32).write(e.constant(32, 0));
  },
});

/** XSETBV: x87 state cannot be disabled, and no component beyond SSE enabled. */
const xsetbv: Definition = define({
  reference: "SDM 2D XSETBV",
  interpreterOnly: true,
  emit(e) {
    requireXsave(e);
    e.requirePrivilege();
    const low = e.gpr("rax", 32).read();
    const unsupported = e.or(e.and(low, e.constant(32, ~SUPPORTED)), e.gpr("rdx", 32).read());
    const withoutX87 = e.eqz(e.and(low, e.constant(32, Component.X87)));
    const bad = e.or(e.or(unsupported, e.gpr("rcx", 32).read()), withoutX87);
    e.if(bad, () => e.fault("GP", 0));
    e.set("xcr0", e.extend(low, 64));
  },
});

// prettier-ignore
export const sseStateDefinitions = {
  fxsave, fxrstor, ldmxcsr, stmxcsr, emms, xsave, xsaveopt, xsavec, xrstor, xgetbv, xsetbv,
};
