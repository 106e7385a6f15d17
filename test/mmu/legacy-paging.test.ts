import { describe, expect, it } from "vitest";
import {
  A,
  CODE,
  code,
  CR0_PAGING,
  CR0_PROTECTED,
  CR0_WP,
  CR4_PAE,
  CR4_PSE,
  D,
  ENGINES,
  Error,
  flush,
  type Inspected,
  le,
  NX,
  openMachine,
  P,
  pageFault,
  PS,
  read64,
  runCode,
  STACK_TOP,
  U,
  W,
  write32,
  write64,
} from "./support.ts";

// 32-bit paging (SDM Vol. 3A, 4.3) and PAE paging (4.4), from 32-bit protected mode.

type Engine = (typeof ENGINES)[number];
const DIRECTORY = 0x1_0000;
const TABLE = 0x1_1000;
const DATA = 0x10_0000;
const LOAD = code("8b 0d", le(DATA, 4)); // mov ecx, [DATA]
const STORE = code("89 0d", le(DATA, 4));
const NXE = 0x800n;

/** 32-bit paging: the first 4 MiB one to one in 4 KiB pages. */
async function machine32(engine: Engine): Promise<Inspected> {
  const machine = await openMachine({ memoryBytes: 0x100_0000, mode: "protected", engine });
  write32(machine, DIRECTORY, TABLE | 7);
  for (let page = 0; page < 1024; page++) write32(machine, TABLE + 4 * page, (page << 12) | 7);
  machine.setState({ cr3: BigInt(DIRECTORY), cr4: CR4_PSE, cr0: CR0_PAGING });
  return machine;
}

const POINTERS = 0x2_0020;
const PAE_DIRECTORY = 0x2_1000;
const PAE_TABLE = 0x2_2000;

/** PAE paging: the first 2 MiB one to one in 4 KiB pages. */
async function machinePae(engine: Engine): Promise<Inspected> {
  const machine = await openMachine({ memoryBytes: 0x100_0000, mode: "protected", engine });
  write64(machine, POINTERS, BigInt(PAE_DIRECTORY) | P);
  write64(machine, PAE_DIRECTORY, BigInt(PAE_TABLE) | P | W | U);
  for (let page = 0; page < 512; page++) write64(machine, PAE_TABLE + 8 * page, BigInt(page * 4096) | P | W | U);
  machine.setState({ cr3: BigInt(POINTERS), cr4: CR4_PAE, efer: NXE, cr0: CR0_PAGING });
  return machine;
}

function read32(machine: Inspected, gpa: number): number {
  return Number(read64(machine, gpa) & 0xffff_ffffn);
}

