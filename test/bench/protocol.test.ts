import { describe, expect, it } from "vitest";
import { LineSplitter, parseLine } from "../../bench/slowdown/protocol.ts";

const RESULT =
  "@result lapack/dgemm 2 wall=0.110000000 cpu=0.109000000 rate=2440.3 unit=MFLOP/s residual=0.0154 hash=c44b9c94cb6aaf7a";

describe("a line of a workload", () => {
  it("is a result with all its figures", () => {
    expect(parseLine(RESULT)).toEqual({
      kind: "result",
      result: {
        workload: "lapack/dgemm",
        repetition: 2,
        wallSeconds: 0.11,
        cpuSeconds: 0.109,
        rate: 2440.3,
        unit: "MFLOP/s",
        residual: 0.0154,
        hash: "c44b9c94cb6aaf7a",
      },
    });
  });

  it("is found behind a kernel's message on the same line", () => {
    expect(parseLine("[    1.234567] clocksource: tsc@begin fp/sin-cos 1\r")).toEqual({
      kind: "begin",
      workload: "fp/sin-cos",
      repetition: 1,
    });
  });

  it("is not taken for one when it is damaged", () => {
    for (const line of [
      RESULT.slice(0, -1),
      RESULT.replace("wall", "well"),
      RESULT.replace("0.110000000", "soon"),
      "@begin fp/fft",
      "@end fp 1",
      "@beginning fp/fft 1",
      "result fp/fft",
      "",
    ]) {
      expect(parseLine(line), line).toBeUndefined();
    }
  });

  it("keeps a residual that is no number, so that the check of it fails", () => {
    const message = parseLine(RESULT.replace("0.0154", "-nan"));
    expect(message?.kind === "result" && message.result.residual).toBeNaN();
    const infinite = parseLine(RESULT.replace("0.0154", "inf"));
    expect(infinite?.kind === "result" && infinite.result.residual).toBe(Infinity);
  });

  it("says what failed", () => {
    expect(parseLine("@fail mmap failed")).toEqual({ kind: "fail", why: "mmap failed" });
    expect(parseLine("@note openblas kernel: Prescott")).toEqual({ kind: "note", text: "openblas kernel: Prescott" });
    expect(["@init", "@done", "@off"].map((line) => parseLine(line)?.kind)).toEqual(["init", "done", "off"]);
  });
});

describe("LineSplitter", () => {
  it("puts lines together that arrive in pieces, and drops carriage returns", () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const piece of ["@be", "gin fp/fft 1\r", "\n@end fp/f", "ft 1\n@do"]) splitter.push(Buffer.from(piece));
    expect(lines).toEqual(["@begin fp/fft 1", "@end fp/fft 1"]);
  });
});
