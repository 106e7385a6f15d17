import type { Graph } from "./graph.ts";
import type { Region, RegionInstruction } from "./region.ts";
import { clearedRegister } from "./scalars.ts";
import { commonFacts, type Fact, isNumberFact, type RegisterFacts } from "./vector-facts.ts";

/** By node, what is to be known of registers where several ways lead to it. The ways that do not know it have to look. */
export type EntryFacts = ReadonlyMap<number, RegisterFacts>;

/**
 * Decides what blocks that several ways lead to may take for granted, from what was known at the end of each block when nothing was.
 *
 * - Where ways meet: what all of them know.
 * - At the beginning of a loop: what each round knows in the end of a register that the next one reads. Compilers keep constants
 *   and sums in registers, so that it is enough to look before the first round.
 */
export function planEntryFacts(region: Region, graph: Graph, endFacts: ReadonlyMap<number, RegisterFacts>): EntryFacts {
  const plan = new Map<number, RegisterFacts>();
  if ([...endFacts.values()].every((facts) => facts.size === 0)) return plan;
  const live = liveRegisters(region, graph);
  for (const node of graph.order) {
    if (graph.hasSinglePredecessor(node)) continue;
    const before = graph.order.filter((from) => graph.successors(from).includes(node));
    const back = before.filter((from) => graph.isBackEdge(from, node));
    if (back.length === 0 && node === 0) continue;
    const ways = (back.length > 0 ? back : before).map((from) => endFacts.get(from) ?? new Map());
    const liveHere = live.get(node) ?? 0;
    const facts = new Map<number, ReadonlySet<Fact>>();
    for (const [register, common] of commonFacts(ways)) {
      const numbers = [...common].filter((fact) => isNumberFact(fact));
      if (((liveHere >> register) & 1) === 1 && numbers.length > 0) facts.set(register, new Set(numbers));
    }
    if (facts.size > 0) plan.set(node, facts);
  }
  return plan;
}

/** By node, the XMM registers (a bit for each) that are read before they are written from its beginning on, inside the region. */
function liveRegisters(region: Region, graph: Graph): ReadonlyMap<number, number> {
  const effects = region.blocks.map(({ instructions }) => effectsOf(instructions));
  const live = new Map<number, number>();
  const nodes = graph.order.toReversed();
  for (let changed = true; changed;) {
    changed = false;
    for (const node of nodes) {
      const { reads, writes } = effects[node] ?? { reads: 0, writes: 0 };
      const after = graph.successors(node).reduce((all, to) => all | (live.get(to) ?? 0), 0);
      const now = reads | (after & ~writes);
      if (live.get(node) === now) continue;
      live.set(node, now);
      changed = true;
    }
  }
  return live;
}

function effectsOf(instructions: readonly RegionInstruction[]): { readonly reads: number; readonly writes: number } {
  let reads = 0;
  let writes = 0;
  for (const current of instructions) {
    const { instruction, definition } = current;
    if (definition.unit !== "sse") continue;
    const cleared = clearedRegister(current);
    const accesses = Object.values(definition.operands ?? {});
    let written = 0;
    for (const [index, operand] of instruction.operands.entries()) {
      if (operand.kind !== "register" || operand.class !== "xmm") continue;
      const bit = 1 << operand.number;
      if (accesses[index] !== "w" && cleared === undefined) reads |= bit & ~writes;
      // A scalar in the low lane is all that facts of scalars speak of.
      if (accesses[index] !== "r") written |= bit;
    }
    writes |= written;
  }
  return { reads, writes };
}
