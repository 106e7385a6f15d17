import { describe, expect, it } from "vitest";
import { placeTable } from "../../jit/translator/indirect.ts";
import { BranchTarget, MemoryMap } from "../../runtime/abi/memory-map.ts";
import { BranchSamples } from "../../runtime/code/branch-samples.ts";
import { CODE, code, flush, type Inspected, le, longMachine, P, PT, STACK_TOP, W, write64 } from "../mmu/support.ts";
import { Prng } from "../oracle/prng.ts";

// A loop that goes by a table to one of several pieces of code, as a switch, an interpreter or a virtual call does.

/** the pieces, one in every second page, so that a region holds some in pages of its own; and the table of their addresses */
const PIECES = 0x2000;
const TABLE = 0x4_0000;
/** rounds that make everything hot, and let enough samples be taken of where the branch leads */
const ROUNDS = 20_000;
const INSTRUCTIONS = 8;
const MULTIPLIER = 0x9e37_79b1;

type Kind = "jump" | "call";

/** Where piece number `index` of `count` begins: most in the page of the loop, every fourth in one further up. */
function pieceAt(index: number): number {
  return index % 4 === 3 ? PIECES + index * 0x40 : CODE + 0x100 + index * 0x20;
}

/** imul rbx, rbx, 3; add rbx, amount; and back: in as many bytes whatever comes behind. */
function piece(kind: Kind, at: number, amount: number, end: number): Uint8Array {
  const work = code("48 6b db 03 48 83 c3", le(amount, 1));
  return kind === "call" ? code(work, "c3") : code(work, "e9", le(end - (at + work.length + 5), 4));
}

/**
 * L: imul eax, ecx, MULTIPLIER; shr eax, 27; jmp or call [TABLE + rax * 8]; E: dec ecx; jne L; hlt. The table has 32 entries, which
 * lead to the pieces in turn; piece number i adds i + 1.
 */
async function tableMachine(kind: Kind, pieces: number, widenAfter = 2000): Promise<Inspected> {
  const machine = await longMachine("tiered", 0x80_0000, { hotAfter: 4, widenAfter, batch: 1 });
  const head = code("69 c1", le(MULTIPLIER, 4), "c1 e8 1b", kind === "call" ? "ff 14 c5" : "ff 24 c5", le(TABLE, 4));
  const end = CODE + head.length;
  machine.write(CODE, code(head, "ff c9 75", le(-(head.length + 4), 1), "f4"));
  for (let index = 0; index < pieces; index++) {
    const at = pieceAt(index);
    machine.write(at, piece(kind, at, index + 1, end));
  }
  fillTable(machine, pieces);
  return machine;
}

function fillTable(machine: Inspected, pieces: number): void {
  for (let entry = 0; entry < 32; entry++) write64(machine, TABLE + 8 * entry, BigInt(pieceAt(entry % pieces)));
}

const entryOf = (round: number): number => Math.imul(round, MULTIPLIER) >>> 27;

/** What the loop computes when table entry number `entry` leads to a piece that adds `amountOf(entry)`. */
function expected(rounds: number, amountOf: (entry: number) => number): bigint {
  let sum = 0n;
  for (let round = rounds; round > 0; round--) sum = BigInt.asUintN(64, sum * 3n + BigInt(amountOf(entryOf(round))));
  return sum;
}
const modulo =
  (pieces: number) =>
  (entry: number): number =>
    (entry % pieces) + 1;

function start(machine: Inspected, rounds: number): void {
  machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rbx: 0n, rcx: BigInt(rounds), rflags: 2n });
}

function run(machine: Inspected, rounds: number): bigint {
  start(machine, rounds);
  const { reason, instructions } = machine.run({ maxInstructions: 10_000_000 });
  expect(reason).toBe("halt");
  expect(instructions).toBe(INSTRUCTIONS * rounds + 1);
  return machine.getState().rbx;
}

const widened = (machine: Inspected): number => machine.processor.translation?.stats.widened ?? 0;

/** How many samples have been taken of branches that left regions. */
function samples(machine: Inspected): number {
  const view = new DataView(machine.memory.buffer);
  let sum = 0;
  for (let at: number = MemoryMap.BRANCH_TARGETS; at < MemoryMap.PAGE_FLAGS; at += BranchTarget.ENTRY_BYTES)
    sum += view.getUint32(at + BranchTarget.COUNT, true);
  return sum;
}

