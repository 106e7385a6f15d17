import type { Value } from "../emit/value.ts";
import type { Operand } from "../isa/instruction.ts";
import type { RegionInstruction } from "./region.ts";
import type { TranslatorEmitter } from "./emitter.ts";

const REGISTERS = 16;
/** More rounds than any budget allows. */
export const MANY = 0x7fff_ffff;

/** What a general register was when the round began (nothing for -1), and a constant; its lower half only where it is narrow. */
interface Linear {
  readonly base: number;
  readonly offset: number;
  readonly isNarrow: boolean;
}

/** What each round adds to a general register; a register of 32 bits wraps there, and its upper half is zero. */
export interface Step {
  readonly delta: number;
  readonly width: 32 | 64;
}

type Relation = "different" | "not below" | "above";

/** How a loop of one block tells its last round: it goes on as long as `high` has the relation to `low`. */
interface Trip {
  readonly high: Linear;
  readonly low: Linear;
  readonly relation: Relation;
  readonly isSigned: boolean;
  readonly width: 32 | 64;
  /** by which a round brings them closer; positive */
  readonly step: number;
}

/** A loop of one block whose general registers are counters and what is computed from them anew in every round. */
export interface CountedLoop {
  /** by register number */
  readonly steps: ReadonlyMap<number, Step>;
  readonly trip: Trip;
}

interface Comparison {
  readonly left: Linear;
  readonly right: Linear;
  readonly width: 32 | 64;
  /** whether CF and OF are those of the comparison, too */
  readonly isWhole: boolean;
}

const ZERO: Linear = { base: -1, offset: 0, isNarrow: false };
const HARMLESS: ReadonlySet<string> = new Set(["nop", "endbr64"]);

/**
 * Finds out how a loop of one block counts its rounds; undefined if it does so in another way, or if general registers carry anything
 * else from round to round.
 *
 * @param instructions of the block, the last being its branch
 */
export function countedLoop(instructions: readonly RegionInstruction[]): CountedLoop | undefined {
  const branch = instructions.at(-1);
  const flow = new CounterFlow();
  for (const current of instructions.slice(0, -1)) if (!flow.follow(current)) return undefined;
  const steps = flow.steps();
  const trip = branch && flow.comparison && tripOf(branch.instruction.mnemonic, flow.comparison, steps);
  return trip && { steps, trip };
}

/** Follows what general registers hold through a round. */
class CounterFlow {
  comparison: Comparison | undefined;
  readonly #values: (Linear | undefined)[] = Array.from({ length: REGISTERS }, (_, base) => ({ ...ZERO, base }));
  readonly #steps = new Map<number, Step>();
  /** registers that a round computes anew before it reads them */
  readonly #temporary = new Set<number>();
  /** registers that have been read while they held what the round before left there */
  readonly #inherited = new Set<number>();

  /** False if the instruction is none that a counted loop is made of. */
  follow({ instruction, definition }: RegionInstruction): boolean {
    const { mnemonic, operands, addressSize } = instruction;
    const [target, source] = operands;
    if (definition.unit === "sse")
      return operands.every((operand) => operand.kind !== "register" || operand.class === "xmm");
    if (HARMLESS.has(mnemonic)) return true;
    const register = counterOf(target);
    if (!register) return false;
    const { number, width } = register;
    switch (mnemonic) {
      case "mov": {
        const value = this.#read(source);
        return value !== undefined && this.#compute(number, width, value);
      }
      case "lea": {
        if (source?.kind !== "memory" || addressSize !== 64 || source.base >= REGISTERS) return false;
        const base = source.base < 0 ? ZERO : this.#register(source.base);
        const index = source.index < 0 ? ZERO : this.#register(source.index);
        const isPlain = base && index === ZERO;
        return this.#compute(
          number,
          width,
          isPlain ? { ...base, offset: base.offset + source.displacement } : undefined,
        );
      }
      case "inc":
        return this.#step(number, width, 1);
      case "dec":
        return this.#step(number, width, -1);
      case "add":
        return source?.kind === "immediate" && this.#step(number, width, source.low);
      case "sub":
        return source?.kind === "immediate" && this.#step(number, width, -source.low);
      case "cmp": {
        const [left, right] = [this.#read(target), this.#read(source)];
        this.comparison = left && right && { left, right, width, isWhole: true };
        return true;
      }
      case "test": {
        const left = this.#read(target);
        const isItself = source?.kind === "register" && source.number === number;
        this.comparison = isItself && left ? { left, right: ZERO, width, isWhole: false } : undefined;
        return isItself;
      }
      default:
        return false;
    }
  }

  /** What a round adds to each register that it does not compute anew. */
  steps(): ReadonlyMap<number, Step> {
    return this.#steps;
  }

  #register(number: number): Linear | undefined {
    if (!this.#temporary.has(number)) this.#inherited.add(number);
    return this.#values[number];
  }

