import { invariant, InvariantError } from "../abi/invariant.ts";

/**
 * ACPI Machine Language: each function returns the bytes of one term, and terms that hold others take them as arguments.
 * ACPI 6.5, chapter 20.
 */
export type Aml = Uint8Array & { readonly aml?: never };

const Op = {
  ZERO: 0x00,
  ONE: 0x01,
  NAME: 0x08,
  BYTE: 0x0a,
  WORD: 0x0b,
  DWORD: 0x0c,
  STRING: 0x0d,
  QWORD: 0x0e,
  SCOPE: 0x10,
  BUFFER: 0x11,
  PACKAGE: 0x12,
  METHOD: 0x14,
  DUAL_NAME: 0x2e,
  MULTI_NAME: 0x2f,
  EXTENDED: 0x5b,
  DEVICE: 0x82,
  RETURN: 0xa4,
} as const;

/** The parts in a row. */
export function join(...parts: readonly (Uint8Array | readonly number[])[]): Aml {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** `bytes` bytes, least significant first. */
export function littleEndian(value: number | bigint, bytes: number): number[] {
  let rest = BigInt(value);
  return Array.from({ length: bytes }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

/** The length of a term, counting its own bytes; 20.2.4. */
function packageLength(contentBytes: number): number[] {
  for (let extra = 0; extra <= 3; extra++) {
    const length = contentBytes + 1 + extra;
    if (extra === 0 && length < 0x40) return [length];
    if (extra > 0 && length < 1 << (4 + 8 * extra))
      return [(extra << 6) | (length & 0xf), ...littleEndian(length >> 4, extra)];
  }
  throw new InvariantError(`AML term of ${contentBytes} bytes`);
}

function sized(opcode: readonly number[], ...content: readonly (Uint8Array | readonly number[])[]): Aml {
  const body = join(...content);
  return join(opcode, packageLength(body.length), body);
}

/** A path such as "\\_SB.PCI0" or "_CRS"; segments shorter than four characters are padded. 20.2.2 */
export function path(text: string): Aml {
  const [, prefix = "", rest = ""] = /^(\\|\^*)(.*)$/.exec(text) ?? [];
  const segments = rest === "" ? [] : rest.split(".");
  const bytes = segments.flatMap((segment) => {
    invariant(/^[A-Z_][A-Z0-9_]{0,3}$/.test(segment), `"${segment}" is no ACPI name`);
    return characters(segment.padEnd(4, "_"));
  });
  const count = [[Op.ZERO], [], [Op.DUAL_NAME]][segments.length] ?? [Op.MULTI_NAME, segments.length];
  return join(characters(prefix), count, bytes);
}

function characters(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** The shortest form of an unsigned integer of up to 64 bits. */
export function integer(value: number | bigint): Aml {
  const wide = BigInt(value);
  invariant(wide >= 0n && wide < 2n ** 64n, `${wide} is no AML integer`);
  if (wide === 0n) return join([Op.ZERO]);
  if (wide === 1n) return join([Op.ONE]);
  if (wide < 2n ** 8n) return join([Op.BYTE], littleEndian(wide, 1));
  if (wide < 2n ** 16n) return join([Op.WORD], littleEndian(wide, 2));
  if (wide < 2n ** 32n) return join([Op.DWORD], littleEndian(wide, 4));
  return join([Op.QWORD], littleEndian(wide, 8));
}

/** ASCII without zero. */
export function string(text: string): Aml {
  const codes = characters(text);
  invariant(
    codes.every((code) => code > 0 && code < 0x80),
    "an AML string is ASCII",
  );
  return join([Op.STRING], codes, [0]);
}

/** An identifier such as "PNP0A03" as the integer that _HID holds; 19.3.4 "EISAID Macro". */
export function eisaId(text: string): Aml {
  const match = /^([A-Z]{3})([0-9A-F]{4})$/.exec(text);
  invariant(match !== null, `"${text}" is no EISA identifier`);
  const [, vendor = "", product = ""] = match;
  const letters = characters(vendor).reduce((sum, code) => (sum << 5) | (code - 0x40), 0);
  // The identifier is big-endian, the integer that holds it little-endian.
  const bytes = [
    letters >> 8,
    letters & 0xff,
    ...[product.slice(0, 2), product.slice(2)].map((pair) => Number.parseInt(pair, 16)),
  ];
  return join([Op.DWORD], bytes);
}

export function buffer(bytes: Uint8Array): Aml {
  return sized([Op.BUFFER], integer(bytes.length), bytes);
}

export function packageOf(...elements: readonly Aml[]): Aml {
  invariant(elements.length < 256, `AML package of ${elements.length} elements`);
  return sized([Op.PACKAGE], [elements.length], ...elements);
}

export function name(where: string, value: Aml): Aml {
  return join([Op.NAME], path(where), value);
}

export function scope(where: string, ...terms: readonly Aml[]): Aml {
  return sized([Op.SCOPE], path(where), ...terms);
}

export function device(where: string, ...terms: readonly Aml[]): Aml {
  return sized([Op.EXTENDED, Op.DEVICE], path(where), ...terms);
}

/** A method that is not serialized. */
export function method(where: string, argumentCount: number, ...terms: readonly Aml[]): Aml {
  invariant(argumentCount >= 0 && argumentCount <= 7, `AML method with ${argumentCount} arguments`);
  return sized([Op.METHOD], path(where), [argumentCount], ...terms);
}

export function returnValue(value: Aml): Aml {
  return join([Op.RETURN], value);
}
