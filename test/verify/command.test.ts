import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { elf } from "../boot/support/images.ts";
import { code, le } from "../mmu/support.ts";
import { elfImage } from "../project/elf-image.ts";
import { fakeHost } from "../project/fake-host.ts";

// mov ecx, 200; loop: add rax, rcx; dec ecx; jnz loop; hlt
const LOOP = code("b9", le(200, 4), "48 01 c8 ff c9 75 f9 f4");
// The same in 32-bit code, where 0x48 would be DEC EAX.
const LOOP32 = code("b9", le(200, 4), "01 c8 49 75 fb f4");
const KERNEL = 0x20_0000;
const FILES = {
  loop: LOOP,
  elf: elfImage(0x40_0ff8n, [{ gpa: 0x40_0ff8n, bytes: [...LOOP] }]),
  hlt: Uint8Array.of(0xf4),
  kernel: elf({ wide: true, gpa: KERNEL, pvh: KERNEL, content: LOOP32 }),
};

async function umbra(...args: string[]): Promise<ReturnType<typeof fakeHost> & { readonly exitCode: number }> {
  const host = fakeHost(FILES);
  const exitCode = await main(args, host);
  return Object.assign(host, { exitCode });
}

describe("umbra dump-region", () => {
  it("shows guest code, control flow and WebAssembly of a flat binary", async () => {
    const { exitCode, printed, complaints } = await umbra(
      "dump-region",
      "--program",
      "loop",
      "--at",
      "0x1005",
      "--base",
      "0x1000",
    );
    expect(complaints).toEqual([]);
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/^region at 0x1005: 2 blocks, 3 instructions, \d+ bytes of WebAssembly\n/);
    expect(printed).toContain("block 0:\n  1005  48 01 c8                       add rax, rcx\n");
    expect(printed).toContain("  block 0   0x1005  from entry, block 0; taken: block 0; else: block 1  (loop)\n");
    expect(printed).toContain("leaves to the interpreter at 100c");
    expect(printed).toMatch(
      /-- WebAssembly --\n\(module\n[^]*\(export "r0"[^]*\(return_call \$goto_interpreter\b[^]*\)\n$/,
    );
    expect(printed).not.toContain("$fimport");
  });

  it("takes no code from the next page", async () => {
    const { exitCode, printed } = await umbra("dump-region", "--program", "elf", "--at", "0x400ff8");
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/^region at 0x400ff8: 1 blocks?, 2 instructions/);
    expect(printed).toContain("  block 0   0x400ff8  from entry; goes on with another page, 401000\n");
  });

  it("shows code of a machine that has booted a kernel", async () => {
    const at = `0x${KERNEL.toString(16)}`;
    const args = ["dump-region", "--kernel", "kernel", "--memory", "64M", "--at", at, "--physical"];
    const { exitCode, printed, complaints } = await umbra(...args, "--after", "100");
    expect(complaints).toEqual([]);
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/^region at 0x200000: /);
    const late = await umbra(...args);
    expect(late.complaints).toEqual(["umbra: the machine ended before --after: halt"]);
    expect(late.printed).toBe(printed);
  });

  it("says when there is no region, or no such place", async () => {
    const none = await umbra("dump-region", "--program", "hlt", "--at", "0");
    expect(none.exitCode).toBe(1);
    expect(none.complaints).toEqual([
      "umbra: the instruction at 0x0 is left to the interpreter: no region begins there",
    ]);
    const bad: readonly [args: string[], complaint: string][] = [
      [[], "umbra: --at is missing; see umbra dump-region --help"],
      [["--program", "loop", "--at", "0x100"], "umbra: --at: no byte of the program lies at 0x100"],
      [
        ["--kernel", "kernel", "--memory", "64M", "--after", "10", "--at", "0x8000000"],
        "umbra: --at: 0x8000000 is not mapped after 10 instructions",
      ],
    ];
    for (const [args, complaint] of bad) {
      const { exitCode, complaints } = await umbra("dump-region", ...args);
      expect(complaints).toEqual([complaint]);
      expect(exitCode).toBe(2);
    }
  });
});

describe("--verify", () => {
  it("compares a program on both engines, and says how far", async () => {
    for (const engine of ["tiered", "translator"]) {
      const { exitCode, complaints } = await umbra("exec", "--verify", "--engine", engine, "loop");
      expect(complaints).toEqual([
        `umbra: verify: interpreter and ${engine} agree in all 602 instructions (halt), 0.0 s`,
      ]);
      expect(exitCode).toBe(0);
    }
    const { complaints } = await umbra("exec", "--verify", "--max-instructions", "100", "loop");
    expect(complaints[0]).toMatch(/agree in all 100 instructions \(stopped at the limit\)/);
  });

  it("compares a kernel on both engines", async () => {
    const { exitCode, complaints } = await umbra("run", "--verify", "--kernel", "kernel", "--memory", "64M");
    expect(complaints).toEqual(["umbra: verify: interpreter and tiered agree in all 602 instructions (halt), 0.0 s"]);
    expect(exitCode).toBe(0);
    const limited = await umbra("run", "--verify", "--kernel", "kernel", "--memory", "64M", "--until", "50");
    expect(limited.complaints[0]).toMatch(/agree in all 50 instructions \(stopped at the limit\)/);
  });

  it("refuses what it cannot compare", async () => {
    const bad: readonly [args: string[], complaint: RegExp][] = [
      [
        ["exec", "--verify", "--engine", "interpreter", "loop"],
        /^umbra: --verify: --engine is "interpreter", expected/,
      ],
      [["run", "--verify", "--engine", "interpreter"], /^umbra: --verify: --engine is "interpreter", expected/],
      [["run", "--verify", "--disk", "a.img"], /^umbra: --verify compares machines without disks: leave out --disk$/],
      [["run", "--verify", "--console", "virtio"], /^umbra: --verify compares machines without a virtio console/],
    ];
    for (const [args, complaint] of bad) {
      const { exitCode, complaints } = await umbra(...args);
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toMatch(complaint);
      expect(exitCode).toBe(2);
    }
  });
});
