import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import {
  Area,
  checkArea,
  eightyBits,
  FCW_INITIAL,
  loadX87,
  loadXmm,
  MXCSR_INITIAL,
  readMxcsr,
  requireMxcsr,
  resetX87,
  resetXmm,
  saveMxcsr,
  saveX87,
  saveXmm,
  type SaveArea,
} from "./save-area.ts";

// Saving and loading of x87, MMX and SSE state: SDM Vol. 1, 10.5 (FXSAVE) and chapter 13 (XSAVE).

/** State components, bits of XCR0 and XSTATE_BV. */
const Component = { X87: 1, SSE: 2 } as const;
const SUPPORTED = Component.X87 | Component.SSE;

const CR0_TS = 1 << 3;
const CR4_OSXSAVE = 1 << 18;

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
