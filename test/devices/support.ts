import { Timers } from "../../runtime/time/timers.ts";
import type { Clock } from "../../runtime/time/clock.ts";
import type { GuestMemory, InterruptLine } from "../../runtime/devices/device.ts";

/** A clock that the test moves, with the timers that follow it. */
export class ManualTime implements Clock {
  readonly timers: Timers = new Timers();
  #now = 0n;

  nowNs(): bigint {
    return this.#now;
  }

  /** Lets time pass, and runs every timer at its own time. */
  advance(ns: bigint): void {
    const end = this.#now + ns;
    for (
      let next = this.timers.nextDeadlineNs();
      next !== undefined && next <= end;
      next = this.timers.nextDeadlineNs()
    ) {
      if (next > this.#now) this.#now = next;
      this.timers.runDue(this.#now);
    }
    this.#now = end;
  }

  /** Lets time pass in one step: timers run late. */
  jump(ns: bigint): void {
    this.#now += ns;
    this.timers.runDue(this.#now);
  }
}

/** A line that counts its edges. */
export class RecordedLine implements InterruptLine {
  level = false;
  rises = 0;

  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}

/** RAM from guest-physical address 0, which remembers where devices wrote. */
export class PlainMemory implements GuestMemory {
  readonly bytes: Uint8Array;
  readonly writes: [number, number][] = [];

  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength);
  }

  slice(gpa: number, byteLength: number): Uint8Array | undefined {
    return gpa >= 0 && gpa + byteLength <= this.bytes.length ? this.bytes.subarray(gpa, gpa + byteLength) : undefined;
  }

  written(gpa: number, byteLength: number): void {
    this.writes.push([gpa, byteLength]);
  }
}

/** A small generator of numbers in [0, limit): the same ones in each run. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