  #read(operand: Operand | undefined): Linear | undefined {
    if (operand?.kind === "immediate") return { ...ZERO, offset: operand.low };
    const register = counterOf(operand);
    return register && this.#register(register.number);
  }

  #compute(number: number, width: 32 | 64, value: Linear | undefined): boolean {
    if (this.#inherited.has(number) || this.#steps.has(number)) return false;
    this.#temporary.add(number);
    this.#values[number] = value && { ...value, isNarrow: value.isNarrow || width === 32 };
    return true;
  }

  #step(number: number, width: 32 | 64, delta: number): boolean {
    const value = this.#values[number];
    const isNarrow = width === 32 || value?.isNarrow === true;
    const result = value && { base: value.base, offset: value.offset + delta, isNarrow };
    this.#values[number] = result;
    this.comparison = result && { left: result, right: ZERO, width, isWhole: false };
    if (this.#temporary.has(number)) return true;
    const before = this.#steps.get(number);
    if (before && before.width !== width) return false;
    this.#inherited.add(number);
    this.#steps.set(number, { delta: (before?.delta ?? 0) + delta, width });
    return true;
  }
}

/** A general register of 32 or 64 bits. */
function counterOf(operand: Operand | undefined): { readonly number: number; readonly width: 32 | 64 } | undefined {
  if (operand?.kind !== "register" || operand.class !== "gpr") return undefined;
  const { number, width } = operand;
  return width === 32 || width === 64 ? { number, width } : undefined;
}

const CONDITIONS: Readonly<Record<string, { relation: Relation; isSigned: boolean; isSwapped: boolean }>> = {
  jne: { relation: "different", isSigned: false, isSwapped: false },
  jge: { relation: "not below", isSigned: true, isSwapped: false },
  jg: { relation: "above", isSigned: true, isSwapped: false },
  jle: { relation: "not below", isSigned: true, isSwapped: true },
  jl: { relation: "above", isSigned: true, isSwapped: true },
  jae: { relation: "not below", isSigned: false, isSwapped: false },
  ja: { relation: "above", isSigned: false, isSwapped: false },
  jbe: { relation: "not below", isSigned: false, isSwapped: true },
  jb: { relation: "above", isSigned: false, isSwapped: true },
};

function tripOf(
  mnemonic: string,
  { left, right, width, isWhole }: Comparison,
  steps: ReadonlyMap<number, Step>,
): Trip | undefined {
  const condition = CONDITIONS[mnemonic];
  if (!condition || (!isWhole && mnemonic !== "jne")) return undefined;
  const deltas = [left, right].map((value) => {
    const step = steps.get(value.base);
    // Where only the lower half steps, only it can be compared.
    const isFit = width === 32 || (!value.isNarrow && step?.width !== 32);
    return isFit ? (step?.delta ?? 0) : undefined;
  });
  const [leftDelta, rightDelta] = deltas;
  if (leftDelta === undefined || rightDelta === undefined) return undefined;
  const closer = rightDelta - leftDelta;
  const { relation, isSigned } = condition;
  const isSwapped = relation === "different" ? closer < 0 : condition.isSwapped;
  const step = isSwapped ? -closer : closer;
  if (step <= 0) return undefined;
  // One of them has to stand still: the other does not wrap before it gets there.
  if (relation !== "different" && leftDelta !== 0 && rightDelta !== 0) return undefined;
  const [high, low] = isSwapped ? [right, left] : [left, right];
  return { high, low, relation, isSigned, width, step };
}

/**
 * Emits how many rounds, from the next one on, certainly are not the last: 32 bits, at most 2^31 - 1. It is to stand between two rounds.
 */
export function roundsBeforeLast(e: TranslatorEmitter, { high, low, relation, isSigned, width, step }: Trip): Value {
  const valueOf = ({ base, offset }: Linear): Value => {
    const constant = e.constant(width, offset);
    const value = base < 0 ? constant : e.add(e.readGeneral(base, width, false), constant);
    if (relation === "different" || width === 64) return e.let(value);
    return e.let(isSigned ? e.signExtend(value, 64) : e.extend(value, 64));
  };
  const [upper, lower] = [valueOf(high), valueOf(low)];
  const distance = e.sub(upper, lower);
  // They meet after that many rounds or, if no number of steps leads there, later.
  if (relation === "different") return bounded(e, e.divU(distance, e.constant(width, step)));
  const one = e.constant(64, 1);
  const steps = e.divU(relation === "above" ? e.sub(distance, one) : distance, e.constant(64, step));
  const rounds = bounded(e, e.add(steps, one));
  const below = isSigned ? e.ltS(upper, lower) : e.ltU(upper, lower);
  const isLast = relation === "above" ? e.or(below, e.eq(upper, lower)) : below;
  return e.select(isLast, e.constant(32, 0), rounds);
}

function bounded(e: TranslatorEmitter, value: Value): Value {
  const count = e.let(value);
  const many = e.constant(count.width === 64 ? 64 : 32, MANY);
  return e.let(e.select(e.ltU(count, many), e.truncate(count, 32), e.constant(32, MANY)));
}
