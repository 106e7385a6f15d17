import { array, layout } from "./layout.ts";

/**
 * The state of one vCPU in linear memory, at the base offset `cpu` that every generated function receives as its first parameter.
 *
 * Generated code, helpers and TypeScript all read and write it through this table; there is no second copy of any register.
 * A golden test pins the offsets: a change is a change of the snapshot version.
 */
export const guestState = layout({
  /** SDM order: rax rcx rdx rbx rsp rbp rsi rdi r8..r15; AH..BH are byte 1 of the first four */
  gpr: array("u64", 16),
  /** always 0: the "register" of an absent base or index, and the base of a flat segment */
  zero: "u64",
  /** RIP of the instruction to run next, exact whenever control is outside generated code */
  rip: "u64",
  /** RIP of the first byte of the linear page being executed (rip minus the linear page offset); generated code derives RIP from it */
  ripPage: "u64",
  /** lazy flags: sign-extended result; ZF = (it is 0), SF = bit 63 ^ flagBits[0], PF = parity of (low byte ^ flagBits[15:8]) */
  flagResult: "u64",
  /** lazy flags: [31] CF, [30] CF ^ OF, [3] AF, [0] inverts SF, [15:8] xor'ed into the parity byte */
  flagBits: "u32",
  /** RFLAGS without CF PF AF ZF SF OF; bit 1 always set */
  rflags: "u32",
  /** guest instructions that may still run before control returns to the machine; signed */
  budget: "u32",
  /** current privilege level, 0..3; equals SS.DPL */
  cpl: "u32",
  /** what decoded code depends on: a value of codeMode */
  mode: "u32",
  /** offset of the TLB bank in use (see Tlb in memory-map.ts); chosen by the helper select_tlb */
  tlb: "u32",
  /** non-zero while an external event waits for RFLAGS.IF to become 1 */
  pendingEvents: "u32",
  /** why generated code returned; a value of Exit */
  exitReason: "u32",
  /** the fault, port or call-out that goes with exitReason */
  exitVector: "u32",
  exitErrorCode: "u32",
  /** faulting linear address of a page fault, not yet CR2 */
  exitAddress: "u64",
  exitValue: "u64",
  /** record that was running when control returned, 0 if none (interpreter only) */
  exitRecord: "u32",
  /** 1 while the interrupt shadow of STI or of a load of SS covers the next instruction */
  interruptShadow: "u32",
  /** RIP of the instruction that the shadow covers: anywhere else it is over */
  shadowRip: "u64",

  /** MXCSR, SDM Vol. 1, 10.2.3 */
  mxcsr: "u32",
  /** exception flags (MXCSR bits 0..5 / FSW bits 0..6) raised by the instruction in progress */
  fpRaised: "u32",
  xmm: array("v128", 16),

  /** x87 physical registers R0..R7: u64 significand, then u16 sign and exponent; MMi is the significand of Ri */
  fpr: array("v128", 8),
  fcw: "u32",
  /** FSW without TOP (bits 11..13) */
  fsw: "u32",
  /** TOP, 0..7 */
  ftop: "u32",
  /** abridged tag word as in FXSAVE: bit i set = physical register Ri is not empty */
  ftag: "u32",
  /** last x87 opcode (11 bits), instruction and data pointers and selectors */
  fop: "u32",
  fcs: "u32",
  fds: "u32",
  fip: "u64",
  fdp: "u64",

  /** segment registers in SDM order: ES CS SS DS FS GS, then LDTR and TR */
  segmentBase: array("u64", 8),
  segmentSelector: array("u32", 8),
  /** limit in bytes, granularity applied */
  segmentLimit: array("u32", 8),
  /** descriptor attributes: bits 0..7 = byte 5 (type, S, DPL, P), bits 12..15 = AVL L D/B G; 0 = null, unusable */
  segmentAttributes: array("u32", 8),
  gdtBase: "u64",
  idtBase: "u64",
  gdtLimit: "u32",
  idtLimit: "u32",

  cr0: "u64",
  cr2: "u64",
  cr3: "u64",
  cr4: "u64",
  cr8: "u64",
  xcr0: "u64",
  efer: "u64",
  dr: array("u64", 8),

  star: "u64",
  lstar: "u64",
  cstar: "u64",
  fmask: "u64",
  kernelGsBase: "u64",
  sysenterCs: "u64",
  sysenterEsp: "u64",
  sysenterEip: "u64",
  tscAux: "u64",
  /** guest TSC = (instructions or host clock) + tscOffset; kept by the machine */
  tscOffset: "u64",
  apicBase: "u64",
  pat: "u64",
  miscEnable: "u64",

  /** guest instructions retired, exact whenever control is outside generated code (budget spent is folded in then) */
  instructions: "u64",
  /** budget that was granted at the last entry */
  budgetGranted: "u32",
  /** bytes of guest RAM, which begins at MemoryMap.RAM and at guest-physical address 0 */
  ramBytes: "u64",
  /** first offset of the three TLB banks of the current address space */
  tlbBanks: "u32",
  /**
   * 1 << slot of the current address space's TLB banks, while its page tables are traced; 0 when they are not. With
   * PageTrace.SHARED while it uses the shared bank
   */
  slotBit: "u32",
  /** bits of UnitTrap: why an instruction of a unit must look closer before it runs; follows CR0 and CR4 */
  unitTraps: "u32",
  /** iterations of REP that spent budget without retiring an instruction */
  repeatIterations: "u32",
  /** linear address and size of the read-modify-write that the bounce buffer holds */
  bounceBytes: "u32",
  bounceAddress: "u64",
  /** where an access that crosses a page or reaches MMIO is assembled */
  bounce: array("v128", 40),
  /** scratch for helpers and call-outs */
  scratch: array("u64", 16),
  /** non-zero while DR7 arms data breakpoints: every access must be looked at */
  dataBreakpoints: "u32",
  /** bits that must be 0 in entries of 8 bytes at levels 0 (page table) to 3 (PML4), and in a 4 MiB page of 32-bit paging */
  reservedEntryBits: array("u64", 5),
  /** accesses that missed the TLB, by SlowAccess; for statistics */
  slowAccesses: array("u64", 3),
  /** bits of EventPath: what generated code may do itself during this run */
  eventPaths: "u32",
  /** faults that generated code has delivered; for statistics */
  faultsDelivered: "u64",
  /** offset of the bank of supervisor accesses: the first of `tlbBanks`, or the one that address spaces share */
  supervisorBank: "u32",
  /** writes to traced page tables, and translations that generated code dropped because of them; for statistics */
  tableWrites: "u64",
  entriesDropped: "u64",
  /** branches until the next sample of where one went (see BranchTarget), signed; and where the numbers of them come from */
  branchesToSample: "u32",
  sampleSeed: "u32",
});

