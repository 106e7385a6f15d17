import { describe, expect, it } from "vitest";
import { geometricMean, median, overlap, rangeOf, ratioOf, spreadOf } from "../../bench/slowdown/statistics.ts";
import { trustedSeconds } from "../../bench/slowdown/session.ts";

describe("statistics", () => {
  it("takes the middle value, or the mean of the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it("takes a geometric mean, which is the same from both sides", () => {
    expect(geometricMean([2, 8])).toBeCloseTo(4);
    expect(geometricMean([1 / 2, 1 / 8])).toBeCloseTo(1 / 4);
  });

  it("carries ranges through a ratio", () => {
    const ratio = ratioOf(rangeOf([20, 22, 24]), rangeOf([2, 2, 4]));
    expect(ratio).toEqual({ median: 11, low: 5, high: 12 });
    expect(spreadOf(rangeOf([9, 10, 12]))).toBeCloseTo(0.3);
  });

  it("sees whether ranges have values in common", () => {
    expect(overlap(rangeOf([1, 2]), rangeOf([2, 3]))).toBe(true);
    expect(overlap(rangeOf([1, 2]), rangeOf([2.1, 3]))).toBe(false);
  });
});

describe("the clock that counts", () => {
  it("is the guest's while the host's confirms it", () => {
    expect(trustedSeconds(1.02, 1.03)).toBe(1.02);
    expect(trustedSeconds(0.001, 0.02)).toBe(0.001);
  });

  it("is the host's when the guest's is wrong or stands still", () => {
    expect(trustedSeconds(0.5, 1)).toBe(1);
    expect(trustedSeconds(3, 1)).toBe(1);
    expect(trustedSeconds(0, 0.01)).toBe(0.01);
  });
});
