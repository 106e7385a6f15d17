import { host } from "#host";
import type { CoreManifest } from "../../jit/interpreter/core.ts";
import type { MachineAssets } from "../api/options.ts";
import { VmError } from "../errors.ts";
import { coreUrl, manifestUrl } from "./assets.ts";
import { checkRequirements } from "./requirements.ts";

export interface LoadedCore {
  readonly module: WebAssembly.Module;
  readonly manifest: CoreManifest;
}

let loaded: Promise<LoadedCore> | undefined;

/**
 * core.wasm, compiled once for all machines of this thread.
 *
 * @throws {VmError} ERR_HOST when the engine lacks what it needs, ERR_FILE when it cannot be loaded
 */
export function loadCore(assets: Pick<MachineAssets, "core" | "manifest"> = {}): Promise<LoadedCore> {
  if (assets.core !== undefined || assets.manifest !== undefined) return load(assets);
  loaded ??= load(assets).catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load(assets: Pick<MachineAssets, "core" | "manifest">): Promise<LoadedCore> {
  checkRequirements();
  try {
    const [module, manifest] = await Promise.all([
      compile(assets.core ?? coreUrl()),
      readManifest(assets.manifest ?? manifestUrl()),
    ]);
    return { module, manifest };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new VmError(
      "ERR_FILE",
      `the interpreter, build/core.wasm, cannot be loaded (run "npm run build"): ${message}`,
      { cause },
    );
  }
}

async function compile(core: NonNullable<MachineAssets["core"]>): Promise<WebAssembly.Module> {
  if (core instanceof WebAssembly.Module) return core;
  if (core instanceof URL || typeof core === "string") return host.compileAsset(assetUrl(core));
  const bytes = core instanceof Blob ? await core.arrayBuffer() : core;
  return WebAssembly.compile(bytes as BufferSource);
}

async function readManifest(manifest: NonNullable<MachineAssets["manifest"]>): Promise<CoreManifest> {
  if (typeof manifest !== "string" && !(manifest instanceof URL)) return manifest as CoreManifest;
  return JSON.parse(new TextDecoder().decode(await host.readAsset(assetUrl(manifest)))) as CoreManifest;
}

/** The URL of an asset that an embedder names, perhaps relative to its page. */
export function assetUrl(asset: string | URL): URL {
  return asset instanceof URL ? asset : new URL(asset, globalThis.location?.href);
}
