import { BootError } from "./boot-error.ts";
import { type ElfKernel, parseElfKernel } from "./elf.ts";
import { placeInitrd } from "./initrd.ts";
import {
  BootData,
  type BootOptions,
  commandLineBytes,
  type GuestMemory,
  type LoadedImage,
  protectedModeEntry,
} from "./loaded-image.ts";
import { LowMemory } from "./low-memory.ts";
import type { Span } from "./memory-ranges.ts";
import { spanOfSegments, writeSegments } from "./segments.ts";

/** Xen public headers, elfnote.h: the 32-bit entry point, for kernels that start without firmware. */
const XEN_ELFNOTE_PHYS32_ENTRY = 18;
/** struct hvm_start_info; Xen public headers, arch-x86/hvm/start_info.h */
const StartInfo = {
  MAGIC: 0x336e_c578,
  VERSION: 1,
  BYTES: 56,
  MODULE_BYTES: 32,
  MEMORY_BYTES: 24,
} as const;

/** Entry point of the PVH protocol; undefined when the kernel has none. */
export function pvhEntry(kernel: ElfKernel): number | undefined {
  const note = kernel.notes.find(({ name, type }) => name === "Xen" && type === XEN_ELFNOTE_PHYS32_ENTRY);
  if (note === undefined || note.description.length < 4) return undefined;
  // 4 or 8 bytes, as the class of the file is; either way an address below 4 GiB.
  return new DataView(note.description.buffer, note.description.byteOffset).getUint32(0, true);
}

/**
 * Puts an ELF kernel with a PVH entry (an extracted Linux `vmlinux`, FreeBSD, Xen's own guests) into memory.
 *
 * It starts in 32-bit protected mode without paging, EBX pointing to the start information.
 *
 * @throws {BootError} when it is no such kernel, or something does not fit
 * @see Xen docs/misc/pvh.pandoc, "x86/HVM direct boot ABI"
 */
export function loadPvh(memory: GuestMemory, image: Uint8Array, options: BootOptions): LoadedImage {
  const elf = parseElfKernel(image);
  const rip = pvhEntry(elf);
  if (rip === undefined) {
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      "ELF file has no PVH entry point: expected a note XEN_ELFNOTE_PHYS32_ENTRY",
    );
  }
  const commandLine = commandLineBytes(options.commandLine ?? "");
  const kernel = spanOfSegments(elf.segments, options.memoryMap);
  if (rip < kernel.gpa || rip >= kernel.gpa + kernel.bytes) {
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      `PVH entry point 0x${rip.toString(16)} lies outside the kernel's segments`,
    );
  }
  const initrd = placeInitrd(options.initrd?.length ?? 0, options.memoryMap, 2 ** 32, kernel);

  writeSegments(memory, elf.segments);
  if (initrd !== undefined && options.initrd !== undefined) memory.write(initrd.gpa, options.initrd);
  writeStartInfo(memory, options, commandLine, initrd);
  const entry = protectedModeEntry(memory, { rip: BigInt(rip), rbx: BigInt(LowMemory.START_INFO) });
  return { format: "pvh", entry, kernel, modules: initrd === undefined ? [] : [initrd] };
}

function writeStartInfo(
  memory: GuestMemory,
  { memoryMap, rsdp = 0 }: BootOptions,
  commandLine: Uint8Array,
  initrd: Span | undefined,
): void {
  const data = new BootData(memory);
  const ranges = new DataView(new ArrayBuffer(memoryMap.length * StartInfo.MEMORY_BYTES));
  for (const [index, { gpa, bytes, type }] of memoryMap.entries()) {
    const at = index * StartInfo.MEMORY_BYTES;
    ranges.setBigUint64(at, BigInt(gpa), true);
    ranges.setBigUint64(at + 8, BigInt(bytes), true);
    ranges.setUint32(at + 16, type, true);
  }
  const modules = new DataView(new ArrayBuffer(initrd === undefined ? 0 : StartInfo.MODULE_BYTES));
  if (initrd !== undefined) {
    modules.setBigUint64(0, BigInt(initrd.gpa), true);
    modules.setBigUint64(8, BigInt(initrd.bytes), true);
  }

  const info = new DataView(new ArrayBuffer(StartInfo.BYTES));
  info.setUint32(0, StartInfo.MAGIC, true);
  info.setUint32(4, StartInfo.VERSION, true);
  info.setUint32(12, initrd === undefined ? 0 : 1, true);
  info.setBigUint64(16, BigInt(initrd === undefined ? 0 : data.write(new Uint8Array(modules.buffer))), true);
  info.setBigUint64(24, BigInt(data.write(commandLine)), true);
  info.setBigUint64(32, BigInt(rsdp), true);
  info.setBigUint64(40, BigInt(data.write(new Uint8Array(ranges.buffer))), true);
  info.setUint32(48, memoryMap.length, true);
  memory.write(LowMemory.START_INFO, new Uint8Array(info.buffer));
}
