import { VmError } from "./errors.ts";

/** Offsets in the file header; System V ABI, "ELF Header" (64-bit class). */
const Header = {
  BYTES: 64,
  CLASS: 4,
  DATA: 5,
  TYPE: 16,
  MACHINE: 18,
  ENTRY: 24,
  PHOFF: 32,
  PHENTSIZE: 54,
  PHNUM: 56,
} as const;

/** Offsets in a program header; System V ABI, "Program Header" (64-bit class). */
const Program = { BYTES: 56, TYPE: 0, FLAGS: 4, OFFSET: 8, PADDR: 24, FILESZ: 32, MEMSZ: 40 } as const;

const CLASS_64 = 2;
const DATA_LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const MACHINE_X86_64 = 62;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;

/** Part of a program that is to lie in guest-physical memory. */
export interface Segment {
  readonly gpa: bigint;
  /** what the file holds of it, a view of the image; the rest, up to `memoryBytes`, is zero */
  readonly bytes: Uint8Array;
  readonly memoryBytes: bigint;
}

export interface ElfProgram {
  readonly entry: bigint;
  /** in the order of the file, none of them empty */
  readonly segments: readonly Segment[];
}

/** Whether a file claims to be an ELF file of any kind. */
export function isElf(image: Uint8Array): boolean {
  return image[0] === 0x7f && image[1] === 0x45 && image[2] === 0x4c && image[3] === 0x46;
}

/**
 * Reads a static ELF64 executable for x86-64.
 *
 * Segments go to their physical addresses (p_paddr), as on a machine without an operating system.
 *
 * @param image whole file
 * @throws {VmError} ERR_PROGRAM_FORMAT when it is not such a file, or is cut short
 * @see System V ABI, chapters 4 and 5
 */
export function parseElf(image: Uint8Array): ElfProgram {
  if (!isElf(image)) {
    const found = [...image.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw malformed(`not an ELF file: it begins with ${found || "nothing"}, expected 7f 45 4c 46`);
  }
  if (image.length < Header.BYTES) {
    throw malformed(`ELF file is cut short: ${image.length} bytes, the header alone has ${Header.BYTES}`);
  }
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  expectField("class (e_ident[4])", view.getUint8(Header.CLASS), CLASS_64, "64-bit");
  expectField("byte order (e_ident[5])", view.getUint8(Header.DATA), DATA_LITTLE_ENDIAN, "little-endian");
  expectField("machine (e_machine)", view.getUint16(Header.MACHINE, true), MACHINE_X86_64, "x86-64");
  expectField("type (e_type)", view.getUint16(Header.TYPE, true), TYPE_EXECUTABLE, "an executable at fixed addresses");

  const count = view.getUint16(Header.PHNUM, true);
  if (count > 0)
    expectField("program header size (e_phentsize)", view.getUint16(Header.PHENTSIZE, true), Program.BYTES, "56 bytes");
  const table = view.getBigUint64(Header.PHOFF, true);
  const tableBytes = BigInt(count * Program.BYTES);
  if (table + tableBytes > BigInt(image.length)) {
    throw malformed(
      `ELF file is cut short: program headers at 0x${table.toString(16)} need ${tableBytes} bytes, the file has ${image.length}`,
    );
  }

  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const segment = readSegment(image, view, Number(table) + index * Program.BYTES, index);
    if (segment !== undefined) segments.push(segment);
  }
  if (segments.length === 0) throw malformed("ELF file has nothing to load: no program header of type PT_LOAD");
  return { entry: view.getBigUint64(Header.ENTRY, true), segments };
}

/** The segment that a program header describes; undefined when it loads nothing. */
function readSegment(image: Uint8Array, view: DataView, header: number, index: number): Segment | undefined {
  const type = view.getUint32(header + Program.TYPE, true);
  if (type === PT_INTERP || type === PT_DYNAMIC) {
    throw malformed("ELF file is dynamically linked; expected a static one (link it with -static -no-pie)");
  }
  if (type !== PT_LOAD) return undefined;
  const offset = view.getBigUint64(header + Program.OFFSET, true);
  const fileBytes = view.getBigUint64(header + Program.FILESZ, true);
  const memoryBytes = view.getBigUint64(header + Program.MEMSZ, true);
  if (offset + fileBytes > BigInt(image.length)) {
    throw malformed(
      `ELF file is cut short: segment ${index} ends at 0x${(offset + fileBytes).toString(16)}, the file has ${image.length} bytes`,
    );
  }
  if (fileBytes > memoryBytes) {
    throw malformed(`ELF segment ${index} has more bytes in the file (${fileBytes}) than in memory (${memoryBytes})`);
  }
  if (memoryBytes === 0n) return undefined;
  return {
    gpa: view.getBigUint64(header + Program.PADDR, true),
    bytes: image.subarray(Number(offset), Number(offset + fileBytes)),
    memoryBytes,
  };
}

function expectField(name: string, found: number, expected: number, meaning: string): void {
  if (found !== expected)
    throw malformed(`unsupported ELF file: ${name} is ${found}, expected ${expected} (${meaning})`);
}

function malformed(message: string): VmError {
  return new VmError("ERR_PROGRAM_FORMAT", message);
}
