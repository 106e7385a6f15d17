import { describe, expect, it } from "vitest";
import { compareReports, comparisonText } from "../../bench/report/compare.ts";
import type { Report } from "../../bench/report/report.ts";
import { HEADER, reportOf, runOf, sample } from "./fixtures.ts";

/** A report in which umbra-tiered took the given seconds, one round each, against a native second. */
function reportWith(seconds: readonly number[]): Report {
  const samples = seconds.map((value, index) => sample({ seconds: value, round: index + 1 }));
  return reportOf([runOf("native", [sample(), sample({ round: 2 })]), runOf("umbra-tiered", samples)]);
}

function verdict(before: readonly number[], after: readonly number[]): string | undefined {
  return compareReports(reportWith(before), reportWith(after))[0]?.verdict;
}

describe("a comparison", () => {
  it("calls slower or faster what lies outside the noise of both", () => {
    expect(verdict([10, 11, 12], [15, 16, 17])).toBe("slower");
    expect(verdict([15, 16, 17], [10, 11, 12])).toBe("faster");
  });

  it("calls the same what the spread explains", () => {
    expect(verdict([10, 11, 16], [15, 16, 17])).toBe("same");
  });

  it("calls the same what differs by less than a twentieth", () => {
    expect(verdict([10, 10, 10], [10.4, 10.4, 10.4])).toBe("same");
    expect(verdict([10, 10, 10], [10.6, 10.6, 10.6])).toBe("slower");
  });

  it("leaves out what only one of the two has, and native itself", () => {
    const other = reportOf([
      runOf("native", [sample({ workload: "fp/x87" })]),
      runOf("umbra-tiered", [sample({ workload: "fp/x87" })]),
    ]);
    expect(compareReports(reportWith([10]), other)).toEqual([]);
    expect(comparisonText(reportWith([10]), other)).toContain("no workload and engine in common");
  });

  it("prints what changed, the means, and what else differs", () => {
    const before = reportWith([10]);
    const text = comparisonText({ ...before, header: { ...HEADER, cpu: "another" } }, reportWith([20]));
    expect(text).toMatch(/^note: cpu was another, is a processor$/m);
    expect(text).toMatch(/^umbra-tiered +fp\/fft +10\.0x +20\.0x +2\.00 times$/m);
    expect(text).toMatch(/^umbra-tiered +fp +1 +2\.000$/m);
    expect(text).toContain("1 slower, 0 faster, 0 the same within the noise");
  });
});
