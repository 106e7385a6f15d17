import { describe, expect, it } from "vitest";
import { Fault } from "../../runtime/cpu/fault.ts";
import { KvmClock } from "../../runtime/devices/kvm-clock.ts";
import { ManualTime, PlainMemory } from "./support.ts";

const SYSTEM_TIME = 0x4b56_4d01;
const WALL_CLOCK = 0x4b56_4d00;

function make(hz = 1_000_000_000, memory = new PlainMemory(0x2000)) {
  const time = new ManualTime();
  let offset = 0n;
  const tsc = { hz, read: () => BigInt.asUintN(64, (time.nowNs() * BigInt(hz)) / 1_000_000_000n + offset) };
  const clock = new KvmClock({ clock: time, tsc, guestMemory: memory, unixNsAtStart: 1_700_000_000_123_456_789n });
  const view = new DataView(memory.bytes.buffer);
  return { time, tsc, clock, memory, view, moveTsc: (by: bigint) => (offset = by) };
}

/** The time as a guest computes it from the structure at 0x1000. */
function guestTime({ view, tsc }: Pick<ReturnType<typeof make>, "view" | "tsc">): bigint {
  const delta = BigInt.asUintN(64, tsc.read() - view.getBigUint64(0x1008, true));
  const shift = view.getInt8(0x101c);
  const shifted = shift >= 0 ? delta << BigInt(shift) : delta >> BigInt(-shift);
  return view.getBigUint64(0x1010, true) + ((shifted * BigInt(view.getUint32(0x1018, true))) >> 32n);
}

const HOUR = 3_600_000_000_000n;

describe("KvmClock", () => {
  it.each([1_000_000_000, 2_500_000_000, 999_999_937, 100_000_000, 25_000_000, 4_294_967_296])(
    "tells the time from a TSC of %d Hz",
    (hz) => {
      const parts = make(hz);
      parts.time.advance(5_000_000_007n);
      expect(parts.clock.write(SYSTEM_TIME, 0x1001n)).toBe("done");
      for (const step of [0n, 1_000n, 1_000_000_000n, HOUR]) {
        parts.time.advance(step);
        const error = guestTime(parts) - parts.time.nowNs();
        // A tick of the TSC, and 2^-31 of an hour.
        const tick = 1_000_000_000n / BigInt(hz) + 1n;
        expect(error <= 0n && -error <= tick + 2000n, `${error} ns off`).toBe(true);
      }
    },
  );

  it("is exact at 1 GHz", () => {
    const parts = make();
    parts.clock.write(SYSTEM_TIME, 0x1001n);
    parts.time.advance(100n * HOUR + 1n);
    expect(guestTime(parts)).toBe(parts.time.nowNs());
  });

  it("keeps an even version that changes, says that it is stable, and tells of the write", () => {
    const { clock, view, memory } = make();
    view.setUint32(0x1000, 7, true);
    clock.write(SYSTEM_TIME, 0x1001n);
    expect([view.getUint32(0x1000, true), view.getUint8(0x101d)]).toEqual([8, 1]);
    expect(memory.writes).toEqual([[0x1000, 32]]);
    expect(clock.read(SYSTEM_TIME)).toBe(0x1001n);
  });

  it("follows the guest's writes to the TSC while it is enabled", () => {
    const parts = make();
    parts.clock.write(SYSTEM_TIME, 0x1001n);
    parts.time.advance(1_000_000n);
    parts.moveTsc(-500_000n);
    parts.clock.tscMoved();
    parts.time.advance(10n);
    expect(guestTime(parts)).toBe(1_000_010n);
    parts.clock.write(SYSTEM_TIME, 0x1000n);
    const writes = parts.memory.writes.length;
    parts.clock.tscMoved();
    expect(parts.memory.writes).toHaveLength(writes);
  });

  it("writes the wall clock at the start of guest time", () => {
    const { clock, view, time } = make();
    time.advance(HOUR);
    expect(clock.write(WALL_CLOCK, 0x200n)).toBe("done");
    expect([0x200, 0x204, 0x208].map((at) => view.getUint32(at, true))).toEqual([2, 1_700_000_000, 123_456_789]);
    expect(clock.read(WALL_CLOCK)).toBe(0x200n);
  });

  it("writes nothing outside RAM, and faults for addresses that are not aligned", () => {
    const { clock, memory } = make();
    for (const value of [0x1fe5n, 0x1_0000_0001n, 0xffff_ffff_ffff_fffdn])
      expect(clock.write(SYSTEM_TIME, value)).toBe("done");
    expect(clock.write(WALL_CLOCK, 0x1ff8n)).toBe("done");
    expect(memory.writes).toEqual([]);
    expect(clock.write(SYSTEM_TIME, 0x1003n)).toBeInstanceOf(Fault);
    expect(clock.write(WALL_CLOCK, 0x1002n)).toBeInstanceOf(Fault);
  });

  it("knows no other register", () => {
    const { clock } = make();
    for (const msr of [0x11, 0x12, 0x4b56_4d02, 0x4b56_4d03, 0x4b56_4d04]) {
      expect([clock.read(msr), clock.write(msr, 1n)]).toEqual([undefined, undefined]);
    }
  });

  it("continues from a snapshot", () => {
    const before = make();
    before.clock.write(SYSTEM_TIME, 0x1001n);
    before.clock.write(WALL_CLOCK, 0x200n);
    const after = make(1_000_000_000, before.memory);
    after.clock.restore(structuredClone(before.clock.save()));
    after.time.advance(77n);
    expect([after.clock.read(SYSTEM_TIME), after.clock.read(WALL_CLOCK)]).toEqual([0x1001n, 0x200n]);
    expect(guestTime(after)).toBe(77n);
    after.moveTsc(1_000n);
    after.clock.tscMoved();
    expect(guestTime(after)).toBe(77n);
  });
});
