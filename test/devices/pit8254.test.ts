import { describe, expect, it } from "vitest";
import { Pit8254 } from "../../runtime/devices/pit8254.ts";
import { nsOfTick } from "../../runtime/time/clock.ts";
import { Timers } from "../../runtime/time/timers.ts";
import { ManualTime, RecordedLine } from "./support.ts";

const HZ = 1_193_182;

function make() {
  const time = new ManualTime();
  const line = new RecordedLine();
  const pit = new Pit8254(time, time.timers, line);
  const read = (port: number) => pit.readPort(port, 1);
  const write = (port: number, ...values: number[]) => values.forEach((value) => pit.writePort(port, 1, value));
  /** Moves to an absolute tick of the timer's clock. */
  const toTick = (tick: number) => time.advance(nsOfTick(tick, HZ) - time.nowNs());
  const count = (channel: number) => {
    write(0x43, channel << 6);
    return read(0x40 + channel) | (read(0x40 + channel) << 8);
  };
  return { time, line, pit, read, write, toTick, count };
}

describe("Pit8254", () => {
  it("mode 2: a rising edge at the end of each period", () => {
    const { line, write, toTick, count } = make();
    write(0x43, 0x34);
    write(0x40, 0xe8, 0x03);
    const before = line.rises;
    expect(count(0)).toBe(1000);
    toTick(999);
    expect(count(0)).toBe(1);
    expect(line.rises).toBe(before);
    toTick(1000);
    expect(count(0)).toBe(1000);
    expect(line.rises).toBe(before + 1);
    toTick(10_000);
    expect(line.rises).toBe(before + 10);
  });

  it("loses no edge when the clock moves while a count is written", () => {
    for (const mode of [0x30, 0x38]) {
      const timers = new Timers();
      let now = 0n;
      const line = new RecordedLine();
      const pit = new Pit8254({ nowNs: () => (now += 700n) }, timers, line);
      pit.writePort(0x43, 1, mode);
      pit.writePort(0x40, 1, 1);
      pit.writePort(0x40, 1, 0);
      timers.runDue(now + 10_000n);
      expect(line.level).toBe(true);
      expect(line.rises).toBe(mode === 0x30 ? 1 : 2);
    }
  });

  it("makes one interrupt of periods that the machine missed, and stays in step", () => {
    const { time, line, write, toTick } = make();
    write(0x43, 0x34);
    write(0x40, 0xe8, 0x03);
    const before = line.rises;
    time.jump(nsOfTick(5500, HZ));
    expect(line.rises).toBe(before + 1);
    toTick(5999);
    expect(line.rises).toBe(before + 1);
    toTick(6000);
    expect(line.rises).toBe(before + 2);
  });

  it("a count of 0 is 65536", () => {
    const { line, write, toTick, count } = make();
    write(0x43, 0x34);
    write(0x40, 0, 0);
    const before = line.rises;
    toTick(1);
    expect(count(0)).toBe(65_535);
    toTick(65_535);
    expect(line.rises).toBe(before);
    toTick(65_536);
    expect(line.rises).toBe(before + 1);
  });

  it("mode 2: a new count is loaded at the end of the period", () => {
    const { write, toTick, count, read } = make();
    write(0x43, 0x34);
    write(0x40, 100, 0);
    toTick(130);
    write(0x40, 30, 0);
    write(0x43, 0xe2); // read back the status of channel 0
    expect(read(0x40) & 0x40).toBe(0x40);
    toTick(199);
    expect(count(0)).toBe(1);
    toTick(200);
    expect(count(0)).toBe(30);
    toTick(231);
    expect(count(0)).toBe(29);
    write(0x43, 0xe2);
    expect(read(0x40) & 0x40).toBe(0);
  });

  it("mode 0: low until the end, then high; the count goes on", () => {
    const { line, write, toTick, count } = make();
    write(0x43, 0x30);
    expect(line.level).toBe(false);
    write(0x40, 100, 0);
    toTick(99);
    expect(line.level).toBe(false);
    toTick(100);
    expect(line.level).toBe(true);
    expect(count(0)).toBe(0);
    toTick(101);
    expect(count(0)).toBe(0xffff);
    write(0x40, 100, 0);
    expect(line.level).toBe(false);
    toTick(201);
    expect(line.level).toBe(true);
  });

  it("mode 3: half the period high, counting by two", () => {
    const { read, write, toTick, count } = make();
    write(0x61, 1);
    write(0x43, 0xb6);
    write(0x42, 100, 0);
    expect(count(2)).toBe(100);
    expect(read(0x61) & 0x20).toBe(0x20);
    toTick(49);
    expect(count(2)).toBe(2);
    expect(read(0x61) & 0x20).toBe(0x20);
    toTick(50);
    expect(count(2)).toBe(100);
    expect(read(0x61) & 0x20).toBe(0);
    toTick(100);
    expect(read(0x61) & 0x20).toBe(0x20);
  });

  it("mode 0 on channel 2, polled through port 0x61: how the TSC is calibrated", () => {
    const { read, write, toTick } = make();
    write(0x61, (read(0x61) & ~2) | 1);
    write(0x43, 0xb0);
    write(0x42, 0xff, 0xff);
    toTick(65_534);
    expect(read(0x61) & 0x20).toBe(0);
    toTick(65_535);
    expect(read(0x61) & 0x20).toBe(0x20);
  });

  it("mode 0: the gate holds the count", () => {
    const { write, toTick, count } = make();
    write(0x61, 1);
    write(0x43, 0xb0);
    write(0x42, 100, 0);
    toTick(30);
    write(0x61, 0);
    toTick(80);
    expect(count(2)).toBe(70);
    write(0x61, 1);
    toTick(90);
    expect(count(2)).toBe(60);
  });

  it("mode 1: a pulse after each trigger", () => {
    const { read, write, toTick } = make();
    write(0x43, 0xb2);
    write(0x42, 100, 0);
    expect(read(0x61) & 0x20).toBe(0x20);
    toTick(10);
    write(0x61, 1);
    expect(read(0x61) & 0x20).toBe(0);
    toTick(109);
    expect(read(0x61) & 0x20).toBe(0);
    toTick(110);
    expect(read(0x61) & 0x20).toBe(0x20);
  });

  it("mode 1: a control word forgets the trigger", () => {
    const { read, write, toTick } = make();
    write(0x43, 0xb2);
    write(0x42, 100, 0);
    write(0x61, 1);
    expect(read(0x61) & 0x20).toBe(0);
    write(0x43, 0xb2);
    write(0x42, 100, 0);
    toTick(50);
    expect(read(0x61) & 0x20).toBe(0x20);
  });

  it("mode 0: does not begin while the gate is low", () => {
    const { write, toTick, count } = make();
    write(0x43, 0xb0);
    write(0x42, 100, 0);
    toTick(50);
    expect(count(2)).toBe(100);
    write(0x61, 1);
    toTick(60);
    expect(count(2)).toBe(90);
  });

  it("mode 4: a strobe of one tick", () => {
    const { line, write, toTick } = make();
    write(0x43, 0x38);
    write(0x40, 100, 0);
    expect(line.level).toBe(true);
    toTick(99);
    expect(line).toMatchObject({ level: true, rises: 1 });
    toTick(101);
    expect(line).toMatchObject({ level: true, rises: 2 });
    toTick(1000);
    expect(line.rises).toBe(2);
  });

  it("mode 4: a strobe that the machine looked at too late is an edge all the same", () => {
    const { line, write, time } = make();
    write(0x43, 0x38);
    write(0x40, 100, 0);
    time.jump(1_000_000n);
    expect(line).toMatchObject({ level: true, rises: 2 });
    time.jump(1_000_000n);
    expect(line.rises).toBe(2);
  });

  it("mode 5: a strobe after a trigger", () => {
    const { read, write, toTick } = make();
    write(0x43, 0xba);
    write(0x42, 100, 0);
    toTick(500);
    expect(read(0x61) & 0x20).toBe(0x20);
    write(0x61, 1);
    toTick(600);
    expect(read(0x61) & 0x20).toBe(0);
    toTick(601);
    expect(read(0x61) & 0x20).toBe(0x20);
  });

  it("shows what was written to port 0x61, and a refresh that toggles", () => {
    const { read, write, time } = make();
    write(0x61, 0xff);
    expect(read(0x61) & 0x0f).toBe(0x0f);
    const seen = new Set<number>();
    for (let step = 0; step < 4; step++) {
      seen.add(read(0x61) & 0x10);
      time.advance(15_085n);
    }
    expect(seen).toEqual(new Set([0, 0x10]));
  });

  it("mode 0: a new count begins at once, also after the gate rose", () => {
    const { write, toTick, count } = make();
    write(0x43, 0xb0);
    write(0x42, 100, 0);
    write(0x61, 1);
    toTick(10);
    write(0x42, 200, 0);
    toTick(20);
    expect(count(2)).toBe(190);
  });

  it("latches a count until it is read", () => {
    const { read, write, toTick } = make();
    write(0x43, 0x34);
    write(0x40, 0xe8, 0x03);
    toTick(10);
    write(0x43, 0x00);
    toTick(500);
    write(0x43, 0x00); // a second latch command is ignored
    expect(read(0x40) | (read(0x40) << 8)).toBe(990);
    expect(read(0x40) | (read(0x40) << 8)).toBe(500);
  });

  it("reads back status and count of several channels", () => {
    const { read, write, toTick } = make();
    write(0x43, 0x34);
    write(0x43, 0x56);
    write(0x40, 0xe8, 0x03);
    write(0x41, 200);
    toTick(10);
    write(0x43, 0xc6); // count and status, channels 0 and 1
    expect(read(0x40)).toBe(0xb4);
    expect(read(0x40) | (read(0x40) << 8)).toBe(990);
    expect(read(0x41)).toBe(0x96);
    expect(read(0x41)).toBe(180);
    write(0x43, 0x38);
    write(0x43, 0xe2);
    expect(read(0x40)).toBe(0xf8); // no count yet
  });

  it("takes a single byte, high or low", () => {
    const { write, read, toTick } = make();
    write(0x43, 0x24);
    write(0x40, 0x02);
    toTick(1);
    expect(read(0x40)).toBe(0x01);
    write(0x43, 0x14);
    write(0x40, 0x80);
    toTick(3);
    expect(read(0x40)).toBe(0x7e);
  });

  it("counts in BCD", () => {
    const { write, toTick, count } = make();
    write(0x43, 0x35);
    write(0x40, 0x00, 0x10);
    toTick(1);
    expect(count(0)).toBe(0x0999);
    write(0x43, 0x31);
    write(0x40, 0, 0);
    toTick(2);
    expect(count(0)).toBe(0x9999);
  });

  it("continues from a snapshot", () => {
    const { pit, write, toTick, time } = make();
    write(0x61, 1);
    write(0x43, 0x34);
    write(0x40, 0xe8, 0x03);
    write(0x43, 0xb6);
    write(0x42, 100, 0);
    toTick(1234);
    write(0x40, 0x77);
    const state = structuredClone(pit.save());
    const other = make();
    other.time.advance(time.nowNs());
    other.pit.restore(state);
    expect(other.pit.save()).toEqual(state);
    other.toTick(1999);
    expect(other.line.rises).toBe(0);
    other.toTick(2000);
    expect(other.line.rises).toBe(1);
  });
});
