import type { Disk } from "../../runtime/disk/disk.ts";
import { type DiskDescription, type DiskSource, isDescription } from "../api/disks.ts";

/** A description all the way down: what is no description is a disk of this thread, or of the other end of a channel. */
export type SessionDisk =
  | Exclude<DiskDescription, { kind: "overlay" }>
  | { readonly kind: "overlay"; readonly base: SessionDisk }
  | { readonly kind: "own"; readonly disk: Disk }
  | RemoteDiskDescription;

/** A disk at the other end of a channel. */
export interface RemoteDiskDescription {
  readonly kind: "remote";
  readonly index: number;
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly id: string;
}

/** @param own what stands for a disk of the embedder's own */
export function sessionDisk(source: DiskSource, own: (disk: Disk) => SessionDisk): SessionDisk {
  if (!isDescription(source)) return own(source);
  return source.kind === "overlay" ? { kind: "overlay", base: sessionDisk(source.base, own) } : source;
}
