#!/usr/bin/env node
// The command `umbra` of an installed package, which comes with all that it needs but Node.js. In a checkout it is umbra.mjs.

const OLDEST_MAJOR = 24;

if (Number(process.versions.node.split(".")[0]) < OLDEST_MAJOR) {
  process.stderr.write(`umbra: this needs Node.js ${OLDEST_MAJOR} or newer, and this is ${process.version}\n`);
  process.exitCode = 2;
} else {
  await import("./run.ts");
}
