import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { VmError } from "../errors.ts";
import { AptSource } from "./apt.ts";
import { cacheDirectory, sha256, sha256OfFile, writeWhole } from "./cache.ts";
import { hasProgram } from "./command.ts";
import { readPackageFiles } from "./deb.ts";
import { MirrorSource } from "./mirror.ts";
import { findKernelPackage, type PackageRecord, type PackageSource } from "./packages.ts";

/** What is going on, for whoever shows it. */
export type FetchProgress =
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "download"; readonly name: string; readonly doneBytes: number; readonly totalBytes: number };

export interface DebianOptions {
  /** root of a Debian mirror; default: UMBRA_DEBIAN_MIRROR, else apt */
  readonly mirror?: string;
  /** of the mirror; default "stable" */
  readonly suite?: string;
  /** default: the user's cache folder */
  readonly directory?: string;
  /** look for newer packages now, whatever the age of the last look */
  readonly refresh?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly nowMs?: () => number;
  readonly onProgress?: (progress: FetchProgress) => void;
}

/** A file taken out of a Debian package, in the cache. */
export interface DebianFile {
  readonly path: string;
  readonly sha256: string;
  readonly package: string;
  readonly version: string;
  /** the package itself, which holds the kernel's modules, too */
  readonly packagePath: string;
}

export interface DebianFiles {
  /** an unmodified bzImage */
  readonly kernel: DebianFile;
  /** busybox, linked statically */
  readonly busybox: DebianFile;
  readonly source: "cache" | "apt" | "mirror";
}

const KERNEL_META_PACKAGE = "linux-image-cloud-amd64";
const BUSYBOX_PACKAGE = "busybox-static";
const KERNEL_FILE = /^boot\/vmlinuz-/;
const BUSYBOX_FILE = /^(usr\/)?bin\/busybox$/;
const APT_DIRECTORY = "apt";
const MANIFEST = "manifest.json";
const MANIFEST_FORMAT = 1;
/** A cache that was looked after within this time is used as it is, without a look at the network. */
const LOOK_AGAIN_AFTER_MS = 7 * 86_400_000;

interface Manifest {
  readonly format: number;
  readonly checkedAtMs: number;
  readonly kernel: ManifestFile;
  readonly busybox: ManifestFile;
}

/** Paths are relative to the folder of the manifest. */
interface ManifestFile extends DebianFile {
  readonly packageSha256: string;
}

/**
 * Debian's current cloud kernel and static busybox, from the user's cache or fetched into it.
 *
 * @throws {VmError} ERR_DOWNLOAD, ERR_TOOL, ERR_CONFIG, ERR_FILE, each with one line to show
 */
export async function fetchDebian(options: DebianOptions = {}): Promise<DebianFiles> {
  const { environment = process.env, nowMs = Date.now, onProgress = () => undefined } = options;
  const directory = options.directory ?? join(cacheDirectory(environment), "debian");
  const cached = await readManifest(directory);
  const age = nowMs() - (cached?.checkedAtMs ?? 0);
  if (cached !== undefined && options.refresh !== true && age >= 0 && age < LOOK_AGAIN_AFTER_MS)
    return inCache(directory, cached);

  const note = (text: string): void => onProgress({ kind: "note", text });
  try {
    const source = packageSource(options, directory, environment, note);
    if (options.refresh === true) await source.refresh();
    const { kernel, busybox } = await withNewLists(source, async () => {
      const kernelRecord = await findKernelPackage(source, KERNEL_META_PACKAGE);
      return {
        kernel: await unpacked(directory, source, kernelRecord, KERNEL_FILE, cached?.kernel, onProgress),
        busybox: await unpacked(
          directory,
          source,
          await source.find(BUSYBOX_PACKAGE),
          BUSYBOX_FILE,
          cached?.busybox,
          onProgress,
        ),
      };
    });
    const manifest: Manifest = { format: MANIFEST_FORMAT, checkedAtMs: nowMs(), kernel, busybox };
    await writeWhole(join(directory, MANIFEST), JSON.stringify(manifest, undefined, 2));
    await removeSuperseded(directory, cached, manifest);
    return { ...inCache(directory, manifest), source: source.name };
  } catch (error) {
    if (cached === undefined || options.refresh === true || !isDownloadError(error)) throw error;
    note(`using the kernel in the cache (${cached.kernel.version}): ${error.message}`);
    return inCache(directory, cached);
  }
}

