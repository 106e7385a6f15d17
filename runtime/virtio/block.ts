import type { Stateful } from "../devices/device.ts";
import type { RefusedStats } from "../devices/refused.ts";
import { type Disk, SECTOR_BYTES } from "../disk/disk.ts";
import { type DescriptorChain, gather, scatter } from "./descriptor-chain.ts";
import { DeviceType, type VirtioDevice, type VirtioPort } from "./virtio-device.ts";

/** Feature bits; VIRTIO 1.2, 5.2.3. */
const BlockFeature = {
  SIZE_MAX: 1n << 1n,
  SEG_MAX: 1n << 2n,
  READ_ONLY: 1n << 5n,
  BLOCK_SIZE: 1n << 6n,
  FLUSH: 1n << 9n,
  WRITE_ZEROES: 1n << 14n,
} as const;
/** Offsets in the configuration; 5.2.4. */
const Config = {
  CAPACITY: 0,
  SIZE_MAX: 8,
  SEG_MAX: 12,
  BLOCK_SIZE: 20,
  QUEUES: 34,
  MAX_WRITE_ZEROES_SECTORS: 48,
  MAX_WRITE_ZEROES_SEGMENTS: 52,
  BYTES: 60,
} as const;
/** Request types; 5.2.6. */
const Request = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, WRITE_ZEROES: 13 } as const;
const RequestStatus = { OK: 0, IO_ERROR: 1, UNSUPPORTED: 2 } as const;
type Outcome = (typeof RequestStatus)[keyof typeof RequestStatus];

/** Type, reserved, sector. */
const HEADER_BYTES = 16;
const STATUS_BYTES = 1;
const ID_BYTES = 20;
/** Sector, number of sectors, flags. */
const RANGE_BYTES = 16;
const QUEUE_SIZE = 256;
/** All descriptors of the queue but those of header and status. */
const MAXIMUM_SEGMENTS = QUEUE_SIZE - 2;
const MAXIMUM_SEGMENT_BYTES = 0x1_0000;
/** What a driver that keeps to the two can ask for. More is refused: descriptors may name the same memory again and again. */
const MAXIMUM_REQUEST_BYTES = MAXIMUM_SEGMENTS * MAXIMUM_SEGMENT_BYTES;
/** Of requests that a disk works on at once: each takes as much of the host's memory. Others wait in the ring. */
const MAXIMUM_UNFINISHED_BYTES = 64 << 20;
const MAXIMUM_ZEROES_SECTORS = MAXIMUM_REQUEST_BYTES / SECTOR_BYTES;

export interface BlockState {
  /** chains that were taken and not given back, by their heads, in the order in which they came */
  readonly unfinished: readonly number[];
}

export interface BlockOptions {
  /** the disk failed, and the guest was told of an I/O error */
  readonly onError?: (error: unknown) => void;
}

/**
 * Block device: VIRTIO 1.2, 5.2. Requests: read, write, flush, device ID, write zeroes.
 *
 * Requests on a disk that answers at once are done when the driver's notification returns. Others are given back in whatever order
 * the disk does them, except that a flush is done when all writes are that were given back before it came: the disk's contract.
 *
 * Not modelled: discard, secure erase, several queues, topology, a switch for the write cache, lifetime, zones.
 */
export class VirtioBlock implements VirtioDevice, Stateful<BlockState> {
  readonly name = "virtio-blk";
  readonly type = DeviceType.BLOCK;
  readonly classCode = 0x01_8000;
  readonly features: bigint;
  readonly queueSizes = [QUEUE_SIZE];
  readonly #disk: Disk;
  readonly #onError: (error: unknown) => void;
  readonly #configuration: Uint8Array;
  readonly #unfinished = new Set<number>();
  #refusedRequests = 0;
  /** bytes of the requests that the disk works on, those from before a reset too */
  #unfinishedBytes = 0;
  /** grows with each reset: what was begun before must not touch the queue any more */
  #life = 0;
  #port: VirtioPort | undefined;

