import { describe, expect, it } from "vitest";
import type { BareExit } from "../../src/bare-machine.ts";
import {
  CODE,
  code,
  type Inspected,
  le,
  longMachine,
  NX,
  P,
  PD,
  PML4,
  PT,
  STACK_TOP,
  U,
  W,
  write64,
} from "../mmu/support.ts";
import { damage, differences, ENGINES, Random, runGuarded, runsOr, SEED, staleTranslation } from "./support.ts";

// Programs that patch themselves and rewrite the page tables that they run under, on two machines: one runs freely, with blocks
// that are linked and translations that are remembered; the other is asked for one instruction at a time. What the guest can see
// must be the same, and every translation that a machine holds must be what the tables say.

/** linear pages whose mapping the programs change */
const PLAYGROUND = 0x10_0000;
const PLAYGROUND_PAGES = 16;
/** second linear addresses of PT and SECOND_PT */
const ALIAS = 0x1f_0000;
/** guest-physical pages that they are mapped to, besides the program itself */
const FUNCTIONS = 0x18_0000;
const FUNCTION_PAGES = 8;
const SECOND_PT = 0x2_0000;
const SECOND_PD = 0x2_1000;
const SECOND_PDPT = 0x2_2000;
const SECOND_PML4 = 0x2_3000;
const PROGRAM_BYTES = 0x1800;
const TABLES = [PML4, 0x1_1000, PD, PT, SECOND_PT, SECOND_PD, SECOND_PDPT, SECOND_PML4];
const MEMORY = 0x20_0000;

interface Program {
  readonly bytes: Uint8Array;
  /** offsets of its operations */
  readonly starts: readonly number[];
}

function physicalPage(random: Random): bigint {
  const choice = random.below(10);
  // The program is not executed there: what remaps the very page that it runs in without a flush may see either page.
  if (choice === 0) return BigInt(CODE) | NX;
  if (choice === 1) return BigInt(CODE + 0x1000) | NX;
  return BigInt(FUNCTIONS + 0x1000 * random.below(FUNCTION_PAGES));
}

function rights(random: Random): bigint {
  if (random.chance(3, 4)) return P | W | U;
  return (random.chance(5, 6) ? P : 0n) | (random.chance(1, 2) ? W : 0n) | (random.chance(1, 8) ? NX : 0n);
}

function playgroundEntry(random: Random): number {
  return (
    random.pick([PT, PT, SECOND_PT, ALIAS, ALIAS + 0x1000]) + 8 * ((PLAYGROUND >> 12) + random.below(PLAYGROUND_PAGES))
  );
}

/** An address in the playground: rarely across a page, often where a function has its immediate. */
function playground(random: Random): number {
  const offset = random.pick([0, 2, 3, 0x40, 0x42, 0xffe, 0xfff, 0x800]) + (random.chance(1, 4) ? random.below(64) : 0);
  return PLAYGROUND + 0x1000 * random.below(PLAYGROUND_PAGES) + (offset & 0xfff);
}

function operation(random: Random, immediates: readonly number[]): Uint8Array {
  const patched = (): number => (immediates.length > 0 ? CODE + random.pick(immediates) : playground(random));
  switch (random.below(16)) {
    case 0:
    case 1:
      return code("48 b8", le(physicalPage(random) | rights(random), 8), "48 89 04 25", le(playgroundEntry(random), 4)); // an entry
    case 2:
      return code("0f 01 3c 25", le(playground(random), 4)); // invlpg
    case 3:
      return code("b8", le(random.pick([PML4, SECOND_PML4]), 4), "0f 22 d8"); // mov cr3
    case 4:
      return code("48 c7 04 25", le(random.pick([PD, SECOND_PD]), 4), le(random.pick([PT, SECOND_PT]) | 7, 4)); // the directory
    case 5:
    case 6:
      return code("03 0c 25", le(playground(random), 4)); // add ecx, [playground]
    case 7:
      return code("c6 04 25", le(random.chance(1, 2) ? patched() : playground(random), 4), le(random.below(256), 1)); // mov byte
    case 8:
      return code("fe 04 25", le(patched(), 4)); // inc byte of an immediate
    case 9:
      return code("89 0c 25", le(playground(random), 4)); // mov [playground], ecx
    case 10:
      return code("bf", le(playground(random) & ~0x3f, 4), "6a 05 59 83 e1 0f b0 90 f3 aa"); // rep stosb
    case 11:
      return code(
        "be",
        le(playground(random), 4),
        "bf",
        le(random.chance(1, 3) ? patched() & ~1 : playground(random), 4),
        "6a 02 59 83 e1 07 f3 a4",
      ); // rep movsb
    case 12:
    case 13:
      // call a function of the playground
      return code(
        "b8",
        le(PLAYGROUND + 0x1000 * random.below(PLAYGROUND_PAGES) + random.pick([0, 0x40, 0xffd]), 4),
        "ff d0",
      );
    default:
      return code("81 c2", le(random.word(), 4)); // add edx, imm32: what others patch
  }
}