/** Names of the general registers by number: the order of guestState.gpr. */
export const GPR_NAMES = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;
export type GprName = (typeof GPR_NAMES)[number];

/** Segment register numbers, SDM order; LDTR and TR use the same arrays. */
export const Segment = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;
export type Segment = (typeof Segment)[keyof typeof Segment];

/** Bits of guestState.unitTraps. */
export const UnitTrap = {
  /** CR0.EM or CR0.TS: #NM for x87 */
  X87: 1,
  /** CR0.EM: #UD, CR0.TS: #NM */
  MMX: 2,
  /** CR0.EM or not CR4.OSFXSR: #UD, CR0.TS: #NM */
  SSE: 4,
} as const;

/**
 * Bits of guestState.eventPaths. Generated code delivers and returns in the common case only, and calls out for everything else. The
 * processor clears both while it steps single instructions.
 */
export const EventPath = {
  /** faults and software interrupts go through the guest's IDT */
  DELIVER: 1,
  /** IRET; not while it would end the blocking of NMIs */
  RETURN: 2,
} as const;

/** What a fault that generated code delivers takes from the budget, without counting as instructions: faults that repeat end a run. */
export const DELIVERY_BUDGET = 16;

/** Elements of guestState.slowAccesses. */
export const SlowAccess = { READ: 0, WRITE: 1, FETCH: 2 } as const;

/** What decoded code depends on: bits of guestState.mode. A block is found again only under the same mode. */
export const Mode = {
  /** bits 0..1: default operand size of the code: 0 = 16-bit, 1 = 32-bit, 2 = 64-bit */
  CODE_SIZE_MASK: 3,
  CODE16: 0,
  CODE32: 1,
  CODE64: 2,
  /** blocks hold a single instruction and then exit: trap flag, interrupt shadow, code breakpoints, exact budgets */
  STEP: 4,
  /** real-address or virtual-8086 mode: some encodings do not exist there */
  REAL: 8,
} as const;

/** Bits of RFLAGS; SDM Vol. 1, 3.4.3. */
export const Rflags = {
  CF: 1 << 0,
  ONE: 1 << 1,
  PF: 1 << 2,
  AF: 1 << 4,
  ZF: 1 << 6,
  SF: 1 << 7,
  TF: 1 << 8,
  IF: 1 << 9,
  DF: 1 << 10,
  OF: 1 << 11,
  IOPL: 3 << 12,
  NT: 1 << 14,
  RF: 1 << 16,
  VM: 1 << 17,
  AC: 1 << 18,
  VIF: 1 << 19,
  VIP: 1 << 20,
  ID: 1 << 21,
  /** the six flags that are kept lazily */
  ARITHMETIC: 0x8d5,
} as const;

/** Why generated code returned to its caller. */
export const Exit = {
  /** the budget is spent; rip is the next instruction */
  BUDGET: 0,
  /** no decoded block at rip in this mode; decode one (or find that fetching it faults) */
  NEED_BLOCK: 1,
  /** exitVector, exitErrorCode, exitAddress describe a fault of the instruction at rip */
  FAULT: 2,
  /** HLT; rip is past it */
  HALT: 3,
  /** something outside must look: an interrupt became deliverable, a mode changed, a device asked */
  EVENT: 4,
  /** the single instruction of a STEP block has run; rip is the next */
  STEP: 5,
  /** the machine cannot go on: triple fault or a shutdown that a call-out asked for */
  SHUTDOWN: 6,
  /** a call-out asked to leave: a port access of a bare machine */
  PORT: 7,
  /** the block at rip has run often enough to be translated; exitRecord is its entry record */
  TRANSLATE: 8,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/**
 * exitVector of a segment limit or canonicality violation inside generated code: becomes #SS for the stack segment, #GP otherwise,
 * before control returns.
 */
export const SEGMENT_VIOLATION = 0x100;

/** exitErrorCode of a fault that pushes no error code. */
export const NO_ERROR_CODE = 0xffff_ffff;

/** Exception vectors; SDM Vol. 3A, table 6-1. */
export const Vector = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;
