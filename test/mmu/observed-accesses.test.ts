import { beforeEach, describe, expect, it } from "vitest";
import {
  A,
  CODE,
  code,
  CR0_AM,
  CR0_PAGING,
  CR4_PAE,
  CR4_SMAP,
  D,
  ENGINES,
  flush,
  type Inspected,
  le,
  longMachine,
  P,
  pageFault,
  PML4,
  PT,
  read64,
  RFLAGS_AC,
  runCode,
  U,
  W,
  write64,
} from "./support.ts";

// Accesses that the processor looks at: alignment checks (SDM Vol. 3A, 6.15, interrupt 17) and data breakpoints (Vol. 3B, 17.2).

const DATA = 0x10_0000;
const AC = { reason: "exception", vector: 17, errorCode: 0 };
/** the HLT at the end of a program that went well, at CPL 3 */
const DONE = { reason: "exception", vector: 13 };

describe.each(ENGINES)("alignment checks: %s", (engine) => {
  let machine: Inspected;
  beforeEach(async () => {
    machine = await longMachine(engine);
  });
  const state = { cr0: CR0_PAGING | CR0_AM, rflags: 2n | RFLAGS_AC, cr3: BigInt(PML4) };
  const at = (offset: number, bytes: string): Uint8Array => code("b8", le(DATA + offset, 4), bytes);

  // Recorded from an AMD EPYC with RFLAGS.AC set.
  it.each([
    ["a 4-byte load at 1", 1, "8b 08", true],
    ["a 4-byte load at 2", 2, "8b 08", true],
    ["a 4-byte load at 4", 4, "8b 08", false],
    ["a byte at 1", 1, "8a 08", false],
    ["a word at 1", 1, "66 8b 08", true],
    ["a word at 2", 2, "66 8b 08", false],
    ["an 8-byte store at 4", 4, "48 89 08", true],
    ["an add to memory at 2", 2, "83 00 01", true],
    ["CMPXCHG8B at 4", 4, "0f c7 08", true],
    ["a push at 3", 3, "48 89 c4 50", true],
    ["a pop at 4", 4, "48 89 c4 58", true],
    ["MOVUPS at 8", 8, "0f 10 00", true],
    ["MOVUPS at 16", 16, "0f 10 00", false],
    ["MOVQ at 4", 4, "f3 0f 7e 00", true],
    ["FLD m80 at 8", 8, "db 28", false],
    ["FLD m80 at 4", 4, "db 28", true],
  ] as const)("%s: #AC %s", (_name, offset, bytes, faults) => {
    expect(runCode(machine, at(offset, bytes), { cpl: 3, state })).toMatchObject(faults ? AC : DONE);
  });

  it("need CR0.AM, RFLAGS.AC and CPL 3", () => {
    const load = at(1, "8b 08");
    expect(runCode(machine, load, { cpl: 3, state: { ...state, cr0: CR0_PAGING } })).toMatchObject(DONE);
    expect(runCode(machine, load, { cpl: 3, state: { ...state, rflags: 2n } })).toMatchObject(DONE);
    expect(runCode(machine, load, { cpl: 0, state })).toMatchObject({ reason: "halt" });
    expect(runCode(machine, load, { cpl: 3, state })).toMatchObject(AC);
  });

  it("follow POPFQ at once, both ways", () => {
    // pushfq; bts/btr dword [rsp], 18; popfq
    const set = code("9c 0f ba 2c 24 12 9d");
    const clear = code("9c 0f ba 34 24 12 9d");
    const misaligned = code("8b 08");
    const start = { ...state, rflags: 2n };
    expect(runCode(machine, code(at(1, "8b 08"), set, clear, misaligned), { cpl: 3, state: start })).toMatchObject(
      DONE,
    );
    expect(runCode(machine, code(at(1, "8b 08"), set, misaligned), { cpl: 3, state: start })).toMatchObject(AC);
  });

  it("follow a load of CR0 by the supervisor", () => {
    // mov rax, cr0; bts eax, 18; mov cr0, rax; then down to CPL 3 by SYSRET to code that loads misaligned.
    const user = 0x3000;
    machine.write(user, code("8b 0c 25", le(DATA + 1, 4), "f4"));
    const start = { cr3: BigInt(PML4), star: 0x0013_0008_0000_0000n, r11: 2n | RFLAGS_AC, rcx: BigInt(user) };
    expect(runCode(machine, code("48 0f 07"), { state: start })).toMatchObject(DONE);
    machine.setState({
      cs: { selector: 8, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b },
      ss: { selector: 16, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 },
    });
    expect(runCode(machine, code("0f 20 c0 0f ba e8 12 0f 22 c0 48 0f 07"), { state: start })).toMatchObject(AC);
  });

  it("come before page faults and after canonical checks", () => {
    const entry = PT + 8 * (DATA >> 12);
    write64(machine, entry, 0n);
    expect(runCode(machine, at(1, "8b 08"), { cpl: 3, state })).toMatchObject(AC);
    expect(runCode(machine, at(4, "8b 08"), { cpl: 3, state })).toMatchObject(pageFault(4, BigInt(DATA + 4)));
    const bad = code("48 b8", le(0x8000_0000_0000_0001n, 8), "8b 08");
    expect(runCode(machine, bad, { cpl: 3, state })).toMatchObject({ vector: 13 });
    // A fault leaves no trace.
    write64(machine, entry, BigInt(DATA) | P | W | U);
    flush(machine);
    runCode(machine, at(2, "83 00 01"), { cpl: 3, state });
    expect(read64(machine, entry) & (A | D)).toBe(0n);
  });

  it("leave SMAP to the supervisor with AC as it was", () => {
    const guarded = { ...state, cr4: CR4_PAE | CR4_SMAP };
    write64(machine, PT + 8 * (CODE >> 12), BigInt(CODE) | P | W);
    write64(machine, PT + 8 * 7, 0x7000n | P | W);
    expect(runCode(machine, at(1, "8b 08"), { state: guarded })).toMatchObject({ reason: "halt" });
    expect(runCode(machine, at(1, "8b 08"), { state: { ...guarded, rflags: 2n } })).toMatchObject(
      pageFault(1, BigInt(DATA + 1)),
    );
  });
});

