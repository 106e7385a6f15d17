import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const SOURCE = fileURLToPath(new URL("./bare-metal/image.S", import.meta.url));
const UMBRA = fileURLToPath(new URL("../../src/cli/run.ts", import.meta.url));
/** what bare-metal test suites use */
const DEBUG_EXIT = "0xf4";

const folder = mkdtempSync(join(tmpdir(), "umbra-bare-metal-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Builds both images, or says why it cannot. */
function build(): { readonly narrow: string; readonly wide: string } | { readonly reason: string } {
  const [narrow, wide, elf64] = ["narrow", "wide", "elf64"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  // -N: one segment without page alignment, so that the header stays in the first 8 KiB of the file.
  const link = ["-N", "-Ttext=0x100000", "-e", "start"];
  const commands: readonly (readonly [string, ...string[]])[] = [
    ["gcc", "-m32", "-c", SOURCE, "-o", `${narrow}.o`],
    ["ld", "-m", "elf_i386", ...link, `${narrow}.o`, "-o", narrow],
    ["gcc", "-m64", "-DWIDE", "-c", SOURCE, "-o", `${wide}.o`],
    ["ld", "-m", "elf_x86_64", ...link, `${wide}.o`, "-o", elf64],
    ["objcopy", "-O", "elf32-i386", elf64, wide],
  ];
  for (const [program, ...rest] of commands) {
    const { error, status, stderr } = spawnSync(program, rest, { encoding: "utf8" });
    if (error) return { reason: `${program} does not run here: ${error.message}` };
    // An assembler for another architecture is no fault of ours; one for this one must accept the source.
    if (status !== 0 && process.arch === "x64") throw new Error(`${program}: ${stderr}`);
    if (status !== 0) return { reason: `${program} does not build for x86` };
  }
  return { narrow, wide };
}

const built = build();
if ("reason" in built) console.log(`not run: bare-metal images: ${built.reason}`);
const images = "reason" in built ? undefined : built;

function umbra(kernel: string, ...options: readonly string[]) {
  const run = [UMBRA, "run", "--kernel", kernel, "--memory", "64M", "--debug-exit", DEBUG_EXIT, ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { encoding: "utf8", input: "", timeout: 60_000 });
  return { status, stdout, stderr };
}

describe.runIf(images !== undefined)("umbra run with a bare-metal Multiboot image", () => {
  it("reports through the serial port and ends with the guest's code: 32-bit code", { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = umbra(images?.narrow ?? "", "--append", "status 7");
    expect({ status, stdout, stderr }).toEqual({ status: (7 << 1) | 1, stdout: "32-bit: status 7\n", stderr: "" });
  });

  it("takes 64-bit code in the 32-bit container", { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = umbra(images?.wide ?? "", "--append", "status 0");
    const expected = "64-bit: status 0\nexception taken\n";
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: expected, stderr: "" });
  });

  it("runs with the deterministic clock and the tiered engine, too", { timeout: 120_000 }, () => {
    for (const options of [
      ["--clock", "instructions"],
      ["--engine", "tiered"],
    ]) {
      expect(umbra(images?.wide ?? "", "--append", "5", ...options).status).toBe((5 << 1) | 1);
    }
  });
});
