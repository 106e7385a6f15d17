// Builds dist/, the files of the npm package: npm run package, and npm pack by itself.

import { join } from "node:path";
import { buildPlatform, describeSizes } from "./build.ts";
import { PLATFORMS, ROOT } from "./layout.ts";
import { buildTypes } from "./types.ts";

const dist = join(ROOT, "dist");
await Promise.all([...PLATFORMS.map((platform) => buildPlatform(platform, dist)), buildTypes(dist)]);
// npm pack --json prints its own on standard output.
console.error(await describeSizes(dist));
