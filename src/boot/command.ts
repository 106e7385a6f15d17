import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface CommandOutcome {
  /** 127 when there is no such program */
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** gets the lines that the program writes to descriptor 3 */
  readonly onStatus?: (line: string) => void;
  /** gets the lines that the program writes to its standard output, as they come */
  readonly onLine?: (line: string) => void;
  /** added to this process's environment */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Whether a program is on the PATH. */
export function hasProgram(name: string, path: string = process.env["PATH"] ?? ""): boolean {
  return path.split(delimiter).some((directory) => directory !== "" && existsSync(join(directory, name)));
}

/** Runs a program of the host without input, in the C locale, and keeps what it prints. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      cwd: options.cwd ?? "/",
      env: { ...process.env, ...options.environment, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe", options.onStatus === undefined ? "ignore" : "pipe"],
    });
    let output = "";
    let errors = "";
    const line = options.onLine && splitLines(options.onLine);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      line?.(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const status = child.stdio[3];
    if (status && "setEncoding" in status && options.onStatus)
      status.setEncoding("utf8").on("data", splitLines(options.onStatus));
    child.on("error", (error) => resolve({ code: 127, output, errors: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output, errors }));
  });
}

/** Turns pieces of text into whole lines; what comes behind the last line's end is lost. */
function splitLines(onLine: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
