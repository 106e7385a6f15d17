import { invariant } from "../abi/invariant.ts";
import { BootError, hex, mebibytes } from "./boot-error.ts";
import { placeInitrd } from "./initrd.ts";
import {
  BootData,
  type BootOptions,
  clear,
  commandLineBytes,
  type GuestMemory,
  type LoadedImage,
  longModeEntry,
} from "./loaded-image.ts";
import { LowMemory } from "./low-memory.ts";
import { isRam, type MemoryRange, MemoryType, type Span, totalRam } from "./memory-ranges.ts";
import { parseSetupHeader, Setup, type SetupHeader } from "./setup-header.ts";

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
  const ramdisk = placeInitrd(options.initrd?.length ?? 0, options.memoryMap, header.ramdiskLast + 1, kernel);

  memory.write(kernel.gpa, header.system);
  clear(memory, kernel.gpa + header.system.length, kernel.bytes - header.system.length);
  if (ramdisk !== undefined && options.initrd !== undefined) memory.write(ramdisk.gpa, options.initrd);
  const commandLineGpa = new BootData(memory).write(commandLine);
  memory.write(LowMemory.START_INFO, zeroPage(header, { ...options, kernel, ramdisk, commandLineGpa }));

  const entry = longModeEntry(memory, {
    rip: BigInt(kernel.gpa + ENTRY_64),
    rsi: BigInt(LowMemory.START_INFO),
  });
  return { format: "linux", entry, kernel, modules: ramdisk === undefined ? [] : [ramdisk] };
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

interface Placed extends Pick<BootOptions, "memoryMap" | "rsdp"> {
  readonly kernel: Span;
  readonly ramdisk: Span | undefined;
  readonly commandLineGpa: number;
}

/** The zero page (struct boot_params). */
function zeroPage(header: SetupHeader, { memoryMap, rsdp = 0, kernel, ramdisk, commandLineGpa }: Placed): Uint8Array {
  const page = new Uint8Array(ZeroPage.BYTES);
  const view = new DataView(page.buffer);
  page.set(header.bytes.subarray(0, ZeroPage.HEADER_END - Setup.FIRST), Setup.FIRST);

  view.setUint8(Setup.LOADER_TYPE, LOADER_TYPE);
  view.setUint32(Setup.CODE32_START, kernel.gpa, true);
  view.setUint32(Setup.COMMAND_LINE, commandLineGpa, true);
  view.setUint32(ZeroPage.COMMAND_LINE_HIGH, 0, true);
  view.setUint32(Setup.RAMDISK, ramdisk?.gpa ?? 0, true);
  view.setUint32(Setup.RAMDISK_BYTES, ramdisk?.bytes ?? 0, true);
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
