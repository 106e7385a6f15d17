import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseReport } from "../../bench/report/report.ts";
import { buildProgram } from "../../bench/slowdown/programs.ts";
import { SUITES } from "../../bench/slowdown/suites.ts";
import { hasProgram } from "../../src/boot/command.ts";

const MAIN = join(import.meta.dirname, "../../bench/main.ts");

const missing =
  process.platform !== "linux" || process.arch !== "x64"
    ? "this is not Linux on x86-64"
    : !hasProgram("gcc") || !existsSync("/usr/lib/x86_64-linux-gnu/libc.a")
      ? "there is no gcc, or no static C library (Debian package libc6-dev)"
      : undefined;
if (missing !== undefined) console.warn(`test/bench/workloads.test.ts is skipped: ${missing}`);

describe.skipIf(missing !== undefined)("the workloads", () => {
  let folder = "";
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "umbra-bench-test-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // These suites need a C compiler alone.
  it.each(["stream", "integer", "os", "jit"] as const)("of %s are those that the harness knows", async (suite) => {
    const program = await buildProgram(suite, 64);
    const { stdout } = spawnSync(program, ["--list"], { encoding: "utf8" });
    expect(stdout.trim().split("\n")).toEqual(SUITES[suite].map((name) => `${suite}/${name}`));
  });

  it("refuse options that they do not know, with one line and a usage", async () => {
    const program = await buildProgram("jit", 64);
    for (const args of [["--reps", "0"], ["--n", "5"], ["--fast"], ["cold"]]) {
      const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
      expect({ status, lines: stderr.trim().split("\n").length }, args.join(" ")).toEqual({ status: 2, lines: 2 });
    }
  });

  it("are measured and reported from end to end", () => {
    const [json, html] = [join(folder, "report.json"), join(folder, "report.html")];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        MAIN,
        ...["slowdown", "--quick", "--no-install", "--suite", "jit/patch,integer/fib", "--engine", "native"],
        ...["--rounds", "2", "--reps", "2", "--json", json, "--html", html],
      ],
      { encoding: "utf8" },
    );
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^integer\/fib +/m);
    const report = parseReport(json, readFileSync(json, "utf8"));
    expect(
      report.results.map(({ suite, workload, rounds, hashEqual, passes }) => ({
        name: `${suite}/${workload}`,
        rounds,
        hashEqual,
        passes: passes.length,
      })),
    ).toEqual([
      { name: "integer/fib", rounds: 2, hashEqual: true, passes: 2 },
      { name: "jit/patch", rounds: 2, hashEqual: true, passes: 2 },
    ]);
    expect(readFileSync(html, "utf8")).toContain("integer/fib");
  }, 60_000);
});
