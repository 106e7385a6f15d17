import { Mode, Rflags, Segment } from "../abi/guest-state.ts";
import { bigintOf, nextInstruction, numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import { Attribute, Cr0, Cr4, Efer, SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { generalProtection, invalidOpcode, type Fault } from "./fault.ts";
import { isCanonical } from "./memory-access.ts";

/** MOV to and from control registers, LMSW, XSETBV, INVPCID and INVLPG. SDM Vol. 3A, 2.5 and 4.10.4; Vol. 2 under the names. */

const CR0_DEFINED = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.ET | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD | Cr0.PG;
/** CR0 bits that change what an address translates to. */
const CR0_PAGING = Cr0.PG | Cr0.PE | Cr0.WP;
const CR4_PAGING = Cr4.PSE | Cr4.PAE | Cr4.PGE | Cr4.PCIDE | Cr4.SMEP | Cr4.SMAP;
const CR3_NO_FLUSH = 1n << 63n;

function writeCr0(cpu: Cpu, value: bigint): CallOutResult {
  const { state } = cpu;
  if (value >> 32n) return generalProtection();
  // Reserved bits of the low half are ignored, ET is always 1.
  const next = (value & CR0_DEFINED) | Cr0.ET;
  const old = state.cr0;
  if (next & Cr0.PG && !(next & Cr0.PE)) return generalProtection();
  if (next & Cr0.NW && !(next & Cr0.CD)) return generalProtection();
  let efer = state.efer;
  if (next & Cr0.PG && !(old & Cr0.PG) && efer & Efer.LME) {
    const code = state.u32("segmentAttributes", Segment.CS);
    const task = state.u32("segmentAttributes", Segment.TR) & 15;
    if (!(state.cr4 & Cr4.PAE) || code & Attribute.LONG || task === SystemType.TSS16_BUSY) return generalProtection();
    efer |= Efer.LMA;
  }
  if (!(next & Cr0.PG) && old & Cr0.PG) {
    if (cpu.code64 || state.cr4 & Cr4.PCIDE) return generalProtection();
    efer &= ~Efer.LMA;
  }
  state.setU64("cr0", next);
  state.setU64("efer", efer);
  cpu.updateUnitTraps();
  if ((old ^ next) & CR0_PAGING) {
    cpu.hooks.flushTlb({ kind: "all" });
    cpu.hooks.privilegeChanged();
    cpu.updateMode();
    // Even if the code size is the same, RIP and segments now mean something else.
    return nextInstruction(cpu);
  }
  if ((old ^ next) & Cr0.AM) cpu.hooks.privilegeChanged();
  return undefined;
}

function writeCr3(cpu: Cpu, value: bigint): CallOutResult {
  const { state } = cpu;
  const pcid = (state.cr4 & Cr4.PCIDE) !== 0n;
  const keep = pcid && (value & CR3_NO_FLUSH) !== 0n;
  const stored = pcid ? value & ~CR3_NO_FLUSH : value;
  if (cpu.longMode && stored >> BigInt(cpu.model.physicalAddressBits)) return generalProtection();
  state.setU64("cr3", stored);
  cpu.hooks.addressSpaceChanged(keep);
  return nextInstruction(cpu);
}

function writeCr4(cpu: Cpu, value: bigint): CallOutResult {
  const { state } = cpu;
  const old = state.cr4;
  if (value & ~cpu.model.cr4Mask) return generalProtection();
  if (cpu.longMode && !(value & Cr4.PAE)) return generalProtection();
  if (value & Cr4.PCIDE && !(old & Cr4.PCIDE) && (!cpu.longMode || state.u64("cr3") & 0xfffn))
    return generalProtection();
  state.setU64("cr4", value);
  cpu.updateUnitTraps();
  if ((old ^ value) & CR4_PAGING) {
    cpu.hooks.flushTlb({ kind: "all" });
    cpu.hooks.privilegeChanged();
  }
  return old === value ? undefined : nextInstruction(cpu);
}

function writeCr8(cpu: Cpu, value: bigint): CallOutResult {
  if (value >> 4n) return generalProtection();
  cpu.state.setU64("cr8", value);
  cpu.hooks.taskPriorityChanged(Number(value));
  // A lower priority may let an interrupt in.
  return nextInstruction(cpu);
}

function writeControl(cpu: Cpu, number: number, value: bigint): CallOutResult {
  switch (number) {
    case 0:
      return writeCr0(cpu, value);
    case 2:
      cpu.state.setU64("cr2", value);
      return undefined;
    case 3:
      return writeCr3(cpu, value);
    case 4:
      return writeCr4(cpu, value);
    case 8:
      return cpu.code64 ? writeCr8(cpu, value) : invalidOpcode();
    default:
      return invalidOpcode();
  }
}

const READABLE = { 0: "cr0", 2: "cr2", 3: "cr3", 4: "cr4", 8: "cr8" } as const;

// ---- EFER ----

/** WRMSR of EFER. SDM Vol. 3A, 2.2.1 and 9.8.5. */
export function writeEfer(cpu: Cpu, value: bigint): Fault | undefined {
  const { state } = cpu;
  const old = state.efer;
  if (value & ~(Efer.SCE | Efer.LME | Efer.LMA | Efer.NXE)) return generalProtection();
  if ((old ^ value) & Efer.LME && state.cr0 & Cr0.PG) return generalProtection();
  // LMA follows LME and PG; writes to it are ignored.
  const next = (value & ~Efer.LMA) | (old & Efer.LMA);
  state.setU64("efer", next);
  if ((old ^ next) & Efer.NXE) cpu.hooks.flushTlb({ kind: "all" });
  return undefined;
}

// ---- extended control register ----

function writeXcr0(cpu: Cpu, register: number, value: bigint): CallOutResult {
  const { state } = cpu;
  if (!(state.cr4 & Cr4.OSXSAVE)) return invalidOpcode();
  if (state.cpl !== 0 || register !== 0) return generalProtection();
  if (!(value & 1n) || value & ~cpu.model.xcr0Mask) return generalProtection();
  state.setU64("xcr0", value);
  return undefined;
}

function readXcr(cpu: Cpu, register: number): CallOutResult {
  const { state } = cpu;
  if (!(state.cr4 & Cr4.OSXSAVE)) return invalidOpcode();
  if (register === 0) return state.u64("xcr0");
  // XGETBV with ECX = 1 tells which components are in use; saying "all" is always right.
  if (register === 1 && cpu.model.features.has("xgetbv1")) return state.u64("xcr0");
  return generalProtection();
}

// ---- invalidation ----

/** INVPCID. SDM Vol. 2A "INVPCID". */
function invalidatePcid(cpu: Cpu, type: bigint, descriptor: bigint, linear: bigint): CallOutResult {
  const { state, hooks } = cpu;
  if (state.cpl !== 0) return generalProtection();
  if (descriptor >> 12n || type > 3n) return generalProtection();
  const pcid = Number(descriptor);
  const enabled = (state.cr4 & Cr4.PCIDE) !== 0n;
  if (type <= 1n && pcid !== 0 && !enabled) return generalProtection();
  if (type === 0n && !isCanonical(linear)) return generalProtection();
  if (type === 0n) hooks.flushTlb({ kind: "pcidPage", pcid, linear });
  else if (type === 1n) hooks.flushTlb({ kind: "pcid", pcid });
  else hooks.flushTlb({ kind: type === 2n ? "all" : "nonGlobal" });
  return nextInstruction(cpu);
}

/** Level checks are made by the definitions unless said otherwise. Values are registers, numbers as encoded. */
export const controlCallOuts: CallOutTable = {
  readControl(cpu, operands) {
    const number = numberOf(operands, 0);
    if (number === 8 && !cpu.code64) return invalidOpcode();
    const field = READABLE[number as keyof typeof READABLE];
    return field ? cpu.state.u64(field) : invalidOpcode();
  },
  writeControl: (cpu, operands) => writeControl(cpu, numberOf(operands, 0), bigintOf(operands, 1)),

  clts(cpu) {
    cpu.state.setU64("cr0", cpu.state.cr0 & ~Cr0.TS);
    cpu.updateUnitTraps();
    return undefined;
  },
  /** Only the low four bits can change, and PE cannot be cleared. */
  lmsw(cpu, operands) {
    const low = bigintOf(operands, 0) & 15n;
    return writeCr0(cpu, (cpu.state.cr0 & ~14n) | low);
  },

  xsetbv: (cpu, operands) => writeXcr0(cpu, numberOf(operands, 0), bigintOf(operands, 1)),
  xgetbv: (cpu, operands) => readXcr(cpu, numberOf(operands, 0)),

  invlpg(cpu, operands) {
    const linear = bigintOf(operands, 0);
    // INVLPG of a non-canonical address does nothing. SDM Vol. 2A "INVLPG".
    if (!isCanonical(linear)) return undefined;
    cpu.hooks.flushTlb({ kind: "page", linear: cpu.code64 ? linear : linear & 0xffff_ffffn });
    return nextInstruction(cpu);
  },
  invpcid: (cpu, operands) => invalidatePcid(cpu, bigintOf(operands, 0), bigintOf(operands, 1), bigintOf(operands, 2)),

  /** LGDT, LIDT: (limit, base), privilege checked; the base comes masked to the operand size. */
  lgdt: (cpu, operands) => loadTable(cpu, "gdt", operands),
  lidt: (cpu, operands) => loadTable(cpu, "idt", operands),

  /** CLI and STI when CPL > IOPL: virtual interrupts, or #GP(0). SDM Vol. 3B, 20.3 and 20.4. */
  interruptFlagUnprivileged(cpu, operands) {
    const { state } = cpu;
    const enable = numberOf(operands, 0) !== 0;
    const virtual = cpu.virtual8086 ? Cr4.VME : state.cpl === 3 ? Cr4.PVI : 0n;
    if (!(state.cr4 & virtual)) return generalProtection();
    const flags = state.systemFlags;
    if (enable && flags & Rflags.VIP) return generalProtection();
    state.systemFlags = enable ? flags | Rflags.VIF : flags & ~Rflags.VIF;
    return undefined;
  },

  /** Ends an instruction after which the machine must look for events. */
  lookForEvents: (cpu) => nextInstruction(cpu),
};

function loadTable(cpu: Cpu, table: "gdt" | "idt", operands: BigUint64Array | readonly bigint[]): CallOutResult {
  const base = bigintOf(operands, 1);
  const wide = (cpu.state.u32("mode") & Mode.CODE_SIZE_MASK) === Mode.CODE64;
  if (wide && !isCanonical(base)) return generalProtection();
  cpu.state.setU32(`${table}Limit`, numberOf(operands, 0) & 0xffff);
  cpu.state.setU64(`${table}Base`, base);
  return undefined;
}
