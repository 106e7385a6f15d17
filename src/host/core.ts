import { readFile } from "node:fs/promises";
import type { CoreManifest } from "../../jit/interpreter/core.ts";
import { VmError } from "../errors.ts";

export interface LoadedCore {
  readonly module: WebAssembly.Module;
  readonly manifest: CoreManifest;
}

let loaded: Promise<LoadedCore> | undefined;

/** core.wasm, compiled once for all machines of this process. */
export function loadCore(): Promise<LoadedCore> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<LoadedCore> {
  const folder = new URL("../../build/", import.meta.url);
  try {
    const [binary, manifest] = await Promise.all([
      readFile(new URL("core.wasm", folder)),
      readFile(new URL("core.manifest.json", folder), "utf8"),
    ]);
    return { module: await WebAssembly.compile(binary), manifest: JSON.parse(manifest) as CoreManifest };
  } catch (cause) {
    loaded = undefined;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new VmError(
      "ERR_FILE",
      `the interpreter, build/core.wasm, cannot be loaded (run "npm run build"): ${message}`,
      { cause },
    );
  }
}
