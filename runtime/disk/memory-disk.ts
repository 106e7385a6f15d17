import { invariant } from "../abi/invariant.ts";
import { type Disk, SECTOR_BYTES } from "./disk.ts";

/** A disk in the host's memory, gone with the process. */
export class MemoryDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly synchronous = true;
  readonly id: string;
  /** the content itself, in place */
  readonly bytes: Uint8Array;

  /** @param bytes the content, a multiple of SECTOR_BYTES; it is not copied */
  constructor(bytes: Uint8Array, options: { readonly readOnly?: boolean; readonly id?: string } = {}) {
    invariant(bytes.length % SECTOR_BYTES === 0, `a disk cannot have ${bytes.length} bytes`);
    this.bytes = bytes;
    this.sectors = bytes.length / SECTOR_BYTES;
    this.readOnly = options.readOnly ?? false;
    this.id = options.id ?? "memory";
  }

  read(sector: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(sector * SECTOR_BYTES, sector * SECTOR_BYTES + into.length));
  }

  write(sector: number, from: Uint8Array): void {
    this.bytes.set(from, sector * SECTOR_BYTES);
  }

  writeZeroes(sector: number, count: number): void {
    this.bytes.fill(0, sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES);
  }

  flush(): void {}
  close(): void {}
}
