/** What a file can be to a machine. */
export type FileKind = "kernel" | "initrd" | "disk";

/** How many bytes of a file `kindOf` looks at. */
export const HEAD_BYTES = 0x8100;

const SECTOR_BYTES = 512;
/** of a Multiboot header, which lies within the first 8 KiB. Multiboot Specification 0.6.96, 3.1.1 */
const MULTIBOOT_MAGIC = 0x1bad_b002;
const MULTIBOOT_END = 0x2000;

/** First bytes of what Linux takes for an initrd: archives, and what they are compressed with. Linux, lib/decompress.c */
const INITRD_MAGICS: readonly (readonly number[])[] = [
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x31], // "070701", cpio
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x32],
  [0x1f, 0x8b], // gzip
  [0x42, 0x5a, 0x68], // bzip2
  [0x5d, 0x00, 0x00], // lzma
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], // xz
  [0x02, 0x21, 0x4c, 0x18], // lz4
  [0x28, 0xb5, 0x2f, 0xfd], // zstd
  [0x89, 0x4c, 0x5a, 0x4f], // lzo
];

/**
 * What a file is, by its first bytes: its name says little, and an initrd without a kernel of its own is common.
 *
 * @param head the first HEAD_BYTES of the file, fewer if it is shorter
 * @param byteLength of the whole file
 * @returns undefined for a file that is none of them
 */
export function kindOf(head: Uint8Array, byteLength: number): FileKind | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // The setup header of a bzImage: "HdrS". Linux, Documentation/arch/x86/boot.rst
  if (head.length >= 0x206 && view.getUint32(0x202, true) === 0x5372_6448) return "kernel";
  if (startsWith(head, [0x7f, 0x45, 0x4c, 0x46])) return "kernel";
  for (let offset = 0; offset + 4 <= Math.min(head.length, MULTIBOOT_END); offset += 4)
    if (view.getUint32(offset, true) === MULTIBOOT_MAGIC) return "kernel";
  if (INITRD_MAGICS.some((magic) => startsWith(head, magic))) return "initrd";
  return byteLength > 0 && byteLength % SECTOR_BYTES === 0 ? "disk" : undefined;
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}
