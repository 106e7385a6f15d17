import type { Graph } from "./graph.ts";
import type { Region, RegionInstruction } from "./region.ts";

/** Writes all six flags, whatever they were. */
const FULL_WRITERS: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "cmp",
  "and",
  "or",
  "xor",
  "test",
  "neg",
  "imul",
  "imul1",
  "mul",
  "xadd",
  "cmpxchg",
]);
const SHIFTS: ReadonlySet<string> = new Set(["shl", "shr", "sar"]);
/** Keep CF without looking at it. */
const STEPS: ReadonlySet<string> = new Set(["inc", "dec"]);
/** Registers only, and never anything that could leave the region. */
const HARMLESS: ReadonlySet<string> = new Set(["mov", "movzx", "movsx", "movsxd", "lea", "nop", "bswap", "endbr64"]);

type Effect = "writes" | "reads" | "none";

function effectOf({ instruction, definition }: RegionInstruction): Effect {
  const { mnemonic, operands } = instruction;
  const { flags } = definition;
  if (!flags) return "none";
  if (flags.reads) return "reads";
  if (FULL_WRITERS.has(mnemonic)) return "writes";
  if (STEPS.has(mnemonic)) return "none";
  const [, count] = operands;
  if (SHIFTS.has(mnemonic) && count?.kind === "immediate") {
    const bits = operands[0]?.width === 64 ? 63 : 31;
    return (count.low & bits) === 0 ? "none" : "writes";
  }
  // Division leaves the flags alone; what is left replaces some of them and keeps others.
  return flags.writes || flags.mayWrite ? "reads" : "none";
}

function mayLeave({ instruction, definition }: RegionInstruction): boolean {
  const { mnemonic, operands } = instruction;
  if (definition.ends === true) return true;
  if (mnemonic === "lea" || mnemonic === "nop") return false;
  if (operands.some(({ kind }) => kind === "memory")) return true;
  return !(HARMLESS.has(mnemonic) || FULL_WRITERS.has(mnemonic) || SHIFTS.has(mnemonic) || STEPS.has(mnemonic));
}

/** For each node, whether an instruction may read flags that were made before the node. */
export function flagsReadFrom(region: Region, graph: Graph): ReadonlySet<number> {
  const { order } = graph;
  const first = order.map((node) => firstEffect(region.blocks[node]?.instructions ?? []));
  const readers = new Set<number>();
  for (let changed = true; changed;) {
    changed = false;
    for (let index = order.length - 1; index >= 0; index--) {
      const node = order[index] ?? 0;
      if (readers.has(node)) continue;
      const effect = first[index];
      if (effect === "reads" || (effect === "none" && graph.successors(node).some((next) => readers.has(next)))) {
        readers.add(node);
        changed = true;
      }
    }
  }
  return readers;
}

function firstEffect(instructions: readonly RegionInstruction[]): Effect {
  for (const instruction of instructions) {
    const effect = effectOf(instruction);
    if (effect !== "none") return effect;
  }
  return "none";
}

/** For each instruction of a block, whether the flags that it writes are overwritten before anything could see them. */
export function deadFlags(instructions: readonly RegionInstruction[]): readonly boolean[] {
  const dead = new Array<boolean>(instructions.length).fill(false);
  for (let index = instructions.length - 2; index >= 0; index--) {
    const next = instructions[index + 1];
    if (!next || mayLeave(next)) continue;
    const effect = effectOf(next);
    dead[index] = effect === "writes" || (effect === "none" && dead[index + 1] === true);
  }
  return dead;
}
