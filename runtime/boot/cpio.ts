/**
 * Archives in the format that Linux unpacks into its initial root file system: cpio "newc".
 *
 * @see Linux Documentation/driver-api/early-userspace/buffer-format.rst
 */

/** File types in the mode; POSIX <sys/stat.h>. */
const FileType = {
  FILE: 0o100000,
  DIRECTORY: 0o040000,
  LINK: 0o120000,
  CHARACTER: 0o020000,
  BLOCK: 0o060000,
  MASK: 0o170000,
} as const;

interface Named {
  /** without a leading slash, parts separated by one */
  readonly path: string;
  /** permission bits, such as 0o755 */
  readonly mode?: number;
}

export type ArchiveEntry =
  | (Named & { readonly kind: "file"; readonly bytes: Uint8Array })
  | (Named & { readonly kind: "directory" })
  | (Named & { readonly kind: "link"; readonly target: string })
  | (Named & { readonly kind: "character" | "block"; readonly major: number; readonly minor: number });

/** An entry that is not what the format allows, or an archive that is damaged. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

const MAGIC = "070701";
const HEADER_BYTES = 110;
const TRAILER = "TRAILER!!!";
/** Everything is owned by root and as old as this (2020-01-01), so that the same entries make the same bytes. */
const MODIFIED_SECONDS = 1_577_836_800;
const DEFAULT_MODE = { file: 0o644, directory: 0o755, link: 0o777, character: 0o600, block: 0o600 } as const;
const TYPE_OF_KIND = {
  file: FileType.FILE,
  directory: FileType.DIRECTORY,
  link: FileType.LINK,
  character: FileType.CHARACTER,
  block: FileType.BLOCK,
} as const;

/**
 * Makes an archive of the entries, in their order. Directories must come before what is in them, as the kernel unpacks in order.
 *
 * @throws {ArchiveError} for a path that is empty, absolute, leaves the root, or comes before its directory
 */
export function writeCpio(entries: readonly ArchiveEntry[]): Uint8Array {
  const encoder = new TextEncoder();
  const directories = new Set([""]);
  const seen = new Set<string>();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array): void => {
    const padding = -part.length & 3;
    parts.push(part, new Uint8Array(padding));
    bytes += part.length + padding;
  };
  for (const [index, entry] of entries.entries()) {
    checkPath(entry.path, directories, seen);
    if (entry.kind === "directory") directories.add(entry.path);
    const data = entry.kind === "file" ? entry.bytes : encoder.encode(entry.kind === "link" ? entry.target : "");
    const { major, minor } = entry.kind === "character" || entry.kind === "block" ? entry : { major: 0, minor: 0 };
    const mode = TYPE_OF_KIND[entry.kind] | (entry.mode ?? DEFAULT_MODE[entry.kind]);
    add(
      header({
        inode: index + 1,
        mode,
        links: entry.kind === "directory" ? 2 : 1,
        size: data.length,
        major,
        minor,
        path: entry.path,
      }),
    );
    add(data);
  }
  add(header({ inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0, path: TRAILER }));

  const archive = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function checkPath(path: string, directories: ReadonlySet<string>, seen: Set<string>): void {
  const names = path.split("/");
  if (names.some((name) => name === "" || name === "." || name === ".." || name.includes("\0")) || path === TRAILER) {
    throw new ArchiveError(`"${path}" cannot be a path in an archive, expected names separated by single slashes`);
  }
  const parent = names.slice(0, -1).join("/");
  if (!directories.has(parent)) throw new ArchiveError(`"${path}" comes before its directory "${parent}"`);
  if (seen.has(path)) throw new ArchiveError(`"${path}" is in the archive twice`);
  seen.add(path);
}

interface Header {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly path: string;
}

/** The header with the path behind it; both together are padded, not each. */
function header({ inode, mode, links, size, major, minor, path }: Header): Uint8Array {
  const encoder = new TextEncoder();
  const name = encoder.encode(`${path}\0`);
  const owner = 0;
  const modified = path === TRAILER ? 0 : MODIFIED_SECONDS;
  const fields = [inode, mode, owner, owner, links, modified, size, 0, 0, major, minor, name.length, 0];
  const text = MAGIC + fields.map((field) => field.toString(16).toUpperCase().padStart(8, "0")).join("");
  const bytes = new Uint8Array(HEADER_BYTES + name.length);
  bytes.set(encoder.encode(text));
  bytes.set(name, HEADER_BYTES);
  return bytes;
}

/**
 * Reads an archive up to its trailer.
 *
 * @throws {ArchiveError} when it is no such archive, or is cut short
 */
export function readCpio(archive: Uint8Array): ArchiveEntry[] {
  const decoder = new TextDecoder();
  const entries: ArchiveEntry[] = [];
  let at = 0;
  for (;;) {
    if (at + HEADER_BYTES > archive.length)
      throw new ArchiveError(`archive is cut short: no trailer in ${archive.length} bytes`);
    const text = decoder.decode(archive.subarray(at, at + HEADER_BYTES));
    if (!/^07070[12][0-9a-fA-F]{104}$/.test(text)) {
      throw new ArchiveError(
        `not a cpio archive: the header at byte ${at} begins with "${text.slice(0, 6)}", expected "${MAGIC}"`,
      );
    }
    const field = (index: number): number => Number.parseInt(text.slice(6 + 8 * index, 14 + 8 * index), 16);
    const [mode, size, major, minor, nameBytes] = [field(1), field(6), field(9), field(10), field(11)];
    const nameAt = at + HEADER_BYTES;
    const dataAt = align4(nameAt + nameBytes);
    if (dataAt + size > archive.length)
      throw new ArchiveError(`archive is cut short: the entry at byte ${at} ends behind its end`);
    const path = decoder.decode(archive.subarray(nameAt, nameAt + Math.max(nameBytes - 1, 0)));
    if (path === TRAILER) return entries;
    entries.push(entryOf(path, mode, archive.subarray(dataAt, dataAt + size), major, minor));
    at = align4(dataAt + size);
  }
}

function entryOf(path: string, fullMode: number, bytes: Uint8Array, major: number, minor: number): ArchiveEntry {
  const mode = fullMode & 0o7777;
  switch (fullMode & FileType.MASK) {
    case FileType.FILE:
      return { kind: "file", path, mode, bytes };
    case FileType.DIRECTORY:
      return { kind: "directory", path, mode };
    case FileType.LINK:
      return { kind: "link", path, mode, target: new TextDecoder().decode(bytes) };
    case FileType.CHARACTER:
      return { kind: "character", path, mode, major, minor };
    case FileType.BLOCK:
      return { kind: "block", path, mode, major, minor };
    default:
      throw new ArchiveError(`"${path}" has mode 0${fullMode.toString(8)}, which is no file type that is understood`);
  }
}

function align4(value: number): number {
  return Math.ceil(value / 4) * 4;
}
