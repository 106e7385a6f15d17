import { Shadow } from "../../runtime/cpu/cpu.ts";
import { setPendingEvents } from "../../runtime/cpu/interrupt-window.ts";
import { InstructionClock } from "../../runtime/time/clock.ts";
import type { MachineExit } from "./exit.ts";
import type { Loop, LoopParts } from "./loop.ts";

/** the most instructions by which a run that need not be exact goes too far: a block or a region, and what it leads to */
const ROUGHLY = 4096n;

/** Guest time in a slice: the clock, which exists before the machine's loop, reads it. */
export interface SliceTime {
  /** count of instructions at which the slice in progress began */
  begin: bigint;
}

/** Runs a machine in lockstep with another one: in slices that end at exact counts of instructions, in which time stands still. */
export class Lockstep {
  readonly #parts: LoopParts;
  readonly #loop: Loop;
  readonly #slice: SliceTime;
  #sliceEnd = 0n;

  constructor(parts: LoopParts, loop: Loop, slice: SliceTime) {
    this.#slice = slice;
    this.#parts = parts;
    this.#loop = loop;
  }

  /**
   * Runs at once until exactly `target` instructions have been retired since the machine was made, or until the machine ends.
   * Where it is stopped on the way does not change what the guest does. Needs `lockstepSlice`, the clock "instructions" and a translator that translates at once.
   *
   * @param rough stop within some hundred instructions of the target instead, without the single steps that an exact count takes
   * @returns why the machine ended; undefined when it was stopped at the target
   */
  advance(target: bigint, rough = false): MachineExit | undefined {
    const { processor, signals, flushOutput } = this.#parts;
    while (!signals.exit && processor.instructions < target) {
      if (processor.instructions >= this.#sliceEnd && !this.#beginSlice()) continue;
      const left = this.#sliceEnd - processor.instructions;
      const wanted = target - processor.instructions;
      // What overshoots must not run past the end of the slice.
      const exit =
        rough && left > wanted + ROUGHLY
          ? processor.runSlice(Number(wanted))
          : processor.run(Number(wanted < left ? wanted : left));
      this.#loop.take(exit);
      if (exit.reason !== "budget") this.#sliceEnd = processor.instructions;
      if (rough && processor.instructions >= target) break;
    }
    flushOutput();
    return signals.exit;
  }

  /** Whether there is something to run now: otherwise the machine was idle, and time has passed. */
  #beginSlice(): boolean {
    const { processor, board, clock, timers, signals } = this.#parts;
    this.#slice.begin = processor.instructions;
    timers.runDue(clock.nowNs());
    if ((board.hasInterrupt() || signals.nmi) && processor.cpu.shadow !== Shadow.NONE)
      this.#loop.take(processor.run(1));
    this.#loop.deliverEvents();
    this.#slice.begin = processor.instructions;
    if (signals.exit) return false;
    if (this.#loop.halted) {
      const next = timers.nextDeadlineNs();
      if (next === undefined || !(clock instanceof InstructionClock)) signals.exit = { reason: "halt" };
      else clock.advanceTo(next);
      return false;
    }
    setPendingEvents(processor.cpu, board.hasInterrupt() || signals.nmi);
    this.#sliceEnd = processor.instructions + BigInt(this.#loop.sliceLength());
    return true;
  }
}
