import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FetchProgress } from "../boot/debian.ts";
import { VmError } from "../errors.ts";
import type { CommandHost, CommandMachine } from "./host.ts";

/** A value of the machine's state as text: registers as 16 digits, others as they print. */
function stateLine(name: string, value: unknown): string {
  const text = (item: unknown): string => {
    if (typeof item === "bigint") return item.toString(16).padStart(16, "0");
    if (typeof item === "number") return item.toString(16).padStart(8, "0");
    if (Array.isArray(item)) return item.map(text).join(" ");
    return JSON.stringify(item, (_key, inner: unknown) =>
      typeof inner === "bigint" ? `0x${inner.toString(16)}` : inner,
    );
  };
  return `${name.padEnd(8)} ${text(value)}\n`;
}

/** Shows what is fetched: a bar that is drawn anew on a terminal, a line for each file elsewhere. */
function progressReporter(): (progress: FetchProgress) => void {
  const { stderr } = process;
  let shown = "";
  return (progress) => {
    if (progress.kind === "note") {
      stderr.write(`umbra: ${progress.text}\n`);
      return;
    }
    const { name, doneBytes, totalBytes } = progress;
    const share = totalBytes > 0 ? doneBytes / totalBytes : 0;
    if (stderr.isTTY) {
      const filled = Math.round(share * 30);
      const bar = `${"#".repeat(filled)}${"-".repeat(30 - filled)}`;
      stderr.write(
        `\r${name} [${bar}] ${(doneBytes / 1e6).toFixed(1)} of ${(totalBytes / 1e6).toFixed(1)} MB${share >= 1 ? "\n" : ""}`,
      );
    } else if (shown !== name) {
      stderr.write(`umbra: fetching ${name} (${(totalBytes / 1e6).toFixed(1)} MB)\n`);
      shown = name;
    }
  };
}

/** Back to the start of the line, and nothing on it: where a line of progress stood. ECMA-48, CR and EL. */
const CLEAR_LINE = "\r\x1b[K";

/** milliseconds between two lines of progress in a file or a pipe */
const PROGRESS_MS = 10_000;
let progressShownMs = 0;

function showProgress(text: string): void {
  const { stderr } = process;
  if (stderr.isTTY) {
    stderr.write(`${CLEAR_LINE}${text}`);
    return;
  }
  const now = performance.now();
  if (now - progressShownMs < PROGRESS_MS) return;
  progressShownMs = now;
  stderr.write(`umbra: ${text}\n`);
}

/** The terminal and the files of this process. */
export const nodeHost: CommandHost = {
  print: (text) => void process.stdout.write(text),
  complain: (line) => void process.stderr.write(`${process.stderr.isTTY ? CLEAR_LINE : ""}${line}\n`),
  progress: showProgress,
  readFile(path) {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new VmError("ERR_FILE", `cannot read ${path}: ${fileReason(cause)}`, { cause });
    }
  },
  async fetchDebian(mirror) {
    const { fetchDebian } = await import("../boot/debian.ts");
    const report = progressReporter();
    const files = await fetchDebian({ ...(mirror === undefined ? {} : { mirror }), onProgress: report });
    return { kernel: files.kernel.path, kernelPackage: files.kernel.packagePath, busybox: files.busybox.path };
  },
  async shellInitramfs({ busybox, kernelPackage }, modules, script) {
    const { busyboxInitramfs } = await import("../boot/busybox-initramfs.ts");
    const { moduleEntries, moduleFiles } = await import("../boot/modules.ts");
    // A kernel's package takes a while to unpack.
    const files = modules.length > 0 ? await moduleFiles(kernelPackage, modules) : [];
    return busyboxInitramfs({
      busybox: nodeHost.readFile(busybox),
      extra: moduleEntries(files),
      ...(script !== undefined && { script }),
    });
  },
  async openDisk(path, options) {
    const { openFileDisk } = await import("../host/node/file-disk.ts");
    return openFileDisk(path, options);
  },
  consoleSize: () =>
    process.stdout.isTTY ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined,
  terminalSize: () =>
    process.stdout.isTTY ? `UMBRA_ROWS=${process.stdout.rows} UMBRA_COLUMNS=${process.stdout.columns}` : "",
  async createMachine({ memoryBytes, mode }): Promise<CommandMachine> {
    // Loaded when it is first needed, so that `umbra --help` loads no machine.
    const { createBareMachine } = await import("../bare-machine.ts");
    const machine = await createBareMachine({ memoryBytes, mode, engine: "interpreter" });
    return {
      write: (gpa, bytes) => machine.write(gpa, bytes),
      read: (gpa, byteLength) => machine.read(gpa, byteLength),
      setState: (state) => machine.setState(state),
      describeState: () =>
        Object.entries(machine.getState())
          .map(([name, value]) => stateLine(name, value))
          .join(""),
      rip: () => machine.getState().rip,
      register: (name) => machine.getState()[name],
      run: (options) => machine.run(options),
    };
  },
  async createDisassembler(codeSize) {
    const [{ createDecoder }, { format }, { FEATURES }] = await Promise.all([
      import("../../jit/isa/decode.ts"),
      import("../../jit/isa/format.ts"),
      import("../../jit/isa/row.ts"),
    ]);
    const decoder = createDecoder(new Set(FEATURES));
    return (bytes, address) => {
      const instruction = decoder.decode(bytes, 0, bytes.length, codeSize);
      // What is no instruction is listed byte by byte, so that the listing finds its feet again.
      if (typeof instruction === "string") return { length: 1, text: "(bad)" };
      return { length: instruction.length, text: format(instruction, address) };
    };
  },
  async runBenchmark(args) {
    const program = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
    if (!existsSync(program)) {
      throw new VmError(
        "ERR_FILE",
        `there are no benchmarks here: ${program} is part of a checkout of Umbra's sources`,
      );
    }
    const { takeOver } = await import("./bootstrap/process.mjs");
    return takeOver(process.execPath, [program, ...args]);
  },
  nowMs: () => performance.now(),
  get version() {
    const manifest: { readonly version: string } = JSON.parse(
      readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8"),
    );
    return manifest.version;
  },
};

/** Why a file cannot be read, in words. */
function fileReason(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EISDIR":
      return "it is a directory";
    case "EACCES":
      return "permission denied";
    case "ERR_FS_FILE_TOO_LARGE":
      return "it is too large";
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
