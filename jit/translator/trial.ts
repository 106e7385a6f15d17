import { invariant } from "../../runtime/abi/invariant.ts";
import type { Label } from "../emit/function.ts";
import type { Expression } from "../emit/wasm.ts";
import type { Value, Variable } from "../emit/value.ts";
import type { NumberFormat } from "../semantics/emitter.ts";
import type { TranslatorEmitter } from "./emitter.ts";
import type { RegionInstruction } from "./region.ts";

/** Numbers that have to be ordinary; `exactly` rejects them unless they may pass for another reason. */
interface Check {
  readonly format: NumberFormat;
  readonly values: readonly Value[];
  readonly exactly: (reject: Label) => void;
  readonly range: keyof typeof RANGES;
}

/** A test of four 32-bit words at once: those pass that are, doubled, at least `floor` and at most `limit` above it. */
interface Range {
  readonly floor: number;
  readonly limit: number;
}

/** Of doubles their upper halves, of singles all. */
const RANGES = {
  /**
   * doubles with an exponent field from 2 to 0x7fe; singles but zeros, denormals, the smallest normal number, infinities and NaNs
   */
  ordinary: { double: { floor: 0x0040_0000, limit: 0xff9f_ffff }, single: { floor: 0x0100_0002, limit: 0xfdff_fffd } },
  /** what `Magnitudes` calls moderate: from 2^-256 up to 2^256, from 2^-30 up to 2^30 */
  moderate: { double: { floor: 0x5fe0_0000, limit: 0x3fff_ffff }, single: { floor: 0x6100_0000, limit: 0x3bff_ffff } },
} as const satisfies Readonly<Record<string, { readonly double: Range; readonly single: Range }>>;

/** Which numbers a vector register holds that `values` of a format take. */
const LANES: Readonly<Record<NumberFormat, number>> = { f32: 1, f64: 1, f32x4: 4, f64x2: 2 };
/** Numbers that are looked at together: more of them would have to wait in registers. */
const MAXIMUM_LANES = 8;

const HIGH_WORDS = [1, 3, 5, 7].flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]);

/**
 * Instructions of a block that run on trial: what they compute with must be ordinary numbers, which is looked at behind the last of
 * them, for all at once. If it turns out otherwise, or one of them has to leave the region, all registers become what they were, and
 * the interpreter goes on before the first. So nothing but registers may change.
 *
 * The engine needs 5 or 6 machine instructions to look at a number by itself, and less than 3 to look at it together with others.
 */
export class Trial {
  /** where the statements of the first instruction begin */
  readonly start: number;
  /** leaves the region before the first instruction */
  readonly exit: Expression;
  readonly rollback: Label;
  /** locals of registers that have been written since */
  readonly written = new Set<Variable>();
  readonly #checks: Check[] = [];
  readonly #marks: Value[] = [];
  #lanes = 0;

  constructor(start: number, exit: Expression, rollback: Label) {
    this.start = start;
    this.exit = exit;
    this.rollback = rollback;
  }

  get isFull(): boolean {
    return this.#lanes >= MAXIMUM_LANES;
  }

  /** @param range that the numbers have to be in unless `exactly` lets them pass */
  add(
    format: NumberFormat,
    values: readonly Value[],
    exactly: (reject: Label) => void,
    range: keyof typeof RANGES = "ordinary",
  ): void {
    this.#checks.push({ format, values, exactly, range });
    this.#lanes += LANES[format] * values.length;
  }

  /** @param marks named; a sign bit in one of its 32-bit lanes rejects */
  addMarks(marks: Value): void {
    this.#marks.push(marks);
    this.#lanes += LANES.f32x4;
  }

