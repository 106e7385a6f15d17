import { Rec, Tlb } from "../../runtime/abi/memory-map.ts";
import { tlbEntry } from "../helpers/tlb.ts";
import { EntryRecord, LinkCell } from "../../runtime/abi/translator.ts";
import { HANDLER_PARAMS, HANDLER_RESULTS, HANDLER_TABLE } from "../interpreter/emitter.ts";
import { invariant } from "../../runtime/abi/invariant.ts";
import { guestState } from "../../runtime/abi/guest-state.ts";
import type { Label } from "../emit/function.ts";
import type { Expression, Wasm } from "../emit/wasm.ts";
import type { Value, Variable } from "../emit/value.ts";
import { BoundFlags } from "./bound-flags.ts";
import { COMMON_MXCSR, type Ending, TranslatorEmitter } from "./emitter.ts";
import { type FlagState, TranslatorFlags } from "./flags.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { type EntryFacts, planEntryFacts } from "./number-flow.ts";
import { emitDispatch } from "./indirect.ts";
import { deadFlags, flagsReadFrom } from "./liveness.ts";
import {
  type BlockEnd,
  pageOf,
  type Region,
  type RegionBlock,
  type RegionInstruction,
  shapeOf,
  Untranslatable,
} from "./region.ts";
import type { GroupPlan, RoundGroups } from "./round-groups.ts";
import { scalarFormats } from "./scalars.ts";
import { planSerialRounds } from "./serial-plan.ts";
import { SerialRounds } from "./serial-rounds.ts";
import { findStreams } from "./streams.ts";
import { Strip } from "./strip.ts";
import { emitStructured } from "./structure.ts";
import { commonFacts, missingFacts, type RegisterFacts } from "./vector-facts.ts";
import { planWideRounds } from "./wide-plan.ts";
import { WideRounds } from "./wide-rounds.ts";
import { X87_ENTRY, type X87Plan, type X87Point } from "./x87-flow.ts";

/** An instruction that turned out to be untranslatable when it was emitted. */
export class RejectedInstruction extends Error {
  override readonly name = "RejectedInstruction";
  readonly shape: string;

  constructor({ instruction }: RegionInstruction, cause: Untranslatable) {
    super(`${shapeOf(instruction)}: ${cause.message}`, { cause });
    this.shape = shapeOf(instruction);
  }
}

/** How to go on behind a region, at RIP. */
const Action = {
  /** like after any branch */
  GOTO: 0,
  /** with the interpreter: the instruction there misses the TLB, faults, or cannot be translated */
  INTERPRET: 1,
  /** at another place of the same page, which a link cell may know */
  LINK: 2,
  /** in another page, likewise */
  FAR_LINK: 3,
} as const;

/**
 * Packs what an exit needs into one constant: instructions of the block that have run (bits 0..15), the action (16..17), the number
 * of the link cell (18..31), and RIP relative to its page.
 */
function exitWord(
  retired: number,
  action: number,
  ripOffset: number,
  link: number,
): readonly [low: number, high: number] {
  return [(link << 18) | (action << 16) | retired, ripOffset];
}
/** Link cells that fit in an exit word. */
const MAXIMUM_LINKS = 0x2000;

/**
 * Emits one region as a function (vCPU base, entry record) -> Exit. Gives the number of its link cells.
 *
 * What is known of numbers where paths meet comes from a first try, which knew nothing there.
 *
 * @param abandon forgets all expressions that have been made
 * @param pages offset in linear memory of the pages that it lies in, by their distance from the first
 */
export function emitRegion(
  wasm: Wasm,
  name: string,
  region: Region,
  pages: ReadonlyMap<number, number>,
  abandon: () => void,
): number {
  let builder = new RegionBuilder(wasm, name, region, pages, new Map());
  builder.emitCode();
  const plan = builder.planEntryFacts();
  const x87Plan = builder.planX87();
  if (plan.size > 0 || x87Plan.size > 0) {
    abandon();
    builder = new RegionBuilder(wasm, name, region, pages, plan, x87Plan);
    builder.emitCode();
  }
  builder.finish();
  return builder.linkCount;
}

const PAGE = 4096;
/** Instructions of a loop that is worth a second copy. */
const MAXIMUM_TIGHT_LOOP = 64;
/** Rounds with all checks between two attempts to do without: a power of two. */
const STRIP_EVERY = 4;

