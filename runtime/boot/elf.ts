import { BootError, hex } from "./boot-error.ts";

/** e_machine values that messages name; System V ABI, "ELF Header". */
const MACHINES: Readonly<Record<number, string>> = {
  2: "SPARC",
  3: "Intel 80386",
  8: "MIPS",
  20: "PowerPC",
  21: "64-bit PowerPC",
  22: "IBM S/390",
  40: "ARM",
  62: "x86-64",
  183: "AArch64",
  243: "RISC-V",
  258: "LoongArch",
};
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const PT_LOAD = 1;
const PT_NOTE = 4;

/** Part of a kernel that is to lie in guest-physical memory. */
export interface ElfSegment {
  readonly virtual: bigint;
  readonly gpa: bigint;
  /** what the file holds of it, a view of the image; the rest, up to `memoryBytes`, is zero */
  readonly bytes: Uint8Array;
  readonly memoryBytes: bigint;
}

export interface ElfNote {
  readonly name: string;
  readonly type: number;
  readonly description: Uint8Array;
}

export interface ElfKernel {
  readonly entry: bigint;
  /** in the order of the file, none of them empty */
  readonly segments: readonly ElfSegment[];
  readonly notes: readonly ElfNote[];
}

/** Whether a file claims to be an ELF file of any kind. */
export function isElf(image: Uint8Array): boolean {
  return image[0] === 0x7f && image[1] === 0x45 && image[2] === 0x4c && image[3] === 0x46;
}

/**
 * Reads an ELF kernel for x86, of the 32-bit or the 64-bit class.
 *
 * The class says nothing of the code: 64-bit kernels come in 32-bit files for loaders that know no others.
 *
 * @param image whole file
 * @throws {BootError} ERR_KERNEL_FORMAT when it is not such a file, or is cut short
 * @see System V ABI, chapters 4 and 5
 */
export function parseElfKernel(image: Uint8Array): ElfKernel {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const fileClass = image[4];
  if (!isElf(image) || (fileClass !== CLASS_32 && fileClass !== CLASS_64)) {
    throw malformed(`damaged ELF file: class (e_ident[4]) is ${fileClass ?? "missing"}, expected 1 or 2`);
  }
  const wide = fileClass === CLASS_64;
  const headerBytes = wide ? 64 : 52;
  if (image.length < headerBytes) throw cutShort(image, headerBytes, "its header");
  if (image[5] !== LITTLE_ENDIAN)
    throw malformed(`unsupported ELF file: byte order (e_ident[5]) is ${image[5]}, expected 1 (little-endian)`);
  const machine = view.getUint16(18, true);
  if (machine !== MACHINE_386 && machine !== MACHINE_X86_64) {
    throw malformed(
      `kernel is for another processor: ${MACHINES[machine] ?? `machine ${machine}`}, expected x86-64 or Intel 80386`,
    );
  }
  const type = view.getUint16(16, true);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED) {
    throw malformed(`not an ELF executable: type (e_type) is ${type}, expected 2 or 3`);
  }

  const table = wide ? view.getBigUint64(32, true) : BigInt(view.getUint32(28, true));
  const entryBytes = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  const expectedBytes = wide ? 56 : 32;
  if (count > 0 && entryBytes !== expectedBytes) {
    throw malformed(`damaged ELF file: program header size (e_phentsize) is ${entryBytes}, expected ${expectedBytes}`);
  }
  const tableEnd = table + BigInt(count * expectedBytes);
  if (tableEnd > BigInt(image.length)) throw cutShort(image, tableEnd, "its table of program headers");

  const segments: ElfSegment[] = [];
  const notes: ElfNote[] = [];
  for (let index = 0; index < count; index++) {
    const header = wide ? wideHeader(view, Number(table) + index * 56) : narrowHeader(view, Number(table) + index * 32);
    if (header.type !== PT_LOAD && header.type !== PT_NOTE) continue;
    const end = header.offset + header.fileBytes;
    if (end > BigInt(image.length)) throw cutShort(image, end, `segment ${index}`);
    const bytes = image.subarray(Number(header.offset), Number(end));
    if (header.type === PT_NOTE) {
      notes.push(...readNotes(bytes));
      continue;
    }
    const { virtual, gpa, fileBytes, memoryBytes } = header;
    if (fileBytes > memoryBytes) {
      throw malformed(
        `damaged ELF file: segment ${index} has ${fileBytes} bytes in the file and ${memoryBytes} in memory`,
      );
    }
    if (memoryBytes > 0n) segments.push({ virtual, gpa, bytes, memoryBytes });
  }
  if (segments.length === 0) throw malformed("ELF file has nothing to load: no program header of type PT_LOAD");
  return { entry: wide ? view.getBigUint64(24, true) : BigInt(view.getUint32(24, true)), segments, notes };
}

interface ProgramHeader {
  readonly type: number;
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly gpa: bigint;
  readonly fileBytes: bigint;
  readonly memoryBytes: bigint;
}

function wideHeader(view: DataView, at: number): ProgramHeader {
  const field = (offset: number): bigint => view.getBigUint64(at + offset, true);
  return {
    type: view.getUint32(at, true),
    ...{ offset: field(8), virtual: field(16), gpa: field(24), fileBytes: field(32), memoryBytes: field(40) },
  };
}

function narrowHeader(view: DataView, at: number): ProgramHeader {
  const field = (offset: number): bigint => BigInt(view.getUint32(at + offset, true));
  return {
    type: view.getUint32(at, true),
    ...{ offset: field(4), virtual: field(8), gpa: field(12), fileBytes: field(16), memoryBytes: field(20) },
  };
}

/** Entries of a PT_NOTE segment, all parts padded to 4 bytes; what is left over after the last whole one is ignored. */
function readNotes(bytes: Uint8Array): ElfNote[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notes: ElfNote[] = [];
  let at = 0;
  while (at + 12 <= bytes.length) {
    const nameBytes = view.getUint32(at, true);
    const descriptionBytes = view.getUint32(at + 4, true);
    const name = at + 12;
    const description = name + align4(nameBytes);
    if (description + descriptionBytes > bytes.length) break;
    notes.push({
      name: new TextDecoder("latin1").decode(bytes.subarray(name, name + nameBytes)).replace(/\0.*$/s, ""),
      type: view.getUint32(at + 8, true),
      description: bytes.subarray(description, description + descriptionBytes),
    });
    at = description + align4(descriptionBytes);
  }
  return notes;
}

function align4(value: number): number {
  return Math.ceil(value / 4) * 4;
}

function cutShort(image: Uint8Array, expected: number | bigint, what: string): BootError {
  return malformed(`ELF file is cut short: it has ${image.length} bytes, ${what} ends at byte ${hex(expected)}`);
}

function malformed(message: string): BootError {
  return new BootError("ERR_KERNEL_FORMAT", message);
}
