import { describe, expect, it } from "vitest";
import {
  A,
  CODE,
  code,
  CR0_PAGING,
  CR0_WP,
  CR4_PAE,
  CR4_SMAP,
  CR4_SMEP,
  D,
  EFER_LONG,
  EFER_LONG_NX,
  ENGINES,
  Error,
  flush,
  le,
  longMachine,
  NX,
  P,
  pageFault,
  PD,
  PDPT,
  PML4,
  PS,
  PT,
  read64,
  RFLAGS_AC,
  runCode,
  U,
  W,
  write64,
} from "./support.ts";

// SDM Vol. 3A, 4.5 (4-level paging), 4.6 (access rights), 4.7 (page-fault exceptions), 4.8 (accessed and dirty flags).

const DATA = 0x10_0000;
const ENTRY = PT + 8 * (DATA >> 12);
const LOAD = code("8b 0c 25", le(DATA, 4)); // mov ecx, [DATA]
const STORE = code("89 0c 25", le(DATA, 4)); // mov [DATA], ecx
const ADD = code("83 04 25", le(DATA, 4), "01"); // add dword [DATA], 1
const CALL = code("b8", le(DATA, 4), "ff e0"); // jmp rax with rax = DATA

type Access = "read" | "write" | "modify" | "fetch";
const PROGRAMS: Record<Access, Uint8Array> = { read: LOAD, write: STORE, modify: ADD, fetch: CALL };

interface Case {
  readonly access: Access;
  readonly cpl: 0 | 3;
  /** rights of the page-table entry */
  readonly entry: bigint;
  /** error code of the #PF, or undefined when the access is allowed */
  readonly fault: number | undefined;
  readonly cr0?: bigint;
  readonly cr4?: bigint;
  readonly rflags?: bigint;
  readonly efer?: bigint;
}

const ACCESSES: readonly Access[] = ["read", "write", "modify", "fetch"];
const isWrite = (access: Access): boolean => access === "write" || access === "modify";

/** What the manual says about every combination; written from 4.6.1, not from the code. */
function* allCases(): Generator<Case> {
  for (const access of ACCESSES) {
    for (const cpl of [0, 3] as const) {
      for (const present of [0n, P]) {
        for (const rights of [0n, W, U, W | U, NX, NX | W | U]) {
          for (const wp of [0n, CR0_WP]) {
            for (const guard of [0n, CR4_SMEP, CR4_SMAP, CR4_SMEP | CR4_SMAP]) {
              for (const rflags of [2n, 2n | RFLAGS_AC]) {
                for (const efer of [EFER_LONG, EFER_LONG_NX]) {
                  // With a reserved bit set (NX without EFER.NXE) every access faults.
                  const entry = present | rights;
                  const user = cpl === 3;
                  const reserved = present !== 0n && (entry & NX) !== 0n && efer === EFER_LONG;
                  // Code runs in a supervisor page at CPL 0, so that SMEP does not stop it.
                  const base =
                    (isWrite(access) ? Error.W : 0) |
                    (user ? Error.U : 0) |
                    (access === "fetch" && (efer === EFER_LONG_NX || guard & CR4_SMEP) ? Error.I : 0);
                  let fault: number | undefined;
                  if (present === 0n) fault = base;
                  else if (reserved) fault = base | Error.P | Error.RSVD;
                  else if (denied(access, user, entry, wp, guard, rflags)) fault = base | Error.P;
                  yield { access, cpl, entry, fault, cr0: CR0_PAGING | wp, cr4: CR4_PAE | guard, rflags, efer };
                }
              }
            }
          }
        }
      }
    }
  }
}

function denied(access: Access, user: boolean, entry: bigint, wp: bigint, guard: bigint, rflags: bigint): boolean {
  const userPage = (entry & U) !== 0n;
  if (access === "fetch") {
    if (entry & NX) return true;
    return user ? !userPage : userPage && (guard & CR4_SMEP) !== 0n;
  }
  if (user) return !userPage || (isWrite(access) && !(entry & W));
  if (isWrite(access) && !(entry & W) && wp) return true;
  return userPage && (guard & CR4_SMAP) !== 0n && !(rflags & RFLAGS_AC);
}

