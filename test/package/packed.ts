import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pack, type Packed } from "../../src/package/pack.ts";

/** A new project, with nothing in it but the package as npm would publish it. */
export interface EmptyProject {
  readonly directory: string;
  readonly packed: Packed;
  /** Writes a file of the project. */
  write(name: string, content: string): Promise<void>;
  /** Runs a program in the project, and gives what it printed. */
  run(program: string, args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Packs the package and installs it, without a network. */
export async function emptyProject(): Promise<EmptyProject> {
  const directory = await mkdtemp(join(tmpdir(), "umbra-project-"));
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(program, [...args], { cwd: directory, timeout: 120_000 });
    return stdout;
  };
  const write = async (name: string, content: string): Promise<void> => {
    await mkdir(join(directory, name, ".."), { recursive: true });
    await writeFile(join(directory, name), content);
  };
  const packed = await pack(directory);
  await write("package.json", JSON.stringify({ name: "project", private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", packed.tarball]);
  return { directory, packed, write, run, remove: () => rm(directory, { recursive: true, force: true }) };
}
