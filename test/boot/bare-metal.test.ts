import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { buildImage, imageFolder } from "./support/bare-metal.ts";

const UMBRA = fileURLToPath(new URL("../../src/cli/run.ts", import.meta.url));
/** what bare-metal test suites use */
const DEBUG_EXIT = "0xf4";

const folder = imageFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const narrow = buildImage(folder, "image.S");
const wide = buildImage(folder, "image.S", true);
for (const image of [narrow, wide]) if ("reason" in image) console.log(`not run: a bare-metal image: ${image.reason}`);
const paths = "path" in narrow && "path" in wide ? { narrow: narrow.path, wide: wide.path } : undefined;

function umbra(kernel: string, ...options: readonly string[]) {
  const run = [UMBRA, "run", "--kernel", kernel, "--memory", "64M", "--debug-exit", DEBUG_EXIT, ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { encoding: "utf8", input: "", timeout: 60_000 });
  return { status, stdout, stderr };
}

describe.runIf(paths !== undefined)("umbra run with a bare-metal Multiboot image", () => {
  it("reports through the serial port and ends with the guest's code: 32-bit code", { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = umbra(paths?.narrow ?? "", "--append", "status 7");
    expect({ status, stdout, stderr }).toEqual({ status: (7 << 1) | 1, stdout: "32-bit: status 7\n", stderr: "" });
  });

  it("takes 64-bit code in the 32-bit container", { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = umbra(paths?.wide ?? "", "--append", "status 0");
    const expected = "64-bit: status 0\nexception taken\n";
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: expected, stderr: "" });
  });

  it("runs with the deterministic clock and the tiered engine, too", { timeout: 120_000 }, () => {
    for (const options of [
      ["--clock", "instructions"],
      ["--engine", "tiered"],
    ]) {
      expect(umbra(paths?.wide ?? "", "--append", "5", ...options).status).toBe((5 << 1) | 1);
    }
  });
});
