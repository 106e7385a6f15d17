import { SECTOR_BYTES } from "./disk.ts";

/** Master boot record: where its four entries are, and what ends it. */
const Mbr = { ENTRIES: 446, ENTRY_BYTES: 16, COUNT: 4, SIGNATURE: 510 } as const;
const MBR_SIGNATURE = 0xaa55;
/** Offsets in an entry. */
const MbrEntry = { ACTIVE: 0, TYPE: 4, FIRST: 8, SECTORS: 12 } as const;
const ACTIVE = 0x80;
/** Type of the entry that stands for a whole GPT. */
const PROTECTIVE = 0xee;
/** Offsets in the header, which is in sector 1; UEFI 2.10, 5.3.2. */
const Gpt = { BACKUP: 32, ENTRIES: 72, COUNT: 80, ENTRY_BYTES: 84 } as const;
const GPT_SIGNATURE = "EFI PART";
/** Offsets in an entry; UEFI 2.10, 5.3.3. Its first 16 bytes, the type, are 0 when it is not used. */
const GptEntry = { LAST: 40, BYTES: 128 } as const;
/** More entries than anybody writes: a damaged header must not make us read gigabytes. */
const GPT_MAXIMUM_ENTRIES = 1024;

/**
 * How many sectors a disk must have for what its partition table says, MBR or GPT.
 *
 * @param read the content of sectors, whole; undefined beyond the end of the disk
 * @returns 0 when there is no partition table
 */
export function sectorsOfPartitions(read: (sector: number, count: number) => Uint8Array | undefined): number {
  const first = read(0, 1);
  if (!first) return 0;
  const entries = mbrEntries(first);
  if (!entries) return 0;
  const gpt = entries.some(({ type }) => type === PROTECTIVE) ? gptSectors(read) : undefined;
  const ends = entries.filter(({ type }) => type !== 0 && type !== PROTECTIVE).map(({ end }) => end);
  return Math.max(gpt ?? 0, ...ends);
}

/** undefined when the sector is something else that ends in the same signature, such as the first one of a FAT file system */
function mbrEntries(sector: Uint8Array): { readonly type: number; readonly end: number }[] | undefined {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  if (view.getUint16(Mbr.SIGNATURE, true) !== MBR_SIGNATURE) return undefined;
  const entries: { type: number; end: number }[] = [];
  for (let index = 0; index < Mbr.COUNT; index++) {
    const at = Mbr.ENTRIES + index * Mbr.ENTRY_BYTES;
    const active = view.getUint8(at + MbrEntry.ACTIVE);
    if (active !== 0 && active !== ACTIVE) return undefined;
    const end = view.getUint32(at + MbrEntry.FIRST, true) + view.getUint32(at + MbrEntry.SECTORS, true);
    entries.push({ type: view.getUint8(at + MbrEntry.TYPE), end });
  }
  return entries;
}

/** The header counts as well as the entries: the copy at the end of the disk goes missing first. */
function gptSectors(read: (sector: number, count: number) => Uint8Array | undefined): number | undefined {
  const header = read(1, 1);
  if (!header || new TextDecoder("latin1").decode(header.subarray(0, 8)) !== GPT_SIGNATURE) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const entryBytes = view.getUint32(Gpt.ENTRY_BYTES, true);
  const count = Math.min(view.getUint32(Gpt.COUNT, true), GPT_MAXIMUM_ENTRIES);
  let needed = Number(view.getBigUint64(Gpt.BACKUP, true)) + 1;
  if (entryBytes < GptEntry.BYTES || entryBytes > SECTOR_BYTES) return needed;
  const sectors = Math.ceil((count * entryBytes) / SECTOR_BYTES);
  const table = read(Number(view.getBigUint64(Gpt.ENTRIES, true)), sectors);
  if (!table) return needed;
  const entries = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let index = 0; index < count; index++) {
    const at = index * entryBytes;
    if (table.subarray(at, at + 16).every((byte) => byte === 0)) continue;
    needed = Math.max(needed, Number(entries.getBigUint64(at + GptEntry.LAST, true)) + 1);
  }
  return needed;
}
