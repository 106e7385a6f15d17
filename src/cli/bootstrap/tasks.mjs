// The tasks behind the scripts of package.json: what each runs on the pinned Node.js, and whether it needs build/.

/**
 * @typedef {object} Task
 * @property {string} about
 * @property {readonly (readonly string[])[]} run programs of the checkout with their arguments, one after the other; the user's
 *   arguments go to the last one
 * @property {boolean} build
 */

const TYPECHECK = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"];
// The page has the types of a document, which the rest must not lean on.
const TYPECHECK_PAGE = ["node_modules/typescript/bin/tsc", "-p", "src/web/page/tsconfig.json"];
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
  package: { about: "build dist/, the files of the npm package", run: [["src/package/main.ts"]], build: true },
  "check:package": { about: "pack the npm package and check it", run: [["src/package/check.ts"]], build: true },
  web: { about: "build the page on which Linux boots, and serve it", run: [["src/web/main.ts"]], build: true },
  docs: { about: "write the reference of the API into docs/api", run: [["src/package/reference.ts"]], build: false },
  bench: { about: "run the benchmarks", run: [["bench/main.ts"]], build: true },
  "test:system": {
    about: "compare programs of a Debian system with this machine",
    run: [["test/system/main.ts"]],
    build: true,
  },
  oracle: { about: "compare with this machine's own CPU", run: [["test/oracle/main.ts"]], build: true },
  lint: { about: "lint, layers included", run: [LINT], build: false },
  typecheck: { about: "check the types", run: [TYPECHECK_PAGE, TYPECHECK], build: false },
  format: { about: "format all files", run: [[...PRETTIER, "--write", "."]], build: false },
  "format:check": { about: "check the format of all files", run: [FORMAT_CHECK], build: false },
  check: {
    about: "types, lint, format and tests",
    run: [TYPECHECK, TYPECHECK_PAGE, LINT, FORMAT_CHECK, TEST],
    build: true,
  },
};
