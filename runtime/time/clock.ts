/** Guest time: nanoseconds since the machine was powered on. It never goes back, and stands still while the machine is paused. */
export interface Clock {
  nowNs(): bigint;
}

/** The host's monotonic clock, from any origin. */
export interface HostClock {
  /** whole nanoseconds, below 2^53: for a hundred days */
  monotonicNs(): number;
}

export interface ClockState {
  readonly nowNs: bigint;
}

const NS_PER_SECOND = 1_000_000_000n;

/** Whole ticks of a clock of `hz` that have passed at `ns`. */
export function ticksAt(ns: bigint, hz: number): number {
  return Number((ns * BigInt(hz)) / NS_PER_SECOND);
}

/** The first nanosecond at which `ticksAt` is `ticks`. */
export function nsOfTick(ticks: number, hz: number): bigint {
  const rate = BigInt(hz);
  return (BigInt(ticks) * NS_PER_SECOND + rate - 1n) / rate;
}

/** Guest time that follows the host's clock while the machine runs. */
export class MonotonicClock implements Clock {
  readonly #host: HostClock;
  /** guest time minus host time */
  #offset: number;
  /** guest time at which it stands still */
  #pausedAt: number | undefined;

  constructor(host: HostClock) {
    this.#host = host;
    this.#offset = -host.monotonicNs();
  }

  nowNs(): bigint {
    return BigInt(this.now());
  }

  /** Nanoseconds as a number, for who asks often. */
  now(): number {
    return this.#pausedAt ?? this.#host.monotonicNs() + this.#offset;
  }

  pause(): void {
    this.#pausedAt = this.now();
  }

  resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#offset = this.#pausedAt - this.#host.monotonicNs();
    this.#pausedAt = undefined;
  }

  save(): ClockState {
    return { nowNs: this.nowNs() };
  }
  restore({ nowNs }: ClockState): void {
    if (this.#pausedAt !== undefined) this.#pausedAt = Number(nowNs);
    this.#offset = Number(nowNs) - this.#host.monotonicNs();
  }
}

/**
 * Guest time that follows the number of instructions retired: two runs see the same times at the same instructions.
 * An idle guest retires none, so the machine loop moves the clock to the next deadline instead of sleeping.
 */
export class InstructionClock implements Clock {
  readonly #instructions: () => bigint;
  readonly #hz: bigint;
  /** nanoseconds that passed without instructions */
  #skippedNs = 0n;

  /**
   * @param instructions guest instructions retired so far
   * @param instructionsPerSecond guest instructions that make a second of guest time
   */
  constructor(instructions: () => bigint, instructionsPerSecond: number) {
    this.#instructions = instructions;
    this.#hz = BigInt(instructionsPerSecond);
  }

  nowNs(): bigint {
    return (this.#instructions() * NS_PER_SECOND) / this.#hz + this.#skippedNs;
  }

  /** Instructions that bring the clock to `deadlineNs`; 0 when it is there. For the budget of the next run. */
  instructionsUntil(deadlineNs: bigint): bigint {
    const ns = deadlineNs - this.#skippedNs;
    const due = (ns * this.#hz + NS_PER_SECOND - 1n) / NS_PER_SECOND;
    const now = this.#instructions();
    return due > now ? due - now : 0n;
  }

  /** The guest is halted: time passes at once. A time in the past changes nothing. */
  advanceTo(ns: bigint): void {
    const now = this.nowNs();
    if (ns > now) this.#skippedNs += ns - now;
  }

  save(): ClockState {
    return { nowNs: this.nowNs() };
  }
  /** The count of instructions may be another than when the state was saved: time goes on from the saved one. */
  restore({ nowNs }: ClockState): void {
    this.#skippedNs = nowNs - (this.#instructions() * NS_PER_SECOND) / this.#hz;
  }
}
