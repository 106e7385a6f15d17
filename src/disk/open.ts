import type { Disk } from "../../runtime/disk/disk.ts";
import { SECTOR_BYTES } from "../../runtime/disk/disk.ts";
import { MemoryDisk } from "../../runtime/disk/memory-disk.ts";
import { OverlayDisk } from "../../runtime/disk/overlay-disk.ts";
import { bytesOf } from "../api/bytes.ts";
import { VmError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { SessionDisk } from "../session/session-disk.ts";
import { BlobDisk } from "./blob-disk.ts";
import { openHttpDisk } from "./http-disk.ts";

/**
 * Opens disks from their descriptions; if one cannot be opened, those before it are closed.
 *
 * @throws {VmError} ERR_FILE, ERR_DISK_FORMAT, ERR_DISK_LOCKED, ERR_DOWNLOAD, ERR_HOST; the reason of `signal`, when it is aborted
 */
export async function openDisks(
  disks: readonly SessionDisk[],
  host: Host,
  signal?: AbortSignal,
): Promise<readonly Disk[]> {
  const opened: Disk[] = [];
  try {
    for (const disk of disks) opened.push(await openDisk(disk, host, signal));
  } catch (error) {
    for (const [index, disk] of opened.entries()) if (disks[index]?.kind !== "own") await disk.close();
    throw error;
  }
  return opened;
}

async function openDisk(disk: SessionDisk, host: Host, signal: AbortSignal | undefined): Promise<Disk> {
  signal?.throwIfAborted();
  switch (disk.kind) {
    case "file":
    case "opfs":
      return host.openDisk(disk);
    case "blob":
      return new BlobDisk(disk.blob, sectorsOf(disk.blob.size, "the Blob"));
    case "http":
      return openHttpDisk(disk.url, signal);
    case "memory": {
      const bytes = Uint8Array.from(await bytesOf(disk.bytes));
      sectorsOf(bytes.length, "the disk in memory");
      return new MemoryDisk(bytes, { readOnly: disk.readOnly });
    }
    case "overlay": {
      const { base } = disk;
      const below = await openDisk(base, host, signal);
      return new OwningOverlay(below, base.kind !== "own");
    }
    case "own":
      return disk.disk;
    case "remote":
      throw new VmError("ERR_INTERNAL", "a disk of another thread was not connected");
  }
}

/** An overlay that closes what lies below only where the machine has opened it. */
class OwningOverlay extends OverlayDisk {
  readonly #below: Disk | undefined;

  constructor(below: Disk, owns: boolean) {
    super(below);
    this.#below = owns ? below : undefined;
  }

  override async close(): Promise<void> {
    await this.#below?.close();
  }
}

/** @throws {VmError} ERR_DISK_FORMAT for a size that no disk has */
export function sectorsOf(byteLength: number, what: string): number {
  if (byteLength === 0 || byteLength % SECTOR_BYTES !== 0)
    throw new VmError(
      "ERR_DISK_FORMAT",
      `${what} has ${byteLength} bytes, expected a multiple of ${SECTOR_BYTES} other than 0`,
    );
  return byteLength / SECTOR_BYTES;
}
