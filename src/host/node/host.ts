import { readFile } from "node:fs/promises";
import { VmError } from "../../errors.ts";
import type { Host } from "../host.ts";
import { startMachineWorker, startTranslatorWorker } from "./worker.ts";

/** Node.js, Deno and Bun. */
export const host: Host = {
  readAsset: (url) => read(url),
  async compileAsset(url) {
    return WebAssembly.compile(await read(url));
  },
  startMachineWorker,
  startTranslatorWorker,
  async openDisk(description) {
    if (description.kind === "opfs")
      throw new VmError("ERR_HOST", "there is no private file system (OPFS) here: browsers have it");
    const { openFileDisk } = await import("./file-disk.ts");
    return openFileDisk(description.path, { readOnly: description.readOnly });
  },
  async defaultKernel() {
    const { fetchDebian } = await import("../../boot/debian.ts");
    const { kernel } = await fetchDebian();
    return { kernel: await readFile(kernel.path), kernelName: kernel.path };
  },
};

async function read(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") return readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
