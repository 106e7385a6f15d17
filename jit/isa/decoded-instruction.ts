import type { CodeSize, Operand } from "./operand.ts";

/** One decoded instruction: what the bytes say, before what they do. */
export interface DecodedInstruction {
  /** in lower case, as Intel's manuals name it */
  readonly mnemonic: string;
  readonly codeSize: CodeSize;
  /** bytes, 1..15 */
  readonly length: number;
  /** 32, or 64 by REX.W, where 66 is part of the opcode */
  readonly operandSize: CodeSize;
  readonly addressSize: CodeSize;
  /** the destination first */
  readonly operands: readonly Operand[];
  readonly lock: boolean;
  /** 0xf2 or 0xf3 where it repeats a string instruction (rows with "rep" or "repz"; the last of them counts), else 0 */
  readonly repeat: 0 | 0xf2 | 0xf3;
}
