import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseEngines } from "../../bench/peers/all.ts";
import { parseOptions } from "../../bench/slowdown/options.ts";
import { durationText, expectedSeconds } from "../../bench/slowdown/progress.ts";
import { countWorkloads, parseSelection, SUITE_NAMES } from "../../bench/slowdown/suites.ts";
import { main } from "../../src/cli/main.ts";
import { fakeHost } from "../project/fake-host.ts";
import { engineNamed } from "./fixtures.ts";

const MAIN = join(import.meta.dirname, "../../bench/main.ts");

describe("the options of slowdown", () => {
  it("default to everything, in full", () => {
    const options = parseOptions([]);
    expect([...options.selection.keys()]).toEqual(SUITE_NAMES);
    expect(countWorkloads(options.selection)).toBe(56);
    expect(options).toMatchObject({ quick: false, rounds: 2, repetitions: 3, matrixOrder: undefined, install: true });
    expect(parseOptions(["--quick"])).toMatchObject({ quick: true, rounds: 1 });
  });

  it("select suites and single workloads, in the order in which they run", () => {
    expect([...parseSelection("integer,fp/x87,fp/fft")]).toEqual([
      ["fp", ["fft", "x87"]],
      ["integer", [...(parseSelection("integer").get("integer") ?? [])]],
    ]);
  });

  it("bring along what an engine is compared with", () => {
    const names = (text: string): string[] => parseEngines(text).map(({ name }) => name);
    expect(names("qemu-user")).toEqual(["native", "qemu-user"]);
    expect(names("v86")).toEqual(["native", "native32", "v86"]);
    expect(names("umbra,native")).toEqual(["native", "umbra-interpreter", "umbra-tiered"]);
  });

  it("are refused in one line when they make no sense", () => {
    const bad: readonly [args: string[], message: RegExp][] = [
      [["--suite", "lapak"], /^--suite: "lapak" is none of lapack, openblas, /],
      [["--suite", ""], /^--suite: "" is none of /],
      [["--suite", "fp/dgemm"], /^--suite: fp has no workload "dgemm"; it has nbody, /],
      [["--suite", "fp/fft/x"], /^--suite: "fp\/fft\/x" is none of /],
      [["--suite", "toString"], /^--suite: "toString" is none of /],
      [["--engine", "bochs"], /^--engine: "bochs" is none of native, /],
      [["--size", "8"], /^--size is "8", expected a whole number from 16 to 2048$/],
      [["--size", "100000"], /^--size is "100000", expected /],
      [["--size", "1e3"], /^--size is "1e3", expected /],
      [["--rounds", "0"], /^--rounds is "0", expected a whole number from 1 to 100$/],
      [["--reps", "many"], /^--reps is "many", expected /],
      [["--seconds", "-1"], /./],
      [["--seconds", "601"], /^--seconds is "601", expected /],
      [["--speed"], /^Unknown option '--speed'/],
      [["everything"], /^Unexpected argument 'everything'/],
    ];
    for (const [args, message] of bad) expect(() => parseOptions(args), args.join(" ")).toThrow(message);
  });
});

describe("the time left", () => {
  it("is told in seconds or minutes", () => {
    expect([0, 59.6, 99, 150, NaN].map(durationText)).toEqual(["0 s", "60 s", "99 s", "3 min", "?"]);
  });

  it("counts one repetition of what takes long, and several of what does not", () => {
    const options = { quick: false, repetitions: 3, secondsPerWorkload: 1 };
    const slow = expectedSeconds({ ...engineNamed("slow"), expectedSlowdown: 100 }, options);
    const fast = expectedSeconds({ ...engineNamed("fast"), expectedSlowdown: 1 }, options);
    expect(slow / fast).toBeCloseTo(100 / 3);
  });
});

describe("npm run bench", () => {
  let folder = "";
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "umbra-bench-test-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const bench = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", env: { ...process.env, ...environment } });

  it("ends with code 2 and one line when its input is not usable", () => {
    const text = join(folder, "text.json");
    writeFileSync(text, "no report");
    const bad: readonly [args: string[], line: RegExp][] = [
      [["slowly"], /^bench: "slowly" is no suite, expected micro, boot, slowdown, passes or compare\n$/],
      [["passes", "--passes", "vacuum;polish"], /^bench: --passes: "polish" has a pass that Binaryen does not have\n$/],
      [["passes", "--rounds", "0"], /^bench: --rounds is "0", expected a number from 1 to 100\n$/],
      [["slowdown", "--engine", "bochs"], /^bench: --engine: "bochs" is none of .*\n$/],
      [["slowdown", "--speed"], /^bench: Unknown option '--speed'.*\n$/],
      [["slowdown", "--json", join(folder, "absent/x.json")], /^bench: cannot write .*absent\/x\.json: .*\n$/],
      [["compare", text], /^bench: compare takes two files: .*\n$/],
      [["compare", text, text], /^bench: .*text\.json is not JSON\n$/],
      [["compare", join(folder, "none"), text], /^bench: cannot read .*none: no such file\n$/],
    ];
    for (const [args, line] of bad) {
      const { status, stdout, stderr } = bench(args);
      expect({ status, stdout }, args.join(" ")).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(line);
    }
  }, 60_000);

  it("ends with code 2 and one line when there is no compiler", () => {
    const { status, stderr } = bench(["slowdown", "--suite", "jit", "--engine", "native", "--no-install"], {
      PATH: folder,
      XDG_CACHE_HOME: folder,
    });
    expect(stderr.trim().split("\n").at(-1)).toBe(
      "bench: there is no gcc, which compiles the workloads; apt-get install gcc",
    );
    expect(status).toBe(2);
  });

  it("is what umbra bench runs, with the same options", async () => {
    const world = fakeHost();
    expect(await main(["bench", "slowdown", "--quick", "--suite", "fp"], world)).toBe(0);
    expect(world.printed).toBe("bench slowdown --suite=fp --quick\n");
    expect(await main(["bench", "everything"], world)).toBe(2);
    expect(world.complaints).toEqual(['umbra: "everything" is none of slowdown, micro, boot; see umbra bench --help']);
  });
});
