import { guestState, Segment } from "../../runtime/abi/guest-state.ts";
import type { Value, Variable } from "../emit/value.ts";
import { EXCEPTIONS, Fsw } from "../helpers/x87/registers.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { X87_ENTRY, type X87Facts, X87Flow, type X87Point } from "./x87-flow.ts";
import { declareStatus, type StatusLocals, X87Status } from "./x87-status.ts";

/** An extended number: significand (i64), and sign and exponent in 16 bits of an i32. */
export interface Extended {
  readonly significand: Value;
  readonly top: Value;
}

/** PC and RC of FCW, and what they are in the common case: 64 bits, to nearest. SDM Vol. 1, 8.1.5. */
const CONTROL = 0xf00;
const COMMON_CONTROL = 0x300;
const REGISTERS = 8;
/** bits that guestState.fpr has for a register */
const LOG_REGISTER_BYTES = 4;

interface Locals {
  /** TOP at the entry */
  readonly top: Variable;
  /** bit r: register r is not empty */
  readonly tags: Variable;
  readonly status: StatusLocals;
  readonly moved: Variable;
  /** offset of the last instruction that sets FIP, and whether there was one */
  readonly instruction: Variable;
  readonly hasInstruction: Variable;
  /** the last memory operand that sets FDP, and whether there was one */
  readonly data: Variable;
  readonly hasData: Variable;
}

/**
 * The x87 of a region: its registers are pairs of locals, and where TOP stands is known statically at each place, relative to where it
 * stood at the entry. Regions are entered only with all exceptions masked and none pending, and no instruction of a region changes that.
 */
export class X87State {
  point: X87Point = X87_ENTRY;
  readonly #e: TranslatorEmitter;
  #locals: Locals | undefined;
  #arithmetic = 0;
  readonly #significands: (Variable | undefined)[] = [];
  readonly #tops: (Variable | undefined)[] = [];
  readonly #written = new Set<number>();
  readonly flow: X87Flow = new X87Flow();
  readonly status: X87Status;
  /** what must hold at the entry */
  #refused: X87Facts = X87_ENTRY;

