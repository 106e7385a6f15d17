/** Bits of the control registers and EFER; SDM Vol. 3A, 2.5 and 2.2.1. */
export const Cr0 = {
  PE: 1n << 0n,
  MP: 1n << 1n,
  EM: 1n << 2n,
  TS: 1n << 3n,
  ET: 1n << 4n,
  NE: 1n << 5n,
  WP: 1n << 16n,
  AM: 1n << 18n,
  NW: 1n << 29n,
  CD: 1n << 30n,
  PG: 1n << 31n,
} as const;

export const Cr4 = {
  VME: 1n << 0n,
  PVI: 1n << 1n,
  TSD: 1n << 2n,
  DE: 1n << 3n,
  PSE: 1n << 4n,
  PAE: 1n << 5n,
  MCE: 1n << 6n,
  PGE: 1n << 7n,
  PCE: 1n << 8n,
  OSFXSR: 1n << 9n,
  OSXMMEXCPT: 1n << 10n,
  UMIP: 1n << 11n,
  FSGSBASE: 1n << 16n,
  PCIDE: 1n << 17n,
  OSXSAVE: 1n << 18n,
  SMEP: 1n << 20n,
  SMAP: 1n << 21n,
} as const;

export const Efer = {
  SCE: 1n << 0n,
  LME: 1n << 8n,
  LMA: 1n << 10n,
  NXE: 1n << 11n,
} as const;

/** Bits of guestState.segmentAttributes: byte 5 of a descriptor, and AVL L D/B G at 12..15; SDM Vol. 3A, 3.4.5. */
export const Attribute = {
  ACCESSED: 1 << 0,
  /** data: writable; code: readable */
  WRITABLE: 1 << 1,
  READABLE: 1 << 1,
  /** data: expands down; code: conforming */
  EXPAND_DOWN: 1 << 2,
  CONFORMING: 1 << 2,
  CODE: 1 << 3,
  /** code or data, not a system descriptor */
  NON_SYSTEM: 1 << 4,
  DPL_SHIFT: 5,
  PRESENT: 1 << 7,
  LONG: 1 << 13,
  /** default operation size, or "big" of a stack */
  DEFAULT: 1 << 14,
  GRANULAR: 1 << 15,
} as const;

/** Types of system descriptors; SDM Vol. 3A, table 3-2. */
export const SystemType = {
  TSS16: 1,
  LDT: 2,
  TSS16_BUSY: 3,
  CALL_GATE16: 4,
  TASK_GATE: 5,
  INTERRUPT_GATE16: 6,
  TRAP_GATE16: 7,
  TSS32: 9,
  TSS32_BUSY: 11,
  CALL_GATE32: 12,
  INTERRUPT_GATE32: 14,
  TRAP_GATE32: 15,
} as const;

/** Hidden parts of segment registers that instructions set without reading a descriptor. */
export const FlatSegment = {
  /** present, DPL 0, execute/read accessed, L, G */
  CODE64: 0xa09b,
  /** the same for 32-bit code: D, G */
  CODE32: 0xc09b,
  /** present, DPL 0, read/write accessed, B, G */
  DATA: 0xc093,
  /** real mode: 16 bits, read/write */
  REAL: 0x0093,
  /** virtual-8086 mode: the same at DPL 3 */
  VIRTUAL: 0x00f3,
} as const;