class RegionBuilder {
  readonly #region: Region;
  readonly #pages: ReadonlyMap<number, number>;
  /** by node, pages that are known to be mapped as they were when the region was translated */
  readonly #mapped = new Map<number, Set<number>>();
  /** by node, pages of which something has been read where it ends */
  readonly #readable = new Map<number, ReadonlySet<number>>();
  /** by distance, whether it has been found that a page is mapped as it was */
  readonly #seen = new Map<number, Variable>();
  readonly #graph: Graph;
  readonly #entryFacts: EntryFacts;
  #code: Expression | undefined;
  readonly #flagReaders: ReadonlySet<number>;
  readonly #e: TranslatorEmitter;
  readonly #exit;
  /** where exits go on whose flags are known only at run time */
  readonly #unresolved: Label;
  /** what is known of vector registers where each node ends */
  readonly #endFacts = new Map<number, RegisterFacts>();
  readonly #endX87 = new Map<number, X87Point>();
  /** rounds of loops of one block that have run with all checks */
  readonly #rounds: Variable;
  readonly #stubs = new Map<FlagState, Label>();
  /** state of the flags where each node ends, for those that nothing else leads to */
  readonly #endStates = new Map<number, FlagState>();
  readonly #predecessors = new Map<number, number>();
  readonly #done: Label;
  #offset = 0;
  /** instructions that have run since the budget was charged: before the block, and before the instruction that is emitted */
  #uncharged = 0;
  #retired = 0;
  /** the same where each node ends, for those that nothing else leads to */
  readonly #endUncharged = new Map<number, number>();
  /** link cells by the offset that they lead to */
  readonly #links = new Map<number, number>();
  /** of the indirect branch by which the region is left: its offset in linear memory, and where it leads relative to its page */
  readonly #branch: Variable;
  readonly #branchTarget: Variable;
  #leavesIndirectly = false;

