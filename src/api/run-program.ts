import { host } from "#host";
import type { ArchiveEntry } from "../../runtime/boot/cpio.ts";
import { buildInitramfs } from "../../runtime/boot/initramfs.ts";
import { isElf } from "../elf.ts";
import { VmError } from "../errors.ts";
import { ProgramPort } from "../pc/options.ts";
import { programInit } from "../program-guest/init.ts";
import type { Controller, PortName } from "../session/controller.ts";
import { untilAborted } from "./abort.ts";
import { type Bytes, bytesOf } from "./bytes.ts";
import { Collector, TailCollector } from "./collector.ts";
import { openController } from "./create-machine.ts";
import type { MachineOptions } from "./options.ts";

type MachineSettings = Pick<
  MachineOptions,
  | "memoryBytes"
  | "kernel"
  | "engine"
  | "translation"
  | "codeCacheBytes"
  | "cpu"
  | "clock"
  | "host"
  | "signal"
  | "assets"
>;

export interface RunProgramOptions extends Partial<MachineSettings> {
  /** argv[0]; default "program" */
  readonly name?: string;
  /** what follows argv[0] */
  readonly args?: readonly string[];
  /** the whole environment of the program; default: PATH and HOME */
  readonly env?: Readonly<Record<string, string>>;
  /** files that the program finds, by their absolute paths; all may be executed */
  readonly files?: Readonly<Record<string, string | Bytes>>;
  /** what the program reads from its standard input; default: nothing */
  readonly stdin?: string | Bytes;
  /** working directory; default "/" */
  readonly directory?: string;
  /** called with what the program writes, as it does */
  readonly onStdout?: (bytes: Uint8Array) => void;
  readonly onStderr?: (bytes: Uint8Array) => void;
  /**
   * Bytes of standard output, and as many of standard error, that the result holds at most; Infinity for no limit; default 64 MiB. A program
   * that writes more is ended with ERR_OUTPUT. Where `onStdout` or `onStderr` takes what it writes, it goes on instead, and `truncated` says
   * that the result has only the beginning.
   */
  readonly maxOutputBytes?: number;
}

export interface ProgramResult {
  /** what the program returned, 0 to 255; 128 + the signal's number if a signal ended it */
  readonly exitCode: number;
  /** number of the signal that ended the program */
  readonly signal: number | undefined;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** `stdout` or `stderr` is only the beginning of what the program wrote: `maxOutputBytes` of it */
  readonly truncated: boolean;
}

const PROGRAM = "/umbra/program";
const STDIN = "/umbra/stdin";
const DEFAULT_MEMORY = 256 << 20;
const DEFAULT_OUTPUT = 64 << 20;
/** What is kept of the kernel's own messages: enough for its last words. */
const SERIAL_TAIL = 1 << 16;
const DEFAULT_ENVIRONMENT = { PATH: "/bin:/usr/bin:/sbin:/usr/sbin", HOME: "/" };
/** Nothing is shown but errors; after a panic the machine ends. */
const COMMAND_LINE = "console=ttyS0 quiet cryptomgr.notests panic=-1 reboot=t";
const encoder = new TextEncoder();

/**
 * Runs a static Linux program for x86-64 in a machine of its own, with its own kernel, and returns what it wrote.
 *
 * In Node.js, Deno and Bun the kernel is Debian's, fetched once, unless another one is given; in browsers one must be given.
 *
 * @param elf the program, for example what `gcc -static` makes
 * @throws {VmError} ERR_PROGRAM_FORMAT when it is no such program, ERR_GUEST when the guest did not come to its end, ERR_OUTPUT when it wrote more
 *   than `maxOutputBytes`, ERR_DOWNLOAD, and all that `createMachine` throws; the reason of `signal`, when it is aborted
 */
