// Child processes: quiet ones whose output is kept for the error message, and the one that takes over the terminal.

import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LOG_FILE, ROOT } from "./paths.mjs";

/**
 * Runs a command with no input, keeps what it prints, and appends it to the set-up log.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string }>} code 127 when there is no such command
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd ?? ROOT,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => (output += chunk.toString());
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const done = (/** @type {number} */ code) => {
      mkdirSync(dirname(LOG_FILE), { recursive: true });
      appendFileSync(LOG_FILE, `$ ${command} ${args.join(" ")}\n${output}[exit code ${code}]\n\n`);
      resolve({ code, output });
    };
    child.on("error", (error) => {
      output += `${error.message}\n`;
      done(127);
    });
    child.on("close", (code) => done(code ?? 1));
  });
}

/** @type {readonly NodeJS.Signals[]} */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a command on this process's own terminal and resolves to its exit code, 128 + the signal's number if a signal ended it.
 * While it runs, signals sent to this process go to the command, which decides how to end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<number>}
 */
export function takeOver(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd: options.cwd ?? process.cwd(), stdio: "inherit" });
    const handlers = FORWARDED.map((signal) => {
      const handler = () => {
        // Ctrl-C at a terminal reaches the whole process group: the command already has it.
        if (signal === "SIGINT" && process.stdin.isTTY) return;
        child.kill(signal);
      };
      process.on(signal, handler);
      return { signal, handler };
    });
    const release = () => handlers.forEach(({ signal, handler }) => process.removeListener(signal, handler));
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      release();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * The environment without node_modules/.bin on the PATH: npm must not run on the Node.js that it is about to replace.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function outerEnvironment() {
  const own = join(ROOT, "node_modules");
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((directory) => !directory.startsWith(own));
  return { ...process.env, PATH: path.join(delimiter) };
}
