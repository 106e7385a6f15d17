/** A member of a tar archive. */
export interface TarMember {
  /** as the archive has it, without a leading "./" */
  readonly path: string;
  readonly kind: "file" | "directory" | "link" | "other";
  readonly mode: number;
  /** where a symbolic link points */
  readonly target: string;
  /** of a file that was wanted; empty otherwise */
  readonly bytes: Uint8Array;
}

/** An archive that is damaged or cut short. */
export class TarError extends Error {
  override readonly name = "TarError";
}

const BLOCK = 512;
const KINDS: Readonly<Record<string, TarMember["kind"]>> = { "0": "file", "\0": "file", "5": "directory", "2": "link" };
/** GNU extensions: the content is the name, or the target, of the member that follows */
const LONG_NAME = "L";
const LONG_TARGET = "K";
/** pax extensions: records that override fields of the member that follows */
const PAX = "x";

/**
 * Reads the members of a tar archive one after the other, and holds in memory only what is wanted.
 *
 * @param wanted asked with each file's path
 * @throws {TarError}
 * @see POSIX pax, "ustar Interchange Format"; GNU tar, "Basic Tar Format"
 */
export async function* readTar(
  stream: AsyncIterable<Uint8Array>,
  wanted: (path: string) => boolean,
): AsyncGenerator<TarMember> {
  const input = new Reader(stream);
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (;;) {
    const header = await input.take(BLOCK);
    // The archive ends with blocks of zeros.
    if (header === undefined || header.every((byte) => byte === 0)) return;
    checkSum(header);
    const text = (from: number, length: number): string =>
      new TextDecoder().decode(header.subarray(from, from + length)).replace(/\0.*$/s, "");
    const size = sizeField(header.subarray(124, 136));
    const type = String.fromCharCode(header[156] ?? 0);
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    if (type === LONG_NAME || type === LONG_TARGET || type === PAX) {
      const content = new TextDecoder().decode((await input.need(padded)).subarray(0, size));
      if (type === PAX) {
        longName = /^\d+ path=(.*)$/m.exec(content)?.[1] ?? longName;
        longTarget = /^\d+ linkpath=(.*)$/m.exec(content)?.[1] ?? longTarget;
      } else if (type === LONG_NAME) longName = content.replace(/\0.*$/s, "");
      else longTarget = content.replace(/\0.*$/s, "");
      continue;
    }
    const prefix = text(257, 5) === "ustar" && header[262] === 0 ? text(345, 155) : "";
    const path = (longName ?? (prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`))
      .replace(/^(\.\/)+/, "")
      .replace(/\/$/, "");
    const kind = KINDS[type] ?? "other";
    const keep = kind === "file" && wanted(path);
    const bytes = keep ? (await input.need(padded)).subarray(0, size) : new Uint8Array(0);
    if (!keep) await input.skip(padded);
    yield { path, kind, mode: Number.parseInt(text(100, 8), 8) & 0o7777, target: longTarget ?? text(157, 100), bytes };
    longName = undefined;
    longTarget = undefined;
  }
}

/** Octal digits, or base 256 with the top bit of the first byte set. */
function sizeField(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(4).reduce((sum, byte) => sum * 256 + byte, 0);
  const size = Number.parseInt(new TextDecoder().decode(field).replace(/[\0 ].*$/s, ""), 8);
  if (!Number.isInteger(size)) throw new TarError("tar archive is damaged: a size is not octal");
  return size;
}

/** The sum of all bytes, the sum itself taken as spaces. */
function checkSum(header: Uint8Array): void {
  const expected = Number.parseInt(new TextDecoder().decode(header.subarray(148, 156)), 8);
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (sum !== expected)
    throw new TarError(`tar archive is damaged: a header's checksum is ${sum}, expected ${expected}`);
}

/** Bytes of a stream of chunks, taken in pieces of any size. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** undefined at the end of the stream */
  async take(bytes: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0 && !(await this.#refill())) return undefined;
    return this.need(bytes);
  }

  async need(bytes: number): Promise<Uint8Array> {
    if (this.#rest.length >= bytes) return this.#split(bytes);
    const all = new Uint8Array(bytes);
    let have = 0;
    while (have < bytes) {
      if (this.#rest.length === 0 && !(await this.#refill())) throw new TarError("tar archive is cut short");
      const part = this.#split(Math.min(this.#rest.length, bytes - have));
      all.set(part, have);
      have += part.length;
    }
    return all;
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0 && !(await this.#refill())) throw new TarError("tar archive is cut short");
      left -= this.#split(Math.min(this.#rest.length, left)).length;
    }
  }

  #split(bytes: number): Uint8Array {
    const part = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return part;
  }

  async #refill(): Promise<boolean> {
    for (;;) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#rest = next.value;
      if (this.#rest.length > 0) return true;
    }
  }
}
