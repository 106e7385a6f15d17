import type { Value, Variable, Width } from "../emit/value.ts";
import type { ConditionCode } from "../semantics/emitter.ts";
import { type Arithmetic, Flags, type FlagValues, type NumberPair } from "../semantics/flags.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { Untranslatable } from "./region.ts";

/**
 * Where the six flags are at a point of the region. Values in it are named and never change, so a state may be kept, and looked at
 * wherever the point that it belongs to dominates.
 */
export interface FlagState {
  readonly base: Base;
  /** INC or DEC since: all flags but CF are theirs */
  readonly step?: Step | "dynamic";
}

interface ArithmeticBase {
  readonly kind: "add" | "sub";
  readonly left: Value;
  readonly right: Value;
  readonly result: Value | undefined;
  readonly withCarry: boolean;
}

type Base =
  /** as at the entry of the region */
  | { readonly kind: "initial" }
  /** in the form of guestState */
  | { readonly kind: "stored"; readonly result: Value; readonly bits: Value }
  | ArithmeticBase
  | { readonly kind: "logic"; readonly result: Value }
  | { readonly kind: "set"; readonly result: Value; readonly others: Pick<FlagValues, "CF" | "OF" | "AF"> }
  | ({ readonly kind: "ordered" } & NumberPair)
  /** what the variables of `FlagVariables` say: several predecessors brought different states */
  | { readonly kind: "dynamic" };

interface Step {
  readonly kind: "increment" | "decrement";
  readonly result: Value;
}

/** Kinds of a state that is only known at run time; the width is added as its logarithm. */
const Kind = { STORED: 0, COMPARED: 4, SUBTRACTED: 8, ADDED: 12, INCREMENTED: 4, DECREMENTED: 8 } as const;
const WIDTHS = [8, 16, 32, 64] as const;

/** A state that is only known at run time. */
interface FlagVariables {
  readonly kind: Variable;
  readonly left: Variable;
  readonly right: Variable;
  readonly stepKind: Variable;
  readonly stepResult: Variable;
}

const INITIAL: FlagState = { base: { kind: "initial" } };
const DYNAMIC: FlagState = { base: { kind: "dynamic" }, step: "dynamic" };

/**
 * The flags of a region: what made them last is known statically, so a condition is a comparison of the operands, and the form of
 * guestState is computed only where the region is left.
 */
export class TranslatorFlags extends Flags {
  readonly #e: TranslatorEmitter;
  #state: FlagState = INITIAL;
  #variables: FlagVariables | undefined;
  readonly #kinds = new Set<number>();
  readonly #stepKinds = new Set<number>();
  /** what computes the form of guestState calls writeFlags, and means this */
  #captured: { result: Value; bits: Value } | undefined;
  #capturing = false;

  constructor(e: TranslatorEmitter) {
    super(e);
    this.#e = e;
  }

  get state(): FlagState {
    return this.#state;
  }
  set state(state: FlagState) {
    this.#state = state;
  }
  /** True while the form of guestState is being computed. */
  get capturing(): boolean {
    return this.#capturing;
  }
  static get initial(): FlagState {
    return INITIAL;
  }

  // ---- setters ----

  override add(operation: Arithmetic): void {
    this.#arithmetic("add", operation);
  }
  override sub(operation: Arithmetic): void {
    this.#arithmetic("sub", operation);
  }
  override logic(result: Value): void {
    if (this.#e.flagsAreDead) return;
    this.#become({ kind: "logic", result: this.e.let(result) });
  }
  override increment(operation: Arithmetic): void {
    this.#step("increment", operation);
  }
  override decrement(operation: Arithmetic): void {
    this.#step("decrement", operation);
  }
  override set(result: Value, others: Pick<FlagValues, "CF" | "OF" | "AF"> = {}): void {
    if (this.#e.flagsAreDead) return;
    const named: { CF?: Value; OF?: Value; AF?: Value } = {};
    for (const name of ["CF", "OF", "AF"] as const) {
      const value = others[name];
      if (value) named[name] = this.e.let(value);
    }
    this.#become({ kind: "set", result: this.e.let(result), others: named });
  }

  override orderNumbers({ type, left, right }: NumberPair): void {
    if (this.#e.flagsAreDead) return;
    this.#become({ kind: "ordered", type, left: this.e.let(left), right: this.e.let(right) });
  }

  #arithmetic(kind: "add" | "sub", { left, right, result }: Arithmetic): void {
    if (this.#e.flagsAreDead) return;
    const { e } = this;
    // A result that nothing else uses is not computed.
    const named = result.reusable ? result : undefined;
    const withCarry = this.#e.usesCarry;
    this.#become({
      kind,
      left: e.let(left),
      right: e.let(right),
      result: withCarry ? e.let(result) : named,
      withCarry,
    });
  }

  #step(kind: Step["kind"], { result }: Arithmetic): void {
    if (this.#e.flagsAreDead) return;
    this.#state = { base: this.#state.base, step: { kind, result: this.e.let(result) } };
  }

  #become(base: Base): void {
    this.#state = { base };
  }

