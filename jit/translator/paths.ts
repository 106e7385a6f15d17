import { invariant } from "../../runtime/abi/invariant.ts";
import type { Label } from "../emit/function.ts";
import type { Expression } from "../emit/wasm.ts";
import type { Value, Variable } from "../emit/value.ts";
import type { FlagState, TranslatorFlags } from "./flags.ts";
import { Untranslatable } from "./region.ts";
import { ConstantValue } from "./values.ts";
import { VectorFoldingEmitter } from "./vector-folding.ts";

/** What is known at a point of the code of one instruction. */
interface Point {
  readonly reachable: boolean;
  /** something that the guest can see has changed: the instruction can no longer be left to the interpreter */
  readonly written: boolean;
  readonly flags: FlagState;
}

interface Arm {
  readonly code: Expression;
  readonly after: Point;
}

/**
 * An emitter that follows the paths through the code of one instruction: which of them still go on, whether something has changed
 * on them, so that the instruction can no longer be given to the interpreter, and what they did to the flags.
 */
export abstract class PathEmitter extends VectorFoldingEmitter {
  declare readonly flags: TranslatorFlags;
  #reachable = true;
  #written = false;
  #depth = 0;
  #leaves = 0;
  /** where the instruction that is being emitted ends, if something branches there */
  #end: Label | undefined;
  readonly #joins = new Map<string, Point[]>();

  /** How many conditions and blocks stand around what is emitted now. */
  protected get depth(): number {
    return this.#depth;
  }
  /** Whether all that comes behind the instruction comes by what is emitted now. */
  get isOnEveryPath(): boolean {
    return this.#depth === 1 && !this.#end;
  }
  get isReachable(): boolean {
    return this.#reachable;
  }

