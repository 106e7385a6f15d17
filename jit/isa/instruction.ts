import type { Mnemonic } from "../semantics/registry.ts";
import type { DecodedInstruction } from "./decoded-instruction.ts";
import type { Encoding } from "./encoding.ts";

export * from "./operand.ts";

/** A decoded instruction and the encoding that it has. */
export interface Instruction extends DecodedInstruction {
  readonly encoding: Encoding;
  readonly mnemonic: Mnemonic;
}