  constructor(e: TranslatorEmitter) {
    this.#e = e;
    this.status = new X87Status(e, () => this.#used.status);
  }

  /** Whether the region has instructions of the x87. */
  get isUsed(): boolean {
    return this.#locals !== undefined;
  }

  get #used(): Locals {
    const e = this.#e;
    return (this.#locals ??= {
      top: e.declare("i32", 32),
      tags: e.declare("i32", 32),
      status: declareStatus(e),
      moved: e.declare("i32", 32),
      instruction: e.declare("i64", 64),
      hasInstruction: e.declare("i32", 32),
      data: e.declare("i64", 64),
      hasData: e.declare("i32", 32),
    });
  }

  /** How many arithmetic instructions there are, with one that is emitted now. */
  countArithmetic(): number {
    return ++this.#arithmetic;
  }

  /** The region is entered only by those who may use the x87. */
  use(): void {
    void this.#used;
  }

  // ---- edges between nodes ----

  /**
   * Before an edge to a node with several predecessors: what that asks for is looked at, and `leave` is emitted where it does not hold.
   * False if the node expects TOP somewhere else.
   */
  depart(to: number, isBack: boolean, leave: () => void): boolean {
    const missing = this.flow.depart(to, this.point, isBack);
    if (!missing) return false;
    const e = this.#e;
    const differs = this.#differs(missing);
    if (differs) e.plainIf(e.unlikely(differs), leave, () => undefined);
    return true;
  }

  /** The edge from outside to the first node, if other edges lead there; what it asks for is looked at by `refusal`. */
  departFromOutside(): void {
    this.#refused = this.flow.depart(0, X87_ENTRY, false) ?? X87_ENTRY;
  }

  /** At the beginning of a node with several predecessors. */
  arrive(node: number): void {
    this.point = this.flow.arrive(node);
  }

  /** Not 0 unless facts hold; undefined if there are none. */
  #differs({ valid, empty, common }: X87Facts): Value | undefined {
    const e = this.#e;
    const conditions: Value[] = [];
    if ((valid | empty) !== 0) {
      const found = e.and(this.#used.tags.get(), e.constant(32, valid | empty));
      conditions.push(valid === 0 ? found : e.ne(found, e.constant(32, valid)));
    }
    if (common) {
      const control = e.and(e.get("fcw"), e.constant(32, CONTROL));
      conditions.push(e.ne(control, e.constant(32, COMMON_CONTROL)));
    }
    return conditions.reduce<Value | undefined>((all, one) => (all ? e.or(all, one) : one), undefined);
  }

  // ---- registers ----

  #number(i: number): number {
    return (this.point.moved + i) % REGISTERS;
  }
  #register(number: number): { readonly significand: Variable; readonly top: Variable } {
    const e = this.#e;
    return {
      significand: (this.#significands[number] ??= e.declare("i64", 64)),
      top: (this.#tops[number] ??= e.declare("i32", 32)),
    };
  }

  /** ST(i). */
  read(i: number): Extended {
    const { significand, top } = this.#register(this.#number(i));
    return { significand: this.#e.let(significand.get()), top: this.#e.let(top.get()) };
  }

  /** Replaces ST(i), which is not empty. Its values are named or constants. */
  write(i: number, { significand, top }: Extended): void {
    const number = this.#number(i);
    const register = this.#register(number);
    this.#e.changed();
    this.#written.add(number);
    register.significand.set(significand);
    register.top.set(top);
  }

  /** Leaves the region unless each ST(i) of `full` holds a number and each of `free` is empty. */
  require(full: readonly number[], free: readonly number[] = []): void {
    const { point } = this;
    const bits = (list: readonly number[]): number => list.reduce((sum, i) => sum | (1 << this.#number(i)), 0);
    const valid = bits(full) & ~point.valid;
    const empty = bits(free) & ~point.empty;
    if ((valid | empty) === 0) return;
    this.#requireFacts({ valid, empty, common: false });
    this.point = {
      ...point,
      valid: (point.valid | valid) & ~empty,
      empty: (point.empty | empty) & ~valid,
    };
  }

  /** Leaves the region unless FCW rounds to nearest and to 64 bits. */
  requireCommonControl(): void {
    if (this.point.common) return;
    this.#requireFacts({ valid: 0, empty: 0, common: true });
    this.point = { ...this.point, common: true };
  }
  #requireFacts(facts: X87Facts): void {
    const e = this.#e;
    this.flow.ask(facts);
    const differs = this.#differs(facts);
    if (differs) e.if(e.unlikely(differs), () => e.giveUp());
  }
  /** FCW has changed. */
  forgetControl(): void {
    this.point = { ...this.point, common: false };
  }

  /** TOP moves. */
  move(by: 1 | -1): void {
    const e = this.#e;
    e.changed();
    const moved = (this.point.moved + by + REGISTERS) % REGISTERS;
    this.point = { ...this.point, moved };
    this.#used.moved.set(e.constant(32, moved));
  }

  /** Pushes a number onto a stack that has room. */
  push(number: Extended): void {
    this.move(-1);
    this.mark(0, true);
    this.write(0, number);
  }
  pop(): void {
    this.mark(0, false);
    this.move(1);
  }
  /** ST(i) becomes empty, or not. */
  mark(i: number, isValid: boolean): void {
    const e = this.#e;
    const bit = 1 << this.#number(i);
    const { tags } = this.#used;
    const { point } = this;
    e.changed();
    const isKnown = ((isValid ? point.valid : point.empty) & bit) !== 0;
    if (!isKnown) tags.set(isValid ? e.or(tags.get(), e.constant(32, bit)) : e.and(tags.get(), e.constant(32, ~bit)));
    this.point = {
      ...point,
      valid: isValid ? point.valid | bit : point.valid & ~bit,
      empty: isValid ? point.empty & ~bit : point.empty | bit,
    };
  }

  // ---- status and pointers ----

  /** FSW with TOP, 32 bits. */
  assembledStatus(): Value {
    const e = this.#e;
    const { top } = this.#used;
    const moved = e.and(e.add(top.get(), e.constant(32, this.point.moved)), e.constant(32, REGISTERS - 1));
    return e.let(e.or(this.status.read(), e.shl(moved, e.constant(32, Math.log2(Fsw.TOP & -Fsw.TOP)))));
  }

  /** Notes where the last instruction stood, and its memory operand. SDM Vol. 1, 8.1.8. */
  recordPointers(offset: number, memory?: Value): void {
    const e = this.#e;
    const { instruction, hasInstruction, data, hasData } = this.#used;
    e.changed();
    instruction.set(e.constant(64, offset));
    hasInstruction.set(e.constant(32, 1));
    if (!memory) return;
    data.set(memory);
    hasData.set(e.constant(32, 1));
  }

  // ---- entry and exit ----

  /** Not 0 if the region must not be entered: an exception is not masked, one is pending, or what the first node asks for does not hold. */
  refusal(): Value {
    const e = this.#e;
    const unmasked = e.and(e.not(e.get("fcw")), e.constant(32, EXCEPTIONS));
    const refused = e.or(unmasked, e.and(e.get("fsw"), e.constant(32, Fsw.ES)));
    const differs = this.#differs(this.#refused);
    return differs ? e.or(refused, differs) : refused;
  }

  /** Emits, at the entry: the locals are loaded. */
  emitPrologue(): void {
    if (!this.#locals) return;
    const e = this.#e;
    const { top, tags } = this.#locals;
    const entryTop = e.let(e.get("ftop"));
    top.set(entryTop);
    this.status.load();
    const ftag = e.let(e.get("ftag"));
    const doubled = e.or(ftag, e.shl(ftag, e.constant(32, REGISTERS)));
    tags.set(e.and(e.shrU(doubled, entryTop), e.constant(32, 0xff)));
    this.#significands.forEach((significand, number) => {
      if (!significand) return;
      const at = this.#place(entryTop, number);
      significand.set(e.loadOffset(64, at, guestState.fpr.offset));
      this.#tops[number]?.set(e.extend(e.loadOffset(16, at, guestState.fpr.offset + 8), 32));
    });
  }

  /** Emits, at the exit: what may have changed is stored. */
  emitEpilogue(): void {
    if (!this.#locals) return;
    const e = this.#e;
    const store = (field: "ftop" | "ftag" | "fsw" | "fcs" | "fds" | "fip" | "fdp", value: Value): void =>
      e.storeOffset(e.cpu, value, guestState[field].offset);
    const { top, tags, moved, instruction, hasInstruction, data, hasData } = this.#locals;
    const entryTop = e.let(top.get());
    store("ftop", e.and(e.add(entryTop, moved.get()), e.constant(32, REGISTERS - 1)));
    store("fsw", this.status.read());
    const shifted = e.let(e.shl(tags.get(), entryTop));
    store("ftag", e.and(e.or(shifted, e.shrU(shifted, e.constant(32, REGISTERS))), e.constant(32, 0xff)));
    for (const number of this.#written) {
      const at = this.#place(entryTop, number);
      const { significand, top: signAndExponent } = this.#register(number);
      e.storeOffset(at, significand.get(), guestState.fpr.offset);
      e.storeOffset(at, e.extend(signAndExponent.get(), 64), guestState.fpr.offset + 8);
    }
    const nothing = (): void => undefined;
    e.plainIf(
      hasInstruction.get(),
      () => {
        // The local that RIP counts from may hold the target of a branch by now.
        store("fip", e.add(e.loadOffset(64, e.cpu, guestState.ripPage.offset), instruction.get()));
        store("fcs", e.get("segmentSelector", Segment.CS));
      },
      nothing,
    );
    e.plainIf(
      hasData.get(),
      () => {
        store("fdp", data.get());
        store("fds", e.get("segmentSelector", Segment.DS));
      },
      nothing,
    );
  }

  /** vCPU base plus the place of a register in guestState.fpr. */
  #place(entryTop: Value, number: number): Value {
    const e = this.#e;
    const physical = e.and(e.add(entryTop, e.constant(32, number)), e.constant(32, REGISTERS - 1));
    return e.let(e.add(e.cpu, e.shl(physical, e.constant(32, LOG_REGISTER_BYTES))));
  }
}
