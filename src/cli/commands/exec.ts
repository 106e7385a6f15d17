import { VmError } from "../../errors.ts";
import { loadProgram, type Program } from "../../program.ts";
import type { Arguments, Command } from "../arguments.ts";
import type { CommandHost, CommandMachine, RunOutcome, StartMode } from "../host.ts";
import { parseAddress, parseChoice, parseCount, parseSize } from "../quantity.ts";
import { CODE_SIZE, LONGEST_INSTRUCTION, listingLine } from "./disasm.ts";
import { parseLimit, reportVerification, VERIFY_OPTION, verifyEngine } from "./verify.ts";

/** Where a flat binary goes unless told otherwise; in real mode, where a PC's firmware puts a boot sector. */
const DEFAULT_BASE: Readonly<Record<StartMode, bigint>> = { long: 0x10_0000n, protected: 0x10_0000n, real: 0x7c00n };

/** Instructions between two looks at the limit; the budget of a run is a signed 32-bit number. */
const SLICE = 1_000_000_000;

/** Names of the exception vectors; SDM Vol. 3A, table 6-1. */
// prettier-ignore
const VECTOR_NAME = ["#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "vector 9", "#TS", "#NP", "#SS", "#GP", "#PF",
  "vector 15", "#MF", "#AC", "#MC", "#XM"];

export const exec: Command = {
  name: "exec",
  summary: "Run a program on a bare machine, a CPU and memory without devices, until it executes HLT",
  operands: ["FILE"],
  options: {
    base: { value: "ADDRESS", about: "where to load a flat binary", otherwise: "0x100000; in real mode 0x7c00" },
    entry: { value: "ADDRESS", about: "where to start", otherwise: "the base; of an ELF file, its entry" },
    mode: { value: "MODE", about: "long, protected or real: what the CPU starts in", otherwise: "long" },
    memory: { value: "SIZE", about: "memory of the machine, such as 64M", otherwise: "64M" },
    "max-instructions": { value: "COUNT", about: "stop after so many instructions", otherwise: "no limit" },
    state: { about: "print the registers at the end" },
    trace: { about: "print every instruction before it runs" },
    verify: VERIFY_OPTION,
    engine: { value: "ENGINE", about: "with --verify: tiered or translator", otherwise: "tiered" },
  },
  notes: `FILE is a static ELF64 executable, or anything else as a flat binary.
Exit code: 0 when the program halted, 1 when it stopped otherwise or --verify found a difference, 2 when it could not be started.`,
  run: executeFile,
};

async function executeFile(given: Arguments, host: CommandHost): Promise<number> {
  const { values, switches } = given;
  const mode = parseChoice("--mode", values.get("mode") ?? "long", ["long", "protected", "real"]);
  const memoryBytes = parseSize("--memory", values.get("memory") ?? "64M");
  const baseText = values.get("base");
  const entryText = values.get("entry");
  const limitText = values.get("max-instructions");
  const base = baseText === undefined ? DEFAULT_BASE[mode] : parseAddress("--base", baseText);
  const entry = entryText === undefined ? undefined : parseAddress("--entry", entryText);
  const limit = limitText === undefined ? Number.MAX_SAFE_INTEGER : parseCount("--max-instructions", limitText);
  const program = loadProgram(host.readFile(given.operands[0] ?? ""), { base, entry, memoryBytes });
  if (mode === "real" && program.entry > 0xffffn) {
    throw new VmError(
      "ERR_PROGRAM_PLACEMENT",
      `the entry is 0x${program.entry.toString(16)}; in real mode it must be below 0x10000`,
    );
  }

  if (switches.has("verify")) {
    const engine = verifyEngine(values.get("engine"));
    const { verifyProgram } = await import("../../verify/verify.ts");
    return reportVerification(host, { engine, ...parseLimit("--max-instructions", limitText) }, (how) =>
      verifyProgram({ memoryBytes, mode }, (machine) => placeProgram(machine, program), how),
    );
  }
  const machine = await host.createMachine({ memoryBytes, mode });
  placeProgram(machine, program);
  const outcome = switches.has("trace")
    ? await trace(machine, { mode, memoryBytes, limit }, host)
    : run(machine, limit);
  if (switches.has("state")) host.print(machine.describeState());
  if (outcome.reason === "halt") return 0;
  host.complain(`umbra: ${describeOutcome(outcome, machine.rip())}`);
  return 1;
}

/** Writes a program to a fresh machine, whose memory is zero, and points the CPU at its entry. */
export function placeProgram(machine: Pick<CommandMachine, "write" | "setState">, program: Program): void {
  for (const { gpa, bytes } of program.segments) machine.write(gpa, bytes);
  machine.setState({ rip: program.entry });
}

/** Runs until the program stops or the limit is reached. */
export function run(machine: CommandMachine, limit: number): RunOutcome {
  let instructions = 0;
  for (;;) {
    const outcome = machine.run({ maxInstructions: Math.min(SLICE, limit - instructions) });
    instructions += outcome.instructions;
    if (outcome.reason !== "budget" || instructions >= limit) return { ...outcome, instructions };
  }
}

interface TraceOptions {
  readonly mode: StartMode;
  readonly memoryBytes: number;
  readonly limit: number;
}

/** Like `run`, one instruction at a time, each listed before it runs. */
async function trace(
  machine: CommandMachine,
  { mode, memoryBytes, limit }: TraceOptions,
  host: CommandHost,
): Promise<RunOutcome> {
  const disassemble = await host.createDisassembler(CODE_SIZE[mode]);
  for (let instructions = 0; ;) {
    const rip = machine.rip();
    // Outside the memory there is nothing to list: running it faults.
    const available = Math.max(0, Math.min(LONGEST_INSTRUCTION, Number(BigInt(memoryBytes) - rip)));
    if (available > 0) {
      const bytes = machine.read(rip, available);
      const { length, text } = disassemble(bytes, rip);
      host.print(listingLine(rip, bytes.subarray(0, length), text));
    }
    const outcome = machine.run({ maxInstructions: 1 });
    instructions += outcome.instructions;
    if (outcome.reason !== "budget" || instructions >= limit) return { ...outcome, instructions };
  }
}

function describeOutcome(outcome: RunOutcome, rip: bigint): string {
  const where = `at rip 0x${rip.toString(16)} after ${outcome.instructions} instructions`;
  switch (outcome.reason) {
    case "exception": {
      const name = VECTOR_NAME[outcome.vector ?? -1] ?? `vector ${outcome.vector}`;
      const errorCode = outcome.errorCode === undefined ? "" : `, error code 0x${outcome.errorCode.toString(16)}`;
      const cr2 = outcome.cr2 === undefined ? "" : `, cr2 0x${outcome.cr2.toString(16)}`;
      return `the program raised ${name}${errorCode}${cr2} ${where}`;
    }
    case "budget":
      return `the limit of instructions was reached ${where}`;
    case "port":
      return `the program used an I/O port, which a bare machine has not, ${where}`;
    case "shutdown":
      return `the CPU shut down ${where}`;
    case "halt":
      return `the program halted ${where}`;
  }
}
