import type { Disk } from "../../runtime/disk/disk.ts";
import type { StartWorker } from "../translation/worker.ts";
import type { DiskDescription } from "../api/disks.ts";

/** A worker of a machine as its maker sees it. Messages go by structured clone, and keep their order. */
export interface MachineWorker {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Whether the process waits for the worker, when it has nothing else to do. */
  keepAlive(wanted: boolean): void;
  /** Ends it: at once, or soon. Resolves when its thread is gone, where the host says so. */
  terminate(): Promise<void>;
}

export interface MachineWorkerEvents {
  message(message: unknown): void;
  /** The worker has ended, or could not start: nothing more will come. */
  failed(cause: unknown): void;
}

/** Files of the kernel and the small system that `runProgram` boots by default. */
export interface DefaultSystem {
  readonly kernel: Uint8Array;
  readonly kernelName: string;
}

/** What differs from host to host. `#host` in package.json chooses: one for Node.js, Deno and Bun, one for browsers. */
export interface Host {
  /** The bytes of an asset. @throws when it cannot be read */
  readAsset(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  /** Compiles an asset, while it arrives where that is possible. */
  compileAsset(url: URL): Promise<WebAssembly.Module>;
  /** undefined where there are no workers */
  readonly startMachineWorker: ((events: MachineWorkerEvents, url: URL | undefined) => MachineWorker) | undefined;
  startTranslatorWorker(url: URL | undefined): StartWorker | undefined;
  /** @throws {VmError} */
  openDisk(description: Extract<DiskDescription, { kind: "file" | "opfs" }>): Promise<Disk>;
  /** Debian's kernel, fetched if need be. @throws {VmError} ERR_DOWNLOAD and others; ERR_CONFIG where there is none */
  defaultKernel(): Promise<DefaultSystem>;
}
