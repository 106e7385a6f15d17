/** A callback that waits for its time. */
export interface TimerHandle {
  readonly deadlineNs: bigint;
}

interface Entry extends TimerHandle {
  readonly callback: () => void;
}

/**
 * The devices' deadlines, in guest time. Nothing here waits: the machine loop asks for the next deadline, lets the guest run or
 * sleep until then, and calls `runDue`. Deadlines that are equal run in the order in which they were set.
 */
export class Timers {
  /** latest first, so that the next one is popped from the end */
  readonly #entries: Entry[] = [];
  /** taken off the list by a `runDue` that is under way */
  readonly #due: Entry[] = [];
  readonly #onEarlier: (deadlineNs: bigint) => void;

  /** @param onEarlier a new deadline is the next one now: a loop that is under way may have to stop sooner */
  constructor(onEarlier: (deadlineNs: bigint) => void = () => {}) {
    this.#onEarlier = onEarlier;
  }

  at(deadlineNs: bigint, callback: () => void): TimerHandle {
    const entry: Entry = { deadlineNs, callback };
    const entries = this.#entries;
    let index = entries.length;
    // A machine has a dozen timers at most: a list is as good as a heap.
    while (index > 0 && (entries[index - 1]?.deadlineNs ?? 0n) <= deadlineNs) index--;
    entries.splice(index, 0, entry);
    if (index === entries.length - 1) this.#onEarlier(deadlineNs);
    return entry;
  }

  /** Forgets a timer; one that has run or was cancelled before is no error. */
  cancel(handle: TimerHandle | undefined): void {
    // One that is due may be cancelled by another that is due as well.
    for (const entries of [this.#entries, this.#due]) {
      const index = entries.findIndex((entry) => entry === handle);
      if (index >= 0) entries.splice(index, 1);
    }
  }

  nextDeadlineNs(): bigint | undefined {
    return this.#entries.at(-1)?.deadlineNs;
  }

  /**
   * Runs what is due at `nowNs`. What a callback sets for a time that is past as well waits for the next call, so that
   * a device that is behind cannot keep the guest from running.
   *
   * @returns callbacks run
   */
  runDue(nowNs: bigint): number {
    const due = this.#due;
    for (let next = this.#entries.at(-1); next && next.deadlineNs <= nowNs; next = this.#entries.at(-1)) {
      this.#entries.pop();
      due.push(next);
    }
    let run = 0;
    for (let entry = due.shift(); entry; entry = due.shift(), run++) entry.callback();
    return run;
  }
}

/** One timer of a device: setting it again replaces the deadline. */
export class Alarm {
  readonly #timers: Timers;
  readonly #callback: () => void;
  #handle: TimerHandle | undefined;

  constructor(timers: Timers, callback: () => void) {
    this.#timers = timers;
    this.#callback = callback;
  }

  get deadlineNs(): bigint | undefined {
    return this.#handle?.deadlineNs;
  }

  set(deadlineNs: bigint): void {
    this.#timers.cancel(this.#handle);
    this.#handle = this.#timers.at(deadlineNs, () => {
      this.#handle = undefined;
      this.#callback();
    });
  }

  clear(): void {
    this.#timers.cancel(this.#handle);
    this.#handle = undefined;
  }
}
