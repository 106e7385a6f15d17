/** What a kernel module says of itself. */
export interface ModuleInfo {
  /** with "_" for every "-", as the running kernel lists it */
  readonly name: string;
  /** modules whose symbols it uses, in the order in which they are listed */
  readonly depends: readonly string[];
  /** modules, or aliases of them, to load before it where there are any ("softdep pre:") */
  readonly softDepends: readonly string[];
}

const MAGIC = 0x7f45_4c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
/** Offsets in the header and in a section header of the 64-bit class; System V ABI, chapter 4. */
const Header = { SECTIONS: 40, SECTION_BYTES: 58, SECTION_COUNT: 60, SECTION_NAMES: 62, BYTES: 64 } as const;
const Section = { NAME: 0, OFFSET: 24, SIZE: 32, BYTES: 64 } as const;
const INFO_SECTION = ".modinfo";

/** Module names are equal whether they are written with "-" (file names) or with "_" (the kernel's list). */
export function moduleName(text: string): string {
  return text.replaceAll("-", "_");
}

/**
 * Reads the section .modinfo of a kernel module: strings "key=value", each ended by a zero byte.
 *
 * @param image the module, decompressed
 * @returns undefined when it is no 64-bit little-endian ELF file with such a section, or is cut short
 * @see Linux include/linux/module.h, MODULE_INFO
 */
export function readModuleInfo(image: Uint8Array): ModuleInfo | undefined {
  const content = section(image, INFO_SECTION);
  if (content === undefined) return undefined;
  const fields = new TextDecoder("latin1").decode(content).split("\0");
  const values = (key: string): string[] =>
    fields.filter((field) => field.startsWith(`${key}=`)).map((field) => field.slice(key.length + 1));
  const words = (text: string, separator: RegExp): string[] =>
    text
      .split(separator)
      .filter((word) => word !== "")
      .map(moduleName);
  return {
    name: moduleName(values("name")[0] ?? ""),
    depends: words(values("depends")[0] ?? "", /,/),
    // "pre: a b post: c": what follows "post:" comes after the module, and is no concern of loading it.
    softDepends: values("softdep").flatMap((text) =>
      [...text.matchAll(/\bpre:((?:\s+[^\s:]+(?![^\s]*:))*)/g)].flatMap((match) => words(match[1] ?? "", /\s+/)),
    ),
  };
}

function section(image: Uint8Array, wanted: string): Uint8Array | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < Header.BYTES || view.getUint32(0) !== MAGIC) return undefined;
  if (image[4] !== CLASS_64 || image[5] !== LITTLE_ENDIAN) return undefined;
  const table = Number(view.getBigUint64(Header.SECTIONS, true));
  const count = view.getUint16(Header.SECTION_COUNT, true);
  if (view.getUint16(Header.SECTION_BYTES, true) !== Section.BYTES) return undefined;
  if (table + count * Section.BYTES > image.length) return undefined;
  const content = (index: number): Uint8Array => {
    const at = table + index * Section.BYTES;
    const offset = Number(view.getBigUint64(at + Section.OFFSET, true));
    return image.subarray(offset, offset + Number(view.getBigUint64(at + Section.SIZE, true)));
  };
  const namesIndex = view.getUint16(Header.SECTION_NAMES, true);
  if (namesIndex >= count) return undefined;
  const names = new TextDecoder("latin1").decode(content(namesIndex));
  for (let index = 0; index < count; index++) {
    const name = view.getUint32(table + index * Section.BYTES + Section.NAME, true);
    if (names.startsWith(`${wanted}\0`, name)) return content(index);
  }
  return undefined;
}
