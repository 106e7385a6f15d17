import type { Mnemonic } from "../semantics/registry.ts";
import type { Encoding } from "./encoding.ts";
import type { CodeSize, Operand } from "./operand.ts";

export * from "./operand.ts";

/** One decoded instruction: what the bytes say, before what they do. */
export interface Instruction {
  readonly encoding: Encoding;
  readonly mnemonic: Mnemonic;
  readonly codeSize: CodeSize;
  /** bytes, 1..15 */
  readonly length: number;
  /** 32, or 64 by REX.W, where 66 is part of the opcode */
  readonly operandSize: CodeSize;
  readonly addressSize: CodeSize;
  readonly operands: readonly Operand[];
  readonly lock: boolean;
  /** 0xf2 or 0xf3 where it repeats a string instruction (rows with "rep" or "repz"; the last of them counts), else 0 */
  readonly repeat: 0 | 0xf2 | 0xf3;
}
