import { Rflags, Segment } from "../../runtime/abi/guest-state.ts";
import type { Value, Width } from "../emit/value.ts";
import { define, type Definition } from "./define.ts";
import type { Emitter } from "./emitter.ts";
import {
  aboveIopl,
  cr4,
  edxEax,
  requireCanonical,
  requireLevel0OrUndefined,
  requireUserVisible,
  writeEdxEax,
} from "./system-checks.ts";

// Control of the processor: SDM Vol. 3A, chapter 2. What a write means is decided in runtime/cpu.

// ---- control and debug registers ----

/** The value of a general register as 64 bits, whatever the mode. */
function wide(e: Emitter, value: Value): Value {
  return e.extend(value, 64);
}

/** MOV to and from control registers. */
export const movControl = define({
  reference: "SDM 2B MOV—Move to/from Control Registers",
  operands: { dst: "w", src: "r" },
  interpreterOnly: true,
  emit(e, { dst, src }) {
    e.requirePrivilege();
    if (dst.byNumber) {
      e.callOut("writeControl", dst.number(), wide(e, src.read()));
      return;
    }
    const number = src.number();
    // Page-fault handlers read CR2, and everything that walks page tables CR3.
    const value = e.choose(
      e.eq(number, e.constant(32, 2)),
      () => e.get("cr2"),
      () =>
        e.choose(
          e.eq(number, e.constant(32, 3)),
          () => e.get("cr3"),
          () => e.callOut("readControl", number),
        ),
    );
    dst.write(e.truncate(value, dst.width as Width));
  },
});

/** MOV to and from debug registers. */
export const movDebug = define({
  reference: "SDM 2B MOV—Move to/from Debug Registers",
  operands: { dst: "w", src: "r" },
  interpreterOnly: true,
  emit(e, { dst, src }) {
    e.requirePrivilege();
    if (dst.byNumber) e.callOut("writeDebug", dst.number(), wide(e, src.read()));
    else dst.write(e.truncate(e.callOut("readDebug", src.number()), dst.width as Width));
  },
});

/** CLTS: clear the task-switched flag. */
export const clts = define({
  reference: "SDM 2A CLTS",
  interpreterOnly: true,
  emit(e) {
    e.requirePrivilege();
    e.callOut("clts");
  },
});

/** LMSW: load the machine status word, the low four bits of CR0. */
export const lmsw = define({
  reference: "SDM 2A LMSW",
  operands: { src: "r" },
  interpreterOnly: true,
  emit(e, { src }) {
    e.requirePrivilege();
    e.callOut("lmsw", src.read());
  },
});

/** SMSW: store the machine status word; registers get as much of CR0 as fits. */
export const smsw = define({
  reference: "SDM 2B SMSW",
  operands: { dst: "w" },
  emit(e, { dst }) {
    requireUserVisible(e);
    dst.write(e.truncate(e.get("cr0"), dst.width as Width));
  },
});

/** XGETBV, XSETBV: extended control registers; the call-out checks CR4.OSXSAVE first. */
export const xgetbv = define({
  reference: "SDM 2D XGETBV",
  interpreterOnly: true,
  emit: (e) => writeEdxEax(e, e.callOut("xgetbv", e.gpr("rcx", 32).read())),
});
export const xsetbv = define({
  reference: "SDM 2D XSETBV",
  interpreterOnly: true,
  emit: (e) => void e.callOut("xsetbv", e.gpr("rcx", 32).read(), edxEax(e)),
});

// ---- flags ----

/** CLI: clear the interrupt flag. */
export const cli = define({
  reference: "SDM 2A CLI",
  emit(e) {
    e.if(aboveIopl(e), () => {
      e.callOut("interruptFlagUnprivileged", e.constant(64, 0n));
      e.next();
    });
    e.set("rflags", e.and(e.get("rflags"), e.constant(32, ~Rflags.IF)));
  },
});

/**
 * STI: set the interrupt flag; the next instruction still runs without interrupts.
 *
 * The shadow is only noted, with the instruction that it covers.
 */
