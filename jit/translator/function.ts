import { RegionAction } from "../../runtime/abi/translator.ts";
import { guestState } from "../../runtime/abi/guest-state.ts";
import type { Label } from "../emit/function.ts";
import type { Wasm } from "../emit/wasm.ts";
import type { Value } from "../emit/value.ts";
import { COMMON_MXCSR, type Ending, TranslatorEmitter } from "./emitter.ts";
import { type FlagState, TranslatorFlags } from "./flags.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { flagsAreDead, flagsReadFrom } from "./liveness.ts";
import { type Region, type RegionBlock, type RegionInstruction, shapeOf, Untranslatable } from "./region.ts";
import { emitStructured } from "./structure.ts";

/** An instruction that turned out to be untranslatable when it was emitted. */
export class RejectedInstruction extends Error {
  override readonly name = "RejectedInstruction";
  readonly shape: string;

  constructor({ instruction }: RegionInstruction, cause: Untranslatable) {
    super(`${shapeOf(instruction)}: ${cause.message}`, { cause });
    this.shape = shapeOf(instruction);
  }
}

export const REGION_FUNCTION = "region";

/** Packs what an exit needs into one constant: instructions of the block that have run, the action, and RIP relative to its page. */
function exitWord(retired: number, action: number, ripOffset: number): bigint {
  return (BigInt(ripOffset) << 24n) | (BigInt(action) << 16n) | BigInt(retired);
}

/** Emits one region as the function `region`: (vCPU base) -> RegionAction. */
export function emitRegion(wasm: Wasm, region: Region): void {
  new RegionBuilder(wasm, region).build();
}

class RegionBuilder {
  readonly #region: Region;
  readonly #graph: Graph;
  readonly #flagReaders: ReadonlySet<number>;
  readonly #e: TranslatorEmitter;
  readonly #exit;
  /** where exits go on whose flags are known only at run time */
  readonly #unresolved: Label;
  readonly #stubs = new Map<FlagState, Label>();
  /** state of the flags where each node ends, for those that nothing else leads to */
  readonly #endStates = new Map<number, FlagState>();
  readonly #predecessors = new Map<number, number>();
  readonly #done: Label;
  #offset = 0;
  #retired = 0;

