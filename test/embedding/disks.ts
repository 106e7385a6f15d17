import type * as Umbra from "../../src/index.ts";
import { diskImage, type Surroundings } from "./surroundings.ts";

/** Every kind of disk that there is; "own" is an object of the embedder's, which stays in the embedder's thread. */
export const DISK_KINDS = ["memory", "overlay", "blob", "http", "own", "file", "opfs"] as const;
export type DiskKind = (typeof DISK_KINDS)[number];

/** A disk for a machine, and how to see what the guest left in it. */
export interface TriedDisk {
  readonly source: Umbra.DiskSource;
  /** undefined where it is gone with the machine */
  readonly read?: () => Promise<Uint8Array>;
}

/** A disk whose first line is the name of its kind. */
export async function makeDisk(kind: DiskKind, { umbra, diskUrl, lasting }: Surroundings): Promise<TriedDisk> {
  const image = diskImage(kind);
  switch (kind) {
    case "memory":
      return { source: umbra.memoryDisk(image) };
    case "overlay":
      return { source: umbra.overlayDisk(umbra.memoryDisk(image, { readOnly: true })) };
    case "blob":
      return { source: umbra.blobDisk(new Blob([image])) };
    case "http":
      return { source: umbra.httpDisk(diskUrl) };
    case "own":
      return { source: ownDisk(image), read: () => Promise.resolve(image) };
    case "file":
    case "opfs":
      await lasting[kind].make(image);
      return { source: lasting[kind].description, read: () => lasting[kind].read() };
  }
}

/** A disk as an embedder may write one: it answers later. */
function ownDisk(image: Uint8Array): Umbra.Disk {
  const at = (sector: number, byteLength: number): Uint8Array =>
    image.subarray(sector * 512, sector * 512 + byteLength);
  return {
    sectors: image.length / 512,
    readOnly: false,
    synchronous: false,
    id: "own",
    read: async (sector, into) => into.set(at(sector, into.length)),
    write: async (sector, from) => at(sector, from.length).set(from),
    writeZeroes: async (sector, count) => void at(sector, count * 512).fill(0),
    flush: async () => undefined,
    close: () => undefined,
  };
}
