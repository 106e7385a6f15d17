import { SECTOR_BYTES } from "../../runtime/disk/disk.ts";
import { VmError } from "../errors.ts";
import { ReadOnlyDisk } from "./read-only-disk.ts";

/** A raw disk image in a Blob or a File; only what is read of it is ever in memory. */
export class BlobDisk extends ReadOnlyDisk {
  readonly sectors: number;
  readonly id: string;
  readonly #blob: Blob;

  constructor(blob: Blob, sectors: number) {
    super();
    this.#blob = blob;
    this.sectors = sectors;
    this.id = "name" in blob ? String(blob.name).replaceAll(/[^\x20-\x7e]/g, "?") : "blob";
  }

  async read(sector: number, into: Uint8Array): Promise<void> {
    const first = sector * SECTOR_BYTES;
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await this.#blob.slice(first, first + into.length).arrayBuffer());
    } catch (cause) {
      // The file behind a Blob was removed, or written by somebody else.
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new VmError("ERR_DISK_IO", `cannot read disk ${this.id} at sector ${sector}: ${why}`, { cause });
    }
    into.set(bytes);
  }
}