describe.each(["jump", "call"] as const)("regions with a %s to one of several places", (kind) => {
  it.each([2, 3, 4, 8, 16])("hold all of %d", async (pieces) => {
    const machine = await tableMachine(kind, pieces);
    for (let time = 0; time < 12; time++) expect(run(machine, ROUNDS)).toBe(expected(ROUNDS, modulo(pieces)));
    expect(widened(machine)).toBeGreaterThan(0);
    // The branch leads nowhere else any more: of 20,000 that left, some 600 would be seen.
    const before = samples(machine);
    expect(before).toBeGreaterThan(10);
    expect(run(machine, ROUNDS)).toBe(expected(ROUNDS, modulo(pieces)));
    expect(samples(machine) - before).toBeLessThan(10);
  });

  it("go to those that they do not hold, too", async () => {
    const machine = await tableMachine(kind, 32);
    for (let time = 0; time < 4; time++) expect(run(machine, ROUNDS)).toBe(expected(ROUNDS, modulo(32)));
    expect(widened(machine)).toBeGreaterThan(0);
  });

  it("see the table change", async () => {
    const machine = await tableMachine(kind, 8);
    run(machine, ROUNDS);
    run(machine, ROUNDS);
    // Others of the known places; then one that no region has seen.
    for (let entry = 0; entry < 32; entry++) write64(machine, TABLE + 8 * entry, BigInt(pieceAt((entry + 3) % 8)));
    expect(run(machine, 1000)).toBe(expected(1000, (entry) => ((entry + 3) % 8) + 1));
    const at = 0x1_8000;
    machine.write(at, piece(kind, at, 77, CODE + 16));
    write64(machine, TABLE + 8 * 5, BigInt(at));
    expect(run(machine, 1000)).toBe(expected(1000, (entry) => (entry === 5 ? 77 : ((entry + 3) % 8) + 1)));
  });

  it("see the guest change the table while they run", async () => {
    const machine = await tableMachine(kind, 8);
    run(machine, ROUNDS);
    run(machine, ROUNDS);
    // Piece 2 exchanges entries 0 and 1: mov rax, [TABLE]; xchg rax, [TABLE + 8]; mov [TABLE], rax; then what it did before, but for imul
    const at = pieceAt(2);
    const exchange = code("48 8b 04 25", le(TABLE, 4), "48 87 04 25", le(TABLE + 8, 4), "48 89 04 25", le(TABLE, 4));
    const far = 0x1_8000;
    machine.write(far, code(exchange, piece(kind, far + exchange.length, 3, CODE + 16)));
    machine.write(at, code("e9", le(far - (at + 5), 4)));
    let [isExchanged, sum, extra] = [false, 0n, 0];
    for (let round = 1000; round > 0; round--) {
      const entry = entryOf(round);
      const index = isExchanged && entry < 2 ? 1 - entry : entry % 8;
      if (index === 2) {
        isExchanged = !isExchanged;
        extra += 4;
      }
      sum = BigInt.asUintN(64, sum * 3n + BigInt(index + 1));
    }
    start(machine, 1000);
    expect(machine.run({ maxInstructions: 10_000_000 })).toEqual({
      reason: "halt",
      instructions: INSTRUCTIONS * 1000 + 1 + extra,
    });
    expect(machine.getState().rbx).toBe(sum);
  });

  it("see a piece rewritten", async () => {
    const machine = await tableMachine(kind, 8);
    run(machine, ROUNDS);
    for (const index of [1, 3]) machine.write(pieceAt(index), piece(kind, pieceAt(index), 100 + index, CODE + 16));
    const amount = (entry: number): number => (entry % 8 === 1 || entry % 8 === 3 ? 100 : 1) + (entry % 8);
    expect(run(machine, 1000)).toBe(expected(1000, amount));
  });

  it("fault in the page of a piece that is gone", async () => {
    const machine = await tableMachine(kind, 8);
    run(machine, ROUNDS);
    run(machine, ROUNDS);
    const page = PT + 8 * (pieceAt(7) >> 12);
    write64(machine, page, 0n);
    flush(machine);
    start(machine, 1000);
    let rounds = 0;
    while (entryOf(1000 - rounds) % 4 !== 3) rounds++;
    const at = BigInt(pieceAt(entryOf(1000 - rounds) % 8));
    expect(machine.run({ maxInstructions: 10_000 })).toMatchObject({
      reason: "exception",
      vector: 14,
      cr2: at,
      instructions: INSTRUCTIONS * rounds + 3,
    });
    expect(machine.getState().rip).toBe(at);
    write64(machine, page, BigInt(pieceAt(7) & ~0xfff) | P | W);
    flush(machine);
    expect(run(machine, 1000)).toBe(expected(1000, modulo(8)));
  });

  it("stop after any number of instructions", async () => {
    const machine = await tableMachine(kind, 8);
    const reference = await longMachine("interpreter");
    reference.write(CODE, machine.read(CODE, 0x1000));
    reference.write(PIECES, machine.read(PIECES, 0x1000));
    reference.write(TABLE, machine.read(TABLE, 0x100));
    run(machine, ROUNDS);
    run(machine, ROUNDS);
    start(machine, 5000);
    start(reference, 5000);
    for (let limit = 1; limit < 200; limit++) {
      expect(machine.run({ maxInstructions: limit })).toEqual(reference.run({ maxInstructions: limit }));
      const [got, want] = [machine.getState(), reference.getState()];
      expect([got.rip, got.rax, got.rbx, got.rcx, got.rsp, got.rflags]).toEqual([
        want.rip,
        want.rax,
        want.rbx,
        want.rcx,
        want.rsp,
        want.rflags,
      ]);
    }
  });

  it("take in what turns up later, but not for ever", async () => {
    const machine = await tableMachine(kind, 2, 200);
    run(machine, ROUNDS);
    const counts: number[] = [];
    for (let pieces = 2; pieces <= 16; pieces += 2) {
      for (let index = 2; index < pieces; index++)
        machine.write(pieceAt(index), piece(kind, pieceAt(index), index + 1, CODE + 16));
      fillTable(machine, pieces);
      for (let time = 0; time < 2; time++) expect(run(machine, ROUNDS)).toBe(expected(ROUNDS, modulo(pieces)));
      counts.push(widened(machine));
    }
    expect(counts[3]).toBeGreaterThan(counts[0] ?? 0);
    // Each of the regions grows three times at most, and the last rounds bring nothing new.
    const before = widened(machine);
    for (let time = 0; time < 5; time++) run(machine, ROUNDS);
    expect(widened(machine)).toBeLessThan(before + 5);
  });
});

