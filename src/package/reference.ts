// Writes the reference of the API into docs/api: npm run docs

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./layout.ts";

/** Typedoc lives with a TypeScript that it knows: see docs/reference/package.json. */
const TYPEDOC = join(ROOT, "docs/reference/node_modules/typedoc/bin/typedoc");

const { status } = spawnSync(
  process.execPath,
  [TYPEDOC, "--options", "docs/reference/typedoc.json", ...process.argv.slice(2)],
  {
    cwd: ROOT,
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
