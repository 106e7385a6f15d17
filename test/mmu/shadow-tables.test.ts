import { beforeEach, describe, expect, it } from "vitest";
import { MemoryMap, PageFlag } from "../../runtime/abi/memory-map.ts";
import {
  A,
  CODE,
  code,
  CR4_PAE,
  CR4_PGE,
  D,
  EFER_LONG,
  ENGINES,
  Error,
  flush,
  G,
  type Inspected,
  le,
  longMachine,
  P,
  pageFault,
  PD,
  PDPT,
  PML4,
  PS,
  PT,
  read64,
  runCode,
  U,
  W,
  write64,
} from "./support.ts";

// The TLB banks of several address spaces, and the tracing of the tables that they stand for.

const DATA = 0x10_0000;
const OTHER = 0x18_0000;
const ENTRY = PT + 8 * (DATA >> 12);
const LOAD = code("8b 0c 25", le(DATA, 4)); // mov ecx, [DATA]
const SAVE = code("89 ca"); // mov edx, ecx

/** mov rax, value; mov [at], rax */
function store64(at: number, value: bigint): Uint8Array {
  return code("48 b8", le(value, 8), "48 89 04 25", le(at, 4));
}

/** mov eax, root; mov cr3, rax */
function loadCr3(root: number): Uint8Array {
  return code("b8", le(root, 4), "0f 22 d8");
}

