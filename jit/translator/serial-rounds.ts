import { invariant } from "../../runtime/abi/invariant.ts";
import type { Label } from "../emit/function.ts";
import type { Value, Variable, Width } from "../emit/value.ts";
import type { OperandHandle } from "../semantics/emitter.ts";
import { accessWidth, OperandBase } from "../semantics/operand-base.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { boundedOperation, breakUnlessModerate } from "./magnitudes.ts";
import { Immediate } from "./operands.ts";
import { RoundGroups } from "./round-groups.ts";
import { clearedRegister } from "./scalars.ts";
import type { SerialOperand, SerialOperation, SerialPlan } from "./serial-plan.ts";
import { keyOf, type StreamSite } from "./streams.ts";

/** An XMM register during a group: a value. */
class RegisterPlace extends OperandBase {
  override readonly kind = "register";
  readonly #e: TranslatorEmitter;
  readonly #registers: Map<number, Value>;
  readonly #number: number;

  constructor(e: TranslatorEmitter, registers: Map<number, Value>, number: number, width: number) {
    super(width);
    this.#e = e;
    this.#registers = registers;
    this.#number = number;
  }
  override read(): Value {
    const value = this.readRegister128();
    return this.width === 32 || this.width === 64 ? this.#e.laneBits(value, this.width) : value;
  }
  override write(value: Value): void {
    if (value.width === 128) this.writeRegister128(value);
    else this.writeRegister128(this.#e.withLowLane(this.readRegister128(), value));
  }
  override writeZeroExtended(value: Value): void {
    this.writeRegister128(value.width === 128 ? value : this.#e.zeroExtendedVector(value));
  }
  override readRegister128(): Value {
    const value = this.#registers.get(this.#number);
    invariant(value !== undefined, "a register that a round reads has been written, or is handed to it");
    return value;
  }
  override writeRegister128(value: Value): void {
    this.#registers.set(this.#number, this.#e.let(value));
  }
}

/** What a group reads in memory. */
class LoadPlace extends OperandBase {
  override readonly kind = "memory";
  readonly #load: () => Value;

  constructor(width: number, load: () => Value) {
    super(width);
    this.#load = load;
  }
  override read(): Value {
    return this.#load();
  }
}

/** What a group stores when all of it has been looked at. */
interface Store {
  readonly site: StreamSite;
  readonly round: number;
  readonly value: Value;
}

/** Permutations of whole numbers: what is known of all numbers of their operands is known of the result. */
const PERMUTATIONS: Readonly<Record<SerialPlan["format"], RegExp>> = {
  f64x2: /^(unpck[hl]pd|shufpd|movddup|movlhps|movhlps|movsd)$/,
  f32x4: /^(unpck[hl]p[sd]|shufp[sd]|pshufd|movs[hl]dup|movddup|movlhps|movhlps|movss|movsd)$/,
};

/** Rounds of a loop on packed numbers that run in groups, one after the other. */
export class SerialRounds extends RoundGroups<SerialPlan> {
  readonly #constants = new Map<number, Value>();
  readonly #carried = new Map<number, Variable>();

  override begin(otherwise: Label): void {
    const { e, plan } = this;
    const begin: Value[] = [];
    for (const number of plan.carried) {
      const variable = e.declare("v128", 128);
      const value = e.readVectorPart(number, 128);
      variable.set(value);
      this.#carried.set(number, variable);
      if (plan.numbers.has(number)) begin.push(value);
    }
    for (const number of plan.constants) {
      const value = e.let(e.readVectorPart(number, 128));
      this.#constants.set(number, value);
      if (!plan.numbers.has(number)) continue;
      begin.push(value);
      this.#noteModerate(value);
    }
    // Not before all is in its place: what rounds hand on is written back in any case.
    for (const value of begin) breakUnlessModerate(e, otherwise, plan.format, value);
  }

  #noteModerate(value: Value): void {
    this.e.magnitudes.noteModerate(value, this.plan.format);
    this.e.noteResult(value, this.plan.format);
  }

  override emitGroup(): void {
    const { e, plan } = this;
    const registers = new Map(this.#constants);
    for (const [number, variable] of this.#carried) {
      const value = e.let(variable.get());
      if (plan.numbers.has(number)) this.#noteModerate(value);
      registers.set(number, value);
    }
    const stores: Store[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      const loaded = new Map<string, Value>();
      for (const operation of plan.operations) this.#emit(operation, round, registers, loaded, stores);
    }
    for (const number of this.#carried.keys()) {
      const value = registers.get(number);
      if (value && plan.numbers.has(number)) e.requireModerate(plan.format, value);
    }
    e.settle();
    for (const { site, round, value } of stores) {
      const [base, displacement] = this.place(site);
      e.storeOffset(base, value, displacement + round * site.stream.stride);
    }
    for (const [number, variable] of this.#carried) {
      const value = registers.get(number);
      if (value) variable.set(value);
    }
  }

  #emit(
    { current, operands }: SerialOperation,
    round: number,
    registers: Map<number, Value>,
    loaded: Map<string, Value>,
    stores: Store[],
  ): void {
    const { e, plan } = this;
    const { mnemonic } = current.instruction;
    const [target, source] = operands;
    if (target?.kind === "memory") {
      if (source?.kind !== "register") return;
      const value = new RegisterPlace(e, registers, source.number, target.width).read();
      stores.push({ site: target.site, round, value: e.let(value) });
      return;
    }
    const cleared = clearedRegister(current);
    if (cleared !== undefined) {
      const zero = e.zeroVector();
      this.#noteModerate(zero);
      registers.set(cleared, zero);
      return;
    }
    const handles = operands.map((operand) => this.#handle(operand, round, registers, loaded));
    const [result] = handles;
    const before = PERMUTATIONS[plan.format].test(mnemonic) ? vectorsOf(handles) : [];
    // Numbers are looked at before they are multiplied by permuting them.
    for (const value of before) if (!e.magnitudes.isKnown(value)) e.requireModerate(plan.format, value);
    const isPacked = boundedOperation(mnemonic)?.isPacked === true;
    this.compute(current, current.definition, handles, isPacked ? plan.format : undefined);
    if (before.length > 0 && result) {
      const permuted = result.readRegister128();
      e.magnitudes.join(before, permuted);
      if (e.magnitudes.isKnown(permuted)) e.noteResult(permuted, plan.format);
    }
  }

  #handle(
    operand: SerialOperand,
    round: number,
    registers: Map<number, Value>,
    loaded: Map<string, Value>,
  ): OperandHandle {
    const { e } = this;
    switch (operand.kind) {
      case "register":
        return new RegisterPlace(e, registers, operand.number, operand.width);
      case "immediate":
        return new Immediate(e.constant(accessWidth(operand.width) as 8 | 16 | 32 | 64, operand.low));
      case "memory":
        return new LoadPlace(operand.width, () => this.#load(operand.site, accessWidth(operand.width), round, loaded));
    }
  }

  #load(site: StreamSite, width: Width, round: number, loaded: Map<string, Value>): Value {
    const { e } = this;
    const key = `${keyOf(site)},${width}`;
    const known = loaded.get(key);
    if (known) return known;
    const [base, displacement] = this.place(site);
    const value = e.let(e.loadOffset(width, base, displacement + round * site.stream.stride));
    loaded.set(key, value);
    return value;
  }

  override end(): void {
    const { e } = this;
    for (const [number, variable] of this.#carried) e.writeVectorPart(number, e.let(variable.get()));
  }
}

/** All vectors that a permutation takes numbers from; nothing if it takes something else. */
function vectorsOf(handles: readonly OperandHandle[]): readonly Value[] {
  const vectors: Value[] = [];
  for (const handle of handles) {
    if (handle.kind === "immediate") continue;
    if (handle.kind === "memory" && handle.width !== 128) return [];
    vectors.push(handle.kind === "memory" ? handle.read() : handle.readRegister128());
  }
  return vectors;
}
