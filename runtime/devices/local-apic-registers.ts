/** Registers of the local APIC by number: MMIO offset / 16, and MSR 0x800 + number in x2APIC mode. SDM Vol. 3A, table 11-1 and 11-6. */
export const Reg = {
  ID: 0x02,
  VERSION: 0x03,
  TASK_PRIORITY: 0x08,
  ARBITRATION_PRIORITY: 0x09,
  PROCESSOR_PRIORITY: 0x0a,
  EOI: 0x0b,
  REMOTE_READ: 0x0c,
  LOGICAL_DESTINATION: 0x0d,
  DESTINATION_FORMAT: 0x0e,
  SPURIOUS: 0x0f,
  /** eight each */
  IN_SERVICE: 0x10,
  TRIGGER_MODE: 0x18,
  REQUEST: 0x20,
  ERROR_STATUS: 0x28,
  COMMAND: 0x30,
  COMMAND_HIGH: 0x31,
  LVT_TIMER: 0x32,
  LVT_THERMAL: 0x33,
  LVT_PERFORMANCE: 0x34,
  LVT_LINT0: 0x35,
  LVT_LINT1: 0x36,
  LVT_ERROR: 0x37,
  INITIAL_COUNT: 0x38,
  CURRENT_COUNT: 0x39,
  DIVIDE: 0x3e,
  /** x2APIC only */
  SELF_IPI: 0x3f,
} as const;

/** MSRs of the local APIC. */
export const ApicMsr = { BASE: 0x1b, TSC_DEADLINE: 0x6e0, X2APIC_FIRST: 0x800, X2APIC_LAST: 0x8ff } as const;

/** IA32_APIC_BASE; SDM Vol. 3A, figure 11-5. */
export const Base = { BOOTSTRAP: 0x100n, X2APIC: 0x400n, ENABLE: 0x800n, FLAGS: 0xfffn } as const;

/** Six entries in the local vector table; no suppression of EOI broadcasts. */
export const VERSION = 0x0005_0014;

/** Bits of the entries of the local vector table; SDM Vol. 3A, figure 11-8. */
export const Lvt = {
  VECTOR: 0xff,
  MODE_SHIFT: 8,
  MODE: 0x700,
  PENDING: 0x1000,
  REMOTE_IRR: 0x4000,
  LEVEL: 0x8000,
  MASKED: 0x1_0000,
  TIMER_SHIFT: 17,
} as const;

export const TimerMode = { ONE_SHOT: 0, PERIODIC: 1, TSC_DEADLINE: 2 } as const;

/** Bits that can be written in each entry. */
export const LVT_WRITABLE: Readonly<Record<number, number>> = {
  [Reg.LVT_TIMER]: 0x0007_00ff,
  [Reg.LVT_THERMAL]: 0x0001_07ff,
  [Reg.LVT_PERFORMANCE]: 0x0001_07ff,
  [Reg.LVT_LINT0]: 0x0001_a7ff,
  [Reg.LVT_LINT1]: 0x0001_a7ff,
  [Reg.LVT_ERROR]: 0x0001_00ff,
};

export const DeliveryMode = {
  FIXED: 0,
  LOWEST_PRIORITY: 1,
  SMI: 2,
  RESERVED: 3,
  NMI: 4,
  INIT: 5,
  STARTUP: 6,
  EXTERNAL: 7,
} as const;
export type DeliveryMode = (typeof DeliveryMode)[keyof typeof DeliveryMode];

/** Interrupt command register, low half; SDM Vol. 3A, figure 11-12. */
export const Icr = {
  VECTOR: 0xff,
  MODE_SHIFT: 8,
  LOGICAL: 0x800,
  ASSERT: 0x4000,
  LEVEL: 0x8000,
  SHORTHAND_SHIFT: 18,
  WRITABLE: 0x000c_cfff,
} as const;

/** Spurious-interrupt vector register. */
export const Spurious = { VECTOR: 0xff, ENABLED: 0x100, WRITABLE: 0x3ff } as const;

/** Error status register; SDM Vol. 3A, figure 11-9. */
export const ApicError = { SEND_ILLEGAL_VECTOR: 0x20, RECEIVE_ILLEGAL_VECTOR: 0x40, ILLEGAL_REGISTER: 0x80 } as const;

/** Registers that a write does not reach: in memory it is lost, in x2APIC mode it is #GP. */
export const READ_ONLY: ReadonlySet<number> = new Set([
  Reg.ID,
  Reg.VERSION,
  Reg.ARBITRATION_PRIORITY,
  Reg.PROCESSOR_PRIORITY,
  Reg.REMOTE_READ,
  Reg.CURRENT_COUNT,
  ...Array.from({ length: 24 }, (_, index) => Reg.IN_SERVICE + index),
]);

/** Registers that x2APIC mode does not have. The logical destination can be read there. */
export const XAPIC_ONLY: ReadonlySet<number> = new Set([
  Reg.ARBITRATION_PRIORITY,
  Reg.REMOTE_READ,
  Reg.DESTINATION_FORMAT,
  Reg.COMMAND_HIGH,
]);

/** Bits that may be set in a write of x2APIC mode; others are #GP. */
export const X2APIC_WRITABLE: Readonly<Record<number, number>> = {
  [Reg.TASK_PRIORITY]: 0xff,
  [Reg.EOI]: 0,
  [Reg.SPURIOUS]: Spurious.WRITABLE,
  [Reg.ERROR_STATUS]: 0,
  ...LVT_WRITABLE,
  // Bits that hardware owns may be written back as they were read.
  [Reg.LVT_LINT0]: 0x0001_f7ff,
  [Reg.LVT_LINT1]: 0x0001_f7ff,
  [Reg.LVT_TIMER]: 0x0007_10ff,
  [Reg.INITIAL_COUNT]: 0xffff_ffff,
  [Reg.DIVIDE]: 0x0b,
};

/** Whether IA32_APIC_BASE may change so: the modes, and the ways between them. SDM Vol. 3A, 11.12.5 and figure 11-27. */
export function mayFollow(base: bigint, next: bigint, addressMask: bigint): boolean {
  if (next & ~(addressMask | Base.BOOTSTRAP | Base.X2APIC | Base.ENABLE)) return false;
  const enables = (next & Base.ENABLE) !== 0n;
  const x2apic = (next & Base.X2APIC) !== 0n;
  // x2APIC mode is entered from xAPIC mode, and left by disabling.
  if (x2apic) return enables && (base & Base.ENABLE) !== 0n;
  return !enables || (base & Base.X2APIC) === 0n;
}
