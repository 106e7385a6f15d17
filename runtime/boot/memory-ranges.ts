import { invariant } from "../abi/invariant.ts";
import { RAM_END } from "../board-map.ts";
import { FIRMWARE_AREA } from "./low-memory.ts";

/** Kinds of guest-physical memory; ACPI 6.5, table 15.2 "Address Range Types". */
export const MemoryType = { RAM: 1, RESERVED: 2, ACPI: 3, NVS: 4 } as const;
export type MemoryType = (typeof MemoryType)[keyof typeof MemoryType];

/** Guest-physical memory [gpa, gpa + bytes) of one kind. */
export interface MemoryRange {
  readonly gpa: number;
  readonly bytes: number;
  readonly type: MemoryType;
}

/** Conventional memory ends here; the kilobyte above is the extended BIOS data area, which guests expect to be reserved. */
const CONVENTIONAL_END = 0x9_fc00;
const VIDEO_MEMORY = 0xa_0000;
const EXTENDED_MEMORY = 0x10_0000;

/**
 * The memory map of a PC with `ramBytes` of RAM, in ascending order: RAM without the holes for video memory and firmware, and
 * the firmware area, where the ACPI tables are.
 *
 * @param ramBytes a multiple of 4096, more than 1 MiB, at most RAM_END
 */
export function pcMemoryMap(ramBytes: number): MemoryRange[] {
  invariant(ramBytes > EXTENDED_MEMORY && ramBytes <= RAM_END, `a PC with ${ramBytes} bytes of RAM`);
  return [
    { gpa: 0, bytes: CONVENTIONAL_END, type: MemoryType.RAM },
    { gpa: CONVENTIONAL_END, bytes: VIDEO_MEMORY - CONVENTIONAL_END, type: MemoryType.RESERVED },
    { gpa: FIRMWARE_AREA.first, bytes: FIRMWARE_AREA.bytes, type: MemoryType.RESERVED },
    { gpa: EXTENDED_MEMORY, bytes: ramBytes - EXTENDED_MEMORY, type: MemoryType.RAM },
  ];
}

/** Whether [gpa, gpa + bytes) is all RAM. Ranges of RAM that touch count as one. */
export function isRam(map: readonly MemoryRange[], gpa: number, bytes: number): boolean {
  let at = gpa;
  const end = gpa + bytes;
  while (at < end) {
    const range = map.find(
      ({ type, gpa: first, bytes: size }) => type === MemoryType.RAM && first <= at && at < first + size,
    );
    if (range === undefined) return false;
    at = range.gpa + range.bytes;
  }
  return true;
}

/**
 * The highest place for `bytes` of data in RAM that keeps clear of `taken`.
 *
 * @param limit first address that must not be used
 * @param alignment a power of two
 * @returns its first address, undefined when there is no room
 */
export function highestFreeRam(
  map: readonly MemoryRange[],
  bytes: number,
  options: { readonly limit: number; readonly alignment: number; readonly taken: readonly Span[] },
): number | undefined {
  const { limit, alignment, taken } = options;
  let best: number | undefined;
  for (const range of map) {
    if (range.type !== MemoryType.RAM) continue;
    let end = Math.min(range.gpa + range.bytes, limit);
    // Each round either finds room or moves below one of the spans that are in the way.
    for (;;) {
      const gpa = Math.floor((end - bytes) / alignment) * alignment;
      if (gpa < range.gpa) break;
      const obstacle = taken.find((span) => gpa < span.gpa + span.bytes && span.gpa < gpa + bytes);
      if (obstacle === undefined) {
        if (best === undefined || gpa > best) best = gpa;
        break;
      }
      end = obstacle.gpa;
    }
  }
  return best;
}

/** Bytes of guest-physical memory, [gpa, gpa + bytes). */
export interface Span {
  readonly gpa: number;
  readonly bytes: number;
}

/** Bytes of RAM in all, for messages. */
export function totalRam(map: readonly MemoryRange[]): number {
  return map.reduce((sum, { type, bytes }) => (type === MemoryType.RAM ? sum + bytes : sum), 0);
}
