/*
 * Opcodes of WebAssembly by the name of the type and of the operation, as `Operations` names them.
 * WebAssembly Core Specification 3.0, 5.4 and the index of instructions (appendix 7).
 */

/** An opcode behind the prefix 0xfc or 0xfd has that prefix in bits 8 to 15. */
export const PREFIX_FC = 0xfc00;
export const PREFIX_FD = 0xfd00;

/** Names in the order of their opcodes; "-" is a gap. */
function sequence(first: number, names: string): Readonly<Record<string, number>> {
  const entries = names.split(/\s+/).map((name, index) => [name, first + index] as const);
  return Object.fromEntries(entries.filter(([name]) => name !== "-"));
}

const INTEGER_COMPARISONS = "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const INTEGER_ARITHMETIC = "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const FLOAT_COMPARISONS = "eq ne lt gt le ge";
const FLOAT_ARITHMETIC = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign";
const LANE_COMPARISONS = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";

/** Operations on values alone: their operands are expressions, and nothing else is encoded. */
// prettier-ignore
export const PLAIN: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  i32: {
    ...sequence(0x45, INTEGER_COMPARISONS),
    ...sequence(0x67, INTEGER_ARITHMETIC),
    ...sequence(0xa7, "wrap trunc_s.f32 trunc_u.f32 trunc_s.f64 trunc_u.f64"),
    ...sequence(0xc0, "extend8_s extend16_s"),
    ...sequence(PREFIX_FC + 0, "trunc_s_sat.f32 trunc_u_sat.f32 trunc_s_sat.f64 trunc_u_sat.f64"),
    reinterpret: 0xbc,
  },
  i64: {
    ...sequence(0x50, INTEGER_COMPARISONS),
    ...sequence(0x79, INTEGER_ARITHMETIC),
    ...sequence(0xac, "extend_s extend_u trunc_s.f32 trunc_u.f32 trunc_s.f64 trunc_u.f64"),
    ...sequence(0xc2, "extend8_s extend16_s extend32_s"),
    ...sequence(PREFIX_FC + 4, "trunc_s_sat.f32 trunc_u_sat.f32 trunc_s_sat.f64 trunc_u_sat.f64"),
    reinterpret: 0xbd,
  },
  f32: {
    ...sequence(0x5b, FLOAT_COMPARISONS),
    ...sequence(0x8b, FLOAT_ARITHMETIC),
    ...sequence(0xb2, "convert_s.i32 convert_u.i32 convert_s.i64 convert_u.i64 demote"),
    reinterpret: 0xbe,
  },
  f64: {
    ...sequence(0x61, FLOAT_COMPARISONS),
    ...sequence(0x99, FLOAT_ARITHMETIC),
    ...sequence(0xb7, "convert_s.i32 convert_u.i32 convert_s.i64 convert_u.i64 promote"),
    reinterpret: 0xbf,
  },
  v128: sequence(PREFIX_FD + 77, "not and andnot or xor bitselect any_true"),
  i8x16: {
    ...sequence(PREFIX_FD + 14, "swizzle splat"),
    ...sequence(PREFIX_FD + 35, LANE_COMPARISONS),
    ...sequence(PREFIX_FD + 96, "abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u"),
    ...sequence(PREFIX_FD + 107, "shl shr_s shr_u add add_saturate_s add_saturate_u sub sub_saturate_s sub_saturate_u"),
    ...sequence(PREFIX_FD + 118, "min_s min_u max_s max_u - avgr_u"),
  },
  i16x8: {
    splat: PREFIX_FD + 16,
    ...sequence(PREFIX_FD + 45, LANE_COMPARISONS),
    ...sequence(PREFIX_FD + 124, "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u"),
    ...sequence(PREFIX_FD + 128, "abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u"),
    ...sequence(PREFIX_FD + 135, "extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u"),
    ...sequence(PREFIX_FD + 139, "shl shr_s shr_u add add_saturate_s add_saturate_u sub sub_saturate_s sub_saturate_u"),
    ...sequence(PREFIX_FD + 149, "mul min_s min_u max_s max_u - avgr_u"),
    ...sequence(PREFIX_FD + 156, "extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u"),
  },
  i32x4: {
    splat: PREFIX_FD + 17,
    ...sequence(PREFIX_FD + 55, LANE_COMPARISONS),
    ...sequence(PREFIX_FD + 126, "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u"),
    ...sequence(PREFIX_FD + 160, "abs neg - all_true bitmask"),
    ...sequence(PREFIX_FD + 167, "extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u"),
    ...sequence(PREFIX_FD + 171, "shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u dot_i16x8_s"),
    ...sequence(PREFIX_FD + 188, "extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u"),
    ...sequence(PREFIX_FD + 248, "trunc_sat_f32x4_s trunc_sat_f32x4_u"),
    ...sequence(PREFIX_FD + 252, "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero"),
  },
  i64x2: {
    splat: PREFIX_FD + 18,
    ...sequence(PREFIX_FD + 192, "abs neg - all_true bitmask"),
    ...sequence(PREFIX_FD + 199, "extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u"),
    ...sequence(PREFIX_FD + 203, "shl shr_s shr_u add - - sub - - - mul eq ne lt_s gt_s le_s ge_s"),
    ...sequence(PREFIX_FD + 220, "extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u"),
  },
  f32x4: {
    splat: PREFIX_FD + 19,
    ...sequence(PREFIX_FD + 65, FLOAT_COMPARISONS),
    ...sequence(PREFIX_FD + 103, "ceil floor trunc nearest"),
    ...sequence(PREFIX_FD + 224, "abs neg - sqrt add sub mul div min max pmin pmax"),
    ...sequence(PREFIX_FD + 250, "convert_i32x4_s convert_i32x4_u"),
    demote_f64x2_zero: PREFIX_FD + 94,
  },
  f64x2: {
    splat: PREFIX_FD + 20,
    ...sequence(PREFIX_FD + 71, FLOAT_COMPARISONS),
    ...sequence(PREFIX_FD + 116, "ceil floor - - - - trunc"),
    nearest: PREFIX_FD + 148,
    ...sequence(PREFIX_FD + 236, "abs neg - sqrt add sub mul div min max pmin pmax"),
    ...sequence(PREFIX_FD + 254, "convert_low_i32x4_s convert_low_i32x4_u"),
    promote_low_f32x4: PREFIX_FD + 95,
  },
};

