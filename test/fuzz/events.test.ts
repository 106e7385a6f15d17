import { describe, expect, it } from "vitest";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { BareStateChange } from "../../src/bare-state.ts";
import { A, code, D, type Inspected, le, longMachine, NX, P, PT, U, W } from "../mmu/support.ts";
import { damage, differences, Random, runsOr, SEED } from "./support.ts";

// Faults, software interrupts and IRETQ twice from the same random state: delivered by generated code, and by TypeScript. Gates,
// descriptors, stacks and page tables are mostly right and sometimes wrong in every way; afterwards all of the state and of memory
// must be the same.

const MEMORY = 0x8_0000;
/** guest-physical, identity-mapped */
const Place = {
  CODE: 0x1000,
  GDT: 0x2000,
  IDT: 0x3000,
  TSS: 0x5000,
  STACKS: 0x6000,
  HANDLERS: 0xa000,
  READ_ONLY: 0xb000,
  ABSENT: 0xc000,
  USER: 0xd000,
  SUPERVISOR: 0xe000,
} as const;
const STACK_BYTES = 0x3000;
const NOT_CANONICAL = 0x8000_0000_0000_0000n;
/** Enough to run freely: the last 64 instructions before a limit are single steps, which TypeScript delivers always. */
const LIMIT = 400;

const Descriptor = {
  KERNEL_CODE: 0x00af_9b00_0000_ffffn,
  KERNEL_DATA: 0x00cf_9300_0000_ffffn,
  USER_CODE32: 0x00cf_fb00_0000_ffffn,
  USER_DATA: 0x00cf_f300_0000_ffffn,
  USER_CODE: 0x00af_fb00_0000_ffffn,
} as const;
const GOOD = Object.values(Descriptor);
const Selector = { KERNEL_CODE: 0x08, KERNEL_DATA: 0x10, USER_CODE32: 0x1b, USER_DATA: 0x23, USER_CODE: 0x2b } as const;
const SELECTORS = Object.values(Selector);
const ODD_SELECTORS = [0, 3, 0x0b, 0x13, 0x20, 0x28, 0x2c, 0x30, 0x38, 0x40, 0x48, 0xfff8];

/** A value that is right nine times in ten. */
function mostly<T>(random: Random, right: T, wrong: () => T): T {
  return random.chance(9, 10) ? right : wrong();
}

function descriptor(random: Random, right: bigint): bigint {
  return mostly(random, right, () =>
    random.chance(1, 3) ? random.wide() : right ^ (1n << BigInt(40 + random.below(16))),
  );
}

/** Somewhere that a stack may be. */
function stack(random: Random): bigint {
  const inside = BigInt(Place.STACKS + 64 + random.below(STACK_BYTES - 64));
  return mostly(random, random.chance(1, 2) ? inside & ~7n : inside, () =>
    random.pick([
      NOT_CANONICAL,
      0x8000_0000_0008n,
      0n,
      BigInt(Place.STACKS + 0x1000 + random.below(48)),
      BigInt(Place.READ_ONLY + 0x800),
      BigInt(Place.ABSENT + 0x800),
      BigInt(Place.USER + 0x800),
      BigInt(Place.CODE + 0x800),
      BigInt(PT + 0x800),
      // mapped, but not RAM
      BigInt(MEMORY + 0x800),
    ]),
  );
}

function handler(random: Random): bigint {
  const at = BigInt(Place.HANDLERS + 16 * random.below(16));
  return mostly(random, at, () =>
    random.pick([NOT_CANONICAL, BigInt(Place.ABSENT), BigInt(Place.USER), BigInt(MEMORY), 0xffff_8000_0000_0000n]),
  );
}

function gate(random: Random): [bigint, bigint] {
  const offset = handler(random);
  const selector = BigInt(
    mostly(random, Selector.KERNEL_CODE as number, () => random.pick([...SELECTORS, ...ODD_SELECTORS])),
  );
  const ist = BigInt(random.chance(2, 3) ? 0 : random.below(8));
  const type = mostly(random, random.pick([0xen, 0xfn]), () => BigInt(random.below(16)));
  const present = mostly(random, 0x80n, () => 0n);
  const dpl = BigInt(random.pick([0, 3, 3, random.below(4)])) << 5n;
  const middle = (offset >> 16n) & 0xffffn;
  const attributes = present | dpl | type | (random.chance(1, 30) ? 0x10n : 0n);
  return [
    (offset & 0xffffn) | (selector << 16n) | (ist << 32n) | (attributes << 40n) | (middle << 48n),
    (offset >> 32n) | (random.chance(1, 20) ? random.wide() << 32n : 0n),
  ];
}

function flags(random: Random): bigint {
  let value = BigInt(random.word()) & 0x0024_7ed5n & ~0x4000n;
  if (random.chance(1, 12)) value |= 1n << BigInt(random.below(22));
  return value | 2n;
}

