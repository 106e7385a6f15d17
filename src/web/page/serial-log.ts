/** bytes that a log keeps; of a longer one the beginning is lost */
const LIMIT_BYTES = 16 << 20;

/** All that the guest's serial port has sent, for whoever wants it as a file. */
export class SerialLog {
  #chunks: Uint8Array[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#byteLength += bytes.length;
    while (this.#byteLength > LIMIT_BYTES) this.#byteLength -= this.#chunks.shift()?.length ?? 0;
  }

  clear(): void {
    this.#chunks = [];
    this.#byteLength = 0;
  }

  toBlob(): Blob {
    return new Blob(this.#chunks as Uint8Array<ArrayBuffer>[], { type: "text/plain" });
  }
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
