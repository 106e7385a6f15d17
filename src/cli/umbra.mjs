#!/usr/bin/env node
// The command `umbra`. Plain JavaScript, because it must run on the Node.js of any machine: it brings in what is missing, then
// hands over to run.ts on the pinned Node.js.

import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { nodeToRunOn } from "./bootstrap/dependencies.mjs";
import { onPinnedNode } from "./bootstrap/paths.mjs";
import { takeOver } from "./bootstrap/process.mjs";
import { fail } from "./bootstrap/report.mjs";
import { setUp } from "./bootstrap/setup.mjs";

try {
  await setUp({ task: "start", build: true });
  const program = join(dirname(fileURLToPath(import.meta.url)), "run.ts");
  if (onPinnedNode()) await import(pathToFileURL(program).href);
  else process.exitCode = await takeOver(nodeToRunOn(), [program, ...process.argv.slice(2)]);
} catch (error) {
  fail(error);
}
