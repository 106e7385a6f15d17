import { createDecoder } from "../isa/decode.ts";
import type { Encoding } from "../isa/encoding.ts";
import { allEncodings } from "../isa/encodings.ts";
import type { CodeSize } from "../isa/instruction.ts";
import { FEATURES } from "../isa/row.ts";
import type { Definition } from "../semantics/define.ts";
import { definitions } from "../semantics/registry.ts";
import { hasDeadForm, type Variant, variantKey, variantOf } from "./variant.ts";

/**
 * Every variant that an encoding can have, found by decoding samples of it: each mode, operand size, address size, repeat
 * prefix and shape of ModRM. Whatever the decoder accepts has a handler, because both ask `variantOf`.
 */
export function enumerateVariants(): ReadonlyMap<string, Variant> {
  const decoder = createDecoder(new Set(FEATURES));
  // What the decoder accepts depends on the features: without LZCNT, F3 0F BD is BSR.
  const plain = createDecoder(new Set());
  const variants = new Map<string, Variant>();
  for (const encoding of allEncodings()) {
    for (const codeSize of [64, 32, 16] as const) {
      for (const bytes of samples(encoding, codeSize)) {
        for (const each of [decoder, plain]) {
          const instruction = each.decode(bytes, 0, bytes.length, codeSize);
          if (typeof instruction === "string") continue;
          addVariants(variants, instruction, definitions[instruction.mnemonic]);
        }
      }
    }
  }
  return variants;
}

function addVariants(
  variants: Map<string, Variant>,
  instruction: Parameters<typeof variantOf>[0],
  definition: Definition,
): void {
  for (const dead of hasDeadForm(definition) ? [false, true] : [false]) {
    const variant = variantOf(instruction, definition, dead);
    variants.set(variantKey(variant), variant);
  }
}

/** Encodings of one row in one mode; some may decode to something else, which does no harm. */
function* samples(encoding: Encoding, codeSize: CodeSize): Generator<Uint8Array> {
  const { opcode, prefix, extension, rm, modrm, vex } = encoding;
  const rexes = codeSize === 64 && !vex ? [[], [0x48]] : [[]];
  const wides = vex ? [0, 0x80] : [0];
  const bodies: number[][] = [];
  const tail = new Array<number>(12).fill(0);
  if (modrm === "none") {
    bodies.push(tail);
  } else {
    for (const reg of extension === undefined ? [0, 1, 4] : [extension]) {
      if (modrm !== "memory") bodies.push([0xc0 | (reg << 3) | (rm ?? 1), ...tail]);
      if (modrm !== "register") {
        bodies.push([(reg << 3) | 3, ...tail]); // [rbx]
        bodies.push([(reg << 3) | 4, 0x0b, ...tail]); // [rbx+rcx]
      }
    }
  }
  for (const operandSize of [[], [0x66]]) {
    for (const addressSize of [[], [0x67]]) {
      for (const repeat of [[], [0xf2], [0xf3]]) {
        for (const rex of rexes) {
          for (const wide of wides) {
            for (const body of bodies) {
              const mandatory = prefix === 0 || vex ? [] : [prefix];
              const legacy = [...operandSize, ...addressSize, ...repeat, ...mandatory];
              const code = vex ? vexPrefix(encoding, wide) : [...rex, ...opcode];
              yield Uint8Array.from([...(vex ? addressSize : legacy), ...code, ...body]);
            }
          }
        }
      }
    }
  }
}

function vexPrefix({ opcode, prefix }: Encoding, wide: number): number[] {
  const map = opcode[1] === 0x38 ? 2 : opcode[1] === 0x3a ? 3 : 1;
  const pp = prefix === 0x66 ? 1 : prefix === 0xf3 ? 2 : prefix === 0xf2 ? 3 : 0;
  // Both vvvv = 1111 (unused) and vvvv = some register are legal for different rows; all-ones names register 0 as well.
  return [0xc4, 0xe0 | map, wide | 0x78 | pp, opcode[opcode.length - 1] ?? 0];
}