  constructor(disk: Disk, { onError = () => undefined }: BlockOptions = {}) {
    this.#disk = disk;
    this.#onError = onError;
    const { SIZE_MAX, SEG_MAX, BLOCK_SIZE, FLUSH, READ_ONLY, WRITE_ZEROES } = BlockFeature;
    this.features = SIZE_MAX | SEG_MAX | BLOCK_SIZE | FLUSH | (disk.readOnly ? READ_ONLY : WRITE_ZEROES);
    const config = new DataView(new ArrayBuffer(Config.BYTES));
    config.setBigUint64(Config.CAPACITY, BigInt(disk.sectors), true);
    config.setUint32(Config.SIZE_MAX, MAXIMUM_SEGMENT_BYTES, true);
    config.setUint32(Config.SEG_MAX, MAXIMUM_SEGMENTS, true);
    config.setUint32(Config.BLOCK_SIZE, SECTOR_BYTES, true);
    config.setUint16(Config.QUEUES, 1, true);
    if (!disk.readOnly) {
      config.setUint32(Config.MAX_WRITE_ZEROES_SECTORS, MAXIMUM_ZEROES_SECTORS, true);
      config.setUint32(Config.MAX_WRITE_ZEROES_SEGMENTS, 1, true);
    }
    this.#configuration = new Uint8Array(config.buffer);
  }

  connect(port: VirtioPort): void {
    this.#port = port;
  }

  configuration(): Uint8Array {
    return this.#configuration;
  }

  notify(): void {
    const queue = this.#port?.queues[0];
    while (this.#unfinishedBytes < MAXIMUM_UNFINISHED_BYTES) {
      const chain = queue?.pop();
      if (!chain) break;
      this.#begin(chain);
    }
    queue?.signal();
  }

  reset(): void {
    this.#life++;
    this.#unfinished.clear();
  }

