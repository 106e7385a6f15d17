import { createDecoder, type Decoder } from "../../jit/isa/decode.ts";
import type { CodeSize, DecodeFailure, Instruction } from "../../jit/isa/instruction.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import type { Feature } from "../../runtime/abi/features.ts";

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
): Instruction | DecodeFailure {
  const decoder = features ? createDecoder(new Set(features)) : (complete ??= createDecoder(new Set(FEATURES)));
  return decoder.decode(bytes, 0, bytes.length, codeSize);
}
