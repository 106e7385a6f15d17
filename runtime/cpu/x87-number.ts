/**
 * x87 extended-precision numbers outside generated code: classes, NaN rules and rounding on plain data. SDM Vol. 1, 4.2.2 and 8.
 */

/** A register as it is stored; the exponent is biased by 16383. */
export interface Extended {
  readonly sign: 0 | 1;
  /** 15 bits */
  readonly exponent: number;
  /** 64 bits, the integer bit included */
  readonly significand: bigint;
}

/** Exception flags and condition bits at their places in FSW. */
export const Status = {
  IE: 0x01,
  DE: 0x02,
  ZE: 0x04,
  OE: 0x08,
  UE: 0x10,
  PE: 0x20,
  SF: 0x40,
  ES: 0x80,
  C0: 0x100,
  C1: 0x200,
  C2: 0x400,
  C3: 0x4000,
  B: 0x8000,
} as const;

export type ExtendedClass = "zero" | "finite" | "infinite" | "quiet" | "signalling" | "unsupported";

/** A result, and the exceptions that computing it raised. */
export interface Result {
  readonly value: Extended;
  /** bits of Status */
  readonly flags: number;
}

/** A positive number as an integer times a power of two. */
export interface Binary {
  readonly integer: bigint;
  readonly power: number;
}

const BIAS = 16383;
const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;
/** Adjustment of the exponent of a result whose overflow or underflow is unmasked: SDM Vol. 1, 8.5.4 and 8.5.5. */
const WRAP = 24576;

export const INDEFINITE: Extended = { sign: 1, exponent: 0x7fff, significand: 3n << 62n };
export const ONE: Extended = { sign: 0, exponent: BIAS, significand: INTEGER_BIT };

export function zero(sign: 0 | 1): Extended {
  return { sign, exponent: 0, significand: 0n };
}

export function infinity(sign: 0 | 1): Extended {
  return { sign, exponent: 0x7fff, significand: INTEGER_BIT };
}

export function classify({ exponent, significand }: Extended): ExtendedClass {
  if (exponent === 0) return significand === 0n ? "zero" : "finite";
  if (significand < INTEGER_BIT) return "unsupported";
  if (exponent !== 0x7fff) return "finite";
  if (significand === INTEGER_BIT) return "infinite";
  return significand & QUIET_BIT ? "quiet" : "signalling";
}

export function isNan(value: Extended): boolean {
  const kind = classify(value);
  return kind === "quiet" || kind === "signalling" || kind === "unsupported";
}

/** Denormals and pseudo-denormals, which raise DE. */
export function isDenormal({ exponent, significand }: Extended): boolean {
  return exponent === 0 && significand !== 0n;
}

export function bitLength(integer: bigint): number {
  return integer === 0n ? 0 : integer.toString(16).length * 4 - (Math.clz32(leadingDigit(integer)) - 28);
}

function leadingDigit(integer: bigint): number {
  return Number.parseInt(integer.toString(16)[0] ?? "0", 16);
}

/** The magnitude of a finite number, exactly. */
export function magnitude({ exponent, significand }: Extended): Binary {
  return { integer: significand, power: (exponent === 0 ? 1 : exponent) - BIAS - 63 };
}

/** What an operation gives that has a NaN or unsupported operand. SDM Vol. 1, table 4-7. */
export function nanResult(operands: readonly Extended[]): Result {
  const classes = operands.map(classify);
  if (classes.includes("unsupported")) return { value: INDEFINITE, flags: Status.IE };
  const flags = classes.includes("signalling") ? Status.IE : 0;
  const quiet = (value: Extended): Extended => ({ ...value, significand: value.significand | QUIET_BIT });
  const nans = operands.filter(isNan);
  // A quiet NaN wins over a signalling one; between equals the larger significand, then the positive sign.
  const quietOnes = nans.filter((value) => classify(value) === "quiet");
  const candidates = quietOnes.length > 0 ? quietOnes : nans;
  const best = candidates.reduce((left, right) => {
    if (left.significand !== right.significand) return left.significand > right.significand ? left : right;
    return left.sign <= right.sign ? left : right;
  });
  return { value: quiet(best), flags };
}

interface Cut {
  readonly kept: bigint;
  readonly inexact: boolean;
  readonly up: boolean;
}

/** `integer` without its lowest `bits` bits, rounded; `sticky` = the number is a little larger than it says. */
function cut(integer: bigint, bits: number, sticky: boolean, sign: 0 | 1, control: number): Cut {
  const count = BigInt(Math.max(bits, 0));
  let kept = bits >= 0 ? integer >> count : integer << BigInt(-bits);
  const lost = integer - (kept << count);
  const inexact = (bits > 0 && lost !== 0n) || sticky;
  const mode = (control >> 10) & 3;
  let up: boolean;
  if (mode === 0) {
    const twice = bits > 0 ? lost << 1n : 0n;
    const unit = 1n << count;
    up = bits > 0 && (twice > unit || (twice === unit && (sticky || (kept & 1n) === 1n)));
  } else {
    // 1 rounds down, 2 up, 3 towards zero.
    up = inexact && mode === 2 - sign;
  }
  if (up) kept += 1n;
  return { kept, inexact, up };
}

/**
 * Rounds (-1)^sign * integer * 2^power to 64 bits by the rounding control of FCW, with overflow and underflow as FCW masks them.
 *
 * @param sticky the number is larger than `integer` says, by less than 1
 */
export function roundExtended(sign: 0 | 1, { integer, power }: Binary, sticky: boolean, control: number): Result {
  const excess = bitLength(integer) - 64;
  const first = cut(integer, excess, sticky, sign, control);
  let exponent = power + excess + 63;
  let significand = first.kept;
  if (significand >> 64n) {
    significand >>= 1n;
    exponent++;
  }
  const flagsOf = ({ inexact, up }: Cut): number => (inexact ? Status.PE : 0) | (up ? Status.C1 : 0);
  if (exponent < 1 - BIAS) {
    if (!(control & Status.UE)) {
      return { value: { sign, exponent: exponent + WRAP + BIAS, significand }, flags: flagsOf(first) | Status.UE };
    }
    const second = cut(integer, 1 - BIAS - 63 - power, sticky, sign, control);
    const flags = flagsOf(second);
    return {
      value: { sign, exponent: second.kept >> 63n ? 1 : 0, significand: second.kept },
      flags: flags & Status.PE ? flags | Status.UE : flags,
    };
  }
  if (exponent > BIAS) {
    if (!(control & Status.OE)) {
      return { value: { sign, exponent: exponent - WRAP + BIAS, significand }, flags: flagsOf(first) | Status.OE };
    }
    const mode = (control >> 10) & 3;
    if (mode === 0 || mode === 2 - sign) return { value: infinity(sign), flags: Status.OE | Status.PE | Status.C1 };
    return { value: { sign, exponent: 0x7ffe, significand: (1n << 64n) - 1n }, flags: Status.OE | Status.PE };
  }
  return { value: { sign, exponent: exponent + BIAS, significand }, flags: flagsOf(first) };
}