function randomProgram(random: Random): Program {
  const bytes = new Uint8Array(PROGRAM_BYTES).fill(0x90);
  const starts: number[] = [];
  const immediates: number[] = [];
  // Two stretches, one of them around the page boundary.
  for (const [first, end] of [
    [0, 0x180],
    [0x0f80, 0x1180],
  ] as const) {
    let at = first;
    while (at < end) {
      const next = operation(random, immediates);
      bytes.set(next, at);
      starts.push(at);
      if (next[0] === 0x81) for (let i = 2; i < 6; i++) immediates.push(at + i);
      at += next.length;
    }
    // loop for ever, now to this stretch, now to the other: jmp
    bytes.set(code("e9", le((random.chance(1, 2) ? 0 : 0x0f80) - (at + 5), 4)), at);
  }
  return { bytes, starts };
}

function prepare(machine: Inspected, program: Program, random: Random): void {
  // The second set of tables maps the same, but the playground.
  write64(machine, SECOND_PML4, BigInt(SECOND_PDPT) | P | W | U);
  write64(machine, SECOND_PDPT, BigInt(SECOND_PD) | P | W | U);
  write64(machine, SECOND_PD, BigInt(SECOND_PT) | P | W | U);
  write64(machine, PML4, 0x1_1007n);
  write64(machine, 0x1_1000, BigInt(PD) | 7n);
  write64(machine, PD, BigInt(PT) | 7n);
  const target = Array.from({ length: PLAYGROUND_PAGES }, () =>
    BigInt(FUNCTIONS + 0x1000 * random.below(FUNCTION_PAGES)),
  );
  const entries = BigUint64Array.from({ length: 512 }, (_, page) => {
    const alias = page - (ALIAS >> 12);
    const gpa = alias === 0 ? BigInt(PT) : alias === 1 ? BigInt(SECOND_PT) : target[page - (PLAYGROUND >> 12)];
    return (gpa ?? BigInt(page * 4096)) | P | W | U;
  });
  // As one write: each write to a table that is in use empties the TLB.
  for (const table of [PT, SECOND_PT]) machine.write(table, new Uint8Array(entries.buffer));
  for (let page = 0; page < FUNCTION_PAGES; page++) {
    const gpa = FUNCTIONS + page * 0x1000;
    machine.write(gpa, new Uint8Array(0x1000).fill(0x90));
    machine.write(gpa, code("81 c3", le(random.word(), 4), "c3")); // add ebx, imm32; ret
    machine.write(gpa + 0x40, code("81 c5", le(random.word(), 4), "c3")); // add ebp, imm32; ret
    machine.write(gpa + 0xffd, code("81 c3 11")); // goes on in the page behind it
    machine.write(gpa + 0x800, code("c3"));
  }
  machine.write(CODE, program.bytes);
  machine.setState({
    rip: BigInt(CODE),
    rsp: BigInt(STACK_TOP),
    rflags: 2n,
    cr3: BigInt(PML4),
    cr2: 0n,
    rax: 0n,
    rcx: 0n,
    rdx: 0n,
    rbx: 0n,
    rbp: 0n,
    rsi: 0n,
    rdi: 0n,
  });
}

