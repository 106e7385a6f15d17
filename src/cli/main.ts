import { InvariantError } from "../../runtime/abi/invariant.ts";
import { VmError } from "../errors.ts";
import { columns, commandHelp, parseArguments, type Command } from "./arguments.ts";
import { bench } from "./commands/bench.ts";
import { disasm } from "./commands/disasm.ts";
import { dumpRegionCommand } from "./commands/dump-region.ts";
import { exec } from "./commands/exec.ts";
import { run } from "./commands/run.ts";
import type { CommandHost } from "./host.ts";

/** Exit codes of the command line. */
export const ExitCode = {
  SUCCESS: 0,
  /** the guest stopped in another way than it should */
  GUEST_FAILED: 1,
  /** the command line, or a file that it names, is not usable */
  BAD_INPUT: 2,
  /** a bug of Umbra */
  BUG: 70,
} as const;

const COMMANDS: readonly Command[] = [run, exec, disasm, dumpRegionCommand, bench];

/**
 * Runs one command line. Whatever is wrong with it is one line on standard error.
 *
 * @param args without the names of the executable and of the program
 * @returns exit code
 */
export async function main(args: readonly string[], host: CommandHost): Promise<number> {
  try {
    return await dispatch(args, host);
  } catch (error) {
    if (error instanceof VmError) {
      host.complain(`umbra: ${error.message}`);
      return ExitCode.BAD_INPUT;
    }
    const what = error instanceof InvariantError ? "internal error" : "unexpected error";
    host.complain(
      `umbra: ${what}, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return ExitCode.BUG;
  }
}

async function dispatch(args: readonly string[], host: CommandHost): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    host.print(rest[0] === undefined ? programHelp(host) : commandHelp(findCommand(rest[0])));
    return ExitCode.SUCCESS;
  }
  if (name === "--version" || name === "-V") {
    host.print(`${host.version}\n`);
    return ExitCode.SUCCESS;
  }
  // The main job needs no name: `umbra` boots to a shell, `umbra --memory 1G` does so with more memory.
  const isOption =
    name === undefined || (name.startsWith("--") && Object.hasOwn(run.options, name.slice(2).replace(/=.*/, "")));
  const command = isOption ? run : findCommand(name);
  const given = parseArguments(command, isOption ? args : rest);
  if (given.switches.has("help")) {
    host.print(commandHelp(command));
    return ExitCode.SUCCESS;
  }
  return command.run(given, host);
}

function findCommand(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const kind = name.startsWith("-") ? "option" : "command";
  throw new VmError("ERR_CONFIG", `unknown ${kind} "${name}"; see umbra --help`);
}

function programHelp(host: CommandHost): string {
  const commands = columns(COMMANDS.map(({ name, operands, summary }) => [[name, ...operands].join(" "), summary]));
  const options = columns([
    ["-h, --help", "show this help; umbra COMMAND --help shows that of a command"],
    ["-V, --version", "show the version"],
  ]);
  return `Umbra ${host.version}: an x86-64 virtual machine that recompiles hot guest code to WebAssembly.

Usage: umbra COMMAND [options] [arguments]
       umbra [options of run]        boots Debian's kernel to a shell

Commands:
${commands}
Options:
${options}`;
}
