import { describe, expect, it } from "vitest";
import { EscapeFilter } from "../../src/cli/terminal.ts";
import { main } from "../../src/cli/main.ts";
import { nodeHost } from "../../src/cli/node-host.ts";
import { parseAddress, parseCount, parseSize } from "../../src/cli/quantity.ts";
import { elfImage } from "./elf-image.ts";
import { fakeHost } from "./fake-host.ts";

const FLAT = Uint8Array.of(0x90, 0x90, 0x90, 0x90, 0xf4);
const ELF = elfImage(0x20_0001n, [{ gpa: 0x20_0000n, bytes: [0x90, 0x90, 0xf4] }]);

describe("sizes, addresses and counts", () => {
  it("reads sizes in powers of 1024", () => {
    const read = (text: string) => parseSize("--memory", text);
    expect(["4096", "0x1000", "64K", "512M", "512m", "2G", "2GB", "2GiB", "16kib", "0x1b"].map(read)).toEqual([
      4096,
      4096,
      65536,
      512 * 2 ** 20,
      512 * 2 ** 20,
      2 ** 31,
      2 ** 31,
      2 ** 31,
      16384,
      0x1b,
    ]);
  });

  it("refuses what is no size", () => {
    for (const text of ["", "M", "-1", "1.5G", "12T", "0", "0M", "9007199254740992", "5 M", "0x", "1e3"]) {
      expect(() => parseSize("--memory", text), text).toThrow(/^--memory: /);
    }
  });

  it("reads addresses up to 2^64 - 1, and counts in powers of 1000", () => {
    expect(parseAddress("--base", "0xffffffffffffffff")).toBe(2n ** 64n - 1n);
    expect(() => parseAddress("--base", "0x10000000000000000")).toThrow("--base: 0x10000000000000000 does not fit");
    expect(() => parseAddress("--base", "main")).toThrow('--base: "main" is not an address');
    expect(parseCount("--max-instructions", "20M")).toBe(20_000_000);
    expect(() => parseCount("--max-instructions", "many")).toThrow('"many" is not a count');
  });
});

describe("umbra", () => {
  it("answers bad input with exactly one line on standard error and exit code 2", async () => {
    const bad: readonly [args: string[], complaint: RegExp][] = [
      [["exce"], /^umbra: unknown command "exce"; see umbra --help$/],
      [["--verbose"], /^umbra: unknown option "--verbose"/],
      [["toString"], /^umbra: unknown command "toString"/],
      [["help", "me"], /^umbra: unknown command "me"/],
      [["exec"], /^umbra: FILE is missing; see umbra exec --help$/],
      [["exec", "flat", "other"], /^umbra: unexpected argument "other"/],
      [["exec", "--speed", "9", "flat"], /^umbra: unknown option '--speed'; see umbra exec --help$/],
      [["exec", "--memory"], /^umbra: option '--memory <value>' argument missing; see umbra exec --help$/],
      [["exec", "--trace=yes", "flat"], /^umbra: option '--trace' does not take an argument; see/],
      [["exec", "absent"], /^umbra: cannot read absent: no such file$/],
      [["exec", "--memory", "lots", "flat"], /^umbra: --memory: "lots" is not a size/],
      [["exec", "--memory", "1M", "--base", "1M", "flat"], /^umbra: --base: "1M" is not an address/],
      [["exec", "--memory", "1M", "--base", "0x100000", "flat"], /^umbra: the program needs memory up to 0x100005/],
      [["exec", "--entry", "0x4000000", "flat"], /^umbra: the entry is 0x4000000/],
      [["exec", "--mode", "real", "--base", "0x10000", "flat"], /in real mode it must be below 0x10000$/],
      [["exec", "--mode", "vm86", "flat"], /^umbra: --mode: "vm86" is none of long, protected, real$/],
      [["exec", "--max-instructions", "-", "flat"], /^umbra: --max-instructions: "-" is not a count/],
      [["disasm", "--start", "99", "flat"], /^umbra: there is nothing to list at 0x63/],
      [["disasm", "--length", "0", "flat"], /^umbra: --length: 0 is out of range/],
    ];
    for (const [args, complaint] of bad) {
      const host = fakeHost({ flat: FLAT });
      expect(await main(args, host), args.join(" ")).toBe(2);
      expect(host.complaints, args.join(" ")).toHaveLength(1);
      expect(host.complaints[0]).toMatch(complaint);
      expect(host.complaints[0]).not.toContain("\n");
      expect(host.created).toEqual([]);
    }
  });

  it("shows help and version, of the program and of each command", async () => {
    for (const args of [["--help"], ["-h"], ["help"]]) {
      const host = fakeHost();
      expect(await main(args, host)).toBe(0);
      expect(host.printed).toMatch(/^Umbra 1\.2\.3: [^]*exec FILE[^]*disasm FILE/);
    }
    for (const args of [
      ["exec", "--help"],
      ["help", "exec"],
    ]) {
      const host = fakeHost();
      expect(await main(args, host)).toBe(0);
      expect(host.printed).toMatch(/Usage: umbra exec \[options\] FILE[^]*--memory SIZE .*\[64M\]/);
    }
    const host = fakeHost();
    expect(await main(["--version"], host)).toBe(0);
    expect(host.printed).toBe("1.2.3\n");
  });
});