  constructor(wasm: Wasm, region: Region) {
    this.#region = region;
    this.#graph = buildGraph(region);
    this.#flagReaders = flagsReadFrom(region, this.#graph);
    this.#e = new TranslatorEmitter(wasm, REGION_FUNCTION, {
      leaveBefore: (state) => this.#leave(state, this.#retired, RegionAction.INTERPRET, this.#offset),
    });
    this.#exit = this.#e.declare("i64", 64);
    this.#unresolved = this.#e.newLabel();
    this.#done = this.#e.newLabel();
    for (const node of this.#graph.order)
      for (const to of this.#graph.successors(node)) this.#predecessors.set(to, node);
  }

  build(): void {
    const e = this.#e;
    let inner = e.collected(() => this.#emitBody());
    for (const [state, label] of this.#stubs) {
      const current = inner;
      inner = e.collected(() => {
        e.wrapped(label, current);
        e.flags.emitExit(
          state,
          () => e.plainBreak(this.#done),
          () => e.plainBreak(this.#unresolved),
        );
      });
    }
    const body = inner;
    const whole = e.collected(() => {
      e.wrapped(this.#unresolved, body);
      e.flags.emitResolution();
    });
    e.emitPrologue();
    this.#emitChecks();
    e.wrapped(this.#done, whole);
    this.#emitEpilogue();
    e.finish();
  }

  // ---- entry and exit ----

  /** What the region was translated for must still hold, or the interpreter goes on. */
  #emitChecks(): void {
    const e = this.#e;
    const refuse = (): void => {
      e.storeOffset(
        e.cpu,
        e.add(e.ripPage.get(), e.constant(64, this.#region.blocks[0]?.start ?? 0)),
        guestState.rip.offset,
      );
      e.return(e.constant(32, RegionAction.INTERPRET));
    };
    const field = (name: "unitTraps" | "mxcsr"): Value => e.loadOffset(32, e.cpu, guestState[name].offset);
    if (e.unitTraps !== 0) e.plainIf(e.and(field("unitTraps"), e.constant(32, e.unitTraps)), refuse, () => undefined);
    if (e.needsCommonMxcsr) {
      const control = e.and(field("mxcsr"), e.constant(32, COMMON_MXCSR.MASK));
      e.plainIf(e.ne(control, e.constant(32, COMMON_MXCSR.VALUE)), refuse, () => undefined);
    }
  }

  #emitEpilogue(): void {
    const e = this.#e;
    const exit = this.#exit;
    const retired = e.and(e.truncate(exit.get(), 32), e.constant(32, 0xffff));
    e.budget.set(e.sub(e.budget.get(), retired));
    const rip = e.add(e.ripPage.get(), e.shrS(exit.get(), e.constant(64, 24)));
    e.storeOffset(e.cpu, rip, guestState.rip.offset);
    e.emitEpilogue();
    const action = e.and(e.shrU(e.truncate(exit.get(), 32), e.constant(32, 16)), e.constant(32, 0xff));
    e.return(action);
  }

  /** Jumps to where the region is left. */
  #leave(state: FlagState, retired: number, action: number, ripOffset: number): void {
    const e = this.#e;
    this.#exit.set(e.constant(64, exitWord(retired, action, ripOffset)));
    e.plainBreak(this.#exitLabel(state));
  }

  #exitLabel(state: FlagState): Label {
    if (state.base.kind === "initial" && !state.step) return this.#done;
    if (state.base.kind === "dynamic" && state.step === "dynamic") return this.#unresolved;
    let label = this.#stubs.get(state);
    if (!label) {
      label = this.#e.newLabel();
      this.#stubs.set(state, label);
    }
    return label;
  }

  // ---- the graph ----

  #emitBody(): void {
    const e = this.#e;
    const graph = this.#graph;
    // The edge from outside; with a loop at the entry it is one of several.
    if (!graph.hasSinglePredecessor(0)) {
      e.flags.state = TranslatorFlags.initial;
      e.flags.depart(this.#flagReaders.has(0));
    }
    emitStructured(graph, {
      block: (body) => e.plainBlock(body),
      loop: (body) => e.plainLoop(body),
      jump: (label) => e.plainBreak(label),
      node: (node, follow) => this.#emitNode(node, follow),
      backEdge: (to) => this.#emitBackEdge(to),
    });
  }

  #emitNode(node: number, follow: (to: number) => void): void {
    const e = this.#e;
    const block = this.#region.blocks[node];
    if (!block) return;
    if (!this.#graph.hasSinglePredecessor(node)) {
      e.flags.arrive(this.#flagReaders.has(node));
    } else if (node !== 0) {
      e.flags.state = this.#endStates.get(this.#predecessors.get(node) ?? 0) ?? TranslatorFlags.initial;
    }
    let ending: Ending | undefined;
    for (const [index, current] of block.instructions.entries()) {
      this.#offset = current.offset;
      this.#retired = index;
      try {
        const result = e.emitInstruction(current, flagsAreDead(block.instructions, index));
        if (result === "left") return;
        ending = result;
      } catch (cause) {
        if (cause instanceof Untranslatable) throw new RejectedInstruction(current, cause);
        throw cause;
      }
    }
    this.#charge(block.instructions.length);
    this.#endStates.set(node, e.flags.state);
    this.#emitEnd(node, block, ending, follow);
  }

  #charge(instructions: number): void {
    const e = this.#e;
    if (instructions > 0) e.budget.set(e.sub(e.budget.get(), e.constant(32, instructions)));
  }

  #emitEnd(node: number, { end }: RegionBlock, ending: Ending | undefined, follow: (to: number) => void): void {
    const e = this.#e;
    const state = e.flags.state;
    const goTo = (target: number) => (): void => {
      e.flags.state = state;
      this.#emitEdge(node, target, follow);
    };
    switch (end.kind) {
      case "jump":
        return goTo(end.target)();
      case "interpret":
        return this.#leave(state, 0, RegionAction.INTERPRET, end.target);
      case "branch":
        if (ending?.kind !== "branch") return goTo(end.target)();
        return e.plainIf(ending.condition, goTo(end.target), goTo(end.next));
      case "indirect":
        if (ending?.kind === "indirect") this.#emitIndirect(node, ending.rip, end.candidates, state, goTo);
    }
  }

  /** Goes on inside the region if the target is one of the candidates. */
  #emitIndirect(
    node: number,
    rip: Value,
    candidates: readonly number[],
    state: FlagState,
    goTo: (target: number) => () => void,
  ): void {
    const e = this.#e;
    const [candidate, ...others] = candidates.filter((offset) => this.#graph.hasEdge(node, offset));
    if (candidate === undefined) {
      e.ripPage.set(rip);
      return this.#leave(state, 0, RegionAction.GOTO, 0);
    }
    e.plainIf(e.eq(rip, e.add(e.ripPage.get(), e.constant(64, candidate))), goTo(candidate), () =>
      this.#emitIndirect(node, rip, others, state, goTo),
    );
  }

  #emitEdge(from: number, target: number, follow: (to: number) => void): void {
    const e = this.#e;
    const graph = this.#graph;
    const to = graph.nodeAt(target);
    if (to === undefined || !graph.hasEdge(from, target))
      return this.#leave(e.flags.state, 0, RegionAction.GOTO, target);
    this.#pendingState = e.flags.state;
    if (!graph.hasSinglePredecessor(to) && !graph.isBackEdge(from, to)) e.flags.depart(this.#flagReaders.has(to));
    follow(to);
  }
  #pendingState: FlagState = TranslatorFlags.initial;

  /** The budget is looked at where the region could go on forever. */
  #emitBackEdge(to: number): void {
    const e = this.#e;
    const target = this.#region.blocks[to]?.start ?? 0;
    const state = this.#pendingState;
    const spent = e.ltS(e.budget.get(), e.constant(32, this.#region.instructionCount));
    e.plainIf(
      spent,
      () => this.#leave(state, 0, RegionAction.GOTO, target),
      () => undefined,
    );
    e.flags.state = state;
    e.flags.depart(this.#flagReaders.has(to));
  }
}
