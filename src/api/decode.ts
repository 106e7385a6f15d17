import { createDecoder, type Decoder } from "../../jit/isa/decode.ts";
import { format as formatInstruction } from "../../jit/isa/format.ts";
import type { DecodedInstruction } from "../../jit/isa/decoded-instruction.ts";
import type { Instruction } from "../../jit/isa/instruction.ts";
import type { CodeSize, DecodeFailure } from "../../jit/isa/operand.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import type { Feature } from "../../runtime/abi/features.ts";
import { VmError } from "../errors.ts";

export interface DecodeOptions {
  /** 64 (default) in 64-bit mode, else the D bit of CS: 32 or 16 */
  readonly codeSize?: CodeSize;
  /** what the processor has; default: everything that is implemented. What it has not is "invalid" */
  readonly features?: Iterable<Feature>;
}

/** for a processor that has everything; made when it is first needed */
let complete: Decoder | undefined;

/**
 * The instruction at the beginning of `bytes`, as the machines here decode it; `format` writes it in Intel syntax.
 *
 * @param bytes code; no more than its first 15 bytes matter
 * @returns the instruction, with its `length`, or why there is none: "truncated" when more bytes are needed, "invalid" (#UD),
 *   "too-long" (#GP)
 * @see SDM Vol. 2A, chapter 2, and Vol. 2D, appendix A
 */
export function decode(
  bytes: Uint8Array,
  { codeSize = 64, features }: DecodeOptions = {},
): DecodedInstruction | DecodeFailure {
  const decoder = features ? createDecoder(new Set(features)) : (complete ??= createDecoder(new Set(FEATURES)));
  return decoder.decode(bytes, 0, bytes.length, codeSize);
}

/**
 * An instruction in Intel syntax.
 *
 * @param instruction what `decode` gave
 * @param address of its first byte, from which the targets of branches are computed; without it they are relative
 * @throws VmError ERR_CONFIG if it is not from `decode`
 */
export function format(instruction: DecodedInstruction, address?: bigint): string {
  if (!isDecoded(instruction))
    throw new VmError("ERR_CONFIG", "format writes instructions that decode gave: this is another object");
  return formatInstruction(instruction, address);
}

/** What `decode` gives says more than it promises. */
function isDecoded(instruction: DecodedInstruction): instruction is Instruction {
  return "encoding" in instruction;
}