describe("a table of places", () => {
  it("gives each a slot of its own", () => {
    for (let count = 4; count <= 32; count++) {
      const prng = new Prng(count);
      const places = [...new Set(Array.from({ length: count }, () => (prng.u32() | 0) >> prng.below(16)))];
      const table = placeTable(places);
      if (!table) throw new Error(`no table for ${places.join()}`);
      const slots = places.map((place) => Math.imul(place, table.multiplier) >>> table.shift);
      expect(slots.map((slot) => table.slots[slot])).toEqual(places.map((_, index) => index));
      expect(table.slots.length).toBeLessThanOrEqual(128);
      expect([...table.slots].filter((index) => index >= 0)).toHaveLength(places.length);
    }
  });

  it("takes places of more than 32 bits", () => {
    const places = [0x7f00_0000_1000, 0x7f00_0000_1010, -0x7f00_0000_0ff0, 0x20, 0x1000_0000_0030];
    const table = placeTable(places);
    expect(
      places.map(
        (place) => table?.slots[Math.imul(Number(BigInt.asIntN(32, BigInt(place))), table.multiplier) >>> table.shift],
      ),
    ).toEqual([0, 1, 2, 3, 4]);
  });

  it("is not there for places that differ further up only", () => {
    expect(placeTable([0x1000, 0x2000, 0x3000, 0x1_0000_1000])).toBeUndefined();
  });
});

describe("samples of branches", () => {
  const memory = new DataView(new ArrayBuffer(MemoryMap.PAGE_FLAGS));
  const write = (branch: number, entry: number, place: bigint, count: number): void => {
    const bucket = Math.imul(branch, BranchTarget.MULTIPLIER) >>> BranchTarget.SHIFT;
    const at = MemoryMap.BRANCH_TARGETS + bucket * BranchTarget.BUCKET_BYTES + entry * BranchTarget.ENTRY_BYTES;
    memory.setBigInt64(at + BranchTarget.PLACE, place, true);
    memory.setUint32(at + BranchTarget.BRANCH, branch, true);
    memory.setUint32(at + BranchTarget.COUNT, count, true);
  };

  it("come most frequent first", () => {
    const branch = MemoryMap.RAM + 0x1234;
    write(branch, 0, 0x10n, 3);
    write(branch, 1, -0x7f00_0000_0000n, 9);
    write(branch, 31, 0x30n, 5);
    expect(new BranchSamples(memory).of(branch)).toEqual([
      { place: -0x7f00_0000_0000, count: 9 },
      { place: 0x30, count: 5 },
      { place: 0x10, count: 3 },
    ]);
    expect(new BranchSamples(memory).of(branch + 1)).toEqual([]);
  });
});
