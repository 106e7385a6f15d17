import { BootError, hex } from "./boot-error.ts";

const MAGIC = 0x1bad_b002;
/** The header lies in here, aligned to 4 bytes. */
const SEARCHED_BYTES = 8192;

/** Bits of the header's flags. */
const Flag = {
  PAGE_ALIGNED_MODULES: 1 << 0,
  MEMORY_INFORMATION: 1 << 1,
  /** bits 2 to 15 that we do not know: a loader must refuse the kernel */
  UNKNOWN: 0xfffc,
  ADDRESSES: 1 << 16,
} as const;

/** Where an image without program headers is to be loaded: the fields that exist with flag 16. */
export interface LoadAddresses {
  /** offset in the file of the first byte to load */
  readonly fileOffset: number;
  readonly load: number;
  /** end of what the file holds; 0: the rest of the file */
  readonly loadEnd: number;
  /** end of the memory to clear behind it; 0: none */
  readonly clearEnd: number;
  readonly entry: number;
}

export interface MultibootHeader {
  /** of the header in the file */
  readonly offset: number;
  readonly addresses: LoadAddresses | undefined;
}

/**
 * Finds the Multiboot header in the first 8 KiB of a file.
 *
 * @returns undefined when there is none
 * @throws {BootError} ERR_KERNEL_FORMAT when the header asks for what we do not have, or contradicts itself
 * @see Multiboot Specification 0.6.96, 3.1 "OS image format"
 */
export function findMultibootHeader(image: Uint8Array): MultibootHeader | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const end = Math.min(image.length, SEARCHED_BYTES);
  for (let offset = 0; offset + 12 <= end; offset += 4) {
    if (view.getUint32(offset, true) !== MAGIC) continue;
    const flags = view.getUint32(offset + 4, true);
    const checksum = view.getUint32(offset + 8, true);
    // The number alone may be data, or an operand of the kernel's own comparison.
    if ((MAGIC + flags + checksum) >>> 0 !== 0) continue;
    return readHeader(view, offset, flags);
  }
  return undefined;
}

function readHeader(view: DataView, offset: number, flags: number): MultibootHeader {
  const unknown = flags & Flag.UNKNOWN;
  if (unknown !== 0) {
    const what = unknown === 4 ? "a video mode (flag 2)" : `features that are not known (flags ${hex(unknown)})`;
    throw malformed(`Multiboot kernel requires ${what}, expected flags 0, 1 and 16 at most`);
  }
  if ((flags & Flag.ADDRESSES) === 0) return { offset, addresses: undefined };
  if (offset + 32 > view.byteLength)
    throw malformed(`Multiboot kernel is cut short: its header at ${hex(offset)} needs 32 bytes`);
  const [header, load, loadEnd, clearEnd, entry] = [12, 16, 20, 24, 28].map((field) =>
    view.getUint32(offset + field, true),
  ) as [number, number, number, number, number];
  if (load > header || header - load > offset) {
    throw malformed(
      `damaged Multiboot header: load_addr ${hex(load)} does not fit header_addr ${hex(header)} at file offset ${hex(offset)}`,
    );
  }
  if ((loadEnd !== 0 && loadEnd <= load) || (clearEnd !== 0 && clearEnd < loadEnd)) {
    throw malformed(
      `damaged Multiboot header: load_addr ${hex(load)}, load_end_addr ${hex(loadEnd)} and bss_end_addr ${hex(clearEnd)} are not in this order`,
    );
  }
  return { offset, addresses: { fileOffset: offset - (header - load), load, loadEnd, clearEnd, entry } };
}

function malformed(message: string): BootError {
  return new BootError("ERR_KERNEL_FORMAT", message);
}
