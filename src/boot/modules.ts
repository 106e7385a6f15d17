import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { ArchiveEntry } from "../../runtime/boot/cpio.ts";
import { VmError } from "../errors.ts";
import { hasProgram } from "./command.ts";
import { readPackageFiles } from "./deb.ts";
import { moduleName, readModuleInfo } from "./module-info.ts";

/** A kernel module as insmod takes it. */
export interface ModuleFile {
  /** with "_" for every "-" */
  readonly name: string;
  /** in the package, without the ending of a compressed file: "lib/modules/6.1.0/kernel/fs/fuse/fuse.ko" */
  readonly path: string;
  /** decompressed */
  readonly bytes: Uint8Array;
}

const MODULE_FILE = /(?:^|\/)lib\/modules\/.*\/([^/]+)\.ko(\.gz|\.xz|\.zst)?$/;
const BUILT_IN_LIST = /(?:^|\/)lib\/modules\/[^/]+\/modules\.builtin$/;
/** Where `moduleEntries` puts modules, and the file that says in which order they are loaded. */
const DIRECTORY = "lib/modules";
const LIST = "etc/modules-to-load";

/**
 * Takes modules out of a kernel's Debian package, with all that they need, each after what it needs: insmod loads them in this order.
 *
 * What the kernel has built in is left out. The package has no modules.dep (that is made where it is installed), so that the modules
 * themselves are asked what they depend on.
 *
 * @param packagePath the .deb file, see `fetchDebian().kernel.packagePath`
 * @param names such as "virtio_blk" or "virtio-blk"
 * @throws {VmError} ERR_CONFIG when the kernel has no such module, ERR_DOWNLOAD when a module is damaged or the package is,
 *   ERR_TOOL when a program that unpacks them is missing
 */
export async function moduleFiles(packagePath: string, names: readonly string[]): Promise<ModuleFile[]> {
  const packed = new Map<string, PackedModule>();
  const builtIn = new Set<string>();
  const wanted = (path: string): boolean => MODULE_FILE.test(path) || BUILT_IN_LIST.test(path);
  for (const { path, bytes } of await readPackageFiles(packagePath, wanted)) {
    const [, name, compression = ""] = MODULE_FILE.exec(path) ?? [];
    if (name === undefined) for (const line of builtInModules(bytes)) builtIn.add(line);
    else packed.set(moduleName(name), { path: path.slice(0, path.length - compression.length), compression, bytes });
  }

  const ordered: ModuleFile[] = [];
  const done = new Set<string>(builtIn);
  const add = async (name: string, neededBy: string | undefined): Promise<void> => {
    if (done.has(name)) return;
    // Marked first: modules cannot depend on one another in a circle, but a damaged package can say so.
    done.add(name);
    const found = packed.get(name);
    if (found === undefined) {
      const why = neededBy === undefined ? "" : `, which ${neededBy} needs`;
      throw new VmError("ERR_CONFIG", `${packagePath} has no kernel module ${name}${why}, expected one`);
    }
    const bytes = await decompress(found);
    const info = readModuleInfo(bytes);
    if (info === undefined)
      throw new VmError("ERR_DOWNLOAD", `${packagePath}: ${found.path} is damaged: no kernel module for 64 bits`);
    for (const soft of info.softDepends) if (packed.has(soft)) await add(soft, name);
    for (const needed of info.depends) await add(needed, name);
    ordered.push({ name, path: found.path, bytes });
  };
  for (const name of names) await add(moduleName(name), undefined);
  return ordered;
}

/** Files of an initial RAM disk for `busyboxInitramfs({ extra })`, whose init loads the modules before anything else is done. */
export function moduleEntries(files: readonly ModuleFile[]): ArchiveEntry[] {
  if (files.length === 0) return [];
  const paths = files.map(({ name }) => `${DIRECTORY}/${name}.ko`);
  return [
    ...files.map(({ bytes }, index): ArchiveEntry => ({ kind: "file", path: paths[index] ?? "", bytes })),
    { kind: "file", path: LIST, bytes: new TextEncoder().encode(paths.map((path) => `/${path}\n`).join("")) },
  ];
}

interface PackedModule {
  readonly path: string;
  /** "", ".gz", ".xz" or ".zst" */
  readonly compression: string;
  readonly bytes: Uint8Array;
}

/** modules.builtin has a line for each: "kernel/fs/ext4/ext4.ko". */
function builtInModules(bytes: Uint8Array): string[] {
  return [...new TextDecoder().decode(bytes).matchAll(/([^/\n]+)\.ko$/gm)].map((match) => moduleName(match[1] ?? ""));
}

async function decompress({ path, compression, bytes }: PackedModule): Promise<Uint8Array> {
  try {
    if (compression === ".gz") return gunzipSync(bytes);
    if (compression === ".zst") return zstdDecompressSync(bytes);
    if (compression === ".xz") return await unxz(bytes);
    return bytes;
  } catch (cause) {
    if (cause instanceof VmError || !(cause instanceof Error)) throw cause;
    throw new VmError("ERR_DOWNLOAD", `${path}${compression} cannot be decompressed: ${cause.message}`, { cause });
  }
}

/** Node.js has no LZMA. */
async function unxz(bytes: Uint8Array): Promise<Uint8Array> {
  if (!hasProgram("xz")) {
    throw new VmError(
      "ERR_TOOL",
      "xz is missing, which decompresses kernel modules; install the package xz-utils of your system",
    );
  }
  const child = spawn("xz", ["--decompress", "--stdout"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 1));
  });
  // When xz gives up it closes the pipe; its exit code tells the rest.
  child.stdin.on("error", () => undefined).end(bytes);
  const output = await buffer(child.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`xz ended with code ${code}`);
  return output;
}
