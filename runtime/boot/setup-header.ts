import { BootError, hex } from "./boot-error.ts";

/** Offsets in a bzImage and, the same, in the zero page; Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". */
export const Setup = {
  FIRST: 0x1f1,
  SETUP_SECTORS: 0x1f1,
  SYSTEM_SIZE: 0x1f4,
  BOOT_FLAG: 0x1fe,
  /** low byte of a jump's displacement: the header ends at 0x202 + this */
  END: 0x201,
  MAGIC: 0x202,
  VERSION: 0x206,
  LOADER_TYPE: 0x210,
  LOAD_FLAGS: 0x211,
  CODE32_START: 0x214,
  RAMDISK: 0x218,
  RAMDISK_BYTES: 0x21c,
  HEAP_END: 0x224,
  COMMAND_LINE: 0x228,
  RAMDISK_LAST: 0x22c,
  ALIGNMENT: 0x230,
  RELOCATABLE: 0x234,
  EXTENDED_FLAGS: 0x236,
  COMMAND_LINE_BYTES: 0x238,
  PREFERRED_ADDRESS: 0x258,
  INIT_BYTES: 0x260,
  /** end of the fields that protocol 2.12 has */
  END_2_12: 0x268,
} as const;

const BOOT_FLAG = 0xaa55;
const MAGIC = 0x5372_6448;
const OLDEST = 0x20c;
const LOADED_HIGH = 1;
/** bits of `xloadflags` */
const XLF_KERNEL_64 = 1;
const XLF_CAN_BE_LOADED_ABOVE_4G = 2;
const SECTOR = 512;
const PARAGRAPH = 16;
/** what a `setup_sects` of 0 stands for */
const DEFAULT_SECTORS = 4;

/** What a bzImage says of itself. */
export interface SetupHeader {
  /** protocol version, for example 0x020f for 2.15 */
  readonly version: number;
  /** the header's own bytes, from offset 0x1f1 on, to be copied to the same offset of the zero page */
  readonly bytes: Uint8Array;
  /** the part that runs in protected mode or long mode, a view of the image */
  readonly system: Uint8Array;
  readonly preferredGpa: number;
  /** a power of two, at least 4096 */
  readonly alignment: number;
  readonly relocatable: boolean;
  /** memory that the kernel needs from its load address on before it can look at the memory map */
  readonly initBytes: number;
  /** without the final zero */
  readonly commandLineBytes: number;
  /** last address that the initial RAM disk may occupy */
  readonly ramdiskLast: number;
}

/** Whether a file claims to be a bzImage. */
export function isBzImage(image: Uint8Array): boolean {
  return image.length >= Setup.MAGIC + 4 && view(image).getUint32(Setup.MAGIC, true) === MAGIC;
}

/**
 * Reads the setup header of a bzImage with a 64-bit entry.
 *
 * @param image whole file
 * @throws {BootError} ERR_KERNEL_FORMAT when it is not such a file, or is cut short
 * @see Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header" and "64-bit Boot Protocol"
 */