  // ---- the form of guestState ----

  /** Called by the emitter for what the base class computes. */
  writeStored(result: Value, bits: Value): void {
    const stored = { result: this.e.let(result), bits: this.e.let(bits) };
    if (this.#capturing) this.#captured = stored;
    else this.#become({ kind: "stored", ...stored });
  }

  readStored(): { readonly result: Value; readonly bits: Value } {
    if (this.#capturing && this.#captured) return this.#captured;
    const stored = this.materialise(this.#state);
    // Inside a condition it would not be there for what follows.
    if (this.#e.isUnconditional) this.#state = { base: { kind: "stored", ...stored } };
    return stored;
  }

  /** Computes a state in the form of guestState, here. */
  materialise({ base, step }: FlagState): { readonly result: Value; readonly bits: Value } {
    if (step === "dynamic") throw new Untranslatable("flags of unknown origin are read");
    if (!step) return this.#materialiseBase(base);
    const { e } = this;
    const carry = e.let(this.#carryOf(base));
    const { result, bits } = this.#capture(() => this.#replayStep(step));
    const overflow = e.shrU(e.xor(bits, e.shl(bits, e.constant(32, 1))), e.constant(32, 31));
    const top = e.or(e.shl(carry, e.constant(32, 31)), e.shl(e.xor(carry, overflow), e.constant(32, 30)));
    return { result, bits: e.let(e.or(e.and(bits, e.constant(32, 0x3fff_ffff)), top)) };
  }

  #materialiseBase(base: Base): { readonly result: Value; readonly bits: Value } {
    switch (base.kind) {
      case "initial":
        return this.#e.initialFlags();
      case "stored":
        return base;
      case "add":
        return this.#capture(() => super.add({ ...base, result: this.#resultOf(base) }));
      case "sub":
        return this.#capture(() => super.sub({ ...base, result: this.#resultOf(base) }));
      case "logic":
        return this.#capture(() => super.logic(base.result));
      case "set":
        return this.#capture(() => super.set(base.result, base.others));
      case "ordered":
        return this.#capture(() => super.orderNumbers(base));
      case "dynamic":
        throw new Untranslatable("flags of unknown origin are read");
    }
  }

  #replayStep({ kind, result }: Step): void {
    const { e } = this;
    const right = e.constant(result.width, 1);
    if (kind === "increment") super.add({ left: e.let(e.sub(result, right)), right, result });
    else super.sub({ left: e.let(e.add(result, right)), right, result });
  }

  #resultOf(base: ArithmeticBase): Value {
    const { e } = this;
    return base.result ?? e.let(base.kind === "add" ? e.add(base.left, base.right) : e.sub(base.left, base.right));
  }

  #capture(compute: () => void): { readonly result: Value; readonly bits: Value } {
    this.#capturing = true;
    this.#captured = undefined;
    compute();
    this.#capturing = false;
    const captured = this.#captured as { result: Value; bits: Value } | undefined;
    this.#captured = undefined;
    if (!captured) throw new Untranslatable("no flags were computed");
    return captured;
  }

  // ---- readers ----

  override carry(): Value {
    return this.#capturing ? super.carry() : this.#carryOf(this.#state.base);
  }

  #carryOf(base: Base): Value {
    const { e } = this;
    switch (base.kind) {
      case "logic":
        return e.constant(32, 0);
      case "set":
        return base.others.CF ?? e.constant(32, 0);
      case "sub":
        if (!base.withCarry) return e.ltU(base.left, base.right);
        break;
      case "add":
        if (!base.withCarry) return e.ltU(this.#resultOf(base), base.left);
        break;
      case "ordered":
        return e.compareFloat(base.type, "lt", base.left, base.right);
      case "initial":
      case "stored":
      case "dynamic":
        break;
    }
    return e.shrU(this.#materialiseBase(base).bits, e.constant(32, 31));
  }

  override zero(): Value {
    const result = this.#knownResult();
    return result ? this.e.eqz(result) : super.zero();
  }

  override sign(): Value {
    const result = this.#knownResult();
    return result ? this.#isNegative(result) : super.sign();
  }

  /** The value whose being zero is ZF and whose sign is SF. */
  #knownResult(): Value | undefined {
    const { base, step } = this.#state;
    if (this.#capturing || step === "dynamic") return undefined;
    if (step) return step.result;
    switch (base.kind) {
      case "add":
      case "sub":
        return this.#resultOf(base);
      case "logic":
      case "set":
        return base.result;
      default:
        return undefined;
    }
  }

  #isNegative(value: Value): Value {
    return this.e.ltS(value, this.e.constant(value.width, 0));
  }

  override condition(code: ConditionCode): Value {
    const { base, step } = this.#state;
    if (step) return super.condition(code);
    if (base.kind === "ordered") return this.#compareFloats(code, base);
    const direct =
      base.kind === "sub" && !base.withCarry ? this.#compare(code, base) : this.#compareWithZero(code, base);
    return direct ?? super.condition(code);
  }

  /** After left - right. */
  #compare(code: ConditionCode, { left, right }: ArithmeticBase): Value | undefined {
    const { e } = this;
    switch (code) {
      case "e":
        return e.eq(left, right);
      case "ne":
        return e.ne(left, right);
      case "b":
        return e.ltU(left, right);
      case "ae":
        return e.geU(left, right);
      case "be":
        return e.leU(left, right);
      case "a":
        return e.gtU(left, right);
      case "l":
        return e.ltS(left, right);
      case "ge":
        return e.geS(left, right);
      case "le":
        return e.leS(left, right);
      case "g":
        return e.gtS(left, right);
      default:
        return undefined;
    }
  }

