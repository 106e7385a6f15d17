import { BootError, hex } from "./boot-error.ts";
import { type ElfSegment, isElf, parseElfKernel } from "./elf.ts";
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
import { type MemoryRange, MemoryType, type Span } from "./memory-ranges.ts";
import { findMultibootHeader, type LoadAddresses } from "./multiboot-header.ts";
import { spanOfSegments, writeSegments } from "./segments.ts";

/** What EAX holds at the entry. */
const BOOTED = 0x2bad_b002n;
/** The Multiboot information; Multiboot Specification 0.6.96, 3.3. */
const Info = {
  BYTES: 120,
  FLAGS: 0,
  MEMORY_LOWER: 4,
  MEMORY_UPPER: 8,
  COMMAND_LINE: 16,
  MODULE_COUNT: 20,
  MODULES: 24,
  MEMORY_MAP_BYTES: 44,
  MEMORY_MAP: 48,
  LOADER_NAME: 64,
} as const;
const InfoFlag = {
  MEMORY: 1 << 0,
  COMMAND_LINE: 1 << 2,
  MODULES: 1 << 3,
  MEMORY_MAP: 1 << 6,
  LOADER_NAME: 1 << 9,
} as const;
const MODULE_BYTES = 16;
/** a size field of 4 bytes, which does not count itself, and 20 bytes */
const MEMORY_BYTES = 24;
const PAGE = 0x1000;
const EXTENDED_MEMORY = 0x10_0000;

export interface MultibootModule {
  readonly bytes: Uint8Array;
  readonly commandLine: string;
}

export interface MultibootOptions extends BootOptions {
  /** loaded behind `initrd`, which is the first module if it is given */
  readonly modules?: readonly MultibootModule[];
}

/**
 * Puts a Multiboot 1 kernel into memory: an ELF file of either class, or any file whose header says where it goes.
 *
 * It starts in 32-bit protected mode without paging, EAX = 0x2badb002, EBX pointing to the Multiboot information.
 *
 * @throws {BootError} when it is no such kernel, or something does not fit
 * @see Multiboot Specification 0.6.96
 */
export function loadMultiboot(memory: GuestMemory, image: Uint8Array, options: MultibootOptions): LoadedImage {
  const header = findMultibootHeader(image);
  if (header === undefined) {
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      "not a Multiboot kernel: no header (magic 0x1badb002) in the first 8192 bytes",
    );
  }
  const { segments, rip } = header.addresses === undefined ? elfProgram(image) : rawProgram(image, header.addresses);
  const kernel = spanOfSegments(segments, options.memoryMap);
  if (rip < kernel.gpa || rip >= kernel.gpa + kernel.bytes) {
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      `entry point ${hex(rip)} lies outside the kernel, ${hex(kernel.gpa)} to ${hex(kernel.gpa + kernel.bytes)}`,
    );
  }
  const modules = [
    ...(options.initrd === undefined ? [] : [{ bytes: options.initrd, commandLine: "" }]),
    ...(options.modules ?? []),
  ];
  const spans = placeModules(modules, kernel, options);
  const commandLine = commandLineBytes(options.commandLine ?? "");

  writeSegments(memory, segments);
  for (const [index, { bytes }] of modules.entries()) memory.write(spans[index]?.gpa ?? 0, bytes);
  writeInfo(
    memory,
    commandLine,
    modules.map((module, index) => ({ ...module, gpa: spans[index]?.gpa ?? 0 })),
    options.memoryMap,
  );
  const entry = protectedModeEntry(memory, { rip: BigInt(rip), rax: BOOTED, rbx: BigInt(LowMemory.START_INFO) });
  return { format: "multiboot", entry, kernel, modules: spans };
}

interface Program {
  readonly segments: readonly Pick<ElfSegment, "gpa" | "bytes" | "memoryBytes">[];
  readonly rip: number;
}

function elfProgram(image: Uint8Array): Program {
  if (!isElf(image)) {
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      "Multiboot kernel is no ELF file and its header has no load addresses (flag 16)",
    );
  }
  const { entry, segments } = parseElfKernel(image);
  // The entry is a virtual address, and paging is off: start at the physical address of the same byte.
  const home = segments.find(({ virtual, memoryBytes }) => entry >= virtual && entry < virtual + memoryBytes);
  return { segments, rip: Number(home === undefined ? entry : entry - home.virtual + home.gpa) };
}