  /** Emits the code of an instruction, which `leaveInstruction` leaves early: in a block, if anything does. */
  protected instructionPaths(body: () => void): void {
    this.#reachable = true;
    this.#written = false;
    const start = this.position;
    this.#depth++;
    body();
    this.#depth--;
    const end = this.#end as Label | undefined;
    this.#end = undefined;
    if (!end) return;
    this.wrapSince(start, end.name);
    const breaks = this.#joins.get(end.name) ?? [];
    this.#joins.delete(end.name);
    this.#join(breaks);
  }
  protected leaveInstruction(): void {
    if (!this.#end) {
      this.#end = { name: this.freshLabel() };
      this.#joins.set(this.#end.name, []);
    }
    this.break(this.#end);
  }

  /** Ends this path by a jump out of the region, which `jump` gives: the interpreter runs the instruction instead. */
  protected leave(jump: () => Expression): void {
    if (!this.#reachable) return;
    if (this.#written) throw new Untranslatable("may fail after it has changed something");
    this.#leaves++;
    this.statement(jump());
    this.#reachable = false;
  }

  /** The same if `test` holds, which is seldom; `jump` gives the jump. */
  protected leaveIf(test: Expression, jump: () => Expression): void {
    if (!this.#reachable) return;
    if (this.#written) throw new Untranslatable("may fail after it has changed something");
    this.#leaves++;
    this.statement(this.wasm.if(this.wasm.unlikely(test), jump()));
  }

  /** The same if `test` holds, which is seldom, and then a call gives 0. */
  protected leaveUnless(test: Expression, name: string, operands: readonly Value[], jump: () => Expression): void {
    if (!this.#reachable) return;
    if (this.#written) throw new Untranslatable("may fail after it has changed something");
    this.#leaves++;
    const { wasm } = this;
    const call = wasm.call(
      name,
      operands.map((operand) => operand.take()),
      "i32",
    );
    this.statement(wasm.if(wasm.unlikely(test), wasm.if(wasm.unlikely(wasm.i32.eqz(call)), jump())));
  }

  /** Something changes that the guest can see. */
  protected changes(): void {
    if (this.#reachable) this.#written = true;
  }

  #point(): Point {
    return { reachable: this.#reachable, written: this.#written, flags: this.flags.state };
  }
  #setPoint({ reachable, written, flags }: Point): void {
    this.#reachable = reachable;
    this.#written = written;
    this.flags.state = flags;
  }

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (condition instanceof ConstantValue) {
      if (!condition.isZero) then();
      else otherwise?.();
      return;
    }
    const before = this.#point();
    const test = condition.take();
    const yes = this.#arm(before, then);
    const no = this.#arm(before, otherwise ?? (() => undefined));
    const reachable = [yes.after, no.after].filter((point) => point.reachable);
    const [first, second] = reachable;
    const isSame = !first || !second || first.flags === second.flags;
    const merged = isSame ? undefined : { result: this.declare("i64", 64), bits: this.declare("i32", 32) };
    const [yesCode, noCode] = [yes, no].map((arm) => (merged ? this.#storeFlags(arm, merged) : arm.code));
    invariant(yesCode !== undefined && noCode !== undefined, "two arms");
    const hasElse = otherwise !== undefined || merged !== undefined;
    this.statement(hasElse ? this.wasm.if(test, yesCode, noCode) : this.wasm.if(test, yesCode));
    const written = reachable.some((point) => point.written);
    let flags = first?.flags ?? before.flags;
    if (merged)
      flags = { base: { kind: "stored", result: this.let(merged.result.get()), bits: this.let(merged.bits.get()) } };
    this.#setPoint({ reachable: reachable.length > 0, written, flags });
  }

  #arm(before: Point, body: () => void): Arm {
    this.#setPoint(before);
    this.#depth++;
    const code = this.collect(body);
    this.#depth--;
    return { code, after: this.#point() };
  }

  /** An arm that ends with its flags in the variables in which the other arm leaves its own. */
  #storeFlags({ code, after }: Arm, merged: { readonly result: Variable; readonly bits: Variable }): Expression {
    const extra = this.#arm(after, () => {
      const stored = this.flags.materialise(after.flags);
      merged.result.set(stored.result);
      merged.bits.set(stored.bits);
    });
    return this.wasm.block(null, [code, extra.code]);
  }

  override block(body: (end: Label) => void): void {
    const name = this.freshLabel();
    const breaks: Point[] = [];
    this.#joins.set(name, breaks);
    this.#depth++;
    const code = this.collect(() => body({ name }), name);
    this.#depth--;
    this.#joins.delete(name);
    this.statement(code);
    this.#join(breaks);
  }

  /** Behind a block: control comes from its end and from where it was left. */
  #join(breaks: readonly Point[]): void {
    const arriving = [this.#point(), ...breaks].filter((point) => point.reachable);
    const [first] = arriving;
    if (!first) return;
    if (arriving.some((point) => point.flags !== first.flags))
      throw new Untranslatable("flags differ where paths meet");
    this.#setPoint({ reachable: true, written: arriving.some((point) => point.written), flags: first.flags });
  }

  override loop(body: (again: Label) => void): void {
    const before = this.#leaves;
    const flags = this.flags.state;
    this.#depth++;
    super.loop(body);
    this.#depth--;
    // A second round comes after the changes of the first.
    if (this.#written && this.#leaves > before) throw new Untranslatable("may fail after it has changed something");
    if (this.flags.state !== flags) throw new Untranslatable("flags change in a loop");
  }

  override break(label: Label, condition?: Value): void {
    const isKnown = condition instanceof ConstantValue;
    if (isKnown && condition.isZero) return;
    this.#joins.get(label.name)?.push(this.#point());
    super.break(label, isKnown ? undefined : condition);
    if (!condition || isKnown) this.#reachable = false;
  }

  // ---- around instructions ----

  /** Emits without the bookkeeping of paths through an instruction. */
  plainIf(condition: Value, then: () => void, otherwise: () => void): void {
    if (condition instanceof ConstantValue) return condition.isZero ? otherwise() : then();
    super.if(condition, then, otherwise);
  }
  plainBlock(body: (end: Label) => void): void {
    super.block(body);
  }
  plainLoop(body: (again: Label) => void): void {
    super.loop(body);
  }
  plainBreak(label: Label): void {
    super.break(label);
  }
}
