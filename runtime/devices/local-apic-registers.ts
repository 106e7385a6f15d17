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

export const DeliveryMode = { FIXED: 0, LOWEST_PRIORITY: 1, SMI: 2, RESERVED: 3, NMI: 4, INIT: 5, STARTUP: 6, EXTERNAL: 7 } as const;
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

/** A set of 256 vectors, as the IRR, ISR and TMR are: eight words of 32. */
export class VectorSet {
  readonly words: Int32Array = new Int32Array(8);

  has(vector: number): boolean {
    return ((this.words[vector >> 5] ?? 0) & (1 << (vector & 31))) !== 0;
  }

  set(vector: number, present: boolean): void {
    const bit = 1 << (vector & 31);
    const word = this.words[vector >> 5] ?? 0;
    this.words[vector >> 5] = present ? word | bit : word & ~bit;
  }

  /** The highest vector in the set, -1 if it is empty. */
  get highest(): number {
    for (let index = 7; index >= 0; index--) {
      const word = this.words[index] ?? 0;
      if (word !== 0) return index * 32 + 31 - Math.clz32(word);
    }
    return -1;
  }

  clear(): void {
    this.words.fill(0);
  }
}
