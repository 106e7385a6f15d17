import type { BlockEnd, Region } from "./region.ts";

/**
 * The control-flow graph of a region. Nodes are block numbers. Every cycle goes through the node that its back edge leads to
 * and that dominates it: where guest code jumps into the middle of a loop, the edge is cut, and leaves the region instead.
 */
export interface Graph {
  /** nodes that can be reached, in reverse postorder; the entry is the first */
  readonly order: readonly number[];
  /** whether the edge stays inside the region */
  hasEdge(from: number, offset: number): boolean;
  /** the node that begins at an offset */
  nodeAt(offset: number): number | undefined;
  isBackEdge(from: number, to: number): boolean;
  /** target of a back edge */
  isLoop(node: number): boolean;
  /** whether more than one edge, back edges not counted, leads to the node */
  isMerge(node: number): boolean;
  /** whether control comes from exactly one place */
  hasSinglePredecessor(node: number): boolean;
  /** nodes whose immediate dominator is `node`, in reverse postorder */
  dominated(node: number): readonly number[];
  successors(node: number): readonly number[];
}

export function buildGraph(region: Region): Graph {
  const nodes = new Map(region.blocks.map((block, node) => [block.start, node]));
  const successors = region.blocks.map(({ end }) => {
    // A branch whose two ways lead to one place counts twice: that place is where they meet.
    return offsetsOf(end)
      .map((offset) => nodes.get(offset))
      .filter((node) => node !== undefined);
  });
  let order = reversePostorder(successors);
  let dominators = immediateDominators(order, successors);
  const position = (node: number): number => order.indexOf(node);
  // Retreating edges to a node that does not dominate their source make a graph irreducible.
  for (const from of order) {
    const kept = (successors[from] ?? []).filter(
      (to) => position(to) > position(from) || dominates(dominators, to, from),
    );
    successors[from] = kept;
  }
  order = reversePostorder(successors);
  dominators = immediateDominators(order, successors);

  const rank = new Map(order.map((node, index) => [node, index]));
  const isBackEdge = (from: number, to: number): boolean => (rank.get(to) ?? 0) <= (rank.get(from) ?? 0);
  const loops = new Set<number>();
  const forward = new Map<number, number>();
  const incoming = new Map<number, number>([[0, 1]]);
  for (const from of order) {
    for (const to of successors[from] ?? []) {
      incoming.set(to, (incoming.get(to) ?? 0) + 1);
      if (isBackEdge(from, to)) loops.add(to);
      else forward.set(to, (forward.get(to) ?? 0) + 1);
    }
  }
  return {
    order,
    hasEdge: (from, offset) => {
      const to = nodes.get(offset);
      return to !== undefined && (successors[from] ?? []).includes(to);
    },
    nodeAt: (offset) => nodes.get(offset),
    isBackEdge,
    isLoop: (node) => loops.has(node),
    isMerge: (node) => (forward.get(node) ?? 0) > 1,
    hasSinglePredecessor: (node) => incoming.get(node) === 1,
    dominated: (node) => order.filter((other) => other !== 0 && dominators.get(other) === node),
    successors: (node) => successors[node] ?? [],
  };
}

function offsetsOf(end: BlockEnd): readonly number[] {
  switch (end.kind) {
    case "branch":
      return [end.target, end.next];
    case "jump":
      return [end.target];
    case "indirect":
      return end.candidates;
    case "interpret":
      return [];
  }
}

function reversePostorder(successors: readonly (readonly number[])[]): number[] {
  const seen = new Set<number>();
  const postorder: number[] = [];
  const visit = (node: number): void => {
    seen.add(node);
    for (const next of successors[node] ?? []) if (!seen.has(next)) visit(next);
    postorder.push(node);
  };
  visit(0);
  return postorder.reverse();
}

/** By the algorithm of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". */
function immediateDominators(
  order: readonly number[],
  successors: readonly (readonly number[])[],
): Map<number, number> {
  const rank = new Map(order.map((node, index) => [node, index]));
  const predecessors = new Map<number, number[]>();
  for (const from of order) {
    for (const to of successors[from] ?? []) predecessors.set(to, [...(predecessors.get(to) ?? []), from]);
  }
  const dominators = new Map<number, number>([[0, 0]]);
  const meet = (left: number, right: number): number => {
    let [a, b] = [left, right];
    while (a !== b) {
      if ((rank.get(a) ?? 0) > (rank.get(b) ?? 0)) a = dominators.get(a) ?? 0;
      else b = dominators.get(b) ?? 0;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order.slice(1)) {
      const known = (predecessors.get(node) ?? []).filter((from) => dominators.has(from));
      const dominator = known.reduce(meet);
      if (dominators.get(node) !== dominator) {
        dominators.set(node, dominator);
        changed = true;
      }
    }
  }
  return dominators;
}

function dominates(dominators: ReadonlyMap<number, number>, above: number, node: number): boolean {
  for (let at = node; ; at = dominators.get(at) ?? 0) {
    if (at === above) return true;
    if (at === 0) return false;
  }
}
