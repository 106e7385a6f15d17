import { describe, expect, it } from "vitest";
import { Rtc } from "../../runtime/devices/rtc.ts";
import { Timers } from "../../runtime/time/timers.ts";
import { ManualTime, RecordedLine } from "./support.ts";

const SECOND = 1_000_000_000n;
const MS = 1_000_000n;

function make(start = "2024-02-29T23:59:58Z", ramBytes = 512 * 1024 * 1024) {
  const time = new ManualTime();
  const line = new RecordedLine();
  const unixNsAtStart = BigInt(Date.parse(start)) * MS;
  const rtc = new Rtc(time, time.timers, line, { unixNsAtStart, ramBytes });
  const read = (register: number) => {
    rtc.writePort(0x70, 1, register);
    return rtc.readPort(0x71, 1);
  };
  const write = (register: number, value: number) => {
    rtc.writePort(0x70, 1, register);
    rtc.writePort(0x71, 1, value);
  };
  /** century, year, month, day, hours, minutes, seconds */
  const date = () => [0x32, 9, 8, 7, 4, 2, 0].map(read);
  return { time, line, rtc, read, write, date };
}

describe("Rtc", () => {
  it("shows the time in BCD, 24 hours, and carries", () => {
    const { time, read, date } = make();
    expect(date()).toEqual([0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x58]);
    expect(read(6)).toBe(5); // a Thursday
    time.advance(2n * SECOND);
    expect(date()).toEqual([0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00]);
  });

  it("shows binary and 12 hours when register B says so", () => {
    const { write, date, read } = make("2025-12-31T13:45:10Z");
    write(0x0b, 0x04);
    expect(date()).toEqual([20, 25, 12, 31, 0x81, 45, 10]);
    write(0x0b, 0x00);
    expect(read(4)).toBe(0x81);
    expect(make("2025-12-31T00:00:00Z").read(4)).toBe(0);
  });

  it("is set under SET, and runs on from there", () => {
    const { time, write, date } = make();
    write(0x0b, 0x82);
    time.advance(10n * SECOND);
    [0x20, 0x30, 0x07, 0x04, 0x12, 0x34, 0x56].forEach((value, index) => {
      write([0x32, 9, 8, 7, 4, 2, 0][index] ?? 0, value);
    });
    time.advance(10n * SECOND);
    expect(date()).toEqual([0x20, 0x30, 0x07, 0x04, 0x12, 0x34, 0x56]);
    write(0x0b, 0x02);
    time.advance(5n * SECOND);
    expect(date()).toEqual([0x20, 0x30, 0x07, 0x04, 0x12, 0x35, 0x01]);
  });

  it("announces an update 244 us before it", () => {
    const { time, read } = make();
    time.advance(SECOND - 245_000n);
    expect(read(0x0a)).toBe(0x26);
    time.advance(2_000n);
    expect(read(0x0a)).toBe(0xa6);
    time.advance(243_000n);
    expect(read(0x0a)).toBe(0x26);
  });

  it("interrupts after each update, once until register C is read", () => {
    const { time, line, read, write } = make();
    write(0x0b, 0x12);
    read(0x0c);
    time.advance(SECOND - 1n);
    expect(line.level).toBe(false);
    time.advance(1n);
    expect(line.level).toBe(true);
    time.advance(3n * SECOND);
    expect(line.rises).toBe(1);
    expect(read(0x0c) & 0x90).toBe(0x90);
    expect(line.level).toBe(false);
    time.advance(SECOND);
    expect(line.rises).toBe(2);
  });

  it("interrupts periodically at the rate of register A", () => {
    const { time, line, read, write } = make();
    write(0x0a, 0x26); // 1024 Hz
    write(0x0b, 0x42);
    read(0x0c);
    for (let ms = 0; ms < 1000; ms++) {
      time.advance(MS);
      if (line.level) read(0x0c);
    }
    // Periods that fall into the same millisecond are one interrupt here, because register C is read once in it.
    expect(line.rises).toBeGreaterThan(970);
    expect(line.rises).toBeLessThanOrEqual(1000);
    write(0x0a, 0x2f); // 2 Hz
    read(0x0c);
    const before = line.rises;
    time.advance(499n * MS);
    expect(line.rises).toBe(before);
    time.advance(2n * MS);
    expect(line.rises).toBe(before + 1);
  });

  it("interrupts at the alarm, with wildcards", () => {
    const { time, line, read, write } = make("2025-01-01T00:00:00Z");
    write(0x01, 0x30); // second 30 of
    write(0x03, 0x02); // minute 2 of
    write(0x05, 0xff); // every hour
    write(0x0b, 0x22);
    read(0x0c);
    time.advance(149n * SECOND);
    expect(line.level).toBe(false);
    time.advance(SECOND);
    expect(line.level).toBe(true);
    expect(read(0x0c) & 0xa0).toBe(0xa0);
    time.advance(3599n * SECOND);
    expect(line.rises).toBe(1);
    time.advance(SECOND);
    expect(line.rises).toBe(2);
  });

  it("misses no update when the clock moves while it looks", () => {
    for (let step = 100_000n; step < 140_000n; step += 1_000n) {
      const timers = new Timers();
      let now = SECOND - 2_000_000n;
      const line = new RecordedLine();
      const rtc = new Rtc({ nowNs: () => (now += step) }, timers, line, { unixNsAtStart: 0n, ramBytes: 0 });
      rtc.writePort(0x70, 1, 0x0b);
      // Until the update is there, the next look at it is not after it.
      for (let write = 0; write < 8 && !line.level; write++) {
        rtc.writePort(0x71, 1, 0x12);
        expect(line.level || (timers.nextDeadlineNs() ?? 2n * SECOND) <= SECOND).toBe(true);
      }
    }
  });

  it("sets flags without interrupts too", () => {
    const { time, line, read } = make();
    read(0x0c);
    expect(read(0x0c)).toBe(0);
    time.advance(2n * SECOND);
    expect(read(0x0c) & 0xd0).toBe(0x50);
    expect(line.rises).toBe(0);
  });

  it("SET clears the update interrupt enable", () => {
    const { read, write } = make();
    write(0x0b, 0x92);
    expect(read(0x0b)).toBe(0x82);
  });

  it("takes a single register while the clock runs", () => {
    const { time, write, date } = make("2025-01-01T10:20:30Z");
    write(2, 0x45);
    time.advance(20n * SECOND);
    expect(date().slice(4)).toEqual([0x10, 0x45, 0x50]);
  });

  it("interrupts at once when a flag that is set is enabled", () => {
    const { time, line, read, write } = make();
    read(0x0c);
    time.advance(2n * SECOND);
    expect(line.level).toBe(false);
    write(0x0b, 0x12);
    expect(line.level).toBe(true);
    write(0x0b, 0x02);
    expect(line.level).toBe(false);
  });

  it("stands still while the divider is in reset", () => {
    const { time, write, read, date } = make("2025-01-01T10:20:30Z");
    write(0x0a, 0x66);
    time.advance(5n * SECOND);
    expect([date()[6], read(0x0a)]).toEqual([0x30, 0x66]);
    write(0x0a, 0x26);
    time.advance(5n * SECOND);
    expect(date()[6]).toBe(0x35);
  });

  it("tells sizes of memory, and keeps the rest of CMOS", () => {
    const { read, write } = make(undefined, 512 * 1024 * 1024);
    expect(read(0x15) | (read(0x16) << 8)).toBe(640);
    expect(read(0x17) | (read(0x18) << 8)).toBe(0xffff);
    expect(read(0x34) | (read(0x35) << 8)).toBe((512 - 16) * 16);
    write(0x50, 0xa5);
    expect(read(0x50)).toBe(0xa5);
    expect(read(0x0d)).toBe(0x80);
    const small = make(undefined, 8 * 1024 * 1024);
    expect(small.read(0x17) | (small.read(0x18) << 8)).toBe(7 * 1024);
    expect(small.read(0x34) | (small.read(0x35) << 8)).toBe(0);
  });

  it("takes nonsense for a date without harm", () => {
    const { write, date, time } = make();
    for (const register of [0x32, 9, 8, 7, 4, 2, 0]) write(register, 0xff);
    time.advance(SECOND);
    expect(date().every((value) => value >= 0 && value <= 0xff)).toBe(true);
  });

  it("continues from a snapshot", () => {
    const { time, rtc, write } = make();
    write(0x0b, 0x52);
    time.advance(300n * MS);
    const state = structuredClone(rtc.save());
    const other = make("1999-01-01T00:00:00Z");
    other.time.advance(time.nowNs());
    other.rtc.restore(state);
    expect(other.date()).toEqual([0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x58]);
    other.time.advance(700n * MS);
    expect(other.read(0x0c) & 0x90).toBe(0x90);
  });
});
