import { Setup } from "../../../runtime/boot/setup-header.ts";

/** Guest memory as a test sees it: what was written, and that nothing was written twice by mistake elsewhere. */
export class FakeMemory {
  readonly bytes: Uint8Array;

  /** filled with 0xa5, so that what was not cleared shows */
  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength).fill(0xa5);
  }

  write(gpa: number, bytes: Uint8Array): void {
    if (gpa < 0 || gpa + bytes.length > this.bytes.length)
      throw new RangeError(`write of ${bytes.length} bytes at ${gpa}`);
    this.bytes.set(bytes, gpa);
  }

  read(gpa: number, byteLength: number): Uint8Array {
    return this.bytes.subarray(gpa, gpa + byteLength);
  }

  view(gpa: number, byteLength: number): DataView {
    return new DataView(this.bytes.buffer, gpa, byteLength);
  }

  text(gpa: number): string {
    return new TextDecoder().decode(this.bytes.subarray(gpa, this.bytes.indexOf(0, gpa)));
  }
}

export interface BzImageFields {
  readonly magic?: number;
  readonly version?: number;
  readonly headerEnd?: number;
  readonly loadFlags?: number;
  readonly xloadflags?: number;
  readonly alignment?: number;
  readonly relocatable?: number;
  readonly commandLineBytes?: number;
  readonly initrdLast?: number;
  readonly preferred?: number;
  readonly initBytes?: number;
  readonly sectors?: number;
  readonly paragraphs?: number;
  readonly signature?: number;
}

export const SYSTEM_BYTES = 0x1000;

/** A bzImage whose fields are right unless the test says otherwise; its kernel is bytes 1, 2, 3 and so on. */
export function bzImage(fields: BzImageFields = {}): Uint8Array {
  const { sectors = 3, paragraphs = SYSTEM_BYTES / 16, signature = 100 } = fields;
  const start = (sectors + 1) * 512;
  const image = new Uint8Array(start + SYSTEM_BYTES + signature);
  for (let index = start; index < image.length; index++) image[index] = (index - start + 1) & 0xff;
  const view = new DataView(image.buffer);
  view.setUint8(Setup.SETUP_SECTORS, sectors);
  view.setUint32(Setup.SYSTEM_SIZE, paragraphs, true);
  view.setUint16(Setup.BOOT_FLAG, 0xaa55, true);
  view.setUint16(0x200, 0x00eb | (((fields.headerEnd ?? 0x26c) - 0x202) << 8), true);
  view.setUint32(Setup.MAGIC, fields.magic ?? 0x5372_6448, true);
  view.setUint16(Setup.VERSION, fields.version ?? 0x20f, true);
  view.setUint8(Setup.LOAD_FLAGS, fields.loadFlags ?? 1);
  view.setUint32(Setup.RAMDISK_LAST, fields.initrdLast ?? 0x7fff_ffff, true);
  view.setUint32(Setup.ALIGNMENT, fields.alignment ?? 0x20_0000, true);
  view.setUint8(Setup.RELOCATABLE, fields.relocatable ?? 1);
  view.setUint16(Setup.EXTENDED_FLAGS, fields.xloadflags ?? 3, true);
  view.setUint32(Setup.COMMAND_LINE_BYTES, fields.commandLineBytes ?? 2047, true);
  view.setBigUint64(Setup.PREFERRED_ADDRESS, BigInt(fields.preferred ?? 0x100_0000), true);
  view.setUint32(Setup.INIT_BYTES, fields.initBytes ?? 0x10_0000, true);
  return image;
}

export interface ElfFields {
  readonly wide: boolean;
  readonly machine?: number;
  readonly entry?: number;
  readonly gpa?: number;
  readonly virtual?: number;
  readonly memoryBytes?: number;
  /** what the segment holds in the file */
  readonly content?: Uint8Array;
  /** PVH entry, in a note behind one of another kind */
  readonly pvh?: number;
}

/** An ELF kernel with one segment and, if asked for, notes. */
export function elf(fields: ElfFields): Uint8Array {
  const { wide, machine = wide ? 62 : 3, gpa = 0x20_0000, content = Uint8Array.of(1, 2, 3, 4) } = fields;
  const headerBytes = wide ? 64 : 52;
  const programBytes = wide ? 56 : 32;
  const notes =
    fields.pvh === undefined
      ? new Uint8Array(0)
      : concat(note("GNU", 1, [9, 9, 9]), note("Xen", 18, littleEndian(fields.pvh, wide ? 8 : 4)));
  const noteAt = headerBytes + 2 * programBytes;
  const contentAt = noteAt + notes.length;
  const image = new Uint8Array(contentAt + content.length);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  const word = (at: number, value: number): void => {
    if (wide) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, value, true);
  };
  word(24, fields.entry ?? gpa);
  word(wide ? 32 : 28, headerBytes);
  view.setUint16(wide ? 54 : 42, programBytes, true);
  view.setUint16(wide ? 56 : 44, 2, true);
  const program = (
    at: number,
    type: number,
    offset: number,
    virtual: number,
    physical: number,
    bytes: number,
    memory: number,
  ): void => {
    view.setUint32(at, type, true);
    const places = wide ? [8, 16, 24, 32, 40] : [4, 8, 12, 16, 20];
    for (const [index, value] of [offset, virtual, physical, bytes, memory].entries())
      word(at + (places[index] ?? 0), value);
  };
  program(headerBytes, 4, noteAt, 0, 0, notes.length, notes.length);
  program(
    headerBytes + programBytes,
    1,
    contentAt,
    fields.virtual ?? gpa,
    gpa,
    content.length,
    fields.memoryBytes ?? content.length,
  );
  image.set(notes, noteAt);
  image.set(content, contentAt);
  return image;
}

function note(name: string, type: number, description: readonly number[]): Uint8Array {
  const padded = (bytes: readonly number[]): number[] => [
    ...bytes,
    ...Array.from({ length: -bytes.length & 3 }, () => 0),
  ];
  const letters = [...new TextEncoder().encode(`${name}\0`)];
  return Uint8Array.from([
    ...littleEndian(letters.length, 4),
    ...littleEndian(description.length, 4),
    ...littleEndian(type, 4),
    ...padded(letters),
    ...padded(description),
  ]);
}

export function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A Multiboot header, its checksum right. */
export function multibootHeader(flags: number, ...fields: readonly number[]): Uint8Array {
  const words = [0x1bad_b002, flags, -(0x1bad_b002 + flags) >>> 0, ...fields];
  return Uint8Array.from(words.flatMap((word) => littleEndian(word, 4)));
}
