import type * as Umbra from "../../src/index.ts";

/** Which threads a machine takes: by default a worker each for the machine and for the translator. */
export type Threads = Pick<Umbra.MachineOptions, "host" | "translation">;

/** No thread but the caller's. */
export const ONE_THREAD: Threads = { host: "same-thread", translation: "same-thread" };

/** A disk that outlives its machine. */
export interface LastingDisk {
  readonly description: Umbra.DiskDescription;
  /** Makes it anew with this content; does nothing where there are no such disks. */
  make(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What is in it while no machine has it. */
  read(): Promise<Uint8Array>;
}

/** What one runtime is given: the library as it loads it, and files. */
export interface Surroundings {
  readonly umbra: typeof Umbra;
  /** Debian's */
  readonly kernel: Uint8Array;
  /** boots to SCRIPT */
  readonly initrd: Uint8Array;
  /** a static busybox */
  readonly busybox: Uint8Array;
  /** where `diskImage("http")` is served */
  readonly diskUrl: string;
  readonly lasting: Readonly<Record<"file" | "opfs", LastingDisk>>;
}

const SECTORS = 64;

/** A disk whose first sector begins with a line. */
export function diskImage(label: string): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(SECTORS * 512);
  new TextEncoder().encodeInto(`${label}\n`, image);
  return image;
}

/** What `work` resolves with, or the code of the VmError that it rejects with; anything else in words, which no test expects. */
export async function outcome(umbra: typeof Umbra, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return error instanceof umbra.VmError ? error.code : `not a VmError: ${String(error)}`;
  }
}
