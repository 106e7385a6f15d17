import type { Label } from "../emit/function.ts";
import type { Value } from "../emit/value.ts";
import {
  anyLane,
  breakIfDenormal,
  F32,
  F64,
  type Format,
  markDenormals,
  nanLanes,
  rejectNan,
} from "../semantics/sse-float/guard.ts";
import type { NumberFormat } from "../semantics/emitter.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import { type Fact, ORDERED } from "./vector-facts.ts";

const FORMATS: Readonly<Record<NumberFormat, Format>> = { f32: F32, f64: F64, f32x4: F32, f64x2: F64 };
const NUMBER_FORMATS: readonly NumberFormat[] = ["f32", "f64", "f32x4", "f64x2"];

/** Format of the numbers that a fact speaks of. */
function formatOf(fact: Fact): NumberFormat {
  return NUMBER_FORMATS.find((format) => ORDERED[format] === fact) ?? (fact as NumberFormat);
}

/** Branches to `reject` if a fact does not hold of `value`, the part of a register that it speaks of. */
export function breakUnless(e: TranslatorEmitter, fact: Fact, value: Value, reject: Label): void {
  const name = formatOf(fact);
  const format = FORMATS[name];
  const isVector = name === "f32x4" || name === "f64x2";
  const isOrder = name !== fact;
  if (!isVector) {
    if (isOrder) rejectNan(e, reject, format, e.let(e.reinterpret(value, format.type)));
    else breakIfDenormal(e, reject, format, value);
    return;
  }
  const marks = isOrder ? nanLanes(e, format, value) : markDenormals(e, format, [value]);
  if (marks) e.break(reject, e.unlikely(e.ne(anyLane(e, format, marks), e.constant(32, 0))));
}
