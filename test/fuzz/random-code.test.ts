import { describe, expect, it } from "vitest";
import { GPR_NAMES } from "../../runtime/abi/guest-state.ts";
import type { BareMode } from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";
import { ENGINES, type Inspected, openMachine } from "../mmu/support.ts";
import { damage, Random, runGuarded, runsOr, SEED, staleTranslation } from "./support.ts";

// Random bytes as code, in every mode and from random states: a guest can do what it likes, the machine answers with a guest
// exception or an exit, never with a JavaScript error, a hang or a write outside the guest.

const MEMORY = 0x10_0000;
const WHERE = 0x4000;
/** runs before a fresh machine is taken, so that one that lost its page tables does not spoil the rest */
const RUNS_PER_MACHINE = 100;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"] as const;

function randomAddress(random: Random): bigint {
  switch (random.below(8)) {
    case 0:
      return random.wide();
    case 1:
      return BigInt(random.below(16)) - 8n;
    case 2:
      return (1n << BigInt(random.below(64))) - BigInt(random.below(8));
    default:
      return BigInt(random.below(MEMORY));
  }
}

/** Prefixes and opcodes that plain random bytes rarely put together. */
function randomCode(random: Random): Uint8Array {
  const bytes = random.bytes(64 + random.below(200));
  const starts = [
    [0x0f, 0x22, 0xc0 | random.below(64)], // mov cr, r
    [0x0f, 0x23, 0xc0 | random.below(64)], // mov dr, r
    [0x0f, 0x30], // wrmsr
    [0x0f, 0x32], // rdmsr
    [0x0f, 0x01, random.below(256)],
    [0x0f, 0x00, random.below(256)],
    [0x0f, 0xae, random.below(256)],
    [0x0f, 0xc7, random.below(256)],
    [0xf3, 0xa4 | random.below(12)], // rep string
    [0xf2, 0x66, 0xa4 | random.below(12)],
    [0x8e, 0xc0 | random.below(64)], // mov sreg, r
    [0xcf], // iret
    [0x48, 0xcf],
    [0xcb], // retf
    [0x9d], // popf
    [0xcd, random.below(256)],
    [0xff, 0x18 | random.below(8)], // call far
    [0xc8, random.below(256), random.below(4), random.below(32)], // enter
    [0xf0, random.below(256)],
    [0x0f, 0x01, 0xc0 | random.below(64)],
    [0x66, 0x0f, random.below(256)],
    [0xf3, 0x0f, random.below(256)],
    [0x0f, 0x38, random.below(256)],
    [0x0f, 0x3a, random.below(256)],
    [0xd8 | random.below(8), random.below(256)], // x87
  ];
  for (let at = 0; at < bytes.length - 8; at += 1 + random.below(12)) {
    if (random.chance(1, 2)) bytes.set(random.pick(starts), at);
  }
  return bytes;
}

