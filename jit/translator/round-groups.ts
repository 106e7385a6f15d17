import type { Label } from "../emit/function.ts";
import type { Value } from "../emit/value.ts";
import { type Definition, namedOperands } from "../semantics/define.ts";
import type { NumberFormat, OperandHandle } from "../semantics/emitter.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { boundedOperation } from "./magnitudes.ts";
import type { RegionInstruction } from "./region.ts";
import type { Stream, StreamSite } from "./streams.ts";
import type { Strip } from "./strip.ts";
import { type CountedLoop, roundsBeforeLast } from "./trip-count.ts";

/** How several rounds of a loop run at a time. */
export interface GroupPlan {
  readonly loop: CountedLoop;
  /** rounds at a time: a power of two */
  readonly rounds: number;
  /** what must not overlap while that many rounds run */
  readonly apart: readonly (readonly [Stream, Stream])[];
}

/**
 * Rounds of a loop that run in groups: all numbers of a group are looked at before anything is stored. Where one is not what was
 * expected, nothing of the group has been done, and its rounds run one after the other. What general registers and flags are is known
 * from the number of rounds, and is of no interest in between.
 */
export abstract class RoundGroups<Plan extends GroupPlan> {
  protected readonly e: TranslatorEmitter;
  protected readonly plan: Plan;
  readonly #strip: Strip;

  constructor(e: TranslatorEmitter, plan: Plan, strip: Strip) {
    this.e = e;
    this.plan = plan;
    this.#strip = strip;
  }

  /** Emits what groups need of XMM registers. @param otherwise where the rounds cannot run in groups */
  protected abstract begin(otherwise: Label): void;
  /** Emits a group, inside `aside`. */
  protected abstract emitGroup(): void;
  /** Emits that XMM registers get what groups have left for the next round. */
  protected abstract end(): void;

  /**
   * Emits them, between two rounds of a strip: as many as the strip allows but for its last one.
   *
   * @param charge takes the number of rounds that have run
   */
  emit(charge: (rounds: Value) => void): void {
    const { e } = this;
    const { loop, rounds } = this.plan;
    const remaining = this.#strip.rounds;
    const allowed = e.let(e.sub(remaining.get(), e.constant(32, 1)));
    const counted = e.let(roundsBeforeLast(e, loop.trip));
    const spare = e.select(e.ltS(counted, allowed), counted, allowed);
    const count = e.let(e.and(spare, e.constant(32, -rounds)));
    const nothing = (): void => undefined;
    e.plainIf(
      count,
      () => {
        const isApart = this.plan.apart
          .map(([one, other]) => this.#areApart(one, other, count))
          .reduce((all: Value | undefined, next) => (all ? e.and(all, next) : next), undefined);
        const run = (): void => {
          const done = this.#emitAll(count);
          remaining.set(e.sub(remaining.get(), done));
          charge(done);
          this.#finish(done);
        };
        if (isApart) e.plainIf(isApart, run, nothing);
        else run();
      },
      nothing,
    );
  }

  /** Whether nothing of two streams overlaps: in rounds that run side by side or, where their distance changes, in all `count`. */
  #areApart(one: Stream, other: Stream, count: Value): Value {
    const { e } = this;
    const isSteady = one.stride === other.stride;
    const rounds = isSteady ? e.constant(32, this.plan.rounds) : count;
    const last = e.let(e.sub(rounds, e.constant(32, 1)));
    const extent = ({ stride, low, high }: Stream): Value =>
      e.add(e.mul(last, e.constant(32, Math.abs(stride))), e.constant(32, high - low));
    const start = (stream: Stream): Value => {
      const { stride } = stream;
      const pointer = this.#strip.pointerOf(stream).get();
      return stride < 0 && !isSteady ? e.add(pointer, e.mul(last, e.constant(32, stride))) : pointer;
    };
    const length = e.let(extent(one));
    const distance = e.sub(e.add(e.sub(start(one), start(other)), length), e.constant(32, 1));
    const both = e.sub(e.add(length, extent(other)), e.constant(32, 1));
    return e.eqz(e.ltU(distance, both));
  }

  /** Gives how many rounds have run. */
  #emitAll(count: Value): Value {
    const { e } = this;
    const { rounds } = this.plan;
    const left = e.declare("i32", 32);
    left.set(count);
    e.plainBlock((end) => {
      this.begin(end);
      e.plainLoop((again) => {
        e.forgetNames();
        e.aside(end, () => this.emitGroup());
        this.#strip.advance(rounds);
        const rest = e.let(e.sub(left.get(), e.constant(32, rounds)));
        left.set(rest);
        e.plainIf(
          rest,
          () => e.plainBreak(again),
          () => undefined,
        );
      });
    });
    e.forgetNames();
    return e.let(e.sub(count, left.get()));
  }

  /** Counters become what they are after `done` rounds. */
  #finish(done: Value): void {
    const { e } = this;
    for (const [number, { delta, width }] of this.plan.loop.steps) {
      const rounds = width === 64 ? e.extend(done, 64) : done;
      const change = e.mul(rounds, e.constant(width, delta));
      e.writeGeneral(number, e.add(e.readGeneral(number, width, false), change), false);
    }
    this.end();
  }

  // ---- for groups ----

  /** Where an access of the first of the rounds is, in two parts, so that none of their accesses is before the first part. */
  protected place({ stream, distance }: StreamSite): readonly [base: Value, displacement: number] {
    const { e } = this;
    const pointer = this.#strip.pointerOf(stream).get();
    const displacement = distance - stream.low;
    if (stream.stride >= 0) return [e.let(pointer), displacement];
    const way = (this.plan.rounds - 1) * stream.stride;
    return [e.let(e.add(pointer, e.constant(32, way))), displacement - way];
  }

  /** Emits a definition on operands of one's own; of moderate numbers sums, differences and products need no look. */
  protected compute(
    current: RegionInstruction,
    definition: Definition,
    operands: readonly OperandHandle[],
    format: NumberFormat | undefined,
  ): void {
    const { e } = this;
    const [target, source] = operands;
    const operation = boundedOperation(current.instruction.mnemonic)?.operation;
    if (operation && format && target && source) {
      const [left, right] = [target.read(), source.read()];
      if (!e.magnitudes.deduce(operation, format, left, right)) {
        e.requireModerate(format, left);
        e.requireModerate(format, right);
      }
    }
    const named = namedOperands(definition).flatMap(({ name }, index) => {
      const operand = operands[index];
      return operand ? [[name, operand] as const] : [];
    });
    e.emitDefinition(current, definition, Object.fromEntries(named));
  }
}
