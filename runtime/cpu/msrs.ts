import { Segment } from "../abi/guest-state.ts";
import { bigintOf, nextInstruction, numberOf, type CallOutResult, type CallOutTable } from "./call-out.ts";
import { writeEfer } from "./control-registers.ts";
import type { Cpu } from "./cpu.ts";
import { Fault, generalProtection } from "./fault.ts";
import { isCanonical } from "./memory-access.ts";
import type { StateField } from "./state-view.ts";

/**
 * Model-specific registers: one table. SDM Vol. 4, chapter 2.
 *
 * Not modelled: performance counters, last-branch records, machine-check banks (MCG_CAP says that there are none). MTRRs and PAT
 * hold what is written to them and change nothing: guest memory is always cached.
 */
export interface Msr {
  readonly name: string;
  read(cpu: Cpu): bigint;
  /** @returns the #GP, if the value is not allowed */
  write(cpu: Cpu, value: bigint): Fault | undefined;
}

const ALL = 0xffff_ffff_ffff_ffffn;

/** A register that a field of guestState holds. */
function field(
  name: string,
  stateField: StateField,
  options: { writable?: bigint; canonical?: boolean; index?: number } = {},
): Msr {
  const { writable = ALL, canonical = false, index = 0 } = options;
  return {
    name,
    read: ({ state }) => state.u64(stateField, index),
    write({ state }, value) {
      if (value & ~writable || (canonical && !isCanonical(value))) return generalProtection();
      state.setU64(stateField, value, index);
      return undefined;
    },
  };
}

/** A register that nothing but its own reads and writes looks at. */
function stored(name: string, number: number, reset = 0n, writable = ALL): Msr {
  return {
    name,
    read: ({ otherMsrs }) => otherMsrs.get(number) ?? reset,
    write({ otherMsrs }, value) {
      if (value & ~writable) return generalProtection();
      otherMsrs.set(number, value);
      return undefined;
    },
  };
}

/** A register that cannot be written. */
function readOnly(name: string, read: (cpu: Cpu) => bigint): Msr {
  return { name, read, write: () => generalProtection() };
}

/** Writes are accepted and forgotten. */
function ignored(name: string, value = 0n): Msr {
  return { name, read: () => value, write: () => undefined };
}

/** Memory types that PAT and the MTRRs may hold; SDM Vol. 3A, table 12-2 and 12-10. */
const PAT_TYPES = new Set([0n, 1n, 4n, 5n, 6n, 7n]);
const MTRR_TYPES = new Set([0n, 1n, 4n, 5n, 6n]);

function everyByte(value: bigint, allowed: ReadonlySet<bigint>): boolean {
  for (let shift = 0n; shift < 64n; shift += 8n) if (!allowed.has((value >> shift) & 0xffn)) return false;
  return true;
}

function checked(msr: Msr, valid: (value: bigint, cpu: Cpu) => boolean): Msr {
  return { ...msr, write: (cpu, value) => (valid(value, cpu) ? msr.write(cpu, value) : generalProtection()) };
}

const APIC_BASE_FLAGS = 0xd00n;

/** FEATURE_CONTROL, locked with everything off. */
const FEATURE_CONTROL_LOCKED = 1n;
/** MTRRCAP: fixed ranges, write combining, 8 variable ranges. */
const MTRR_CAPABILITIES = 0x508n;
const VARIABLE_RANGES = 8;

