import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory, inTemporaryDirectory } from "../../src/boot/cache.ts";
import { hasProgram, runCommand } from "../../src/boot/command.ts";
import { VmError } from "../../src/errors.ts";

/** Where Debian's sources of the reference LAPACK are kept. */
const DIRECTORY = join(cacheDirectory(), "bench", "lapack-source");
/** Folders of the sources that hold routines, in the order in which a name is looked up. */
const FOLDERS = ["BLAS/SRC", "SRC", "INSTALL"];
/** Fortran modules that routines use, in the order in which they must be compiled. */
const MODULES = ["SRC/la_constants.f90", "SRC/la_xisnan.F90"];

/**
 * A static library of reference routines, compiled from Debian's sources.
 *
 * Debian's own 32-bit library is made for processors without SSE2 and computes on the x87, which no program for a processor of this
 * century does: comparing with it would wrong whoever runs 32-bit programs.
 *
 * @param members routines, as the 64-bit library calls its members: "dgesv", "dgemm"
 * @param flags of the compiler
 * @returns path of the archive
 * @throws {VmError} ERR_TOOL, ERR_DOWNLOAD
 */
export async function compileReference(members: readonly string[], flags: readonly string[]): Promise<string> {
  const sources = await fetchSources();
  const key = createHash("sha256")
    .update(JSON.stringify([members, flags, sources]))
    .update((await runCommand("gfortran", ["--version"])).output)
    .digest("hex");
  const archive = join(DIRECTORY, `reference-${key.slice(0, 20)}.a`);
  if (existsSync(archive)) return archive;
  const found = await Promise.all(members.map((name) => sourceOf(sources, name)));
  const modules = MODULES.map((path) => join(sources, path)).filter((path) => existsSync(path));
  const files = [...modules, ...found.filter((path) => path !== undefined && !modules.includes(path))];
  await inTemporaryDirectory(DIRECTORY, async (directory) => {
    await run("gfortran", ["-O2", ...flags, "-c", ...files.filter((path) => path !== undefined)], directory);
    const objects = (await readdir(directory)).filter((name) => name.endsWith(".o"));
    await run("ar", ["rcs", "reference.a", ...objects], directory);
    await rename(join(directory, "reference.a"), archive);
  });
  return archive;
}

async function run(program: string, args: readonly string[], directory: string): Promise<void> {
  const { code, errors } = await runCommand(program, args, { cwd: directory });
  if (code === 0) return;
  const reason = errors.split("\n").find((line) => /error/i.test(line)) ?? `code ${code}`;
  throw new VmError("ERR_TOOL", `${program} cannot compile the reference LAPACK: ${reason.trim()}`);
}

async function sourceOf(sources: string, name: string): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    for (const extension of ["f", "f90", "F90"]) {
      const path = join(sources, folder, `${name}.${extension}`);
      if (existsSync(path)) return path;
    }
  }
  return undefined;
}

/** Folder of the unpacked sources, fetched through apt unless they are there; apt checks signatures and hashes. */
async function fetchSources(): Promise<string> {
  const unpacked = join(DIRECTORY, "unpacked");
  if (existsSync(unpacked)) return unpacked;
  if (!hasProgram("apt-get")) {
    throw new VmError("ERR_TOOL", "there is no apt here, which fetches the sources of Debian's lapack");
  }
  const lists = join(DIRECTORY, "lists");
  const cache = join(DIRECTORY, "cache");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  // The system's repositories, asked for sources, which it need not be set up for.
  const list = join(DIRECTORY, "sources.list");
  const { output } = await runCommand("apt-get", [
    "indextargets",
    "--format",
    "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)",
    "Created-By: Packages",
    "Origin: Debian",
  ]);
  await writeFile(list, `${[...new Set(output.trim().split("\n"))].join("\n")}\n`);
  const settings = [
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    `Dir::Etc::sourcelist=${list}`,
    "Dir::Etc::sourceparts=-",
    `APT::Sandbox::User=${process.getuid?.() === 0 ? "root" : ""}`,
  ].flatMap((setting) => ["-o", setting]);
  await inTemporaryDirectory(DIRECTORY, async (directory) => {
    await runCommand("apt-get", [...settings, "update"]);
    const source = await runCommand("apt-get", [...settings, "source", "--download-only", "lapack"], {
      cwd: directory,
    });
    const archive = (await readdir(directory)).find((name) => /^lapack_.*\.orig\.tar\.\w+$/.test(name));
    if (source.code !== 0 || archive === undefined) {
      const reason = /^E: (.+)$/m.exec(source.errors)?.[1] ?? `apt-get ended with code ${source.code}`;
      throw new VmError("ERR_DOWNLOAD", `cannot fetch the sources of Debian's lapack: ${reason}`);
    }
    const target = join(directory, "tree");
    await mkdir(target);
    await run("tar", ["-xf", archive, "-C", target, "--strip-components=1"], directory);
    await rename(target, unpacked);
  });
  return unpacked;
}
