import type { StateBuilder } from "../../../emit/state.ts";
import type { Value } from "../../../emit/value.ts";
import type { Helper } from "../../helper.ts";
import { type Format, fractionBits, i32, i64 } from "../../softfloat/format.ts";
import {
  EXPONENT_BIAS,
  exponentOf,
  type Extended,
  HALF,
  isNormal,
  isZero,
  named,
  type Outcome,
  outcomeOfHelper,
  type Rounding,
  roundToNearest,
  signOf,
} from "./result.ts";

/** Narrows a normal number or a zero to the bits of a narrower one, 64 bits that are 0 above them. */
export function narrow(to: Outcome, format: Format, number: Extended): void {
  const { f } = to;
  const { significand, top } = number;
  const { bias } = format;
  const stored = fractionBits(format);
  const excess = 63 - stored;
  const field = exponentOf(f, top);
  const sign = f.let(f.shl(f.extend(f.shrU(top, i32(f, 15)), 64), i64(f, stored + format.exponentBits)));
  const exponent = f.let(f.sub(field, i32(f, EXPONENT_BIAS - bias)));
  // The largest exponent is left out: rounding could overflow.
  const fits = f.ltU(f.sub(exponent, i32(f, 1)), i32(f, 2 * bias - 1));
  f.block((rare) => {
    f.break(rare, f.unlikely(f.eqz(fits)));
    f.break(rare, f.unlikely(f.geS(significand, i64(f, 0))));
    const low = f.let(f.shl(significand, i64(f, 64 - excess)));
    const rounded = roundToNearest(f, f.let(f.shrU(significand, i64(f, excess))), low);
    // The integer bit adds one to the exponent, and so does a significand that rounding has carried out of.
    const magnitude = f.add(f.shl(f.extend(f.sub(exponent, i32(f, 1)), 64), i64(f, stored)), rounded.significand);
    to.done(f.let(f.or(sign, magnitude)), i32(f, 0), { up: rounded.up, lost: low });
  });
  f.if(isZero(f, number, field), () => to.done(sign, i32(f, 0)));
  to.fail();
}

/** Rounding control of FCW: to nearest 0, down 1, up 2, towards zero 3. */
const Mode = { DOWN: 1, UP: 2 } as const;

/** A magnitude with `shift` in [0, 63] fraction bits, or 64 and more, rounded to an integer. */
function roundToInteger(
  f: StateBuilder,
  significand: Value,
  shift: Value,
  mode: Value,
  negative: Value,
): { readonly kept: Value; readonly rounding: Rounding } {
  const wide = f.let(f.extend(shift, 64));
  const kept = f.variable(f.shrU(significand, wide));
  const lost = f.variable(f.shl(f.shl(significand, i64(f, 1)), f.xor(wide, i64(f, 63))));
  f.if(f.geU(shift, i32(f, 64)), () => {
    kept.set(i64(f, 0));
    lost.set(f.select(f.eq(shift, i32(f, 64)), significand, i64(f, 1)));
  });
  const bits = named(f, kept);
  const rest = named(f, lost);
  const nearest = f.geU(rest, f.sub(i64(f, HALF + 1n), f.and(bits, i64(f, 1))));
  // Down is away from zero for negative numbers, up for positive ones.
  const away = f.select(negative, i32(f, Mode.DOWN), i32(f, Mode.UP));
  const directed = f.and(f.ne(rest, i64(f, 0)), f.eq(mode, away));
  const up = f.let(f.select(f.eqz(mode), nearest, directed));
  return { kept: f.let(f.add(bits, f.extend(up, 64))), rounding: { up, lost: rest } };
}

/** x87_ordinary_to_integer: (cpu, significand, top, rounding control, largest magnitude) -> integer, and OrdinaryResult. */
const toInteger: Helper = {
  name: "x87_ordinary_to_integer",
  params: ["i64", "i32", "i32", "i64"],
  result: "i64",
  emit(f, [significand, top, mode, limit]) {
    if (!significand || !top || !mode || !limit) return;
    const to = outcomeOfHelper(f);
    const field = exponentOf(f, top);
    f.if(f.eqz(isNormal(f, { significand, top }, field)), () => {
      f.if(isZero(f, { significand, top }, field), () => to.done(i64(f, 0), i32(f, 0)));
      to.fail();
    });
    const shift = f.let(f.sub(i32(f, EXPONENT_BIAS + 63), field));
    f.if(f.leS(shift, i32(f, 0)), () => to.fail());
    const negative = f.let(f.shrU(top, i32(f, 15)));
    const { kept, rounding } = roundToInteger(f, significand, shift, mode, negative);
    f.if(f.gtU(kept, limit), () => to.fail());
    to.done(f.let(f.select(negative, f.neg(kept), kept)), i32(f, 0), rounding);
  },
};

/** x87_ordinary_round: (cpu, significand, top, rounding control) -> significand, and OrdinaryResult. FRNDINT. */
const round: Helper = {
  name: "x87_ordinary_round",
  params: ["i64", "i32", "i32"],
  result: "i64",
  emit(f, [significand, top, mode]) {
    if (!significand || !top || !mode) return;
    const to = outcomeOfHelper(f);
    const field = exponentOf(f, top);
    f.if(f.eqz(isNormal(f, { significand, top }, field)), () => {
      f.if(isZero(f, { significand, top }, field), () => to.done(i64(f, 0), top));
      to.fail();
    });
    const shift = f.let(f.sub(i32(f, EXPONENT_BIAS + 63), field));
    f.if(f.leS(shift, i32(f, 0)), () => to.done(significand, top));
    const negative = f.let(f.shrU(top, i32(f, 15)));
    const { kept, rounding } = roundToInteger(f, significand, shift, mode, negative);
    const sign = f.let(signOf(f, top));
    f.if(f.eqz(kept), () => to.done(i64(f, 0), sign, rounding));
    const zeros = f.let(f.clz(kept));
    const newField = f.sub(i32(f, EXPONENT_BIAS + 63), f.truncate(zeros, 32));
    to.done(f.let(f.shl(kept, zeros)), f.let(f.or(sign, newField)), rounding);
  },
};

export const ordinaryConversionHelpers: readonly Helper[] = [toInteger, round];
