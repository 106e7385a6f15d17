// The tasks behind the scripts of package.json: what each runs on the pinned Node.js, and whether it needs build/.

/**
 * @typedef {object} Task
 * @property {string} about
 * @property {readonly (readonly string[])[]} run programs of the checkout with their arguments, one after the other; the user's
 *   arguments go to the last one
 * @property {boolean} build
 */

const TYPECHECK = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"];
const LINT = ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"];
const PRETTIER = [
  "node_modules/prettier/bin/prettier.cjs",
  "--log-level",
  "warn",
  "--cache",
  "--cache-location",
  ".cache/prettier",
];
const FORMAT_CHECK = [...PRETTIER, "--check", "."];
const TEST = ["node_modules/vitest/vitest.mjs", "run"];

/** @type {Readonly<Record<string, Task>>} */
export const TASKS = {
  setup: { about: "bring in all that is missing, and try again what failed", run: [], build: true },
  test: { about: "run the tests", run: [TEST], build: true },
  build: { about: "generate build/ anew", run: [], build: false },
  bench: { about: "run the benchmarks", run: [["bench/main.ts"]], build: true },
  "test:system": {
    about: "compare programs of a Debian system with this machine",
    run: [["test/system/main.ts"]],
    build: true,
  },
  oracle: { about: "compare with this machine's own CPU", run: [["test/oracle/main.ts"]], build: true },
  lint: { about: "lint, layers included", run: [LINT], build: false },
  typecheck: { about: "check the types", run: [TYPECHECK], build: false },
  format: { about: "format all files", run: [[...PRETTIER, "--write", "."]], build: false },
  "format:check": { about: "check the format of all files", run: [FORMAT_CHECK], build: false },
  check: { about: "types, lint, format and tests", run: [TYPECHECK, LINT, FORMAT_CHECK, TEST], build: true },
};
