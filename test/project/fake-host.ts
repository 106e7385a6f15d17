import { VmError } from "../../src/errors.ts";
import type { CommandHost, CommandMachine, RunOutcome, StartMode } from "../../src/cli/host.ts";

/** What a command did to the world of a test. */
export interface FakeWorld extends CommandHost {
  /** standard output, and standard error by lines */
  printed: string;
  readonly complaints: string[];
  readonly created: { readonly memoryBytes: number; readonly mode: StartMode }[];
  readonly written: { readonly gpa: bigint; readonly bytes: Uint8Array }[];
  /** values of maxInstructions, one for each run */
  readonly budgets: number[];
  rip: bigint;
}

/** A host with the given files, whose machine ends its runs with the given outcomes, one after the other. */
export function fakeHost(
  files: Readonly<Record<string, Uint8Array>> = {},
  outcomes: readonly RunOutcome[] = [],
): FakeWorld {
  const left = [...outcomes];
  const world: FakeWorld = {
    printed: "",
    complaints: [],
    created: [],
    written: [],
    budgets: [],
    rip: 0n,
    version: "1.2.3",
    print: (text) => void (world.printed += text),
    complain: (line) => void world.complaints.push(line),
    progress: () => undefined,
    nowMs: () => 0,
    readFile(path) {
      const bytes = files[path];
      if (bytes === undefined) throw new VmError("ERR_FILE", `cannot read ${path}: no such file`);
      return bytes;
    },
    fetchDebian: () => Promise.reject(new VmError("ERR_FILE", "no network in this test")),
    shellInitramfs: () => Promise.resolve(new Uint8Array()),
    openDisk: (path) => Promise.reject(new VmError("ERR_FILE", `cannot open disk ${path}: no such file`)),
    consoleSize: () => undefined,
    terminalSize: () => "",
    runBenchmark: (args) => {
      world.printed += `bench ${args.join(" ")}\n`;
      return Promise.resolve(0);
    },
    createMachine(options): Promise<CommandMachine> {
      world.created.push(options);
      return Promise.resolve({
        write: (gpa, bytes) => void world.written.push({ gpa, bytes }),
        read: (_gpa, byteLength) => new Uint8Array(byteLength).fill(0x90),
        setState: ({ rip }) => void (world.rip = rip ?? world.rip),
        describeState: () => "rax 78498\n",
        rip: () => world.rip,
        register: () => 78498n,
        run({ maxInstructions }) {
          world.budgets.push(maxInstructions);
          const outcome = left.shift() ?? { reason: "halt", instructions: 1 };
          world.rip += BigInt(outcome.instructions);
          return outcome;
        },
      });
    },
    createDisassembler: (codeSize) =>
      Promise.resolve((bytes, address) => ({
        length: Math.min(2, bytes.length),
        text: `code${codeSize} at ${address}`,
      })),
  };
  return world;
}