  /** Emits the checks. */
  emitChecks(e: TranslatorEmitter): void {
    const exactly = (): void => {
      const [first, ...others] = this.#marks;
      if (first)
        e.break(this.rollback, e.unlikely(e.ne(e.bitmask("i32x4", union(e, first, others)), e.constant(32, 0))));
      for (const check of this.#checks) check.exactly(this.rollback);
    };
    if (this.#lanes === 1 || this.#checks.length === 0) return exactly();
    e.if(e.unlikely(this.#emitTest(e)), exactly);
  }

  /** Gives 1 or more if any of the numbers is out of its range. */
  #emitTest(e: TranslatorEmitter): Value {
    const marks = [...this.#marks];
    for (const range of ["ordinary", "moderate"] as const) {
      const checks = this.#checks.filter((check) => check.range === range);
      const pairs = [...vectorsOf(e, checks, "f64", "f64x2"), ...valuesOf(checks, "f64x2")];
      const fours = [...vectorsOf(e, checks, "f32", "f32x4"), ...valuesOf(checks, "f32x4")];
      const { double, single } = RANGES[range];
      const [pair, ...others] = pairs;
      const isAlone = checks.length === this.#checks.length && this.#marks.length === 0 && fours.length === 0;
      // The upper half of a lane decides its sign.
      if (pair && isAlone && others.length === 0) return e.bitmask("i64x2", outside(e, [pair], double));
      const highWords: Value[] = [];
      for (let index = 0; index < pairs.length; index += 2) {
        const low = pairs[index];
        if (low) highWords.push(e.let(e.shuffle(low, pairs[index + 1] ?? low, HIGH_WORDS)));
      }
      if (highWords.length > 0) marks.push(outside(e, highWords, double));
      if (fours.length > 0) marks.push(outside(e, fours, single));
    }
    const [first, ...more] = marks;
    invariant(first !== undefined, "there are checks");
    return e.bitmask("i32x4", union(e, first, more));
  }
}

function valuesOf(checks: readonly Check[], format: NumberFormat): readonly Value[] {
  return checks.filter((check) => check.format === format).flatMap(({ values }) => values);
}

/** The scalars of a format as vectors of as many as have room; the last is repeated to fill its vector. */
function vectorsOf(
  e: TranslatorEmitter,
  checks: readonly Check[],
  format: "f32" | "f64",
  shape: "f32x4" | "f64x2",
): readonly Value[] {
  const scalars = valuesOf(checks, format);
  const vectors: Value[] = [];
  const lanes = LANES[shape];
  for (let index = 0; index < scalars.length; index += lanes) {
    const [first, ...rest] = scalars.slice(index, index + lanes);
    if (!first) break;
    let vector = e.splat(shape, e.reinterpret(first, format));
    rest.forEach((scalar, lane) => {
      vector = e.replaceLane(shape, vector, lane + 1, e.reinterpret(scalar, format));
    });
    vectors.push(e.let(vector));
  }
  return vectors;
}

function union(e: TranslatorEmitter, first: Value, others: readonly Value[]): Value {
  return others.reduce((left, right) => e.vector("v128", "or", left, right), first);
}

/** Marks words of any of the vectors that are outside a range. */
function outside(e: TranslatorEmitter, vectors: readonly Value[], { floor, limit }: Range): Value {
  // There is one instruction for a signed comparison, and two for an unsigned one.
  const from = words(e, (floor ^ 0x8000_0000) >>> 0);
  const distances = vectors.map((vector) => e.vector("i32x4", "sub", e.vector("i32x4", "add", vector, vector), from));
  const largest = distances.reduce((left, right) => e.vector("i32x4", "max_s", left, right));
  return e.vector("i32x4", "gt_s", largest, words(e, (limit ^ 0x8000_0000) >>> 0));
}

function words(e: TranslatorEmitter, value: number): Value {
  return e.vectorConstant(Array.from({ length: 16 }, (_, index) => (value >>> (8 * (index & 3))) & 0xff));
}

/** Instructions without a unit that change nothing but general registers and flags when they do not write to memory. */
const PLAIN = new Set(
  (
    "mov movzx movsx movsxd lea add sub and or xor not neg inc dec cmp test imul shl shr sar rol ror bt cbw cwde cdqe cwd cdq cqo " +
    "xchg bswap nop jmp"
  ).split(" "),
);
const PLAIN_GROUP = /^(cmov|set|j)/;
/** SSE instructions that use MXCSR itself, or write to memory that no operand names. */
const UNFIT_SSE = /^(ldmxcsr|stmxcsr|fx|xsave|xrstor|maskmov)/;

/** Whether all that an instruction changes is registers and flags, so that it may run on trial. */
export function isTentative({ instruction, definition }: RegionInstruction): boolean {
  const { mnemonic, operands } = instruction;
  const accesses = Object.values(definition.operands ?? {});
  if (operands.some((operand, index) => operand.kind === "memory" && (accesses[index] ?? "rw").includes("w")))
    return false;
  if (definition.unit === "sse") return !UNFIT_SSE.test(mnemonic);
  return definition.unit === undefined && (PLAIN.has(mnemonic) || PLAIN_GROUP.test(mnemonic));
}