describe("umbra exec", () => {
  it("loads a flat binary at its base and starts it there", async () => {
    const host = fakeHost({ flat: FLAT });
    expect(await main(["exec", "--memory", "2M", "--mode", "protected", "flat"], host)).toBe(0);
    expect(host.created).toEqual([{ memoryBytes: 2 * 2 ** 20, mode: "protected" }]);
    expect(host.written).toEqual([{ gpa: 0x10_0000n, bytes: FLAT }]);
    expect(host.rip).toBe(0x10_0001n);
    expect([host.printed, host.complaints]).toEqual(["", []]);
  });

  it("puts a flat binary of real mode where firmware puts a boot sector", async () => {
    const host = fakeHost({ flat: FLAT });
    await main(["exec", "--mode=real", "flat"], host);
    expect(host.written[0]?.gpa).toBe(0x7c00n);
  });

  it("starts an ELF file at its entry, or where it is told", async () => {
    for (const [args, entry] of [
      [[], 0x20_0001n],
      [["--entry", "0x200002"], 0x20_0002n],
    ] as const) {
      const host = fakeHost({ elf: ELF }, [{ reason: "halt", instructions: 0 }]);
      expect(await main(["exec", ...args, "elf"], host)).toBe(0);
      expect(host.rip).toBe(entry);
    }
  });

  it("prints the registers with --state", async () => {
    const host = fakeHost({ flat: FLAT });
    await main(["exec", "--state", "flat"], host);
    expect(host.printed).toBe("rax 78498\n");
  });

  it("ends with code 1 and says why when the program does not halt", async () => {
    const cases = [
      [
        { reason: "exception", vector: 14, errorCode: 2, cr2: 0xdead000n, instructions: 7 },
        "raised #PF, error code 0x2, cr2 0xdead000 at",
      ],
      [{ reason: "exception", vector: 0, instructions: 7 }, "raised #DE at"],
      [{ reason: "shutdown", instructions: 7 }, "the CPU shut down at"],
      [{ reason: "port", instructions: 7 }, "used an I/O port"],
    ] as const;
    for (const [outcome, message] of cases) {
      const host = fakeHost({ flat: FLAT }, [outcome]);
      expect(await main(["exec", "flat"], host)).toBe(1);
      expect(host.complaints).toHaveLength(1);
      expect(host.complaints[0]).toContain(message);
      expect(host.complaints[0]).toContain("at rip 0x100007 after 7 instructions");
    }
  });

  it("goes on after a spent budget until the limit, and not beyond", async () => {
    const host = fakeHost({ flat: FLAT }, [
      { reason: "budget", instructions: 1_000_000_000 },
      { reason: "budget", instructions: 500_000_000 },
    ]);
    expect(await main(["exec", "--max-instructions", "1500M", "flat"], host)).toBe(1);
    expect(host.budgets).toEqual([1_000_000_000, 500_000_000]);
    expect(host.complaints[0]).toContain("the limit of instructions was reached");
  });

  it("traces instruction by instruction", async () => {
    const host = fakeHost({ flat: FLAT }, [{ reason: "budget", instructions: 1 }]);
    expect(await main(["exec", "--trace", "flat"], host)).toBe(0);
    expect(host.budgets).toEqual([1, 1]);
    expect(host.printed.trimEnd().split("\n")).toEqual([
      `00100000  ${"90 90".padEnd(30)} code64 at 1048576`,
      `00100001  ${"90 90".padEnd(30)} code64 at 1048577`,
    ]);
  });
});

