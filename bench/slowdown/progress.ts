import { Presets, SingleBar } from "cli-progress";
import type { Engine } from "../peers/engine.ts";
import type { Observer } from "./measure.ts";

/** Roughly what a workload takes natively, in seconds. */
const NATIVE_SECONDS = { quick: 0.008, full: 0.09 } as const;
/** Preparing and checking a repetition, in parts of what is measured. */
const OVERHEAD = 1.4;

export interface ProgressOptions {
  readonly quick: boolean;
  readonly rounds: number;
  readonly repetitions: number;
  readonly secondsPerWorkload: number;
  readonly stream: NodeJS.WriteStream;
}

/** "75 s", "12 min". */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** Seconds that a workload is expected to take in one round. */
export function expectedSeconds(
  engine: Engine,
  { quick, repetitions, secondsPerWorkload }: Omit<ProgressOptions, "stream" | "rounds">,
): number {
  const once = (quick ? NATIVE_SECONDS.quick : NATIVE_SECONDS.full) * engine.expectedSlowdown;
  const warm = once < 4 * secondsPerWorkload ? 2 : 1;
  const times = Math.min(repetitions, Math.max(warm, Math.ceil(secondsPerWorkload / once)));
  return times * once * OVERHEAD;
}

/** Shows how far a measurement is: a bar on a terminal, a line for each engine and suite elsewhere. */
export class Progress implements Observer {
  readonly #options: ProgressOptions;
  readonly #bar: SingleBar | undefined;
  /** expected seconds, of what is done and in all; measured rounds correct what is left */
  #done = 0;
  #total = 0;
  #started = 0;
  #workloadsOf: (engine: Engine) => number = () => 0;
  #round = 0;
  #current = { key: "", since: 0, suite: "" };
  #engineDone = 0;
  #showing = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    if (options.stream.isTTY) {
      const format = "{bar} {percentage} % | {left} left | round {round} | {what}";
      this.#bar = new SingleBar(
        { format, stream: options.stream, hideCursor: true, clearOnComplete: true, barsize: 24, linewrap: false },
        Presets.shades_classic,
      );
    }
  }

  note(line: string): void {
    if (this.#showing === line) return;
    this.#showing = line;
    if (this.#bar === undefined) this.#options.stream.write(`${line}\n`);
    else this.#options.stream.write(`\r\u001b[K${line}`);
  }

  begin(engines: readonly Engine[], workloadsOf: (engine: Engine) => number): void {
    this.#workloadsOf = workloadsOf;
    this.#started = performance.now();
    this.#total = this.#options.rounds * engines.reduce((sum, engine) => sum + this.#expectedRound(engine), 0);
    if (this.#bar === undefined) {
      this.#options.stream.write(`about ${durationText(this.#total)} for ${engines.length} engines\n`);
      return;
    }
    this.#options.stream.write("\r\u001b[K");
    this.#bar.start(Math.max(1, this.#total), 0, { left: durationText(this.#total), round: 1, what: "" });
    this.#timer = setInterval(() => this.#draw(), 500);
  }

  start(engine: Engine, round: number): void {
    this.#round = round;
    this.#engineDone = 0;
    this.#showing = `${engine.name}: starting`;
    this.#current = { key: "", since: performance.now(), suite: "" };
    this.#draw();
  }

  workload(engine: Engine, workload: string, repetition: number): void {
    const { key, suite } = this.#current;
    const next = workload.split("/")[0] ?? "";
    if (key !== workload) {
      if (key === "") this.#engineDone += engine.expectedStart;
      else this.#engineDone += expectedSeconds(engine, this.#options);
      if (this.#bar === undefined && suite !== next) {
        const left = durationText(this.#left());
        this.#options.stream.write(`round ${this.#round}: ${engine.name}, ${next} (${left} left)\n`);
      }
      this.#current = { key: workload, since: performance.now(), suite: next };
    }
    this.#showing = `${engine.name}: ${workload} ${repetition}`;
    this.#draw();
  }

  finish(engine: Engine): void {
    this.#done += this.#expectedRound(engine);
    this.#engineDone = 0;
    this.#draw();
  }

  /** Removes the bar. */
  close(): void {
    clearInterval(this.#timer);
    this.#bar?.stop();
  }

  #expectedRound(engine: Engine): number {
    return engine.expectedStart + this.#workloadsOf(engine) * expectedSeconds(engine, this.#options);
  }

  #left(): number {
    const done = this.#done + this.#engineDone;
    const elapsed = (performance.now() - this.#started) / 1000;
    // What was expected is corrected by how it went so far, once there is enough of it to tell.
    const correction = done > 5 ? elapsed / done : 1;
    return Math.max(0, this.#total - done) * correction;
  }

  #draw(): void {
    this.#bar?.update(Math.min(this.#total, this.#done + this.#engineDone), {
      left: durationText(this.#left()),
      round: `${this.#round} of ${this.#options.rounds}`,
      what: this.#showing,
    });
  }
}
