import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { VmError } from "../errors.ts";

/** Where files that were fetched for this user are kept: $XDG_CACHE_HOME/umbra, else ~/.cache/umbra. XDG Base Directory Specification. */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = environment["XDG_CACHE_HOME"];
  // The specification says to ignore a relative path.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), ".cache"), "umbra");
}

/** Runs `work`, and says in one line which file could not be read or written. */
export async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof VmError || !(cause instanceof Error)) throw cause;
    throw new VmError("ERR_FILE", `cannot ${what}: ${cause.message}`, { cause });
  }
}

/** Writes a file so that it is either there as a whole or not at all, also when two processes write it. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await onDisk(`write ${path}`, async () => {
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}`);
    try {
      await writeFile(temporary, content, { flush: true });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

/** Gives `work` a directory of its own beside the files it is for, so that they can be moved, and removes it afterwards. */
export async function inTemporaryDirectory<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await onDisk(`write to ${parent}`, async () => {
    await mkdir(parent, { recursive: true });
    return mkdtemp(join(parent, "partial-"));
  });
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** SHA-256 of a file in hexadecimal; undefined when it cannot be read. */
export async function sha256OfFile(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch {
    return undefined;
  }
  return hash.digest("hex");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