describe.each(ENGINES)("shadow page tables: %s", (engine) => {
  let machine: Inspected;
  beforeEach(async () => {
    machine = await longMachine(engine);
    machine.write(DATA, le(1, 4));
    machine.write(OTHER, le(2, 4));
  });
  const loaded = (): { rdx: bigint; rcx: bigint } => {
    const { rdx, rcx } = machine.getState();
    return { rdx, rcx };
  };

  it("a store to an entry counts after INVLPG, and after a load of CR3", () => {
    for (const flushing of [code("0f 01 3c 25", le(DATA, 4)), code("0f 20 d8 0f 22 d8")]) {
      write64(machine, ENTRY, BigInt(DATA) | P | W | U);
      const exit = runCode(machine, code(LOAD, SAVE, store64(ENTRY, BigInt(OTHER) | P | W), flushing, LOAD));
      expect(exit).toMatchObject({ reason: "halt" });
      expect(loaded()).toEqual({ rdx: 1n, rcx: 2n });
    }
  });

  it.each([
    ["a byte of it", code("c6 04 25", le(ENTRY + 2, 4), le(OTHER >> 16, 1))],
    ["with a locked exchange", code("48 b8", le(BigInt(OTHER) | P | W, 8), "48 87 04 25", le(ENTRY, 4))],
    ["with a bit instruction", code("0f ba 2c 25", le(ENTRY, 4), "13")], // bts dword [ENTRY], 19: bit 19 is 0x8_0000
    ["with REP MOVSQ", code("be", le(0x4000, 4), "bf", le(ENTRY, 4), "b9 01 00 00 00 f3 48 a5")],
    ["with a 16-byte store", code("0f 10 04 25", le(0x4000, 4), "0f 11 04 25", le(ENTRY, 4))],
    [
      "with a store that crosses into its page",
      code("48 b8", le((BigInt(OTHER) | P | W) << 32n, 8), "48 89 04 25", le(ENTRY - 4, 4)),
    ],
  ])("sees an entry changed: %s", (_how, change) => {
    machine.write(0x4000, le(BigInt(OTHER) | P | W, 8));
    machine.write(0x4008, le(BigInt(DATA + 4096) | P | W, 8));
    const exit = runCode(machine, code(LOAD, SAVE, change, "0f 01 3c 25", le(DATA, 4), LOAD));
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 1n, rcx: 2n });
  });

  it.each([
    ["PML4", PML4, 0x3_0000],
    ["PDPT", PDPT, 0x3_1000],
    ["PD", PD, 0x3_2000],
  ])("sees a change of the %s", (_name, table) => {
    // A second chain that maps CODE and the tables as before, but DATA elsewhere.
    write64(machine, 0x3_0000, 0x3_1000n | P | W | U);
    write64(machine, 0x3_1000, 0x3_2000n | P | W | U);
    for (let page = 0; page < 512; page++) write64(machine, 0x3_2000 + 8 * page, BigInt(page * 4096) | P | W | U);
    write64(machine, 0x3_2000 + 8 * (DATA >> 12), BigInt(OTHER) | P | W | U);
    write64(machine, 0x3_3000, 0x3_2000n | P | W | U); // a PD
    write64(machine, 0x3_4000, 0x3_3000n | P | W | U); // a PDPT
    const next = { [PD]: 0x3_2000, [PDPT]: 0x3_3000, [PML4]: 0x3_4000 }[table] ?? 0;
    const exit = runCode(
      machine,
      code(LOAD, SAVE, store64(table, BigInt(next) | P | W | U), "0f 01 3c 25", le(DATA, 4), LOAD),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 1n, rcx: 2n });
    // The table that is out of use is ordinary memory again; the one in use is traced.
    const flags = (gpa: number): number =>
      new DataView(machine.memory.buffer).getUint8(MemoryMap.PAGE_FLAGS + (gpa >> 12));
    expect(flags(next) & PageFlag.PAGE_TABLE).toBe(PageFlag.PAGE_TABLE);
    const former = { [PD]: PT, [PDPT]: PD, [PML4]: PDPT }[table] ?? 0;
    expect(flags(former) & PageFlag.PAGE_TABLE).toBe(0);
  });

  it("sees rights taken away: read-only, supervisor, not present", () => {
    const touch = code("83 04 25", le(DATA, 4), "00");
    const change = (rights: bigint): Uint8Array =>
      code(touch, store64(ENTRY, BigInt(DATA) | rights), "0f 01 3c 25", le(DATA, 4), touch);
    const cr0 = 0x8001_0033n;
    expect(runCode(machine, change(P | U), { state: { cr0 } })).toMatchObject(
      pageFault(Error.P | Error.W, BigInt(DATA)),
    );
    write64(machine, ENTRY, BigInt(DATA) | P | W | U);
    expect(runCode(machine, change(0n), { state: { cr0 } })).toMatchObject(pageFault(Error.W, BigInt(DATA)));
  });

  it("INVLPG and a rewritten entry of a 2 MiB and a 1 GiB page reach every part of it", () => {
    const load = (at: number): Uint8Array => code("8b 0c 25", le(at, 4));
    // 2 MiB page at 0x40_0000, accessed in its last 4 KiB; then moved from 0x20_0000 to 0x40_0000.
    machine.write(0x3f_f000, le(0x11, 4));
    machine.write(0x5f_f000, le(0x22, 4));
    write64(machine, PD + 16, 0x20_0000n | P | W | PS);
    let exit = runCode(
      machine,
      code(
        load(0x5f_f000),
        SAVE,
        store64(PD + 16, 0x40_0000n | P | W | PS),
        "0f 01 3c 25",
        le(0x40_0000, 4),
        load(0x5f_f000),
      ),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 0x11n, rcx: 0x22n });
    // A 1 GiB page at 1 GiB, replaced by a table of 2 MiB pages.
    write64(machine, PDPT + 8, P | W | PS);
    write64(machine, 0x3_0000 + 8 * 2, 0x20_0000n | P | W | PS);
    exit = runCode(
      machine,
      code(
        load(0x405f_f000),
        SAVE,
        store64(PDPT + 8, 0x3_0000n | P | W),
        "0f 01 3c 25",
        le(0x4000_0000, 4),
        load(0x405f_f000),
      ),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 0x22n, rcx: 0x11n });
  });

  it("sees tables written from outside without any flush", () => {
    runCode(machine, LOAD);
    expect(machine.getState().rcx).toBe(1n);
    write64(machine, ENTRY, BigInt(OTHER) | P | W | U);
    runCode(machine, LOAD);
    expect(machine.getState().rcx).toBe(2n);
  });

  describe("address spaces", () => {
    /** A root of its own, which maps everything as the first one does, but DATA to where `value` is. */
    const space = (index: number): number => {
      const root = 0xa_0000 + index * 0x4000;
      write64(machine, root, BigInt(root + 0x1000) | P | W | U);
      write64(machine, root + 0x1000, BigInt(root + 0x2000) | P | W | U);
      write64(machine, root + 0x2000, BigInt(root + 0x3000) | P | W | U);
      for (let page = 0; page < 512; page++)
        write64(machine, root + 0x3000 + 8 * page, BigInt(page * 4096) | P | W | U);
      const data = 0x60_0000 + index * 0x1000;
      write64(machine, root + 0x3000 + 8 * (DATA >> 12), BigInt(data) | P | W | U);
      machine.write(data, le(100 + index, 4));
      return root;
    };

    it("are kept when the guest comes back to them", () => {
      const roots = [space(0), space(1)];
      const visit = roots.map((root) => code(loadCr3(root), LOAD));
      runCode(machine, code(...visit));
      const before = machine.processor.shadow.stats;
      runCode(machine, code(...visit, ...visit, ...visit));
      const { stats } = machine.processor.shadow;
      expect(stats.kept - before.kept).toBe(6);
      expect(stats.fresh).toBe(before.fresh);
      expect(stats.dropped).toBe(before.dropped);
      expect(machine.getState().rcx).toBe(101n);
    });

    it("more of them than there are slots stay right", () => {
      const roots = Array.from({ length: 12 }, (_, index) => space(index));
      for (let round = 0; round < 3; round++) {
        for (const [index, root] of roots.entries()) {
          runCode(machine, code(loadCr3(root), LOAD));
          expect(machine.getState().rcx, `round ${round}, space ${index}`).toBe(BigInt(100 + index));
        }
      }
      expect(machine.processor.shadow.stats.fresh).toBeGreaterThanOrEqual(36);
    });

    it("see tables changed while another one was in use", () => {
      const [one, two] = [space(0), space(1)];
      // Visit both; while in two, change one's entry; go back.
      const entry = one + 0x3000 + 8 * (DATA >> 12);
      runCode(
        machine,
        code(loadCr3(one), LOAD, SAVE, loadCr3(two), LOAD, store64(entry, BigInt(OTHER) | P | W), loadCr3(one), LOAD),
      );
      expect(loaded()).toEqual({ rdx: 100n, rcx: 2n });
    });

    it("share tables, and a change reaches all of them", () => {
      const [one, two] = [space(0), space(1)];
      // two uses one's page table.
      write64(machine, two + 0x2000, BigInt(one + 0x3000) | P | W | U);
      const entry = one + 0x3000 + 8 * (DATA >> 12);
      runCode(
        machine,
        code(
          loadCr3(one),
          LOAD,
          loadCr3(two),
          LOAD,
          SAVE,
          store64(entry, BigInt(OTHER) | P | W),
          loadCr3(one),
          LOAD,
          "89 cb",
          loadCr3(two),
          LOAD,
        ),
      );
      expect(machine.getState()).toMatchObject({ rdx: 100n, rbx: 2n, rcx: 2n });
    });

    it("keep global pages out of each other's way", () => {
      const [one, two] = [space(0), space(1)];
      for (const root of [one, two]) {
        const entry = root + 0x3000 + 8 * (DATA >> 12);
        write64(machine, entry, read64(machine, entry) | G);
      }
      machine.setState({ cr4: CR4_PAE | CR4_PGE });
      // What a global page maps after a switch between tables that disagree is undefined; after INVLPG it is not.
      runCode(machine, code(loadCr3(one), LOAD, SAVE, loadCr3(two), "0f 01 3c 25", le(DATA, 4), LOAD));
      expect(loaded()).toEqual({ rdx: 100n, rcx: 101n });
    });
  });

  it("building tables drops nothing", () => {
    runCode(machine, LOAD);
    const { shadow } = machine.processor;
    const before = shadow.stats;
    // Fills a fresh page table that is already linked in (present directory entry, 512 absent pages) with a loop, then uses it.
    write64(machine, PD + 16, 0x3_0000n | P | W | U);
    runCode(machine, code("8b 0c 25", le(0x40_0000, 4))); // traced now: the walk ended in it
    const fill = code(
      "bf",
      le(0x3_0000, 4),
      "48 b8",
      le(BigInt(DATA) | P | W | U, 8),
      "b9",
      le(512, 4),
      "48 89 07 48 83 c7 08 ff c9 75 f5",
      "8b 0c 25",
      le(0x40_5000, 4),
    );
    const { dropped } = shadow.stats;
    expect(runCode(machine, fill)).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(1n);
    expect(shadow.stats.tableWrites - before.tableWrites).toBeGreaterThanOrEqual(512);
    expect(shadow.stats.dropped).toBe(dropped);
  });

  it("tables freed and used as data are written directly again", () => {
    // PD entry 2 -> a table; use it; unlink it; then write it as data.
    write64(machine, PD + 16, 0x3_0000n | P | W | U);
    write64(machine, 0x3_0000, BigInt(DATA) | P | W | U);
    const exit = runCode(
      machine,
      code(
        "8b 0c 25",
        le(0x40_0000, 4),
        SAVE,
        store64(PD + 16, 0n),
        "0f 01 3c 25",
        le(0x40_0000, 4),
        store64(0x3_0000, BigInt(OTHER) | P),
        store64(0x3_0008, 5n),
      ),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(new DataView(machine.memory.buffer).getUint8(MemoryMap.PAGE_FLAGS + 0x30)).toBe(0);
    expect(runCode(machine, code("8b 0c 25", le(0x40_0000, 4)))).toMatchObject(pageFault(0, 0x40_0000n));
    // And linked in again, with what was written as data.
    write64(machine, PD + 16, 0x3_0000n | P | W | U);
    expect(runCode(machine, code("8b 0c 25", le(0x40_0000, 4)))).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(2n);
  });

  it("a root that was freed and is used as data empties the banks once, not with every word", () => {
    const root = 0x3_0000;
    for (let entry = 0; entry < 512; entry++) write64(machine, root + 8 * entry, BigInt(PDPT) | P | W | U);
    const exit = runCode(
      machine,
      // mov edi, root; mov eax, 5; mov ecx, 512; then a store of 8 bytes at a time: mov [rdi], rax; add edi, 8; loop
      code(loadCr3(root), LOAD, SAVE, loadCr3(PML4), "bf", le(root, 4), "b8 05 00 00 00 b9 00 02 00 00"),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    const { dropped } = machine.processor.shadow.stats;
    runCode(machine, code("48 89 07 83 c7 08 e2 f8", LOAD));
    expect(machine.getState().rcx).toBe(1n);
    expect(read64(machine, root + 8 * 511)).toBe(5n);
    expect(machine.processor.shadow.stats.dropped - dropped).toBeLessThanOrEqual(1);
    // And a root again, whose entry 0 now leads elsewhere: a walk finds what stands there.
    write64(machine, root, BigInt(PDPT) | P | W | U);
    expect(runCode(machine, code(loadCr3(root), LOAD, store64(root, 0n), loadCr3(root)))).not.toMatchObject({
      reason: "halt",
    });
  });

  it("a recursive mapping serves to change the tables it maps", () => {
    // PML4[511] = PML4: page tables appear at 0xffff_ff80_0000_0000.
    write64(machine, PML4 + 8 * 511, BigInt(PML4) | P | W);
    flush(machine);
    const pte = 0xffff_ff80_0000_0000n + BigInt((DATA >> 12) * 8);
    const pde = 0xffff_ffff_c000_0000n;
    const change = (at: bigint, value: bigint): Uint8Array =>
      code("48 bb", le(at, 8), "48 b8", le(value, 8), "48 89 03");
    const invalidate = code("0f 01 3c 25", le(DATA, 4));
    let exit = runCode(machine, code(LOAD, SAVE, change(pte, BigInt(OTHER) | P | W), invalidate, LOAD));
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 1n, rcx: 2n });
    exit = runCode(machine, code(LOAD, SAVE, change(pte, BigInt(DATA) | P | W), invalidate, LOAD));
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 2n, rcx: 1n });
    // Through the directory's own window: another page table.
    for (let page = 0; page < 512; page++) write64(machine, 0x3_2000 + 8 * page, BigInt(page * 4096) | P | W | U);
    write64(machine, 0x3_2000 + 8 * (DATA >> 12), BigInt(OTHER) | P | W | U);
    exit = runCode(machine, code(LOAD, SAVE, change(pde, 0x3_2000n | P | W), invalidate, LOAD));
    expect(exit).toMatchObject({ reason: "halt" });
    expect(loaded()).toEqual({ rdx: 1n, rcx: 2n });
  });

  it("a table that serves at two places is seen at both", () => {
    // The same page table at 0 and at 4 MiB.
    write64(machine, PD + 16, BigInt(PT) | P | W | U);
    const load = code("8b 0c 25", le(0x40_0000 + DATA, 4));
    const exit = runCode(
      machine,
      code(LOAD, load, SAVE, store64(ENTRY, BigInt(OTHER) | P | W), "0f 20 d8 0f 22 d8", LOAD, "89 cb", load),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(machine.getState()).toMatchObject({ rdx: 1n, rbx: 2n, rcx: 2n });
  });

  it("a page table that is executed: accessed bits are code, too", () => {
    // PT entry 510 maps the page table itself; its entry 511 holds instructions when read as code.
    const window = 510 * 4096;
    write64(machine, PT + 8 * 510, BigInt(PT) | P | W | U);
    // Entry 400 as code: e9 <- present, W, U... 0xa7 = movsd; accessed and dirty make 0xe7. Use the byte of entry 400: 07 .. and 27.
    // mov eax, imm32 whose immediate lies over entry 400 and changes when the processor sets the accessed bit there.
    const target = 400 * 4096;
    write64(machine, PT + 8 * 399, le64(code("90 90 90 90 90 90 90 b8")));
    write64(machine, PT + 8 * 400, BigInt(target) | P | W | U); // 07 00 19 00 | 00 00 00 00: immediate, then add [rax], al
    write64(machine, PT + 8 * 401, le64(code("c3 90 90 90 90 90 90 90")));
    // add byte [rax], al twice: rax = immediate must be an address that can be written: 0x19_0007.
    flush(machine);
    const call = code("be", le(window + 8 * 399 + 7, 4), "ff d6");
    const exit = runCode(machine, code(call, "89 c3 8b 0c 25", le(target, 4), call));
    expect(exit).toMatchObject({ reason: "halt" });
    const { rbx, rax } = machine.getState();
    // The first call touches target + 7 itself: reading it as data sets A and D after the immediate was decoded.
    expect(rbx).toBe(BigInt(target) | P | W | U);
    expect(rax).toBe(BigInt(target) | P | W | U | A | D);
  });

  it("long mode without NX, with 2 MiB code", () => {
    write64(machine, PD + 8, 0x20_0000n | P | W | PS);
    machine.write(0x20_1000, code("b8 07 00 00 00 f4"));
    machine.setState({ efer: EFER_LONG, rip: 0x20_1000n });
    expect(machine.run()).toMatchObject({ reason: "halt" });
    expect(machine.getState().rax).toBe(7n);
    expect(CODE).toBe(0x1000);
  });
});

function le64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer).getBigUint64(0, true);
}