function randomState(random: Random, mode: BareMode, fresh: BareState): Partial<BareState> {
  const state: Record<string, unknown> = {};
  for (const name of GPR_NAMES) state[name] = random.chance(1, 4) ? random.wide() : randomAddress(random);
  if (random.chance(1, 4)) state["rcx"] = 0xffff_ffff_ffff_ffffn;
  else if (random.chance(1, 3))
    state["rcx"] = random.pick([0xc000_0080n, 0xc000_0082n, 0x10n, 0x1bn, 0x277n, 0x174n, 0xc000_0101n, 0x2ffn]);
  // Privileged code half the time; the trap flag, VM and NT sometimes.
  state["rflags"] = BigInt(random.word() & (random.chance(1, 4) ? 0x3f_7fff : 0x21_0ed5)) | 2n;
  state["cpl"] = random.pick([0, 0, 0, 1, 3, 3]);
  for (const name of SEGMENTS) {
    const { base, limit, attributes } = fresh[name];
    const wild = random.chance(1, 12);
    state[name] = wild
      ? {
          selector: random.below(0x1_0000),
          base: random.chance(1, 2) ? BigInt(random.word()) : randomAddress(random),
          limit: random.chance(1, 2) ? random.word() : random.below(0x1_0000),
          attributes: random.below(0x1_0000) & 0xf0ff,
        }
      : { selector: mode === "real" ? Number(base >> 4n) : fresh[name].selector, base, limit, attributes };
  }
  const paging = mode === "long" || random.chance(1, 8);
  const control = random.chance(1, 3);
  state["cr0"] =
    (mode === "real" ? 0x10n : 0x11n) |
    (control ? BigInt(random.word() & 0x6005_002e) : 0x22n) |
    (paging && mode !== "real" ? 0x8000_0000n : 0n);
  if (control) state["cr4"] = (BigInt(random.word()) & 0x37_0fdfn) | (mode === "long" ? 0x20n : 0n);
  else state["cr4"] = fresh.cr4;
  state["efer"] = mode === "long" ? 0x501n | (random.chance(1, 2) ? 0x800n : 0n) : random.chance(1, 8) ? 0x800n : 0n;
  state["cr3"] = random.chance(1, 12) ? randomAddress(random) & 0xff_ffff_ffffn : fresh.cr3;
  state["dr7"] = random.chance(1, 6) ? BigInt(random.word()) : 0x400n;
  for (const name of ["dr0", "dr1", "dr2", "dr3"]) state[name] = randomAddress(random);
  state["fcw"] = random.below(0x1_0000);
  state["fsw"] = random.below(0x1_0000);
  state["ftw"] = random.below(256);
  state["mxcsr"] = random.below(0x1_0000);
  for (let i = 0; i < 16; i++) state[`xmm${i}`] = random.bytes(16);
  for (let i = 0; i < 8; i++) state[`st${i}`] = random.bytes(10);
  // An IDT and a GDT that hold something, or nothing.
  state["idt"] = random.chance(1, 3)
    ? { base: randomAddress(random), limit: random.below(0x1_0000) }
    : { base: 0n, limit: 0 };
  state["gdt"] = {
    base: random.chance(1, 2) ? BigInt(random.below(MEMORY)) : randomAddress(random),
    limit: random.below(0x1_0000),
  };
  state["rip"] = random.chance(1, 20)
    ? randomAddress(random)
    : BigInt(WHERE) - BigInt(random.chance(1, 8) ? random.below(20) : 0);
  return state;
}

async function fuzz(engine: (typeof ENGINES)[number], mode: BareMode, runs: number): Promise<void> {
  let machine: Inspected | undefined;
  let fresh: BareState | undefined;
  for (let run = 0; run < runs; run++) {
    // Each case is a sequence of its own: it can be shown again without those before it in the same machine, or with them.
    const random = new Random(SEED * 1_000_003 + run * 7 + mode.length);
    const name = `${mode}, run ${run}, seed ${SEED}`;
    if (!machine || !fresh || run % RUNS_PER_MACHINE === 0) {
      machine?.close();
      machine = await openMachine({ memoryBytes: MEMORY, mode, engine });
      fresh = machine.getState();
      machine.write(0, random.bytes(MEMORY));
    }
    for (let patch = 0; patch < 4; patch++) machine.write(random.below(MEMORY - 300), randomCode(random));
    machine.write(WHERE - (random.chance(1, 8) ? 7 : 0), randomCode(random));
    machine.setState(randomState(random, mode, fresh));
    // After an exception or an exit it goes on behind it: random code does not live long.
    for (let attempt = 0; attempt < 12; attempt++) {
      const { exit, problem } = runGuarded(machine, random.pick([1, 7, 64, 100, 300]));
      if (problem !== undefined) expect.fail(`${name}, attempt ${attempt}: ${problem}`);
      if (exit?.reason === "exception") machine.setState({ rip: machine.getState().rip + BigInt(1 + random.below(4)) });
      if (exit?.reason === "shutdown")
        machine.setState({ rip: BigInt(WHERE + random.below(100)), idt: { base: 0n, limit: 0 } });
    }
    machine.getState();
    if (run % 16 === 15 || run === runs - 1) {
      const stale = staleTranslation(machine);
      if (stale !== undefined) expect.fail(`${name}: ${stale}`);
    }
    if (run % RUNS_PER_MACHINE === RUNS_PER_MACHINE - 1 || run === runs - 1) {
      const damaged = damage(machine);
      if (damaged !== undefined) expect.fail(`${name}: ${damaged}`);
    }
  }
  expect(runs).toBeGreaterThan(0);
}

describe.each(ENGINES)("random bytes as code: %s", (engine) => {
  it.each(["long", "protected", "real"] as const)("%s mode", { timeout: 3_600_000 }, (mode) =>
    fuzz(engine, mode, runsOr(300)),
  );
});
