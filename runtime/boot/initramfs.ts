import { type ArchiveEntry, writeCpio } from "./cpio.ts";

/** An entry's path with all the directories that lead to it, as far as `entries` does not name them itself. */
function withParents(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const complete: ArchiveEntry[] = [];
  const present = new Set<string>();
  const add = (entry: ArchiveEntry): void => {
    const slash = entry.path.lastIndexOf("/");
    if (slash > 0) {
      const parent = entry.path.slice(0, slash);
      if (!present.has(parent)) {
        const named = entries.find(({ kind, path }) => kind === "directory" && path === parent);
        add(named ?? { kind: "directory", path: parent });
      }
    }
    if (entry.kind === "directory" && present.has(entry.path)) return;
    if (entry.kind === "directory") present.add(entry.path);
    complete.push(entry);
  };
  for (const entry of entries) add(entry);
  return complete;
}

/**
 * Makes an initial RAM file system: a cpio archive with the directories that the entries need.
 *
 * @throws {ArchiveError}
 */
export function buildInitramfs(entries: readonly ArchiveEntry[]): Uint8Array {
  return writeCpio(withParents(entries));
}

/** Compresses with the host's gzip. The kernel takes an archive either way; unpacking costs guest time, so only size speaks for it. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return transform(bytes, new CompressionStream("gzip"));
}

/** @throws {TypeError} when it is no gzip file */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return transform(bytes, new DecompressionStream("gzip"));
}

async function transform(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = new Response(new Blob([bytes]).stream().pipeThrough(stream));
  return new Uint8Array(await response.arrayBuffer());
}