function isDownloadError(error: unknown): error is VmError {
  return error instanceof VmError && error.code === "ERR_DOWNLOAD";
}

/** Does `work`, and once more with new lists of packages: old ones name versions that the mirrors no longer have. */
async function withNewLists<T>(source: PackageSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDownloadError(error)) throw error;
    // What failed first says more than that the lists cannot be fetched either.
    const renewed = await source.refresh().catch(() => false);
    if (!renewed) throw error;
    return work();
  }
}

function packageSource(
  { mirror, suite = "stable" }: DebianOptions,
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
  note: (text: string) => void,
): PackageSource {
  const url = mirror ?? environment["UMBRA_DEBIAN_MIRROR"];
  if (url !== undefined && url !== "") return new MirrorSource(url, suite, note);
  if (hasProgram("apt-get", environment["PATH"])) return new AptSource(join(directory, APT_DIRECTORY), note);
  throw new VmError(
    "ERR_DOWNLOAD",
    "Debian's kernel is not in the cache, and there is no apt here to fetch it; give a Debian mirror with --mirror URL or UMBRA_DEBIAN_MIRROR",
  );
}

/** Fetches a package, unless it is here, and takes one file out of it. */
async function unpacked(
  directory: string,
  source: PackageSource,
  record: PackageRecord,
  pattern: RegExp,
  cached: ManifestFile | undefined,
  onProgress: (progress: FetchProgress) => void,
): Promise<ManifestFile> {
  if (cached?.packageSha256 === record.sha256) return cached;
  // ":" of an epoch is no character for a file name everywhere.
  const label = `${record.name}_${record.version}`.replaceAll(/[^A-Za-z0-9.+~_-]/g, "%");
  const packagePath = join("packages", `${label}.deb`);
  const absolute = join(directory, packagePath);
  if ((await sha256OfFile(absolute)) !== record.sha256) {
    await source.fetch(record, absolute, (doneBytes, totalBytes) =>
      onProgress({ kind: "download", name: record.name, doneBytes, totalBytes }),
    );
  }
  const [member] = await readPackageFiles(absolute, (path) => pattern.test(path), 1);
  if (member === undefined) {
    throw new VmError("ERR_DOWNLOAD", `${record.name} ${record.version} has no file ${pattern.source}, expected one`);
  }
  const path = join("files", label, member.path.replace(/^.*\//, ""));
  await writeWhole(join(directory, path), member.bytes);
  return {
    path,
    sha256: sha256(member.bytes),
    package: record.name,
    version: record.version,
    packagePath,
    packageSha256: record.sha256,
  };
}

/** What is in the cache; undefined when something is missing or is not what it was. */
async function readManifest(directory: string): Promise<Manifest | undefined> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(directory, MANIFEST), "utf8")) as Manifest;
    if (manifest.format !== MANIFEST_FORMAT) return undefined;
  } catch {
    return undefined;
  }
  for (const file of [manifest.kernel, manifest.busybox]) {
    if (typeof file?.path !== "string" || (await sha256OfFile(join(directory, file.path))) !== file.sha256)
      return undefined;
  }
  return manifest;
}

function inCache(directory: string, { kernel, busybox }: Manifest): DebianFiles {
  const absolute = (file: ManifestFile): DebianFile => ({
    path: join(directory, file.path),
    sha256: file.sha256,
    package: file.package,
    version: file.version,
    packagePath: join(directory, file.packagePath),
  });
  return { kernel: absolute(kernel), busybox: absolute(busybox), source: "cache" };
}

/** Removes what is of no more use: above all what the last manifest named and the new one does not: a kernel package has tens of megabytes. */
async function removeSuperseded(directory: string, before: Manifest | undefined, after: Manifest): Promise<void> {
  // Lists of packages of our own are old when they are needed again.
  await rm(join(directory, APT_DIRECTORY), { recursive: true, force: true });
  if (before === undefined) return;
  const kept = new Set([after.kernel, after.busybox].flatMap(({ path, packagePath }) => [path, packagePath]));
  for (const path of [before.kernel, before.busybox].flatMap((file) => [file.path, file.packagePath])) {
    if (!kept.has(path)) await rm(join(directory, path), { force: true });
  }
}
