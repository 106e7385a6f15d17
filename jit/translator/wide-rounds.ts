import { invariant } from "../../runtime/abi/invariant.ts";
import type { Value, Variable } from "../emit/value.ts";
import type { Label } from "../emit/function.ts";
import type { Definition } from "../semantics/define.ts";
import type { NumberFormat } from "../semantics/emitter.ts";
import { OperandBase } from "../semantics/operand-base.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { breakUnlessModerate } from "./magnitudes.ts";
import type { RegionInstruction } from "./region.ts";
import { RoundGroups } from "./round-groups.ts";
import { keyOf, type StreamSite } from "./streams.ts";
import type { Strip } from "./strip.ts";
import { isBitwise, type WideOperation, type WidePlan, type WideSource } from "./wide-plan.ts";

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

/** Rounds of a loop that run side by side: what one scalar instruction does in several rounds is one operation on vectors. */
export class WideRounds extends RoundGroups<WidePlan> {
  /** how many vectors make a round of rounds */
  readonly #vectors: number;
  /** numbers that no round changes, in all lanes, by register */
  readonly #constants = new Map<number, Value>();
  /** what rounds hand on, by register */
  readonly #carried = new Map<number, Variable>();

  constructor(e: TranslatorEmitter, plan: WidePlan, strip: Strip) {
    super(e, plan, strip);
    this.#vectors = plan.rounds / plan.format.lanes;
  }

  /** @param otherwise where numbers that rounds begin with are not moderate */
  override begin(otherwise: Label): void {
    const { e } = this;
    const { operations, format } = this.plan;
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
    const { e } = this;
    if (e.knowsNormal(from, fromFormat)) e.noteNormal(to, toFormat);
    if (e.knowsOrdered(from, fromFormat)) e.noteOrdered(to, toFormat);
  }

  // ---- one round of rounds ----

  override emitGroup(): void {
    const { e } = this;
    const { operations } = this.plan;
    const registers = new Map<number, readonly Value[]>();
    const loaded = new Map<string, readonly Value[]>();
    const sums: [Extract<WideOperation, { readonly kind: "accumulate" }>, readonly Value[]][] = [];
    const stores: [StreamSite, readonly Value[]][] = [];
    for (const operation of operations) {
      switch (operation.kind) {
        case "clear": {
          const zero = e.zeroVector();
          e.noteResult(zero, this.plan.format.vector);
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
            this.#compute(current, definition, this.plan.format.vector, before?.[index], source),
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
    for (const value of carried.values()) e.requireModerate(this.plan.format.scalar, value);
    e.settle();
    for (const [site, values] of stores) this.#store(site, values);
    for (const [number, value] of carried)
      this.#carried.get(number)?.set(e.reinterpret(value, this.plan.format.scalar));
  }

  /** @param format of the operands: all of a vector, or a number */
  #compute(
    current: RegionInstruction,
    definition: Definition,
    format: NumberFormat,
    old: Value | undefined,
    source: Value,
  ): Value {
    const target = new Place(format === "f32" ? 32 : format === "f64" ? 64 : 128, old);
    this.compute(current, definition, [target, new Place(target.width, source)], old && format);
    return this.e.let(target.read());
  }

  /** One round after the other adds what it has computed to what rounds hand on. */
  #accumulate(
    sums: readonly (readonly [Extract<WideOperation, { readonly kind: "accumulate" }>, readonly Value[]])[],
  ): ReadonlyMap<number, Value> {
    const { e } = this;
    const { format } = this.plan;
    const carried = new Map<number, Value>();
    for (const [number, variable] of this.#carried) {
      const value = e.reinterpret(e.let(variable.get()), format.bytes === 8 ? "i64" : "i32");
      e.noteResult(value, format.scalar);
      e.magnitudes.noteModerate(value, format.scalar);
      carried.set(number, value);
    }
    // All lanes of a vector are looked at together.
    for (const [, sources] of sums)
      for (const vector of sources) if (!e.magnitudes.isKnown(vector)) e.requireModerate(format.vector, vector);
    for (let round = 0; round < this.plan.rounds; round++) {
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
    const { e } = this;
    const { format } = this.plan;
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

  #load(site: StreamSite): readonly Value[] {
    const { e } = this;
    const { format } = this.plan;
    const { stride } = site.stream;
    const [base, first] = this.place(site);
    if (stride === 0) {
      const bits = e.loadOffset(format.bytes === 8 ? 64 : 32, base, first);
      return this.#everywhere(e.let(e.splat(format.vector, e.reinterpret(bits, format.scalar))));
    }
    return Array.from({ length: this.#vectors }, (_, index) => {
      const at = first + index * format.lanes * stride;
      if (stride === format.bytes) return e.let(e.loadOffset(128, base, at));
      let vector = e.zeroVector();
      for (let lane = 0; lane < format.lanes; lane++)
        vector = e.loadLane(format.bytes, base, at + lane * stride, lane, vector);
      return e.let(vector);
    });
  }

  #store(site: StreamSite, values: readonly Value[]): void {
    const { e } = this;
    const { format } = this.plan;
    const { stride } = site.stream;
    const [base, first] = this.place(site);
    values.forEach((value, index) => {
      const at = first + index * format.lanes * stride;
      if (stride === format.bytes) return e.storeOffset(base, value, at);
      for (let lane = 0; lane < format.lanes; lane++) e.storeLane(format.bytes, base, at + lane * stride, lane, value);
    });
  }

  // ---- behind them ----

  override end(): void {
    const { e } = this;
    for (const [number, variable] of this.#carried)
      e.writeVectorPart(number, e.reinterpret(e.let(variable.get()), this.plan.format.bytes === 8 ? "i64" : "i32"));
  }
}

/** The XMM register whose number an operation reads besides what it goes on computing with. */
function registerRead(operation: WideOperation): number | undefined {
  if (operation.kind === "clear") return undefined;
  if (operation.kind === "store") return operation.source;
  return operation.source.kind === "register" ? operation.source.number : undefined;
}