export async function runProgram(elf: Bytes, options: RunProgramOptions = {}): Promise<ProgramResult> {
  const { signal, maxOutputBytes = DEFAULT_OUTPUT } = options;
  signal?.throwIfAborted();
  if (!(maxOutputBytes >= 0))
    throw new VmError("ERR_CONFIG", `maxOutputBytes is ${String(maxOutputBytes)}, expected a number from 0 on`);
  const program = await bytesOf(elf);
  checkProgram(program);
  const parts = Promise.all([
    initramfs(program, options),
    options.kernel === undefined ? host.defaultKernel() : { kernel: options.kernel, kernelName: "kernel" },
  ]);
  const [initrd, system] = await untilAborted(parts, signal);
  const stdout = new Collector(maxOutputBytes);
  const stderr = new Collector(maxOutputBytes);
  const serial = new TailCollector(SERIAL_TAIL);
  const listeners = { stdout: options.onStdout, stderr: options.onStderr };
  /** the stream of which there was more than anybody takes */
  let overflow: "stdout" | "stderr" | undefined;
  const collect = (port: PortName, bytes: Uint8Array): void => {
    if (port !== "stdout" && port !== "stderr") return serial.add(bytes);
    const [stream, listener] = [port === "stdout" ? stdout : stderr, listeners[port]];
    stream.add(bytes);
    if (listener) listener(bytes);
    else if (stream.truncated && !overflow) {
      overflow = port;
      void controller.stop();
    }
  };
  const controller: Controller = await openController(
    {
      ...options,
      ...system,
      memoryBytes: options.memoryBytes ?? DEFAULT_MEMORY,
      initrd,
      commandLine: COMMAND_LINE,
      debugExitPort: ProgramPort.EXIT,
    },
    {
      output: collect,
      diskError: () => undefined,
      translationError: () => undefined,
      failed: () => undefined,
    },
    true,
  );
  const onAbort = (): void => void controller.stop();
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    const exit = await controller.run();
    signal?.throwIfAborted();
    if (overflow)
      throw new VmError(
        "ERR_OUTPUT",
        `the program wrote more than ${maxOutputBytes} bytes to ${overflow}: expected less, a larger maxOutputBytes, or a listener that takes them`,
      );
    if (exit.reason !== "debug-exit") throw guestFailure(exit.reason, serial);
    // The device doubles what it is given, and adds one; wait(2) says what is in it.
    const status = exit.status >>> 1;
    const ended = status & 0x7f;
    return {
      exitCode: ended === 0 ? (status >> 8) & 0xff : 128 + ended,
      signal: ended === 0 ? undefined : ended,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      truncated: stdout.truncated || stderr.truncated,
    };
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await controller.close();
  }
}

function guestFailure(reason: string, serial: TailCollector): VmError {
  const lines = serial.text().trim().split(/\r?\n/);
  const last = lines.findLast((line) => line.includes("panic")) ?? lines.at(-1) ?? "";
  return new VmError(
    "ERR_GUEST",
    `the guest ended (${reason}) before the program did${last === "" ? "" : `; its kernel's last words: ${last}`}`,
  );
}

/** Offsets in ELF headers, and values; System V ABI, chapters 4 and 5. */
const Elf = { CLASS: 4, MACHINE: 18, PHOFF: 32, PHENTSIZE: 54, PHNUM: 56, HEADER_BYTES: 64 } as const;
const CLASS_64 = 2;
const MACHINE_X86_64 = 62;
const PT_INTERP = 3;

function checkProgram(program: Uint8Array): void {
  const fail = (what: string): VmError => new VmError("ERR_PROGRAM_FORMAT", `the program is ${what}`);
  if (!isElf(program) || program.length < Elf.HEADER_BYTES) throw fail("not an ELF file");
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  if (program[Elf.CLASS] !== CLASS_64 || view.getUint16(Elf.MACHINE, true) !== MACHINE_X86_64)
    throw fail("not for x86-64, 64 bits");
  const table = Number(view.getBigUint64(Elf.PHOFF, true));
  const bytes = view.getUint16(Elf.PHENTSIZE, true);
  for (let index = 0; index < view.getUint16(Elf.PHNUM, true); index++) {
    const header = table + index * bytes;
    if (header + 4 > program.length) throw fail("cut short");
    if (view.getUint32(header, true) === PT_INTERP)
      throw fail("linked dynamically, expected a static one (link it with -static)");
  }
}

async function initramfs(program: Uint8Array, options: RunProgramOptions): Promise<Uint8Array> {
  const { name = "program", args = [], env = DEFAULT_ENVIRONMENT, files = {}, stdin = "", directory = "/" } = options;
  const environment = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const zero = [name, ...args, ...environment, directory].find((text) => text.includes("\0"));
  if (zero !== undefined)
    throw new VmError(
      "ERR_CONFIG",
      `an argument, a variable or the directory has a zero byte: ${JSON.stringify(zero)}`,
    );
  const relative = Object.keys(files).find((path) => !/^\/[^/]/.test(path));
  if (relative !== undefined)
    throw new VmError(
      "ERR_CONFIG",
      `the file ${JSON.stringify(relative)} has no absolute path, expected one like "/data"`,
    );
  const init = programInit({ program: PROGRAM, argv: [name, ...args], environment, directory, stdin: STDIN });
  return buildInitramfs([
    { kind: "directory", path: "dev", mode: 0o755 },
    // The kernel opens the console before anything is mounted.
    { kind: "character", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
    { kind: "file", path: "init", mode: 0o755, bytes: init },
    { kind: "file", path: PROGRAM.slice(1), mode: 0o755, bytes: program },
    { kind: "file", path: STDIN.slice(1), mode: 0o644, bytes: await contentOf(stdin) },
    ...(await Promise.all(
      Object.entries(files).map(async ([path, content]): Promise<ArchiveEntry> => ({
        kind: "file",
        path: path.slice(1),
        mode: 0o755,
        bytes: await contentOf(content),
      })),
    )),
  ]);
}

async function contentOf(content: string | Bytes): Promise<Uint8Array> {
  return typeof content === "string" ? encoder.encode(content) : bytesOf(content);
}
