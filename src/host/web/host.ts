import { VmError } from "../../errors.ts";
import type { Host } from "../host.ts";
import { openOpfsDisk } from "./opfs-disk.ts";
import { startMachineWorker, startTranslatorWorker } from "./worker.ts";

const hasWorkers = typeof Worker === "function";

/** Browsers, and other hosts with what the web platform has. */
export const host: Host = {
  async readAsset(url) {
    return new Uint8Array(await (await get(url)).arrayBuffer());
  },
  async compileAsset(url) {
    const response = await get(url);
    // A server that does not know WebAssembly sends another type, which compileStreaming refuses.
    if (response.headers.get("content-type")?.startsWith("application/wasm") === true)
      return WebAssembly.compileStreaming(response);
    return WebAssembly.compile(await response.arrayBuffer());
  },
  startMachineWorker: hasWorkers ? startMachineWorker : undefined,
  startTranslatorWorker: (url) => (hasWorkers ? startTranslatorWorker(url) : undefined),
  openDisk(description) {
    if (description.kind === "opfs") return openOpfsDisk(description.name, description.sizeBytes);
    return Promise.reject(
      new VmError("ERR_HOST", `disk ${description.path} is a file, and there are no files here: give a Blob or a URL`),
    );
  },
  defaultKernel() {
    return Promise.reject(
      new VmError("ERR_CONFIG", "no kernel was given, and only Node.js, Deno and Bun can fetch Debian's"),
    );
  },
};

async function get(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: HTTP status ${response.status}`);
  return response;
}
