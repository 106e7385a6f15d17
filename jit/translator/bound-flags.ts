import type { Value, Variable } from "../emit/value.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import type { FlagState } from "./flags.ts";
import { constantOf } from "./values.ts";

/**
 * A state of the flags that is made in the same way in every round of a loop, from other values: the values are in variables.
 */
export class BoundFlags {
  readonly #e: TranslatorEmitter;
  readonly #shape: FlagState;
  readonly #variables: (Variable | undefined)[];

  constructor(e: TranslatorEmitter, state: FlagState) {
    this.#e = e;
    this.#shape = state;
    this.#variables = valuesOf(state).map((value) =>
      value && constantOf(value) === undefined ? e.declare(value.type, value.width) : undefined,
    );
    this.assign(state);
  }

  /** Whether a state was made in the same way. */
  matches(state: FlagState): boolean {
    const [own, other] = [valuesOf(this.#shape), valuesOf(state)];
    return (
      shapeOf(this.#shape) === shapeOf(state) &&
      own.every((value, index) => {
        const others = other[index];
        if (!value || !others) return value === others;
        return value.width === others.width && constantOf(value) === constantOf(others);
      })
    );
  }

  assign(state: FlagState): void {
    valuesOf(state).forEach((value, index) => {
      if (value) this.#variables[index]?.set(value);
    });
  }

  /** The state, here, in values that are named. */
  current(): FlagState {
    const values = valuesOf(this.#shape).map((value, index) => {
      const variable = this.#variables[index];
      return variable ? this.#e.let(variable.get()) : value;
    });
    return withValues(this.#shape, values);
  }
}

function shapeOf({ base, step }: FlagState): string {
  const detail = base.kind === "add" || base.kind === "sub" ? base.withCarry : base.kind === "ordered" ? base.type : "";
  return `${base.kind} ${detail} ${step === "dynamic" ? step : (step?.kind ?? "")}`;
}

type Values = readonly (Value | undefined)[];

function valuesOf({ base, step }: FlagState): Values {
  const stepped = step === "dynamic" ? undefined : step?.result;
  switch (base.kind) {
    case "add":
    case "sub":
      return [stepped, base.left, base.right, base.result];
    case "ordered":
      return [stepped, base.left, base.right];
    case "stored":
      return [stepped, base.result, base.bits];
    case "logic":
      return [stepped, base.result];
    case "set":
      return [stepped, base.result, base.others.CF, base.others.OF, base.others.AF];
    case "initial":
    case "dynamic":
      return [stepped];
  }
}

function withValues(state: FlagState, [stepped, first, second, third, fourth]: Values): FlagState {
  const { base, step } = state;
  const newStep = step === "dynamic" || !step || !stepped ? step : { ...step, result: stepped };
  const after = newStep === undefined ? {} : { step: newStep };
  switch (base.kind) {
    case "add":
    case "sub":
      return first && second ? { base: { ...base, left: first, right: second, result: third }, ...after } : state;
    case "ordered":
      return first && second ? { base: { ...base, left: first, right: second }, ...after } : state;
    case "stored":
      return first && second ? { base: { ...base, result: first, bits: second }, ...after } : state;
    case "logic":
      return first ? { base: { ...base, result: first }, ...after } : state;
    case "set": {
      const others = { ...(second && { CF: second }), ...(third && { OF: third }), ...(fourth && { AF: fourth }) };
      return first ? { base: { ...base, result: first, others }, ...after } : state;
    }
    case "initial":
    case "dynamic":
      return { base, ...after };
  }
}
