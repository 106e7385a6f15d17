import type { GuestMemory } from "../devices/device.ts";

/** One descriptor; VIRTIO 1.2, 2.7.5. */
export const DESCRIPTOR_BYTES = 16;
const Flag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
/**
 * Descriptors that an indirect table may have. The specification allows as many as the queue is long, but drivers of today take more
 * when they need them; some limit there has to be.
 */
const MAXIMUM_INDIRECT = 1024;
/** Bytes that a chain may have in all; VIRTIO 1.2, 2.7.5.2. */
const MAXIMUM_BYTES = 2 ** 32;

/** A buffer in guest RAM. */
export interface Piece {
  readonly gpa: number;
  /** the bytes themselves */
  readonly bytes: Uint8Array;
}

/** What a driver asks for with one entry of the available ring. */
export interface DescriptorChain {
  /** index of the first descriptor, by which the driver knows the chain */
  readonly head: number;
  /** buffers that the device reads, in order */
  readonly readable: readonly Piece[];
  readonly readableBytes: number;
  /** buffers that the device writes, in order */
  readonly writable: readonly Piece[];
  readonly writableBytes: number;
}

export interface ChainSource {
  readonly memory: GuestMemory;
  /** the queue's descriptor table, whole */
  readonly table: DataView;
  /** VIRTIO_F_INDIRECT_DESC was negotiated */
  readonly indirect: boolean;
}

/**
 * Follows a chain from its first descriptor.
 *
 * Whatever the tables hold, this ends after as many steps as they have descriptors, and touches nothing but RAM.
 *
 * @returns what is wrong, in words, when the chain is not what the specification allows
 */
export function readChain({ memory, table, indirect }: ChainSource, head: number): DescriptorChain | string {
  const readable: Piece[] = [];
  const writable: Piece[] = [];
  let readableBytes = 0;
  let writableBytes = 0;
  let current = table;
  let index = head;
  let left = table.byteLength / DESCRIPTOR_BYTES;
  for (;;) {
    const at = index * DESCRIPTOR_BYTES;
    if (at >= current.byteLength) return `descriptor ${index} is none of ${current.byteLength / DESCRIPTOR_BYTES}`;
    if (left-- === 0) return "a chain of descriptors is a loop";
    const gpa = current.getUint32(at + 4, true) * 2 ** 32 + current.getUint32(at, true);
    const byteLength = current.getUint32(at + 8, true);
    const flags = current.getUint16(at + 12, true);
    if (flags & Flag.INDIRECT) {
      if (!indirect) return "an indirect descriptor was not agreed on";
      if (current !== table) return "an indirect table leads to another";
      if (flags & Flag.NEXT) return "an indirect descriptor has a next one";
      const inner = byteLength % DESCRIPTOR_BYTES === 0 ? memory.slice(gpa, byteLength) : undefined;
      if (!inner || byteLength === 0 || byteLength > MAXIMUM_INDIRECT * DESCRIPTOR_BYTES)
        return `an indirect table has ${byteLength} bytes at 0x${gpa.toString(16)}`;
      current = new DataView(inner.buffer, inner.byteOffset, byteLength);
      index = 0;
      left = byteLength / DESCRIPTOR_BYTES;
      continue;
    }
    if (byteLength > 0) {
      const bytes = memory.slice(gpa, byteLength);
      if (!bytes) return `a buffer of ${byteLength} bytes at 0x${gpa.toString(16)} is not in RAM`;
      if (flags & Flag.WRITE) {
        writable.push({ gpa, bytes });
        writableBytes += byteLength;
      } else {
        if (writable.length > 0) return "a buffer to read comes after one to write";
        readable.push({ gpa, bytes });
        readableBytes += byteLength;
      }
      if (readableBytes + writableBytes > MAXIMUM_BYTES) return "a chain has more than 4 GiB";
    }
    if (!(flags & Flag.NEXT)) return { head, readable, readableBytes, writable, writableBytes };
    index = current.getUint16(at + 14, true);
  }
}

/** Copies bytes out of buffers: as many as `into` has, from `offset` on, or as there are. Returns how many. */
export function gather(pieces: readonly Piece[], offset: number, into: Uint8Array): number {
  let done = 0;
  let skip = offset;
  for (const { bytes } of pieces) {
    if (done === into.length) break;
    if (skip >= bytes.length) {
      skip -= bytes.length;
      continue;
    }
    const part = bytes.subarray(skip, skip + into.length - done);
    into.set(part, done);
    done += part.length;
    skip = 0;
  }
  return done;
}

/** Copies bytes into buffers in guest RAM, from `offset` on, as far as there is room. Returns how many. */
export function scatter(memory: GuestMemory, pieces: readonly Piece[], offset: number, from: Uint8Array): number {
  let done = 0;
  let skip = offset;
  for (const { gpa, bytes } of pieces) {
    if (done === from.length) break;
    if (skip >= bytes.length) {
      skip -= bytes.length;
      continue;
    }
    const part = from.subarray(done, done + bytes.length - skip);
    bytes.set(part, skip);
    memory.written(gpa + skip, part.length);
    done += part.length;
    skip = 0;
  }
  return done;
}
