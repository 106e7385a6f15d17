import { beforeEach, describe, expect, it } from "vitest";
import { staleTranslation } from "../fuzz/support.ts";
import {
  code,
  CR4_PAE,
  CR4_SMAP,
  ENGINES,
  flush,
  type Inspected,
  le,
  longMachine,
  P,
  runCode,
  W,
  write64,
} from "./support.ts";

// The bank of supervisor accesses that address spaces with the same upper half share. Nothing in it may be stale, whoever uses it.

/** number of the entry of the PML4 that the upper half of these tests lies behind, and a linear address there */
const UPPER = 256;
const HIGH = 0xffff_8000_0000_0000n;
/** tables of the upper half, and the pages that they may map */
const HIGH_PDPT = 0x3_0000;
const HIGH_PD = 0x3_1000;
const HIGH_PT = 0x3_2000;
const PAGE_ONE = 0x60_0000;
const PAGE_TWO = 0x60_1000;
const LOW = 0x10_0000;
const ROOTS = 0xa_0000;
const SPACES = 4;

/** mov rax, at; mov ecx, [rax] */
const load = (at: bigint): Uint8Array => code("48 b8", le(at, 8), "8b 08");
/** mov rbx, at; add dword [rbx], 0: fills the table of writes */
const touch = (at: bigint): Uint8Array => code("48 bb", le(at, 8), "83 03 00");
const loadCr3 = (root: number): Uint8Array => code("b8", le(root, 4), "0f 22 d8");
const store64 = (at: number, value: bigint): Uint8Array => code("48 b8", le(value, 8), "48 89 04 25", le(at, 4));
const invlpg = (at: bigint): Uint8Array => code("48 b8", le(at, 8), "0f 01 38");
/** mov edx, ecx */
const SAVE = code("89 ca");

const rootOf = (space: number): number => ROOTS + space * 0x4000;

