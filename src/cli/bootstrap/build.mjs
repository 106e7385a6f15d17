// The generated files of build/: made again when what they are generated from has changed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeToRunOn } from "./dependencies.mjs";
import { ROOT } from "./paths.mjs";
import { capture } from "./process.mjs";
import { SetupError, step } from "./report.mjs";

const BUILDER = "jit/interpreter/build.ts";
const PRODUCTS = ["build/core.wasm", "build/core.manifest.json"];
const STAMP = "build/.stamp";

/** What the products depend on: sources, and the exact version of Binaryen. */
const SOURCES = ["jit", "runtime/abi", "package-lock.json"];

/**
 * @param {string} path
 * @returns {string[]} the files at or under a path, relative to the checkout, in a fixed order
 */
function filesUnder(path) {
  const absolute = join(ROOT, path);
  if (!existsSync(absolute)) return [];
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {string} */ relative) => {
    for (const entry of readdirSync(join(ROOT, relative), { withFileTypes: true })) {
      const child = `${relative}/${entry.name}`;
      if (entry.isDirectory()) visit(child);
      else if (entry.isFile()) found.push(child);
    }
  };
  if (path.includes(".")) found.push(path);
  else visit(path);
  return found.sort();
}

/** @returns {string} hash of everything that the products are made from */
export function sourceHash() {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap(filesUnder)) {
    const bytes = readFileSync(join(ROOT, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

export function buildIsCurrent() {
  // Without a builder there is nothing to make.
  if (!existsSync(join(ROOT, BUILDER))) return true;
  if (!PRODUCTS.every((file) => existsSync(join(ROOT, file)))) return false;
  try {
    return readFileSync(join(ROOT, STAMP), "utf8") === sourceHash();
  } catch {
    return false;
  }
}

export async function build() {
  if (!existsSync(join(ROOT, BUILDER))) throw new SetupError(`there is nothing to build: no ${BUILDER}`);
  const stamp = join(ROOT, STAMP);
  // Hashed first: a source saved while the build runs makes the stamp stale, as it should.
  const hash = sourceHash();
  mkdirSync(join(ROOT, "build"), { recursive: true });
  rmSync(stamp, { force: true });
  const { code, output } = await step("building the interpreter (build/core.wasm)", () =>
    capture(nodeToRunOn(), [join(ROOT, BUILDER)]),
  );
  if (code !== 0) {
    process.stderr.write(output);
    throw new SetupError(`the build failed: ${BUILDER} ended with code ${code} (its output is above)`);
  }
  const missing = PRODUCTS.find((file) => !existsSync(join(ROOT, file)));
  if (missing !== undefined) throw new SetupError(`the build failed: ${BUILDER} did not write ${missing}`);
  writeFileSync(stamp, hash);
}
