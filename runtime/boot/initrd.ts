import { BootError, hex, mebibytes } from "./boot-error.ts";
import { highestFreeRam, type MemoryRange, type Span, totalRam } from "./memory-ranges.ts";

const PAGE = 0x1000;
const FIRST_MEBIBYTE: Span = { gpa: 0, bytes: 0x10_0000 };

/**
 * Finds the place of the initial RAM disk or of modules: page-aligned, as high as possible below `limit` and 4 GiB, above the first
 * megabyte, clear of the kernel.
 *
 * @returns undefined when there are no bytes to place
 * @throws {BootError} ERR_INITRD when there is no room
 */
export function placeInitrd(bytes: number, map: readonly MemoryRange[], limit: number, kernel: Span): Span | undefined {
  if (bytes === 0) return undefined;
  const taken = [FIRST_MEBIBYTE, kernel];
  const gpa = highestFreeRam(map, bytes, { limit: Math.min(limit, 2 ** 32), alignment: PAGE, taken });
  if (gpa === undefined) {
    const kernelEnd = hex(kernel.gpa + kernel.bytes);
    const reach = limit < 2 ** 32 ? ` and cannot use what is above ${hex(limit)}` : "";
    throw new BootError(
      "ERR_INITRD",
      `initrd does not fit: it has ${mebibytes(bytes)}, the machine has ${mebibytes(totalRam(map))} of memory, ` +
        `the kernel takes it from ${hex(kernel.gpa)} to ${kernelEnd}${reach}`,
    );
  }
  return { gpa, bytes };
}