  get refused(): Partial<RefusedStats> {
    return { diskRequests: this.#refusedRequests };
  }

  #begin(chain: DescriptorChain): void {
    if (chain.readableBytes < HEADER_BYTES || chain.writableBytes < STATUS_BYTES) {
      // There is nowhere to put a status, or nothing that says what is wanted.
      this.#port?.queues[0]?.fail(
        `a request of ${chain.readableBytes} bytes to read and ${chain.writableBytes} to write, expected 16 and 1 at least`,
      );
      return;
    }
    const life = this.#life;
    const finish = (outcome: Outcome, writtenBytes: number): boolean => {
      if (life !== this.#life) return false;
      this.#unfinished.delete(chain.head);
      this.#finish(chain, outcome, writtenBytes);
      return true;
    };
    const fail = (error: unknown): boolean => {
      this.#onError(error);
      return finish(RequestStatus.IO_ERROR, 0);
    };
    // A disk of the host may fail at any time; the guest sees an I/O error.
    try {
      const result = this.#execute(chain, () => life === this.#life);
      if (!(result instanceof Promise)) return void finish(result.outcome, result.writtenBytes);
      this.#unfinished.add(chain.head);
      const bytes = chain.readableBytes + chain.writableBytes;
      this.#unfinishedBytes += bytes;
      result
        .then(({ outcome, writtenBytes }) => finish(outcome, writtenBytes), fail)
        .then((done) => {
          const waited = this.#unfinishedBytes >= MAXIMUM_UNFINISHED_BYTES;
          this.#unfinishedBytes -= bytes;
          if (waited && this.#port?.running) this.notify();
          else if (done) this.#port?.queues[0]?.signal();
        })
        .catch(this.#onError);
    } catch (error) {
      fail(error);
    }
  }

  /** The status is the last byte to write. */
  #finish(chain: DescriptorChain, outcome: Outcome, writtenBytes: number): void {
    const port = this.#port;
    if (!port) return;
    scatter(port.memory, chain.writable, chain.writableBytes - STATUS_BYTES, Uint8Array.of(outcome));
    // Bytes count from the start: without data in between, the status cannot be counted.
    const dataBytes = chain.writableBytes - STATUS_BYTES;
    port.queues[0]?.push(chain, writtenBytes === dataBytes ? chain.writableBytes : writtenBytes);
  }

  /** @param alive whether the guest still waits */
  #execute(chain: DescriptorChain, alive: () => boolean): Result | Promise<Result> {
    const header = new Uint8Array(HEADER_BYTES);
    gather(chain.readable, 0, header);
    const view = new DataView(header.buffer);
    const sector = view.getUint32(12, true) * 2 ** 32 + view.getUint32(8, true);
    const bytesIn = chain.writableBytes - STATUS_BYTES;
    const bytesOut = chain.readableBytes - HEADER_BYTES;
    switch (view.getUint32(0, true)) {
      case Request.IN:
        return this.#isInside(sector, bytesIn) ? this.#read(chain, sector, bytesIn, alive) : this.#refuse();
      case Request.OUT: {
        if (this.#disk.readOnly || !this.#isInside(sector, bytesOut)) return this.#refuse();
        const data = new Uint8Array(bytesOut);
        gather(chain.readable, HEADER_BYTES, data);
        return whenDone(this.#disk.write(sector, data));
      }
      case Request.FLUSH:
        return whenDone(this.#disk.flush());
      case Request.GET_ID:
        return this.#identify(chain);
      case Request.WRITE_ZEROES:
        return this.#disk.readOnly ? this.#refuse() : this.#writeZeroes(chain, bytesOut);
      default:
        return this.#refuse(RequestStatus.UNSUPPORTED);
    }
  }

  /** The guest asks for what cannot be. */
  #refuse(outcome: Outcome = RequestStatus.IO_ERROR): Result {
    this.#refusedRequests++;
    return { outcome, writtenBytes: 0 };
  }

  #read(chain: DescriptorChain, sector: number, byteLength: number, alive: () => boolean): Result | Promise<Result> {
    const data = new Uint8Array(byteLength);
    const deliver = (): Result => {
      // After a reset the buffers are the driver's again.
      if (this.#port && alive()) scatter(this.#port.memory, chain.writable, 0, data);
      return { outcome: RequestStatus.OK, writtenBytes: byteLength };
    };
    const wait = this.#disk.read(sector, data);
    return wait ? wait.then(deliver) : deliver();
  }

  #identify(chain: DescriptorChain): Result {
    const id = new Uint8Array(Math.min(ID_BYTES, chain.writableBytes - STATUS_BYTES));
    id.set(new TextEncoder().encode(this.#disk.id).subarray(0, id.length));
    if (this.#port) scatter(this.#port.memory, chain.writable, 0, id);
    return { outcome: RequestStatus.OK, writtenBytes: id.length };
  }

  #writeZeroes(chain: DescriptorChain, bytes: number): Result | Promise<Result> {
    if (bytes !== RANGE_BYTES) return this.#refuse();
    const range = new Uint8Array(RANGE_BYTES);
    gather(chain.readable, HEADER_BYTES, range);
    const view = new DataView(range.buffer);
    const sector = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
    const count = view.getUint32(8, true);
    if (!this.#isInside(sector, count * SECTOR_BYTES)) return this.#refuse();
    return whenDone(this.#disk.writeZeroes(sector, count));
  }

  #isInside(sector: number, byteLength: number): boolean {
    if (byteLength % SECTOR_BYTES !== 0 || byteLength > MAXIMUM_REQUEST_BYTES) return false;
    return sector + byteLength / SECTOR_BYTES <= this.#disk.sectors;
  }

  save(): BlockState {
    return { unfinished: [...this.#unfinished] };
  }
  /** What was unfinished is begun again: to read or write twice does what once does. The disk's content is not part of this. */
  restore({ unfinished }: BlockState): void {
    this.reset();
    if (unfinished.length === 0) return;
    for (const head of unfinished) this.#unfinished.add(head);
    const life = this.#life;
    const again = (): void => {
      if (life !== this.#life) return;
      const queue = this.#port?.queues[0];
      for (const head of unfinished) {
        const chain = queue?.chainAt(head);
        if (chain) this.#begin(chain);
      }
      queue?.signal();
    };
    // Not here: the interrupt would come before the interrupt controllers are restored.
    Promise.resolve().then(again).catch(this.#onError);
  }
}

interface Result {
  readonly outcome: Outcome;
  readonly writtenBytes: number;
}

const DONE: Result = { outcome: RequestStatus.OK, writtenBytes: 0 };

function whenDone(wait: void | Promise<void>): Result | Promise<Result> {
  return wait ? wait.then(() => DONE) : DONE;
}
