import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { type Disk, SECTOR_BYTES } from "../../../runtime/disk/disk.ts";
import { sectorsOfPartitions } from "../../../runtime/disk/partition-table.ts";
import { VmError } from "../../errors.ts";
import { lockFile } from "./file-lock.ts";

export interface FileDiskOptions {
  /** the file is not written, and the guest is told so; default false */
  readonly readOnly?: boolean;
}

const ZEROES = new Uint8Array(1 << 20);

/**
 * Opens a raw disk image.
 *
 * The image is locked while it is open: by one machine that may write it, or by any number that only read it.
 *
 * @throws {VmError} ERR_FILE when it cannot be opened (for writing, unless readOnly), ERR_DISK_LOCKED, ERR_DISK_FORMAT, ERR_TOOL when
 *   the program that locks files is missing
 */
export function openFileDisk(path: string, { readOnly = false }: FileDiskOptions = {}): FileDisk {
  const fd = open(path, readOnly);
  try {
    lockFile(fd, path, readOnly ? "shared" : "exclusive");
    const disk = new FileDisk(fd, path, imageBytes(fd, path) / SECTOR_BYTES, readOnly);
    checkPartitions(disk, path);
    return disk;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * A raw disk image in a file.
 *
 * It answers at once: most transfers are between this process and the host's page cache, which takes less time than to wait for the
 * event loop, and a machine whose clock counts instructions needs it so. A flush returns when the host's disk has the data.
 */
export class FileDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly synchronous = true;
  readonly id: string;
  readonly #fd: number;
  readonly #path: string;
  #open = true;

  /** @param fd is this disk's from now on */
  constructor(fd: number, path: string, sectors: number, readOnly: boolean) {
    this.#fd = fd;
    this.#path = path;
    this.sectors = sectors;
    this.readOnly = readOnly;
    this.id = basename(path).replaceAll(/[^\x20-\x7e]/g, "?");
  }

  read(sector: number, into: Uint8Array): void {
    this.#attempt("read", sector, () => {
      for (let done = 0; done < into.length;) {
        const bytes = readSync(this.#fd, into, done, into.length - done, sector * SECTOR_BYTES + done);
        if (bytes === 0) throw new Error("the file has become shorter");
        done += bytes;
      }
    });
  }

  write(sector: number, from: Uint8Array): void {
    this.#attempt("write", sector, () => {
      for (let done = 0; done < from.length;)
        done += writeSync(this.#fd, from, done, from.length - done, sector * SECTOR_BYTES + done);
    });
  }

  writeZeroes(sector: number, count: number): void {
    const step = ZEROES.length / SECTOR_BYTES;
    for (let done = 0; done < count; done += step)
      this.write(sector + done, ZEROES.subarray(0, Math.min(step, count - done) * SECTOR_BYTES));
  }

  flush(): void {
    if (!this.readOnly) this.#attempt("flush", 0, () => fdatasyncSync(this.#fd));
  }

  /** Gives up the lock as well. */
  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  #attempt(what: "read" | "write" | "flush", sector: number, work: () => void): void {
    try {
      // The number of a closed file may be another file's by now.
      if (!this.#open) throw new Error("it is closed");
      work();
    } catch (cause) {
      const where = what === "flush" ? "" : ` at sector ${sector}`;
      throw new VmError("ERR_DISK_IO", `cannot ${what} disk ${this.#path}${where}: ${reasonOf(cause)}`, { cause });
    }
  }
}

function open(path: string, readOnly: boolean): number {
  try {
    // O_NONBLOCK: opening a pipe would wait for its other end, and it is no image anyway.
    return openSync(path, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const refused = code === "EACCES" || code === "EPERM" || code === "EROFS";
    const what =
      !readOnly && refused && isReadable(path)
        ? `cannot write disk ${path}: it is read-only here; give ",ro" to only read it or ",overlay" to keep changes in memory`
        : `cannot open disk ${path}: ${code === "EISDIR" ? NO_IMAGE : reasonOf(cause)}`;
    throw new VmError("ERR_FILE", what, { cause });
  }
}

const NO_IMAGE = "it is a directory, expected a raw disk image";

function isReadable(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY));
    return true;
  } catch {
    return false;
  }
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOSPC":
      return "no space left on the host's file system";
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}

function imageBytes(fd: number, path: string): number {
  const status = fstatSync(fd);
  if (status.isDirectory()) throw new VmError("ERR_FILE", `cannot open disk ${path}: ${NO_IMAGE}`);
  if (!status.isFile())
    throw new VmError("ERR_DISK_FORMAT", `disk ${path} is not a regular file, expected a raw disk image`);
  if (status.size === 0 || status.size % SECTOR_BYTES !== 0) {
    throw new VmError(
      "ERR_DISK_FORMAT",
      `disk ${path} has ${status.size} bytes, expected a multiple of ${SECTOR_BYTES} other than 0`,
    );
  }
  return status.size;
}

function checkPartitions(disk: FileDisk, path: string): void {
  const needed = sectorsOfPartitions((sector, count) => {
    if (sector + count > disk.sectors) return undefined;
    const bytes = new Uint8Array(count * SECTOR_BYTES);
    disk.read(sector, bytes);
    return bytes;
  });
  if (needed > disk.sectors) {
    throw new VmError(
      "ERR_DISK_FORMAT",
      `disk ${path} is cut short: it has ${disk.sectors} sectors, expected at least ${needed} by its partition table`,
    );
  }
}
