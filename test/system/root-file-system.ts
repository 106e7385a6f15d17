import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDirectory, inTemporaryDirectory, onDisk } from "../../src/boot/cache.ts";
import { type CommandOptions, type CommandOutcome, hasProgram, runCommand } from "../../src/boot/command.ts";
import { VmError } from "../../src/errors.ts";
import { debootstrapSource } from "./mirror.ts";
import { RECIPE, recipeKey } from "./recipe.ts";

/** A Debian system, twice: as a folder to chroot into, and as a disk image with the same files. */
export interface RootFileSystem {
  readonly tree: string;
  readonly image: string;
}

export type Note = (line: string) => void;

/** Lines of debootstrap between two lines of progress. */
const PROGRESS_STEP = 100;

/** Systems that were not used for this long may go. */
const UNUSED_MS = 7 * 86_400_000;

/** Programs of the host that building and running need, and the Debian packages that bring them. */
const TOOLS = {
  debootstrap: "debootstrap",
  mke2fs: "e2fsprogs",
  debugfs: "e2fsprogs",
  e2fsck: "e2fsprogs",
  unshare: "util-linux",
} as const;

/** Where /sbin is not on the PATH its programs still are there. */
const TOOL_PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

/** Runs one of the TOOLS, see `runCommand`. */
export function runTool(
  tool: keyof typeof TOOLS,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> {
  return runCommand(tool, args, { ...options, environment: { PATH: TOOL_PATH, ...options.environment } });
}

/** @returns why a Debian system can be neither built nor run natively here; undefined when it can */
export function whyNoRootFileSystem(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "it needs Linux on x86-64";
  if (process.getuid?.() !== 0) return "it needs root for debootstrap and chroot";
  const missing = Object.entries(TOOLS).find(([tool]) => !hasProgram(tool, TOOL_PATH));
  return missing && `${missing[0]} is missing (Debian package ${missing[1]})`;
}

/** Whether the system of the recipe has been built. */
export async function hasRootFileSystem(): Promise<boolean> {
  return exists(join(cacheDirectory(), "system", recipeKey()));
}

/**
 * The Debian system of the recipe, from the user's cache or built into it.
 *
 * @param rebuild build it anew, with the packages that the mirror has now
 * @throws {VmError} ERR_TOOL when it cannot be built here, ERR_DOWNLOAD when debootstrap fails
 */
export async function rootFileSystem(note: Note, rebuild = false): Promise<RootFileSystem> {
  const directory = join(cacheDirectory(), "system", recipeKey());
  const found = { tree: join(directory, "tree"), image: join(directory, "root.img") };
  const reason = whyNoRootFileSystem();
  if (reason !== undefined) throw new VmError("ERR_TOOL", `no Debian system: ${reason}`);
  if (!rebuild && (await exists(directory))) {
    await onDisk(`touch ${directory}`, () => utimes(directory, new Date(), new Date()));
    return found;
  }
  await removeUnused(dirname(directory));
  await inTemporaryDirectory(dirname(directory), async (partial) => {
    const tree = join(partial, "result", "tree");
    await onDisk(`write to ${partial}`, () => mkdir(tree, { recursive: true }));
    await bootstrap(tree, note);
    note("making the disk image");
    await makeImage(join(partial, "result", "root.img"), RECIPE.imageMebibytes, tree);
    await onDisk(`write ${directory}`, async () => {
      // Another process may have been quicker; what it built may be in use by now.
      if (rebuild) await rm(directory, { recursive: true, force: true });
      if (!(await exists(directory))) await rename(join(partial, "result"), directory);
    });
  });
  note(`the Debian system is in ${directory}`);
  return found;
}

/** Removes systems of other recipes, and what builds that were killed left, when nobody has used them for some days. */
async function removeUnused(cache: string): Promise<void> {
  const names = await readdir(cache).catch(() => []);
  for (const name of names) {
    const path = join(cache, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > UNUSED_MS) await rm(path, { recursive: true, force: true });
  }
}

async function bootstrap(tree: string, note: Note): Promise<void> {
  const { suite, variant, packages, directories, removed } = RECIPE;
  const { mirror, environment } = await debootstrapSource(suite);
  note(`building a Debian ${suite} system, once, with ${packages.length} packages and what they need (a few minutes)`);
  let lines = 0;
  const outcome = await runTool(
    "unshare",
    [
      // What debootstrap mounts is gone with it, however it ends.
      "--mount",
      "debootstrap",
      `--variant=${variant}`,
      `--include=${packages.join(",")}`,
      suite,
      tree,
      ...(mirror === undefined ? [] : [mirror]),
    ],
    {
      environment,
      onLine: (line) => {
        if (++lines % PROGRESS_STEP === 0) note(`debootstrap: ${line.replace(/^I: /, "")}`);
      },
    },
  );
  if (outcome.code !== 0) throw failure("debootstrap", outcome);
  await onDisk(`write to ${tree}`, async () => {
    for (const path of removed) await rm(join(tree, path), { recursive: true, force: true });
    for (const path of directories) await mkdir(join(tree, path), { recursive: true });
    // No name server: what a program of a machine without a network finds out, it finds out at once.
    await writeFile(join(tree, "etc", "resolv.conf"), "");
    await writeFile(join(tree, "etc", "hostname"), "umbra\n");
  });
}

/**
 * Makes an ext4 image with the files of a folder. Nothing is mounted.
 *
 * @throws {VmError} ERR_TOOL with the reason of mke2fs
 */
export async function makeImage(path: string, mebibytes: number, tree: string): Promise<void> {
  const outcome = await runTool("mke2fs", ["-q", "-F", "-t", "ext4", "-d", tree, path, `${mebibytes}M`]);
  if (outcome.code !== 0) throw failure("mke2fs", outcome);
}

function failure(program: string, { code, output, errors }: CommandOutcome): VmError {
  const reason =
    `${errors}\n${output}`.match(/^(?:E: |W: Failure|mke2fs: ).+$/gm)?.at(-1) ?? `it ended with code ${code}`;
  return new VmError(program === "debootstrap" ? "ERR_DOWNLOAD" : "ERR_TOOL", `${program}: ${reason}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
