import { describe, expect, it } from "vitest";
import { PartTime } from "../../runtime/time/part-times.ts";

describe("PartTime", () => {
  it("times few passes and scales what it timed", () => {
    let now = 0;
    let readings = 0;
    const part = new PartTime(() => (readings++, now));
    for (let pass = 0; pass < 31_000; pass++) {
      part.time(() => (now += 0.5));
    }
    expect(part.count).toBe(31_000);
    expect(part.totalMs).toBeCloseTo(15_500, 6);
    expect(readings).toBe(2000);
  });

  it("is exact for a single pass, and nothing before it", () => {
    let now = 5;
    const part = new PartTime(() => now);
    expect(part.totalMs).toBe(0);
    expect(part.time(() => (now = 12))).toBe(12);
    expect([part.count, part.totalMs]).toEqual([1, 7]);
  });

  it("counts without a clock", () => {
    const part = new PartTime(undefined);
    const results = [part.time(() => "a"), part.time(() => "b")];
    expect([results, part.count, part.totalMs]).toEqual([["a", "b"], 2, 0]);
  });
});
