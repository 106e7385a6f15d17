import { copyFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { assetUrls, noBinaryen } from "./asset-urls.ts";
import { ASSETS, LAYOUTS, type Platform, ROOT } from "./layout.ts";

/**
 * Builds the programs of a platform into a folder of its own, and copies what they load beside them. Warnings of the bundler are errors:
 * what it cannot resolve would be found missing by whoever installs the package.
 */
export async function buildPlatform(platform: Platform, dist: string): Promise<void> {
  const directory = join(dist, platform);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await Promise.all(ASSETS.map((name) => copyFile(join(ROOT, "build", name), join(directory, name))));
  const { entries, standsAlone } = LAYOUTS[platform];
  const all = Object.entries(entries);
  const groups = standsAlone ? all.map((entry) => [entry]) : [all];
  await Promise.all(groups.map((group) => bundle(platform, Object.fromEntries(group), directory)));
}

async function bundle(platform: Platform, input: Record<string, string>, directory: string): Promise<void> {
  const build = await rolldown({
    cwd: ROOT,
    input,
    platform,
    external: platform === "node" ? [/^node:/, "binaryen"] : [],
    plugins: [assetUrls, ...(platform === "browser" ? [noBinaryen] : [])],
    // package.json speaks of the files that are published: programs and workers of the sources have effects.
    treeshake: { moduleSideEffects: [{ test: /\.(?:ts|mjs)$/, sideEffects: true }] },
    onLog: refuseWarnings,
  });
  await build.write({
    dir: directory,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    // A page waits for what it loads; in Node.js readable stack traces are worth more.
    minify: platform === "browser",
  });
}

/** Of no consequence: one part of the program wants a module at once, which another one would have loaded later. */
const HARMLESS = "INEFFECTIVE_DYNAMIC_IMPORT";

function refuseWarnings(level: string, log: { readonly message: string; readonly code?: string }): void {
  if (level === "warn" && log.code !== HARMLESS) throw new Error(log.message);
}

/** Every file of a folder with its size, and that of the whole. */
export async function describeSizes(directory: string): Promise<string> {
  const lines: string[] = [];
  let total = 0;
  for (const name of (await readdir(directory, { recursive: true })).toSorted()) {
    const status = await stat(join(directory, name));
    if (!status.isFile()) continue;
    total += status.size;
    lines.push(sizeLine(status.size, name));
  }
  return [...lines, sizeLine(total, "in all")].join("\n");
}

function sizeLine(byteLength: number, what: string): string {
  return `${(byteLength / 1000).toFixed(1).padStart(8)} kB  ${what}`;
}
