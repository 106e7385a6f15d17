import type { FloatType } from "../emit/function.ts";
import type { Region } from "./region.ts";

const REGISTERS = 16;
/** Whole vectors cost a scalar register a move or two each time. */
const VECTOR_WEIGHT = 2;

/**
 * For each XMM register the format of the scalars that a region uses it for, or undefined where it is mostly used as a whole. An
 * engine is twice as fast with a number in a local of its own as with one in the lane of a vector.
 */
export function scalarFormats(region: Region): readonly (FloatType | undefined)[] {
  const doubles = new Array<number>(REGISTERS).fill(0);
  const singles = new Array<number>(REGISTERS).fill(0);
  const wholes = new Array<number>(REGISTERS).fill(0);
  for (const { instructions } of region.blocks) {
    for (const { instruction, definition } of instructions) {
      if (definition.unit !== "sse") continue;
      for (const operand of instruction.operands) {
        if (operand.kind !== "register" || operand.class !== "xmm") continue;
        const counts = operand.width === 64 ? doubles : operand.width === 32 ? singles : wholes;
        counts[operand.number] = (counts[operand.number] ?? 0) + 1;
      }
    }
  }
  return doubles.map((double, number) => {
    const single = singles[number] ?? 0;
    const whole = VECTOR_WEIGHT * (wholes[number] ?? 0);
    if (double > single + whole) return "f64";
    return single > double + whole ? "f32" : undefined;
  });
}
