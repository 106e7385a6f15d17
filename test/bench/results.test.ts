import { describe, expect, it } from "vitest";
import { complaints } from "../../bench/report/report.ts";
import { reportOf, runOf, sample } from "./fixtures.ts";

describe("rows of a report", () => {
  it("take the best pass of each round and the median of the rounds", () => {
    const native = runOf("native", [sample({ seconds: 1 }), sample({ seconds: 1, round: 2 })]);
    const slow = runOf("slow", [
      sample({ seconds: 30, repetition: 1, round: 1 }),
      sample({ seconds: 10, repetition: 2, round: 1 }),
      sample({ seconds: 40, repetition: 1, round: 2 }),
      sample({ seconds: 12, repetition: 2, round: 2 }),
    ]);
    const row = reportOf([native, slow]).results.find(({ engine }) => engine === "slow");
    expect(row).toMatchObject({
      suite: "fp",
      workload: "fft",
      seconds: 11,
      slowdown: 11,
      slowdownLow: 10,
      slowdownHigh: 12,
      firstSeconds: 35,
      passes: [35, 11],
      rounds: 2,
      hashEqual: true,
    });
    expect(row?.spread).toBeCloseTo(2 / 11);
  });

  it("are taken to be right to a tenth when there is one value alone", () => {
    const native = runOf("native", [sample({ seconds: 1 }), sample({ seconds: 1, round: 2 })]);
    const [, row] = reportOf([native, runOf("slow", [sample({ seconds: 10 })])]).results;
    expect(row?.spread).toBeNull();
    expect(row?.slowdownLow).toBeCloseTo(9);
    expect(row?.slowdownHigh).toBeCloseTo(11);
  });

  it("have no slowdown without a native run", () => {
    const [row] = reportOf([runOf("slow", [sample()])]).results;
    expect(row?.slowdown).toBeNull();
    expect(reportOf([runOf("slow", [sample()])]).suites).toEqual([]);
  });

  it("are geometric means for a suite", () => {
    const native = runOf("native", [sample(), sample({ workload: "fp/x87" })]);
    const slow = runOf("slow", [sample({ seconds: 2 }), sample({ workload: "fp/x87", seconds: 8 })]);
    const suite = reportOf([native, slow]).suites.find(({ engine }) => engine === "slow");
    expect(suite?.slowdown).toBeCloseTo(4);
    expect(suite?.workloads).toBe(2);
  });

  it("say where a difference is no larger than the noise", () => {
    const native = runOf("native", [sample()]);
    const one = runOf("one", [sample({ seconds: 10 }), sample({ seconds: 12, round: 2 })]);
    const other = runOf("other", [sample({ seconds: 11 }), sample({ seconds: 13, round: 2 })]);
    const far = runOf("far", [sample({ seconds: 30 }), sample({ seconds: 31, round: 2 })]);
    const { suites } = reportOf([native, one, other, far]);
    expect(suites.find(({ engine }) => engine === "one")?.withinNoiseOf).toEqual(["other"]);
    expect(suites.find(({ engine }) => engine === "far")?.withinNoiseOf).toEqual([]);
  });
});

describe("what makes a measurement a failed one", () => {
  it("is a single repetition with other bits than the native run's", () => {
    const native = runOf("native", [sample()]);
    const wrong = runOf("wrong", [sample(), sample({ repetition: 2, hash: "00000000deadbee0" })]);
    const report = reportOf([native, wrong]);
    expect(report.results.map(({ hashEqual }) => hashEqual)).toEqual([true, false]);
    expect(complaints(report)).toEqual(["wrong: fp/fft is wrong: its bits differ from the native run's"]);
  });

  it("is a native run whose own repetitions differ", () => {
    const report = reportOf([runOf("native", [sample(), sample({ repetition: 2, hash: "0000000000000000" })])]);
    expect(complaints(report)).toHaveLength(1);
  });

  it("is a residual that is too large or no number", () => {
    for (const residual of [101, NaN, Infinity]) {
      const report = reportOf([runOf("native", [sample({ residual })])]);
      expect(complaints(report), String(residual)).toHaveLength(1);
    }
    expect(complaints(reportOf([runOf("native", [sample({ residual: 99 })])]))).toEqual([]);
  });

  it("is an engine that is there and did not finish, but not one that is missing", () => {
    const missing = runOf("missing", [], { availability: { usable: false, reason: "not here", install: "get it" } });
    const failed = runOf("failed", [], { failures: ["round 1, fp: it ended by SIGSEGV"] });
    expect(complaints(reportOf([missing, failed]))).toEqual(["failed: round 1, fp: it ended by SIGSEGV"]);
  });
});
