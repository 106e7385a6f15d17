import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import {
  assemble,
  F80,
  type Format,
  fractionBits,
  i32,
  i64,
  Kind,
  Mxcsr,
  Raised,
  raise,
  storeF80,
  unpack,
} from "./format.ts";
import { isNan, returnIfUnmasked, returnInvalid } from "./round.ts";

/** SSE: the first operand that is a NaN, made quiet. SDM Vol. 1, table 4-7. */
function nanOfBits(format: Format): Helper {
  return {
    name: `${format.name}_nan`,
    params: [format.type, format.type],
    result: format.type,
    emit(f, [left, right]) {
      if (!left || !right) return;
      const a = unpack(f, format, left, false);
      const b = unpack(f, format, right, false);
      const signalling = f.or(f.eq(a.kind, i32(f, Kind.SIGNALLING_NAN)), f.eq(b.kind, i32(f, Kind.SIGNALLING_NAN)));
      f.if(signalling, () => raise(f, Raised.IE));
      const quiet = f.constant(left.width, 1n << BigInt(fractionBits(format) - 1));
      f.return(f.or(f.select(isNan(f, a.kind), left, right), quiet));
    },
  };
}

/** x87: a quiet NaN before a signalling one, then the larger significand, then the positive one. SDM Vol. 1, table 4-7. */
const nanExtended: Helper = {
  name: "f80_nan",
  params: ["i32", "i32", "i32"],
  result: "none",
  emit(f, [destination, left, right]) {
    if (!destination || !left || !right) return;
    const a = unpack(f, F80, left, false);
    const b = unpack(f, F80, right, false);
    const either = (kind: number): Value => f.or(f.eq(a.kind, i32(f, kind)), f.eq(b.kind, i32(f, kind)));
    f.if(either(Kind.UNSUPPORTED), () => returnInvalid({ f, format: F80, destination }));
    f.if(either(Kind.SIGNALLING_NAN), () => {
      raise(f, Raised.IE);
      returnIfUnmasked(f, Raised.IE);
    });
    const leftNan = f.let(isNan(f, a.kind));
    const larger = f.or(
      f.gtU(a.significand, b.significand),
      f.and(f.eq(a.significand, b.significand), f.leU(a.sign, b.sign)),
    );
    const ofTwo = f.select(f.eq(a.kind, b.kind), larger, f.eq(a.kind, i32(f, Kind.QUIET_NAN)));
    const takeLeft = f.let(f.select(f.and(leftNan, isNan(f, b.kind)), ofTwo, leftNan));
    const significand = f.or(f.select(takeLeft, a.significand, b.significand), i64(f, 1n << 62n));
    storeF80(f, destination, f.select(takeLeft, a.sign, b.sign), i32(f, 0x7fff), significand);
  },
};

/** f80_invalid: (destination). */
const invalidExtended: Helper = {
  name: "f80_invalid",
  params: ["i32"],
  result: "none",
  emit(f, [destination]) {
    if (destination) returnInvalid({ f, format: F80, destination });
  },
};

/** A quiet NaN of another format from the left-aligned significand of a NaN. */
export function quietNan(f: StateBuilder, format: Format, sign: Value, significand: Value): Value {
  const stored = fractionBits(format);
  const quiet = f.or(significand, i64(f, 1n << 62n));
  const fraction = f.shrU(f.shl(quiet, i64(f, 1)), i64(f, 64 - stored));
  return assemble(f, format, sign, i32(f, 2 * format.bias + 1), fraction);
}

/**
 * sse_raise: () -> 1 when an exception is due. Adds fpRaised to MXCSR's sticky flags. When an exception that is found before the
 * computation (IE, DE, ZE) is unmasked for any lane, no lane is computed: OE, UE and PE are not reported. SDM Vol. 1, 11.5.2.
 */
const sseRaise: Helper = {
  name: "sse_raise",
  params: [],
  result: "i32",
  emit(f) {
    const mxcsr = f.get("mxcsr");
    const enabled = f.let(f.and(f.not(f.shrU(mxcsr, i32(f, Mxcsr.MASK_SHIFT))), i32(f, 0x3f)));
    const raised = f.variable(f.and(f.get("fpRaised"), i32(f, 0x3f)));
    const before = i32(f, Raised.IE | Raised.DE | Raised.ZE);
    f.if(f.and(f.and(raised.get(), enabled), before), () => raised.set(f.and(raised.get(), before)));
    f.set("mxcsr", f.or(mxcsr, raised.get()));
    f.return(f.ne(f.and(raised.get(), enabled), i32(f, 0)));
  },
};

export const nanHelpers = (formats: readonly Format[]): readonly Helper[] => [
  ...formats.filter((format) => !format.indirect).map(nanOfBits),
  nanExtended,
  invalidExtended,
  sseRaise,
];
