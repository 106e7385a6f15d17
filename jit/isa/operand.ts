/** Bits of an operand: the width that the definition sees. 80 = x87 extended, 128 = XMM, 0 = address only. */
export type OperandWidth = 0 | 8 | 16 | 32 | 48 | 64 | 80 | 128;

export type RegisterClass = "gpr" | "xmm" | "mmx" | "segment" | "control" | "debug" | "x87";

export interface RegisterOperand {
  readonly kind: "register";
  readonly class: RegisterClass;
  /** number in its class, REX applied; x87: i of ST(i) */
  readonly number: number;
  readonly width: OperandWidth;
  /** AH CH DH BH: byte 1 of registers 0..3 */
  readonly high?: boolean;
}

export interface MemoryOperand {
  readonly kind: "memory";
  /** register number, or -1 for none, or RIP */
  readonly base: number;
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  /** low 32 bits, as a signed number */
  readonly displacement: number;
  /** bits 63..32, as a signed number: the sign of `displacement`, save for the absolute offsets of MOV (O operands) */
  readonly displacementHigh: number;
  /** segment register number after override and default; SDM order */
  readonly segment: number;
  readonly width: OperandWidth;
}

export interface ImmediateOperand {
  readonly kind: "immediate";
  /**
   * The value extended to `width` as the instruction extends it: low 32 bits and bits 63..32, both as signed numbers. Below a
   * width of 32 the value is a number in [0, 2^width); `high` is 0 unless the width is 64.
   */
  readonly low: number;
  readonly high: number;
  readonly width: OperandWidth;
}

/** Direct branch: the target is the address of the next instruction plus `displacement`. */
export interface RelativeOperand {
  readonly kind: "relative";
  readonly displacement: number;
  /** operand size, to which the target is truncated */
  readonly width: OperandWidth;
}

export interface FarOperand {
  readonly kind: "far";
  /** in [0, 2^16) */
  readonly selector: number;
  /** in [0, 2^32) */
  readonly offset: number;
  /** of both together: 32 or 48 */
  readonly width: OperandWidth;
}

export type Operand = RegisterOperand | MemoryOperand | ImmediateOperand | RelativeOperand | FarOperand;

/** MemoryOperand.base of RIP-relative addressing. */
export const RIP = 16;

export type CodeSize = 16 | 32 | 64;

/** Why bytes are no instruction. */
export type DecodeFailure =
  /** more bytes are needed than were given */
  | "truncated"
  /** #UD: no such encoding, not in this mode, LOCK where it is not allowed, feature not announced */
  | "invalid"
  /** #GP: longer than 15 bytes */
  | "too-long";
