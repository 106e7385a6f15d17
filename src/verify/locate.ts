import type { RegionSource } from "../../jit/translator/translator.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { differingPages, pagesDiffer, physicalAddress, readLinear } from "./guest-memory.ts";
import { InputLog, Probe, type RegionChoice, type RegionKey, type Snapshot } from "./probe.ts";
import { type ArchitecturalState, copyState, linearRip, statesAreEqual } from "./state-compare.ts";
import type { Subject } from "./subject.ts";

const PAGE = 4096;
const LONGEST_INSTRUCTION = 15;
/** instructions for which loops go on when a single round shows nothing */
const LOOP_INSTRUCTIONS = 1000;

/** The first instruction that the two engines run differently. */
export interface Located {
  /** linear address, and bytes */
  readonly gva: bigint;
  readonly code: Uint8Array;
  /** the reference's state in front of it */
  readonly before: ArchitecturalState;
  /** both states behind it; behind the last repetition, when the region is left only after several */
  readonly expected: ArchitecturalState;
  readonly actual: ArchitecturalState;
  /** guest-physical pages that differ then */
  readonly pages: readonly number[];
  readonly region:
    | {
        /** linear address of its entry */
        readonly gva: bigint;
        readonly entry: number;
        /** its code, in all pages that it has some in */
        readonly source: RegionSource;
      }
    | undefined;
}

/** An instruction that the reference ran. */
interface Traced {
  readonly gva: bigint;
  readonly state: ArchitecturalState;
}

/** Where a probe went another way than the reference: the steps since its last entry. */
interface Divergence {
  /** instructions in front of it */
  readonly steps: number;
  readonly trace: readonly Traced[];
  readonly entry: number | undefined;
  readonly actual: ArchitecturalState;
  readonly expected: ArchitecturalState;
  /** guest-physical pages that differ */
  readonly pages: readonly number[];
}

/**
 * Finds the first instruction that is run differently, from a state in which both agree, within some instructions: runs region after
 * region on a probe, and an interpreter behind it; then cuts the region that is wrong shorter and shorter.
 *
 * @param reference a machine in that state; its devices are used up
 * @param regions what the failing machine had, by offset
 * @param suspects guest-physical pages that differ later
 * @returns undefined if nothing differs when regions run one by one
 */
export async function locate(
  reference: Subject,
  regions: ReadonlyMap<number, RegionKey>,
  suspects: readonly number[],
  instructions: number,
): Promise<Located | undefined> {
  const log = new InputLog();
  const start: Snapshot = { ram: reference.ram.slice(), state: copyState(reference.state), inputs: 0 };
  const interpreter = await Probe.open(reference, log);
  const translating = await Probe.open(reference, log);
  const choices: readonly RegionChoice[] = [
    { regions, loopInstructions: 0, cuts: [] },
    { regions, loopInstructions: LOOP_INSTRUCTIONS, cuts: [] },
    { regions: undefined, loopInstructions: 0, cuts: [] },
  ];
  for (const choice of choices) {
    translating.choice = choice;
    interpreter.load(start, instructions);
    translating.load(start, instructions);
    const found = diverge(interpreter, translating, suspects, instructions);
    if (!found) continue;
    interpreter.load(start, 0);
    for (let step = 0; step < found.steps; step++) interpreter.step();
    return narrow(interpreter, translating, choice, interpreter.save(), found);
  }
  return undefined;
}

function diverge(
  interpreter: Probe,
  translating: Probe,
  suspects: readonly number[],
  instructions: number,
): Divergence | undefined {
  for (let steps = 0; steps < instructions;) {
    const { retired, region } = translating.runOnce();
    if (retired === 0) return undefined;
    const trace = follow(interpreter, retired);
    if (
      !statesAreEqual(interpreter.state, translating.state) ||
      pagesDiffer(interpreter.ram, translating.ram, suspects)
    ) {
      const [expected, actual] = [copyState(interpreter.state), copyState(translating.state)];
      const pages = differingPages(interpreter.ram, translating.ram);
      return { steps, trace, entry: region, expected, actual, pages };
    }
    steps += retired;
  }
  return undefined;
}

/** Runs `count` instructions one by one. */
function follow(interpreter: Probe, count: number): Traced[] {
  const trace: Traced[] = [];
  for (let step = 0; step < count; step++) {
    const state = copyState(interpreter.state);
    trace.push({ gva: linearRip(state), state });
    if (!interpreter.step()) break;
  }
  return trace;
}

/**
 * Cuts what is wrong shorter and shorter: every instruction that is cut out is the interpreter's, the others are translated, and
 * the smallest number of them that goes wrong ends with the one that is looked for.
 */
function narrow(
  interpreter: Probe,
  translating: Probe,
  choice: RegionChoice,
  start: Snapshot,
  found: Divergence,
): Located {
  const { cpu } = interpreter.processor;
  const gvas = [...new Set(found.trace.map(({ gva }) => gva))];
  const offsets = gvas.map((gva) => {
    const gpa = physicalAddress(start.ram, cpu.state, gva);
    return gpa === undefined ? undefined : MemoryMap.RAM + gpa;
  });
  const attempt = (length: number): Divergence | undefined => {
    translating.choice = { ...choice, cuts: offsets.slice(length).filter((offset) => offset !== undefined) };
    translating.load(start, found.trace.length);
    interpreter.load(start, found.trace.length);
    return diverge(interpreter, translating, found.pages, found.trace.length);
  };
  let wrong = found;
  let [right, length] = [0, gvas.length];
  while (length - right > 1) {
    const middle = (right + length) >> 1;
    const divergence = attempt(middle);
    if (divergence) [length, wrong] = [middle, divergence];
    else right = middle;
  }
  const gva = gvas[length - 1] ?? 0n;
  // The region may have run other instructions behind it, or itself several times.
  const before = wrong.trace.findLast((traced) => traced.gva === gva)?.state ?? start.state;
  const entry = found.entry;
  return {
    gva,
    code: readLinear(start.ram, cpu.state, gva, LONGEST_INSTRUCTION),
    before,
    expected: wrong.expected,
    actual: wrong.actual,
    pages: wrong.pages,
    region: entry === undefined ? undefined : regionOf(start.ram, choice.regions?.get(entry), entry, gvas[0] ?? gva),
  };
}

/** @param key what the region was translated from; without it, from the page that it begins in */
function regionOf(
  ram: Uint8Array,
  key: RegionKey | undefined,
  start: number,
  gva: bigint,
): NonNullable<Located["region"]> {
  const entry = start % PAGE;
  const { pages = [{ distance: 0, start: start - entry }], ...shape } = key ?? {};
  const bytesAt = (offset: number): Uint8Array => ram.slice(offset - MemoryMap.RAM, offset - MemoryMap.RAM + PAGE);
  return {
    ...{ gva, entry },
    source: { ...shape, pages: pages.map((page) => ({ ...page, bytes: bytesAt(page.start) })) },
  };
}
