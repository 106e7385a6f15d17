import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory, inTemporaryDirectory } from "../../src/boot/cache.ts";
import { hasProgram, runCommand } from "../../src/boot/command.ts";
import { VmError } from "../../src/errors.ts";
import type { Word } from "../peers/engine.ts";
import { compileReference } from "./lapack-source.ts";
import type { Suite } from "./suites.ts";

const WORKLOADS = fileURLToPath(new URL("../workloads", import.meta.url));

/** The first process of a virtual machine. */
export const INIT_PROGRAM = "init";

export type ProgramName = Suite | typeof INIT_PROGRAM;

/** Baseline x86-64, no reordering of floating point, no fused operations: the same operations wherever the program runs. */
const FLAGS = [
  "-O2",
  "-std=gnu11",
  "-Wall",
  "-Wextra",
  "-Wno-missing-field-initializers",
  "-ffp-contract=off",
  "-static",
  "-s",
];
/** 32-bit code as it is built for processors of this century: SSE2, not the x87. */
const WORD_FLAGS: Readonly<Record<Word, readonly string[]>> = { 64: [], 32: ["-m32", "-msse2", "-mfpmath=sse"] };
const FORTRAN_LIBRARIES = ["-lgfortran", "-lquadmath"];
const REFERENCE_LIBRARIES = ["lapack/liblapack.a", "blas/libblas.a"].map((path) =>
  join("/usr/lib/x86_64-linux-gnu", path),
);
const OPENBLAS_LIBRARIES = ["serial", "pthread"].map(
  (kind) => `/usr/lib/x86_64-linux-gnu/openblas-${kind}/libopenblas.a`,
);

/** What a program is made of. */
interface Recipe {
  /** folder of its sources below bench/workloads */
  readonly folder: string;
  readonly flags: readonly string[];
  /** static archives, by path */
  readonly archives: readonly string[];
  /** libraries of the compiler's */
  readonly libraries: readonly string[];
}

async function recipeOf(name: ProgramName, word: Word): Promise<Recipe> {
  const plain = { folder: name, flags: [], archives: [], libraries: ["-lm", "-lpthread"] };
  switch (name) {
    case "lapack": {
      const archives = word === 64 ? REFERENCE_LIBRARIES : [await referenceFor32()];
      return {
        ...plain,
        archives: demand(archives, "libblas-dev liblapack-dev"),
        libraries: [...FORTRAN_LIBRARIES, "-lm"],
      };
    }
    case "openblas": {
      const archive = OPENBLAS_LIBRARIES.find((path) => existsSync(path)) ?? OPENBLAS_LIBRARIES[0] ?? "";
      return {
        folder: "lapack",
        flags: ['-DSUITE="openblas"', "-DOPENBLAS"],
        archives: demand([archive], "libopenblas-serial-dev"),
        libraries: [...FORTRAN_LIBRARIES, "-lm", "-lpthread"],
      };
    }
    case "fp":
      return { ...plain, libraries: [...FORTRAN_LIBRARIES, "-lm"] };
    case "stream":
    case "integer":
    case "os":
    case "jit":
    case INIT_PROGRAM:
      return plain;
  }
}

/** The reference library for 32-bit programs: the routines that the 64-bit program takes out of Debian's library. */
async function referenceFor32(): Promise<string> {
  demandCompiler("gfortran");
  const sources = (await sourcesIn("lapack")).filter((path) => path.endsWith(".c"));
  const archives = demand(REFERENCE_LIBRARIES, "libblas-dev liblapack-dev");
  const listed = await inTemporaryDirectory(join(cacheDirectory(), "bench"), (directory) =>
    // Twice -t: the linker names the members of archives as it takes them.
    runCommand("gcc", [
      ...[...FLAGS, ...sources, "-o", join(directory, "lapack"), "-Wl,-t,-t"],
      ...[...archives, ...FORTRAN_LIBRARIES, "-lm"],
    ]),
  );
  const members = [...listed.output.matchAll(/lib(?:lapack|blas)\.a[()]+(\w+)\.o/g)].map(([, name = ""]) => name);
  return compileReference([...new Set(members)].toSorted(), WORD_FLAGS[32]);
}

function demand(archives: readonly string[], packages: string): readonly string[] {
  const missing = archives.find((path) => !existsSync(path));
  if (missing === undefined) return archives;
  throw new VmError("ERR_TOOL", `${missing} is missing; apt-get install ${packages}`);
}

function demandCompiler(name: "gcc" | "gfortran"): void {
  if (hasProgram(name)) return;
  throw new VmError("ERR_TOOL", `there is no ${name}, which compiles the workloads; apt-get install ${name}`);
}

/** Programs that are built or being built, by name and word. */
const building = new Map<string, Promise<string>>();

/**
 * Path of a static program, compiled now unless the cache has it. The cache is keyed by everything that it is made from: sources,
 * flags, the compiler's version and the libraries' bytes.
 *
 * @throws {VmError} ERR_TOOL when a compiler or a library is missing, or when it cannot compile
 */
export function buildProgram(name: ProgramName, word: Word): Promise<string> {
  const key = `${name}-${word}`;
  const known = building.get(key) ?? build(name, word);
  building.set(key, known);
  return known;
}

async function build(name: ProgramName, word: Word): Promise<string> {
  demandCompiler("gcc");
  const recipe = await recipeOf(name, word);
  const sources = await sourcesIn(recipe.folder);
  const fortran = sources.filter((path) => path.endsWith(".f90"));
  if (fortran.length > 0 || recipe.libraries.includes("-lgfortran")) demandCompiler("gfortran");
  const flags = [...FLAGS, ...WORD_FLAGS[word], ...recipe.flags];
  const hash = createHash("sha256");
  hash.update((await runCommand("gcc", ["--version"])).output);
  hash.update(JSON.stringify([flags, recipe.libraries]));
  for (const path of [...sources, ...recipe.archives]) {
    hash.update(relative(WORKLOADS, path));
    hash.update(await readFile(path));
  }
  const folder = join(cacheDirectory(), "bench", `${name}-${word}-${hash.digest("hex").slice(0, 20)}`);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  await inTemporaryDirectory(folder, async (directory) => {
    const objects: string[] = [];
    for (const path of fortran) {
      const object = join(directory, `${objects.length}.o`);
      await compile("gfortran", ["-O2", ...WORD_FLAGS[word], "-c", path, "-o", object], name, word);
      objects.push(object);
    }
    const output = join(directory, name);
    const c = sources.filter((path) => path.endsWith(".c"));
    await compile(
      "gcc",
      [...flags, ...c, ...objects, "-o", output, ...recipe.archives, ...recipe.libraries],
      name,
      word,
    );
    await rename(output, program);
  });
  return program;
}

async function sourcesIn(folder: string): Promise<string[]> {
  const listed = await Promise.all(
    [folder, "harness"].map(async (name) =>
      (await readdir(join(WORKLOADS, name))).map((file) => join(WORKLOADS, name, file)),
    ),
  );
  return listed.flat().toSorted();
}

async function compile(compiler: string, args: readonly string[], name: ProgramName, word: Word): Promise<void> {
  const { code, errors } = await runCommand(compiler, args);
  if (code === 0) return;
  const reason = errors.split("\n").find((line) => /error|cannot find|No such file/.test(line)) ?? `code ${code}`;
  const hint = word === 32 ? "; 32-bit programs need apt-get install gcc-multilib gfortran-multilib" : "";
  throw new VmError("ERR_TOOL", `${compiler} cannot build the ${word}-bit program ${name}: ${reason.trim()}${hint}`);
}
