import { type Aml, buffer, join, littleEndian } from "./aml.ts";

/** A resource descriptor, as _CRS lists them; ACPI 6.5, 6.4. */
export type Resource = Uint8Array;

/** ACPI 6.5, 6.4.3.5: resource types of address space descriptors. */
const Space = { MEMORY: 0, IO: 1, BUS: 2 } as const;
/** General flags: minimum and maximum are fixed, positive decode, the device hands the range on to its children. */
const FIXED_WINDOW = 0x0c;
const READ_WRITE = 1;
/** I/O type flags: the whole range, not only what ISA cards decode */
const ENTIRE_RANGE = 3;
const END_TAG = [0x79, 0] as const;

/** Ports [first, first + count), all 16 address bits decoded. 6.4.2.5 */
export function ports({ first, count }: { readonly first: number; readonly count: number }): Resource {
  return join([0x47, 1], littleEndian(first, 2), littleEndian(first, 2), [1, count]);
}

/** An ISA interrupt: edge, active high. 6.4.2.1 */
export function isaIrq(irq: number): Resource {
  return join([0x22], littleEndian(1 << irq, 2));
}

/** A level-triggered interrupt that others may share, by its global number. 6.4.3.6 */
export function levelInterrupt(gsi: number, polarity: "high" | "low"): Resource {
  const consumer = 1;
  const activeLow = 4;
  const shared = 8;
  const flags = consumer | shared | (polarity === "low" ? activeLow : 0);
  return join([0x89], littleEndian(6, 2), [flags, 1], littleEndian(gsi, 4));
}

/** Memory at a fixed place below 4 GiB. 6.4.3.4 */
export function memory({ first, bytes }: { readonly first: number; readonly bytes: number }): Resource {
  return join([0x86], littleEndian(9, 2), [READ_WRITE], littleEndian(first, 4), littleEndian(bytes, 4));
}

/** The PCI bus numbers [first, first + count) behind a bridge. */
export function busWindow(first: number, count: number): Resource {
  return window(0x88, 2, Space.BUS, 0, first, count);
}

/** The ports that a bridge hands on. */
export function portWindow({ first, count }: { readonly first: number; readonly count: number }): Resource {
  return window(0x88, 2, Space.IO, ENTIRE_RANGE, first, count);
}

/** The memory below 4 GiB that a bridge hands on. */
export function memoryWindow({ first, bytes }: { readonly first: number; readonly bytes: number }): Resource {
  return window(0x87, 4, Space.MEMORY, READ_WRITE, first, bytes);
}

/** A word or double-word address space descriptor. 6.4.3.5.2, 6.4.3.5.3 */
function window(tag: number, width: 2 | 4, space: number, typeFlags: number, first: number, count: number): Resource {
  const granularity = 0;
  const translation = 0;
  const fields = [granularity, first, first + count - 1, translation, count].flatMap((field) =>
    littleEndian(field, width),
  );
  return join([tag], littleEndian(3 + fields.length, 2), [space, FIXED_WINDOW, typeFlags], fields);
}

/** The value of _CRS. */
export function resources(...list: readonly Resource[]): Aml {
  return buffer(join(...list, END_TAG));
}
