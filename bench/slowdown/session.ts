import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Launch } from "../peers/engine.ts";
import { LineSplitter, parseLine, type PassResult } from "./protocol.ts";

/** One repetition of a workload, with both clocks. */
export interface Sample extends PassResult {
  /** between the program's marks, on the host's clock */
  readonly hostSeconds: number;
  /** what counts: see `trustedSeconds` */
  readonly seconds: number;
  /** of processor time: the program's own, or of a machine's whole process */
  readonly processorSeconds: number;
}

/** Seconds from the start of a machine's process; undefined for what did not happen. */
export interface BootTimeline {
  readonly firstOutput?: number;
  readonly init?: number;
  readonly firstWorkload?: number;
  readonly processorSecondsToInit?: number;
}

export interface SessionOutcome {
  readonly boot: BootTimeline;
  /** why it ended early */
  readonly problem: string | undefined;
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  /** last line that was not ours, to explain a problem with */
  readonly lastLine: string;
}

export interface SessionOptions {
  /** the process is ended when it says nothing for so long */
  readonly stallMs: number;
  readonly signal?: AbortSignal;
  readonly onBegin?: (workload: string, repetition: number) => void;
  readonly onSample?: (sample: Sample) => void;
}

/** A machine that has announced that it is off gets this long to end by itself. */
const POWER_OFF_MS = 3000;
const TICKS_PER_SECOND = 100;
/** The two clocks read the same thing when they differ by no more than this. */
const CLOCK_SLACK_SECONDS = 0.03;
const CLOCK_SLACK_SHARE = 0.03;

/**
 * Whose clock counts. A virtual machine's clock is finer than marks that come through a serial line, but may be wrong: it counts as
 * long as the host's clock confirms it.
 */
export function trustedSeconds(guestSeconds: number, hostSeconds: number): number {
  const slack = CLOCK_SLACK_SECONDS + CLOCK_SLACK_SHARE * hostSeconds;
  return guestSeconds > 0 && Math.abs(guestSeconds - hostSeconds) <= slack ? guestSeconds : hostSeconds;
}

/** Processor seconds of a process with all its threads and ended children; proc(5), /proc/pid/stat. */
function processorSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program, in parentheses, may hold blanks: fields are counted behind it.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 15);
    return fields.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Starts a process, reads what its programs say, and tells `onSample` each repetition as it ends. */
export function runLaunch(launch: Launch, options: SessionOptions): Promise<SessionOutcome> {
  const { promise, resolve } = Promise.withResolvers<SessionOutcome>();
  const [program, ...args] = launch.command;
  const isMachine = launch.kind === "machine";
  const started = performance.now();
  // A process group of its own: Ctrl-C at the terminal is for the harness, which then ends the group.
  const child = spawn(program, args, {
    cwd: launch.workingDirectory ?? "/",
    env: { ...process.env, ...launch.environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const boot: { -readonly [Key in keyof BootTimeline]: BootTimeline[Key] } = {};
  const failures: string[] = [];
  const notes: string[] = [];
  let problem: string | undefined;
  let lastLine = "";
  let programsDone = 0;
  let begun = { at: 0, processor: 0 };
  let ended = { at: 0, processor: 0 };

  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  const stop = (why: string): void => {
    problem ??= why;
    kill();
  };
  let stall: NodeJS.Timeout;
  const heard = (): void => {
    clearTimeout(stall);
    stall = setTimeout(() => stop(`it said nothing for ${options.stallMs / 1000} s`), options.stallMs);
  };
  const now = (): { at: number; processor: number } => ({
    at: performance.now(),
    processor: isMachine && child.pid !== undefined ? processorSeconds(child.pid) : 0,
  });
  const sinceStart = (): number => (performance.now() - started) / 1000;

  const takeLine = (line: string): void => {
    const message = parseLine(line);
    switch (message?.kind) {
      case "init":
        boot.init = sinceStart();
        boot.processorSecondsToInit = now().processor;
        break;
      case "begin":
        boot.firstWorkload ??= sinceStart();
        options.onBegin?.(message.workload, message.repetition);
        begun = now();
        break;
      case "end":
        ended = now();
        break;
      case "result": {
        const { result } = message;
        const hostSeconds = (ended.at - begun.at) / 1000;
        options.onSample?.({
          ...result,
          hostSeconds,
          seconds: isMachine ? trustedSeconds(result.wallSeconds, hostSeconds) : result.wallSeconds,
          processorSeconds: isMachine ? ended.processor - begun.processor : result.cpuSeconds,
        });
        break;
      }
      case "fail":
        failures.push(message.why);
        break;
      case "note":
        if (!notes.includes(message.text)) notes.push(message.text);
        break;
      case "done":
        programsDone++;
        break;
      case "off":
        setTimeout(kill, POWER_OFF_MS).unref();
        break;
      case undefined:
        if (line.trim() !== "") lastLine = line.trim().slice(0, 200);
        break;
    }
  };
  const splitter = new LineSplitter(takeLine);
  child.stdout.on("data", (bytes: Uint8Array) => {
    boot.firstOutput ??= sinceStart();
    heard();
    splitter.push(bytes);
  });
  child.stderr.on("data", (bytes: Uint8Array) => {
    const text = Buffer.from(bytes).toString("latin1").trim();
    if (text !== "") lastLine = text.split("\n")[0]?.slice(0, 200) ?? "";
  });
  const abort = (): void => stop("interrupted");
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();
  heard();
  child.on("error", (error) => (problem ??= error.message));
  child.on("close", (code, signal) => {
    clearTimeout(stall);
    options.signal?.removeEventListener("abort", abort);
    if (programsDone < launch.suites.length && failures.length === 0)
      problem ??= `it ended ${signal === null ? `with code ${code}` : `by ${signal}`}: ${lastLine || "no output"}`;
    resolve({ boot, problem, failures, notes, lastLine });
  });
  return promise;
}
