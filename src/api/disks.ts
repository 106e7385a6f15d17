import type { Disk } from "../../runtime/disk/disk.ts";
import type { Bytes } from "./bytes.ts";

/**
 * What is opened, and later closed, by the machine, in the machine's own thread. Plain data, made by `fileDisk` and its like.
 */
export type DiskDescription =
  | { readonly kind: "file"; readonly path: string; readonly readOnly: boolean }
  | { readonly kind: "blob"; readonly blob: Blob }
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "memory"; readonly bytes: Bytes; readonly readOnly: boolean }
  | { readonly kind: "opfs"; readonly name: string; readonly sizeBytes: number | undefined }
  | { readonly kind: "overlay"; readonly base: DiskSource };

/**
 * What a machine's disk is made of: a description, or a disk of the embedder's own, which stays in the embedder's thread, is asked there,
 * and is closed by whoever made it.
 */
export type DiskSource = DiskDescription | Disk;

/** A raw disk image in a file, locked while the machine has it. Node.js, Deno and Bun. */
export function fileDisk(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): DiskDescription {
  return { kind: "file", path, readOnly };
}

/** A raw disk image in a Blob or a File, which cannot be written. */
export function blobDisk(blob: Blob): DiskDescription {
  return { kind: "blob", blob };
}

/**
 * A raw disk image on a web server, of which only what the guest reads is fetched. It cannot be written.
 *
 * The server must answer requests for ranges, and, in a browser, let this page read them (CORS).
 */
export function httpDisk(url: string | URL): DiskDescription {
  return { kind: "http", url: String(url) };
}

/** A disk in the machine's memory that begins with these bytes and is gone with the machine. */
export function memoryDisk(bytes: Bytes, { readOnly = false }: { readonly readOnly?: boolean } = {}): DiskDescription {
  return { kind: "memory", bytes, readOnly };
}

/**
 * A raw disk image in the browser's private file system (OPFS), which stays from visit to visit. For one machine at a time, in a worker.
 *
 * @param name of the file, in the root of the file system
 * @param options sizeBytes: what a new file, or one that is shorter, is made to have; a multiple of 512
 */
export function opfsDisk(name: string, { sizeBytes }: { readonly sizeBytes?: number } = {}): DiskDescription {
  return { kind: "opfs", name, sizeBytes };
}

/** A disk that begins as another one; what the guest writes is kept in memory, and is gone with the machine. */
export function overlayDisk(base: DiskSource): DiskDescription {
  return { kind: "overlay", base };
}

export function isDescription(source: DiskSource): source is DiskDescription {
  return "kind" in source;
}