export function parseSetupHeader(image: Uint8Array): SetupHeader {
  const at = view(image);
  if (image.length < Setup.VERSION) {
    throw malformed(
      `not a bzImage: the file has ${image.length} bytes, the magic number alone ends at byte ${Setup.VERSION}`,
    );
  }
  const magic = at.getUint32(Setup.MAGIC, true);
  if (magic !== MAGIC)
    throw malformed(`not a bzImage: magic at 0x202 is ${hex(magic)}, expected ${hex(MAGIC)} ("HdrS")`);
  const bootFlag = at.getUint16(Setup.BOOT_FLAG, true);
  if (bootFlag !== BOOT_FLAG) {
    throw malformed(`damaged bzImage: boot flag at 0x1fe is ${hex(bootFlag)}, expected ${hex(BOOT_FLAG)}`);
  }
  const end = Setup.MAGIC + at.getUint8(Setup.END);
  if (image.length < Setup.VERSION + 2) throw cutShort(image, Setup.END_2_12, "its setup header");
  const version = at.getUint16(Setup.VERSION, true);
  if (version < OLDEST) {
    throw malformed(
      `kernel is too old: boot protocol ${versionText(version)}, expected ${versionText(OLDEST)} or later`,
    );
  }
  if (end < Setup.END_2_12) {
    throw malformed(
      `damaged bzImage: the setup header ends at ${hex(end)}, protocol ${versionText(version)} has fields up to ${hex(Setup.END_2_12)}`,
    );
  }
  if (image.length < end) throw cutShort(image, end, "its setup header");
  if ((at.getUint8(Setup.LOAD_FLAGS) & LOADED_HIGH) === 0) {
    throw malformed("unsupported kernel: a zImage, which loads at 0x10000; expected a bzImage");
  }
  const flags = at.getUint16(Setup.EXTENDED_FLAGS, true);
  if ((flags & XLF_KERNEL_64) === 0) {
    throw malformed(`32-bit kernel: xloadflags at 0x236 is ${hex(flags)}, expected bit 0 (a 64-bit entry point)`);
  }
  return { version, bytes: image.subarray(Setup.FIRST, end), system: systemPart(image, at), ...placement(at, flags) };
}

function systemPart(image: Uint8Array, at: DataView): Uint8Array {
  const sectors = at.getUint8(Setup.SETUP_SECTORS) || DEFAULT_SECTORS;
  const start = (sectors + 1) * SECTOR;
  const bytes = at.getUint32(Setup.SYSTEM_SIZE, true) * PARAGRAPH;
  if (bytes === 0) throw malformed("damaged bzImage: syssize at 0x1f4 is 0, the kernel would be empty");
  if (start + bytes > image.length) throw cutShort(image, start + bytes, "the kernel");
  // What follows, if anything, is a signature for firmware.
  return image.subarray(start, start + bytes);
}

function placement(at: DataView, flags: number) {
  const alignment = at.getUint32(Setup.ALIGNMENT, true);
  if (alignment < 0x1000 || (alignment & (alignment - 1)) !== 0) {
    throw malformed(
      `damaged bzImage: kernel_alignment at 0x230 is ${hex(alignment)}, expected a power of two from 0x1000 on`,
    );
  }
  const preferred = at.getBigUint64(Setup.PREFERRED_ADDRESS, true);
  if (preferred < 0x10_0000n || preferred > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw malformed(`damaged bzImage: pref_address at 0x258 is ${hex(preferred)}, expected an address from 1 MiB on`);
  }
  const ramdiskLast = at.getUint32(Setup.RAMDISK_LAST, true);
  return {
    preferredGpa: Number(preferred),
    alignment,
    relocatable: at.getUint8(Setup.RELOCATABLE) !== 0,
    initBytes: at.getUint32(Setup.INIT_BYTES, true),
    commandLineBytes: at.getUint32(Setup.COMMAND_LINE_BYTES, true),
    // initrd_addr_max speaks of 32-bit loaders; a kernel with this flag finds its RAM disk anywhere in the first 4 GiB.
    ramdiskLast: (flags & XLF_CAN_BE_LOADED_ABOVE_4G) === 0 ? ramdiskLast : 0xffff_ffff,
  };
}

function versionText(version: number): string {
  return `${version >> 8}.${String(version & 0xff).padStart(2, "0")}`;
}

function view(image: Uint8Array): DataView {
  return new DataView(image.buffer, image.byteOffset, image.byteLength);
}

function cutShort(image: Uint8Array, expected: number, what: string): BootError {
  return malformed(`bzImage is cut short: the file has ${image.length} bytes, ${what} ends at byte ${expected}`);
}

function malformed(message: string): BootError {
  return new BootError("ERR_KERNEL_FORMAT", message);
}
