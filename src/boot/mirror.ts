import { gunzipSync } from "node:zlib";
import { VmError } from "../errors.ts";
import { sha256 } from "./cache.ts";
import { download, fetchBytes } from "./download.ts";
import { type DownloadProgress, type PackageRecord, type PackageSource, parsePackages } from "./packages.ts";

/** In the order of preference; what Node.js cannot decompress is left out. */
const INDEXES = ["main/binary-amd64/Packages.gz", "main/binary-amd64/Packages"] as const;

/**
 * Debian packages from a mirror that the user names.
 *
 * Files are checked against the hashes in the mirror's Release file. Its signature is not checked: give an https URL, or
 * one whose path you trust.
 *
 * @see https://wiki.debian.org/DebianRepository/Format
 */
export class MirrorSource implements PackageSource {
  readonly name = "mirror";
  readonly #root: string;
  readonly #suite: string;
  readonly #note: (what: string) => void;
  #index: string | undefined;

  /**
   * @param url root of the mirror, above dists/ and pool/
   * @param suite such as "stable"
   * @param note told what takes a while
   * @throws {VmError} ERR_CONFIG when it is no http or https URL
   */
  constructor(url: string, suite: string, note: (what: string) => void) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new VmError("ERR_CONFIG", `the Debian mirror is "${url}", expected an http or https URL`);
    }
    this.#root = url.replace(/\/+$/, "");
    this.#suite = suite;
    this.#note = note;
  }

  async find(name: string, version?: string): Promise<PackageRecord> {
    this.#index ??= await this.#fetchIndex();
    const records = parsePackages(this.#index, name);
    // An index of one suite has one version of a package, seldom more; the last one is the newest.
    const record = records.findLast((candidate) => version === undefined || candidate.version === version);
    if (record === undefined) {
      const what = version === undefined ? name : `${name} ${version}`;
      throw new VmError("ERR_DOWNLOAD", `${this.#root} has no package ${what} in ${this.#suite}/main for amd64`);
    }
    return record;
  }

  async fetch(record: PackageRecord, path: string, progress: DownloadProgress): Promise<void> {
    await download(`${this.#root}/${record.file}`, path, record, progress);
  }

  /** The list was fetched when it was first needed. */
  refresh(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async #fetchIndex(): Promise<string> {
    const directory = `${this.#root}/dists/${this.#suite}`;
    this.#note(`fetching the list of packages from ${this.#root}`);
    const release = await fetchBytes(`${directory}/Release`);
    if (release === undefined) {
      throw new VmError(
        "ERR_DOWNLOAD",
        `${this.#root} is no Debian mirror with the suite ${this.#suite}: it has no dists/${this.#suite}/Release`,
      );
    }
    const hashes = releaseHashes(new TextDecoder().decode(release));
    for (const name of INDEXES) {
      const expected = hashes.get(name);
      if (expected === undefined) continue;
      const bytes = await fetchBytes(`${directory}/${name}`);
      if (bytes === undefined) continue;
      const found = sha256(bytes);
      if (found !== expected)
        throw new VmError("ERR_DOWNLOAD", `${directory}/${name}: SHA-256 is ${found}, expected ${expected}`);
      return new TextDecoder().decode(name.endsWith(".gz") ? gunzipSync(bytes) : bytes);
    }
    throw new VmError(
      "ERR_DOWNLOAD",
      `${directory} has no list of packages for amd64, expected ${INDEXES.join(" or ")}`,
    );
  }
}

/** The section "SHA256" of a Release file: a hash, a size and a name in each line. */
function releaseHashes(release: string): Map<string, string> {
  const section = /^SHA256:.*\n((?: .*(?:\n|$))+)/m.exec(release)?.[1] ?? "";
  return new Map(
    section.split("\n").flatMap((line): [string, string][] => {
      const [, hash, name] = /^ ([0-9a-f]{64}) +\d+ +(\S+)$/.exec(line) ?? [];
      return hash === undefined || name === undefined ? [] : [[name, hash]];
    }),
  );
}
