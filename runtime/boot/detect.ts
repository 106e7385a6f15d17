import { BootError } from "./boot-error.ts";
import { isElf, parseElfKernel } from "./elf.ts";
import { loadLinux } from "./linux.ts";
import type { GuestMemory, LoadedImage } from "./loaded-image.ts";
import { loadMultiboot, type MultibootOptions } from "./multiboot.ts";
import { findMultibootHeader } from "./multiboot-header.ts";
import { loadPvh, pvhEntry } from "./pvh.ts";
import { isBzImage } from "./setup-header.ts";

export type KernelFormat = LoadedImage["format"];

/** What files that are no kernels begin with: offset, bytes, and what to call it. */
// prettier-ignore
const OTHER_FILES: readonly (readonly [offset: number, magic: readonly number[], name: string])[] = [
  [0, [0x1f, 0x8b], "a gzip-compressed file; decompress it first"],
  [0, [0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz-compressed file; decompress it first"],
  [0, [0x28, 0xb5, 0x2f, 0xfd], "a zstd-compressed file; decompress it first"],
  [0, [0x02, 0x21, 0x4c, 0x18], "an LZ4-compressed file; decompress it first"],
  [0, [0x04, 0x22, 0x4d, 0x18], "an LZ4-compressed file; decompress it first"],
  [0, [0x42, 0x5a, 0x68], "a bzip2-compressed file; decompress it first"],
  [0, [0x30, 0x37, 0x30, 0x37, 0x30], "a cpio archive, perhaps an initrd"],
  [0, [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e], "an ar archive, perhaps a Debian package"],
  [0, [0x50, 0x4b, 0x03, 0x04], "a zip archive"],
  [0, [0x23, 0x21], "a script"],
  [0, [0x51, 0x46, 0x49, 0xfb], "a qcow2 disk image"],
  [0x38, [0x41, 0x52, 0x4d, 0x64], "a Linux kernel for AArch64"],
  [0x38, [0x52, 0x53, 0x43, 0x05], "a Linux kernel for RISC-V"],
  [0, [0x4d, 0x5a], "a Windows or UEFI executable"],
  [0x8001, [0x43, 0x44, 0x30, 0x30, 0x31], "a CD image"],
  [0x438, [0x53, 0xef], "an ext2, ext3 or ext4 file system"],
  [0x1fe, [0x55, 0xaa], "a disk image (it ends its first sector as a boot sector does)"],
];

/** In words, what a file is that is no kernel. */
export function describeFile(image: Uint8Array): string {
  if (image.length === 0) return "an empty file";
  const known = OTHER_FILES.find(([offset, magic]) => magic.every((byte, index) => image[offset + index] === byte));
  if (known !== undefined) return known[2];
  const head = image.subarray(0, 512);
  if (head.every((byte) => byte === 0)) return "a file that begins with zeros";
  if (head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127)))
    return "a text file";
  return `a file that begins with ${[...image.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

/**
 * Says how a kernel is to be loaded.
 *
 * A Multiboot header goes before a PVH entry: who has both, as Xen has, can start either way.
 *
 * @throws {BootError} ERR_KERNEL_FORMAT, naming what the file is instead
 */
export function detectKernel(image: Uint8Array): KernelFormat {
  if (isBzImage(image)) return "linux";
  if (findMultibootHeader(image) !== undefined) return "multiboot";
  if (isElf(image)) {
    if (pvhEntry(parseElfKernel(image)) !== undefined) return "pvh";
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      "ELF file is no kernel that can be booted: it has neither a PVH entry (ELF note) nor a Multiboot header",
    );
  }
  throw new BootError(
    "ERR_KERNEL_FORMAT",
    `not a kernel: ${describeFile(image)}; expected a bzImage, or an ELF file with a PVH or Multiboot entry`,
  );
}

/**
 * Puts a kernel of any known format into memory.
 *
 * @throws {BootError} when it is none, or something does not fit
 */
export function loadKernelImage(memory: GuestMemory, image: Uint8Array, options: MultibootOptions): LoadedImage {
  switch (detectKernel(image)) {
    case "linux":
      return loadLinux(memory, image, options);
    case "pvh":
      return loadPvh(memory, image, options);
    case "multiboot":
      return loadMultiboot(memory, image, options);
  }
}