/** All memory; accessed bits of table entries may be set at different times. */
function memoryOf(machine: Inspected): Uint8Array {
  const memory = machine.read(0, MEMORY);
  for (const table of TABLES) for (let at = table; at < table + 4096; at += 8) memory[at] = (memory[at] ?? 0) & ~0x20;
  return memory;
}

/** Goes on after an exception where both machines can. */
function recover(machine: Inspected, rip: bigint): void {
  machine.setState({ rip, rsp: BigInt(STACK_TOP) });
}

function compare(free: Inspected, single: Inspected, name: string, thorough: boolean): void {
  const registers = differences(free.getState(), single.getState());
  if (registers.length > 0) expect.fail(`${name}: free and single differ in ${registers.join(", ")}`);
  const left = memoryOf(free);
  const right = memoryOf(single);
  if (Buffer.compare(left, right) !== 0) {
    const at = left.findIndex((byte, index) => byte !== right[index]);
    expect.fail(`${name}: memory at 0x${at.toString(16)}: ${left[at]} and ${right[at]}`);
  }
  if (!thorough) return;
  for (const machine of [free, single]) {
    const stale = staleTranslation(machine);
    if (stale !== undefined) expect.fail(`${name}, ${machine === free ? "free" : "single"}: ${stale}`);
  }
}

/** Runs until `limit` instructions are retired or something else ends it; a long repetition may take several runs. */
function runFor(machine: Inspected, limit: number, name: string, step = limit): BareExit {
  let instructions = 0;
  for (;;) {
    const { exit, problem } = runGuarded(machine, Math.min(step, limit - instructions));
    if (problem !== undefined || !exit) expect.fail(`${name}: ${problem}`);
    instructions += exit.instructions;
    if (exit.reason !== "budget" || instructions === limit) return { ...exit, instructions };
  }
}

function runSingly(machine: Inspected, limit: number, name: string): BareExit {
  return runFor(machine, limit, `${name}, single`, 1);
}

function isFetchFault({ reason, vector, errorCode = 0 }: BareExit): boolean {
  return reason === "exception" && vector === 14 && (errorCode & 0x10) !== 0;
}

describe.each(ENGINES)("programs that change their code and their page tables: %s", (engine) => {
  it("run alike freely and by single instructions", { timeout: 3_600_000 }, async () => {
    const free = await longMachine(engine, MEMORY);
    const single = await longMachine(engine, MEMORY);
    const runs = runsOr(50);
    let exceptions = 0;
    let lost = 0;
    for (let run = 0; run < runs; run++) {
      const random = new Random(SEED * 1_000_033 + run);
      const program = randomProgram(random);
      const where = random.word();
      for (const machine of [free, single]) prepare(machine, program, new Random(where));
      for (let chunk = 0; chunk < 12; chunk++) {
        const name = `seed ${SEED}, run ${run}, chunk ${chunk}`;
        const limit = 100 + random.below(100);
        const exit = runFor(free, limit, name);
        // An exception retires nothing; it comes with one more instruction than there were.
        const last = runSingly(single, exit.instructions + (exit.reason === "budget" ? 0 : 1), name);
        // A program that unmapped its own page without a flush may run on until it leaves the block, or not: both are right.
        if (isFetchFault(last) && (!isFetchFault(exit) || differences(free.getState(), single.getState()).length > 0)) {
          lost++;
          break;
        }
        if (exit.reason !== "budget") {
          expect(last, name).toEqual(exit);
        }
        compare(free, single, name, chunk % 4 === 3);
        if (exit.reason !== "budget") {
          exceptions++;
          const rip = BigInt(CODE + random.pick(program.starts));
          recover(free, rip);
          recover(single, rip);
        }
      }
    }
    for (const machine of [free, single]) expect(damage(machine)).toBeUndefined();
    expect(lost).toBeLessThan(2 + runs / 50);
    // Otherwise the programs do not do what they are for.
    expect(exceptions).toBeGreaterThan(runs / 10);
    expect(free.processor.blocks.stats.dropped).toBeGreaterThan(runs);
    expect(free.processor.shadow.stats.dropped).toBeGreaterThan(runs);
    expect(free.processor.shadow.stats.kept).toBeGreaterThan(runs / 2);
  });
});
