import { invariant } from "../../runtime/abi/invariant.ts";
import type { Value, Variable } from "../emit/value.ts";
import type { Label } from "../emit/function.ts";
import { type Definition, namedOperands } from "../semantics/define.ts";
import type { NumberFormat, OperandHandle } from "../semantics/emitter.ts";
import { OperandBase } from "../semantics/operand-base.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { type Bounded, breakUnlessModerate } from "./magnitudes.ts";
import type { RegionInstruction } from "./region.ts";
import type { Stream, StreamSite } from "./streams.ts";
import type { Strip } from "./strip.ts";
import { roundsBeforeLast } from "./trip-count.ts";
import { isBitwise, keyOf, type WideOperation, type WidePlan, type WideSource } from "./wide-plan.ts";

const ZERO: readonly number[] = new Array<number>(16).fill(0);

/** Operations by the first three letters of their mnemonics. */
const BOUNDED: Readonly<Record<string, Bounded>> = { add: "add", sub: "sub", mul: "mul" };

/** Something that a definition reads and writes as an operand: a number, or a vector of one of each of several rounds. */
class Place extends OperandBase {
  override readonly kind = "register";
  #value: Value | undefined;

  constructor(width: number, value: Value | undefined) {
    super(width);
    this.#value = value;
  }
  override read(): Value {
    return this.#value ?? super.read();
  }
  override write(value: Value): void {
    this.#value = value;
  }
}

/**
 * Rounds of a loop that run side by side: what one scalar instruction does in several rounds is one operation on vectors. All numbers
 * are looked at before anything is stored. Where one is not ordinary, nothing has been done, and the rounds run one after the other.
 */
export class WideRounds {
  readonly #e: TranslatorEmitter;
  readonly #plan: WidePlan;
  readonly #strip: Strip;
  /** how many vectors make a round of rounds */
  readonly #vectors: number;
  /** numbers that no round changes, in all lanes, by register */
  readonly #constants = new Map<number, Value>();
  /** what rounds hand on, by register */
  readonly #carried = new Map<number, Variable>();

  constructor(e: TranslatorEmitter, plan: WidePlan, strip: Strip) {
    this.#e = e;
    this.#plan = plan;
    this.#strip = strip;
    this.#vectors = plan.rounds / plan.format.lanes;
  }

