import { VmError } from "../../src/errors.ts";

/** The suites with their workloads, in the order in which they run: bench/workloads holds a program for each. */
export const SUITES = {
  lapack: ["dgemm", "dgesv", "dgetrf", "dpotrf", "dgeqrf", "dsyev", "dgesvd", "zgesv"],
  openblas: ["dgemm", "dgesv", "dgetrf", "dpotrf", "dgeqrf", "dsyev", "dgesvd", "zgesv"],
  stream: ["copy", "scale", "add", "triad"],
  fp: [
    "nbody",
    "mandelbrot",
    "spectral-norm",
    "fft",
    "jacobi-fortran",
    "sin-cos",
    "exp-log",
    "pow",
    "packed-double",
    "packed-single",
    "x87",
  ],
  integer: [
    "sieve",
    "sha256",
    "crc32",
    "qsort",
    "hash-table",
    "matrix",
    "bytecode",
    "pointer-chase",
    "fib",
    "indirect-call",
    "lz",
  ],
  os: ["getppid", "signal", "page-faults", "mmap", "files", "fork", "exec", "pipe", "futex", "threads"],
  jit: ["generate", "hot-loop", "patch", "mixed-page"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Suite = keyof typeof SUITES;

export const SUITE_NAMES = Object.keys(SUITES) as readonly Suite[];

/** What to run: of each suite the names of its workloads. */
export type Selection = ReadonlyMap<Suite, readonly string[]>;

function isSuite(name: string): name is Suite {
  return Object.hasOwn(SUITES, name);
}

/**
 * Reads "lapack,fp/fft": suites, and single workloads of suites.
 *
 * @throws {VmError} ERR_CONFIG for a name that there is not
 */
export function parseSelection(text: string | undefined): Selection {
  const chosen = new Map<Suite, Set<string>>();
  for (const part of text === undefined ? SUITE_NAMES : text.split(",")) {
    const [suite = "", workload, ...rest] = part.trim().split("/");
    if (!isSuite(suite) || rest.length > 0) {
      throw new VmError("ERR_CONFIG", `--suite: "${part}" is none of ${SUITE_NAMES.join(", ")}`);
    }
    const known: readonly string[] = SUITES[suite];
    if (workload !== undefined && !known.includes(workload)) {
      throw new VmError("ERR_CONFIG", `--suite: ${suite} has no workload "${workload}"; it has ${known.join(", ")}`);
    }
    const names = chosen.get(suite) ?? new Set();
    for (const name of workload === undefined ? known : [workload]) names.add(name);
    chosen.set(suite, names);
  }
  return new Map(
    SUITE_NAMES.filter((suite) => chosen.has(suite)).map((suite) => [
      suite,
      SUITES[suite].filter((name) => chosen.get(suite)?.has(name)),
    ]),
  );
}

/** How many workloads there are in all. */
export function countWorkloads(selection: Selection): number {
  return [...selection.values()].reduce((count, names) => count + names.length, 0);
}
