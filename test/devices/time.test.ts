import { describe, expect, it } from "vitest";
import { InstructionClock, MonotonicClock, nsOfTick, ticksAt } from "../../runtime/time/clock.ts";
import { Alarm, Timers } from "../../runtime/time/timers.ts";

describe("ticks", () => {
  it("nsOfTick is the first nanosecond of a tick", () => {
    for (const hz of [1_193_182, 3_579_545, 25_000_000, 1_000_000_000]) {
      for (const tick of [1, 2, 3, 1000, 65_536, 123_456_789]) {
        const ns = nsOfTick(tick, hz);
        expect(ticksAt(ns, hz)).toBe(tick);
        expect(ticksAt(ns - 1n, hz)).toBe(tick - 1);
      }
    }
  });
});

describe("MonotonicClock", () => {
  it("stands still while paused, and starts at 0 whatever the host's origin is", () => {
    let host = 5_000n;
    const clock = new MonotonicClock({ monotonicNs: () => Number(host) });
    host += 100n;
    expect(clock.nowNs()).toBe(100n);
    clock.pause();
    host += 1000n;
    expect(clock.nowNs()).toBe(100n);
    clock.resume();
    host += 1n;
    expect(clock.nowNs()).toBe(101n);
  });

  it("continues at the saved time", () => {
    let host = 0n;
    const clock = new MonotonicClock({ monotonicNs: () => Number(host) });
    host = 70n;
    const state = clock.save();
    const other = new MonotonicClock({ monotonicNs: () => Number(host + 1_000_000n) });
    other.restore(state);
    host += 5n;
    expect(other.nowNs()).toBe(75n);
  });
});

describe("InstructionClock", () => {
  it("counts instructions, and skips to a deadline when idle", () => {
    let instructions = 0n;
    const clock = new InstructionClock(() => instructions, 500_000_000);
    instructions = 10n;
    expect(clock.nowNs()).toBe(20n);
    expect(clock.instructionsUntil(101n)).toBe(41n);
    clock.advanceTo(100n);
    expect(clock.nowNs()).toBe(100n);
    clock.advanceTo(50n);
    expect(clock.nowNs()).toBe(100n);
    expect(clock.instructionsUntil(100n)).toBe(0n);
    instructions += clock.instructionsUntil(107n);
    expect(clock.nowNs()).toBe(108n);
  });
});

describe("Timers", () => {
  it("runs what is due by deadline, and equal ones in order of setting", () => {
    const timers = new Timers();
    const ran: string[] = [];
    timers.at(30n, () => ran.push("c"));
    timers.at(10n, () => ran.push("a1"));
    timers.at(20n, () => ran.push("b"));
    timers.at(10n, () => ran.push("a2"));
    expect(timers.nextDeadlineNs()).toBe(10n);
    expect(timers.runDue(20n)).toBe(3);
    expect(ran).toEqual(["a1", "a2", "b"]);
    expect(timers.nextDeadlineNs()).toBe(30n);
  });

  it("leaves what a callback sets in the past for the next call", () => {
    const timers = new Timers();
    let ran = 0;
    const again = (): void => {
      ran++;
      timers.at(0n, again);
    };
    timers.at(0n, again);
    timers.runDue(5n);
    expect(ran).toBe(1);
    timers.runDue(5n);
    expect(ran).toBe(2);
  });

  it("does not run a due timer that an earlier one cancels", () => {
    const timers = new Timers();
    let ran = false;
    timers.at(1n, () => timers.cancel(second));
    const second = timers.at(2n, () => (ran = true));
    timers.runDue(10n);
    expect(ran).toBe(false);
    expect(timers.nextDeadlineNs()).toBeUndefined();
  });

  it("tells when a new deadline is the next one", () => {
    const told: bigint[] = [];
    const timers = new Timers((deadline) => told.push(deadline));
    timers.at(10n, () => {});
    timers.at(20n, () => {});
    timers.at(5n, () => {});
    expect(told).toEqual([10n, 5n]);
  });
});

describe("Alarm", () => {
  it("has one deadline at a time", () => {
    const timers = new Timers();
    let ran = 0;
    const alarm = new Alarm(timers, () => ran++);
    alarm.set(10n);
    alarm.set(20n);
    timers.runDue(15n);
    expect(ran).toBe(0);
    expect(alarm.deadlineNs).toBe(20n);
    timers.runDue(20n);
    expect(ran).toBe(1);
    expect(alarm.deadlineNs).toBeUndefined();
  });
});
