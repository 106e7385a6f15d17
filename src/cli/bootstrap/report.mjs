// What the set-up says while it works: nothing when it is quick, one line when it is not, never a stack trace.

/** Something that the user can mend: shown as one line, and the process ends with code 1. */
export class SetupError extends Error {
  /** @override */
  name = "SetupError";
}

const QUIET_MS = 2000;
const REPEAT_MS = 15_000;

/** @param {string} line */
export function say(line) {
  process.stderr.write(`umbra: ${line}\n`);
}

/**
 * Runs one step, and reports on stderr if it takes more than two seconds.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  let spoken = false;
  const first = setTimeout(() => {
    spoken = true;
    say(`${title} ...`);
  }, QUIET_MS);
  const again = setInterval(() => say(`${title} ... ${seconds()} s`), REPEAT_MS);
  try {
    const result = await work();
    if (spoken) say(`${title}: done in ${seconds()} s`);
    return result;
  } finally {
    clearTimeout(first);
    clearInterval(again);
  }
}

/**
 * Ends the process as a command should when it fails: one line for what the user can mend, everything for a bug of ours.
 *
 * @param {unknown} error
 */
export function fail(error) {
  if (error instanceof SetupError) say(error.message);
  else console.error(error);
  process.exitCode = 1;
}
