import type { Value, Variable } from "../emit/value.ts";
import type { Rounding } from "../helpers/x87/ordinary/result.ts";
import { CONDITIONS, EXCEPTIONS, Fsw } from "../helpers/x87/registers.ts";
import type { TranslatorEmitter } from "./emitter.ts";

export interface StatusLocals {
  /** FSW without TOP, C1 and what PE has become since the entry */
  readonly word: Variable;
  /** C1, 0 or 1 */
  readonly roundedUp: Variable;
  /** not 0 if a result was inexact since the entry, or since FNCLEX */
  readonly lost: Variable;
}

export function declareStatus(e: TranslatorEmitter): StatusLocals {
  return { word: e.declare("i32", 32), roundedUp: e.declare("i32", 32), lost: e.declare("i64", 64) };
}

function at(e: TranslatorEmitter, bit: Value, place: number): Value {
  return e.shl(bit, e.constant(32, Math.log2(place)));
}

/** FSW of a region, without TOP. C1 and PE are kept as results bring them, since hardly anybody looks at them. SDM Vol. 1, 8.1.3. */
export class X87Status {
  readonly #e: TranslatorEmitter;
  readonly #locals: () => StatusLocals;

  constructor(e: TranslatorEmitter, locals: () => StatusLocals) {
    this.#e = e;
    this.#locals = locals;
  }

  /** C1 becomes 0. */
  clearC1(): void {
    this.setC1(this.#e.constant(32, 0));
  }
  /** C1 becomes `bit`, 0 or 1. */
  setC1(bit: Value): void {
    const { roundedUp } = this.#locals();
    this.#e.changed();
    roundedUp.set(bit);
  }
  /** PE and C1 after a result. */
  setRounding({ up, lost }: Rounding): void {
    const e = this.#e;
    this.setC1(up);
    const all = this.#locals().lost;
    all.set(e.or(all.get(), lost));
  }
  /** C3, C2 and C0 become `bits`. */
  setConditions(bits: Value): void {
    const e = this.#e;
    const { word } = this.#locals();
    e.changed();
    word.set(e.or(e.and(word.get(), e.constant(32, ~CONDITIONS)), bits));
  }
  /** FNCLEX. */
  clearExceptions(): void {
    const e = this.#e;
    const { word, lost } = this.#locals();
    e.changed();
    lost.set(e.constant(64, 0));
    word.set(e.and(word.get(), e.constant(32, ~(EXCEPTIONS | Fsw.SF | Fsw.ES | Fsw.B))));
  }

  /** FSW without TOP, 32 bits. */
  read(): Value {
    const e = this.#e;
    const { word, roundedUp, lost } = this.#locals();
    const inexact = e.ne(lost.get(), e.constant(64, 0));
    return e.or(word.get(), e.or(at(e, roundedUp.get(), Fsw.C1), at(e, inexact, Fsw.PE)));
  }
  /** Emits, at the entry: the locals are loaded. */
  load(): void {
    const e = this.#e;
    const { word, roundedUp } = this.#locals();
    const fsw = e.let(e.get("fsw"));
    word.set(e.and(fsw, e.constant(32, ~Fsw.C1)));
    roundedUp.set(e.and(e.shrU(fsw, e.constant(32, Math.log2(Fsw.C1))), e.constant(32, 1)));
  }
}
