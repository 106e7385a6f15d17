import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./layout.ts";

/** A relative module as declarations name it: the compiler leaves them the endings of the sources. */
const RELATIVE = /(?<=\b(?:from |import |import\())"(\.{1,2}\/[^"]+)\.ts"/g;

/** Builds the declarations, the same for all platforms: those of src/index.ts, and what they refer to, in the folders of the sources. */
export async function buildTypes(dist: string): Promise<void> {
  const directory = join(dist, "types");
  const emitted = await mkdtemp(join(tmpdir(), "umbra-types-"));
  try {
    await compile(emitted);
    await rm(directory, { recursive: true, force: true });
    for (const [name, text] of await reachable(emitted, "src/index.d.ts")) {
      await mkdir(join(directory, dirname(name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function compile(outDir: string): Promise<void> {
  const program = join(ROOT, "node_modules/typescript/bin/tsc");
  const project = join(ROOT, "src/package/tsconfig.types.json");
  try {
    await promisify(execFile)(process.execPath, [program, "-p", project, "--outDir", outDir], { cwd: ROOT });
  } catch (error) {
    const { stdout = "" } = error as { readonly stdout?: string };
    throw new Error(`the declarations cannot be built:\n${stdout}`, { cause: error });
  }
}

/**
 * A declaration file and those that it refers to, directly or not. The compiler emits the declarations of the whole program: most are
 * nobody's business, and some speak of modules that who installs the package does not have.
 */
async function reachable(directory: string, entry: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const pending = [entry];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (files.has(name)) continue;
    const text = await readFile(join(directory, name), "utf8");
    files.set(name, text.replaceAll(RELATIVE, '"$1.js"'));
    for (const [, module] of text.matchAll(RELATIVE)) pending.push(posix.join(posix.dirname(name), `${module}.d.ts`));
  }
  return files;
}
