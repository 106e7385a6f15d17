import { Segment } from "../../runtime/abi/guest-state.ts";
import type { Value, Width } from "../emit/value.ts";
import { define, type Definition } from "./define.ts";
import type { Emitter, OperandHandle } from "./emitter.ts";
import { requireUserVisible } from "./system-checks.ts";

// Segment registers and descriptor tables. SDM Vol. 3A, chapters 2, 3 and 5. Descriptors are checked in runtime/cpu/segments.ts.

/** A selector register at the width of a destination: zero-extended. */
function selectorOf(e: Emitter, segment: number | Value, width: number): Value {
  return e.resize(e.get("segmentSelector", segment), width as Width);
}

/** MOV to and from a segment register. */
export const movSegment = define({
  reference: "SDM 2B MOV",
  operands: { dst: "w", src: "r" },
  interpreterOnly: true,
  emit(e, { dst, src }) {
    if (dst.byNumber) e.callOut("loadSegment", dst.number(), src.read());
    else dst.write(selectorOf(e, src.number(), dst.width));
  },
});

/** PUSH of a segment register. */
export const pushSegment = define({
  reference: "SDM 2B PUSH",
  operands: { src: "r" },
  interpreterOnly: true,
  emit: (e, { src }) => e.push(selectorOf(e, src.number(), e.operandWidth)),
});

/** POP into a segment register. */
export const popSegment = define({
  reference: "SDM 2B POP",
  operands: { dst: "w" },
  interpreterOnly: true,
  emit(e, { dst }) {
    const byteLength = e.operandWidth / 8;
    const selector = e.let(e.truncate(e.stackTop(e.operandWidth), 16));
    const segment = dst.number();
    // POP SS may change the width of the stack pointer: the old width counts.
    e.if(
      e.eq(segment, e.constant(32, Segment.SS)),
      () => e.callOut("popStackSegment", selector, e.constant(64, byteLength)),
      () => {
        e.callOut("loadSegment", segment, selector);
        e.release(byteLength);
      },
    );
  },
});

/** LDS, LES, LFS, LGS, LSS: a far pointer from memory to a segment register and a general register. */
function loadFarPointer(segment: number): Definition {
  return define({
    reference: "SDM 2A LDS/LES/LFS/LGS/LSS",
    operands: { dst: "w", src: "a" },
    interpreterOnly: true,
    emit(e, { dst, src }) {
      const width = dst.width as Width;
      const offset = src.part(0, width, "r").read();
      const selector = src.part(width / 8, 16, "r").read();
      e.callOut("loadFarSegment", e.constant(32, segment), selector);
      dst.write(offset);
    },
  });
}

// ---- descriptor tables ----

/** LGDT, LIDT. A 16-bit operand size takes 24 bits of the base. */
function loadTable(name: "lgdt" | "lidt"): Definition {
  return define({
    reference: "SDM 2A LGDT/LIDT",
    operands: { src: "a" },
    interpreterOnly: true,
    emit(e, { src }) {
      e.requirePrivilege();
      const limit = src.part(0, 16, "r").read();
      const raw = src.part(2, e.mode === "long" ? 64 : 32, "r").read();
      const base = e.operandWidth === 16 && e.mode === "legacy" ? e.and(raw, e.constant(32, 0xff_ffff)) : raw;
      e.callOut(name, limit, base);
    },
  });
}

/** SGDT, SIDT. */
function storeTable(table: "gdt" | "idt", reference: string): Definition {
  return define({
    reference,
    operands: { dst: "a" },
    emit(e, { dst }) {
      requireUserVisible(e);
      const wide = e.mode === "long";
      // Both parts are stored or none.
      dst.probe(wide ? 10 : 6, "w");
      dst.part(0, 16, "w").write(e.truncate(e.get(`${table}Limit`), 16));
      dst.part(2, wide ? 64 : 32, "w").write(e.truncate(e.get(`${table}Base`), wide ? 64 : 32));
    },
  });
}

