import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import { type Format, i32, Kind, Raised, raise, type Unpacked, unpack } from "./format.ts";
import { isNan } from "./round.ts";

/** What COMISD leaves in RFLAGS. */
const UNORDERED = 0x45;
const EQUAL = 0x40;
const LESS = 1;

/** EQUAL, LESS or 0 (greater) for two numbers. */
function order(f: StateBuilder, left: Unpacked, right: Unpacked): Value {
  const sameExponent = f.let(f.eq(left.exponent, right.exponent));
  const smaller = f.or(
    f.ltS(left.exponent, right.exponent),
    f.and(sameExponent, f.ltU(left.significand, right.significand)),
  );
  const sameMagnitude = f.let(f.and(sameExponent, f.eq(left.significand, right.significand)));
  const sameSign = f.let(f.eq(left.sign, right.sign));
  const bothZero = f.eqz(f.or(left.kind, right.kind));
  const equal = f.or(f.and(sameSign, sameMagnitude), bothZero);
  // Of two negative numbers the one with the larger magnitude is less.
  const less = f.select(sameSign, f.xor(smaller, left.sign), left.sign);
  return f.select(equal, i32(f, EQUAL), f.select(less, i32(f, LESS), i32(f, 0)));
}

/** COMISS/UCOMISS, FCOM/FUCOM. */
function compare(format: Format): Helper {
  return {
    name: `${format.name}_compare`,
    params: [format.type, format.type, "i32"],
    result: "i32",
    emit(f, [left, right, signalling]) {
      if (!left || !right || !signalling) return;
      const a = unpack(f, format, left, true);
      const b = unpack(f, format, right, true);
      f.if(f.or(isNan(f, a.kind), isNan(f, b.kind)), () => {
        const never = f.or(f.geU(a.kind, i32(f, Kind.SIGNALLING_NAN)), f.geU(b.kind, i32(f, Kind.SIGNALLING_NAN)));
        f.if(f.or(never, signalling), () => raise(f, Raised.IE));
        f.return(i32(f, UNORDERED));
      });
      f.if(f.or(a.denormal, b.denormal), () => raise(f, Raised.DE));
      f.return(order(f, a, b));
    },
  };
}

/** CMPSS: predicates EQ LT LE UNORD NEQ NLT NLE ORD; LT, LE and their negations signal on quiet NaNs too. SDM Vol. 2A, "CMPPD". */
function predicate(format: Format): Helper {
  return {
    name: `${format.name}_predicate`,
    params: [format.type, format.type, "i32"],
    result: "i32",
    emit(f, [left, right, which]) {
      if (!left || !right || !which) return;
      const kind = f.let(f.and(which, i32(f, 3)));
      const isLess = f.eq(kind, i32(f, 1));
      const isLessOrEqual = f.eq(kind, i32(f, 2));
      const signals = f.or(isLess, isLessOrEqual);
      const flags = f.call(`${format.name}_compare`, [f.cpu, left, right, signals], "i32");
      const unordered = f.let(f.eq(flags, i32(f, UNORDERED)));
      // Which flags make the predicate true: EQ ZF, LT CF, LE either.
      const wanted = f.or(
        f.select(f.and(kind, i32(f, 1)), i32(f, 0), i32(f, EQUAL)),
        f.select(kind, i32(f, LESS), i32(f, 0)),
      );
      const ordered = f.and(f.ne(f.and(flags, wanted), i32(f, 0)), f.eqz(unordered));
      const holds = f.select(f.eq(kind, i32(f, 3)), unordered, ordered);
      f.return(f.xor(holds, f.and(f.shrU(which, i32(f, 2)), i32(f, 1))));
    },
  };
}

/** MINSS, MAXSS: the second operand if either is a NaN (any NaN raises IE) or both are zeros. SDM Vol. 2B, "MINSS". */
function extreme(format: Format, name: "min" | "max"): Helper {
  return {
    name: `${format.name}_${name}`,
    params: [format.type, format.type],
    result: format.type,
    emit(f, [left, right]) {
      if (!left || !right) return;
      const a = unpack(f, format, left, true);
      const b = unpack(f, format, right, true);
      const unordered = f.let(f.or(isNan(f, a.kind), isNan(f, b.kind)));
      f.if(
        unordered,
        () => raise(f, Raised.IE),
        () => f.if(f.or(a.denormal, b.denormal), () => raise(f, Raised.DE)),
      );
      const relation = f.let(order(f, a, b));
      const better = name === "min" ? f.eq(relation, i32(f, LESS)) : f.eqz(relation);
      const takeLeft = f.let(f.and(better, f.eqz(unordered)));
      const chosen = f.let(f.select(takeLeft, left, right));
      // A denormal that DAZ made a zero is delivered as one, even beside a NaN.
      const signOnly = f.constant(chosen.width, 1n << BigInt(chosen.width - 1));
      const isZero = f.eqz(f.select(takeLeft, a.kind, b.kind));
      f.return(f.select(isZero, f.and(chosen, signOnly), chosen));
    },
  };
}

export const compareHelpers = (formats: readonly Format[]): readonly Helper[] => [
  ...formats.map(compare),
  ...formats
    .filter((format) => !format.indirect)
    .flatMap((format) => [predicate(format), extreme(format, "min"), extreme(format, "max")]),
];