function rawProgram(image: Uint8Array, addresses: LoadAddresses): Program {
  const { fileOffset, load, loadEnd, clearEnd, entry } = addresses;
  const end = loadEnd === 0 ? image.length : fileOffset + (loadEnd - load);
  if (end > image.length) {
    throw new BootError(
      "ERR_KERNEL_FORMAT",
      `Multiboot kernel is cut short: the file has ${image.length} bytes, expected ${end}`,
    );
  }
  const bytes = image.subarray(fileOffset, end);
  const memoryBytes = Math.max(bytes.length, clearEnd === 0 ? 0 : clearEnd - load);
  return { segments: [{ gpa: BigInt(load), bytes, memoryBytes: BigInt(memoryBytes) }], rip: entry };
}

/** All modules together, each on a page of its own, in ascending order. */
function placeModules(modules: readonly MultibootModule[], kernel: Span, options: BootOptions): Span[] {
  const sizes = modules.map(({ bytes }) => Math.ceil(bytes.length / PAGE) * PAGE);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const place = placeInitrd(bytes, options.memoryMap, 2 ** 32, kernel);
  let gpa = place?.gpa ?? 0;
  return modules.map((module, index) => {
    const span = { gpa, bytes: module.bytes.length };
    gpa += sizes[index] ?? 0;
    return span;
  });
}

function writeInfo(
  memory: GuestMemory,
  commandLine: Uint8Array,
  modules: readonly (MultibootModule & { readonly gpa: number })[],
  map: readonly MemoryRange[],
): void {
  const data = new BootData(memory);
  const info = new DataView(new ArrayBuffer(Info.BYTES));
  const set = (field: number, value: number): void => info.setUint32(field, value, true);

  const upper = map.find(({ gpa, type }) => gpa === EXTENDED_MEMORY && type === MemoryType.RAM);
  const lower = map.find(({ gpa, type }) => gpa === 0 && type === MemoryType.RAM);
  set(
    Info.FLAGS,
    InfoFlag.MEMORY | InfoFlag.COMMAND_LINE | InfoFlag.MODULES | InfoFlag.MEMORY_MAP | InfoFlag.LOADER_NAME,
  );
  set(Info.MEMORY_LOWER, Math.min(Math.floor((lower?.bytes ?? 0) / 1024), 640));
  set(Info.MEMORY_UPPER, Math.floor((upper?.bytes ?? 0) / 1024));
  set(Info.COMMAND_LINE, data.write(commandLine));
  set(Info.LOADER_NAME, data.write(new TextEncoder().encode("Umbra\0")));

  const list = new DataView(new ArrayBuffer(modules.length * MODULE_BYTES));
  for (const [index, { gpa, bytes, commandLine: text }] of modules.entries()) {
    const at = index * MODULE_BYTES;
    list.setUint32(at, gpa, true);
    list.setUint32(at + 4, gpa + bytes.length, true);
    list.setUint32(at + 8, data.write(commandLineBytes(text)), true);
  }
  set(Info.MODULE_COUNT, modules.length);
  set(Info.MODULES, modules.length === 0 ? 0 : data.write(new Uint8Array(list.buffer)));

  const ranges = new DataView(new ArrayBuffer(map.length * MEMORY_BYTES));
  for (const [index, { gpa, bytes, type }] of map.entries()) {
    const at = index * MEMORY_BYTES;
    ranges.setUint32(at, MEMORY_BYTES - 4, true);
    ranges.setBigUint64(at + 4, BigInt(gpa), true);
    ranges.setBigUint64(at + 12, BigInt(bytes), true);
    ranges.setUint32(at + 20, type, true);
  }
  set(Info.MEMORY_MAP_BYTES, ranges.byteLength);
  set(Info.MEMORY_MAP, data.write(new Uint8Array(ranges.buffer)));
  memory.write(LowMemory.START_INFO, new Uint8Array(info.buffer));
}
