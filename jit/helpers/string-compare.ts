import type { StateBuilder } from "../emit/state.ts";
import type { Value, Variable } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/**
 * The comparison behind PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM; SDM Vol. 2B, 4.1 (imm8 control byte).
 *
 * Takes both vectors, the number of valid elements of each, and the immediate. Gives IntRes2 in bits 15..0 and, at
 * the places they have in RFLAGS shifted left by 16: CF (IntRes2 not 0), ZF (the second string ends in the vector), SF (the first does), OF (bit 0 of IntRes2).
 */

/** Element sizes, imm8[0]. */
type Size = 8 | 16;

interface Strings {
  readonly first: Value;
  readonly second: Value;
  readonly firstLength: Value;
  readonly secondLength: Value;
  readonly immediate: Value;
  /** elements of a whole vector */
  readonly all: Value;
  readonly size: Size;
}

function shape(size: Size): "i8x16" | "i16x8" {
  return size === 8 ? "i8x16" : "i16x8";
}

/** Element number `index` of `vector` in every element. */
function broadcast(f: StateBuilder, size: Size, vector: Value, index: Value): Value {
  if (size === 8) return f.vector("i8x16", "swizzle", vector, f.splat("i8x16", index));
  const within = f.vectorConstant(Array.from({ length: 16 }, (_, i) => i % 2));
  const first = f.splat("i8x16", f.shl(index, f.constant(32, 1)));
  return f.vector("i8x16", "swizzle", vector, f.vector("i8x16", "add", within, first));
}

/** The low `length` bits set; length is 0..16. */
function ones(f: StateBuilder, length: Value): Value {
  return f.sub(f.shl(f.constant(32, 1), length), f.constant(32, 1));
}

/** Runs `body` for index = 0, step, 2 step ... while index + step <= limit. */
function each(f: StateBuilder, step: 1 | 2, limit: Value, body: (index: Value) => void): void {
  const index = f.variable(f.constant(32, 0));
  f.loop((again) => {
    f.if(f.leU(f.add(index.get(), f.constant(32, step)), limit), () => {
      body(f.let(index.get()));
      index.set(f.add(index.get(), f.constant(32, step)));
      f.continue(again);
    });
  });
}

/** Bit j: element j of the second string equals some element of the first. */
function equalAny(f: StateBuilder, s: Strings, result: Variable): void {
  each(f, 1, s.firstLength, (index) => {
    const equal = f.vector(shape(s.size), "eq", broadcast(f, s.size, s.first, index), s.second);
    result.set(f.or(result.get(), f.bitmask(shape(s.size), equal)));
  });
  result.set(f.and(result.get(), ones(f, s.secondLength)));
}

/** Bit j: element j of the second string lies within some range, whose ends are neighbours in the first. */
function ranges(f: StateBuilder, s: Strings, result: Variable): void {
  const lanes = shape(s.size);
  // imm8[1] = 1: signed. Unsigned elements are moved to where signed comparisons order them the same.
  const top = f.constant(32, s.size === 8 ? 0x80 : 0x8000);
  const signed = f.and(s.immediate, f.constant(32, 2));
  const bias = f.let(f.splat(lanes, f.select(signed, f.constant(32, 0), top)));
  const first = f.let(f.vector("v128", "xor", s.first, bias));
  const second = f.let(f.vector("v128", "xor", s.second, bias));
  each(f, 2, s.firstLength, (index) => {
    const atLeast = f.vector(lanes, "ge_s", second, broadcast(f, s.size, first, index));
    const atMost = f.vector(lanes, "le_s", second, broadcast(f, s.size, first, f.add(index, f.constant(32, 1))));
    result.set(f.or(result.get(), f.bitmask(lanes, f.vector("v128", "and", atLeast, atMost))));
  });
  result.set(f.and(result.get(), ones(f, s.secondLength)));
}

