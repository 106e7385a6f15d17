import { Mode, Rflags, Segment, UnitTrap } from "../abi/guest-state.ts";
import { Attribute, Cr0, Cr4, Efer } from "./control-bits.ts";
import type { CpuModel } from "./cpuid.ts";
import type { CpuHooks } from "./hooks.ts";
import type { LinearMemory } from "./memory-access.ts";
import type { StateView } from "./state-view.ts";

/** What a processor needs from outside. */
export interface CpuParts {
  readonly state: StateView;
  readonly memory: LinearMemory;
  readonly hooks: CpuHooks;
  readonly model: CpuModel;
}

/** What a processor remembers outside guestState; part of a snapshot. */
export interface CpuExtraState {
  nmiBlocked: boolean;
  /** model-specific registers without a field in guestState, by number */
  msrs: [number, bigint][];
}

/** Values of guestState.interruptShadow. */
export const Shadow = {
  NONE: 0,
  /** STI: external interrupts wait for one instruction */
  STI: 1,
  /** load of SS: debug traps and NMIs wait, too */
  STACK: 2,
} as const;

/**
 * One virtual processor as TypeScript sees it: registers in linear memory, the linear address space, and the rest of the machine
 * behind hooks. Call-outs, exception delivery and the debug logic work on it.
 */
export class Cpu {
  readonly state: StateView;
  readonly memory: LinearMemory;
  readonly hooks: CpuHooks;
  readonly model: CpuModel;
  /** length in bytes of the instruction that called out; the dispatcher of call-outs sets it */
  instructionLength = 0;
  /** NMIs are held back from the delivery of one to the next IRET; SDM Vol. 3A, 6.7.1 */
  nmiBlocked = false;
  /** DR6 bits of debug traps that are due after the running instruction (data breakpoints, task switch) */
  pendingDebug = 0;
  /** the running instruction decides by the trap flag that it leaves, not by the one it found (SYSCALL, SYSRET) */
  trapByNewFlag = false;
  /** an event was delivered while the instruction ran: no single-step trap belongs to it any more */
  eventDelivered = false;
  /** MSRs that have no field in guestState */
  readonly otherMsrs: Map<number, bigint> = new Map<number, bigint>();

  constructor({ state, memory, hooks, model }: CpuParts) {
    this.state = state;
    this.memory = memory;
    this.hooks = hooks;
    this.model = model;
  }

  // ---- modes ----

  get protectedMode(): boolean {
    return (this.state.cr0 & Cr0.PE) !== 0n;
  }
  /** Virtual-8086 mode. */
  get virtual8086(): boolean {
    return this.protectedMode && (this.state.systemFlags & Rflags.VM) !== 0;
  }
  /** Segments are loaded without descriptors: real-address or virtual-8086 mode. */
  get realSegments(): boolean {
    return !this.protectedMode || (this.state.systemFlags & Rflags.VM) !== 0;
  }
  /** IA-32e mode, 64-bit or compatibility. */
  get longMode(): boolean {
    return (this.state.efer & Efer.LMA) !== 0n;
  }
  get code64(): boolean {
    return (this.state.mode & Mode.CODE_SIZE_MASK) === Mode.CODE64;
  }

  /** RIP of the instruction after the one that called out, truncated to the code size. */
  get nextRip(): bigint {
    const next = this.state.rip + BigInt(this.instructionLength);
    if (this.code64) return BigInt.asUintN(64, next);
    return next & ((this.state.mode & Mode.CODE_SIZE_MASK) === Mode.CODE32 ? 0xffff_ffffn : 0xffffn);
  }

  /** Sets guestState.mode from CS and EFER. */
  updateMode(): void {
    const mode = this.state.mode;
    const attributes = this.state.u32("segmentAttributes", Segment.CS);
    let size: number = attributes & Attribute.DEFAULT ? Mode.CODE32 : Mode.CODE16;
    if (this.longMode && attributes & Attribute.LONG) size = Mode.CODE64;
    const next = (mode & Mode.STEP) | size | (this.realSegments ? Mode.REAL : 0);
    this.state.setU32("mode", next);
    if (next !== mode) this.hooks.modeChanged();
  }