  constructor(
    wasm: Wasm,
    name: string,
    region: Region,
    pages: ReadonlyMap<number, number>,
    entryFacts: EntryFacts,
    x87Plan: X87Plan = new Map(),
  ) {
    this.#region = region;
    this.#pages = pages;
    this.#entryFacts = entryFacts;
    this.#graph = buildGraph(region);
    this.#flagReaders = flagsReadFrom(region, this.#graph);
    this.#e = new TranslatorEmitter(wasm, name, scalarFormats(region), {
      leaveBefore: (state) => this.#exitJump(state, this.#retired, Action.INTERPRET, this.#offset, 0),
    });
    this.#e.x87.flow.plan = x87Plan;
    this.#exit = this.#e.declare("i64", 64);
    this.#branch = this.#e.declare("i32", 32);
    this.#branchTarget = this.#e.declare("i64", 64);
    this.#rounds = this.#e.declare("i32", 32);
    this.#unresolved = this.#e.newLabel();
    this.#done = this.#e.newLabel();
    for (const node of this.#graph.order)
      for (const to of this.#graph.successors(node)) this.#predecessors.set(to, node);
  }

  get linkCount(): number {
    return this.#links.size;
  }

  /** Emits all blocks, which `finish` makes a function. */
  emitCode(): void {
    this.#code = this.#e.collected(() => this.#emitBody());
  }

  planEntryFacts(): EntryFacts {
    return planEntryFacts(this.#region, this.#graph, this.#endFacts);
  }
  planX87(): X87Plan {
    return this.#e.x87.flow.makePlan();
  }

  finish(): void {
    const e = this.#e;
    invariant(this.#code !== undefined, "there is code");
    let inner = this.#code;
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
    // Exits to other pages look at the TLB.
    if (this.#links.size > 0) e.usesTlb = true;
    // Before the prologue, which sets the constants that they use.
    const checks = e.collected(() => this.#emitChecks());
    e.emitPrologue();
    e.append(checks);
    e.wrapped(this.#done, whole);
    this.#emitEpilogue();
    e.finish();
  }

  // ---- entry and exit ----

  /** What the region was translated for must still hold, or the interpreter goes on. */
  #emitChecks(): void {
    const e = this.#e;
    // The entry record stands in front of the interpreter's records for the same block.
    const refuse = (): void => this.#dispatch(e.let(e.add(e.parameter(1), e.constant(32, Rec.BYTES))));
    // The last instructions before the budget is spent are the interpreter's, which looks after every block.
    const bound = e.constant(32, this.#region.instructionCount);
    e.plainIf(e.unlikely(e.ltS(e.budget.get(), bound)), refuse, () => undefined);
    const field = (name: "unitTraps" | "mxcsr"): Value => e.loadOffset(32, e.cpu, guestState[name].offset);
    if (e.unitTraps !== 0) e.plainIf(e.and(field("unitTraps"), e.constant(32, e.unitTraps)), refuse, () => undefined);
    if (e.x87.isUsed) e.plainIf(e.x87.refusal(), refuse, () => undefined);
    if (e.needsCommonMxcsr) {
      const control = e.and(field("mxcsr"), e.constant(32, COMMON_MXCSR.MASK));
      e.plainIf(e.ne(control, e.constant(32, COMMON_MXCSR.VALUE)), refuse, () => undefined);
    }
    const facts = this.#entryFacts.get(0);
    if (facts) e.requireFacts(missingFacts(facts, new Map()), refuse);
  }

  #emitEpilogue(): void {
    const e = this.#e;
    const exit = this.#exit;
    const retired = e.and(e.truncate(exit.get(), 32), e.constant(32, 0xffff));
    e.budget.set(e.sub(e.budget.get(), retired));
    const rip = e.add(e.ripPage.get(), e.shrS(exit.get(), e.constant(64, 32)));
    const target = e.let(rip);
    e.emitEpilogue();
    const word = e.let(e.truncate(exit.get(), 32));
    const action = e.let(e.and(e.shrU(word, e.constant(32, 16)), e.constant(32, 3)));
    if (this.#links.size > 0) {
      e.plainIf(
        e.geU(action, e.constant(32, Action.LINK)),
        () => this.#followLink(action, word, target),
        () => undefined,
      );
    }
    e.plainIf(
      action,
      () => e.tailCall("goto_interpreter", [e.cpu, target]),
      () => undefined,
    );
    if (this.#leavesIndirectly) e.tailCall("goto_from", [e.cpu, target, this.#branch.get(), this.#branchTarget.get()]);
    else e.tailCall("goto", [e.cpu, target]);
  }

  /** Goes on with the record that a link cell knows; in another page if that still is the page that it was. */
  #followLink(action: Value, word: Value, target: Value): void {
    const e = this.#e;
    const links = e.loadOffset(32, e.parameter(1), EntryRecord.LINKS);
    const index = e.shrU(word, e.constant(32, 18));
    const cell = e.let(e.add(links, e.mul(index, e.constant(32, LinkCell.BYTES))));
    const record = e.let(e.loadOffset(32, cell, LinkCell.RECORD));
    const nothing = (): void => undefined;
    e.plainIf(
      record,
      () => {
        e.plainIf(e.eq(action, e.constant(32, Action.LINK)), () => this.#dispatch(record), nothing);
        const page = e.let(e.and(target, e.constant(64, -PAGE)));
        const entry = tlbEntry(e, page);
        const isMapped = e.eq(e.loadOffset(64, entry, Tlb.EXECUTE + Tlb.TAG), page);
        const offset = e.add(e.truncate(page, 32), e.loadOffset(32, entry, Tlb.EXECUTE + Tlb.ADDEND));
        const isSame = e.eq(offset, e.loadOffset(32, cell, LinkCell.PAGE));
        e.plainIf(
          e.and(isMapped, isSame),
          () => {
            e.storeOffset(e.cpu, page, guestState.ripPage.offset);
            this.#dispatch(record);
          },
          nothing,
        );
      },
      nothing,
    );
    e.tailCall("goto_link", [e.cpu, target, cell]);
  }

  /** Goes on with a record. */
  #dispatch(record: Value): void {
    const e = this.#e;
    const handler = e.loadOffset(32, record, Rec.HANDLER);
    e.tailCallIndirect(HANDLER_TABLE, handler, [e.cpu, record], HANDLER_PARAMS, HANDLER_RESULTS);
  }

  /** Leaves for another place of the code, after a block. */
  #leaveTo(state: FlagState, target: number): void {
    const isInPage = pageOf(target) === 0;
    let link = this.#links.get(target);
    if (link === undefined && this.#links.size < MAXIMUM_LINKS) {
      link = this.#links.size;
      this.#links.set(target, link);
    }
    if (link === undefined) this.#leave(state, Action.GOTO, target);
    else this.#leave(state, isInPage ? Action.LINK : Action.FAR_LINK, target, link);
  }

  /** Jumps to where the region is left, after a block. */
  #leave(state: FlagState, action: number, ripOffset: number, link = 0): void {
    this.#e.append(this.#exitJump(state, this.#uncharged, action, ripOffset, link));
  }
  #exitJump(state: FlagState, retired: number, action: number, ripOffset: number, link: number): Expression {
    const e = this.#e;
    const isNear = ripOffset === (ripOffset | 0);
    const offset = isNear ? ripOffset : ripOffset - pageOf(ripOffset) * PAGE;
    const [low, high] = exitWord(retired, action, offset, link);
    const jump = e.assignAndBreak(this.#exit, e.constantWords(64, low, high), this.#exitLabel(state));
    if (isNear) return jump;
    // Too far for the exit word. What counts from the page is the exit alone, from here on.
    const page = e.add(e.ripPage.get(), e.constant(64, ripOffset - offset));
    return e.sequence([e.ripPage.assignment(page), jump]);
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
      e.x87.departFromOutside();
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
    e.facts.forget();
    e.forgetNames();
    this.#uncharged = 0;
    if (!this.#graph.hasSinglePredecessor(node)) {
      e.flags.arrive(this.#flagReaders.has(node));
      e.x87.arrive(node);
      const facts = this.#entryFacts.get(node);
      if (facts) e.facts.registers = facts;
    } else if (node !== 0) {
      const before = this.#predecessors.get(node) ?? 0;
      e.flags.state = this.#endStates.get(before) ?? TranslatorFlags.initial;
      this.#uncharged = this.#endUncharged.get(before) ?? 0;
      const facts = this.#endFacts.get(before);
      if (facts) e.facts.registers = facts;
      e.x87.point = this.#endX87.get(before) ?? X87_ENTRY;
    }
    this.#mapped.set(node, new Set(this.#mapped.get(this.#graph.dominator(node))).add(pageOf(block.start)));
    e.readable = new Set(this.#readable.get(this.#graph.dominator(node)));
    this.#readable.set(node, e.readable);
    const written: number[] = [];
    let ending = this.#emitInstructions(node, block, written);
    if (ending === "left") return;
    if (ending?.kind === "branch" && this.#isTightLoop(node, block))
      ending = this.#emitStrip(node, block, ending.condition, written);
    this.#endUncharged.set(node, this.#uncharged);
    this.#endStates.set(node, e.flags.state);
    this.#endFacts.set(node, e.facts.registers);
    this.#endX87.set(node, e.x87.point);
    this.#emitEnd(node, block, ending, follow);
  }

  /** Gives how the block ends; "left" if an instruction always leaves the region. */
  #emitInstructions(node: number, { instructions }: RegionBlock, written: number[] = []): Ending | "left" | undefined {
    const e = this.#e;
    let ending: Ending | undefined;
    const dead = deadFlags(instructions);
    for (let index = 0; index < instructions.length; index++) {
      const current = instructions[index];
      if (!current) break;
      this.#offset = current.offset;
      this.#retired = this.#uncharged + index;
      const lastPage = pageOf(current.end - 1);
      if (lastPage !== pageOf(current.offset)) this.#requirePage(node, lastPage);
      try {
        const result = e.emitInstruction(current, dead[index] === true);
        if (result === "left") return "left";
        ending = result;
      } catch (cause) {
        if (cause instanceof Untranslatable) throw new RejectedInstruction(current, cause);
        throw cause;
      }
      written.push(e.written);
    }
    e.settle();
    this.#uncharged += instructions.length;
    return ending;
  }

  // ---- pages ----

  /**
   * From here on, as far as `node` dominates, a page is mapped as it was when the region was translated, or the interpreter runs the
   * current instruction. While a region runs no mapping changes, so one look is enough.
   */
  #requirePage(node: number, distance: number): void {
    const e = this.#e;
    const mapped = this.#mapped.get(node);
    if (mapped?.has(distance) !== false) return;
    e.settle();
    const { state } = e.flags;
    this.#emitPageCheck(distance, () =>
      e.append(this.#exitJump(state, this.#retired, Action.INTERPRET, this.#offset, 0)),
    );
    mapped.add(distance);
  }

  #emitPageCheck(distance: number, leave: () => void): void {
    const e = this.#e;
    let seen = this.#seen.get(distance);
    if (!seen) this.#seen.set(distance, (seen = e.declare("i32", 32)));
    const flag = seen;
    const look = (): void => {
      this.#emitLook(distance, leave);
      flag.set(e.constant(32, 1));
    };
    // Not yet set in code that no loop leads to: the engine knows that.
    e.plainIf(e.unlikely(e.eqz(flag.get())), look, () => undefined);
  }

  #emitLook(distance: number, leave: () => void): void {
    const e = this.#e;
    const page = e.let(e.add(e.ripPage.get(), e.constant(64, distance * PAGE)));
    const entry = tlbEntry(e, page);
    const isOther = e.ne(e.loadOffset(64, entry, Tlb.EXECUTE + Tlb.TAG), page);
    const offset = e.add(e.truncate(page, 32), e.loadOffset(32, entry, Tlb.EXECUTE + Tlb.ADDEND));
    const hasMoved = e.ne(offset, e.constant(32, this.#pages.get(distance) ?? 0));
    e.plainIf(e.unlikely(e.or(isOther, hasMoved)), leave, () => undefined);
  }

  // ---- loops of one block ----

  #isTightLoop(node: number, { start, end, instructions }: RegionBlock): boolean {
    if (end.kind !== "branch" || end.target !== start || end.next === start) return false;
    // What is known of the x87 at the end of a round need not be what its beginning asks for.
    if (instructions.some(({ definition }) => definition.unit?.startsWith("x87"))) return false;
    return instructions.length <= MAXIMUM_TIGHT_LOOP && this.#graph.hasEdge(node, start);
  }

  /**
   * Behind a round of a loop of one block, emits a copy of the loop for the rounds that come next, as many as the budget and
   * the pages that its memory operands are in allow: none of them looks at the TLB or at the budget, and all begin with what the
   * round before it knew. The rounds that cross into other pages, and whatever else is not the common case, are left to the first copy.
   */
  #emitStrip(node: number, block: RegionBlock, condition: Value, written: readonly number[]): Ending {
    const e = this.#e;
    this.#charge();
    const { streams, sites } = findStreams(block, written);
    const wide = planWideRounds(block.instructions, sites);
    const serial = wide ? undefined : planSerialRounds(block.instructions, sites);
    const goesOn = e.variable(condition);
    const flags = new BoundFlags(e, e.flags.state);
    const strip = new Strip(e, streams, sites);
    const facts = e.facts.registers;
    const round = e.let(this.#rounds.get());
    this.#rounds.set(e.add(round, e.constant(32, 1)));
    const isDue = e.eqz(e.and(round, e.constant(32, STRIP_EVERY - 1)));
    let isLike = false;
    let after: RegisterFacts = new Map();
    const code = e.collected(() =>
      e.plainIf(
        e.and(goesOn.get(), isDue),
        () => {
          const spare = e.sub(e.budget.get(), e.constant(32, this.#region.instructionCount));
          strip.prepare(e.divS(spare, e.constant(32, block.instructions.length)));
          e.plainIf(
            e.gtS(strip.rounds.get(), e.constant(32, 1)),
            () => {
              if (wide) this.#emitGroups(block, new WideRounds(e, wide, strip));
              if (serial) this.#emitGroups(block, new SerialRounds(e, serial, strip));
              isLike = this.#emitRounds(node, block, strip, flags, facts, goesOn);
              after = e.facts.registers;
            },
            () => undefined,
          );
        },
        () => undefined,
      ),
    );
    if (isLike) e.append(code);
    e.flags.state = flags.current();
    e.facts.registers = isLike ? commonFacts([facts, after]) : facts;
    e.forgetNames();
    return { kind: "branch", condition: goesOn.get() };
  }

  #emitGroups({ instructions }: RegionBlock, groups: RoundGroups<GroupPlan>): void {
    const e = this.#e;
    e.forgetNames();
    groups.emit((rounds) => {
      const spent = e.mul(rounds, e.constant(32, instructions.length));
      e.budget.set(e.sub(e.budget.get(), spent));
    });
  }

  /** The rounds without checks; false if their flags are not like those of the first round, and the code is of no use. */
  #emitRounds(
    node: number,
    block: RegionBlock,
    strip: Strip,
    flags: BoundFlags,
    facts: RegisterFacts,
    goesOn: Variable,
  ): boolean {
    const e = this.#e;
    let isLike = false;
    e.plainBlock((end) =>
      e.plainLoop((again) => {
        e.flags.state = flags.current();
        e.facts.registers = facts;
        e.forgetNames();
        e.sites = strip.sites;
        const ending = this.#emitInstructions(node, block);
        e.sites = undefined;
        isLike = ending !== "left" && ending?.kind === "branch" && flags.matches(e.flags.state);
        // The next round takes for granted what this one did.
        if (missingFacts(facts, e.facts.registers).length > 0) isLike = false;
        if (!isLike || ending === "left" || ending?.kind !== "branch") return;
        const { condition } = ending;
        this.#charge();
        strip.advance(1);
        strip.rounds.set(e.sub(strip.rounds.get(), e.constant(32, 1)));
        const branch = e.let(condition);
        flags.assign(e.flags.state);
        e.plainIf(
          e.eqz(branch),
          () => {
            goesOn.set(e.constant(32, 0));
            e.plainBreak(end);
          },
          () => undefined,
        );
        e.plainIf(
          e.gtS(strip.rounds.get(), e.constant(32, 0)),
          () => e.plainBreak(again),
          () => undefined,
        );
      }),
    );
    return isLike;
  }

  /**
   * Charges the budget for what has run. Where nothing else leads, that waits: exits know how much is to be charged, and the budget
   * is looked at at back edges.
   */
  #charge(): void {
    const e = this.#e;
    if (this.#uncharged > 0) e.budget.set(e.sub(e.budget.get(), e.constant(32, this.#uncharged)));
    this.#uncharged = 0;
  }

  #emitEnd(node: number, { end }: RegionBlock, ending: Ending | undefined, follow: (to: number) => void): void {
    const e = this.#e;
    const state = e.flags.state;
    const uncharged = this.#uncharged;
    const { point } = e.x87;
    const facts = e.facts.registers;
    const goTo = (target: number) => (): void => {
      e.facts.registers = facts;
      e.flags.state = state;
      e.x87.point = point;
      this.#uncharged = uncharged;
      this.#emitEdge(node, target, follow);
    };
    switch (end.kind) {
      case "jump":
        return goTo(end.target)();
      case "interpret":
        return this.#leave(state, Action.INTERPRET, end.target);
      case "branch":
        if (ending?.kind !== "branch") return goTo(end.target)();
        return e.plainIf(ending.condition, goTo(end.target), goTo(end.next));
      case "indirect":
        if (ending?.kind !== "indirect") return;
        return this.#emitIndirect(node, ending.rip, end, goTo, () => {
          this.#uncharged = uncharged;
          e.ripPage.set(ending.rip);
          this.#leave(state, Action.GOTO, 0);
        });
    }
  }

  /** Goes on inside the region if the target is one of the candidates. */
  #emitIndirect(
    node: number,
    rip: Value,
    { branch, candidates }: Extract<BlockEnd, { readonly kind: "indirect" }>,
    goTo: (target: number) => () => void,
    leave: () => void,
  ): void {
    const e = this.#e;
    const place = e.let(e.sub(rip, e.ripPage.get()));
    const inside = candidates.filter((candidate) => this.#graph.hasEdge(node, candidate));
    const distance = pageOf(branch);
    emitDispatch(
      e,
      place,
      inside,
      (candidate) => goTo(candidate)(),
      () => {
        this.#leavesIndirectly = true;
        this.#branch.set(e.constant(32, (this.#pages.get(distance) ?? 0) + branch - distance * PAGE));
        this.#branchTarget.set(e.sub(place, e.constant(64, distance * PAGE)));
        leave();
      },
    );
  }

  #emitEdge(from: number, target: number, follow: (to: number) => void): void {
    const e = this.#e;
    const graph = this.#graph;
    const to = graph.nodeAt(target);
    if (to === undefined || !graph.hasEdge(from, target)) return this.#leaveTo(e.flags.state, target);
    const page = pageOf(target);
    if (this.#mapped.get(from)?.has(page) !== true) {
      const state = e.flags.state;
      this.#emitPageCheck(page, () => this.#leaveTo(state, target));
      e.flags.state = state;
    }
    const facts = this.#entryFacts.get(to);
    if (facts && !graph.hasSinglePredecessor(to)) {
      const state = e.flags.state;
      e.requireFacts(missingFacts(facts, e.facts.registers), () => this.#leaveTo(state, target));
      e.flags.state = state;
    }
    // Compilers do not do that: the place is reached with stacks of different depths.
    if (!graph.hasSinglePredecessor(to)) {
      const state = e.flags.state;
      const leave = (): void => this.#leaveTo(state, target);
      if (!e.x87.depart(to, graph.isBackEdge(from, to), leave)) return leave();
      e.flags.state = state;
    }
    if (!graph.hasSinglePredecessor(to)) this.#charge();
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
    const spent = e.unlikely(e.ltS(e.budget.get(), e.constant(32, this.#region.instructionCount)));
    e.plainIf(
      spent,
      () => this.#leaveTo(state, target),
      () => undefined,
    );
    e.flags.state = state;
    e.flags.depart(this.#flagReaders.has(to));
  }
}