describe.each(ENGINES)("the shared bank: %s", (engine) => {
  let machine: Inspected;

  /** An address space with a lower half of its own, in which LOW holds 100 + its number; nothing is for users. */
  const makeSpace = (space: number): void => {
    const root = rootOf(space);
    write64(machine, root, BigInt(root + 0x1000) | P | W);
    write64(machine, root + 8 * UPPER, BigInt(HIGH_PDPT) | P | W);
    write64(machine, root + 0x1000, BigInt(root + 0x2000) | P | W);
    write64(machine, root + 0x2000, BigInt(root + 0x3000) | P | W);
    for (let page = 0; page < 512; page++) write64(machine, root + 0x3000 + 8 * page, BigInt(page * 4096) | P | W);
    write64(machine, root + 0x3000 + 8 * (LOW >> 12), BigInt(0x50_0000 + space * 0x1000) | P | W);
    machine.write(0x50_0000 + space * 0x1000, le(100 + space, 4));
  };

  const run = (...parts: readonly Uint8Array[]): { rcx: bigint; rdx: bigint } => {
    expect(runCode(machine, code(...parts))).toMatchObject({ reason: "halt" });
    expect(staleTranslation(machine)).toBeUndefined();
    const { rcx, rdx } = machine.getState();
    return { rcx, rdx };
  };
  const readMisses = (): bigint => machine.processor.cpu.state.u64("slowAccesses", 0);

  beforeEach(async () => {
    machine = await longMachine(engine);
    write64(machine, HIGH_PDPT, BigInt(HIGH_PD) | P | W);
    write64(machine, HIGH_PD, BigInt(HIGH_PT) | P | W);
    for (let page = 0; page < 16; page++) write64(machine, HIGH_PT + 8 * page, BigInt(PAGE_ONE) | P | W);
    machine.write(PAGE_ONE, le(1, 4));
    machine.write(PAGE_TWO, le(2, 4));
    for (let space = 0; space < SPACES; space++) makeSpace(space);
    machine.setState({ cr4: CR4_PAE | CR4_SMAP, cr3: BigInt(rootOf(0)) });
  });

  it("what one address space found, another need not look for", () => {
    run(load(HIGH));
    const shared = machine.processor.shadow.stats.shared;
    const before = readMisses();
    expect(run(loadCr3(rootOf(1)), load(HIGH))).toMatchObject({ rcx: 1n });
    expect(machine.processor.shadow.stats.shared).toBe(shared + 1);
    expect(readMisses()).toBe(before);
  });

  it("is not used without SMAP, where supervisors reach the lower half", () => {
    machine.setState({ cr4: CR4_PAE });
    const { shared } = machine.processor.shadow.stats;
    expect(run(load(HIGH), SAVE, loadCr3(rootOf(1)), load(HIGH))).toMatchObject({ rdx: 1n, rcx: 1n });
    expect(machine.processor.shadow.stats.shared).toBe(shared);
  });

  it("holds nothing of the lower half", () => {
    const visits = Array.from({ length: SPACES }, (_, space) => code(loadCr3(rootOf(space)), load(BigInt(LOW))));
    expect(run(visits[0] ?? code(), SAVE, ...visits)).toEqual({ rdx: 100n, rcx: BigInt(99 + SPACES) });
  });

  it("a changed entry of a table below reaches every address space", () => {
    const change = store64(HIGH_PT, BigInt(PAGE_TWO) | P | W);
    run(load(HIGH), touch(HIGH), loadCr3(rootOf(1)), load(HIGH), change, invlpg(HIGH));
    expect(run(load(HIGH), SAVE, loadCr3(rootOf(0)), load(HIGH))).toEqual({ rdx: 2n, rcx: 2n });
  });

  it.each(["the current one", "another one"])("a changed upper half of %s", (which) => {
    // A second chain of tables, behind which HIGH is another page.
    write64(machine, 0x4_0000, 0x4_1000n | P | W);
    write64(machine, 0x4_1000, 0x4_2000n | P | W);
    write64(machine, 0x4_2000, BigInt(PAGE_TWO) | P | W);
    flush(machine);
    const change = store64(rootOf(1) + 8 * UPPER, 0x4_0000n | P | W);
    const [first, second] =
      which === "the current one"
        ? [code(loadCr3(rootOf(1)), load(HIGH), change, invlpg(HIGH)), code()]
        : [code(loadCr3(rootOf(1)), load(HIGH), loadCr3(rootOf(0)), change), loadCr3(rootOf(1))];
    expect(run(load(HIGH), first, second, load(HIGH), SAVE, loadCr3(rootOf(0)), load(HIGH))).toEqual({
      rdx: 2n,
      rcx: 1n,
    });
    expect(run(loadCr3(rootOf(1)), load(HIGH), SAVE, loadCr3(rootOf(2)), load(HIGH))).toEqual({ rdx: 2n, rcx: 1n });
  });

  it("a root that is freed takes nothing of it along", () => {
    run(load(HIGH), loadCr3(rootOf(1)), load(HIGH), loadCr3(rootOf(0)));
    const before = readMisses();
    // As a kernel clears the page: every entry, the lower half first.
    run(store64(rootOf(1), 0n), store64(rootOf(1) + 8 * UPPER, 0n), load(HIGH));
    expect(readMisses()).toBe(before);
  });

  it("stays true through random changes of tables and switches", () => {
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 0x1_0000_0000) * below);
    };
    const pick = (): bigint => HIGH + BigInt(random(16) * 4096);
    // Two chains: PDPTs, PDs and page tables are swapped between them.
    for (const [at, value] of [
      [0x4_0000, 0x4_1000],
      [0x4_1000, 0x4_2000],
    ] as const)
      write64(machine, at, BigInt(value) | P | W);
    for (let page = 0; page < 16; page++) write64(machine, 0x4_2000 + 8 * page, BigInt(PAGE_TWO) | P | W);
    flush(machine);
    const changes = [
      () => store64(rootOf(random(SPACES)) + 8 * UPPER, [0n, 0x3_0001n | W, 0x4_0001n | W][random(3)] ?? 0n),
      () => store64([0x3_0000, 0x4_0000][random(2)] ?? 0, [0n, 0x3_1001n | W, 0x4_1001n | W][random(3)] ?? 0n),
      () => store64([0x3_1000, 0x4_1000][random(2)] ?? 0, [0n, 0x3_2001n | W, 0x4_2001n | W][random(3)] ?? 0n),
      () =>
        store64(([0x3_2000, 0x4_2000][random(2)] ?? 0) + 8 * random(16), BigInt(PAGE_ONE + random(2) * 4096) | P | W),
    ];
    for (let round = 0; round < 400; round++) {
      const at = pick();
      const parts = [
        () => loadCr3(rootOf(random(SPACES))),
        () => load(at),
        () => touch(at),
        () => load(BigInt(LOW)),
        () => changes[random(changes.length)]?.() ?? code(),
      ];
      runCode(machine, code(parts[random(parts.length)]?.() ?? code()));
      expect(staleTranslation(machine), `round ${round}`).toBeUndefined();
    }
    expect(machine.processor.shadow.stats.shared).toBeGreaterThan(20);
  });
});
