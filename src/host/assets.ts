/**
 * Where the files are that the interpreter is loaded from. Bundlers know the form `new URL(literal, import.meta.url)`, and take the
 * files along. (The workers' modules are named in the same form by `node/` and `web/`, at the calls that start them.)
 */
export function coreUrl(): URL {
  return new URL("../../build/core.wasm", import.meta.url);
}

export function manifestUrl(): URL {
  return new URL("../../build/core.manifest.json", import.meta.url);
}
