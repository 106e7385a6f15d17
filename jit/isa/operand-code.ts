/**
 * Operand codes: the notation of the SDM's opcode maps (Vol. 2D, A.2): a letter for where the operand is encoded, and letters
 * for its type.
 *
 * E  r/m, general register or memory        G  reg, general register        M  r/m, memory only     R  r/m, general register only
 * V  reg, XMM register                      W  r/m, XMM or memory           U  r/m, XMM only
 * P  reg, MMX register                      Q  r/m, MMX or memory           N  r/m, MMX only
 * S  reg, segment register                  C  reg, control register        D  reg, debug register
 * I  immediate                              J  relative branch target       A  far pointer          O  memory at an absolute offset
 * X  memory at DS:rSI                       Y  memory at ES:rDI             B  VEX.vvvv, general register
 * Z  general register in the low three bits of the opcode
 * H  ST(i) in the low three bits of ModRM
 *
 * Not in the SDM's list: `AX`, `BX` and `DI` followed by a type are memory at DS:rAX, DS:rBX and DS:rDI (the segment can be
 * overridden, which is why these implied operands of MONITOR, XLAT and MASKMOVQ are written down).
 */
// prettier-ignore
export type OperandLetter =
  "E" | "G" | "M" | "R" | "V" | "W" | "U" | "P" | "Q" | "N" | "S" | "C" | "D" | "I" | "J" | "A" | "O" | "X" | "Y" | "B" | "Z" | "H";

/**
 * Operand types.
 *
 * b 8 bits   w 16   d 32   q 64   o 128   v 16/32/64 by operand size   z 16/32 (32 for 64)   y 32/64 (32 for 16)
 * sb 8 bits, sign-extended to the operand size (immediates)
 * ss sd  scalar single, double: 32, 64 bits in an XMM register or memory
 * ps pd x  packed: 128 bits        p far pointer: 16-bit selector and offset of operand size        s  pseudo-descriptor: 10 bytes (6 outside 64-bit mode), width 0
 * a  pair for BOUND                t  80 bits (x87)
 * e  x87 environment (14/28)       f  x87 state (94/108)    fx  512 bytes    xs  XSAVE area       n  no data: only the address matters (LEA, INVLPG, PREFETCH)
 */
// prettier-ignore
export type OperandType =
  | "b" | "w" | "d" | "q" | "o" | "v" | "z" | "y" | "sb" | "ss" | "sd" | "ps" | "pd" | "x" | "p" | "s" | "a" | "t" | "e" | "f" | "fx" | "xs" | "n";

/** Fixed operands: registers that the opcode implies, written as the manual writes them; rXX follows the operand size, eXX at most 32 bits. */
// prettier-ignore
export type FixedOperand =
  | "AL" | "CL" | "DX" | "AX" | "EAX" | "RAX" | "eAX" | "rAX" | "rCX" | "rDX"
  | "ES" | "CS" | "SS" | "DS" | "FS" | "GS"
  | "ST0" | "XMM0"
  | "1";

/** Memory at DS:rAX (MONITOR, CLZERO), DS:rBX (XLAT, which adds AL itself), DS:rDI (MASKMOVQ, MASKMOVDQU). */
export type ImpliedMemoryOperand = "AXn" | "BXb" | "DIq" | "DIx";

// prettier-ignore
export type OperandCode =
  | `${"E" | "G" | "R" | "Z"}${"b" | "w" | "d" | "q" | "v" | "z" | "y"}`
  | `B${"y"}`
  | `M${OperandType}`
  | `${"V" | "W" | "U"}${"d" | "q" | "o" | "x" | "ps" | "pd" | "ss" | "sd" | "w" | "b" | "y"}`
  | `${"P" | "Q" | "N"}${"q" | "d" | "y"}`
  | "Sw" | "Cy" | "Dy" | "Hi"
  | `I${"b" | "w" | "d" | "q" | "v" | "z" | "sb"}`
  | `J${"b" | "z"}`
  | "Ap" | "Ob" | "Ov"
  | `${"X" | "Y"}${"b" | "w" | "d" | "q" | "v" | "z"}`
  // r/m that is a register of one size or memory of another: MOV Ev,Sw / LAR / PINSRB Ry/Mb / PEXTRB / EXTRACTPS / INSERTPS
  | "Rv/Mw" | "Ry/Mb" | "Ry/Mw" | "Ry/Md" | "Rd/Mw" | "Rd/Mb" | "Ux/Md"
  | ImpliedMemoryOperand
  | FixedOperand;
