import { type Disk, SECTOR_BYTES } from "../../../runtime/disk/disk.ts";
import { VmError } from "../../errors.ts";
import { sectorsOf } from "../../disk/open.ts";

/** A file of the private file system, opened for one worker alone. File System Standard, FileSystemSyncAccessHandle. */
interface SyncAccessHandle {
  getSize(): number;
  truncate(size: number): void;
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

const ZEROES = new Uint8Array(1 << 20);

/**
 * Opens a raw disk image of the browser's private file system, in a worker.
 *
 * @throws {VmError} ERR_HOST where there is none, ERR_DISK_LOCKED when another machine has it, ERR_FILE, ERR_DISK_FORMAT
 */
export async function openOpfsDisk(name: string, sizeBytes: number | undefined): Promise<Disk> {
  const storage = globalThis.navigator?.storage;
  if (typeof storage?.getDirectory !== "function")
    throw new VmError("ERR_HOST", "there is no private file system (OPFS) here: browsers have it, on secure pages");
  const handle = await openFile(storage, name, sizeBytes !== undefined);
  try {
    if (sizeBytes !== undefined && handle.getSize() < sizeBytes) handle.truncate(sizeBytes);
    return new OpfsDisk(handle, name, sectorsOf(handle.getSize(), `disk ${name}`));
  } catch (error) {
    handle.close();
    throw error;
  }
}

async function openFile(storage: StorageManager, name: string, create: boolean): Promise<SyncAccessHandle> {
  try {
    const root = await storage.getDirectory();
    const file = await root.getFileHandle(name, { create });
    if (!("createSyncAccessHandle" in file))
      throw new VmError("ERR_HOST", "disks of the private file system (OPFS) need a machine in a worker");
    return await (file as unknown as { createSyncAccessHandle(): Promise<SyncAccessHandle> }).createSyncAccessHandle();
  } catch (cause) {
    if (cause instanceof VmError) throw cause;
    const kind = cause instanceof DOMException ? cause.name : "";
    if (kind === "NoModificationAllowedError")
      throw new VmError("ERR_DISK_LOCKED", `disk ${name} is in use by another machine or page`, { cause });
    const why = kind === "NotFoundError" ? "there is no such file" : String(cause);
    throw new VmError("ERR_FILE", `cannot open disk ${name} of the private file system: ${why}`, { cause });
  }
}

/** A raw disk image of the private file system. It answers at once, and a flush makes durable what was written. */
class OpfsDisk implements Disk {
  readonly readOnly = false;
  readonly synchronous = true;
  readonly sectors: number;
  readonly id: string;
  readonly #handle: SyncAccessHandle;

  constructor(handle: SyncAccessHandle, name: string, sectors: number) {
    this.#handle = handle;
    this.sectors = sectors;
    this.id = name.replaceAll(/[^\x20-\x7e]/g, "?");
  }

  read(sector: number, into: Uint8Array): void {
    const bytes = this.#attempt("read", () => this.#handle.read(into, { at: sector * SECTOR_BYTES }));
    if (bytes !== into.length)
      throw new VmError("ERR_DISK_IO", `cannot read disk ${this.id} at sector ${sector}: the file has become shorter`);
  }

  write(sector: number, from: Uint8Array): void {
    const bytes = this.#attempt("write", () => this.#handle.write(from, { at: sector * SECTOR_BYTES }));
    if (bytes !== from.length)
      throw new VmError("ERR_DISK_IO", `cannot write disk ${this.id} at sector ${sector}: there is no room left`);
  }

  writeZeroes(sector: number, count: number): void {
    const step = ZEROES.length / SECTOR_BYTES;
    for (let done = 0; done < count; done += step)
      this.write(sector + done, ZEROES.subarray(0, Math.min(step, count - done) * SECTOR_BYTES));
  }

  flush(): void {
    this.#attempt("flush", () => this.#handle.flush());
  }

  close(): void {
    this.#handle.flush();
    this.#handle.close();
  }

  #attempt<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new VmError("ERR_DISK_IO", `cannot ${what} disk ${this.id}: ${String(cause)}`, { cause });
    }
  }
}
