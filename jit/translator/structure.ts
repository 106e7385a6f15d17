import type { Label } from "../emit/function.ts";
import type { Graph } from "./graph.ts";

/** What structured code is made with. */
export interface StructureSink {
  /** Wraps what `body` emits in a block that `end` leaves. */
  block(body: (end: Label) => void): void;
  loop(body: (again: Label) => void): void;
  /** Emits the code of a node and of how it ends, calling `follow` where control goes on to another node of the region. */
  node(node: number, follow: (to: number) => void): void;
  /** Before the jump of a back edge: the last chance to leave. */
  backEdge(to: number): void;
  jump(label: Label): void;
}

/**
 * Emits a reducible graph as structured code: a node is emitted inside the node that dominates it, directly where its only
 * predecessor ends or, when several edges lead to it, behind a block that those edges leave. (N. Ramsey, "Beyond Relooper".)
 */
export function emitStructured(graph: Graph, sink: StructureSink): void {
  const ends = new Map<number, Label>();
  const loops = new Map<number, Label>();

  const follow = (from: number, to: number): void => {
    const isBack = graph.isBackEdge(from, to);
    if (isBack) sink.backEdge(to);
    const label = (isBack ? loops : ends).get(to);
    if (label) sink.jump(label);
    else tree(to);
  };
  const within = (node: number, merges: readonly number[]): void => {
    const [last, ...rest] = merges;
    if (last === undefined) {
      sink.node(node, (to) => follow(node, to));
      return;
    }
    sink.block((end) => {
      ends.set(last, end);
      within(node, rest);
    });
    ends.delete(last);
    tree(last);
  };
  const tree = (node: number): void => {
    // The merge that comes last in the order stands outermost: the others may jump forward to it.
    const merges = graph
      .dominated(node)
      .filter((child) => graph.isMerge(child))
      .reverse();
    if (!graph.isLoop(node)) return within(node, merges);
    sink.loop((again) => {
      loops.set(node, again);
      within(node, merges);
      loops.delete(node);
    });
  };
  tree(0);
}
