import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createBareMachine, type BareMode } from "../../src/bare-machine.ts";

/**
 * Whole programs of system code, which log what became of each instruction. The expected logs were compared with another emulator's
 * (QEMU 7.2, TCG); where they differ from it, the manual decides, and programs/README.md tells why.
 */

const FOLDER = fileURLToPath(new URL("programs/", import.meta.url));
const PROGRAM = 0x1000;
const LOG = 0x4_0000;
const LOG_BYTES = 0x1_0000;
const FIELDS = 13;

/** Assembles a program with the GNU assembler to a flat binary; undefined if there is none. */
function assemble(name: string): Uint8Array | undefined {
  const folder = mkdtempSync(join(tmpdir(), "umbra-"));
  try {
    const object = join(folder, "program.o");
    const binary = join(folder, "program.bin");
    const assembled = spawnSync("as", ["--64", "-o", object, `${FOLDER}${name}.s`], { encoding: "utf8" });
    if (assembled.error) return undefined;
    expect(assembled.stderr.replaceAll(/.*(Warning|Info|messages).*\n/g, "")).toBe("");
    const linked = spawnSync(
      "ld",
      ["-N", `-Ttext=0x${PROGRAM.toString(16)}`, "--oformat", "binary", "-e", "start", "-o", binary, object],
      { encoding: "utf8" },
    );
    expect(linked.stderr.replaceAll(/.*warning.*\n/g, "")).toBe("");
    return readFileSync(binary);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function text(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

/** One line for each entry of the log. */
function describeLog(program: Uint8Array, log: Uint8Array): string {
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  const lines: string[] = [];
  for (let at = 0; view.getBigUint64(at, true) !== 0n; at += FIELDS * 8) {
    const field = (index: number): bigint => view.getBigUint64(at + index * 8, true);
    const hex = (index: number): string => field(index).toString(16);
    const name = text(program, Number(field(0)) - PROGRAM);
    const state = `cs=${hex(4)} ss=${hex(7)} rflags=${hex(5)} rax=${hex(12)}`;
    if (field(1) === 0x100n) {
      lines.push(`${name} | goes on: ${state}`);
      continue;
    }
    const rip = BigInt.asIntN(64, field(3));
    const distance = rip >= -16n && rip <= 16n ? `${rip}` : "elsewhere";
    const cr2 = field(1) === 14n ? ` cr2=${hex(8)}` : "";
    const rsp = BigInt.asIntN(64, field(6));
    lines.push(
      `${name} | vector ${field(1)} error ${hex(2)}${cr2} rip=${distance} rsp=${rsp} ${state} | handler cs=${hex(9)} ss=${hex(10)} rsp=${hex(11)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

describe("system programs", () => {
  it.for<[name: string, mode: BareMode]>([
    ["long", "protected"],
    ["protected", "protected"],
    ["real", "protected"],
  ])("%s", async ([name, mode], { skip }) => {
    const program = assemble(name);
    if (!program) {
      console.log(`not run: the program ${name}.s: the GNU assembler is missing (Debian package binutils)`);
      return skip("the GNU assembler is missing");
    }
    const machine = await createBareMachine({ memoryBytes: 0x10_0000, mode });
    machine.write(PROGRAM, program);
    machine.setState({ rip: BigInt(PROGRAM) });
    let exit = machine.run({ maxInstructions: 1_000_000 });
    // There is no device; what an allowed port access reads does not matter.
    for (let accesses = 0; exit.reason === "port" && accesses < 10; accesses++)
      exit = machine.run({ maxInstructions: 1_000_000 });
    expect(exit.reason).toBe("halt");
    await expect(describeLog(program, machine.read(LOG, LOG_BYTES))).toMatchFileSnapshot(`${FOLDER}${name}.expected`);
    machine.close();
  });
});
