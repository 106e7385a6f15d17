/** Of this many passes through a part of the machine one is timed; prime, so that loops of the guest do not fall in step with it. */
const PERIOD = 31;

/**
 * How long one part of the machine takes in all, by samples: reading a clock costs as much as a short call-out does. The first
 * passes are few and slow, the later ones many and fast, and what is timed is scaled by the number of both.
 */
export class PartTime {
  readonly #nowMs: (() => number) | undefined;
  readonly #period: number;
  /** passes in all */
  count = 0;
  #samples = 0;
  #sampledMs = 0;
  #untilNext = 1;

  /**
   * @param nowMs a clock of milliseconds with fractions; without one, passes are counted only
   * @param period of this many passes one is timed
   */
  constructor(nowMs: (() => number) | undefined, period: number = PERIOD) {
    this.#nowMs = nowMs;
    this.#period = period;
  }

  /** Runs `work` as a pass through the part. It must not throw. */
  time<T>(work: () => T): T {
    this.count++;
    if (--this.#untilNext > 0 || !this.#nowMs) return work();
    this.#untilNext = this.#period;
    const started = this.#nowMs();
    const result = work();
    this.#sampledMs += this.#nowMs() - started;
    this.#samples++;
    return result;
  }

  /** Estimate of the milliseconds that all passes took. */
  get totalMs(): number {
    return this.#samples === 0 ? 0 : (this.#sampledMs * this.count) / this.#samples;
  }
}