  /** Sets guestState.unitTraps from CR0 and CR4; to be called after each change of either. */
  updateUnitTraps(): void {
    const { cr0, cr4 } = this.state;
    let traps = 0;
    if (cr0 & (Cr0.EM | Cr0.TS)) traps |= UnitTrap.X87 | UnitTrap.MMX | UnitTrap.SSE;
    if (!(cr4 & Cr4.OSFXSR)) traps |= UnitTrap.SSE;
    this.state.setU32("unitTraps", traps);
  }

  /** The interrupt shadow that covers the instruction at RIP: a value of Shadow. */
  get shadow(): number {
    const shadow = this.state.u32("interruptShadow");
    return shadow !== Shadow.NONE && this.state.rip !== this.state.u64("shadowRip") ? Shadow.NONE : shadow;
  }
  /** A load of SS has succeeded: the next instruction runs without debug traps and interrupts. */
  shadowStackLoad(): void {
    this.state.setU32("interruptShadow", Shadow.STACK);
    this.state.setU64("shadowRip", this.nextRip);
  }

  setCpl(cpl: number): void {
    if (this.state.cpl === cpl) return;
    this.state.setU32("cpl", cpl);
    this.hooks.privilegeChanged();
  }

  /** Replaces all of RFLAGS; the TLB bank depends on AC. */
  setFlags(value: number): void {
    const changed = this.state.systemFlags ^ value;
    this.state.rflags = value;
    if (changed & (Rflags.AC | Rflags.VM)) this.hooks.privilegeChanged();
  }

  // ---- snapshot ----

  save(): CpuExtraState {
    return { nmiBlocked: this.nmiBlocked, msrs: [...this.otherMsrs] };
  }
  restore({ nmiBlocked, msrs }: CpuExtraState): void {
    this.nmiBlocked = nmiBlocked;
    this.otherMsrs.clear();
    for (const [msr, value] of msrs) this.otherMsrs.set(msr, value);
  }
}

/** Puts the processor into the state after power-up or RESET; SDM Vol. 3A, table 9-1. */
export function resetCpu(cpu: Cpu): void {
  const { state } = cpu;
  for (let register = 0; register < 16; register++) state.setU64("gpr", 0n, register);
  state.setU64("gpr", BigInt(cpu.model.signature), 2);
  state.rflags = Rflags.ONE;
  state.rip = 0xfff0n;
  state.setU64("cr0", 0x6000_0010n);
  for (const field of ["cr2", "cr3", "cr4", "cr8", "efer"] as const) state.setU64(field, 0n);
  for (const field of ["star", "lstar", "cstar", "fmask", "kernelGsBase", "tscAux", "tscOffset"] as const)
    state.setU64(field, 0n);
  for (const field of ["sysenterCs", "sysenterEsp", "sysenterEip"] as const) state.setU64(field, 0n);
  state.setU64("xcr0", 1n);
  state.setU64("pat", 0x0007_0406_0007_0406n);
  state.setU64("miscEnable", 1n);
  state.setU64("apicBase", 0xfee0_0900n);
  for (let segment = 0; segment < 6; segment++)
    state.setSegment(segment, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0093 });
  state.setSegment(Segment.CS, { selector: 0xf000, base: 0xffff_0000n, limit: 0xffff, attributes: 0x0093 });
  state.setSegment(Segment.LDTR, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0082 });
  state.setSegment(Segment.TR, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x008b });
  for (const table of ["gdt", "idt"] as const) {
    state.setU64(`${table}Base`, 0n);
    state.setU32(`${table}Limit`, 0xffff);
  }
  for (let register = 0; register < 4; register++) state.setU64("dr", 0n, register);
  state.setU64("dr", 0xffff_0ff0n, 6);
  state.setU64("dr", 0x400n, 7);
  state.setU32("interruptShadow", 0);
  state.setU32("mxcsr", 0x1f80);
  state.setU32("fcw", 0x40);
  state.setU32("fsw", 0);
  state.setU32("ftop", 0);
  state.setU32("ftag", 0xff);
  cpu.nmiBlocked = false;
  cpu.pendingDebug = 0;
  cpu.otherMsrs.clear();
  cpu.state.setU32("cpl", 0);
  cpu.updateMode();
  cpu.updateUnitTraps();
  cpu.hooks.privilegeChanged();
  cpu.hooks.debugChanged();
  cpu.hooks.flushTlb({ kind: "all" });
}
