/**
 * Where a case lives: linear addresses, segments and the contents of memory before the case. All of it is below 4 GiB, so that
 * 16- and 32-bit code reaches it, and none of it depends on the host, so that a virtual machine can be given the same.
 * runner.c holds the same numbers.
 */

/** What user code may do with a page: "code" is read and execute, "data" read and write, "read-only" read. All are user pages. */
export type PageKind = "code" | "data" | "read-only";

export interface Region {
  readonly gva: number;
  readonly lengthBytes: number;
  readonly kind: PageKind;
}

export const CODE = { gva: 0x1000_0000, lengthBytes: 0x2000, kind: "code" } as const satisfies Region;
export const DATA = { gva: 0x2000_0000, lengthBytes: 0x2000, kind: "data" } as const satisfies Region;
/** Directly behind DATA; what follows it is not mapped. */
export const READ_ONLY = { gva: 0x2000_2000, lengthBytes: 0x1000, kind: "read-only" } as const satisfies Region;
export const STACK = { gva: 0x3000_0000, lengthBytes: 0x1000, kind: "data" } as const satisfies Region;

/** Everything that is mapped for user code; every other page below 4 GiB faults as not present. */
export const REGIONS = [CODE, DATA, READ_ONLY, STACK] as const;
/** The regions whose contents are compared, in the order of the image. */
export const IMAGE_REGIONS = [DATA, READ_ONLY, STACK] as const;
export const IMAGE_BYTES = 0x4000;

/** Byte that fills CODE outside the snippet: INT3, which ends it. */
export const CODE_FILL = 0xcc;

/** The page between RAM and nothing: an address of which nothing is mapped for 2 GiB on either side of 32-bit reach. */
export const UNMAPPED = 0x4000_0000;
export const NON_CANONICAL = 0x0000_9000_0000_0000n;

/** Offset of a linear address in the image, or -1. */
export function imageOffset(gva: number): number {
  let offset = 0;
  for (const region of IMAGE_REGIONS) {
    if (gva >= region.gva && gva < region.gva + region.lengthBytes) return offset + gva - region.gva;
    offset += region.lengthBytes;
  }
  return -1;
}

/** Contents of the image before the patches of a case: splitmix64 of the index of each quadword. */
export function backgroundImage(): Uint8Array {
  const image = new Uint8Array(IMAGE_BYTES);
  const view = new DataView(image.buffer);
  for (let i = 0; i < IMAGE_BYTES / 8; i++) {
    let z = BigInt.asUintN(64, BigInt(i + 1) * 0x9e37_79b9_7f4a_7c15n);
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    view.setBigUint64(i * 8, z ^ (z >> 31n), true);
  }
  return image;
}

/** A code or data segment descriptor; SDM Vol. 3A, 3.4.5. */
export function descriptor(base: number, limit: number, access: number, flags: number): bigint {
  const low = (limit & 0xffff) | ((base & 0xffff) << 16);
  const high = ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf_0000) | (flags << 20) | (base & 0xff00_0000);
  return BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);
}

const FLAT = 0xfffff;
const AccessByte = {
  KERNEL_CODE: 0x9b,
  KERNEL_DATA: 0x93,
  USER_CODE: 0xfb,
  USER_DATA: 0xf3,
  USER_READ_ONLY: 0xf1,
  USER_EXPAND_DOWN: 0xf7,
  ABSENT_USER_DATA: 0x73,
} as const;
/** G and D/B, as they are in bits 20..23 of the high word. */
const SizeFlags = { G: 8, D: 4, L: 2 } as const;

/** Selectors as user code sees them; those of the GDT are Linux's. */
export const Selector = {
  NULL: 0,
  CODE32: 0x23,
  DATA: 0x2b,
  CODE64: 0x33,
  LDT_CODE16: 0x07,
  LDT_DATA16: 0x0f,
  LDT_STACK16: 0x17,
  LDT_DATA32: 0x1f,
  LDT_EXPAND_DOWN: 0x27,
  LDT_READ_ONLY: 0x2f,
  LDT_CODE32: 0x37,
  LDT_ABSENT: 0x3f,
} as const;

/**
 * The GDT of a Linux process, as far as user code can tell: sixteen entries. TSS and LDT descriptors (8..11) are of level 0, so that
 * user code cannot tell them from absent ones; entry 15 differs between processors, and no case uses it.
 */
export const GDT: readonly bigint[] = [
  0n,
  descriptor(0, FLAT, AccessByte.KERNEL_CODE, SizeFlags.G | SizeFlags.D),
  descriptor(0, FLAT, AccessByte.KERNEL_CODE, SizeFlags.G | SizeFlags.L),
  descriptor(0, FLAT, AccessByte.KERNEL_DATA, SizeFlags.G | SizeFlags.D),
  descriptor(0, FLAT, AccessByte.USER_CODE, SizeFlags.G | SizeFlags.D),
  descriptor(0, FLAT, AccessByte.USER_DATA, SizeFlags.G | SizeFlags.D),
  descriptor(0, FLAT, AccessByte.USER_CODE, SizeFlags.G | SizeFlags.L),
  ...Array.from({ length: 9 }, () => 0n),
];

/** The LDT that runner.c installs. The accessed bit is set, so that loading one writes nothing. */
export const LDT: readonly bigint[] = [
  descriptor(CODE.gva, 0x1fff, AccessByte.USER_CODE, 0),
  descriptor(DATA.gva, 0x2fff, AccessByte.USER_DATA, 0),
  descriptor(STACK.gva, 0x0fff, AccessByte.USER_DATA, 0),
  descriptor(DATA.gva, 0x1fff, AccessByte.USER_DATA, SizeFlags.D),
  descriptor(DATA.gva, 0x0fff, AccessByte.USER_EXPAND_DOWN, SizeFlags.D),
  descriptor(DATA.gva, 0x3fff, AccessByte.USER_READ_ONLY, SizeFlags.D),
  descriptor(CODE.gva, 0x1fff, AccessByte.USER_CODE, SizeFlags.D),
  descriptor(DATA.gva, 0x1fff, AccessByte.ABSENT_USER_DATA, SizeFlags.D),
];
