import { mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { VmError } from "../errors.ts";
import { inTemporaryDirectory, onDisk, sha256OfFile } from "./cache.ts";
import { type CommandOutcome, runCommand } from "./command.ts";
import { type DownloadProgress, type PackageRecord, type PackageSource, parsePackages } from "./packages.ts";

/** Without root, apt may not become its own user; as root it need not, for a file that only this user reads. */
const UNSANDBOXED = ["-o", `APT::Sandbox::User=${process.getuid?.() === 0 ? "root" : ""}`] as const;

/**
 * Debian packages through the machine's own apt, with its sources and keys. Needs no root: a package is downloaded, not installed.
 *
 * When apt has no list of packages, one is fetched into a folder of ours, so that the system stays as it is.
 */
export class AptSource implements PackageSource {
  readonly name = "apt";
  readonly #directory: string;
  readonly #note: (what: string) => void;
  /** options that make apt use lists of our own; undefined: the system's */
  #private: readonly string[] | undefined;

  /**
   * @param directory where lists of our own are kept
   * @param note told what takes a while
   */
  constructor(directory: string, note: (what: string) => void) {
    this.#directory = directory;
    this.#note = note;
  }

  async find(name: string, version?: string): Promise<PackageRecord> {
    const found = await this.#show(name, version);
    if (found !== undefined) return found;
    if (await this.refresh()) {
      const again = await this.#show(name, version);
      if (again !== undefined) return again;
    }
    const what = version === undefined ? name : `${name} ${version}`;
    throw new VmError(
      "ERR_DOWNLOAD",
      `apt knows no package ${what} here; is this Debian? Otherwise give a Debian mirror`,
    );
  }

  async fetch(record: PackageRecord, path: string, progress: DownloadProgress): Promise<void> {
    await inTemporaryDirectory(dirname(path), async (directory) => {
      const { architecture } = record;
      const wanted = `${record.name}${architecture === "all" ? "" : `:${architecture}`}=${record.version}`;
      const outcome = await runCommand(
        "apt-get",
        [...UNSANDBOXED, ...(this.#private ?? []), "-o", "APT::Status-Fd=3", "download", wanted],
        {
          cwd: directory,
          onStatus: (line) => {
            const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
            if (percent !== undefined)
              progress(Math.min(Math.round((record.bytes * Number(percent)) / 100), record.bytes), record.bytes);
          },
        },
      );
      const files = (await readdir(directory)).filter((file) => file.endsWith(".deb"));
      const [file] = files;
      if (outcome.code !== 0 || file === undefined)
        throw failure(`cannot download ${record.name} ${record.version}`, outcome);
      const found = await sha256OfFile(join(directory, file));
      if (found !== record.sha256) {
        throw new VmError(
          "ERR_DOWNLOAD",
          `${record.name}: the package's SHA-256 is ${found ?? "unreadable"}, expected ${record.sha256}`,
        );
      }
      await onDisk(`write ${path}`, () => rename(join(directory, file), path));
    });
    progress(record.bytes, record.bytes);
  }

  async #show(name: string, version?: string): Promise<PackageRecord | undefined> {
    const all = version === undefined ? ["--no-all-versions"] : [];
    const { output } = await runCommand("apt-cache", [...(this.#private ?? []), "show", ...all, name]);
    return parsePackages(output, name).find(
      (record) => record.architecture !== "" && (version === undefined || record.version === version),
    );
  }

  async refresh(): Promise<boolean> {
    if (this.#private !== undefined) return false;
    const state = join(this.#directory, "state");
    const cache = join(this.#directory, "cache");
    await onDisk(`write to ${this.#directory}`, async () => {
      await mkdir(join(state, "lists", "partial"), { recursive: true });
      await mkdir(join(cache, "archives", "partial"), { recursive: true });
    });
    this.#private = [
      ...["-o", `Dir::State=${state}`, "-o", `Dir::Cache=${cache}`, "-o", "Dir::State::status=/var/lib/dpkg/status"],
      ...["-o", "APT::Architecture=amd64", "-o", "APT::Architectures=amd64"],
    ];
    this.#note("fetching apt's list of packages");
    const outcome = await runCommand("apt-get", [...UNSANDBOXED, ...this.#private, "update"]);
    if (outcome.code !== 0) throw failure("cannot fetch apt's list of packages", outcome);
    return true;
  }
}

/** One line: what apt gave as its reason. */
function failure(what: string, { code, errors }: CommandOutcome): VmError {
  const reason = /^E: (.+)$/m.exec(errors)?.[1] ?? (code === 127 ? errors : `apt-get ended with code ${code}`);
  return new VmError("ERR_DOWNLOAD", `${what}: ${reason}`);
}