const TABLE: readonly (readonly [number, Msr])[] = [
  [0x10, { name: "TSC", read: guestTsc, write: writeTsc }],
  [0x17, readOnly("PLATFORM_ID", () => 0n)],
  [
    0x1b,
    checked(field("APIC_BASE", "apicBase"), (value, { model }) => {
      const address = ((1n << BigInt(model.physicalAddressBits)) - 1n) & ~0xfffn;
      // x2APIC mode (bit 10) needs the enable bit.
      return (value & ~(address | APIC_BASE_FLAGS)) === 0n && (value & 0xc00n) !== 0x400n;
    }),
  ],
  [0x3a, readOnly("FEATURE_CONTROL", () => FEATURE_CONTROL_LOCKED)],
  [0x3b, { name: "TSC_ADJUST", read: ({ state }) => state.u64("tscOffset"), write: writeTscAdjust }],
  [0x8b, ignored("BIOS_SIGN_ID", 0x1_0000_0000n)],
  [0xce, readOnly("PLATFORM_INFO", () => 0n)],
  [0xfe, readOnly("MTRRCAP", () => MTRR_CAPABILITIES)],
  [0x10a, readOnly("ARCH_CAPABILITIES", ({ model }) => model.archCapabilities)],
  [0x174, field("SYSENTER_CS", "sysenterCs", { writable: 0xffff_ffffn })],
  [0x175, field("SYSENTER_ESP", "sysenterEsp", { canonical: true })],
  [0x176, field("SYSENTER_EIP", "sysenterEip", { canonical: true })],
  [0x179, readOnly("MCG_CAP", () => 0n)],
  [0x17a, stored("MCG_STATUS", 0x17a)],
  [0x1a0, field("MISC_ENABLE", "miscEnable")],
  [0x1d9, stored("DEBUGCTL", 0x1d9, 0n, 0x3n)],
  [0x277, checked(field("PAT", "pat"), (value) => everyByte(value, PAT_TYPES))],
  [0x2ff, checked(stored("MTRR_DEF_TYPE", 0x2ff, 0xc06n, 0xcffn), (value) => MTRR_TYPES.has(value & 0xffn))],
  [0xc000_0080, { name: "EFER", read: ({ state }) => state.efer, write: writeEfer }],
  [0xc000_0081, field("STAR", "star")],
  [0xc000_0082, field("LSTAR", "lstar", { canonical: true })],
  [0xc000_0083, field("CSTAR", "cstar", { canonical: true })],
  [0xc000_0084, field("FMASK", "fmask", { writable: 0xffff_ffffn })],
  [0xc000_0100, field("FS_BASE", "segmentBase", { canonical: true, index: Segment.FS })],
  [0xc000_0101, field("GS_BASE", "segmentBase", { canonical: true, index: Segment.GS })],
  [0xc000_0102, field("KERNEL_GS_BASE", "kernelGsBase", { canonical: true })],
  [0xc000_0103, field("TSC_AUX", "tscAux", { writable: 0xffff_ffffn })],
];

/** Fixed-range MTRRs; SDM Vol. 3A, table 12-9. */
const FIXED_RANGES = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f] as const;

function buildTable(): ReadonlyMap<number, Msr> {
  const table = new Map<number, Msr>(TABLE);
  for (let index = 0; index < VARIABLE_RANGES; index++) {
    const base = 0x200 + index * 2;
    const baseMsr = stored(`MTRR_PHYSBASE${index}`, base, 0n, 0x000f_ffff_ffff_f0ffn);
    table.set(
      base,
      checked(baseMsr, (value) => MTRR_TYPES.has(value & 0xffn)),
    );
    table.set(base + 1, stored(`MTRR_PHYSMASK${index}`, base + 1, 0n, 0x000f_ffff_ffff_f800n));
  }
  for (const number of FIXED_RANGES) {
    const all = 0x0606_0606_0606_0606n;
    table.set(
      number,
      checked(stored(`MTRR_FIX_${number.toString(16)}`, number, all), (value) => everyByte(value, MTRR_TYPES)),
    );
  }
  return table;
}

/** Every register but those of devices, by number. */
export const MSRS: ReadonlyMap<number, Msr> = buildTable();

// ---- time-stamp counter ----

export function guestTsc({ state, hooks }: Cpu): bigint {
  return BigInt.asUintN(64, BigInt(hooks.readTsc()) + state.u64("tscOffset"));
}
function writeTsc(cpu: Cpu, value: bigint): undefined {
  writeTscAdjust(cpu, BigInt.asUintN(64, value - BigInt(cpu.hooks.readTsc())));
}
/** TSC_ADJUST and the offset of the counter move together; SDM Vol. 3B, 18.17.3. */
function writeTscAdjust(cpu: Cpu, value: bigint): undefined {
  cpu.state.setU64("tscOffset", value);
  cpu.hooks.msrs.tscMoved?.();
}

// ---- RDMSR, WRMSR ----

function readMsr(cpu: Cpu, number: number): bigint | Fault {
  const device = cpu.hooks.msrs.read(number);
  if (device !== undefined) return device;
  if (number === 0x10a && cpu.model.archCapabilities === 0n) return generalProtection();
  return MSRS.get(number)?.read(cpu) ?? generalProtection();
}

function writeMsr(cpu: Cpu, number: number, value: bigint): CallOutResult {
  const device = cpu.hooks.msrs.write(number, value);
  if (device instanceof Fault) return device;
  if (device === undefined) {
    const msr = MSRS.get(number);
    const fault = msr ? msr.write(cpu, value) : generalProtection();
    if (fault) return fault;
  }
  // A register of a device may have made an interrupt pending; EFER.NXE changes translations.
  return device === "done" || number === 0xc000_0080 ? nextInstruction(cpu) : undefined;
}

/** rdmsr(number): EDX:EAX as 64 bits. wrmsr(number, value). Level 0 was checked. */
export const msrCallOuts: CallOutTable = {
  rdmsr: (cpu, operands) => readMsr(cpu, numberOf(operands, 0)),
  wrmsr: (cpu, operands) => writeMsr(cpu, numberOf(operands, 0), bigintOf(operands, 1)),
};
