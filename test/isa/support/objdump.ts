import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CodeSize } from "../../../jit/isa/instruction.ts";

/** What objdump says of one instruction. */
export interface Disassembly {
  readonly length: number;
  readonly text: string;
}

const MACHINES: Readonly<Record<CodeSize, string>> = { 16: "i8086", 32: "i386", 64: "i386:x86-64" };

/** Each case has a slot of its own, filled up with NOPs, so that objdump finds its way again after bytes that are no instruction. */
export const SLOT = 32;
const NOP = 0x90;

/** "  40:\t48 89 e5 \tmov    rbp,rsp" */
const LINE = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$/;

/** Whether there is an objdump that knows x86. */
export function hasObjdump(): boolean {
  const run = spawnSync("objdump", ["--help"], { encoding: "utf8" });
  return run.status === 0 && run.stdout.includes("i8086");
}

/** Disassembles each of `cases` (at most 15 bytes) on its own. */
export function objdump(cases: readonly Uint8Array[], codeSize: CodeSize): readonly Disassembly[] {
  const blob = new Uint8Array(cases.length * SLOT).fill(NOP);
  cases.forEach((bytes, index) => blob.set(bytes, index * SLOT));
  const directory = mkdtempSync(join(tmpdir(), "umbra-objdump-"));
  try {
    const file = join(directory, "code.bin");
    writeFileSync(file, blob);
    const flags = ["-D", "-z", "-b", "binary", "-m", MACHINES[codeSize], "-M", "intel,intel64", "--insn-width=16"];
    const run = spawnSync("objdump", [...flags, file], { encoding: "utf8", maxBuffer: 2 ** 30 });
    if (run.status !== 0) throw new Error(`objdump: exit status ${run.status}, ${run.stderr}`);
    const found: Disassembly[] = Array.from({ length: cases.length }, () => ({ length: 0, text: "" }));
    for (const line of run.stdout.split("\n")) {
      const match = LINE.exec(line);
      if (match === null) continue;
      const address = Number.parseInt(match[1]!, 16);
      if (address % SLOT !== 0) continue;
      found[address / SLOT] = { length: match[2]!.trim().split(" ").length, text: (match[3] ?? "").trim() };
    }
    return found;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
