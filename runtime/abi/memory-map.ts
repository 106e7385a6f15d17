/**
 * What lies where in the one linear memory of a VM. Offset 0 is never valid, so that it can mean "no".
 * Everything generated code touches has a constant offset, or one relative to its vCPU's state.
 */
export const MemoryMap = {
  /** state of vCPU 0; the others follow at multiples of CPU_STRIDE */
  CPU: 0x0001_0000,
  CPU_STRIDE: 0x4000,
  /** where indirect branches went, see BranchTarget */
  BRANCH_TARGETS: 0x0010_0000,
  /** hash of decoded blocks: BLOCK_HASH_ENTRIES entries of BlockHashEntry */
  BLOCK_HASH: 0x0200_0000,
  BLOCK_HASH_ENTRIES: 0x4_0000,
  /** one byte of PageFlag bits for each 4 KiB page of guest-physical memory below 4 GiB */
  PAGE_FLAGS: 0x0020_0000,
  /** TLB banks, see tlb.ts */
  TLB: 0x0030_0000,
  /** for each guest-physical page below 4 GiB a u64: bit i set = bytes 64i..64i+63 hold decoded or compiled code */
  CODE_LINES: 0x0080_0000,
  /** for each guest-physical page below 4 GiB a u64 that says which page table it is, see PageTrace */
  PAGE_TRACE: 0x0100_0000,
  /** for each guest-physical page below 4 GiB a u64: where it may stand in write TLBs, see Writers */
  WRITERS: 0x0180_0000,
  /** decoded records */
  RECORDS: 0x0240_0000,
  RECORDS_END: 0x05c0_0000,
  /** link cells of translated regions */
  LINKS: 0x05c0_0000,
  LINKS_END: 0x0600_0000,
  /** guest RAM: guest-physical address 0 */
  RAM: 0x0600_0000,
} as const;

/** Bits of a byte of MemoryMap.PAGE_FLAGS. A page with any of them set is never entered in a write TLB. */
export const PageFlag = {
  /** the page holds bytes of decoded or compiled code */
  CODE: 1,
  /** the page is one of the guest's page tables, whose entries a TLB bank stands for */
  PAGE_TABLE: 2,
  /** accesses go to the bus: device memory, or no memory at all */
  DEVICE: 4,
  /** writes are ignored: firmware */
  READ_ONLY: 8,
} as const;

/**
 * The software TLB: direct-mapped, in banks. A bank serves one privilege of one address space and holds three tables, for
 * data reads, data writes and instruction fetches, each of ENTRIES entries:
 *
 *   u64 tag     linear page address, or -1 when invalid; an access of n bytes at gva hits when
 *               tag = (gva + n - 1) & ~0xfff, which covers validity, match and page crossing in one compare
 *   u32 addend  linear-memory offset of the page minus the low half of the page's linear address
 *   u32 spare
 */
export const Tlb = {
  ENTRIES: 4096,
  ENTRY_BYTES: 16,
  READ: 0,
  WRITE: 0x1_0000,
  EXECUTE: 0x2_0000,
  BANK_BYTES: 0x3_0000,
  /** address spaces that have banks at the same time */
  SLOTS: 8,
  /** banks of an address space: supervisor, supervisor with SMAP lifted by RFLAGS.AC, user */
  BANKS_OF_SLOT: 3,
  /** number of a bank behind those of the slots that stays empty: while it is in use, every access takes the slow path */
  EMPTY_BANK: 24,
  /** number of the bank of supervisor accesses that address spaces with the same kernel half share, see ShadowTables */
  SHARED_BANK: 25,
  TAG: 0,
  ADDEND: 8,
} as const;

/**
 * MemoryMap.WRITERS says of a page in which entries of the write TLBs it can stand: their numbers, which all banks share.
 *
 *   bits 0..3            how many there are, up to MAXIMUM, or SEVERAL when there are more
 *   bits 4+12i..15+12i   number i
 */
export const Writers = { COUNT_MASK: 15, MAXIMUM: 5, SEVERAL: 15, FIRST_SHIFT: 4, BITS: 12 } as const;

/**
 * What MemoryMap.PAGE_TRACE says of a page that serves as a page table (0 if it does not):
 *
 *   bits 0..7   address spaces (slots of TLB banks) whose translations went through it
 *   bits 8..9   its level: 0 = page table, 1 = page directory, 2 = page-directory-pointer table, 3 = PML4
 *   bit 10      it was met at several levels or for several ranges of linear addresses
 *   bit 11      translations in the shared bank went through it
 *   bits 21..47 the first linear address that it maps
 */
