import type { CpuModelOptions } from "../../runtime/cpu/cpuid.ts";
import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import type { Bytes } from "./bytes.ts";
import type { DiskSource } from "./disks.ts";

/** Where a machine runs: in a worker, so that the thread of whoever made it never waits, or in that thread. */
export type HostThread = "worker" | "same-thread";

export interface MachineOptions {
  /** bytes of guest memory: a multiple of 1 MiB, at least 64 MiB, at most 3.5 GiB; default 512 MiB */
  readonly memoryBytes?: number;
  /** bzImage, PVH ELF or Multiboot image */
  readonly kernel: Bytes;
  /** what messages call the kernel; default "kernel" */
  readonly kernelName?: string;
  readonly initrd?: Bytes;
  readonly commandLine?: string;
  /** virtio disks, /dev/vda and so on in Linux; at most 24 */
  readonly disks?: readonly DiskSource[];
  /** a virtio console, hvc0 in Linux; true for one of 80 by 25 characters; default: none */
  readonly console?: boolean | ConsoleSize;
  /** host: the host's monotonic clock (default). instructions: guest time counts instructions, and two runs are alike to the instruction */
  readonly clock?: "host" | "instructions";
  /** "tiered" (default) translates what runs often to WebAssembly; "interpreter" does not */
  readonly engine?: "interpreter" | "tiered";
  /** where "tiered" translates: "worker" (default), in a thread of its own, or "same-thread", a little between slices of the guest */
  readonly translation?: "worker" | "same-thread";
  /** bytes that translated code may take, machine code included: from 1 MiB to 2 GiB; default 256 MiB */
  readonly codeCacheBytes?: number;
  readonly cpu?: CpuModelOptions;
  /** first port of the debug-exit device; none by default */
  readonly debugExitPort?: number;
  /** processors; there can be one */
  readonly vcpus?: 1;
  /** where the machine runs; default "worker" */
  readonly host?: HostThread;
  /** aborted while the machine is made: `createMachine` rejects with its reason. Aborted later: the machine is closed */
  readonly signal?: AbortSignal;
  /** where the files of this package are, for bundlers that do not find them */
  readonly assets?: MachineAssets;
}

/** Files that a machine loads. Each is found beside the module that needs it, unless it is given here. */
export interface MachineAssets {
  /** core.wasm: where it is, or its bytes, or what `WebAssembly.compile` made of them */
  readonly core?: string | URL | Bytes | WebAssembly.Module;
  /** core.manifest.json: where it is, or what is in it */
  readonly manifest?: string | URL | object;
  /** module of the machine's worker */
  readonly machineWorker?: string | URL;
  /** module of the translator's worker */
  readonly translatorWorker?: string | URL;
}