describe.each(ENGINES)("4-level paging: %s", (engine) => {
  it("allows and refuses every combination of access, privilege, rights, WP, SMEP, SMAP, AC and NX, and marks entries", async () => {
    const machine = await longMachine(engine);
    const codeEntry = PT + 8 * (CODE >> 12);
    machine.write(DATA, code("f4"));
    let index = 0;
    for (const { access, cpl, entry, fault, cr0 = 0n, cr4 = 0n, rflags = 2n, efer = 0n } of allCases()) {
      // Code where both privileges may run it.
      write64(machine, codeEntry, BigInt(CODE) | P | W | (cpl === 3 ? U : 0n));
      write64(machine, ENTRY, BigInt(DATA) | entry);
      const exit = runCode(machine, PROGRAMS[access], {
        cpl,
        state: { cr0, cr4, efer, rflags, cr3: BigInt(PML4), rcx: 0n },
      });
      const name = `case ${index++}: ${access} at CPL ${cpl}, entry 0x${entry.toString(16)}, CR0 0x${cr0.toString(16)}, CR4 0x${cr4.toString(16)}, RFLAGS 0x${rflags.toString(16)}, EFER 0x${efer.toString(16)}`;
      if (fault !== undefined) {
        expect(exit, name).toMatchObject(pageFault(fault, BigInt(DATA)));
        expect(read64(machine, ENTRY), name).toBe(BigInt(DATA) | entry);
      } else {
        // At CPL 3 HLT is a general protection fault.
        expect(exit, name).toMatchObject(cpl === 0 ? { reason: "halt" } : { reason: "exception", vector: 13 });
        expect(read64(machine, ENTRY), name).toBe(BigInt(DATA) | entry | A | (isWrite(access) ? D : 0n));
      }
      machine.write(DATA, code("f4 00 00 00"));
    }
    expect(index).toBe(4 * 2 * 2 * 6 * 2 * 4 * 2 * 2);
  });

  it.each([
    ["PML4", PML4],
    ["PDPT", PDPT],
    ["PD", PD],
  ])("combines rights of all levels: %s", async (_name, table) => {
    const machine = await longMachine(engine);
    const linear = 0x8000_0000_00n; // PML4 entry 1
    const chain = [0x2_0000, 0x2_1000, 0x2_2000];
    const build = (level: number, rights: bigint): void => {
      const [pdpt = 0, pd = 0, pt = 0] = chain;
      write64(machine, PML4 + 8, BigInt(pdpt) | P | (level === 0 ? rights : W | U));
      write64(machine, pdpt, BigInt(pd) | P | (level === 1 ? rights : W | U));
      write64(machine, pd, BigInt(pt) | P | (level === 2 ? rights : W | U));
      write64(machine, pt, BigInt(DATA) | P | W | U);
      machine.setState({ cr3: BigInt(PML4), cr0: CR0_PAGING | CR0_WP, efer: EFER_LONG_NX });
    };
    const level = [PML4, PDPT, PD].indexOf(table);
    const load = code("48 b8", le(linear, 8), "8b 08");
    const store = code("48 b8", le(linear, 8), "89 08");
    const jump = code("48 b8", le(linear, 8), "ff e0");
    build(level, W);
    expect(runCode(machine, load, { cpl: 3 })).toMatchObject(pageFault(Error.P | Error.U, linear));
    expect(runCode(machine, load)).toMatchObject({ reason: "halt" });
    build(level, U);
    expect(runCode(machine, store)).toMatchObject(pageFault(Error.P | Error.W, linear));
    expect(runCode(machine, load, { cpl: 3 })).toMatchObject({ vector: 13 });
    build(level, W | U | NX);
    expect(runCode(machine, jump)).toMatchObject(pageFault(Error.P | Error.I, linear));
    expect(runCode(machine, load)).toMatchObject({ reason: "halt" });
    build(level, 0n);
    write64(machine, [PML4 + 8, chain[0] ?? 0, chain[1] ?? 0][level] ?? 0, 0n);
    flush(machine);
    expect(runCode(machine, load)).toMatchObject(pageFault(0, linear));
    machine.write(DATA, code("f4"));
    build(level, W | U);
    expect(runCode(machine, jump)).toMatchObject({ reason: "halt" });
  });

  it("sets accessed bits at every level and the dirty bit in the last, when and only when they are due", async () => {
    const machine = await longMachine(engine);
    const bits = (): bigint[] => [PML4, PDPT, PD, ENTRY].map((at) => read64(machine, at) & (A | D));
    expect(bits()).toEqual([0n, 0n, 0n, 0n]);
    runCode(machine, LOAD);
    expect(bits()).toEqual([A, A, A, A]);
    runCode(machine, STORE);
    expect(bits()).toEqual([A, A, A, A | D]);
    // Cleared by the guest (or from outside), they are set again even if the translation was known.
    write64(machine, ENTRY, BigInt(DATA) | P | W | U);
    runCode(machine, LOAD);
    expect(bits()).toEqual([A, A, A, A]);
    // Cleared by guest code: and dword [ENTRY], ~0x60.
    runCode(machine, code(STORE, "83 24 25", le(ENTRY, 4), "9f", LOAD));
    expect(bits()).toEqual([A, A, A, A]);
    runCode(machine, code("83 24 25", le(ENTRY, 4), "9f", STORE));
    expect(bits()).toEqual([A, A, A, A | D]);
  });

  describe("large pages", () => {
    it("maps 2 MiB and marks the directory entry", async () => {
      const machine = await longMachine(engine);
      const linear = 0x4020_0000n;
      write64(machine, PDPT + 8, 0x2_0000n | P | W | U);
      write64(machine, 0x2_0000 + 8, 0x20_0000n | P | W | U | PS);
      machine.write(0x20_0000 + 0x12_3458, le(0x1122_3344_5566_7788n, 8));
      const at = linear + 0x12_3458n;
      runCode(machine, code("48 b8", le(at, 8), "48 8b 08 48 ff 00"));
      expect(machine.getState().rcx).toBe(0x1122_3344_5566_7788n);
      expect(read64(machine, 0x20_0000 + 0x12_3458)).toBe(0x1122_3344_5566_7789n);
      expect(read64(machine, 0x2_0000 + 8)).toBe(0x20_0000n | P | W | U | PS | A | D);
    });

    it("maps 1 GiB", async () => {
      const machine = await longMachine(engine);
      write64(machine, PDPT + 8 * 3, P | W | U | PS);
      machine.write(0x45_6780, le(0x99aa_bbccn, 8));
      runCode(machine, code("48 b8", le(0xc045_6780n, 8), "48 8b 08"));
      expect(machine.getState().rcx).toBe(0x99aa_bbccn);
      expect(read64(machine, PDPT + 24)).toBe(P | W | U | PS | A);
    });

    it.each([
      ["PS in a PML4 entry", PML4, BigInt(PDPT) | PS],
      ["bit 13 of a 2 MiB page", PD, 0x2000n | PS],
      ["bit 20 of a 2 MiB page", PD, 0x10_0000n | PS],
      ["bit 13 of a 1 GiB page", PDPT, 0x2000n | PS],
      ["bit 29 of a 1 GiB page", PDPT, 0x2000_0000n | PS],
      ["address bit 40 in a PML4 entry", PML4, BigInt(PDPT) | (1n << 40n)],
      ["address bit 51 in a PDPT entry", PDPT, BigInt(PD) | (1n << 51n)],
      ["address bit 45 in a PD entry", PD, BigInt(PT) | (1n << 45n)],
      ["address bit 40 in a PT entry", PT + 8 * 8, 0x8000n | (1n << 40n)],
    ])("treats %s as reserved", async (_name, at, value) => {
      const machine = await longMachine(engine);
      // The code runs elsewhere: through PML4 entry 1, which shares only what is not under test.
      const high = 0x80_0000_0000n;
      write64(machine, PML4 + 8, 0x2_0000n | P | W | U);
      write64(machine, 0x2_0000, P | W | U | PS);
      machine.write(CODE, code("8b 0c 25", le(0x8000, 4), "f4"));
      write64(machine, at, value | P | W | U);
      flush(machine);
      machine.setState({ rip: high + BigInt(CODE) });
      expect(machine.run()).toMatchObject(pageFault(Error.P | Error.RSVD, 0x8000n));
      machine.write(CODE, code("89 0c 25", le(0x8000, 4), "f4"));
      expect(machine.run()).toMatchObject(pageFault(Error.P | Error.RSVD | Error.W, 0x8000n));
      machine.setState({ cpl: 3 });
      expect(machine.run()).toMatchObject(pageFault(Error.P | Error.RSVD | Error.W | Error.U, 0x8000n));
    });

    it("ignores the PAT bit and the bits that software may use", async () => {
      const machine = await longMachine(engine);
      const free = 0x7ff0_0000_0000_0e00n;
      write64(machine, PDPT + 8, 0x2_0000n | P | W | U | free);
      write64(machine, 0x2_0000, 0x20_1000n | P | W | U | PS | free);
      flush(machine);
      machine.write(0x20_0010, le(7, 8));
      expect(runCode(machine, code("48 b8", le(0x4000_0010n, 8), "48 8b 08"))).toMatchObject({ reason: "halt" });
      expect(machine.getState().rcx).toBe(7n);
    });
  });

  describe("addresses that are not canonical", () => {
    it.each<[name: string, bytes: string, vector: number, address?: bigint]>([
      ["a load", "48 8b 08", 13],
      ["a store", "48 89 08", 13],
      ["a load whose last byte is not", "48 8b 48 07", 13, 0x0000_7fff_ffff_fff5n],
      ["a load by rsp", "48 89 c4 48 8b 0c 24", 12],
      ["a load by rbp", "48 89 c5 48 8b 4d 00", 12],
      ["a load by rbp with DS override", "48 89 c5 3e 48 8b 4d 00", 12],
      ["a push", "48 89 c4 50", 12, 0x0000_8000_0000_0008n],
      ["a pop", "48 89 c4 58", 12],
      ["a jump", "ff e0", 13],
      ["a return", "50 c3", 13],
    ])("%s", async (_name, bytes, vector, address = 0x0000_8000_0000_0000n) => {
      const machine = await longMachine(engine);
      expect(runCode(machine, code("48 b8", le(address, 8), bytes))).toMatchObject({
        reason: "exception",
        vector,
        errorCode: 0,
      });
    });

    it("INVLPG does nothing", async () => {
      const machine = await longMachine(engine);
      expect(runCode(machine, code("48 b8", le(0x8000_0000_0000_0000n, 8), "0f 01 38"))).toMatchObject({
        reason: "halt",
      });
    });
  });

  describe("an access that crosses into another page", () => {
    const NEXT = DATA + 4096;
    const nextEntry = ENTRY + 8;

    it.each([
      ["a load", "48 8b 08", 0],
      ["a store", "48 89 08", Error.W],
      ["an add to memory", "48 83 00 01", Error.W],
      ["an exchange", "48 87 08", Error.W],
      ["a 16-byte load", "0f 10 00", 0],
      ["a 16-byte store", "0f 11 00", Error.W],
    ])("%s reports the first byte of a missing second page and changes nothing", async (_name, bytes, error) => {
      const machine = await longMachine(engine);
      machine.write(NEXT - 16, new Uint8Array(32).fill(0xee));
      write64(machine, nextEntry, 0n);
      flush(machine);
      const at = NEXT - 3;
      const exit = runCode(machine, code("b8", le(at, 4), bytes), { state: { rcx: 0n } });
      expect(exit).toMatchObject(pageFault(error, BigInt(NEXT)));
      expect(machine.read(NEXT - 16, 32)).toEqual(new Uint8Array(32).fill(0xee));
      // The first page was not accessed either.
      expect(read64(machine, ENTRY) & (A | D)).toBe(0n);
      // With the first page missing, too, that is what is reported.
      write64(machine, ENTRY, 0n);
      flush(machine);
      expect(runCode(machine, code("b8", le(at, 4), bytes))).toMatchObject(pageFault(error, BigInt(at)));
    });

    it("a store respects the rights of the second page", async () => {
      const machine = await longMachine(engine);
      write64(machine, nextEntry, BigInt(NEXT) | P | U);
      const at = NEXT - 1;
      const exit = runCode(machine, code("b8", le(at, 4), "66 89 08"), {
        cpl: 3,
        state: { cr3: BigInt(PML4), rcx: 0xffffn },
      });
      expect(exit).toMatchObject(pageFault(Error.P | Error.W | Error.U, BigInt(NEXT)));
      expect(machine.read(at, 1)).toEqual(Uint8Array.of(0));
    });

    it("joins pages that are far apart in memory", async () => {
      const machine = await longMachine(engine);
      write64(machine, nextEntry, 0x18_0000n | P | W | U);
      flush(machine);
      const exit = runCode(machine, code("b8", le(NEXT - 3, 4), "48 89 08 48 8b 10 48 83 00 01"), {
        state: { rcx: 0x1122_3344_5566_77ffn },
      });
      expect(exit.reason).toBe("halt");
      expect(machine.getState().rdx).toBe(0x1122_3344_5566_77ffn);
      expect(machine.read(NEXT - 3, 3)).toEqual(Uint8Array.of(0x00, 0x78, 0x66));
      expect(machine.read(0x18_0000, 5)).toEqual(Uint8Array.of(0x55, 0x44, 0x33, 0x22, 0x11));
      expect(read64(machine, nextEntry) & (A | D)).toBe(A | D);
    });

    it("wraps from the last byte of the address space to the first", async () => {
      const machine = await longMachine(engine);
      write64(machine, PML4 + 8 * 511, 0x2_0000n | P | W);
      write64(machine, 0x2_0000 + 8 * 511, 0x2_1000n | P | W);
      write64(machine, 0x2_1000 + 8 * 511, 0x2_2000n | P | W);
      write64(machine, 0x2_2000 + 8 * 511, 0x18_0000n | P | W);
      flush(machine);
      machine.write(0, Uint8Array.of(3, 4));
      machine.write(0x18_0ffe, Uint8Array.of(1, 2));
      expect(runCode(machine, code("48 c7 c0 fe ff ff ff 8b 08"))).toMatchObject({ reason: "halt" });
      expect(machine.getState().rcx).toBe(0x0403_0201n);
    });
  });

  it("a system access at CPL 3 is made as supervisor, and SMAP applies to it whatever AC says", async () => {
    const machine = await longMachine(engine);
    const gdt = 0x18_0000;
    const entry = PT + 8 * (gdt >> 12);
    write64(machine, gdt + 0x18, 0x00cf_f300_0000_ffffn);
    const load = code("66 b8 1b 00 8e d8"); // mov ds, 0x1b
    const state = { gdt: { base: BigInt(gdt), limit: 0xff }, cr3: BigInt(PML4), rflags: 2n | RFLAGS_AC };
    write64(machine, entry, BigInt(gdt) | P | W);
    expect(runCode(machine, load, { cpl: 3, state })).toMatchObject({ vector: 13 }); // the HLT behind it
    expect(machine.getState().ds.selector).toBe(0x1b);
    write64(machine, entry, BigInt(gdt) | P | W | U);
    const guarded = { ...state, cr4: CR4_PAE | CR4_SMAP };
    expect(runCode(machine, load, { cpl: 3, state: guarded })).toMatchObject(pageFault(Error.P, BigInt(gdt + 0x18)));
  });
});
