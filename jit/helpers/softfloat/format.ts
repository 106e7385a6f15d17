import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";

/** Exception bits of guestState.fpRaised: MXCSR bits 0..5, FSW bits 0..5, and C1 of FSW. */
export const Raised = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 16, PE: 32, C1: 0x200 } as const;

/** Bits of MXCSR; SDM Vol. 1, 10.2.3. Mask bits are the exception bits shifted left by 7. */
export const Mxcsr = { DAZ: 0x40, MASK_SHIFT: 7, ROUNDING_SHIFT: 13, FTZ: 0x8000 } as const;

/** An IEEE 754 binary format, as far as it is data. SDM Vol. 1, 4.2.2. */
export interface Format {
  readonly name: "f32" | "f64" | "f80";
  /** how helpers receive a value: its bits, or (f80) the linear-memory offset of its slot */
  readonly type: "i32" | "i64";
  readonly indirect: boolean;
  /** significant bits with the integer bit */
  readonly precision: number;
  readonly exponentBits: number;
  /** exponent bias, which is also the largest exponent; the smallest is 1 - bias */
  readonly bias: number;
}

export const F32: Format = { name: "f32", type: "i32", indirect: false, precision: 24, exponentBits: 8, bias: 127 };
export const F64: Format = { name: "f64", type: "i64", indirect: false, precision: 53, exponentBits: 11, bias: 1023 };
export const F80: Format = { name: "f80", type: "i32", indirect: true, precision: 64, exponentBits: 15, bias: 16383 };

/** Classes of values, in an order that makes tests cheap: everything from QUIET_NAN on has no numerical value. */
export const Kind = { ZERO: 0, FINITE: 1, INFINITE: 2, QUIET_NAN: 3, SIGNALLING_NAN: 4, UNSUPPORTED: 5 } as const;

/** Exponent of zeros: far below that of any number, so that alignment shifts them out. */
export const ZERO_EXPONENT = -0x10_0000;

/** A number taken apart: (-1)^sign * significand * 2^(exponent - 63), bit 63 of the significand set unless it is zero. */
export interface Unpacked {
  readonly sign: Value;
  readonly exponent: Value;
  readonly significand: Value;
  /** a value of Kind */
  readonly kind: Value;
  /** 1 for a denormal, which makes most operations raise DE */
  readonly denormal: Value;
}

/** Byte of an f80 slot that marks a value widened from a denormal of a narrower format. */
const F80_MARK_BIT = 16;

export const i32 = (f: StateBuilder, value: number): Value => f.constant(32, value);
export const i64 = (f: StateBuilder, value: bigint | number): Value => f.constant(64, value);

/** Bits of a stored f32 or f64 fraction. */
export function fractionBits(format: Format): number {
  return format.precision - 1;
}

/** ORs bits into guestState.fpRaised. */
export function raise(f: StateBuilder, bits: number | Value): void {
  const more = typeof bits === "number" ? i32(f, bits) : bits;
  f.set("fpRaised", f.or(f.get("fpRaised"), more));
}

/** FCW's masks and rounding control at their places in MXCSR, so that rounding reads one kind of control word. */
export function controlFromFcw(f: StateBuilder): Value {
  const fcw = f.get("fcw");
  const masks = f.shl(f.and(fcw, i32(f, 0x3f)), i32(f, Mxcsr.MASK_SHIFT));
  return f.let(f.or(masks, f.shl(f.and(fcw, i32(f, 0xc00)), i32(f, 3))));
}

/** Takes apart a value of any format. `zeroDenormals` obeys MXCSR.DAZ: denormals become zeros of their sign, silently. */
export function unpack(f: StateBuilder, format: Format, operand: Value, zeroDenormals: boolean): Unpacked {
  return format.indirect ? unpackIndirect(f, operand) : unpackBits(f, format, operand, zeroDenormals);
}

