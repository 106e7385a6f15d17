import type { Feature } from "../../runtime/abi/features.ts";
import type { Mnemonic } from "../semantics/registry.ts";
import type { OperandCode } from "./operand-code.ts";

export { FEATURES, type Feature } from "../../runtime/abi/features.ts";

/**
 * lock     LOCK is legal with a memory destination
 * rep      REP repeats it;  repz  REPE and REPNE repeat it and test ZF
 * d64      operand size defaults to 64 bits in 64-bit mode (push, near branches); 32 cannot be encoded
 * f64      operand size is 64 bits in 64-bit mode whatever the prefixes say
 * i64      invalid in 64-bit mode;  o64  only in 64-bit mode
 * no16     invalid in real and virtual-8086 mode (which the decoder cannot tell from a 16-bit code segment: the block builder checks)
 * w0 w1    REX.W or VEX.W must be 0 or 1
 * b0       REX.B must be 0 (NOP and PAUSE against XCHG r8,rAX)
 * l0 l1    VEX.L must be 0 or 1
 * ignoremod   ModRM.mod is not looked at: r/m is always a register (MOV to and from CRn and DRn)
 */
// prettier-ignore
export type RowFlag =
  | "lock" | "rep" | "repz" | "d64" | "f64" | "i64" | "o64" | "no16" | "w0" | "w1" | "b0" | "l0" | "l1" | "ignoremod" | Feature;

export type Operands = "" | OperandCode | `${OperandCode},${string}`;

/** A line of the opcode tables: what an encoding is. */
export type Row = readonly [mnemonic: Mnemonic, operands: Operands, ...flags: RowFlag[]];

/** A row, or several of which the first that the mode, the features and REX allow is taken. */
export type Rows = Row | readonly Row[];

/**
 * Rows by mandatory prefix. The last of F2 and F3 decides; without either, 66. The keys are the SDM's notation (Vol. 2A, 3.1.1.1):
 *
 * 66 f3 f2   this prefix is part of the opcode
 * np         no prefix: 66, F2 and F3 are #UD unless they have a row of their own
 * nfx        66 is the operand size; F2 and F3 are #UD unless they have a row of their own
 * any        66 is the operand size; F2 and F3 are ignored unless they have a row of their own
 *
 * Rows of the prefix whose features are not announced are passed over, and then `any` is what is left: so F3 0F BD is LZCNT on
 * a processor that has it, and BSR on one that has not.
 */
export interface PrefixedRows {
  readonly np?: Rows;
  readonly nfx?: Rows;
  readonly any?: Rows;
  readonly 66?: Rows;
  readonly f3?: Rows;
  readonly f2?: Rows;
}

/** Rows alone are short for `{ any: rows }`. */
export type Entry = Rows | PrefixedRows;

/** Rows by ModRM.mod, and of the register form also by ModRM.rm. */
export interface FormRows {
  readonly memory?: Entry;
  readonly register?: Entry;
  readonly rm?: { readonly [rm: number]: Entry };
}

export type Form = Entry | FormRows;

/** Rows by ModRM.reg. */
export interface Group {
  readonly group: { readonly [extension: number]: Form };
}

/** One opcode map. A row with a Z operand stands for its opcode up to the next multiple of eight. */
export type OpcodeMap = { readonly [opcode: number]: Form | Group };

/** `Text`, or never if one of its comma-separated parts is no operand code. */
export type CheckedOperands<Text extends string> = Text extends "" | OperandCode
  ? Text
  : Text extends `${infer First},${infer Rest}`
    ? First extends OperandCode
      ? CheckedOperands<Rest> extends never
        ? never
        : Text
      : never
    : never;

/** `Table` with `never` in place of every operand string that is not made of operand codes: `table satisfies CheckedTable<typeof table>`. */
export type CheckedTable<Table> = Table extends readonly [string, infer Text extends string, ...infer Flags]
  ? readonly [Table[0], CheckedOperands<Text>, ...Flags]
  : Table extends object
    ? { readonly [Key in keyof Table]: CheckedTable<Table[Key]> }
    : Table;
