export interface ImageSegment {
  readonly type?: number;
  readonly gpa: bigint;
  readonly bytes: readonly number[];
  /** 0 extra bytes of zeroes unless given */
  readonly zeroBytes?: number;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/** A static ELF64 executable for x86-64. */
export function elfImage(entry: bigint, segments: readonly ImageSegment[]): Uint8Array {
  const headers = HEADER_BYTES + segments.length * PROGRAM_HEADER_BYTES;
  const image = new Uint8Array(headers + segments.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, segments.length, true);
  let offset = headers;
  for (const [index, { type = 1, gpa, bytes, zeroBytes = 0 }] of segments.entries()) {
    const header = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(header, type, true);
    view.setBigUint64(header + 8, BigInt(offset), true);
    view.setBigUint64(header + 16, gpa, true);
    view.setBigUint64(header + 24, gpa, true);
    view.setBigUint64(header + 32, BigInt(bytes.length), true);
    view.setBigUint64(header + 40, BigInt(bytes.length + zeroBytes), true);
    image.set(bytes, offset);
    offset += bytes.length;
  }
  return image;
}