export const PageTrace = {
  SLOTS: 0xff,
  LEVEL_SHIFT: 8,
  LEVEL_MASK: 3,
  AMBIGUOUS: 1 << 10,
  SHARED: 1 << 11,
  /** the bits that say whose translations went through it */
  OWNERS: 0xff | (1 << 11),
} as const;

/**
 * A block has two places in the hash. The first is (upper bits of its page's number times MULTIPLIER) xor (offset in the page / granule):
 * neighbours are neighbours in the hash, too, so that a function's blocks share lines of the host's cache. The second is the upper
 * bits of its start times MULTIPLIER, for blocks whose first place others want as well. MULTIPLIER is close to 2^32 divided by the
 * golden ratio: code lies in clusters at round distances from each other.
 */
export const BLOCK_HASH = { MULTIPLIER: 0x9e37_79b1, SHIFT: 14, GRANULE_SHIFT: 2, GRANULE_MASK: 0x3ff } as const;

/**
 * Entry of the hash of decoded blocks: the block that starts at this offset, 0 for none, and its first record, whose low four bits are
 * zero, plus the mode that it was decoded under.
 */
export const BlockHashEntry = { BYTES: 8, OFFSET: 0, RECORD: 4, MODE_MASK: 15 } as const;

/**
 * Where indirect branches went that left a region, by samples: buckets of ENTRIES entries. A branch has one bucket, the upper bits of
 * its offset in linear memory times MULTIPLIER, and shares it with others.
 */
export const BranchTarget = {
  ENTRIES: 32,
  ENTRY_BYTES: 16,
  BUCKET_BYTES: 512,
  MULTIPLIER: 0x9e37_79b1,
  /** 2048 buckets */
  SHIFT: 21,
  /** i64 where it went, relative to the first byte of the page that the branch is in */
  PLACE: 0,
  /** u32 offset in linear memory of the branch */
  BRANCH: 8,
  /** u32 samples: at least as many as there were of this place, and more if it took over the entry of another; 0 if there is none */
  COUNT: 12,
} as const;

/**
 * A decoded instruction as the interpreter runs it. Register operands are byte offsets from the vCPU base, so that AH is no
 * special case and an absent register is the offset of `zero`.
 */
export const Rec = {
  /** bytes of one record */
  BYTES: 48,
  /** u32 index of the handler in the table of core.wasm */
  HANDLER: 0,
  /** u16 offsets (from the vCPU base) of up to three register operands, in operand order; also segment, control, debug numbers */
  REG0: 4,
  REG1: 6,
  REG2: 8,
  /** u16 offset of the base and the index register */
  BASE: 10,
  INDEX: 12,
  /** u16 offset of the segment base to add; `zero` for a flat segment */
  SEGMENT: 14,
  /** u8 log2 of the scale */
  SCALE: 16,
  /** u8 64 minus the address size: 0, 32, 48 */
  ADDRESS_SHIFT: 17,
  /** u8 segment register number of the memory operand (Segment), after overrides and defaults */
  SEGMENT_NUMBER: 18,
  /** u8 length of the instruction, 1..15 */
  LENGTH: 19,
  /** u16 offset of the instruction in its linear page */
  PAGE_OFFSET: 20,
  /** u16 index of the instruction in its block, from 0 */
  INDEX_IN_BLOCK: 22,
  /** i64 displacement, sign-extended; of a RIP-relative operand and of a direct branch: relative to ripPage */
  DISPLACEMENT: 24,
  /** i64 immediate, extended as the instruction extends it; of a direct branch: u32 record linked for taken, u32 for not taken */
  IMMEDIATE: 32,
  LINK_TAKEN: 32,
  LINK_NOT_TAKEN: 36,
  /** i64 of an indirect JMP or CALL, and of a RET: where it went last, relative to ripPage; 0 if it never ran */
  JUMPED_TO: 32,
  RETURNED_TO: 24,
  /** u32 second immediate (ENTER, far pointers: selector) or instructions in the block (entry record) */
  EXTRA: 40,
  /** u8 prefixes: bit 0 LOCK, bit 1 F2, bit 2 F3 */
  PREFIXES: 44,
  /** u8 operand size in bytes */
  OPERAND_BYTES: 45,
} as const;
