// Programs that npm cannot bring: Debian packages, installed through apt where this process may, and named where it may not.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { CACHE_DIRECTORY } from "./paths.mjs";
import { capture } from "./process.mjs";
import { say, step } from "./report.mjs";

/**
 * @typedef {object} DebianPackage
 * @property {string} name
 * @property {string} provides a command looked up on the PATH, or an absolute path of a file
 * @property {string} usedFor what is skipped without it
 * @property {readonly string[]} tasks the tasks that use it, see tasks.mjs
 */

/** @type {readonly DebianPackage[]} */
export const DEBIAN_PACKAGES = [
  { name: "gcc", provides: "gcc", usedFor: "recording hardware vectors", tasks: ["test", "oracle"] },
  {
    name: "libc6-dev",
    provides: "/usr/include/ucontext.h",
    usedFor: "recording hardware vectors",
    tasks: ["test", "oracle"],
  },
  {
    name: "binutils",
    provides: "objdump",
    usedFor: "comparing the disassembler with objdump",
    tasks: ["test", "oracle"],
  },
  { name: "acpica-tools", provides: "iasl", usedFor: "checking the ACPI tables with iasl", tasks: ["test"] },
  // Where /sbin is not on the PATH its programs still are there.
  {
    name: "e2fsprogs",
    provides: "/sbin/mke2fs",
    usedFor: "booting Debian's kernel on virtio disks",
    tasks: ["test", "test:system"],
  },
  { name: "util-linux", provides: "flock", usedFor: "locking disk images", tasks: ["test", "test:system"] },
  { name: "xz-utils", provides: "xz", usedFor: "kernel modules that are compressed with xz", tasks: ["test"] },
  {
    name: "debootstrap",
    provides: "/usr/sbin/debootstrap",
    usedFor: "comparing programs of a Debian system",
    tasks: ["test", "test:system"],
  },
  { name: "chromium", provides: "chromium", usedFor: "running the page in a browser", tasks: ["test"] },
];

/**
 * What `npm run bench -- slowdown` measures with. It asks for these itself: the other benchmarks need none of them.
 *
 * @type {readonly DebianPackage[]}
 */
const SLOWDOWN_PACKAGES = [
  ["gcc", "gcc", "building the workloads"],
  ["libc6-dev", "/usr/include/ucontext.h", "building the workloads"],
  ["gfortran", "gfortran", "building the workloads"],
  ["libblas-dev", "/usr/lib/x86_64-linux-gnu/blas/libblas.a", "the suite lapack"],
  ["liblapack-dev", "/usr/lib/x86_64-linux-gnu/lapack/liblapack.a", "the suite lapack"],
  ["libopenblas-serial-dev", "/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.a", "the suite openblas"],
  ["gcc-multilib", "/usr/lib32/libc.a", "32-bit programs for v86"],
  ["gfortran-multilib", "/usr/share/doc/gfortran-multilib", "32-bit programs for v86"],
  ["seabios", "/usr/share/seabios/bios.bin", "v86"],
  ["bubblewrap", "bwrap", "a container"],
  ["crun", "crun", "a container"],
  ["qemu-user", "qemu-x86_64", "qemu-user"],
  ["qemu-system-x86", "qemu-system-x86_64", "qemu-system and kvm"],
].map(([name = "", provides = "", usedFor = ""]) => ({ name, provides, usedFor, tasks: ["slowdown"] }));

/** An attempt that failed is not repeated for this long, so that working offline stays quick. */
const RETRY_AFTER_MS = 3_600_000;
const FAILED_ATTEMPT = join(CACHE_DIRECTORY, "apt-failed.json");

/**
 * @param {DebianPackage} wanted
 * @param {string} path the PATH
 */
export function isPresent(wanted, path = process.env["PATH"] ?? "") {
  if (wanted.provides.startsWith("/")) return existsSync(wanted.provides);
  return path.split(delimiter).some((directory) => directory !== "" && existsSync(join(directory, wanted.provides)));
}

/**
 * @param {string} task
 * @returns {DebianPackage[]}
 */
export function missingPackages(task) {
  return [...DEBIAN_PACKAGES, ...SLOWDOWN_PACKAGES].filter(
    (wanted) => wanted.tasks.includes(task) && !isPresent(wanted),
  );
}

/**
 * @param {readonly DebianPackage[]} missing
 * @param {string} why
 * @returns {string} one line that says what is missing, why it was not installed, and what is skipped
 */
export function missingLine(missing, why) {
  const names = missing.map(({ name }) => name).join(", ");
  const skipped = [...new Set(missing.map(({ usedFor }) => usedFor))].join(", ");
  return `missing Debian packages: ${names} (${why}); skipped without them: ${skipped}`;
}

/** @param {readonly DebianPackage[]} missing */
function failedRecently(missing) {
  try {
    const { at, names } = JSON.parse(readFileSync(FAILED_ATTEMPT, "utf8"));
    const age = Date.now() - at;
    return age >= 0 && age < RETRY_AFTER_MS && missing.every(({ name }) => names.includes(name));
  } catch {
    return false;
  }
}

/**
 * Installs what a task misses, or says in one line why it does not. Never fails: each package only widens what can be done.
 *
 * @param {string} task
 * @param {{ retry?: boolean }} [options] retry: forget an attempt that failed a short while ago
 */
export async function ensurePackages(task, options = {}) {
  const missing = missingPackages(task);
  if (missing.length === 0) return;
  if (!isPresent({ name: "apt", provides: "apt-get", usedFor: "", tasks: [] }))
    return say(missingLine(missing, "no apt here"));
  if (process.getuid?.() !== 0) return say(missingLine(missing, "not root"));
  if (!options.retry && failedRecently(missing))
    return say(missingLine(missing, "apt failed before; npm run setup tries again"));

  const names = missing.map(({ name }) => name);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () =>
    capture("apt-get", ["install", "--yes", "--no-install-recommends", ...names], { cwd: "/", env });
  const { code, output } = await step(`installing Debian packages: ${names.join(", ")}`, async () => {
    const first = await install();
    if (first.code === 0) return first;
    // A fresh machine has no package lists yet, and an old one has stale ones.
    await capture("apt-get", ["update"], { cwd: "/", env });
    return install();
  });
  if (code === 0) return rmSync(FAILED_ATTEMPT, { force: true });
  mkdirSync(dirname(FAILED_ATTEMPT), { recursive: true });
  writeFileSync(FAILED_ATTEMPT, JSON.stringify({ at: Date.now(), names }));
  const reason = /^E: (.+)$/m.exec(output)?.[1] ?? `apt-get ended with code ${code}`;
  say(missingLine(missing, `apt-get: ${reason}`));
}