export const sti = define({
  reference: "SDM 2B STI",
  emit(e) {
    e.if(aboveIopl(e), () => {
      e.callOut("interruptFlagUnprivileged", e.constant(64, 1n));
      e.next();
    });
    const flags = e.get("rflags");
    e.if(e.eqz(e.and(flags, e.constant(32, Rflags.IF))), () => {
      e.set("rflags", e.or(flags, e.constant(32, Rflags.IF)));
      e.set("interruptShadow", e.constant(32, 1));
      e.set("shadowRip", e.nextRip());
      e.if(e.get("pendingEvents"), () => e.endBlock());
    });
    e.next();
  },
});

/** CLAC, STAC: RFLAGS.AC, which lifts SMAP and so selects the TLB bank. */
function alignmentCheck(reference: string, set: boolean): Definition {
  return define({
    reference,
    emit(e) {
      requireLevel0OrUndefined(e);
      const flags = e.get("rflags");
      e.set("rflags", set ? e.or(flags, e.constant(32, Rflags.AC)) : e.and(flags, e.constant(32, ~Rflags.AC)));
      e.helperVoid("select_tlb", []);
    },
  });
}

/** HLT: wait for an interrupt. */
export const hlt = define({
  reference: "SDM 2A HLT",
  ends: true,
  emit(e) {
    e.requirePrivilege();
    e.halt();
  },
});

// ---- identification, model-specific registers, time, randomness ----

/** CPUID: the call-out writes the four registers. */
export const cpuid = define({
  reference: "SDM 2A CPUID",
  interpreterOnly: true,
  emit: (e) => void e.callOut("cpuid", e.gpr("rax", 32).read(), e.gpr("rcx", 32).read()),
});

/** RDMSR. */
export const rdmsr = define({
  reference: "SDM 2B RDMSR",
  interpreterOnly: true,
  emit(e) {
    e.requirePrivilege();
    writeEdxEax(e, e.callOut("rdmsr", e.gpr("rcx", 32).read()));
  },
});

/** WRMSR. */
export const wrmsr = define({
  reference: "SDM 2D WRMSR",
  interpreterOnly: true,
  emit(e) {
    e.requirePrivilege();
    e.callOut("wrmsr", e.gpr("rcx", 32).read(), edxEax(e));
  },
});

/** RDTSC: read the time-stamp counter. */
export const rdtsc = define({
  reference: "SDM 2B RDTSC",
  interpreterOnly: true,
  emit: (e) => writeEdxEax(e, e.callOut("readTsc")),
});

/** RDTSCP: the counter, and TSC_AUX in ECX. */
export const rdtscp = define({
  reference: "SDM 2B RDTSCP",
  interpreterOnly: true,
  emit(e) {
    writeEdxEax(e, e.callOut("readTsc"));
    e.gpr("rcx", 32).write(e.truncate(e.get("tscAux"), 32));
  },
});

/** RDPMC. */
export const rdpmc = define({
  reference: "SDM 2B RDPMC",
  interpreterOnly: true,
  emit: (e) => writeEdxEax(e, e.callOut("rdpmc", e.gpr("rcx", 32).read())),
});

/** RDPID: read TSC_AUX. */
export const rdpid = define({
  reference: "SDM 2B RDPID",
  operands: { dst: "w" },
  emit: (e, { dst }) => dst.write(e.truncate(e.get("tscAux"), dst.width as Width)),
});

/** RDRAND, RDSEED: there are always enough random bits, so CF is 1 and the other flags 0. */
function random(reference: string): Definition {
  return define({
    reference,
    operands: { dst: "w" },
    flags: { writes: "OF SF ZF AF PF CF" },
    interpreterOnly: true,
    emit(e, { dst }) {
      dst.write(e.truncate(e.callOut("random"), dst.width as Width));
      e.flags.setWord(e.constant(32, Rflags.CF));
    },
  });
}

// ---- FS and GS bases ----