/** An instruction that faults, interrupts or returns. */
function instruction(random: Random): Uint8Array {
  const load = (gva: bigint) => code("48 a1", le(gva, 8));
  return random.pick<() => Uint8Array>([
    () => code("cd", le(random.pick([0, 3, 14, 0x20, 0x80, 0xff]), 1)),
    () => code("cc"),
    () => code("0f 0b"),
    () => load(random.pick([BigInt(Place.ABSENT + 8), NOT_CANONICAL, BigInt(Place.SUPERVISOR), BigInt(Place.USER)])),
    () => code("48 a3", le(random.pick([Place.READ_ONLY, Place.ABSENT + 0xffc, PT]), 8)),
    // div cl, with CL = 0; a jump to where nothing is; a load of a segment that may be wrong
    () => code("30 c9 f6 f1"),
    () => code("48 b8", le(random.pick([BigInt(Place.ABSENT), NOT_CANONICAL, BigInt(MEMORY)]), 8), "ff e0"),
    () => code("b8", le(random.pick([...SELECTORS, ...ODD_SELECTORS]), 4), "8e d8"),
    () => code("fb 0f 0b"),
    () => code("48 cf"),
    () => code("48 cf"),
    () => code("48 cf"),
    () => code("cf"),
  ])();
}

interface Case {
  readonly writes: readonly (readonly [gpa: number, bytes: Uint8Array])[];
  readonly state: BareStateChange;
}

function makeCase(random: Random): Case {
  const writes: [number, Uint8Array][] = [];
  const words = (gpa: number, values: readonly bigint[]): void =>
    void writes.push([gpa, Uint8Array.from(values.flatMap((value) => [...le(value, 8)]))]);

  words(Place.GDT, [
    0n,
    ...GOOD.map((right) => descriptor(random, right)),
    ...GOOD.map(() => descriptor(random, random.pick(GOOD))),
  ]);
  words(Place.IDT, Array.from({ length: 256 }, () => gate(random)).flat());
  const tss = new Uint8Array(0x68);
  for (const at of [4, 12, 20, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54]) tss.set(le(stack(random), 8), at);
  const tssBase = mostly(random, Place.TSS as number, () => random.pick([Place.TSS + 0xff8, Place.TSS - 8]));
  writes.push([tssBase, tss]);
  // Handlers end, return, or return without the error code; at level 3 HLT is one more fault.
  for (let index = 0; index < 16; index++) {
    const body = random.pick(["f4", "f4", "48 cf", "48 83 c4 08 48 cf", "0f 0b", "48 8b 04 24 f4"]);
    writes.push([Place.HANDLERS + 16 * index, code(body, "f4 f4")]);
  }
  const body = code(instruction(random), "f4");
  const start = Place.CODE + random.pick([0, 0x7f0, 0xff0]);
  writes.push([start, body]);
  for (let page = 0; page < 16; page++) {
    const at = page * 4096;
    let entry =
      BigInt(at) |
      P |
      W |
      (random.chance(7, 8) ? U : 0n) |
      (random.chance(1, 2) ? A : 0n) |
      (random.chance(1, 4) ? D : 0n);
    if (at === Place.READ_ONLY) entry &= ~W;
    if (at === Place.ABSENT) entry = 0n;
    if (at === Place.SUPERVISOR) entry &= ~U;
    if (random.chance(1, 60)) entry ^= random.pick([P, W, U, NX, 1n << 51n]);
    words(PT + 8 * page, [entry]);
  }

  const cpl = random.chance(1, 2) ? 3 : 0;
  const rsp = stack(random);
  // A frame for IRETQ, wherever the stack is.
  if (rsp < BigInt(Place.READ_ONLY) && rsp >= BigInt(Place.STACKS)) {
    const level = random.chance(1, 2) ? 3 : 0;
    const [cs, ss] =
      level === 3 ? [Selector.USER_CODE, Selector.USER_DATA] : [Selector.KERNEL_CODE, Selector.KERNEL_DATA];
    words(Number(rsp), [
      handler(random),
      BigInt(mostly(random, cs as number, () => random.pick([...SELECTORS, ...ODD_SELECTORS]))) |
        (random.chance(1, 10) ? random.wide() << 16n : 0n),
      flags(random),
      stack(random),
      BigInt(
        mostly(random, level === 0 && random.chance(1, 2) ? 0 : (ss as number), () =>
          random.pick([...SELECTORS, ...ODD_SELECTORS]),
        ),
      ),
    ]);
  }
  const segment = (selector: number, attributes: number) => ({ selector, base: 0n, limit: 0xffff_ffff, attributes });
  const data = (): ReturnType<typeof segment> =>
    random.pick([
      segment(0, 0),
      segment(0, 0),
      segment(Selector.USER_DATA, 0xc0f3),
      segment(Selector.KERNEL_DATA, 0xc093),
      segment(0x30, 0xc0ff),
    ]);
  return {
    writes,
    state: {
      rip: BigInt(start),
      rsp,
      rflags: flags(random),
      cpl,
      cs: cpl === 3 ? segment(Selector.USER_CODE, 0xa0fb) : segment(Selector.KERNEL_CODE, 0xa09b),
      ss:
        cpl === 3
          ? segment(Selector.USER_DATA, 0xc0f3)
          : random.pick([segment(0, 0), segment(Selector.KERNEL_DATA, 0xc093)]),
      ds: data(),
      es: data(),
      fs: { ...data(), base: random.wide() >> 20n },
      gs: data(),
      tr: {
        selector: 0x40,
        base: BigInt(tssBase),
        limit: mostly(random, 0x67, () => random.below(0x68)),
        attributes: 0x8b,
      },
      gdt: { base: BigInt(Place.GDT), limit: mostly(random, 0x5f, () => random.below(0x60)) },
      idt: {
        base: mostly(random, BigInt(Place.IDT), () =>
          random.pick([BigInt(Place.IDT + 8), BigInt(Place.ABSENT), BigInt(MEMORY), 0xffff_8000_0000_0000n]),
        ),
        limit: mostly(random, 0xfff, () => 1 + random.below(0xfff)),
      },
      cr0: 0x8000_0033n | (random.chance(1, 2) ? 0x1_0000n : 0n) | (random.chance(1, 3) ? 0x4_0000n : 0n),
      cr2: random.wide(),
      cr4: 0x620n | (random.chance(1, 3) ? 0x10_0000n : 0n) | (random.chance(1, 3) ? 0x20_0000n : 0n),
      efer: 0xd01n,
    },
  };
}

