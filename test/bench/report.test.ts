import { describe, expect, it } from "vitest";
import { reportPage } from "../../bench/report/page.ts";
import { parseReport } from "../../bench/report/report.ts";
import { figure, reportText } from "../../bench/report/text.ts";
import { reportOf, runOf, sample } from "./fixtures.ts";

const BOOT = { firstOutput: 1, init: 3, firstWorkload: 3.5, processorSecondsToInit: 2.8 };

const REPORT = reportOf([
  runOf("native", [sample({ seconds: 0.1 })]),
  runOf("umbra-tiered", [sample({ seconds: 3 }), sample({ seconds: 2, repetition: 2 })], { boots: [BOOT] }),
  runOf("<odd>", [sample({ seconds: 5, hash: "0000000000000001" })]),
  runOf("kvm", [], { availability: { usable: false, reason: "there is no /dev/kvm", install: "load kvm_amd" } }),
]);

describe("the report", () => {
  it("shows three digits that matter", () => {
    expect([1234, 45.67, 1.234, 0.0456, 0.00123, 0, null, NaN].map(figure)).toEqual([
      "1234",
      "45.7",
      "1.23",
      "0.0456",
      "1.2e-3",
      "0",
      "-",
      "-",
    ]);
  });

  it("is text with suites, workloads, boots, and how to get what is missing", () => {
    const text = reportText(REPORT);
    expect(text).toMatch(/^kvm +not measured: there is no \/dev\/kvm; to have it: load kvm_amd$/m);
    expect(text).toMatch(/^fp +1\.00x +20\.0x +50\.0x$/m);
    expect(text).toMatch(/^fp\/fft +0\.100 +1000 +MFLOP\/s +20\.0x ±0% +WRONG 50\.0x ±\?$/m);
    expect(text).toMatch(/^umbra-tiered +1\.00 +3\.00 +3\.50 +2\.80$/m);
  });

  it("says once what is to be said of several engines", () => {
    const leftOut = new Map([["openblas", "not for 32-bit"]] as const);
    const fields = { notes: ["openblas kernel: Prescott"], leftOut };
    const text = reportText(reportOf([runOf("native32", [], fields), runOf("v86", [], fields)]));
    expect(text.match(/^note: .*$/gm)).toEqual([
      "note: openblas kernel: Prescott (native32, v86)",
      "note: without openblas: not for 32-bit (native32, v86)",
    ]);
  });

  it("is a page that needs no script and no network", async () => {
    const page = await reportPage(REPORT);
    expect(page).toMatch(/^<!doctype html>/);
    // Suites by seconds and by processor time, one suite, warm-up, boots.
    expect(page.match(/<svg /g)).toHaveLength(5);
    // A chart may name its own parts, as url(#...).
    expect(page).not.toMatch(/<script|<link|<img|@import|url\((?!#)|src=/);
    expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:\/\//);
    expect(page).toContain("&lt;odd&gt;");
    expect(page).not.toContain("<odd>");
    expect(page).toContain("its bits differ from the native run's");
  });

  it("survives the way through JSON", () => {
    expect(parseReport("a.json", JSON.stringify(REPORT))).toEqual(REPORT);
  });

  it("refuses what is no report, in one line", () => {
    expect(() => parseReport("a.json", "{")).toThrow(/^a\.json is not JSON$/);
    for (const text of ["null", "[]", "3", '{"format":"other"}', '{"format":"umbra-slowdown"}']) {
      expect(() => parseReport("a.json", text), text).toThrow(/^a\.json is no report of npm run bench/);
    }
    const newer = JSON.stringify({ ...REPORT, version: 9 });
    expect(() => parseReport("a.json", newer)).toThrow(/^a\.json has version 9 of the format, expected 1$/);
  });

  it("has something to say when nothing was measured", async () => {
    const empty = reportOf([]);
    expect(reportText(empty)).toContain("a processor");
    expect(await reportPage(empty)).toContain("All figures");
  });
});
