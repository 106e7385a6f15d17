import type { Value } from "../emit/value.ts";

/** Bits that each format says something of. */
const BITS: Readonly<Record<string, number>> = { f32: 32, f64: 64, f32x4: 128, f64x2: 128 };

/** What holds of a vector register holds of its low lane. */
const WEAKER: Readonly<Record<string, string>> = { f32x4: "f32", f64x2: "f64" };

const NOTHING: ReadonlyMap<number, ReadonlySet<string>> = new Map();

/**
 * Which XMM registers are known to hold no denormal numbers at a point of the region. An operation on numbers that are known to be
 * normal or zero needs not look at them, and what such an operation has made needs not be looked at again.
 */
export class VectorFacts {
  /** by register number: formats, as `Emitter.knowsNormal` names them */
  #registers: ReadonlyMap<number, ReadonlySet<string>> = NOTHING;
  readonly #values = new WeakMap<Value, ReadonlySet<string>>();
  /** the register that a value was read from, while that still holds it */
  #origins = new WeakMap<Value, number>();
  #hasOrigins = false;

  /** `value` has just been read from a register, of which it is all or the low lane. */
  read(register: number, value: Value): void {
    const known = fitting(this.#registers.get(register), value);
    if (known) this.#values.set(value, known);
    this.#origins.set(value, register);
    this.#hasOrigins = true;
  }

  /** The maps that were given away stay as they are. */
  #know(register: number, formats: ReadonlySet<string> | undefined): void {
    const registers = new Map(this.#registers);
    if (formats) registers.set(register, formats);
    else registers.delete(register);
    this.#registers = registers;
  }
  #forgetOrigins(): void {
    if (!this.#hasOrigins) return;
    this.#origins = new WeakMap();
    this.#hasOrigins = false;
  }

  /** A register has just got `value`, as a whole or in its low lane, the rest being kept; undefined for anything else. */
  write(register: number, value: Value | undefined): void {
    const known = value && fitting(this.#values.get(value), value);
    if (known || this.#registers.has(register)) this.#know(register, known);
    // Values that were read from it before do not speak of it any more.
    this.#forgetOrigins();
  }

  knows(value: Value, format: string): boolean {
    return this.#values.get(value)?.has(format) === true;
  }

  note(value: Value, format: string): void {
    const formats = new Set(this.#values.get(value));
    formats.add(format);
    const weaker = WEAKER[format];
    if (weaker !== undefined) formats.add(weaker);
    this.#values.set(value, formats);
    const register = this.#origins.get(value);
    if (register !== undefined) this.#know(register, new Set([...(this.#registers.get(register) ?? []), ...formats]));
  }

  /** What is known here, to be taken up again where control goes on from here and from nowhere else. */
  get registers(): ReadonlyMap<number, ReadonlySet<string>> {
    return this.#registers;
  }
  set registers(registers: ReadonlyMap<number, ReadonlySet<string>>) {
    this.#registers = registers;
    this.#forgetOrigins();
  }
  /** Nothing is known any more. */
  forget(): void {
    this.registers = NOTHING;
  }
}

/** What speaks of `value`: of all of a vector, of a number exactly as wide as it is. A part of a number is no number. */
function fitting(formats: ReadonlySet<string> | undefined, { width }: Value): ReadonlySet<string> | undefined {
  if (!formats || width === 128) return formats;
  return new Set([...formats].filter((format) => BITS[format] === width));
}
