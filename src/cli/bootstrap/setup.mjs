// Brings in whatever a task needs and the checkout lacks. When nothing is missing it costs a few file reads.

import { build, buildIsCurrent } from "./build.mjs";
import { ensurePackages, missingPackages } from "./debian.mjs";
import {
  dependenciesAreCurrent,
  installDependencies,
  installPinnedNode,
  ownNodeIsRecent,
  pinnedNodeIsPresent,
} from "./dependencies.mjs";
import { locked } from "./lock.mjs";
import { isCheckout } from "./paths.mjs";
import { say, SetupError } from "./report.mjs";
import { ensureRuntimes, runtimesAreCurrent } from "./runtimes.mjs";

/** @typedef {{ task: string, build: boolean, retry?: boolean }} Needs */

/** @param {Needs} needs */
export async function setUp(needs) {
  if (!isCheckout()) return;
  const ready = () => dependenciesAreCurrent() && pinnedNodeIsPresent() && (!needs.build || buildIsCurrent());
  if (!ready()) await locked(() => bringIn(needs));
  if (needs.task === "test" && !runtimesAreCurrent())
    await locked(() => ensureRuntimes({ retry: needs.retry ?? false }));
  if (missingPackages(needs.task).length > 0) await ensurePackages(needs.task, { retry: needs.retry ?? false });
}

/** @param {Needs} needs */
async function bringIn(needs) {
  if (!dependenciesAreCurrent()) await installDependencies();
  if (!pinnedNodeIsPresent()) {
    try {
      await installPinnedNode();
    } catch (error) {
      if (!(error instanceof SetupError) || !ownNodeIsRecent()) throw error;
      say(`${error.message}; going on with Node.js ${process.version}`);
    }
  }
  if (needs.build && !buildIsCurrent()) await build();
}