function unpackBits(f: StateBuilder, format: Format, operand: Value, zeroDenormals: boolean): Unpacked {
  const stored = fractionBits(format);
  const bits = f.let(f.extend(operand, 64));
  const sign = f.let(f.truncate(f.shrU(bits, i64(f, stored + format.exponentBits)), 32));
  const field = f.let(f.and(f.truncate(f.shrU(bits, i64(f, stored)), 32), i32(f, 2 ** format.exponentBits - 1)));
  const fraction = f.let(f.and(bits, i64(f, (1n << BigInt(stored)) - 1n)));
  const exponent = f.variable(i32(f, ZERO_EXPONENT));
  const significand = f.variable(i64(f, 0));
  const kind = f.variable(i32(f, Kind.ZERO));
  const denormal = f.variable(i32(f, 0));
  f.if(
    f.eqz(field),
    () => {
      let ignored = f.eqz(fraction);
      if (zeroDenormals) ignored = f.or(ignored, f.and(f.get("mxcsr"), i32(f, Mxcsr.DAZ)));
      f.if(f.eqz(ignored), () => {
        const leading = f.let(f.clz(fraction));
        significand.set(f.shl(fraction, leading));
        exponent.set(f.sub(i32(f, 1 - format.bias + 63 - stored), f.truncate(leading, 32)));
        kind.set(i32(f, Kind.FINITE));
        denormal.set(i32(f, 1));
      });
    },
    () => {
      significand.set(f.or(f.shl(fraction, i64(f, 63 - stored)), i64(f, 1n << 63n)));
      exponent.set(f.sub(field, i32(f, format.bias)));
      kind.set(i32(f, Kind.FINITE));
      f.if(f.eq(field, i32(f, 2 ** format.exponentBits - 1)), () => kind.set(specialKind(f, fraction, stored - 1)));
    },
  );
  return {
    sign,
    exponent: named(f, exponent),
    significand: named(f, significand),
    kind: named(f, kind),
    denormal: named(f, denormal),
  };
}

/** Double extended precision, whose integer bit is explicit: SDM Vol. 1, 8.2.2 says which encodings are no longer supported. */
function unpackIndirect(f: StateBuilder, offset: Value): Unpacked {
  const word = f.let(f.loadOffset(64, offset));
  const top = f.let(f.loadOffset(32, offset, 8));
  const sign = f.let(f.and(f.shrU(top, i32(f, 15)), i32(f, 1)));
  const field = f.let(f.and(top, i32(f, 0x7fff)));
  const exponent = f.variable(i32(f, ZERO_EXPONENT));
  const significand = f.variable(word);
  const kind = f.variable(i32(f, Kind.ZERO));
  const denormal = f.variable(f.and(f.shrU(top, i32(f, F80_MARK_BIT)), i32(f, 1)));
  f.if(
    f.eqz(field),
    () => {
      f.unless0(word, () => {
        const leading = f.let(f.clz(word));
        significand.set(f.shl(word, leading));
        // A pseudo-denormal, with its integer bit set, has the exponent of all denormals.
        exponent.set(f.sub(i32(f, 1 - F80.bias), f.truncate(leading, 32)));
        kind.set(i32(f, Kind.FINITE));
        denormal.set(i32(f, 1));
      });
    },
    () => {
      exponent.set(f.sub(field, i32(f, F80.bias)));
      kind.set(i32(f, Kind.FINITE));
      f.if(
        f.geS(word, i64(f, 0)),
        () => kind.set(i32(f, Kind.UNSUPPORTED)),
        () => {
          f.if(f.eq(field, i32(f, 0x7fff)), () => kind.set(specialKind(f, f.let(f.shl(word, i64(f, 1))), 63)));
        },
      );
    },
  );
  return {
    sign,
    exponent: named(f, exponent),
    significand: named(f, significand),
    kind: named(f, kind),
    denormal: named(f, denormal),
  };
}

/** Takes apart an f80 slot; for helpers of the x87 that do more than arithmetic. */
export function unpackF80(f: StateBuilder, offset: Value): Unpacked {
  return unpackIndirect(f, offset);
}

function specialKind(f: StateBuilder, fraction: Value, quietBit: number): Value {
  const isQuiet = f.truncate(f.and(f.shrU(fraction, i64(f, quietBit)), i64(f, 1)), 32);
  return f.select(f.eqz(fraction), i32(f, Kind.INFINITE), f.sub(i32(f, Kind.SIGNALLING_NAN), isQuiet));
}

function named(f: StateBuilder, variable: { get(): Value }): Value {
  return f.let(variable.get());
}

/** Sign, biased exponent and fraction of an f32 or f64 put together; `fraction` may carry into the exponent. */
export function assemble(f: StateBuilder, format: Format, sign: Value, field: Value, fraction: Value): Value {
  const stored = fractionBits(format);
  const top = f.shl(f.extend(sign, 64), i64(f, stored + format.exponentBits));
  const magnitude = f.add(f.shl(f.extend(field, 64), i64(f, stored)), fraction);
  return f.truncate(f.or(top, magnitude), format.type === "i32" ? 32 : 64);
}

/** Stores an f80: significand, then sign and biased exponent, the rest of the slot cleared. */
export function storeF80(f: StateBuilder, destination: Value, sign: Value, field: Value, significand: Value): void {
  f.storeOffset(destination, significand);
  f.storeOffset(destination, f.extend(f.or(f.shl(sign, i32(f, 15)), field), 64), 8);
}
