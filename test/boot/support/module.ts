const encoder = new TextEncoder();

/** A kernel module with nothing but a section .modinfo: the given fields, "key=value". */
export function kernelModule(...fields: readonly string[]): Uint8Array {
  const names = encoder.encode("\0.shstrtab\0.modinfo\0");
  const info = encoder.encode(fields.map((field) => `${field}\0`).join(""));
  const table = 64 + names.length + info.length;
  const image = new Uint8Array(table + 3 * 64);
  const view = new DataView(image.buffer);
  view.setUint32(0, 0x7f45_4c46);
  image.set([2, 1, 1], 4);
  view.setUint16(16, 1, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(40, BigInt(table), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  view.setUint16(62, 1, true);
  image.set(names, 64);
  image.set(info, 64 + names.length);
  const section = (index: number, name: number, offset: number, size: number): void => {
    view.setUint32(table + index * 64, name, true);
    view.setBigUint64(table + index * 64 + 24, BigInt(offset), true);
    view.setBigUint64(table + index * 64 + 32, BigInt(size), true);
  };
  section(1, 1, 64, names.length);
  section(2, 11, 64 + names.length, info.length);
  return image;
}
