import { after, type Disk, SECTOR_BYTES } from "./disk.ts";

/** Sectors of a chunk, the unit in which content is copied: 64 KiB. */
const CHUNK_SECTORS = 128;
const CHUNK_BYTES = CHUNK_SECTORS * SECTOR_BYTES;

export interface OverlayDiskState {
  /** chunks that differ from the disk below, by number */
  readonly chunks: readonly (readonly [number, Uint8Array])[];
}

/** Part of a transfer that lies in one chunk. */
interface Span {
  readonly chunk: number;
  /** sectors from the start of the chunk */
  readonly first: number;
  readonly count: number;
  /** sectors from the start of the transfer */
  readonly done: number;
}

/**
 * A disk that begins as another one and keeps in memory what is written to it: the one below is only read, and never changes.
 *
 * Only chunks that were written take memory. What is written is gone with the process, so that a flush has nothing to do.
 */
export class OverlayDisk implements Disk {
  readonly sectors: number;
  readonly readOnly = false;
  readonly synchronous: boolean;
  readonly id: string;
  readonly #base: Disk;
  readonly #chunks = new Map<number, Uint8Array>();
  /** changes that wait for the disk below, one after the other: two of one chunk must not both copy it */
  #changes: Promise<void> | undefined;

  constructor(base: Disk) {
    this.#base = base;
    this.sectors = base.sectors;
    this.synchronous = base.synchronous;
    this.id = base.id;
  }

  /** Bytes of memory that the differences take. */
  get overlayBytes(): number {
    return this.#chunks.size * CHUNK_BYTES;
  }

  read(sector: number, into: Uint8Array): void | Promise<void> {
    const waits: Promise<void>[] = [];
    for (const { chunk, first, count, done } of spans(sector, into.length / SECTOR_BYTES)) {
      const part = into.subarray(done * SECTOR_BYTES, (done + count) * SECTOR_BYTES);
      const own = this.#chunks.get(chunk);
      if (own) part.set(own.subarray(first * SECTOR_BYTES, (first + count) * SECTOR_BYTES));
      else {
        const wait = this.#base.read(chunk * CHUNK_SECTORS + first, part);
        if (wait) waits.push(wait);
      }
    }
    return waits.length > 0 ? Promise.all(waits).then(() => undefined) : undefined;
  }

  write(sector: number, from: Uint8Array): void | Promise<void> {
    return this.#change(spans(sector, from.length / SECTOR_BYTES), (chunk, { first, count, done }) =>
      chunk.set(from.subarray(done * SECTOR_BYTES, (done + count) * SECTOR_BYTES), first * SECTOR_BYTES),
    );
  }

  writeZeroes(sector: number, count: number): void | Promise<void> {
    return this.#change(spans(sector, count), (chunk, span) =>
      chunk.fill(0, span.first * SECTOR_BYTES, (span.first + span.count) * SECTOR_BYTES),
    );
  }

  flush(): void {}

  close(): void | Promise<void> {
    return this.#base.close();
  }

  #change(parts: readonly Span[], apply: (chunk: Uint8Array, span: Span) => void): void | Promise<void> {
    const work = (index: number): void | Promise<void> => {
      for (let at = index; at < parts.length; at++) {
        const span = parts[at];
        if (!span) break;
        const own = this.#chunks.get(span.chunk);
        if (own) {
          apply(own, span);
          continue;
        }
        const fresh = new Uint8Array(CHUNK_BYTES);
        const keep = (): void => {
          apply(fresh, span);
          this.#chunks.set(span.chunk, fresh);
        };
        const wait = after(this.#fill(fresh, span), keep);
        if (wait) return wait.then(() => work(at + 1));
      }
    };
    const wait = this.#changes ? this.#changes.then(() => work(0)) : work(0);
    if (!wait) return;
    const settled = wait
      .catch(() => undefined)
      .then(() => {
        if (this.#changes === settled) this.#changes = undefined;
      });
    this.#changes = settled;
    return wait;
  }

  /** The content below, unless all of it is about to be replaced. The last chunk may be cut short by the end of the disk. */
  #fill(chunk: Uint8Array, span: Span): void | Promise<void> {
    const first = span.chunk * CHUNK_SECTORS;
    const count = Math.min(CHUNK_SECTORS, this.sectors - first);
    if (span.count === count) return;
    return this.#base.read(first, chunk.subarray(0, count * SECTOR_BYTES));
  }

  save(): OverlayDiskState {
    return { chunks: [...this.#chunks].map(([number, bytes]) => [number, bytes.slice()]) };
  }
  restore({ chunks }: OverlayDiskState): void {
    this.#chunks.clear();
    for (const [number, bytes] of chunks) this.#chunks.set(number, bytes.slice());
  }
}

function spans(sector: number, count: number): Span[] {
  const parts: Span[] = [];
  for (let done = 0; done < count;) {
    const chunk = Math.floor((sector + done) / CHUNK_SECTORS);
    const first = (sector + done) % CHUNK_SECTORS;
    const length = Math.min(CHUNK_SECTORS - first, count - done);
    parts.push({ chunk, first, count: length, done });
    done += length;
  }
  return parts;
}
