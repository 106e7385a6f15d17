import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Label } from "../../emit/function.ts";
import type { Helper } from "../helper.ts";
import { F32, i32, i64, Kind, unpack } from "./format.ts";
import { isNan } from "./round.ts";
import { type Bipartite, RECIPROCAL, ROOT_EVEN, ROOT_ODD } from "./reciprocal-table.ts";

const SIGN = 0x8000_0000;
const INFINITY = 0x7f80_0000;
const QUIET = 0x0040_0000;
const DEFAULT_NAN = 0xffc0_0000;

/** words[index], as constants in the code: generated code has no data of its own. */
function constantTable(f: StateBuilder, index: Value, words: readonly bigint[]): Value {
  const result = f.declare("i64", 64);
  f.block((done) => {
    const labels: Label[] = [];
    const nest = (position: number): void => {
      f.block((label) => {
        labels[position] = label;
        if (position === 0) f.switch(index, labels);
        else nest(position - 1);
      });
      result.set(i64(f, words[position] ?? 0n));
      f.break(done);
    };
    nest(words.length - 1);
  });
  return f.let(result.get());
}

/** Packs small numbers into 64-bit words, `bits` for each, lowest first. */
function packWords(numbers: readonly number[], bits: number): bigint[] {
  const perWord = 64 / bits;
  const words: bigint[] = Array.from({ length: Math.ceil(numbers.length / perWord) }, () => 0n);
  numbers.forEach((number, i) => {
    const word = Math.floor(i / perWord);
    words[word] = (words[word] ?? 0n) | (BigInt(number) << BigInt((i % perWord) * bits));
  });
  return words;
}

/** (upper 12 bits of a fraction) -> 12 bits of the result's. */
function table(name: string, { first, steps, corrections }: Bipartite): Helper {
  const digits = (text: string): number[] => Array.from(text, (digit) => Number.parseInt(digit, 36));
  let base = first;
  const bases = packWords(
    digits(steps).map((step) => (base -= step)),
    16,
  );
  const rows = packWords(digits(corrections), 8);
  return {
    name,
    params: ["i32"],
    result: "i32",
    emit(f, [index]) {
      if (!index) return;
      const block = f.let(f.shrU(index, i32(f, 4)));
      const lane = (value: Value, position: Value, bits: number): Value => {
        const shift = f.extend(f.mul(position, i32(f, bits)), 64);
        return f.and(f.truncate(f.shrU(value, shift), 32), i32(f, 2 ** bits - 1));
      };
      const baseWord = constantTable(f, f.shrU(block, i32(f, 2)), bases);
      const rowIndex = f.let(f.or(f.and(block, i32(f, 0xf0)), f.and(index, i32(f, 0xf))));
      const rowWord = constantTable(f, f.shrU(rowIndex, i32(f, 3)), rows);
      f.return(f.add(lane(baseWord, f.and(block, i32(f, 3)), 16), lane(rowWord, f.and(rowIndex, i32(f, 7)), 8)));
    },
  };
}

/** An f32 with a 12-bit fraction. */
function result(f: StateBuilder, sign: Value, field: Value, fraction: Value): Value {
  return f.or(sign, f.or(f.shl(field, i32(f, 23)), f.shl(fraction, i32(f, 11))));
}

const index = (f: StateBuilder, bits: Value): Value => f.and(f.shrU(bits, i32(f, 11)), i32(f, 0xfff));

/** RCPSS: raises nothing; denormals count as zeros, and so do results that would be denormal. SDM Vol. 2B, "RCPPS". */
const reciprocal: Helper = {
  name: "f32_rcp",
  params: ["i32"],
  result: "i32",
  emit(f, [source]) {
    if (!source) return;
    const value = unpack(f, F32, source, false);
    const sign = f.let(f.and(source, i32(f, SIGN)));
    f.if(isNan(f, value.kind), () => f.return(f.or(source, i32(f, QUIET))));
    f.if(f.or(f.eqz(value.kind), value.denormal), () => f.return(f.or(sign, i32(f, INFINITY))));
    const field = f.let(f.sub(i32(f, 126), value.exponent));
    f.if(f.leS(field, i32(f, 0)), () => f.return(sign));
    f.return(result(f, sign, field, f.call("reciprocal_table", [f.cpu, index(f, source)], "i32")));
  },
};

/** RSQRTSS: raises nothing; negative numbers give the default NaN. SDM Vol. 2B, "RSQRTPS". */
const reciprocalRoot: Helper = {
  name: "f32_rsqrt",
  params: ["i32"],
  result: "i32",
  emit(f, [source]) {
    if (!source) return;
    const value = unpack(f, F32, source, false);
    const sign = f.let(f.and(source, i32(f, SIGN)));
    f.if(isNan(f, value.kind), () => f.return(f.or(source, i32(f, QUIET))));
    f.if(f.or(f.eqz(value.kind), value.denormal), () => f.return(f.or(sign, i32(f, INFINITY))));
    f.if(value.sign, () => f.return(i32(f, DEFAULT_NAN)));
    f.if(f.eq(value.kind, i32(f, Kind.INFINITE)), () => f.return(i32(f, 0)));
    const half = f.let(f.shrS(value.exponent, i32(f, 1)));
    const odd = f.and(value.exponent, i32(f, 1));
    const at = f.let(index(f, source));
    const fraction = f.choose(
      odd,
      () => f.call("root_odd_table", [f.cpu, at], "i32"),
      () => f.call("root_even_table", [f.cpu, at], "i32"),
    );
    f.return(result(f, sign, f.sub(i32(f, 126), half), fraction));
  },
};

/** f32x4_rcp, f32x4_rsqrt. */
function packed(operation: "rcp" | "rsqrt"): Helper {
  return {
    name: `f32x4_${operation}`,
    params: ["v128"],
    result: "v128",
    emit(f, [source]) {
      if (!source) return;
      let vector = source;
      for (let i = 0; i < 4; i++) {
        const lane = f.call(`f32_${operation}`, [f.cpu, f.extractLane("i32x4", source, i)], "i32");
        vector = f.replaceLane("i32x4", vector, i, lane);
      }
      f.return(vector);
    },
  };
}

/** f32_rcp, f32_rsqrt: (bits) -> bits; f32x4_rcp, f32x4_rsqrt: (vector) -> vector. No flags. */
export const reciprocalHelpers: readonly Helper[] = [
  table("reciprocal_table", RECIPROCAL),
  table("root_odd_table", ROOT_ODD),
  table("root_even_table", ROOT_EVEN),
  reciprocal,
  reciprocalRoot,
  packed("rcp"),
  packed("rsqrt"),
];
