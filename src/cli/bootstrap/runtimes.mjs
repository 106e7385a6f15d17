// The JavaScript runtimes that the tests run the package in besides the pinned Node.js: test/runtimes/package.json. They have a lock file of
// their own, because only the tests need them, and go on without them.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npmReason } from "./dependencies.mjs";
import { CACHE_DIRECTORY, ROOT } from "./paths.mjs";
import { capture, outerEnvironment } from "./process.mjs";
import { say, step } from "./report.mjs";

const DIRECTORY = join("test", "runtimes");
const SKIPPED = "skipped without them: the package in Node.js 24, Deno and Bun";
/** An attempt that failed is not repeated for this long, so that working offline stays quick. */
const RETRY_AFTER_MS = 3_600_000;
const FAILED_ATTEMPT = join(CACHE_DIRECTORY, "runtimes-failed.json");

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {string | string[]} [os]
 * @property {string | string[]} [cpu]
 */

/**
 * @param {string} directory
 * @param {string} file
 * @returns {Record<string, LockEntry> | undefined} undefined when there is no such file
 */
function lockedPackages(directory, file) {
  try {
    return JSON.parse(readFileSync(join(directory, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * Whether all that the lock file has for this platform is installed.
 *
 * @param {string} [directory] of the lock file and node_modules
 */
export function runtimesAreCurrent(directory = join(ROOT, DIRECTORY)) {
  const wanted = lockedPackages(directory, "package-lock.json");
  if (wanted === undefined) return true;
  const present = lockedPackages(directory, join("node_modules", ".package-lock.json")) ?? {};
  return Object.entries(wanted).every(([path, { version, integrity, os, cpu }]) => {
    const isForThis = [os ?? []].flat().includes(process.platform) && [cpu ?? []].flat().includes(process.arch);
    if (path === "" || !isForThis) return true;
    return present[path]?.version === version && present[path]?.integrity === integrity;
  });
}

function failedRecently() {
  try {
    const age = Date.now() - JSON.parse(readFileSync(FAILED_ATTEMPT, "utf8")).at;
    return age >= 0 && age < RETRY_AFTER_MS;
  } catch {
    return false;
  }
}

/**
 * Installs the runtimes, or says in one line why it does not. Never fails.
 *
 * @param {{ retry?: boolean }} [options] retry: forget an attempt that failed a short while ago
 */
export async function ensureRuntimes(options = {}) {
  if (runtimesAreCurrent()) return;
  if (!options.retry && failedRecently())
    return say(`missing runtimes (npm failed before; npm run setup tries again); ${SKIPPED}`);
  const args = ["ci", "--include=optional", "--fetch-retries=2", "--fetch-retry-mintimeout=1000"];
  const { code, output } = await step("installing the runtimes that the tests use", () =>
    capture("npm", args, { cwd: join(ROOT, DIRECTORY), env: outerEnvironment() }),
  );
  if (code === 0 && runtimesAreCurrent()) {
    if (existsSync(FAILED_ATTEMPT)) rmSync(FAILED_ATTEMPT);
    return;
  }
  mkdirSync(CACHE_DIRECTORY, { recursive: true });
  writeFileSync(FAILED_ATTEMPT, JSON.stringify({ at: Date.now() }));
  // npm goes on without optional packages that it cannot fetch.
  const reason = code === 0 ? "npm left some out" : npmReason(code, output);
  say(`missing runtimes (${reason}); ${SKIPPED}`);
}
