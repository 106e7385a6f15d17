import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** The pinned Node.js, brought in by the development dependency `node`. */
export const PINNED_NODE = join(ROOT, "node_modules", "node", "bin", "node");

export const CACHE_DIRECTORY = join(ROOT, ".cache");

/** Everything that the commands of the set-up printed. */
export const LOG_FILE = join(CACHE_DIRECTORY, "setup.log");

/** False for an installed package, which comes with all that it needs. */
export function isCheckout() {
  return existsSync(join(ROOT, "package-lock.json"));
}

/** Whether this very process runs on the pinned Node.js. */
export function onPinnedNode() {
  try {
    return realpathSync(PINNED_NODE) === realpathSync(process.execPath);
  } catch {
    return false;
  }
}
