import type { Label } from "../emit/function.ts";
import type { Value } from "../emit/value.ts";
import type { NumberFormat } from "../semantics/emitter.ts";
import type { TranslatorEmitter } from "./emitter.ts";

/** How large a number is: zero, or from 2^least to 2^most. In any case it is a multiple of 2^unit. */
interface Magnitude {
  readonly least: number;
  readonly most: number;
  readonly unit: number;
}

interface Bounds {
  /** exponents of moderate numbers: from 2^-moderate up to 2^moderate, which is not one */
  readonly moderate: number;
  /** bits behind the first one of a significand */
  readonly fraction: number;
  /** between these a result raises nothing but PE, whatever it was before it was rounded */
  readonly least: number;
  readonly most: number;
}

const SINGLE: Bounds = { moderate: 30, fraction: 23, least: -124, most: 126 };
const DOUBLE: Bounds = { moderate: 256, fraction: 52, least: -1020, most: 1022 };

function boundsOf(format: NumberFormat): Bounds {
  return format === "f32" || format === "f32x4" ? SINGLE : DOUBLE;
}

/** An operation on two numbers whose result is bounded by its operands. */
export type Bounded = "add" | "sub" | "mul";

const BOUNDED = /^(add|sub|mul)([ps])[sd]$/;

/** The operation of an instruction on scalars or packed numbers, if it is one of those. */
export function boundedOperation(
  mnemonic: string,
): { readonly operation: Bounded; readonly isPacked: boolean } | undefined {
  const [, operation, kind] = BOUNDED.exec(mnemonic) ?? [];
  return operation === undefined ? undefined : { operation: operation as Bounded, isPacked: kind === "p" };
}

/**
 * What is known of the magnitude of numbers. Sums, differences and products of moderate numbers need no look: they are ordinary, or
 * zeros that are exact. So do results of those, as far as the exponents go.
 */
export class Magnitudes {
  readonly #known = new WeakMap<Value, Magnitude>();

  isKnown(value: Value): boolean {
    return this.#known.has(value);
  }

  /** Whether it is known to be moderate or zero. */
  isModerate(value: Value, format: NumberFormat): boolean {
    const known = this.#known.get(value);
    const { moderate } = boundsOf(format);
    return known !== undefined && known.least >= -moderate && known.most <= moderate;
  }

  /** Notes that a number, or all of a vector, is moderate or zero. */
  noteModerate(value: Value, format: NumberFormat): void {
    const { moderate, fraction } = boundsOf(format);
    this.#known.set(value, { least: -moderate, most: moderate, unit: -moderate - fraction });
  }

  /** What holds for `from` holds for `to`, which is a part of it, or made of nothing else. */
  copy(from: Value, to: Value): void {
    const known = this.#known.get(from);
    if (known) this.#known.set(to, known);
  }

  /** `result` is made of numbers of `values`, of all of which something is known. */
  join(values: readonly Value[], result: Value): void {
    const known = values.map((value) => this.#known.get(value));
    const [first] = known;
    if (!first) return;
    let { least, most, unit } = first;
    for (const magnitude of known) {
      if (!magnitude) return;
      least = Math.min(least, magnitude.least);
      most = Math.max(most, magnitude.most);
      unit = Math.min(unit, magnitude.unit);
    }
    this.#known.set(result, { least, most, unit });
  }

  /** Whether the result needs no look; if so, and it is given, its magnitude is known from now on. */
  deduce(operation: Bounded, format: NumberFormat, left: Value, right: Value, result?: Value): boolean {
    const [one, other] = [this.#known.get(left), this.#known.get(right)];
    if (!one || !other) return false;
    const bounds = boundsOf(format);
    const magnitude = operation === "mul" ? product(one, other, bounds) : sum(one, other);
    if (magnitude.least < bounds.least || magnitude.most > bounds.most) return false;
    if (result) this.#known.set(result, magnitude);
    return true;
  }
}

function product(one: Magnitude, other: Magnitude, { fraction }: Bounds): Magnitude {
  const least = one.least + other.least;
  return { least, most: one.most + other.most, unit: least - fraction };
}

/** What is left when most of two numbers cancels is a multiple of the smaller unit. Rounding only makes units larger. */
function sum(one: Magnitude, other: Magnitude): Magnitude {
  const unit = Math.min(one.unit, other.unit);
  return { least: unit, most: Math.max(one.most, other.most) + 1, unit };
}

/** Rejects a number, or a vector, unless all of it is moderate or zero. */
export function breakUnlessModerate(e: TranslatorEmitter, label: Label, format: NumberFormat, value: Value): void {
  const { moderate } = boundsOf(format);
  if (format === "f32" || format === "f64") {
    const number = e.let(e.reinterpret(value, format));
    const size = e.let(e.float(format, "abs", number));
    const isLarge = e.compareFloat(format, "ge", size, e.floatConstant(format, 2 ** -moderate));
    const isSmall = e.compareFloat(format, "lt", size, e.floatConstant(format, 2 ** moderate));
    const isZero = e.compareFloat(format, "eq", number, e.floatConstant(format, 0));
    return e.break(label, e.eqz(e.or(e.and(isLarge, isSmall), isZero)));
  }
  const lane = format === "f32x4" ? "f32" : "f64";
  const all = (constant: number): Value => e.splat(format, e.floatConstant(lane, constant));
  const size = e.let(e.vector(format, "abs", value));
  const isLarge = e.vector(format, "ge", size, all(2 ** -moderate));
  const isSmall = e.vector(format, "lt", size, all(2 ** moderate));
  const isZero = e.vector(format, "eq", value, all(0));
  const isFit = e.vector("v128", "or", e.vector("v128", "and", isLarge, isSmall), isZero);
  e.break(label, e.eqz(e.allTrue("i32x4", isFit)));
}
