import { Rflags } from "../../runtime/abi/guest-state.ts";
import type { Board } from "../../runtime/board.ts";
import { Shadow } from "../../runtime/cpu/cpu.ts";
import { externalInterrupt, NMI } from "../../runtime/cpu/exceptions.ts";
import { canTakeInterrupt, canTakeNmi, setPendingEvents } from "../../runtime/cpu/interrupt-window.ts";
import type { Processor, RunExit } from "../../runtime/cpu/processor.ts";
import { InstructionClock, type MonotonicClock } from "../../runtime/time/clock.ts";
import type { PartTime } from "../../runtime/time/part-times.ts";
import type { Timers } from "../../runtime/time/timers.ts";
import { nextTurn } from "../host/next-turn.ts";
import type { MachineExit } from "./exit.ts";
import type { Signals } from "./signals.ts";

/** guest instructions between two looks at the timers */
const SLICE = 200_000;
/** milliseconds for which the guest may run before the host's event loop gets its turn */
const TURN_MS = 10;
/** the longest sleep of an idle machine: setTimeout takes no more than 2^31 ms */
const LONGEST_SLEEP_MS = 60_000;

/** What the loop runs. */
export interface LoopParts {
  readonly processor: Processor;
  readonly board: Board;
  readonly clock: MonotonicClock | InstructionClock;
  readonly timers: Timers;
  readonly timerTime: PartTime;
  readonly signals: Signals;
  /** hands on what the guest has sent; called between runs of the processor */
  readonly flushOutput: () => void;
  /** the most instructions between two looks at the timers; default 200,000 */
  readonly longestSlice?: number | undefined;
}

/** Runs what is due, delivers what is pending, gives the processor a slice of instructions, and sleeps when it halts. */
export class Loop {
  readonly #parts: LoopParts;
  readonly #signals: Signals;
  runningMs = 0;
  idleMs = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#signals = parts.signals;
  }

  /** Runs the guest until it ends itself or `stop` is called. The host's event loop gets a turn every few milliseconds. */
  async run(): Promise<MachineExit> {
    this.#signals.exit = undefined;
    for (;;) {
      if (this.#signals.holds.size > 0) await this.#signals.released();
      const started = performance.now();
      const idle = this.#turn(started + TURN_MS);
      const ended = performance.now();
      this.runningMs += ended - started;
      // Whoever is told of output may answer at once, before there is a sleep to be woken from.
      this.#signals.awake = false;
      this.#parts.flushOutput();
      const exit: MachineExit | undefined = this.#signals.exit;
      if (exit) return exit;
      if (idle) {
        await this.#sleep();
        this.idleMs += performance.now() - ended;
      } else if (this.#awaitsTranslation) {
        await this.#parts.processor.translation?.ready();
      } else {
        await nextTurn();
      }
    }
  }

  /** Runs until `deadlineMs`, or until the processor halts with nothing to do: then true. */
  #turn(deadlineMs: number): boolean {
    const { processor, board } = this.#parts;
    while (!this.#signals.exit && performance.now() < deadlineMs) {
      const late = processor.times.translating.time(() =>
        processor.translation?.collect(Number(processor.instructions)),
      );
      this.#awaitsTranslation = late === "late";
      if (this.#awaitsTranslation) return false;
      this.#parts.timerTime.time(() => this.#parts.timers.runDue(this.#parts.clock.nowNs()));
      // An interrupt shadow covers one instruction: it runs alone, so that the event comes right behind it.
      if ((board.hasInterrupt() || this.#signals.nmi) && processor.cpu.shadow !== Shadow.NONE)
        this.take(processor.run(1));
      this.deliverEvents();
      if (this.halted) return true;
      setPendingEvents(processor.cpu, board.hasInterrupt() || this.#signals.nmi);
      const exit = processor.runSlice(this.sliceLength());
      this.take(exit);
    }
    return false;
  }

  /** with a clock that counts instructions: the guest is at a point where translated code must be installed, which is not ready */
  #awaitsTranslation = false;

  /** HLT was executed, and nothing has woken the processor since. */
  halted = false;

  deliverEvents(): void {
    const { processor, board } = this.#parts;
    if (this.#signals.nmi && canTakeNmi(processor.cpu)) {
      this.#signals.nmi = false;
      this.halted = false;
      this.take(processor.deliver(NMI));
    }
    if (board.hasInterrupt() && canTakeInterrupt(processor.cpu)) {
      this.halted = false;
      this.take(processor.deliver(externalInterrupt(board.acknowledge())));
    }
  }

  take(exit: RunExit | undefined): void {
    if (exit?.reason === "halt") this.halted = true;
    if (exit?.reason === "shutdown") this.#signals.exit ??= { reason: "triple-fault" };
  }

  /** Instructions until the next look at the timers. A clock that counts instructions stops at its next deadline. */
  sliceLength(): number {
    const next = this.#parts.timers.nextDeadlineNs();
    const longest = this.#parts.longestSlice ?? SLICE;
    if (next === undefined || !(this.#parts.clock instanceof InstructionClock)) return longest;
    return Math.max(1, Math.min(longest, Number(this.#parts.clock.instructionsUntil(next))));
  }

  /** Waits for the next timer or for input. */
  async #sleep(): Promise<void> {
    const { cpu } = this.#parts.processor;
    const next = this.#parts.timers.nextDeadlineNs();
    if (next === undefined && !(cpu.state.systemFlags & Rflags.IF)) {
      this.#signals.exit ??= { reason: "halt" };
      return;
    }
    if (this.#parts.clock instanceof InstructionClock && next !== undefined) {
      this.#parts.clock.advanceTo(next);
      return;
    }
    const waitMs =
      next === undefined
        ? LONGEST_SLEEP_MS
        : Math.min(LONGEST_SLEEP_MS, Number((next - this.#parts.clock.nowNs()) / 1000n) / 1000);
    if (waitMs <= 0 || this.#signals.awake) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(waitMs));
      this.#signals.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#signals.wake = undefined;
  }
}
