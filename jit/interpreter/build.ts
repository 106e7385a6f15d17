// Generates build/core.wasm and build/core.manifest.json. Run by `npm run build`.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generateCore } from "./core.ts";

const folder = fileURLToPath(new URL("../../build/", import.meta.url));
const started = performance.now();
const { module, manifest, failures } = generateCore({ level: 2, shrink: 0 });
const binary = module.binary();
mkdirSync(folder, { recursive: true });
// Written beside and renamed: a reader never sees half a file.
for (const [name, content] of [
  ["core.wasm", binary],
  ["core.manifest.json", JSON.stringify(manifest)],
] as const) {
  writeFileSync(`${folder}${name}.${process.pid}`, content);
  renameSync(`${folder}${name}.${process.pid}`, `${folder}${name}`);
}
if (process.argv.includes("--text")) writeFileSync(`${folder}core.wat`, module.text());
const count = Object.keys(manifest.handlers).length;
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`core.wasm: ${count} handlers, ${(binary.length / 1e6).toFixed(2)} MB, built in ${seconds} s`);
for (const failure of failures) console.error(`cannot generate ${failure}`);
if (failures.length > 0) process.exitCode = 1;