/** SWAPGS: exchange the GS base with KERNEL_GS_BASE. */
export const swapgs = define({
  reference: "SDM 2B SWAPGS",
  emit(e) {
    e.requirePrivilege();
    const base = e.get("segmentBase", Segment.GS);
    e.set("segmentBase", e.get("kernelGsBase"), Segment.GS);
    e.set("kernelGsBase", base);
  },
});

const CR4_FSGSBASE = 1 << 16;

function requireBaseInstructions(e: Emitter): void {
  e.if(e.eqz(e.and(cr4(e), e.constant(32, CR4_FSGSBASE))), () => e.fault("UD"));
}

function readBase(segment: number): Definition {
  return define({
    reference: "SDM 2B RDFSBASE/RDGSBASE",
    operands: { dst: "w" },
    emit(e, { dst }) {
      requireBaseInstructions(e);
      dst.write(e.truncate(e.get("segmentBase", segment), dst.width as Width));
    },
  });
}

function writeBase(segment: number): Definition {
  return define({
    reference: "SDM 2D WRFSBASE/WRGSBASE",
    operands: { src: "r" },
    emit(e, { src }) {
      requireBaseInstructions(e);
      const base = e.let(e.extend(src.read(), 64));
      if (src.width === 64) requireCanonical(e, base);
      e.set("segmentBase", base, segment);
    },
  });
}

// ---- caches, TLB, waiting ----

/** INVLPG: forget the translation of a page. The segment base is 0 wherever this instruction is used. */
export const invlpg = define({
  reference: "SDM 2A INVLPG",
  operands: { page: "a" },
  interpreterOnly: true,
  emit(e, { page }) {
    e.requirePrivilege();
    e.callOut("invlpg", page.address());
  },
});

/** INVPCID: forget translations by address space. */
export const invpcid = define({
  reference: "SDM 2A INVPCID",
  operands: { type: "r", descriptor: "a" },
  interpreterOnly: true,
  emit(e, { type, descriptor }) {
    e.requirePrivilege();
    const pcid = descriptor.part(0, 64, "r").read();
    e.callOut("invpcid", wide(e, type.read()), pcid, descriptor.part(8, 64, "r").read());
  },
});

/** INVD, WBINVD: there is no cache to write back. */
function cacheControl(reference: string): Definition {
  return define({ reference, emit: (e) => e.requirePrivilege() });
}

/** MONITOR: no hints are known; the address is read as by a load. */
export const monitor = define({
  reference: "SDM 2B MONITOR",
  operands: { line: "a" },
  emit(e, { line }) {
    requireLevel0OrUndefined(e);
    e.if(e.gpr("rcx", 32).read(), () => e.fault("GP", 0));
    line.probe(1, "r");
  },
});

/** MWAIT: may end its wait for any reason, and does so at once. */
export const mwait = define({
  reference: "SDM 2B MWAIT",
  emit(e) {
    requireLevel0OrUndefined(e);
    e.if(e.and(e.gpr("rcx", 32).read(), e.constant(32, ~1)), () => e.fault("GP", 0));
  },
});

export const systemDefinitions = {
  "mov.cr": movControl,
  "mov.dr": movDebug,
  clts,
  lmsw,
  smsw,
  xgetbv,
  xsetbv,
  cli,
  sti,
  clac: alignmentCheck("SDM 2A CLAC", false),
  stac: alignmentCheck("SDM 2B STAC", true),
  hlt,
  cpuid,
  rdmsr,
  wrmsr,
  rdtsc,
  rdtscp,
  rdpmc,
  rdpid,
  rdrand: random("SDM 2B RDRAND"),
  rdseed: random("SDM 2B RDSEED"),
  swapgs,
  rdfsbase: readBase(Segment.FS),
  rdgsbase: readBase(Segment.GS),
  wrfsbase: writeBase(Segment.FS),
  wrgsbase: writeBase(Segment.GS),
  invlpg,
  invpcid,
  invd: cacheControl("SDM 2A INVD"),
  wbinvd: cacheControl("SDM 2D WBINVD"),
  monitor,
  mwait,
};
