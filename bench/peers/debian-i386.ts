import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory, inTemporaryDirectory, sha256OfFile, writeWhole } from "../../src/boot/cache.ts";
import { hasProgram, runCommand } from "../../src/boot/command.ts";
import { readPackageFiles } from "../../src/boot/deb.ts";
import { type PackageRecord, parsePackages } from "../../src/boot/packages.ts";
import { VmError } from "../../src/errors.ts";

/** Packages of Debian's i386 architecture, fetched and unpacked beside the system, which stays as it is. */
const DIRECTORY = join(cacheDirectory(), "bench", "debian-i386");

/** apt with lists of packages of our own, because the system's may not include this architecture. */
function aptOptions(): string[] {
  const settings = [
    `Dir::State=${join(DIRECTORY, "state")}`,
    `Dir::Cache=${join(DIRECTORY, "cache")}`,
    "Dir::State::status=/var/lib/dpkg/status",
    "APT::Architecture=amd64",
    "APT::Architectures::=amd64",
    "APT::Architectures::=i386",
    `APT::Sandbox::User=${process.getuid?.() === 0 ? "root" : ""}`,
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}

async function record(name: string): Promise<PackageRecord | undefined> {
  const { output } = await runCommand("apt-cache", [...aptOptions(), "show", "--no-all-versions", `${name}:i386`]);
  return parsePackages(output, name).find(({ architecture }) => architecture === "i386");
}

async function find(name: string): Promise<PackageRecord> {
  if (!hasProgram("apt-get")) {
    throw new VmError("ERR_TOOL", `there is no apt here, which fetches Debian's ${name} for i386`);
  }
  const known = await record(name);
  if (known !== undefined) return known;
  await mkdir(join(DIRECTORY, "state", "lists", "partial"), { recursive: true });
  await mkdir(join(DIRECTORY, "cache", "archives", "partial"), { recursive: true });
  const { errors } = await runCommand("apt-get", [...aptOptions(), "update"]);
  const found = await record(name);
  if (found !== undefined) return found;
  const reason = /^E: (.+)$/m.exec(errors)?.[1] ?? "apt knows none";
  throw new VmError("ERR_DOWNLOAD", `cannot find Debian's package ${name} for i386: ${reason}`);
}

/** Fetches a package, its hash checked by apt's list, and writes the files that are wanted into the cache. */
async function extract({ name, version, sha256 }: PackageRecord, wanted: RegExp): Promise<string> {
  const folder = join(DIRECTORY, "files", `${name}_${version.replaceAll(/[^\w.+~-]/g, "%")}`);
  const complete = join(folder, ".complete");
  if (existsSync(complete)) return folder;
  await inTemporaryDirectory(DIRECTORY, async (directory) => {
    const { errors } = await runCommand("apt-get", [...aptOptions(), "download", `${name}:i386=${version}`], {
      cwd: directory,
    });
    const file = (await readdir(directory)).find((entry) => entry.endsWith(".deb"));
    if (file === undefined) {
      throw new VmError("ERR_DOWNLOAD", `cannot download Debian's ${name} for i386: ${errors.trim().split("\n")[0]}`);
    }
    const path = join(directory, file);
    const hash = await sha256OfFile(path);
    if (hash !== sha256) {
      throw new VmError("ERR_DOWNLOAD", `${name} for i386: the package's SHA-256 is ${hash}, expected ${sha256}`);
    }
    for (const member of await readPackageFiles(path, (inside) => wanted.test(inside))) {
      await writeWhole(join(folder, member.path), member.bytes);
    }
    await writeWhole(complete, "");
  });
  return folder;
}

/** Debian's 32-bit kernel, a bzImage for processors without PAE and better. */
export async function fetchI386Kernel(): Promise<{ readonly path: string; readonly version: string }> {
  const ready = await readdir(join(DIRECTORY, "files")).catch((): string[] => []);
  const cached = ready.find((name) => name.startsWith("linux-image-"));
  const folder = cached === undefined ? await kernelFolder() : join(DIRECTORY, "files", cached);
  const file = (await readdir(join(folder, "boot"))).find((name) => name.startsWith("vmlinuz-")) ?? "";
  return { path: join(folder, "boot", file), version: file.replace("vmlinuz-", "") };
}

async function kernelFolder(): Promise<string> {
  const meta = await find("linux-image-686");
  const name = /linux-image-[\w.+-]+-686/.exec(meta.depends)?.[0];
  if (name === undefined) {
    throw new VmError("ERR_DOWNLOAD", `linux-image-686 depends on "${meta.depends}", expected a package with a kernel`);
  }
  return extract(await find(name), /^boot\/vmlinuz-/);
}
