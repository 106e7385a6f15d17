// The npm dependencies of package-lock.json, and the pinned Node.js that is one of them.

import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { PINNED_NODE, ROOT } from "./paths.mjs";
import { capture, outerEnvironment } from "./process.mjs";
import { SetupError, step } from "./report.mjs";

/** Oldest major version of Node.js that may stand in where the pinned one does not run. */
const OLDEST_MAJOR = 24;

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry */

/**
 * @param {string} file
 * @returns {Record<string, LockEntry> | undefined} undefined when there is no such file
 */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes down what it installed in node_modules/.package-lock.json;
 * packages for other platforms are absent there.
 */
export function dependenciesAreCurrent() {
  const wanted = lockedPackages("package-lock.json");
  if (wanted === undefined) throw new SetupError("package-lock.json is missing or is not JSON");
  const present = lockedPackages("node_modules/.package-lock.json");
  if (present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const installed = present[path];
    if (installed === undefined) return entry.optional === true;
    return installed.version === entry.version && installed.integrity === entry.integrity;
  });
}

/** Installs exactly what package-lock.json names. */
export async function installDependencies() {
  const args = ["ci", "--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-retry-mintimeout=1000"];
  const { code, output } = await step("installing the npm dependencies", () =>
    capture("npm", args, { env: outerEnvironment() }),
  );
  if (code !== 0) throw new SetupError(`cannot install the npm dependencies: ${npmReason(code, output)}`);
}

/**
 * The one line of npm's output that says what went wrong.
 *
 * @param {number} code
 * @param {string} output
 */
export function npmReason(code, output) {
  if (code === 127) return "there is no npm on the PATH; install it (on Debian: the package npm)";
  const network =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b/;
  const unreachable = network.exec(output)?.[1];
  if (unreachable !== undefined)
    return `the package registry cannot be reached (${unreachable}); this step needs a network`;
  const lines = output.split("\n").map((line) => /^npm (?:error|ERR!) (?!code )(.+)$/.exec(line)?.[1]);
  const reason = lines.find((line) => line !== undefined) ?? `npm ended with code ${code}`;
  return `${reason.trim()} (the whole output is in .cache/setup.log)`;
}

export function pinnedNodeIsPresent() {
  try {
    accessSync(PINNED_NODE, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the pinned Node.js present where npm installed its package but did not run the package's install script, as npm may be
 * configured not to.
 */
export async function installPinnedNode() {
  const { code, output } = await step("installing the pinned Node.js", () =>
    capture(process.execPath, ["installArchSpecificPackage.js"], {
      cwd: join(ROOT, "node_modules", "node"),
      env: { ...outerEnvironment(), npm_config_ignore_scripts: "false" },
    }),
  );
  if (!pinnedNodeIsPresent()) throw new SetupError(`cannot install the pinned Node.js: ${npmReason(code, output)}`);
}

/**
 * The Node.js that everything runs on: the pinned one, or this process's own if that is recent enough and the pinned one cannot be had.
 *
 * @returns {string} path of the executable
 */
export function nodeToRunOn() {
  if (pinnedNodeIsPresent()) return PINNED_NODE;
  if (ownNodeIsRecent()) return process.execPath;
  throw new SetupError(
    `this needs Node.js ${OLDEST_MAJOR} or newer: the pinned one is not installed and this is ${process.version}`,
  );
}

export function ownNodeIsRecent() {
  return Number(process.versions.node.split(".")[0]) >= OLDEST_MAJOR;
}
