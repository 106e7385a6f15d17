import type { Disk } from "../../runtime/disk/disk.ts";
import type { ConsoleSize } from "../../runtime/virtio/console.ts";

/** How wide the code is that a CPU starts in. */
export type StartMode = "long" | "protected" | "real";

/** One line of a listing. */
export interface ListedInstruction {
  /** bytes of the instruction, at least 1 */
  readonly length: number;
  readonly text: string;
}

/** Reads the instruction at the beginning of `bytes`, which are not empty and which the guest sees at `address`. */
export type Disassembler = (bytes: Uint8Array, address: bigint) => ListedInstruction;

/** What a command needs of a machine: the part of BareMachine that `umbra exec` uses. */
export interface CommandMachine {
  write(gpa: bigint, bytes: Uint8Array): void;
  read(gpa: bigint, byteLength: number): Uint8Array;
  setState(state: Readonly<Partial<Record<"rip" | "rsp", bigint>>>): void;
  /** every register as text, for example "rax 0000000000000001"; one line each */
  describeState(): string;
  rip(): bigint;
  register(name: "rax"): bigint;
  run(options: { readonly maxInstructions: number }): RunOutcome;
}

export interface RunOutcome {
  readonly reason: "halt" | "exception" | "budget" | "port" | "shutdown";
  readonly vector?: number | undefined;
  readonly errorCode?: number | undefined;
  readonly cr2?: bigint | undefined;
  readonly instructions: number;
}

/** Files in the cache. */
export interface DebianPaths {
  readonly kernel: string;
  /** the package with the kernel and its modules */
  readonly kernelPackage: string;
  readonly busybox: string;
}

/** Everything outside the commands, so that a test can stand in for it. */
export interface CommandHost {
  /** writes to standard output, as it is */
  print(text: string): void;
  /** writes one line to standard error */
  complain(line: string): void;
  /** shows how far something is, in place of what was shown before; nothing without a terminal */
  progress(text: string): void;
  /** @throws {VmError} ERR_FILE when it cannot be read */
  readFile(path: string): Uint8Array;
  /**
   * Debian's kernel and busybox as paths in the cache, fetched if need be; progress is shown on standard error.
   *
   * @throws {VmError} ERR_DOWNLOAD and others, one line each
   */
  fetchDebian(mirror: string | undefined): Promise<DebianPaths>;
  /**
   * An initial RAM disk that starts a shell.
   *
   * @param modules of the kernel, to load before
   * @param script what to run instead of a shell, before the machine powers off
   */
  shellInitramfs(debian: DebianPaths, modules: readonly string[], script?: string): Promise<Uint8Array>;
  /** Opens a raw disk image. @throws {VmError} one line, and nothing is changed */
  openDisk(path: string, options: { readonly readOnly: boolean }): Promise<Disk>;
  /** Characters of the terminal; undefined without one. */
  consoleSize(): ConsoleSize | undefined;
  /** UMBRA_ROWS and UMBRA_COLUMNS for the guest; empty without a terminal. */
  terminalSize(): string;
  createMachine(options: { readonly memoryBytes: number; readonly mode: StartMode }): Promise<CommandMachine>;
  createDisassembler(codeSize: 16 | 32 | 64): Promise<Disassembler>;
  /**
   * Runs the benchmarks of the checkout with these arguments, on this process's own terminal.
   *
   * @returns exit code
   * @throws {VmError} ERR_FILE where there is no checkout
   */
  runBenchmark(args: readonly string[]): Promise<number>;
  nowMs(): number;
  readonly version: string;
}