/** Bit j: element j is the same in both; the strings are also equal where both have ended. */
function equalEach(f: StateBuilder, s: Strings, result: Variable): void {
  const equal = f.bitmask(shape(s.size), f.vector(shape(s.size), "eq", s.first, s.second));
  const inFirst = f.let(ones(f, s.firstLength));
  const inSecond = f.let(ones(f, s.secondLength));
  const inBoth = f.and(equal, f.and(inFirst, inSecond));
  const inNone = f.and(f.not(f.or(inFirst, inSecond)), ones(f, s.all));
  result.set(f.or(inBoth, inNone));
}

/** Bit j: the first string, as far as the vector shows it, stands at place j of the second. */
function equalOrdered(f: StateBuilder, s: Strings, result: Variable): void {
  const inSecond = f.let(ones(f, s.secondLength));
  const beyond = f.let(f.not(ones(f, s.all)));
  result.set(ones(f, s.all));
  each(f, 1, s.firstLength, (index) => {
    const equal = f.bitmask(
      shape(s.size),
      f.vector(shape(s.size), "eq", broadcast(f, s.size, s.first, index), s.second),
    );
    // What would be compared beyond the end of the vector counts as equal.
    const shifted = f.shrS(f.or(f.and(equal, inSecond), beyond), index);
    result.set(f.and(result.get(), shifted));
  });
}

function compare(f: StateBuilder, strings: Strings): void {
  const { immediate } = strings;
  const result = f.variable(f.constant(32, 0));
  const cases = [equalAny, ranges, equalEach, equalOrdered];
  const kind = f.let(f.and(f.shrU(immediate, f.constant(32, 2)), f.constant(32, 3)));
  cases.forEach((aggregate, number) => f.if(f.eq(kind, f.constant(32, number)), () => aggregate(f, strings, result)));
  // imm8[5:4]: 1 negates all of it, 3 where the second string has elements.
  const allOnes = f.let(ones(f, strings.all));
  const negated = f.select(f.and(immediate, f.constant(32, 0x20)), ones(f, strings.secondLength), allOnes);
  const polarity = f.select(f.and(immediate, f.constant(32, 0x10)), negated, f.constant(32, 0));
  const final = f.let(f.xor(result.get(), polarity));
  const bit = (condition: Value, place: number): Value => f.shl(condition, f.constant(32, place + 16));
  const flags = f.or(
    f.or(bit(f.ne(final, f.constant(32, 0)), 0), bit(f.ltU(strings.secondLength, strings.all), 6)),
    f.or(bit(f.ltU(strings.firstLength, strings.all), 7), bit(f.and(final, f.constant(32, 1)), 11)),
  );
  f.return(f.or(final, flags));
}

const stringCompare: Helper = {
  name: "string.compare",
  params: ["v128", "v128", "i32", "i32", "i32"],
  result: "i32",
  emit(f, [first, second, firstLength, secondLength, immediate]) {
    if (!first || !second || !firstLength || !secondLength || !immediate) return;
    const side = (size: Size) => () =>
      compare(f, { first, second, firstLength, secondLength, immediate, size, all: f.constant(32, 128 / size) });
    f.if(f.and(immediate, f.constant(32, 1)), side(16), side(8));
    f.unreachable();
  },
};

/** Elements before the first zero, or all of the vector: (vector, immediate). */
const stringLength: Helper = {
  name: "string.length",
  params: ["v128", "i32"],
  result: "i32",
  emit(f, [vector, immediate]) {
    if (!vector || !immediate) return;
    const zero = f.let(f.splat("i64x2", f.constant(64, 0n)));
    const length = (size: Size): Value => {
      const zeros = f.bitmask(shape(size), f.vector(shape(size), "eq", vector, zero));
      return f.ctz(f.or(zeros, f.constant(32, 2 ** (128 / size))));
    };
    f.return(
      f.choose(
        f.and(immediate, f.constant(32, 1)),
        () => length(16),
        () => length(8),
      ),
    );
  },
};

export const stringCompareHelpers: readonly Helper[] = [stringCompare, stringLength];