/** Operations that have an index of a lane encoded in them. */
// prettier-ignore
export const LANE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  i8x16: sequence(PREFIX_FD + 21, "extract_lane_s extract_lane_u replace_lane"),
  i16x8: sequence(PREFIX_FD + 24, "extract_lane_s extract_lane_u replace_lane"),
  i32x4: sequence(PREFIX_FD + 27, "extract_lane replace_lane"),
  i64x2: sequence(PREFIX_FD + 29, "extract_lane replace_lane"),
  f32x4: sequence(PREFIX_FD + 31, "extract_lane replace_lane"),
  f64x2: sequence(PREFIX_FD + 33, "extract_lane replace_lane"),
};

/** Loads and stores: displacement, alignment, address and, for a store, the value. */
// prettier-ignore
export const ACCESS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  i32: { load: 0x28, ...sequence(0x2c, "load8_s load8_u load16_s load16_u"), store: 0x36, store8: 0x3a, store16: 0x3b },
  i64: {
    load: 0x29,
    ...sequence(0x30, "load8_s load8_u load16_s load16_u load32_s load32_u"),
    store: 0x37,
    ...sequence(0x3c, "store8 store16 store32"),
  },
  f32: { load: 0x2a, store: 0x38 },
  f64: { load: 0x2b, store: 0x39 },
  v128: {
    ...sequence(
      PREFIX_FD + 0,
      "load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u load8_splat load16_splat load32_splat load64_splat store",
    ),
    ...sequence(PREFIX_FD + 92, "load32_zero load64_zero"),
  },
};

/** Loads and stores of one lane: displacement, alignment, lane, address, vector. */
export const LANE_ACCESS: Readonly<Record<string, number>> = sequence(
  PREFIX_FD + 84,
  "load8_lane load16_lane load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane",
);

/** By opcode of a comparison, the one that gives the opposite; 0 if there is none, as for the order of floats. */
export const OPPOSITE: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256);
  const pairUp = (type: string, one: string, other: string): void => {
    const codes = PLAIN[type] ?? {};
    const [first, second] = [codes[one] ?? 0, codes[other] ?? 0];
    table[first] = second;
    table[second] = first;
  };
  for (const type of ["i32", "i64", "f32", "f64"]) pairUp(type, "eq", "ne");
  for (const type of ["i32", "i64"]) {
    for (const sign of ["s", "u"]) {
      pairUp(type, `lt_${sign}`, `ge_${sign}`);
      pairUp(type, `gt_${sign}`, `le_${sign}`);
    }
  }
  return table;
})();

/** Opcodes of structure, and of what has encodings of its own. */
export const Op = {
  UNREACHABLE: 0x00,
  BLOCK: 0x02,
  LOOP: 0x03,
  IF: 0x04,
  ELSE: 0x05,
  END: 0x0b,
  BR: 0x0c,
  BR_IF: 0x0d,
  BR_TABLE: 0x0e,
  RETURN: 0x0f,
  CALL: 0x10,
  CALL_INDIRECT: 0x11,
  RETURN_CALL: 0x12,
  RETURN_CALL_INDIRECT: 0x13,
  DROP: 0x1a,
  SELECT: 0x1b,
  I32_EQZ: 0x45,
  I32_EQ: 0x46,
  I32_NE: 0x47,
  I64_EQZ: 0x50,
  I64_EQ: 0x51,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  I32_CONST: 0x41,
  I64_CONST: 0x42,
  F32_CONST: 0x43,
  F64_CONST: 0x44,
  V128_CONST: PREFIX_FD + 12,
  SHUFFLE: PREFIX_FD + 13,
  MEMORY_COPY: PREFIX_FC + 10,
  MEMORY_FILL: PREFIX_FC + 11,
} as const;
