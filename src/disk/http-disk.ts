import { SECTOR_BYTES } from "../../runtime/disk/disk.ts";
import { VmError } from "../errors.ts";
import { sectorsOf } from "./open.ts";
import { ReadOnlyDisk } from "./read-only-disk.ts";

/** What is fetched at once, and kept: guests read what lies together one after the other. */
const CHUNK_SECTORS = 512;
const CHUNK_BYTES = CHUNK_SECTORS * SECTOR_BYTES;
/** Chunks that are kept: 32 MiB. */
const KEPT_CHUNKS = 128;

/**
 * Asks a web server for the size of an image.
 *
 * @throws {VmError} ERR_DOWNLOAD when there is none, or the server does not answer requests for ranges; ERR_DISK_FORMAT
 */
export async function openHttpDisk(url: string): Promise<HttpDisk> {
  const response = await request(url, 0, 1);
  // RFC 9110, 14.4: "bytes 0-0/1234".
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  await response.body?.cancel();
  if (response.status !== 206 || total === undefined)
    throw new VmError(
      "ERR_DOWNLOAD",
      `${url}: HTTP status ${response.status}, expected 206 with the size: its server must answer requests for ranges`,
    );
  return new HttpDisk(url, sectorsOf(Number(total), url));
}

/** A raw disk image on a web server: RFC 9110, 14, range requests. */
export class HttpDisk extends ReadOnlyDisk {
  readonly sectors: number;
  readonly id: string;
  readonly #url: string;
  /** by number; the one used last is the last one */
  readonly #chunks = new Map<number, Promise<Uint8Array>>();

  constructor(url: string, sectors: number) {
    super();
    this.#url = url;
    this.sectors = sectors;
    this.id = (new URL(url).pathname.split("/").pop() ?? "").replaceAll(/[^\x20-\x7e]/g, "?") || "http";
  }

  async read(sector: number, into: Uint8Array): Promise<void> {
    const count = into.length / SECTOR_BYTES;
    const last = Math.floor((sector + count - 1) / CHUNK_SECTORS);
    const waits: Promise<void>[] = [];
    for (let chunk = Math.floor(sector / CHUNK_SECTORS); chunk <= last; chunk++) {
      const begin = Math.max(sector, chunk * CHUNK_SECTORS);
      const end = Math.min(sector + count, (chunk + 1) * CHUNK_SECTORS);
      const offset = (begin - chunk * CHUNK_SECTORS) * SECTOR_BYTES;
      const byteLength = (end - begin) * SECTOR_BYTES;
      waits.push(
        this.#chunk(chunk).then((bytes) =>
          into.set(bytes.subarray(offset, offset + byteLength), (begin - sector) * SECTOR_BYTES),
        ),
      );
    }
    await Promise.all(waits);
  }

  #chunk(number: number): Promise<Uint8Array> {
    const chunk = this.#chunks.get(number) ?? this.#fetch(number);
    this.#chunks.delete(number);
    this.#chunks.set(number, chunk);
    const oldest = this.#chunks.keys().next();
    if (this.#chunks.size > KEPT_CHUNKS && oldest.value !== undefined) this.#chunks.delete(oldest.value);
    // What failed is asked for again the next time.
    chunk.catch(() => this.#chunks.delete(number));
    return chunk;
  }

  async #fetch(chunk: number): Promise<Uint8Array> {
    const first = chunk * CHUNK_BYTES;
    const byteLength = Math.min(CHUNK_BYTES, this.sectors * SECTOR_BYTES - first);
    const response = await request(this.#url, first, byteLength, "ERR_DISK_IO");
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 206 || bytes.length !== byteLength)
      throw new VmError(
        "ERR_DISK_IO",
        `${this.#url}: HTTP status ${response.status} and ${bytes.length} bytes at ${first}, expected 206 and ${byteLength}`,
      );
    return bytes;
  }
}

async function request(
  url: string,
  first: number,
  byteLength: number,
  code: "ERR_DOWNLOAD" | "ERR_DISK_IO" = "ERR_DOWNLOAD",
): Promise<Response> {
  try {
    return await fetch(url, { headers: { range: `bytes=${first}-${first + byteLength - 1}` } });
  } catch (cause) {
    throw new VmError(code, `${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