function apply(machine: Inspected, { writes, state }: Case): void {
  new Uint8Array(machine.memory.buffer, MemoryMap.RAM, 0x1_0000).fill(0);
  for (const [gpa, bytes] of writes) machine.write(gpa, bytes);
  machine.write(0, new Uint8Array(0x1000));
  machine.setState(state);
  machine.setState({ cr3: machine.getState().cr3 });
}

describe("events that generated code delivers", () => {
  it("leave the same state as those that TypeScript delivers", { timeout: 600_000 }, async () => {
    const [inPlace, calledOut] = [await longMachine("interpreter", MEMORY), await longMachine("interpreter", MEMORY)];
    calledOut.processor.eventsInPlace = false;
    const runs = runsOr(400);
    let compared = 0;
    for (let run = 0; run < runs; run++) {
      const random = new Random(SEED * 100_003 + run);
      const made = makeCase(random);
      const results = [inPlace, calledOut].map((machine) => {
        apply(machine, made);
        const exit = machine.run({ maxInstructions: LIMIT });
        return { exit, state: machine.getState(), ram: Buffer.from(machine.read(0, MEMORY)) };
      });
      const [fast, slow] = results;
      if (!fast || !slow) return;
      const what = `seed ${SEED}, run ${run}`;
      expect(fast.exit, what).toEqual(slow.exit);
      // Faults without end, which no instruction comes between, are broken off somewhere.
      if (fast.exit.reason === "budget" && fast.exit.instructions < LIMIT) continue;
      compared++;
      expect(differences(fast.state, slow.state), what).toEqual([]);
      if (!fast.ram.equals(slow.ram)) expect([...fast.ram], what).toEqual([...slow.ram]);
      // The rest of the state that a program can come to know of.
      for (const field of ["mode", "interruptShadow", "tlb"] as const)
        expect(inPlace.processor.cpu.state.u32(field), `${what}: ${field}`).toBe(
          calledOut.processor.cpu.state.u32(field),
        );
      if (run % 500 === 0) expect(damage(inPlace), what).toBeUndefined();
    }
    expect(compared).toBeGreaterThan(runs / 2);
    // Most of it took the path that is to be tested.
    const iretsOf = ({ processor }: Inspected): number => processor.callOutCounts["iret"] ?? 0;
    const intsOf = ({ processor }: Inspected): number =>
      (processor.callOutCounts["int"] ?? 0) + (processor.callOutCounts["int3"] ?? 0);
    expect(inPlace.processor.cpu.state.u64("faultsDelivered")).toBeGreaterThan(BigInt(runs) / 3n);
    expect(calledOut.processor.cpu.state.u64("faultsDelivered")).toBe(0n);
    expect(iretsOf(inPlace)).toBeLessThan(iretsOf(calledOut) * 0.8);
    expect(intsOf(inPlace)).toBeLessThan(intsOf(calledOut));
    console.log(
      `events: ${inPlace.processor.cpu.state.u64("faultsDelivered")} faults delivered in place, ${iretsOf(calledOut) - iretsOf(inPlace)} of ${iretsOf(calledOut)} IRETs, ${intsOf(calledOut) - intsOf(inPlace)} of ${intsOf(calledOut)} INTs`,
    );
  });
});