  /**
   * Emits them, between two rounds of a strip: as many as the strip allows but for its last one.
   *
   * @param charge takes the number of rounds that have run
   */
  emit(charge: (rounds: Value) => void): void {
    const e = this.#e;
    const { loop, rounds } = this.#plan;
    const remaining = this.#strip.rounds;
    const allowed = e.let(e.sub(remaining.get(), e.constant(32, 1)));
    const counted = e.let(roundsBeforeLast(e, loop.trip));
    const spare = e.select(e.ltS(counted, allowed), counted, allowed);
    const count = e.let(e.and(spare, e.constant(32, -rounds)));
    const nothing = (): void => undefined;
    e.plainIf(
      count,
      () => {
        const isApart = this.#plan.apart
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
    const e = this.#e;
    const isSteady = one.stride === other.stride;
    const rounds = isSteady ? e.constant(32, this.#plan.rounds) : count;
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
    const e = this.#e;
    const { rounds } = this.#plan;
    const left = e.declare("i32", 32);
    left.set(count);
    e.plainBlock((end) => {
      this.#prepareRegisters(end);
      e.plainLoop((again) => {
        e.forgetNames();
        e.aside(end, () => this.#emitOne());
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

  /** @param otherwise where numbers that rounds begin with are not moderate */
  #prepareRegisters(otherwise: Label): void {
    const e = this.#e;
    const { operations, format } = this.#plan;
    const bits = format.bytes === 8 ? 64 : 32;
    const written = new Set(operations.flatMap((operation) => (operation.kind === "store" ? [] : [operation.target])));
    const masks = new Set(operations.map((operation) => (isBitwise(operation) ? registerRead(operation) : undefined)));
    const begin: Value[] = [];
    for (const operation of operations) {
      if (operation.kind === "accumulate" && !this.#carried.has(operation.target)) {
        const variable = e.declare(format.scalar, bits);
        const value = e.readVectorPart(operation.target, bits);
        variable.set(e.reinterpret(value, format.scalar));
        this.#carried.set(operation.target, variable);
        begin.push(value);
      }
      const number = registerRead(operation);
      if (number === undefined || written.has(number) || this.#constants.has(number)) continue;
      const value = e.readVectorPart(number, bits);
      const all = e.let(e.splat(format.vector, e.reinterpret(value, format.scalar)));
      this.#constants.set(number, all);
      if (masks.has(number)) continue;
      begin.push(value);
      e.magnitudes.noteModerate(all, format.vector);
      e.noteResult(all, format.vector);
    }
    // Not before all is in its place: what rounds hand on is written back in any case.
    for (const value of begin) breakUnlessModerate(e, otherwise, format.scalar, value);
  }

  /** What is known of a number holds for what it was put into, or was taken from. */
  #note(from: Value, fromFormat: NumberFormat, to: Value, toFormat: NumberFormat): void {
    const e = this.#e;
    if (e.knowsNormal(from, fromFormat)) e.noteNormal(to, toFormat);
    if (e.knowsOrdered(from, fromFormat)) e.noteOrdered(to, toFormat);
  }

  // ---- one round of rounds ----

  #emitOne(): void {
    const e = this.#e;
    const { operations } = this.#plan;
    const registers = new Map<number, readonly Value[]>();
    const loaded = new Map<string, readonly Value[]>();
    const sums: [Extract<WideOperation, { readonly kind: "accumulate" }>, readonly Value[]][] = [];
    const stores: [StreamSite, readonly Value[]][] = [];
    for (const operation of operations) {
      switch (operation.kind) {
        case "clear": {
          const zero = e.vectorConstant(ZERO);
          e.noteResult(zero, this.#plan.format.vector);
          registers.set(operation.target, this.#everywhere(zero));
          break;
        }
        case "copy":
          registers.set(operation.target, this.#read(operation.source, registers, loaded));
          break;
        case "store":
          stores.push([operation.site, this.#register(operation.source, registers)]);
          break;
        case "compute": {
          const { current, definition, target } = operation;
          const sources = this.#read(operation.source, registers, loaded);
          const before = registers.get(target);
          const results = sources.map((source, index) =>
            this.#compute(current, definition, this.#plan.format.vector, before?.[index], source),
          );
          registers.set(target, results);
          break;
        }
        case "accumulate":
          sums.push([operation, this.#read(operation.source, registers, loaded)]);
          break;
      }
    }
    const carried = this.#accumulate(sums);
    for (const value of carried.values()) e.requireModerate(this.#plan.format.scalar, value);
    e.settle();
    for (const [site, values] of stores) this.#store(site, values);
    for (const [number, value] of carried)
      this.#carried.get(number)?.set(e.reinterpret(value, this.#plan.format.scalar));
  }

  /** @param format of the operands: all of a vector, or a number */
  #compute(
    current: RegionInstruction,
    definition: Definition,
    format: NumberFormat,
    old: Value | undefined,
    source: Value,
  ): Value {
    const width = format === "f32" ? 32 : format === "f64" ? 64 : 128;
    this.#bound(current.instruction.mnemonic, format, old, source);
    const target = new Place(width, old);
    const operands: readonly OperandHandle[] = [target, new Place(width, source)];
    const named = namedOperands(definition).map(({ name }, index) => [name, operands[index] ?? target] as const);
    this.#e.emitDefinition(current, definition, Object.fromEntries(named));
    return this.#e.let(target.read());
  }

  /** Of moderate numbers the result needs no look. */
  #bound(mnemonic: string, format: NumberFormat, left: Value | undefined, right: Value): void {
    const e = this.#e;
    const operation = BOUNDED[mnemonic.slice(0, 3)];
    if (!operation || !left || e.magnitudes.deduce(operation, format, left, right)) return;
    e.requireModerate(format, left);
    e.requireModerate(format, right);
  }

  /** One round after the other adds what it has computed to what rounds hand on. */
  #accumulate(
    sums: readonly (readonly [Extract<WideOperation, { readonly kind: "accumulate" }>, readonly Value[]])[],
  ): ReadonlyMap<number, Value> {
    const e = this.#e;
    const { format } = this.#plan;
    const carried = new Map<number, Value>();
    for (const [number, variable] of this.#carried) {
      const value = e.reinterpret(e.let(variable.get()), format.bytes === 8 ? "i64" : "i32");
      e.noteResult(value, format.scalar);
      e.magnitudes.noteModerate(value, format.scalar);
      carried.set(number, value);
    }
    // All lanes of a vector are looked at together.
    for (const [, sources] of sums)
      for (const vector of sources)
        if (!e.magnitudes.isKnown(vector)) e.requireModerate(format.vector, vector);
    for (let round = 0; round < this.#plan.rounds; round++) {
      for (const [{ current, target }, sources] of sums) {
        const vector = sources[Math.floor(round / format.lanes)];
        if (!vector) continue;
        const number = this.#lane(vector, round % format.lanes);
        const sum = this.#compute(current, current.definition, format.scalar, carried.get(target), number);
        carried.set(target, sum);
      }
    }
    return carried;
  }

  #lane(vector: Value, lane: number): Value {
    const e = this.#e;
    const { format } = this.#plan;
    const number = e.let(e.extractLane(format.vector, vector, lane));
    const value = e.reinterpret(number, format.bytes === 8 ? "i64" : "i32");
    this.#note(vector, format.vector, value, format.scalar);
    e.magnitudes.copy(vector, value);
    return value;
  }

  // ---- operands ----

  #register(number: number, registers: ReadonlyMap<number, readonly Value[]>): readonly Value[] {
    const values = registers.get(number);
    if (values) return values;
    const constant = this.#constants.get(number);
    invariant(constant !== undefined, "a register that a round reads has been written, or never is");
    return this.#everywhere(constant);
  }

  #everywhere(value: Value): readonly Value[] {
    return Array.from({ length: this.#vectors }, () => value);
  }

  #read(
    source: WideSource,
    registers: ReadonlyMap<number, readonly Value[]>,
    loaded: Map<string, readonly Value[]>,
  ): readonly Value[] {
    if (source.kind === "register") return this.#register(source.number, registers);
    const key = keyOf(source.site);
    // No store comes in between, and what is known of the numbers by then is known of all their names.
    const known = loaded.get(key) ?? this.#load(source.site);
    loaded.set(key, known);
    return known;
  }

  /** Where an access of the first of the rounds is, in two parts, so that none of their accesses is before the first part. */
  #place({ stream, distance }: StreamSite): readonly [base: Value, displacement: number] {
    const e = this.#e;
    const pointer = this.#strip.pointerOf(stream).get();
    const displacement = distance - stream.low;
    if (stream.stride >= 0) return [e.let(pointer), displacement];
    const way = (this.#plan.rounds - 1) * stream.stride;
    return [e.let(e.add(pointer, e.constant(32, way))), displacement - way];
  }

  #load(site: StreamSite): readonly Value[] {
    const e = this.#e;
    const { format } = this.#plan;
    const { stride } = site.stream;
    const [base, first] = this.#place(site);
    if (stride === 0) {
      const bits = e.loadOffset(format.bytes === 8 ? 64 : 32, base, first);
      return this.#everywhere(e.let(e.splat(format.vector, e.reinterpret(bits, format.scalar))));
    }
    return Array.from({ length: this.#vectors }, (_, index) => {
      const at = first + index * format.lanes * stride;
      if (stride === format.bytes) return e.let(e.loadOffset(128, base, at));
      let vector = e.vectorConstant(ZERO);
      for (let lane = 0; lane < format.lanes; lane++)
        vector = e.loadLane(format.bytes, base, at + lane * stride, lane, vector);
      return e.let(vector);
    });
  }

  #store(site: StreamSite, values: readonly Value[]): void {
    const e = this.#e;
    const { format } = this.#plan;
    const { stride } = site.stream;
    const [base, first] = this.#place(site);
    values.forEach((value, index) => {
      const at = first + index * format.lanes * stride;
      if (stride === format.bytes) return e.storeOffset(base, value, at);
      for (let lane = 0; lane < format.lanes; lane++) e.storeLane(format.bytes, base, at + lane * stride, lane, value);
    });
  }

  // ---- behind them ----

  /** Counters and what rounds hand on become what they are after `done` rounds. */
  #finish(done: Value): void {
    const e = this.#e;
    const { loop, format } = this.#plan;
    for (const [number, { delta, width }] of loop.steps) {
      const rounds = width === 64 ? e.extend(done, 64) : done;
      const change = e.mul(rounds, e.constant(width, delta));
      e.writeGeneral(number, e.add(e.readGeneral(number, width, false), change), false);
    }
    for (const [number, variable] of this.#carried)
      e.writeVectorPart(number, e.reinterpret(e.let(variable.get()), format.bytes === 8 ? "i64" : "i32"));
  }
}

/** The XMM register whose number an operation reads besides what it goes on computing with. */
function registerRead(operation: WideOperation): number | undefined {
  if (operation.kind === "clear") return undefined;
  if (operation.kind === "store") return operation.source;
  return operation.source.kind === "register" ? operation.source.number : undefined;
}
