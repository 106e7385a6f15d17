import { invariant } from "../abi/invariant.ts";
import { BootError, hex } from "./boot-error.ts";
import { BootData, clear, commandLineBytes, type GuestMemory, type LoadedImage, longModeEntry } from "./loaded-image.ts";
import { LowMemory } from "./low-memory.ts";
import { highestFreeRam, isRam, type MemoryRange, MemoryType, type Span, totalRam } from "./memory-ranges.ts";
import { parseSetupHeader, Setup, type SetupHeader } from "./setup-header.ts";

/** What every loader needs besides the kernel itself. */
export interface BootOptions {
  readonly commandLine?: string;
  readonly initrd?: Uint8Array;
  /** ascending, as pcMemoryMap makes it */
  readonly memoryMap: readonly MemoryRange[];
  /** guest-physical address of the ACPI root pointer */
  readonly rsdp?: number;
}

/** Offsets in the zero page besides the setup header's; Linux Documentation/arch/x86/zero-page.rst. */
const ZeroPage = {
  BYTES: 0x1000,
  RSDP: 0x070,
  RAMDISK_HIGH: 0x0c0,
  RAMDISK_BYTES_HIGH: 0x0c4,
  COMMAND_LINE_HIGH: 0x0c8,
  MEMORY_COUNT: 0x1e8,
  /** the setup header must end here, before the fields that follow it */
  HEADER_END: 0x290,
  MEMORY: 0x2d0,
  MEMORY_ENTRIES: 128,
  MEMORY_ENTRY_BYTES: 20,
} as const;

/** "undefined" loader: none of those that Linux has given a number */
const LOADER_TYPE = 0xff;
const ENTRY_64 = 0x200;
const PAGE = 0x1000;
/** Nothing of the kernel's goes below. */
const FIRST_MEBIBYTE: Span = { gpa: 0, bytes: 0x10_0000 };

/**
 * Puts an unmodified Linux kernel (bzImage) into memory, ready to start at its 64-bit entry.
 *
 * The initial RAM disk goes as high as it may below 4 GiB, so that the kernel can grow and move below it.
 *
 * @throws {BootError} when it is no such kernel, or something does not fit
 * @see Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"
 */
export function loadLinux(memory: GuestMemory, image: Uint8Array, options: BootOptions): LoadedImage {
  const header = parseSetupHeader(image);
  const commandLine = commandLineBytes(options.commandLine ?? "", header.commandLineBytes);
  const kernel = placeKernel(header, options.memoryMap);
  const initrd = placeInitrd(options, header.ramdiskLast + 1, [FIRST_MEBIBYTE, kernel]);

  memory.write(kernel.gpa, header.system);
  clear(memory, kernel.gpa + header.system.length, kernel.bytes - header.system.length);
  if (initrd !== undefined && options.initrd !== undefined) memory.write(initrd.gpa, options.initrd);
  const commandLineGpa = new BootData(memory).write(commandLine);
  memory.write(LowMemory.START_INFO, zeroPage(header, { ...options, kernel, initrd, commandLineGpa }));

  const entry = longModeEntry(memory, {
    rip: BigInt(kernel.gpa + ENTRY_64),
    rsi: BigInt(LowMemory.START_INFO),
  });
  return { format: "linux", entry, kernel, modules: initrd === undefined ? [] : [initrd] };
}

/** The preferred place if it is RAM, else the lowest aligned one above it that is. */
function placeKernel(header: SetupHeader, map: readonly MemoryRange[]): Span {
  const bytes = Math.max(header.initBytes, header.system.length);
  const { alignment, preferredGpa } = header;
  const candidates = [preferredGpa];
  if (header.relocatable) {
    // Below the preferred address it would only move itself up again.
    for (const { type, gpa } of map) {
      if (type === MemoryType.RAM && gpa > preferredGpa) candidates.push(Math.ceil(gpa / alignment) * alignment);
    }
  }
  // The identity map of the entry state ends at 4 GiB.
  const gpa = candidates.find((candidate) => candidate + bytes <= 2 ** 32 && isRam(map, candidate, bytes));
  if (gpa === undefined) {
    throw new BootError(
      "ERR_KERNEL_PLACEMENT",
      `kernel does not fit: it needs ${mebibytes(bytes)} of memory from ${hex(preferredGpa)} on, the machine has ${mebibytes(totalRam(map))} in all`,
    );
  }
  return { gpa, bytes };
}

/**
 * Finds the place of the initial RAM disk: page-aligned, below `limit` and 4 GiB, clear of `taken`.
 *
 * @throws {BootError} ERR_INITRD when there is none
 */
export function placeInitrd(
  { initrd, memoryMap }: BootOptions,
  limit: number,
  taken: readonly Span[],
): Span | undefined {
  if (initrd === undefined || initrd.length === 0) return undefined;
  const gpa = highestFreeRam(memoryMap, initrd.length, { limit: Math.min(limit, 2 ** 32), alignment: PAGE, taken });
  if (gpa === undefined) {
    const kernelEnd = Math.max(...taken.map((span) => span.gpa + span.bytes));
    throw new BootError(
      "ERR_INITRD",
      `initrd does not fit: it has ${mebibytes(initrd.length)}, the machine has ${mebibytes(totalRam(memoryMap))} of memory, ` +
        `of which the kernel takes what is below ${hex(kernelEnd)}`,
    );
  }
  return { gpa, bytes: initrd.length };
}

interface Placed extends BootOptions {
  readonly kernel: Span;
  readonly initrd: Span | undefined;
  readonly commandLineGpa: number;
}

/** The zero page (struct boot_params). */
function zeroPage(header: SetupHeader, { memoryMap, rsdp = 0, kernel, initrd, commandLineGpa }: Placed): Uint8Array {
  const page = new Uint8Array(ZeroPage.BYTES);
  const view = new DataView(page.buffer);
  page.set(header.bytes.subarray(0, ZeroPage.HEADER_END - Setup.FIRST), Setup.FIRST);

  view.setUint8(Setup.LOADER_TYPE, LOADER_TYPE);
  view.setUint32(Setup.CODE32_START, kernel.gpa, true);
  view.setUint32(Setup.COMMAND_LINE, commandLineGpa, true);
  view.setUint32(ZeroPage.COMMAND_LINE_HIGH, 0, true);
  view.setUint32(Setup.RAMDISK, initrd?.gpa ?? 0, true);
  view.setUint32(Setup.RAMDISK_BYTES, initrd?.bytes ?? 0, true);
  // placeInitrd stays below 4 GiB, so the high halves are zero.
  view.setUint32(ZeroPage.RAMDISK_HIGH, 0, true);
  view.setUint32(ZeroPage.RAMDISK_BYTES_HIGH, 0, true);
  view.setBigUint64(ZeroPage.RSDP, BigInt(rsdp), true);

  invariant(memoryMap.length <= ZeroPage.MEMORY_ENTRIES, `memory map of ${memoryMap.length} ranges`);
  view.setUint8(ZeroPage.MEMORY_COUNT, memoryMap.length);
  for (const [index, { gpa, bytes, type }] of memoryMap.entries()) {
    const at = ZeroPage.MEMORY + index * ZeroPage.MEMORY_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(gpa), true);
    view.setBigUint64(at + 8, BigInt(bytes), true);
    view.setUint32(at + 16, type, true);
  }
  return page;
}

/** A size as messages show it, rounded up. */
export function mebibytes(bytes: number): string {
  return bytes < 0x10_0000 ? `${bytes} bytes` : `${Math.ceil(bytes / 0x10_0000)} MiB`;
}
