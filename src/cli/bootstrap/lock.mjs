// One set-up at a time in a checkout: `npm start` and `npm test` may be typed in two terminals at once.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE_DIRECTORY } from "./paths.mjs";
import { step } from "./report.mjs";

const LOCK_FILE = join(CACHE_DIRECTORY, "setup.lock");
const POLL_MS = 200;

/** Whether this process got the lock; a lock whose owner is gone is removed. */
function tryLock() {
  try {
    writeFileSync(LOCK_FILE, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  try {
    process.kill(Number(readFileSync(LOCK_FILE, "utf8")), 0);
  } catch (error) {
    // EPERM: the owner lives and belongs to somebody else.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EPERM") rmSync(LOCK_FILE, { force: true });
  }
  return false;
}

/**
 * @param {() => Promise<void>} work
 * @returns {Promise<void>}
 */
export async function locked(work) {
  mkdirSync(CACHE_DIRECTORY, { recursive: true });
  if (!tryLock()) {
    await step("waiting for another set-up of this checkout", async () => {
      while (!tryLock()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    });
  }
  const release = () => rmSync(LOCK_FILE, { force: true });
  process.once("exit", release);
  try {
    await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}
