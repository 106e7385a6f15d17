import { SECTOR_BYTES } from "../../runtime/disk/disk.ts";
import { VmError } from "../errors.ts";
import { sectorsOf } from "./open.ts";
import { fetchRange, type HttpImage, type RangeAnswer } from "./http-range.ts";
import { ReadOnlyDisk } from "./read-only-disk.ts";

/** What is fetched at once, and kept: guests read what lies together one after the other. */
const CHUNK_SECTORS = 512;
const CHUNK_BYTES = CHUNK_SECTORS * SECTOR_BYTES;
/** Chunks that are kept: 32 MiB. */
const KEPT_CHUNKS = 128;

/**
 * Asks a web server for the size of an image.
 *
 * @throws {VmError} ERR_DOWNLOAD when there is none, or the server does not answer requests for ranges; ERR_DISK_FORMAT. The reason of
 *   `signal`, when it is aborted
 */
export async function openHttpDisk(url: string, signal?: AbortSignal): Promise<HttpDisk> {
  const { version, totalBytes, status } = await fetchRange({
    url,
    first: 0,
    byteLength: 1,
    code: "ERR_DOWNLOAD",
    signal,
  });
  if (status !== 206 || totalBytes === undefined)
    throw new VmError(
      "ERR_DOWNLOAD",
      `${url}: HTTP status ${status}, expected 206 with the size: its server must answer requests for ranges`,
    );
  return new HttpDisk({ url, totalBytes, version }, sectorsOf(totalBytes, url));
}

/**
 * A raw disk image on a web server: RFC 9110, 14, range requests.
 *
 * An answer that tells of another version of the image (8.8.1, ETag; else Last-Modified; or its size) is an error: what was read before
 * and what comes now do not belong together.
 */
export class HttpDisk extends ReadOnlyDisk {
  readonly sectors: number;
  readonly id: string;
  readonly #image: HttpImage;
  readonly #closed = new AbortController();
  /** by number; the one used last is the last one */
  readonly #chunks = new Map<number, Promise<Uint8Array>>();

  constructor(image: HttpImage, sectors: number) {
    super();
    this.#image = image;
    this.sectors = sectors;
    this.id = (new URL(image.url).pathname.split("/").pop() ?? "").replaceAll(/[^\x20-\x7e]/g, "?") || "http";
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

  /** Nothing is waited for any more: reads that are under way fail. */
  override close(): void {
    this.#closed.abort(new VmError("ERR_DISK_IO", `${this.#image.url}: it is closed`));
    this.#chunks.clear();
  }

  #chunk(number: number): Promise<Uint8Array> {
    const chunk = this.#chunks.get(number) ?? this.#fetch(number);
    this.#chunks.delete(number);
    this.#chunks.set(number, chunk);
    const oldest = this.#chunks.keys().next();
    if (this.#chunks.size > KEPT_CHUNKS && oldest.value !== undefined) this.#chunks.delete(oldest.value);
    // What failed is asked for again the next time.
    chunk.catch(() => this.#chunks.get(number) === chunk && this.#chunks.delete(number));
    return chunk;
  }

  async #fetch(chunk: number): Promise<Uint8Array> {
    const { url, totalBytes, version } = this.#image;
    const first = chunk * CHUNK_BYTES;
    const byteLength = Math.min(CHUNK_BYTES, totalBytes - first);
    const { signal } = this.#closed;
    const answer = await fetchRange({ url, first, byteLength, code: "ERR_DISK_IO", signal });
    const isOther = answer.version !== undefined && version !== undefined && answer.version !== version;
    if (isOther || (answer.totalBytes !== undefined && answer.totalBytes !== totalBytes))
      throw new VmError(
        "ERR_DISK_CHANGED",
        `${url} has changed: ${describe(answer)}, expected ${describe(this.#image)} as when it was opened`,
      );
    const { status, bytes } = answer;
    if (status !== 206 || bytes.length !== byteLength)
      throw new VmError(
        "ERR_DISK_IO",
        `${url}: HTTP status ${status} and ${bytes.length} bytes at ${first}, expected 206 and ${byteLength}`,
      );
    return bytes;
  }
}

function describe({ version, totalBytes }: Pick<RangeAnswer, "version" | "totalBytes">): string {
  return `${version ?? "no ETag"} of ${totalBytes ?? "unknown"} bytes`;
}
