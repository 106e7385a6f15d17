import { nsOfTick, ticksAt, type Clock } from "../time/clock.ts";
import { Alarm, type Timers } from "../time/timers.ts";
import type { Stateful } from "./device.ts";
import { TimerMode } from "./local-apic-registers.ts";

/** The guest's time-stamp counter. */
export interface TimeStampCounter {
  /** as RDTSC returns it, offset included */
  read(): bigint;
  readonly hz: number;
}

export interface ApicTimerState {
  readonly mode: number;
  readonly divide: number;
  readonly initial: number;
  readonly remaining: number;
  readonly sinceNs: bigint;
  readonly deadline: bigint;
}

/**
 * The timer of a local APIC in its three modes; SDM Vol. 3A, 11.5.4. It runs whether or not its interrupt is masked.
 */
export class LocalApicTimer implements Stateful<ApicTimerState> {
  readonly #clock: Clock;
  readonly #tsc: TimeStampCounter;
  readonly #hz: number;
  readonly #expired: () => void;
  readonly #alarm: Alarm;
  #mode: number = TimerMode.ONE_SHOT;
  /** the divide configuration register: bits 0, 1 and 3 */
  #divide = 0;
  #initial = 0;
  /** count at guest time #sinceNs */
  #remaining = 0;
  #sinceNs = 0n;
  /** IA32_TSC_DEADLINE, 0 = disarmed */
  #deadline = 0n;

  /** @param hz what it counts with a divider of 1 */
  constructor(clock: Clock, timers: Timers, tsc: TimeStampCounter, hz: number, expired: () => void) {
    this.#clock = clock;
    this.#tsc = tsc;
    this.#hz = hz;
    this.#expired = expired;
    this.#alarm = new Alarm(timers, () => this.#onAlarm());
  }

  get mode(): number {
    return this.#mode;
  }
  /** Between the deadline mode and the others it is disarmed; SDM Vol. 3A, 11.5.4.1. */
  set mode(mode: number) {
    if (mode === this.#mode) return;
    if (mode === TimerMode.TSC_DEADLINE || this.#mode === TimerMode.TSC_DEADLINE) {
      this.#initial = 0;
      this.#remaining = 0;
      this.#deadline = 0n;
    } else this.#rebase();
    this.#mode = mode;
    this.#arm();
  }

  get divide(): number {
    return this.#divide;
  }
  set divide(value: number) {
    this.#rebase();
    this.#divide = value & 0x0b;
    this.#arm();
  }

  get initialCount(): number {
    return this.#initial;
  }
  /** Ignored in the deadline mode. 0 stops the timer. */
  set initialCount(count: number) {
    if (this.#mode === TimerMode.TSC_DEADLINE) return;
    this.#initial = count;
    this.#remaining = count;
    this.#sinceNs = this.#clock.nowNs();
    this.#arm();
  }

  get currentCount(): number {
    const elapsed = this.#elapsed();
    if (elapsed < this.#remaining) return this.#remaining - elapsed;
    if (this.#mode !== TimerMode.PERIODIC || this.#initial === 0) return 0;
    return this.#initial - ((elapsed - this.#remaining) % this.#initial);
  }

  /** IA32_TSC_DEADLINE: reads as 0 when disarmed or expired, and in the other modes, where writes are ignored. */
  get deadline(): bigint {
    return this.#deadline;
  }
  set deadline(tsc: bigint) {
    if (this.#mode !== TimerMode.TSC_DEADLINE) return;
    this.#deadline = tsc;
    this.#arm();
  }

  /** Nobody expects it any more: reset. */
  stop(): void {
    this.#mode = TimerMode.ONE_SHOT;
    this.#divide = 0;
    this.#initial = 0;
    this.#remaining = 0;
    this.#deadline = 0n;
    this.#arm();
  }

  /** The guest wrote its time-stamp counter: the deadline is nearer or farther than it was. */
  tscChanged(): void {
    if (this.#mode === TimerMode.TSC_DEADLINE) this.#arm();
  }

  /** Hertz after the divider: 2, 4, .. 128, 1 for the codes 0 to 7. */
  get #rate(): number {
    const code = (this.#divide & 3) | ((this.#divide & 8) >> 1);
    return this.#hz / (code === 7 ? 1 : 2 << code);
  }

  #elapsed(): number {
    return this.#ticks(this.#clock.nowNs() - this.#sinceNs);
  }

  // The rate need not be whole, so that ticks are counted before the divider.
  #ticks(ns: bigint): number {
    return Math.floor(ticksAt(ns, this.#hz) / (this.#hz / this.#rate));
  }

  #nsOf(ticks: number): bigint {
    return nsOfTick(ticks * (this.#hz / this.#rate), this.#hz);
  }

  #rebase(): void {
    this.#remaining = this.currentCount;
    this.#sinceNs = this.#clock.nowNs();
  }

  #arm(): void {
    const next = this.#mode === TimerMode.TSC_DEADLINE ? this.#deadlineNs() : this.#countedOutNs();
    if (next === undefined) this.#alarm.clear();
    else this.#alarm.set(next);
  }

  #deadlineNs(): bigint | undefined {
    if (this.#deadline === 0n) return undefined;
    const ticks = this.#deadline - this.#tsc.read();
    const rate = BigInt(this.#tsc.hz);
    return this.#clock.nowNs() + (ticks <= 0n ? 0n : (ticks * 1_000_000_000n + rate - 1n) / rate);
  }

  #countedOutNs(): bigint | undefined {
    // Also when it is over by now: a short count may have run out since it was set, and its interrupt is still due.
    if (this.#mode !== TimerMode.PERIODIC)
      return this.#remaining === 0 ? undefined : this.#sinceNs + this.#nsOf(this.#remaining);
    const elapsed = this.#elapsed();
    if (elapsed < this.#remaining) return this.#sinceNs + this.#nsOf(this.#remaining);
    if (this.#initial === 0) return undefined;
    const periods = Math.floor((elapsed - this.#remaining) / this.#initial) + 1;
    return this.#sinceNs + this.#nsOf(this.#remaining + periods * this.#initial);
  }

  #onAlarm(): void {
    if (this.#mode === TimerMode.TSC_DEADLINE) {
      // The counter may have been set back since.
      if (this.#tsc.read() < this.#deadline) return this.#arm();
      this.#deadline = 0n;
    } else if (this.#mode === TimerMode.PERIODIC) this.#arm();
    else this.#remaining = 0;
    this.#expired();
  }

  save(): ApicTimerState {
    return {
      mode: this.#mode,
      divide: this.#divide,
      initial: this.#initial,
      remaining: this.#remaining,
      sinceNs: this.#sinceNs,
      deadline: this.#deadline,
    };
  }
  restore(state: ApicTimerState): void {
    this.#mode = state.mode;
    this.#divide = state.divide;
    this.#initial = state.initial;
    this.#remaining = state.remaining;
    this.#sinceNs = state.sinceNs;
    this.#deadline = state.deadline;
    this.#arm();
  }
}
