import { createDecoder, type Decoder } from "../../../jit/isa/decode.ts";
import type { CodeSize, DecodeFailure, Instruction } from "../../../jit/isa/instruction.ts";
import { type Feature, FEATURES } from "../../../jit/isa/row.ts";

/** Bytes written in hexadecimal: "48 89 e5". */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(" "), (byte) => Number.parseInt(byte, 16));
}

export const allFeatures: ReadonlySet<Feature> = new Set(FEATURES);

/** All features but these. */
export function featuresWithout(...absent: readonly Feature[]): ReadonlySet<Feature> {
  return new Set(FEATURES.filter((feature) => !absent.includes(feature)));
}

const everything = createDecoder(allFeatures);

/** Decodes all of `text` with every feature. */
export function tryDecode(
  text: string,
  codeSize: CodeSize = 64,
  decoder: Decoder = everything,
): Instruction | DecodeFailure {
  const code = bytes(text);
  return decoder.decode(code, 0, code.length, codeSize);
}

/** Decodes all of `text` and expects an instruction. */
export function decode(text: string, codeSize: CodeSize = 64, decoder: Decoder = everything): Instruction {
  const instruction = tryDecode(text, codeSize, decoder);
  if (typeof instruction === "string") throw new Error(`${text}: ${instruction}`);
  return instruction;
}
