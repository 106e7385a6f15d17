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
  /** immediate dominator; of the entry the entry itself */
  dominator(node: number): number;
  /** nodes whose immediate dominator is `node`, in reverse postorder */
  dominated(node: number): readonly number[];
  successors(node: number): readonly number[];
}

type Successors = number[][];

export function buildGraph(region: Region): Graph {
  const { blocks } = region;
  const nodes = new Map<number, number>();
  for (let node = 0; node < blocks.length; node++) nodes.set(blocks[node]?.start ?? 0, node);
  const successors: Successors = blocks.map(({ end }) => {
    // A branch whose two ways lead to one place counts twice: that place is where they meet.
    const found: number[] = [];
    for (const offset of offsetsOf(end)) {
      const node = nodes.get(offset);
      if (node !== undefined) found.push(node);
    }
    return found;
  });
  let order = reversePostorder(successors);
  let ranks = ranksOf(order, blocks.length);
  let dominators = immediateDominators(order, ranks, successors);
  if (cutIrreducible(order, ranks, dominators, successors)) {
    order = reversePostorder(successors);
    ranks = ranksOf(order, blocks.length);
    dominators = immediateDominators(order, ranks, successors);
  }
  return new RegionGraph(nodes, order, ranks, dominators, successors);
}

class RegionGraph implements Graph {
  readonly order: readonly number[];
  readonly #nodes: ReadonlyMap<number, number>;
  readonly #ranks: Int32Array;
  readonly #successors: Successors;
  readonly #dominators: Int32Array;
  readonly #dominated: number[][];
  readonly #loops: Uint8Array;
  /** edges to each node: all but back edges, and all */
  readonly #forward: Int32Array;
  readonly #incoming: Int32Array;

  constructor(
    nodes: ReadonlyMap<number, number>,
    order: readonly number[],
    ranks: Int32Array,
    dominators: Int32Array,
    successors: Successors,
  ) {
    this.order = order;
    this.#nodes = nodes;
    this.#ranks = ranks;
    this.#successors = successors;
    this.#dominators = dominators;
    this.#loops = new Uint8Array(ranks.length);
    this.#forward = new Int32Array(ranks.length);
    this.#incoming = new Int32Array(ranks.length);
    this.#dominated = successors.map(() => []);
    this.#incoming[0] = 1;
    for (const from of order) {
      if (from !== 0) this.#dominated[dominators[from] ?? 0]?.push(from);
      for (const to of successors[from] ?? []) {
        this.#incoming[to] = (this.#incoming[to] ?? 0) + 1;
        if (this.isBackEdge(from, to)) this.#loops[to] = 1;
        else this.#forward[to] = (this.#forward[to] ?? 0) + 1;
      }
    }
  }

  hasEdge(from: number, offset: number): boolean {
    const to = this.#nodes.get(offset);
    return to !== undefined && this.successors(from).includes(to);
  }
  nodeAt(offset: number): number | undefined {
    return this.#nodes.get(offset);
  }
  isBackEdge(from: number, to: number): boolean {
    return (this.#ranks[to] ?? 0) <= (this.#ranks[from] ?? 0);
  }
  isLoop(node: number): boolean {
    return this.#loops[node] === 1;
  }
  isMerge(node: number): boolean {
    return (this.#forward[node] ?? 0) > 1;
  }
  hasSinglePredecessor(node: number): boolean {
    return this.#incoming[node] === 1;
  }
  dominator(node: number): number {
    return this.#dominators[node] ?? 0;
  }
  dominated(node: number): readonly number[] {
    return this.#dominated[node] ?? [];
  }
  successors(node: number): readonly number[] {
    return this.#successors[node] ?? [];
  }
}

/** Cuts retreating edges to nodes that do not dominate their source: they make a graph irreducible. Gives whether there were any. */
function cutIrreducible(
  order: readonly number[],
  ranks: Int32Array,
  dominators: Int32Array,
  successors: Successors,
): boolean {
  let isCut = false;
  for (const from of order) {
    const all = successors[from] ?? [];
    const keeps = (to: number): boolean => (ranks[to] ?? 0) > (ranks[from] ?? 0) || dominates(dominators, to, from);
    if (all.every(keeps)) continue;
    successors[from] = all.filter(keeps);
    isCut = true;
  }
  return isCut;
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

function reversePostorder(successors: Successors): number[] {
  const seen = new Uint8Array(successors.length);
  const postorder: number[] = [];
  const visit = (node: number): void => {
    seen[node] = 1;
    for (const next of successors[node] ?? []) if (seen[next] === 0) visit(next);
    postorder.push(node);
  };
  visit(0);
  return postorder.reverse();
}

/** The position of each node in the order; 0 for those that are not in it. */
function ranksOf(order: readonly number[], nodes: number): Int32Array {
  const ranks = new Int32Array(nodes);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank] ?? 0] = rank;
  return ranks;
}

/** By the algorithm of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". -1 for nodes that cannot be reached. */
function immediateDominators(order: readonly number[], ranks: Int32Array, successors: Successors): Int32Array {
  const predecessors: number[][] = successors.map(() => []);
  for (const from of order) for (const to of successors[from] ?? []) predecessors[to]?.push(from);
  const dominators = new Int32Array(successors.length).fill(-1);
  dominators[0] = 0;
  const meet = (left: number, right: number): number => {
    let [a, b] = [left, right];
    while (a !== b) {
      if ((ranks[a] ?? 0) > (ranks[b] ?? 0)) a = dominators[a] ?? 0;
      else b = dominators[b] ?? 0;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let rank = 1; rank < order.length; rank++) {
      const node = order[rank] ?? 0;
      let dominator = -1;
      for (const from of predecessors[node] ?? [])
        if ((dominators[from] ?? -1) >= 0) dominator = dominator < 0 ? from : meet(dominator, from);
      if (dominators[node] === dominator) continue;
      dominators[node] = dominator;
      changed = true;
    }
  }
  return dominators;
}

function dominates(dominators: Int32Array, above: number, node: number): boolean {
  for (let at = node; ; at = dominators[at] ?? 0) {
    if (at === above) return true;
    if (at === 0) return false;
  }
}
