import { VmError } from "../errors.ts";

/** A binary package, as an index of packages describes it. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly depends: string;
  /** path below the mirror's root */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Told while something is fetched: bytes that are there, and in all. */
export type DownloadProgress = (doneBytes: number, totalBytes: number) => void;

/** Where packages come from. */
export interface PackageSource {
  readonly name: "apt" | "mirror";
  /** The newest version of a package, or the given one. @throws {VmError} ERR_DOWNLOAD when there is none */
  find(name: string, version?: string): Promise<PackageRecord>;
  /** Fetches a package to `path`, its hash checked; either it is there as a whole or not at all. @throws {VmError} ERR_DOWNLOAD */
  fetch(record: PackageRecord, path: string, progress: DownloadProgress): Promise<void>;
  /** Gets lists of packages anew, if those in use may be old. @returns false when they cannot be newer */
  refresh(): Promise<boolean>;
}

/**
 * Reads the stanzas of one package in an index.
 *
 * @see Debian Policy, 5.1 "Syntax of control files"
 */
export function parsePackages(text: string, name: string): PackageRecord[] {
  const records: PackageRecord[] = [];
  const pattern = new RegExp(`^Package: ${RegExp.escape(name)}$`, "gm");
  for (const { index } of text.matchAll(pattern)) {
    const blank = text.indexOf("\n\n", index);
    const stanza = text.slice(index, blank < 0 ? undefined : blank);
    const field = (key: string): string => new RegExp(`^${key}: *(.*)$`, "m").exec(stanza)?.[1] ?? "";
    const record = {
      name,
      version: field("Version"),
      architecture: field("Architecture"),
      depends: field("Depends"),
      file: field("Filename"),
      bytes: Number(field("Size")),
      sha256: field("SHA256").toLowerCase(),
    };
    if (record.version !== "" && record.file !== "" && /^[0-9a-f]{64}$/.test(record.sha256) && record.bytes > 0)
      records.push(record);
  }
  return records;
}

const META_DEPTH = 4;

/**
 * Follows a kernel metapackage to the package that holds the kernel: `linux-image-cloud-amd64` only depends on
 * `linux-image-6.1.0-18-cloud-amd64` of one version.
 */
export async function findKernelPackage(source: PackageSource, metaPackage: string): Promise<PackageRecord> {
  let record = await source.find(metaPackage);
  for (let depth = 0; depth < META_DEPTH; depth++) {
    const dependency = /(?:^|, *)(linux-image-[^\s,(|:]+)(?::\w+)?(?: *\(= *([^)]+)\))?/.exec(record.depends);
    if (dependency?.[1] === undefined) return record;
    record = await source.find(dependency[1], dependency[2]?.trim());
  }
  throw new VmError(
    "ERR_DOWNLOAD",
    `${metaPackage} leads to no kernel: ${META_DEPTH} packages depend on one another, the last is ${record.name}`,
  );
}