describe.each(ENGINES)("data breakpoints: %s", (engine) => {
  let machine: Inspected;
  beforeEach(async () => {
    machine = await longMachine(engine);
  });
  const DB = { reason: "exception", vector: 1 };
  /** DR7 for breakpoint 0: L0, R/W and LEN */
  const arm = (type: number, length: number): bigint =>
    0x401n | BigInt(type << 16) | (BigInt([0, 0, 1, 0, 3, 0, 0, 0, 2][length] ?? 0) << 18n);
  const start = (type: number, length: number, address = DATA): object => ({
    dr0: BigInt(address),
    dr7: arm(type, length),
    cr3: BigInt(PML4),
  });
  const NOPS = "90 90";

  it.each([
    ["a store to the bytes", 1, 4, code("89 0c 25", le(DATA, 4)), true],
    ["a load with a write breakpoint", 1, 4, code("8b 0c 25", le(DATA, 4)), false],
    ["a load with a read-write breakpoint", 3, 4, code("8b 0c 25", le(DATA, 4)), true],
    ["a store that overlaps the end", 1, 4, code("89 0c 25", le(DATA + 3, 4)), true],
    ["a store right behind", 1, 4, code("89 0c 25", le(DATA + 4, 4)), false],
    ["a store that overlaps the start", 1, 4, code("89 0c 25", le(DATA - 3, 4)), true],
    ["a store right before", 1, 4, code("89 0c 25", le(DATA - 4, 4)), false],
    ["a read-modify-write", 1, 1, code("fe 04 25", le(DATA, 4)), true],
    ["an 8-byte breakpoint's last byte", 1, 8, code("88 0c 25", le(DATA + 7, 4)), true],
    ["a 16-byte store", 1, 1, code("0f 11 04 25", le(DATA - 15, 4)), true],
    ["a push", 1, 8, code("48 c7 c4", le(DATA + 8, 4), "50"), true],
  ] as const)("%s", (_name, type, length, bytes, hits) => {
    const exit = runCode(machine, code(bytes, NOPS), { state: start(type, length) });
    expect(exit).toMatchObject(hits ? DB : { reason: "halt" });
    // A trap: RIP is behind the instruction, and the access has happened.
    if (hits) expect(machine.getState().rip).toBe(BigInt(CODE + bytes.length));
  });

  it("trap after each iteration of REP that hits", () => {
    const bytes = code("bf", le(DATA - 2, 4), "b9", le(5, 4), "f3 aa");
    const exit = runCode(machine, bytes, { state: start(1, 1) });
    expect(exit).toMatchObject(DB);
    expect(machine.getState()).toMatchObject({ rcx: 2n, rip: BigInt(CODE + 10) });
    expect(machine.run()).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(0n);
  });

  it("are found when the page was accessed freely before, and armed by the guest", () => {
    const store = code("89 0c 25", le(DATA, 4));
    // store; mov eax, DATA; mov dr0, rax; mov eax, dr7; mov dr7, rax; store
    const program = code(store, "b8", le(DATA, 4), "0f 23 c0 b8", le(arm(1, 4), 4), "0f 23 f8", store, NOPS);
    expect(runCode(machine, program)).toMatchObject(DB);
    expect(machine.getState().rip).toBe(BigInt(CODE + program.length - 2));
    // And disarmed: nothing traps, and accesses are fast again.
    expect(runCode(machine, code("b8 00 04 00 00 0f 23 f8", store, NOPS))).toMatchObject({ reason: "halt" });
  });

  it("do not trap when the access faults", () => {
    write64(machine, PT + 8 * (DATA >> 12), 0n);
    expect(runCode(machine, code("89 0c 25", le(DATA, 4)), { state: start(1, 4) })).toMatchObject(
      pageFault(2, BigInt(DATA)),
    );
    expect(machine.run({ maxInstructions: 1 })).toMatchObject({ vector: 14 });
  });

  it("report themselves in DR6 through the guest's IDT", () => {
    const idt = 0x18_0000;
    const handler = 0x3000;
    const gdt = 0x19_0000;
    write64(machine, gdt + 8, 0x00af_9b00_0000_ffffn);
    machine.write(idt + 16, code(le(handler, 2), "08 00 00 8e", le(handler >> 16, 2), le(0, 8)));
    machine.write(handler, code("0f 21 f3 f4")); // mov rbx, dr6; hlt
    const state = { ...start(3, 4), idt: { base: BigInt(idt), limit: 0xff }, gdt: { base: BigInt(gdt), limit: 0xff } };
    expect(runCode(machine, code("8b 0c 25", le(DATA, 4), NOPS), { state })).toMatchObject({ reason: "halt" });
    expect(machine.getState().rbx & 0xfn).toBe(1n);
  });
});
