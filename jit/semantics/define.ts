import type { Emitter, OperandHandle } from "./emitter.ts";

/**
 * How a definition uses an operand: it decides how memory is probed before anything is changed.
 *
 * r   read            w   written            rw   read, then written (memory must be writable before it is read)
 * a   only its address is used (LEA, INVLPG), or the definition makes the accesses itself with `part`
 */
export type Access = "r" | "w" | "rw" | "a";

/** Flags by name, separated by blanks: "CF ZF". */
export type FlagNames = string;

export interface FlagEffects {
  readonly reads?: FlagNames;
  /** written on every path that does not fault */
  readonly writes?: FlagNames;
  /** written on some paths only (a shift by a count that may be zero); never makes earlier flags dead */
  readonly mayWrite?: FlagNames;
  /** left in a state the manual does not define */
  readonly undefined?: FlagNames;
}

export interface Definition<Names extends Readonly<Record<string, Access>> = Readonly<Record<string, Access>>> {
  /** manual and section: "SDM 2A ADD" */
  readonly reference: string;
  /** names for the row's operands, in their order */
  readonly operands?: Names;
  readonly flags?: FlagEffects;
  /** control does not simply go on with the next instruction: the block ends here */
  readonly ends?: boolean;
  /** 128-bit memory operands need no alignment (MOVUPS and the like) */
  readonly unaligned?: boolean;
  /** calls out of generated code, or changes what translated code assumes: the translator stops before it */
  readonly interpreterOnly?: boolean;
  /** worth handlers of its own for the commonest address form and for dead flags in the interpreter */
  readonly hot?: boolean;
  /** what FPU or SSE state must be usable: checks CR0.TS/EM/MP, CR4.OSFXSR and raises #NM, #UD or pending #MF first */
  readonly unit?: "x87" | "x87-nowait" | "mmx" | "sse" | "fxsr";
  emit(e: Emitter, operands: { readonly [Name in keyof Names]: OperandHandle }): void;
}

interface NamedOperand {
  readonly name: string;
  readonly access: Access;
}

const NAMED = new WeakMap<Definition, readonly NamedOperand[]>();

/** The names that a definition has for the row's operands, in their order. */
export function namedOperands(definition: Definition): readonly NamedOperand[] {
  const known = NAMED.get(definition);
  if (known) return known;
  const named = Object.entries(definition.operands ?? {}).map(([name, access]) => ({ name, access }));
  NAMED.set(definition, named);
  return named;
}

/** Defines what one mnemonic does. The names of the operands are checked against their use. */
export function define<const Names extends Readonly<Record<string, Access>>>(
  definition: Definition<Names>,
): Definition {
  return definition as unknown as Definition;
}