describe.each(ENGINES)("32-bit paging: %s", (engine) => {
  const ENTRY = TABLE + 4 * (DATA >> 12);

  it("checks rights at both levels and marks entries", async () => {
    const machine = await machine32(engine);
    const at = (rights: number, directory = 7): void => {
      write32(machine, ENTRY, DATA | rights);
      write32(machine, DIRECTORY, TABLE | directory);
      flush(machine);
    };
    at(0);
    expect(runCode(machine, LOAD)).toMatchObject(pageFault(0, BigInt(DATA)));
    expect(read32(machine, ENTRY)).toBe(DATA);
    expect(runCode(machine, STORE, { cpl: 3 })).toMatchObject(pageFault(Error.W | Error.U, BigInt(DATA)));
    at(1);
    expect(runCode(machine, LOAD, { cpl: 3 })).toMatchObject(pageFault(Error.P | Error.U, BigInt(DATA)));
    expect(runCode(machine, STORE)).toMatchObject({ reason: "halt" });
    expect(read32(machine, ENTRY)).toBe(DATA | 1 | Number(A | D));
    at(5);
    expect(runCode(machine, STORE, { state: { cr0: CR0_PAGING | CR0_WP } })).toMatchObject(
      pageFault(Error.P | Error.W, BigInt(DATA)),
    );
    expect(read32(machine, ENTRY)).toBe(DATA | 5);
    at(7, 5);
    expect(runCode(machine, STORE, { cpl: 3 })).toMatchObject(pageFault(Error.P | Error.W | Error.U, BigInt(DATA)));
    expect(runCode(machine, LOAD, { cpl: 3 })).toMatchObject({ vector: 13 });
    expect(read32(machine, DIRECTORY)).toBe(TABLE | 5 | Number(A));
    // Without NX no fetch is reported as one.
    at(0);
    expect(runCode(machine, code("b8", le(DATA, 4), "ff e0"))).toMatchObject(pageFault(0, BigInt(DATA)));
  });

  it("maps 4 MiB pages with CR4.PSE, and ignores PS without", async () => {
    const machine = await machine32(engine);
    write32(machine, DIRECTORY + 4 * 0x300, 0x40_0000 | 7 | Number(PS));
    machine.write(0x52_3458, le(0x1122_3344, 4));
    const linear = 0xc012_3458;
    const load = code("8b 0d", le(linear, 4));
    flush(machine);
    expect(runCode(machine, load)).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(0x1122_3344n);
    expect(read32(machine, DIRECTORY + 4 * 0x300)).toBe(0x40_0000 | 7 | Number(PS | A));
    runCode(machine, code("89 0d", le(linear + 4, 4)));
    expect(read32(machine, DIRECTORY + 4 * 0x300)).toBe(0x40_0000 | 7 | Number(PS | A | D));
    // Without PSE the entry points to a table at 4 MiB, which is empty.
    expect(runCode(machine, load, { state: { cr4: 0n } })).toMatchObject(pageFault(0, BigInt(linear)));
    write32(machine, 0x40_0000 + 4 * 0x123, 0x52_4000 | 3);
    machine.write(0x52_4458, le(5, 4));
    flush(machine);
    expect(runCode(machine, load)).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(5n);
  });

  it("takes address bits 32 to 39 of a 4 MiB page from bits 13 to 20, and refuses bit 21", async () => {
    const machine = await machine32(engine);
    const entry = DIRECTORY + 4 * 0x300;
    write32(machine, entry, 0x2000 | 3 | Number(PS));
    flush(machine);
    // 4 GiB: no memory there, reads float high. Were the bits ignored, it would be address 0x2000 or 0.
    expect(runCode(machine, code("8b 0d", le(0xc000_2000, 4)))).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(0xffff_ffffn);
    write32(machine, entry, 0x20_0000 | 3 | Number(PS));
    flush(machine);
    expect(runCode(machine, code("8b 0d", le(0xc000_2000, 4)))).toMatchObject(
      pageFault(Error.P | Error.RSVD, 0xc000_2000n),
    );
  });

  it("INVLPG of any part of a 4 MiB page drops all of it", async () => {
    const machine = await machine32(engine);
    const entry = DIRECTORY + 4 * 0x300;
    write32(machine, entry, 0x40_0000 | 3 | Number(PS));
    flush(machine);
    machine.write(0x7f_f000, le(1, 4));
    machine.write(0xbf_f000, le(2, 4));
    const load = code("8b 0d", le(0xc03f_f000, 4));
    // Load from the last page, remap, INVLPG the first page, load again.
    const exit = runCode(
      machine,
      code(load, "89 ca c7 05", le(entry, 4), le(0x80_0000 | 3 | Number(PS), 4), "0f 01 3d", le(0xc000_0000, 4), load),
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(machine.getState()).toMatchObject({ rdx: 1n, rcx: 2n });
  });

  it("a load of CR3 makes changed entries count, in tables that are not traced", async () => {
    const machine = await machine32(engine);
    machine.write(DATA, le(1, 4));
    machine.write(0x20_0000, le(2, 4));
    const exit = runCode(machine, code(LOAD, "89 ca c7 05", le(ENTRY, 4), le(0x20_0003, 4), "0f 20 d8 0f 22 d8", LOAD));
    expect(exit).toMatchObject({ reason: "halt" });
    expect(machine.getState()).toMatchObject({ rdx: 1n, rcx: 2n });
  });

  it("wraps at 4 GiB", async () => {
    const machine = await machine32(engine);
    write32(machine, DIRECTORY + 4 * 1023, 0x1_2000 | 7);
    write32(machine, 0x1_2000 + 4 * 1023, 0x20_0007);
    flush(machine);
    machine.write(0, le(0x4433, 2));
    machine.write(0x20_0ffe, le(0x2211, 2));
    // FS begins at 0x1000, so that its limit is not what stops the access.
    machine.setState({ fs: { ...machine.getState().fs, base: 0x1000n } });
    expect(runCode(machine, code("64 8b 0d fe ef ff ff"))).toMatchObject({ reason: "halt" });
    expect(machine.getState().rcx).toBe(0x4433_2211n);
    runCode(machine, code("64 c7 05 fe ef ff ff 78 56 34 12"));
    expect(machine.read(0, 2)).toEqual(Uint8Array.of(0x34, 0x12));
    write32(machine, TABLE, 0);
    flush(machine);
    expect(runCode(machine, code("64 c7 05 fe ef ff ff 00 00 00 00"))).toMatchObject(pageFault(Error.W, 0n));
    expect(machine.read(0x20_0ffe, 2)).toEqual(Uint8Array.of(0x78, 0x56));
  });
});

describe.each(ENGINES)("PAE paging: %s", (engine) => {
  const ENTRY = PAE_TABLE + 8 * (DATA >> 12);

  it("checks presence, rights and NX", async () => {
    const machine = await machinePae(engine);
    const at = (rights: bigint): void => {
      write64(machine, ENTRY, BigInt(DATA) | rights);
      flush(machine);
    };
    const jump = code("b8", le(DATA, 4), "ff e0");
    at(0n);
    expect(runCode(machine, STORE)).toMatchObject(pageFault(Error.W, BigInt(DATA)));
    at(P | U);
    expect(runCode(machine, STORE, { cpl: 3 })).toMatchObject(pageFault(Error.P | Error.W | Error.U, BigInt(DATA)));
    at(P | W | U | NX);
    expect(runCode(machine, jump)).toMatchObject(pageFault(Error.P | Error.I, BigInt(DATA)));
    expect(runCode(machine, jump, { cpl: 3 })).toMatchObject(pageFault(Error.P | Error.I | Error.U, BigInt(DATA)));
    expect(runCode(machine, LOAD, { state: { efer: 0n } })).toMatchObject(
      pageFault(Error.P | Error.RSVD, BigInt(DATA)),
    );
    machine.setState({ efer: NXE });
    at(P | W | (1n << 40n));
    expect(runCode(machine, LOAD)).toMatchObject(pageFault(Error.P | Error.RSVD, BigInt(DATA)));
    write64(machine, POINTERS, BigInt(PAE_DIRECTORY));
    flush(machine);
    expect(runCode(machine, LOAD)).toMatchObject(pageFault(Error.I, BigInt(CODE)));
  });

  it("does not use W and U of page-directory-pointer entries, nor mark them", async () => {
    const machine = await machinePae(engine);
    expect(runCode(machine, STORE, { cpl: 3 })).toMatchObject({ vector: 13 });
    expect(read64(machine, POINTERS)).toBe(BigInt(PAE_DIRECTORY) | P);
    expect(read64(machine, PAE_DIRECTORY) & (A | D)).toBe(A);
    expect(read64(machine, ENTRY) & (A | D)).toBe(A | D);
  });

  it("maps 2 MiB pages above 4 GiB of table space and all four quarters", async () => {
    const machine = await machinePae(engine);
    for (let quarter = 1; quarter < 4; quarter++) {
      const directory = 0x3_0000 + quarter * 0x1000;
      write64(machine, POINTERS + 8 * quarter, BigInt(directory) | P);
      write64(machine, directory + 8 * 5, BigInt(0x20_0000 * (quarter + 1)) | P | W | PS);
      machine.write(0x20_0000 * (quarter + 1) + 0x12_3450, le(quarter * 0x1111, 4));
    }
    flush(machine);
    for (let quarter = 1; quarter < 4; quarter++) {
      const linear = quarter * 0x4000_0000 + 5 * 0x20_0000 + 0x12_3450;
      expect(runCode(machine, code("8b 0d", le(linear, 4)))).toMatchObject({ reason: "halt" });
      expect(machine.getState().rcx).toBe(BigInt(quarter * 0x1111));
    }
    write64(machine, 0x3_1000 + 40, 0x40_2000n | P | W | PS);
    flush(machine);
    expect(runCode(machine, code("8b 0d", le(0x40a0_0000, 4)))).toMatchObject(
      pageFault(Error.P | Error.RSVD, 0x40a0_0000n),
    );
  });

  it("joins two pages that are apart", async () => {
    const machine = await machinePae(engine);
    write64(machine, ENTRY + 8, 0x20_0000n | P | W);
    flush(machine);
    runCode(machine, code("c7 05", le(DATA + 4094, 4), "44 33 22 11 8b 0d", le(DATA + 4094, 4)));
    expect(machine.getState().rcx).toBe(0x1122_3344n);
    expect(machine.read(0x20_0000, 2)).toEqual(Uint8Array.of(0x22, 0x11));
  });
});

describe.each(ENGINES)("turning paging on and off: %s", (engine) => {
  it("changes what addresses mean at once", async () => {
    const machine = await machine32(engine);
    write32(machine, TABLE + 4 * (DATA >> 12), 0x20_0003);
    machine.write(DATA, le(1, 4));
    machine.write(0x20_0000, le(2, 4));
    machine.setState({ cr0: CR0_PROTECTED });
    // mov ecx,[DATA]; mov edx, ecx; mov eax, cr0; bts eax, 31; mov cr0, eax; mov ecx, [DATA]; mov ebx, ecx; btr eax, 31; ...
    const exit = runCode(
      machine,
      code(LOAD, "89 ca 0f 20 c0 0f ba e8 1f 0f 22 c0", LOAD, "89 cb 0f ba f0 1f 0f 22 c0", LOAD),
      { state: { cr0: CR0_PROTECTED, rsp: BigInt(STACK_TOP) } },
    );
    expect(exit).toMatchObject({ reason: "halt" });
    expect(machine.getState()).toMatchObject({ rdx: 1n, rbx: 2n, rcx: 1n });
  });
});
