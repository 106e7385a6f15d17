import { Mode, Rflags, Segment, Vector } from "../abi/guest-state.ts";
import { bigintOf, nextInstruction, numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import { Cr4 } from "./control-bits.ts";
import { Shadow, type Cpu } from "./cpu.ts";
import type { GuestEvent } from "./exceptions.ts";
import { Fault, generalProtection, invalidOpcode } from "./fault.ts";

/**
 * Debug registers and debug exceptions. SDM Vol. 3B, chapter 17.
 *
 * The machine runs STEP blocks while `needsStepping` holds: `beforeStep`, the instruction, `afterStep`. Data breakpoints are
 * found by the slow path of memory accesses: pages in `dataPages` must not be in the fast TLB, and the slow path reports each
 * access with `noteDataAccess`.
 *
 * Not modelled: DEBUGCTL.BTF, breakpoints of I/O ports with DR7 R/W = 2, restricted transactional memory.
 */

const DR6_BD = 1 << 13;
const DR6_BS = 1 << 14;
const DR7_GD = 1n << 13n;
const CODE = 0;
const WRITE = 1;
const IO = 2;
const READ_WRITE = 3;

/** One enabled breakpoint. */
interface Breakpoint {
  readonly index: number;
  readonly type: number;
  readonly linear: bigint;
  readonly byteLength: number;
}

/** LENn fields; SDM Vol. 3B, 17.2.4. */
const LENGTHS = [1, 2, 8, 4] as const;

const NONE: readonly Breakpoint[] = [];

function breakpoints(cpu: Cpu): readonly Breakpoint[] {
  const { state } = cpu;
  const control = state.dr7;
  if ((control & 0xff) === 0) return NONE;
  const found: Breakpoint[] = [];
  for (let index = 0; index < 4; index++) {
    if (((control >> (index * 2)) & 3) === 0) continue;
    const field = (control >>> (16 + index * 4)) & 15;
    const type = field & 3;
    const byteLength = type === CODE ? 1 : (LENGTHS[field >> 2] ?? 1);
    // Unaligned addresses are aligned by their length.
    const linear = state.u64("dr", index) & ~BigInt(byteLength - 1);
    found.push({ index, type, linear, byteLength });
  }
  return found;
}

/**
 * Whether instructions must run one at a time: trap flag, or an armed breakpoint. An interrupt shadow matters only while an
 * event waits; then the machine steps once whatever this says.
 */
export function needsStepping(cpu: Cpu): boolean {
  const { state } = cpu;
  return (state.systemFlags & Rflags.TF) !== 0 || breakpoints(cpu).some(({ type }) => type !== IO);
}

/** Whether any code breakpoint is armed: only then does RFLAGS.RF mean anything after IRET. */
export function hasCodeBreakpoints(cpu: Cpu): boolean {
  return breakpoints(cpu).some(({ type }) => type === CODE);
}

/** Linear page addresses that hold an enabled data breakpoint, ascending, each once. */
export function dataPages(cpu: Cpu): bigint[] {
  const pages = new Set<bigint>();
  for (const { type, linear, byteLength } of breakpoints(cpu)) {
    if (type !== WRITE && type !== READ_WRITE) continue;
    pages.add(linear & ~0xfffn);
    pages.add((linear + BigInt(byteLength - 1)) & ~0xfffn);
  }
  return [...pages].toSorted((a, b) => (a < b ? -1 : 1));
}

/** Reports a data access to a page of `dataPages`; a hit becomes a trap after the running instruction. */
export function noteDataAccess(cpu: Cpu, linear: bigint, byteLength: number, write: boolean): void {
  for (const point of breakpoints(cpu)) {
    if (point.type !== READ_WRITE && !(point.type === WRITE && write)) continue;
    const overlaps = linear < point.linear + BigInt(point.byteLength) && point.linear < linear + BigInt(byteLength);
    if (overlaps) cpu.pendingDebug |= 1 << point.index;
  }
}

/** What one step began with; `afterStep` needs it. */
export interface Step {
  readonly trapFlag: boolean;
  readonly resumeFlag: boolean;
  readonly shadow: number;
}

/**
 * Before each instruction of a STEP block.
 *
 * @returns the #DB fault of a code breakpoint at RIP, to be delivered instead, or what to hand to `afterStep`
 */
export function beforeStep(cpu: Cpu): Step | GuestEvent {
  const { state } = cpu;
  const flags = state.systemFlags;
  const { shadow } = cpu;
  if (!(flags & Rflags.RF) && shadow !== Shadow.STACK) {
    const hits = codeHits(cpu);
    if (hits !== 0) return { vector: Vector.DB, kind: "fault", dr6: hits };
  }
  cpu.eventDelivered = false;
  cpu.trapByNewFlag = false;
  cpu.pendingDebug &= ~0xf;
  // RF holds for one instruction; IRET may set it again for the next. SDM Vol. 3B, 17.3.1.1.
  state.systemFlags = flags & ~Rflags.RF;
  return { trapFlag: (flags & Rflags.TF) !== 0, resumeFlag: (flags & Rflags.RF) !== 0, shadow };
}

function codeHits(cpu: Cpu): number {
  const { state } = cpu;
  const linear = BigInt.asUintN(
    cpu.code64 ? 64 : 32,
    state.rip + (cpu.code64 ? 0n : state.u64("segmentBase", Segment.CS)),
  );
  let hits = 0;
  for (const point of breakpoints(cpu)) if (point.type === CODE && point.linear === linear) hits |= 1 << point.index;
  return hits;
}

/**
 * After each instruction of a STEP block (not after one that faulted: then `stepFaulted`).
 *
 * @returns the #DB trap that is due, if any
 */
export function afterStep(cpu: Cpu, step: Step): GuestEvent | undefined {
  const { state } = cpu;
  const { shadow } = cpu;
  if (step.shadow !== 0 && shadow === step.shadow) state.setU32("interruptShadow", Shadow.NONE);
  let dr6 = cpu.pendingDebug;
  const trapFlag = cpu.trapByNewFlag ? (state.systemFlags & Rflags.TF) !== 0 : step.trapFlag;
  if (trapFlag && !cpu.eventDelivered) dr6 |= DR6_BS;
  if (dr6 === 0) return undefined;
  // A load of SS holds traps back until the next instruction has run; the single-step trap is lost. SDM Vol. 3A, 6.8.3.
  if (shadow === Shadow.STACK && step.shadow !== Shadow.STACK) return undefined;
  cpu.pendingDebug = 0;
  return { vector: Vector.DB, kind: "trap", dr6 };
}

/** After a STEP block whose instruction faulted: the shadow is over once the handler runs, RF is as it was. */
export function stepFaulted(cpu: Cpu, step: Step): void {
  if (step.resumeFlag) cpu.state.systemFlags |= Rflags.RF;
  cpu.pendingDebug = 0;
}

// ---- MOV to and from debug registers ----

const DR6_FIXED = 0xffff_0ff0n;
const DR7_WRITABLE = 0xffff_23ffn;

/** DR4 and DR5 mean DR6 and DR7 unless CR4.DE is set; SDM Vol. 3B, 17.2.2. */
function debugRegister(cpu: Cpu, number: number): number | Fault {
  if (number > 7) return invalidOpcode();
  if (number !== 4 && number !== 5) return number;
  return cpu.state.cr4 & Cr4.DE ? invalidOpcode() : number + 2;
}

function generalDetect(cpu: Cpu): Fault | undefined {
  return cpu.state.u64("dr", 7) & DR7_GD ? new Fault(Vector.DB, undefined, { dr6: DR6_BD }) : undefined;
}

export const debugCallOuts: CallOutTable = {
  /** readDebug(number): the value. Level 0 was checked. */
  readDebug(cpu, operands) {
    const number = debugRegister(cpu, numberOf(operands, 0));
    if (number instanceof Fault) return number;
    return generalDetect(cpu) ?? cpu.state.u64("dr", number);
  },

  /** writeDebug(number, value) */
  writeDebug(cpu, operands): CallOutResult {
    const number = debugRegister(cpu, numberOf(operands, 0));
    if (number instanceof Fault) return number;
    const detected = generalDetect(cpu);
    if (detected) return detected;
    const value = bigintOf(operands, 1);
    if (number >= 6 && value >> 32n) return generalProtection();
    const stored =
      number === 6 ? (value & 0xe00fn) | DR6_FIXED : number === 7 ? (value & DR7_WRITABLE) | 0x400n : value;
    cpu.state.setU64("dr", stored, number);
    if (number === 6) return undefined;
    cpu.hooks.debugChanged();
    return nextInstruction(cpu);
  },
};

/** Whether guestState.mode has the STEP bit, which the machine manages. */
export function isStepping(cpu: Cpu): boolean {
  return (cpu.state.mode & Mode.STEP) !== 0;
}
