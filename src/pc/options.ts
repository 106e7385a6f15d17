import type { CpuModelOptions } from "../../runtime/cpu/cpuid.ts";
import type { Disk } from "../../runtime/disk/disk.ts";
import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import { RAM_END } from "../../runtime/board-map.ts";
import type { Engine, LoadOptions, TranslationPlace } from "../engine.ts";
import { VmError } from "../errors.ts";
import type { LoadedCore } from "../host/core.ts";

export interface PcOptions {
  /** bytes of guest memory: a multiple of 1 MiB, at least 64 MiB, at most 3.5 GiB; default 512 MiB */
  readonly memoryBytes?: number;
  /** bzImage, PVH ELF or Multiboot image */
  readonly kernel: Uint8Array;
  /** what messages call the kernel */
  readonly kernelName?: string;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
  /** what the guest's first serial port sends; called between runs of the processor, never with an empty array */
  readonly onSerial?: (bytes: Uint8Array) => void;
  /** host: the host's monotonic clock. instructions: guest time counts instructions, and two runs are alike to the instruction */
  readonly clock?: "host" | "instructions";
  /** default "interpreter"; "tiered" translates hot code */
  readonly engine?: Engine;
  /** where "tiered" translates: "worker" (default), in a thread of its own, or "same-thread", a little between slices of the guest */
  readonly translation?: Exclude<TranslationPlace, "immediate">;
  /** bytes that translated code may take, machine code included: from 1 MiB to 2 GiB; default 256 MiB */
  readonly codeCacheBytes?: number;
  /** names translated code by its guest-physical address, for profilers such as perf; default false */
  readonly perfMap?: boolean;
  readonly cpu?: CpuModelOptions;
  /** virtio disks, /dev/vda and so on in Linux; at most 24. Whoever made them closes them, after the machine has stopped */
  readonly disks?: readonly Disk[];
  /** a disk failed; the guest sees an I/O error */
  readonly onDiskError?: (error: unknown) => void;
  /**
   * Hot code is not translated, and left to the interpreter: called once, between runs of the processor. ERR_WORKER when the translator's
   * worker could not start, or has died; ERR_INTERNAL for a bug, which costs only some of the code.
   */
  readonly onTranslationError?: (error: VmError) => void;
  /** a virtio console, hvc0 in Linux; none by default */
  readonly console?: PcConsole;
  /** ports on which a program of `runProgram` writes; none by default */
  readonly program?: PcProgram;
  /** first port of the debug-exit device; none by default */
  readonly debugExitPort?: number;
}

/** For tests and tools: more than a machine's users have a say in. */
export interface PcToolOptions extends LoadOptions {
  /**
   * For `advance`, with the clock "instructions": guest time stands still within slices of at most so many instructions, and
   * slices end at exact counts, so that engines which leave generated code at different places see the same.
   */
  readonly lockstepSlice?: number;
  /** core.wasm; by default the one of this thread */
  readonly core?: LoadedCore;
}

/** I/O ports of a guest that `runProgram` makes: bytes that are written there are the program's output. */
export const ProgramPort = { STDOUT: 0x5e0, STDERR: 0x5e1, EXIT: 0x5e4 } as const;

/** What a program writes to the ports of ProgramPort; called between runs of the processor, never with an empty array. */
export interface PcProgram {
  readonly onStdout: (bytes: Uint8Array) => void;
  readonly onStderr: (bytes: Uint8Array) => void;
}

export interface PcConsole {
  /** what the guest writes; called between runs of the processor, never with an empty array */
  readonly onOutput: (bytes: Uint8Array) => void;
  /** of the terminal; default 80 by 25 characters */
  readonly size?: ConsoleSize;
}

const MIB = 1 << 20;
const DEFAULT_MEMORY = 512 * MIB;
const MINIMUM_MEMORY = 64 * MIB;

/**
 * The bytes of memory that options ask for.
 *
 * @throws {VmError} ERR_MEMORY_SIZE
 */
export function checkMemory({ memoryBytes = DEFAULT_MEMORY }: Pick<PcOptions, "memoryBytes">): number {
  if (
    !Number.isInteger(memoryBytes) ||
    memoryBytes % MIB !== 0 ||
    memoryBytes < MINIMUM_MEMORY ||
    memoryBytes > RAM_END
  ) {
    throw new VmError(
      "ERR_MEMORY_SIZE",
      `memoryBytes is ${String(memoryBytes)}, expected a multiple of 1 MiB from 64 MiB to ${RAM_END / MIB} MiB`,
    );
  }
  return memoryBytes;
}
