import { parseArgs } from "node:util";
import { VmError } from "../errors.ts";
import type { CommandHost } from "./host.ts";

export interface Option {
  /** what the value stands for, such as "SIZE"; without it the option is a switch */
  readonly value?: string;
  readonly short?: string;
  readonly about: string;
  /** may be given several times: its values are in `lists` */
  readonly repeatable?: true;
  /** shown in the help; the command itself applies it */
  readonly otherwise?: string;
}

/** A command's options and operands as they were typed. */
export interface Arguments {
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  /** of repeatable options, in their order */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** names of the operands; each must be given */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** closing paragraph of the help */
  readonly notes?: string;
  /** @returns exit code */
  run(given: Arguments, host: CommandHost): Promise<number>;
}

export const HELP: Option = { short: "h", about: "show this help" };

/**
 * Reads what follows the name of a command.
 *
 * @throws {VmError} ERR_CONFIG for an unknown option, a missing value, or the wrong number of operands
 */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, help: HELP }).map(([name, { value, short, repeatable }]) => [
      name,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        ...(repeatable && { multiple: true as const }),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const switches = new Set<string>();
  const values = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  const parsed = parseOrComplain(command, () => parseArgs({ args: [...args], options, allowPositionals: true }));
  for (const [name, value] of Object.entries(parsed.values)) {
    if (typeof value === "string") values.set(name, value);
    else if (Array.isArray(value)) lists.set(name, value.map(String));
    else if (value === true) switches.add(name);
  }
  const operands = parsed.positionals;
  if (!switches.has("help")) {
    const missing = command.operands[operands.length];
    if (missing !== undefined) throw usageError(command, `${missing} is missing`);
    const extra = operands[command.operands.length];
    if (extra !== undefined) throw usageError(command, `unexpected argument "${extra}"`);
  }
  return { switches, values, lists, operands };
}

function parseOrComplain<T>(command: Command, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    // Node's message goes on with advice after its first sentence, on the same line or the next.
    const sentence = /^.*?(?=\. |\n|$)/.exec(cause.message)?.[0] ?? cause.message;
    throw usageError(command, `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`, cause);
  }
}

function usageError(command: Command, message: string, cause?: unknown): VmError {
  return new VmError("ERR_CONFIG", `${message}; see umbra ${command.name} --help`, { cause });
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const usage = ["umbra", command.name, "[options]", ...command.operands].join(" ");
  const rows = Object.entries({ ...command.options, help: HELP }).map(([name, option]): [string, string] => {
    const flag = `${option.short === undefined ? "    " : `-${option.short}, `}--${name}`;
    const often = option.repeatable ? "; may be given several times" : "";
    const otherwise = option.otherwise === undefined ? "" : ` [${option.otherwise}]`;
    return [option.value === undefined ? flag : `${flag} ${option.value}`, option.about + often + otherwise];
  });
  const notes = command.notes === undefined ? "" : `\n${command.notes}\n`;
  return `${command.summary}.\n\nUsage: ${usage}\n\nOptions:\n${columns(rows)}${notes}`;
}

/** Two columns, indented, each row a line. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}\n`).join("");
}