  /** After a comparison of numbers that are ordered: OF, SF and PF are 0. */
  #compareFloats(code: ConditionCode, { type, left, right }: NumberPair): Value {
    const { e } = this;
    switch (code) {
      case "e":
      case "le":
        return e.compareFloat(type, "eq", left, right);
      case "ne":
      case "g":
        return e.compareFloat(type, "ne", left, right);
      case "b":
        return e.compareFloat(type, "lt", left, right);
      case "ae":
        return e.compareFloat(type, "ge", left, right);
      case "be":
        return e.compareFloat(type, "le", left, right);
      case "a":
        return e.compareFloat(type, "gt", left, right);
      case "o":
      case "s":
      case "p":
      case "l":
        return e.constant(32, 0);
      case "no":
      case "ns":
      case "np":
      case "ge":
        return e.constant(32, 1);
    }
  }

  /** After an operation that clears CF and OF. */
  #compareWithZero(code: ConditionCode, base: Base): Value | undefined {
    if (base.kind !== "logic") return undefined;
    const { e } = this;
    const { result } = base;
    const zero = e.constant(result.width, 0);
    switch (code) {
      case "e":
      case "be":
        return e.eqz(result);
      case "ne":
      case "a":
        return e.ne(result, zero);
      case "s":
      case "l":
        return e.ltS(result, zero);
      case "ns":
      case "ge":
        return e.geS(result, zero);
      case "le":
        return e.leS(result, zero);
      case "g":
        return e.gtS(result, zero);
      case "o":
      case "b":
        return e.constant(32, 0);
      case "no":
      case "ae":
        return e.constant(32, 1);
      default:
        return undefined;
    }
  }

  // ---- states that meet ----

  #dynamic(): FlagVariables {
    const { e } = this;
    this.#variables ??= {
      kind: e.declare("i32", 32),
      left: e.declare("i64", 64),
      right: e.declare("i64", 64),
      stepKind: e.declare("i32", 32),
      stepResult: e.declare("i64", 64),
    };
    return this.#variables;
  }

  /** Before an edge to a node with several predecessors: leaves the state where `arrive` finds it. */
  depart(mustBeRead: boolean): void {
    if (mustBeRead) this.#state = { base: { kind: "stored", ...this.materialise(this.#state) } };
    this.#assign(this.#state);
  }

  /** At the beginning of a node with several predecessors. */
  arrive(mustBeRead: boolean): void {
    const { left, right } = this.#dynamic();
    // Named, because the variables change at the next edge.
    const stored = (): Base => ({
      kind: "stored",
      result: this.e.let(left.get()),
      bits: this.e.let(this.e.truncate(right.get(), 32)),
    });
    this.#state = mustBeRead ? { base: stored() } : DYNAMIC;
  }

  #assign({ base, step }: FlagState): void {
    const { e } = this;
    const variables = this.#dynamic();
    if (base.kind !== "dynamic") {
      const [kind, left, right] = this.#operandsOf(base);
      this.#kinds.add(kind);
      variables.left.set(left);
      variables.right.set(right);
      variables.kind.set(e.constant(32, kind));
    }
    if (step === "dynamic") return;
    const stepKind = step
      ? (step.kind === "increment" ? Kind.INCREMENTED : Kind.DECREMENTED) + logWidth(step.result.width)
      : 0;
    this.#stepKinds.add(stepKind);
    variables.stepKind.set(e.constant(32, stepKind));
    if (step) variables.stepResult.set(e.extend(step.result, 64));
  }

  /** Two values from which the base's flags can be computed, preferring those that live on in registers. */
  #operandsOf(base: Base): readonly [kind: number, left: Value, right: Value] {
    const { e } = this;
    if ((base.kind === "add" || base.kind === "sub") && !base.withCarry) {
      const logarithm = logWidth(base.left.width);
      const right = e.extend(base.right, 64);
      if (base.kind === "add") return [Kind.ADDED + logarithm, e.extend(this.#resultOf(base), 64), right];
      if (base.result) return [Kind.SUBTRACTED + logarithm, e.extend(base.result, 64), right];
      return [Kind.COMPARED + logarithm, e.extend(base.left, 64), right];
    }
    const { result, bits } = this.#materialiseBase(base);
    return [Kind.STORED, result, e.extend(bits, 64)];
  }

  // ---- leaving ----

  /** Code out of line, from an exit with this state to where the region is left. */
  emitExit(state: FlagState, resolved: () => void, unresolved: () => void): void {
    const { base, step } = state;
    if (base.kind === "initial" && !step) return resolved();
    if (base.kind === "stored" && !step) {
      this.#e.setExitFlags(base.result, base.bits);
      return resolved();
    }
    this.#assign(state);
    unresolved();
  }

  /** Computes the flags from the variables that `assign` has set. */
  emitResolution(): void {
    if (!this.#variables) return;
    const { e } = this;
    const { kind, left, right, stepKind, stepResult } = this.#variables;
    this.#whenKind(this.#kinds, kind, (which) => {
      const width = WIDTHS[which & 3] ?? 64;
      const narrow = (variable: Variable): Value => e.let(e.truncate(variable.get(), width));
      switch (which & ~3) {
        case Kind.COMPARED:
          return this.#exit(() => {
            const [a, b] = [narrow(left), narrow(right)];
            super.sub({ left: a, right: b, result: e.let(e.sub(a, b)) });
          });
        case Kind.SUBTRACTED:
          return this.#exit(() => {
            const [result, b] = [narrow(left), narrow(right)];
            super.sub({ left: e.let(e.add(result, b)), right: b, result });
          });
        case Kind.ADDED:
          return this.#exit(() => {
            const [result, b] = [narrow(left), narrow(right)];
            super.add({ left: e.let(e.sub(result, b)), right: b, result });
          });
        default:
          this.#e.setExitFlags(left.get(), e.truncate(right.get(), 32));
      }
    });
    this.#whenKind(this.#stepKinds, stepKind, (which) => {
      if (which === 0) return;
      const width = WIDTHS[which & 3] ?? 64;
      const result = e.let(e.truncate(stepResult.get(), width));
      const { result: oldResult, bits: oldBits } = this.#e.initialFlags();
      const base: Base = { kind: "stored", result: oldResult, bits: oldBits };
      const state: FlagState = {
        base,
        step: { kind: (which & ~3) === Kind.INCREMENTED ? "increment" : "decrement", result },
      };
      const stored = this.materialise(state);
      this.#e.setExitFlags(stored.result, stored.bits);
    });
  }

  #exit(compute: () => void): void {
    const { result, bits } = this.#capture(compute);
    this.#e.setExitFlags(result, bits);
  }

  #whenKind(kinds: ReadonlySet<number>, variable: Variable, body: (kind: number) => void): void {
    const [first, ...rest] = kinds;
    if (first === undefined) return;
    const next = (remaining: readonly number[], kind: number): void => {
      const [following, ...others] = remaining;
      if (following === undefined) return body(kind);
      const { e } = this;
      e.if(
        e.eq(variable.get(), e.constant(32, kind)),
        () => body(kind),
        () => next(others, following),
      );
    };
    next(rest, first);
  }
}

function logWidth(width: Width): number {
  return Math.log2(width) - 3;
}
