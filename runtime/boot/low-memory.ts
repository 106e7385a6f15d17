/**
 * What the loaders put where in the first megabyte. A kernel learns of all of it from its boot information, or reserves the
 * first megabyte anyway, so that the places need not be negotiated; page 0 stays free for the real-mode vectors.
 */
export const LowMemory = {
  GDT: 0x1000,
  /** the zero page, the PVH start information or the Multiboot information */
  START_INFO: 0x2000,
  /** a small stack, for kernels that push before they load a stack of their own */
  STACK_TOP: 0x8000,
  /** PML4, page-directory-pointer table, four page directories */
  PAGE_TABLES: 0x1_0000,
  /** command line, module lists, memory map */
  BOOT_DATA: 0x2_0000,
  BOOT_DATA_END: 0x8_0000,
} as const;

/** Where a BIOS would be: the ACPI root pointer is searched for here, and guests leave it alone. */
export const FIRMWARE_AREA = { first: 0xe_0000, bytes: 0x2_0000 } as const;
