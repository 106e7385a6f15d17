// Runs one task of the project: node src/cli/task.mjs <task> [arguments]. The scripts of package.json are these tasks.

import { build } from "./bootstrap/build.mjs";
import { nodeToRunOn } from "./bootstrap/dependencies.mjs";
import { locked } from "./bootstrap/lock.mjs";
import { ROOT } from "./bootstrap/paths.mjs";
import { takeOver } from "./bootstrap/process.mjs";
import { fail, SetupError } from "./bootstrap/report.mjs";
import { setUp } from "./bootstrap/setup.mjs";
import { TASKS } from "./bootstrap/tasks.mjs";

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
async function runTask(name, args) {
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (task === undefined) {
    throw new SetupError(`no such task: ${name || "(none)"}; there are ${Object.keys(TASKS).join(", ")}`);
  }
  await setUp({
    task: name === "setup" || name === "check" ? "test" : name,
    build: task.build,
    retry: name === "setup",
  });
  if (name === "build") await locked(build);
  for (const [index, command] of task.run.entries()) {
    const rest = index === task.run.length - 1 ? args : [];
    const code = await takeOver(nodeToRunOn(), [...command, ...rest], { cwd: ROOT });
    if (code !== 0) return code;
  }
  return 0;
}

try {
  process.exitCode = await runTask(process.argv[2] ?? "", process.argv.slice(3));
} catch (error) {
  fail(error);
}
