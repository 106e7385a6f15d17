import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { inject } from "vitest";
import { outerEnvironment } from "../../src/cli/bootstrap/process.mjs";
import { pack, type Packed } from "../../src/package/pack.ts";

/** A new project, with nothing in it but the package as npm would publish it. */
export interface EmptyProject {
  readonly directory: string;
  readonly packed: Packed;
  /** Writes a file of the project. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Runs a program in the project, and gives what it printed. */
  run(program: string, args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** For `emptyProject`, on a machine that has much else to do. */
export const PACKING_MS = 240_000;

/** For one program. */
const RUN_MS = 170_000;

/** What a shell outside of the checkout would have, and where Debian's kernel is cached or comes from. */
function plainEnvironment(): Record<string, string> {
  const names = /^(?:PATH|HOME|XDG_CACHE_HOME|UMBRA_\w+|https?_proxy|no_proxy)$/i;
  const wanted = Object.entries(outerEnvironment()).filter(([name, value]) => names.test(name) && value !== undefined);
  return Object.fromEntries(wanted) as Record<string, string>;
}

/** Installs the package, as it is packed, without a network. */
export async function emptyProject(): Promise<EmptyProject> {
  const directory = await mkdtemp(join(tmpdir(), "umbra-project-"));
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(program, [...args], {
      cwd: directory,
      env: plainEnvironment(),
      timeout: RUN_MS,
    });
    return stdout;
  };
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(join(directory, name, ".."), { recursive: true });
    await writeFile(join(directory, name), content);
  };
  const packed = await packOnce(inject("packFolder"));
  await write("package.json", JSON.stringify({ name: "project", private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", packed.tarball]);
  return { directory, packed, write, run, remove: () => rm(directory, { recursive: true, force: true }) };
}

interface Outcome {
  readonly packed?: Packed;
  readonly error?: string;
}

/** Packs in the first thread that comes; packing builds dist/ anew, which two must not do at once. */
async function packOnce(folder: string): Promise<Packed> {
  const file = join(folder, "outcome.json");
  const isFirst = await mkdir(join(folder, "begun")).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    const outcome = await pack(folder).then(
      (packed): Outcome => ({ packed }),
      (cause: unknown): Outcome => ({ error: String(cause) }),
    );
    await writeFile(`${file}.new`, JSON.stringify(outcome));
    await rename(`${file}.new`, file);
  }
  for (const deadline = Date.now() + PACKING_MS; Date.now() < deadline; await sleep(100)) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const { packed, error } = JSON.parse(text) as Outcome;
    if (packed) return packed;
    throw new Error(`the package could not be packed: ${error}`);
  }
  throw new Error("another test has not packed the package in time");
}