describe("umbra disasm", () => {
  const addresses = async (...args: string[]) => {
    const host = fakeHost({ flat: FLAT, elf: ELF });
    expect(await main(["disasm", ...args], host), host.complaints.join()).toBe(0);
    return host.printed
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, 8), /code\d+/.exec(line)?.[0]]);
  };

  it("lists all of a flat binary, from its base", async () => {
    expect(await addresses("flat")).toEqual([
      ["00000000", "code64"],
      ["00000002", "code64"],
      ["00000004", "code64"],
    ]);
    expect(await addresses("--base", "0x7c00", "--mode", "real", "--start", "0x7c01", "--length", "4", "flat")).toEqual(
      [
        ["00007c01", "code16"],
        ["00007c03", "code16"],
      ],
    );
  });

  it("lists an ELF file from its entry", async () => {
    expect(await addresses("elf")).toEqual([["00200001", "code64"]]);
  });
});

describe("the disassembler behind the commands", () => {
  it("reads the code size it is asked for, and lists what is no instruction as a byte", async () => {
    const wide = await nodeHost.createDisassembler(64);
    const narrow = await nodeHost.createDisassembler(16);
    const code = Uint8Array.of(0x48, 0x01, 0xc8);
    expect(wide(code, 0n)).toEqual({ length: 3, text: "add rax, rcx" });
    expect(narrow(code, 0n)).toEqual({ length: 1, text: "dec ax" });
    // JMP to itself, and PUSH ES, which 64-bit mode has not.
    expect(wide(Uint8Array.of(0xeb, 0xfe), 0x1000n).text).toContain("0x1000");
    expect(wide(Uint8Array.of(0x06, 0x90), 0n)).toEqual({ length: 1, text: "(bad)" });
  });
});

describe("umbra run", () => {
  const complaint = async (
    args: readonly string[],
    files: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<string> => {
    const host = fakeHost(files);
    expect(await main(args, host)).toBe(2);
    expect(host.complaints).toHaveLength(1);
    return host.complaints[0] ?? "";
  };

  it("is what umbra does without a command", async () => {
    expect(await complaint([])).toBe("umbra: no network in this test");
    expect(await complaint(["--memory", "1G"])).toBe("umbra: no network in this test");
  });

  it("says in one line what is wrong with its input", async () => {
    const junk = { junk: new Uint8Array(4096).fill(0x41) };
    expect(await complaint(["run", "--kernel", "absent"])).toMatch(/cannot read absent/);
    expect(await complaint(["run", "--kernel", "junk"], junk)).toMatch(/^umbra: junk: /);
    expect(await complaint(["run", "--kernel", "junk", "--memory", "12"], junk)).toMatch(/memory/);
    expect(await complaint(["run", "--on-reset", "explode"])).toMatch(/--on-reset/);
    expect(await complaint(["run", "--clock", "sundial"])).toMatch(/--clock/);
    expect(await complaint(["run", "--debug-exit", "0x10000", "--kernel", "junk"], junk)).toMatch(/I\/O port/);
  });
});

describe("the escape key of the terminal", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it("asks for things and is not typed", () => {
    const filter = new EscapeFilter();
    expect(filter.feed(bytes("ab\x01xcd"))).toEqual({ bytes: bytes("abcd"), requests: ["quit"] });
    expect(filter.feed(bytes("\x01"))).toEqual({ bytes: bytes(""), requests: [] });
    expect(filter.feed(bytes("Hz"))).toEqual({ bytes: bytes("z"), requests: ["help"] });
  });

  it("is typed by typing it twice", () => {
    expect(new EscapeFilter().feed(bytes("\x01\x01"))).toEqual({ bytes: bytes("\x01"), requests: [] });
  });
});
