import { describe, expect, it } from "vitest";
import { code, CR0_PAGING, CR4_PAE, CR4_PSE, type Inspected, le, openMachine } from "../mmu/support.ts";
import { damage, Random, runGuarded, runsOr, SEED, staleTranslation, ENGINES } from "./support.ts";

// Random page tables, in all three paging modes. Every page that is no table holds the same program, so that it runs wherever a
// table happens to map; its accesses go everywhere, to the tables, too.

const MEMORY = 0x8_0000;
const PAGES = MEMORY / 4096;
const TABLE_PAGES = 24;
/** entries in use of each table */
const USED = 8;

/** A present entry mostly, to a table of the next level mostly, with a large page or reserved bits now and then. */
function entry(random: Random, level: number): bigint {
  // Page n of the tables is one of level n mod 4.
  const table = 4 * random.below(TABLE_PAGES / 4) + ((level + 3) & 3);
  let value = BigInt(level > 0 && random.chance(7, 8) ? table : random.below(PAGES + 2)) << 12n;
  if (random.chance(1, 20)) value = random.wide() & 0x7fff_ffff_f000n & ~0x1f_e000n;
  value |= BigInt(random.below(512)) & 0x178n;
  value |= random.chance(9, 10) ? 7n : BigInt(random.below(8));
  if (random.chance(1, 16)) value |= 0x80n;
  if (random.chance(1, 20)) value |= 1n << 63n;
  if (random.chance(1, 40)) value |= 1n << BigInt(40 + random.below(23));
  return value;
}

function address(random: Random, long: boolean): bigint {
  if (!long && random.chance(1, 4)) return BigInt(random.word());
  // The entries that are used are the first of each table, and the last.
  const index = (): bigint => BigInt((random.below(USED) - 1) & 511);
  const offset = BigInt(random.below(4096));
  if (!long)
    return BigInt.asUintN(
      32,
      (index() << random.pick([30n, 22n])) | (index() << random.pick([21n, 22n])) | (index() << 12n) | offset,
    );
  return BigInt.asUintN(
    64,
    BigInt.asIntN(48, (index() << 39n) | (index() << 30n) | (index() << 21n) | (index() << 12n) | offset),
  );
}

function program(random: Random, long: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < 40; i++) {
    const load = long ? code("48 b8", le(address(random, true), 8)) : code("b8", le(address(random, false), 4));
    parts.push(
      load,
      code(
        random.pick([
          "03 08",
          "89 08",
          "01 08",
          "48 89 18",
          "0f 11 00",
          "0f 10 00",
          "0f 01 38",
          "87 08",
          "90",
          "50 59",
        ]),
      ),
    );
    if (random.chance(1, 12)) parts.push(code("0f 20 d8 0f 22 d8"));
    if (random.chance(1, 12)) parts.push(code("48 bb", le(entry(random, random.below(4)), 8)));
  }
  const body = code(...parts);
  return code(body, "e9", le(-body.length - 5, 4));
}

async function fuzz(engine: (typeof ENGINES)[number], mode: "long" | "pae" | "32-bit", runs: number): Promise<number> {
  const long = mode === "long";
  let machine: Inspected | undefined;
  let retired = 0;
  for (let run = 0; run < runs; run++) {
    const random = new Random(SEED * 1_000_003 + run * 11 + mode.length);
    const name = `${mode}, run ${run}, seed ${SEED}`;
    machine ??= await openMachine({ memoryBytes: MEMORY, mode: long ? "long" : "protected", engine });
    const image = new Uint8Array(MEMORY);
    const view = new DataView(image.buffer);
    const programs = Array.from({ length: 6 }, () => program(random, long));
    for (let page = 0; page < PAGES; page++) {
      if (page >= TABLE_PAGES) image.set(random.pick(programs), page * 4096);
      else {
        for (let index = -USED; index < USED; index++) {
          const value = entry(random, page % 4);
          if (mode === "32-bit") view.setUint32(page * 4096 + 4 * (index & 1023), Number(value & 0xffff_ffffn), true);
          else view.setBigUint64(page * 4096 + 8 * (index & 511), value, true);
        }
      }
    }
    machine.write(0, image);
    const level = { long: 3, pae: 2, "32-bit": 1 }[mode];
    const root = BigInt(4 * random.below(TABLE_PAGES / 4) + (random.chance(9, 10) ? level : random.below(4))) << 12n;
    machine.setState({
      cr3: mode === "pae" ? root | (random.chance(1, 8) ? BigInt(32 * random.below(128)) : 0n) : root,
      cr4: mode === "32-bit" ? (random.chance(3, 4) ? CR4_PSE : 0n) : CR4_PAE | (BigInt(random.word()) & 0x30_0080n),
      efer: long ? 0x501n | (random.chance(3, 4) ? 0x800n : 0n) : mode === "pae" ? 0x800n : 0n,
      cr0: CR0_PAGING | (BigInt(random.word()) & 0x5_0000n),
    });
    for (let attempt = 0; attempt < 20; attempt++) {
      const rip = address(random, long) & ~0xfffn;
      machine.setState({
        rip: long ? rip : rip & 0xffff_ffffn,
        rsp: address(random, long),
        rflags: 2n | (BigInt(random.word()) & 0x4_0000n),
        cpl: random.pick([0, 0, 3]),
      });
      const { exit, problem } = runGuarded(machine, random.pick([1, 50, 200]));
      if (problem !== undefined) expect.fail(`${name}, attempt ${attempt}: ${problem}`);
      retired += exit?.instructions ?? 0;
    }
    if (run % 8 === 7) {
      const stale = staleTranslation(machine);
      if (stale !== undefined) expect.fail(`${name}: ${stale}`);
    }
  }
  if (machine) expect(damage(machine)).toBeUndefined();
  return retired;
}

describe.each(ENGINES)("random page tables: %s", (engine) => {
  it.each(["long", "pae", "32-bit"] as const)("%s", { timeout: 3_600_000 }, async (mode) => {
    const runs = runsOr(60);
    // Enough of them must lead somewhere.
    expect(await fuzz(engine, mode, runs)).toBeGreaterThan(runs);
  });
});
