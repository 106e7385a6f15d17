/**
 * Exact IEEE 754 arithmetic as x86 does it, as helpers of core.wasm. Every function takes the vCPU base first (`e.helper(name, ...)`
 * passes it).
 *
 * Conventions
 *
 * - Exceptions are OR-ed into guestState.fpRaised, which the caller clears first: IE 1, DE 2, ZE 4, OE 8, UE 16, PE 32 (the bits of
 *   MXCSR and FSW), and C1 0x200 when the last rounding was away from zero (the bit of FSW; SSE ignores it). A helper looks at the
 *   masks where they change results, and at nothing else of the control words; it never faults.
 * - f32 and f64 values are their bits (i32, i64); rounding, DAZ, FTZ and masks come from MXCSR.
 * - f80 values are in memory: `destination`, `source`, `left`, `right` are linear-memory offsets (f.fieldOffset("fpr", i)) of slots of
 *   16 bytes: u64 significand, u16 sign and exponent, six bytes 0. They may be the same slot. Rounding and masks come from FCW;
 *   add, sub, mul, div and sqrt obey its precision control.
 * - After an f80 operation whose unmasked pre-computation exception (IE, DE, ZE) leaves no result, the destination is unchanged.
 *   After an unmasked OE or UE it holds the result with the exponent wrapped by 24576 (SDM Vol. 1, 8.5.4 and 8.5.5).
 * - "flags" results of comparisons are ZF PF CF at their places in RFLAGS (0x40, 4, 1), all three for unordered; shifted left by 8
 *   they are C3, C2, C0 of FSW.
 *
 * Names and signatures (without the vCPU base); T is f32 (i32) or f64 (i64)
 *
 *   T_add T_sub T_mul T_div     (left: T, right: T) -> T
 *   T_sqrt                      (source: T) -> T
 *   T_min T_max                 (left: T, right: T) -> T              right, if either is NaN or both are zero
 *   T_compare                   (left: T, right: T, signalling: i32) -> flags     signalling: QNaN raises IE too (COMIS; 0 = UCOMIS)
 *   T_predicate                 (left: T, right: T, predicate: i32) -> i32        0 or 1; predicate 0..7 as in CMPPS
 *   T_round                     (source: T, control: i32) -> T        control as the immediate of ROUNDPS
 *   f32_to_f64 f64_to_f32       (source) -> bits
 *   T_to_i32 T_to_i64           (source: T, truncate: i32) -> i32/i64 the integer indefinite after IE
 *   T_from_i32 T_from_i64       (source: i32/i64) -> T
 *   f32_rcp f32_rsqrt           (source: f32) -> f32                  approximations; no exceptions
 *   f32x4_..., f64x2_...        the same on vectors: see packed.ts
 *   sse_raise                   () -> i32     adds fpRaised to MXCSR's flags; 1 when an exception is unmasked (then #XM or #UD is due and
 *                                             nothing may be written)
 *
 *   f80_add f80_sub f80_mul f80_div   (destination, left, right)
 *   f80_sqrt f80_round_integer        (destination, source)           round_integer is FRNDINT
 *   f80_compare                 (left, right, signalling: i32) -> flags           signalling: FCOM; 0 = FUCOM
 *   f80_from_f32 f80_from_f64   (destination, bits)                   FLD: quiets SNaN with IE, raises DE
 *   f80_widen_f32 f80_widen_f64 (destination, bits)                   memory operand of arithmetic: raises nothing now; keeps SNaN, and
 *                                                                     marks a denormal (u16 at byte 10 = 1), so that the operation raises DE
 *   f80_from_i64                (destination, source: i64)            exact
 *   f80_to_f32 f80_to_f64       (source) -> bits                      FST: with unmasked IE, OE, UE nothing must be stored
 *   f80_to_i16 f80_to_i32 f80_to_i64  (source, truncate: i32) -> i32/i32/i64      the integer indefinite after IE (0x8000 for i16)
 *   f80_pack                    (destination, sign: i32, exponent: i32, high: i64, low: i64)
 *                               rounds to 64 bits and stores  (-1)^sign * high.low * 2^(exponent - 63): bit 63 of `high` is the integer
 *                               bit and must be set; `low` continues it, its bit 0 may stand for all that is lower. For FSCALE and the like.
 *   f80_nan                     (destination, left, right)            result of an operation with a NaN (or unsupported) operand, IE included;
 *                                                                     one operand: pass it twice
 *   f80_invalid                 (destination)                         raises IE; stores the default NaN if IE is masked
 *
 * For helpers that take apart f80 values themselves, `unpackF80` of ./format.ts gives sign, exponent, normalised significand and class.
 */
import type { Helper } from "../helper.ts";

import { arithmeticHelpers } from "./arithmetic.ts";
import { compareHelpers } from "./compare.ts";
import { convertHelpers } from "./convert.ts";
import { F32, F64, F80 } from "./format.ts";
import { nanHelpers } from "./nan.ts";
import { packedHelpers } from "./packed.ts";
import { reciprocalHelpers } from "./reciprocal.ts";
import { packHelpers } from "./round.ts";
import { wideDivide } from "./wide.ts";

const FORMATS = [F32, F64, F80];

/** All of the above; to be added to core.wasm together, since they call one another. */
export const softFloatHelpers: readonly Helper[] = [
  wideDivide,
  ...packHelpers(FORMATS),
  ...nanHelpers(FORMATS),
  ...arithmeticHelpers(FORMATS),
  ...compareHelpers(FORMATS),
  ...convertHelpers,
  ...packedHelpers,
  ...reciprocalHelpers,
];