/** SLDT, STR: the selector of a system segment. */
function storeSystemSelector(segment: number, reference: string): Definition {
  return define({
    reference,
    operands: { dst: "w" },
    interpreterOnly: true,
    emit(e, { dst }) {
      requireUserVisible(e);
      dst.write(selectorOf(e, segment, dst.width));
    },
  });
}

/** LLDT, LTR. */
function loadSystemSegment(name: "lldt" | "ltr", reference: string): Definition {
  return define({
    reference,
    operands: { src: "r" },
    interpreterOnly: true,
    emit(e, { src }) {
      e.requirePrivilege();
      e.callOut(name, src.read());
    },
  });
}

// ---- looking at descriptors ----

/** VERR, VERW: ZF tells whether a segment can be read or written. */
function verify(name: "verr" | "verw"): Definition {
  return define({
    reference: "SDM 2B VERR/VERW",
    operands: { src: "r" },
    flags: { writes: "ZF" },
    interpreterOnly: true,
    emit(e, { src }) {
      const accessible = e.callOut(name, src.read());
      e.flags.replace({ ZF: e.truncate(accessible, 32) });
    },
  });
}

/** LAR, LSL: access rights or limit of a segment; nothing but ZF = 0 if the selector leads nowhere. */
function inspect(name: "lar" | "lsl", reference: string): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r" },
    flags: { writes: "ZF" },
    interpreterOnly: true,
    emit(e, { dst, src }) {
      const result = e.callOut(name, low16(e, src));
      const valid = e.let(e.truncate(e.shrU(result, e.constant(64, 32)), 32));
      e.flags.replace({ ZF: valid });
      e.if(valid, () => dst.write(e.resize(e.and(result, e.constant(64, 0xffff_ffffn)), dst.width as Width)));
    },
  });
}

function low16(e: Emitter, operand: OperandHandle): Value {
  return e.truncate(operand.read(), 16);
}

/** ARPL: raises the RPL of a selector to that of another. */
export const arpl = define({
  reference: "SDM 2A ARPL",
  operands: { dst: "rw", src: "r" },
  flags: { writes: "ZF" },
  emit(e, { dst, src }) {
    // Memory is written, and has to be writable, only if something changes.
    const selector = (dst.kind === "memory" ? dst.part(0, 16, "r") : dst).read();
    const level = e.let(e.and(src.read(), e.constant(16, 3)));
    const lower = e.let(e.ltU(e.and(selector, e.constant(16, 3)), level));
    e.if(lower, () => {
      const adjusted = e.or(e.and(selector, e.constant(16, 0xfffc)), level);
      (dst.kind === "memory" ? dst.part(0, 16, "w") : dst).write(adjusted);
    });
    e.flags.replace({ ZF: lower });
  },
});

export const segmentDefinitions = {
  "mov.seg": movSegment,
  "push.seg": pushSegment,
  "pop.seg": popSegment,
  les: loadFarPointer(Segment.ES),
  lds: loadFarPointer(Segment.DS),
  lss: loadFarPointer(Segment.SS),
  lfs: loadFarPointer(Segment.FS),
  lgs: loadFarPointer(Segment.GS),
  lgdt: loadTable("lgdt"),
  lidt: loadTable("lidt"),
  sgdt: storeTable("gdt", "SDM 2B SGDT"),
  sidt: storeTable("idt", "SDM 2B SIDT"),
  sldt: storeSystemSelector(Segment.LDTR, "SDM 2B SLDT"),
  str: storeSystemSelector(Segment.TR, "SDM 2B STR"),
  lldt: loadSystemSegment("lldt", "SDM 2A LLDT"),
  ltr: loadSystemSegment("ltr", "SDM 2A LTR"),
  verr: verify("verr"),
  verw: verify("verw"),
  lar: inspect("lar", "SDM 2A LAR"),
  lsl: inspect("lsl", "SDM 2A LSL"),
  arpl,
};
