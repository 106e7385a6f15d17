/** What a file can be to a machine. */
export type FileKind = "kernel" | "initrd" | "disk";

/** How many bytes of a file `kindOf` looks at. */
export const HEAD_BYTES = 0x8100;

/** Why a file is none of them, as a sentence for the person who chose it. */
export interface RefusedFile {
  readonly refused: string;
}

const EXPECTED =
  "Expected a bzImage, PVH ELF or Multiboot kernel, an initrd, or a raw disk image of whole sectors of 512 bytes.";
const GZIP: readonly number[] = [0x1f, 0x8b];

const SECTOR_BYTES = 512;
/** of a Multiboot header, which lies within the first 8 KiB. Multiboot Specification 0.6.96, 3.1.1 */
const MULTIBOOT_MAGIC = 0x1bad_b002;
const MULTIBOOT_END = 0x2000;

/** First bytes of what Linux takes for an initrd: archives, and what they are compressed with. Linux, lib/decompress.c */
const INITRD_MAGICS: readonly (readonly number[])[] = [
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x31], // "070701", cpio
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x32],
  GZIP,
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

/** What a file is. One that is compressed with gzip is an initrd if there is an archive in it, and otherwise of no use: only Linux unpacks it. */
export async function inspectFile(file: Blob): Promise<FileKind | RefusedFile> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (!startsWith(head, GZIP)) return kindOf(head, file.size) ?? { refused: EXPECTED };
  const inner = await unpackedHead(file);
  if (!inner) return { refused: "It begins as a gzip file does, and cannot be unpacked: it is damaged." };
  // Its size is not known before all of it is unpacked: whole sectors are as good as any.
  const kind = kindOf(inner, SECTOR_BYTES);
  if (kind === "initrd") return kind;
  const what = kind === "kernel" ? "a kernel" : "what may be a disk image";
  return { refused: `It is ${what} compressed with gzip, expected the file itself: unpack it first, with gunzip.` };
}

/** The first HEAD_BYTES of what is in a gzip file, and no more of it; undefined when it is damaged before. */
async function unpackedHead(file: Blob): Promise<Uint8Array | undefined> {
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    while (length < HEAD_BYTES) {
      const { value, done } = await reader.read();
      if (done) break;
      const part = value.subarray(0, HEAD_BYTES - length);
      head.set(part, length);
      length += part.length;
    }
  } catch {
    return undefined;
  }
  await reader.cancel();
  return head.subarray(0, length);
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}
