import { BootError, hex, mebibytes } from "./boot-error.ts";
import type { ElfSegment } from "./elf.ts";
import { clear, type GuestMemory } from "./loaded-image.ts";
import { isRam, type MemoryRange, type Span, totalRam } from "./memory-ranges.ts";

type Segment = Pick<ElfSegment, "gpa" | "bytes" | "memoryBytes">;

/** What the loader itself needs while the kernel starts ends here; a kernel's segment must not lie below. */
const FIRST_FREE = 0x10_0000n;

/**
 * Checks that the segments of a kernel lie in RAM and above the first megabyte.
 *
 * @returns the memory from the first to the end of the last one
 * @throws {BootError} ERR_KERNEL_PLACEMENT
 */
export function spanOfSegments(segments: readonly Segment[], map: readonly MemoryRange[]): Span {
  let first = segments[0]?.gpa ?? 0n;
  let end = first;
  for (const { gpa, memoryBytes } of segments) {
    const segmentEnd = gpa + memoryBytes;
    const where = `kernel segment at ${hex(gpa)} to ${hex(segmentEnd)}`;
    if (gpa < FIRST_FREE) {
      throw new BootError(
        "ERR_KERNEL_PLACEMENT",
        `${where} lies in the first megabyte, expected all from ${hex(FIRST_FREE)} on`,
      );
    }
    if (segmentEnd > 2n ** 32n || !isRam(map, Number(gpa), Number(memoryBytes))) {
      throw new BootError(
        "ERR_KERNEL_PLACEMENT",
        `${where} does not fit: the machine has ${mebibytes(totalRam(map))} of memory`,
      );
    }
    if (gpa < first) first = gpa;
    if (segmentEnd > end) end = segmentEnd;
  }
  return { gpa: Number(first), bytes: Number(end - first) };
}

/** Writes the segments, with zeros behind what the file has of them. */
export function writeSegments(memory: GuestMemory, segments: readonly Segment[]): void {
  for (const { gpa, bytes, memoryBytes } of segments) {
    memory.write(Number(gpa), bytes);
    clear(memory, Number(gpa) + bytes.length, Number(memoryBytes) - bytes.length);
  }
}
