import type { Value } from "../emit/value.ts";
import type { NumberFormat } from "../semantics/emitter.ts";

/** That a register holds no denormal numbers is noted by their format, that it holds no NaNs by these names. */
export const ORDERED = {
  f32: "ordered f32",
  f64: "ordered f64",
  f32x4: "ordered f32x4",
  f64x2: "ordered f64x2",
} as const;

/** That each lane is all ones or all zeros. */
export const MASK = { f32x4: "mask f32x4", f64x2: "mask f64x2" } as const;
/** That zeros are likely; nothing may rely on that. */
export const SPARSE = "sparse";

/** What can be known of the numbers in a register: all of them, or the one in its low lane. */
export type NumberFact = NumberFormat | (typeof ORDERED)[NumberFormat];
export type Fact = NumberFact | (typeof MASK)[keyof typeof MASK] | typeof SPARSE;

const FACTS: Readonly<Record<Fact, { readonly bits: 32 | 64 | 128; readonly weaker?: Fact }>> = {
  f32: { bits: 32 },
  f64: { bits: 64 },
  f32x4: { bits: 128, weaker: "f32" },
  f64x2: { bits: 128, weaker: "f64" },
  "ordered f32": { bits: 32 },
  "ordered f64": { bits: 64 },
  "ordered f32x4": { bits: 128, weaker: "ordered f32" },
  "ordered f64x2": { bits: 128, weaker: "ordered f64" },
  "mask f32x4": { bits: 128 },
  "mask f64x2": { bits: 128 },
  sparse: { bits: 128 },
};

/** How much of a register a fact speaks of. */
export function widthOf(fact: Fact): 32 | 64 | 128 {
  return FACTS[fact].bits;
}

/** Whether a fact speaks of numbers: whether it holds can be looked at. */
export function isNumberFact(fact: Fact): fact is NumberFact {
  return fact !== SPARSE && fact !== MASK.f32x4 && fact !== MASK.f64x2;
}

/** Facts by register number. */
export type RegisterFacts = ReadonlyMap<number, ReadonlySet<Fact>>;

const NOTHING: RegisterFacts = new Map();

/** What holds wherever control comes from. */
export function commonFacts(ways: readonly RegisterFacts[]): RegisterFacts {
  const [first, ...others] = ways;
  if (!first) return NOTHING;
  const common = new Map<number, ReadonlySet<Fact>>();
  for (const [register, facts] of first) {
    const shared = new Set([...facts].filter((fact) => others.every((way) => way.get(register)?.has(fact) === true)));
    if (shared.size > 0) common.set(register, shared);
  }
  return common;
}

/** What does not follow from what is known; only the strongest facts are given. */
export function missingFacts(wanted: RegisterFacts, known: RegisterFacts): (readonly [register: number, fact: Fact])[] {
  const missing: (readonly [number, Fact])[] = [];
  for (const [register, facts] of wanted) {
    const follows = new Set([...facts].map((fact) => FACTS[fact].weaker));
    for (const fact of facts)
      if (!follows.has(fact) && known.get(register)?.has(fact) !== true) missing.push([register, fact]);
  }
  return missing;
}

/**
 * What is known of the numbers in XMM registers at a point of the region. An operation on numbers that are known to be
 * normal or zero needs not look at them, and what such an operation has made needs not be looked at again.
 */
export class VectorFacts {
  /** by register number: facts, as `Emitter.knowsNormal` names them */
  #registers: RegisterFacts = NOTHING;
  readonly #values = new WeakMap<Value, ReadonlySet<Fact>>();
  /** the registers that hold a value */
  #holders = new WeakMap<Value, Set<number>>();
  #hasHolders = false;

  /** `value` has just been read from a register, of which it is all or the low lane. */
  read(register: number, value: Value): void {
    const known = fitting(this.#registers.get(register), value);
    const own = this.#values.get(value);
    if (known) this.#values.set(value, own ? new Set([...own, ...known]) : known);
    if (own) this.#know(register, new Set([...(this.#registers.get(register) ?? []), ...own]));
    this.#hold(register, value);
  }

  #hold(register: number, value: Value): void {
    const holders = this.#holders.get(value);
    if (holders) holders.add(register);
    else this.#holders.set(value, new Set([register]));
    this.#hasHolders = true;
  }

  /** The maps that were given away stay as they are. */
  #know(register: number, facts: ReadonlySet<Fact> | undefined): void {
    const registers = new Map(this.#registers);
    if (facts) registers.set(register, facts);
    else registers.delete(register);
    this.#registers = registers;
  }
  #forgetHolders(): void {
    if (!this.#hasHolders) return;
    this.#holders = new WeakMap();
    this.#hasHolders = false;
  }

  /** A register has just got `value`, as a whole or in its low lane, the rest being kept; undefined for anything else. */
  write(register: number, value: Value | undefined): void {
    const known = value && fitting(this.#values.get(value), value);
    if (known || this.#registers.has(register)) this.#know(register, known);
    // Values that were read from it before do not speak of it any more.
    this.#forgetHolders();
  }

  knows(value: Value, fact: Fact): boolean {
    return this.#values.get(value)?.has(fact) === true;
  }

  note(value: Value, fact: Fact): void {
    const facts = new Set(this.#values.get(value));
    facts.add(fact);
    const { weaker } = FACTS[fact];
    if (weaker !== undefined) facts.add(weaker);
    this.#values.set(value, facts);
    for (const register of this.#holders.get(value) ?? [])
      this.#know(register, new Set([...(this.#registers.get(register) ?? []), ...facts]));
  }

  /** `result` is `left` where `right` has ones or, unless `keepsOnes`, zeros: numbers that a mask clears are zeros. */
  noteMasked(result: Value, left: Value, right: Value, keepsOnes: boolean): void {
    for (const format of ["f32x4", "f64x2"] as const) {
      const mask = MASK[format];
      if (this.knows(left, mask) && this.knows(right, mask)) this.note(result, mask);
      for (const [numbers, by] of keepsOnes
        ? [[left, right] as const, [right, left] as const]
        : [[left, right] as const]) {
        if (!this.knows(by, mask)) continue;
        this.note(result, SPARSE);
        for (const fact of [format, ORDERED[format]]) if (this.knows(numbers, fact)) this.note(result, fact);
      }
    }
  }

  /** What is known here, to be taken up again where control goes on from here and from nowhere else. */
  get registers(): RegisterFacts {
    return this.#registers;
  }
  set registers(registers: RegisterFacts) {
    this.#registers = registers;
    this.#forgetHolders();
  }
  /** Nothing is known any more. */
  forget(): void {
    this.registers = NOTHING;
  }
}

/** What speaks of `value`: of all of a vector, of a number exactly as wide as it is. A part of a number is no number. */
function fitting(facts: ReadonlySet<Fact> | undefined, { width }: Value): ReadonlySet<Fact> | undefined {
  if (!facts || width === 128) return facts;
  return new Set([...facts].filter((fact) => FACTS[fact].bits === width));
}
