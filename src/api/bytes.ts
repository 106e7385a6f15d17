/** Whatever bytes may be given in. A Blob, such as a File that was dropped on a page, is read when it is needed. */
export type Bytes = Uint8Array | ArrayBuffer | Blob;

/** The bytes themselves. */
export async function bytesOf(bytes: Bytes): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes;
  return new Uint8Array(bytes instanceof ArrayBuffer ? bytes : await bytes.arrayBuffer());
}
