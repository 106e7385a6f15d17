import type { FloatType } from "../emit/function.ts";
import type { Region, RegionInstruction } from "./region.ts";

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
    for (const current of instructions) {
      const { instruction, definition } = current;
      if (definition.unit !== "sse") continue;
      const isFree = isWholeMove(current) || clearedRegister(current) !== undefined;
      for (const operand of instruction.operands) {
        if (operand.kind !== "register" || operand.class !== "xmm" || isFree) continue;
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

const WHOLE_MOVES = new Set(["movaps", "movapd", "movups", "movupd", "movdqa", "movdqu"]);

/** Whether all of a register is copied to another, which is easy whatever they are made of. */
function isWholeMove({ instruction: { mnemonic, operands } }: RegionInstruction): boolean {
  return WHOLE_MOVES.has(mnemonic) && operands.every((operand) => operand.kind === "register");
}

/** The number of the register that an exclusive or with itself clears, the usual way to do that. */
export function clearedRegister({ instruction: { mnemonic, operands } }: RegionInstruction): number | undefined {
  if (mnemonic !== "pxor" && mnemonic !== "xorps" && mnemonic !== "xorpd") return undefined;
  const [target, source] = operands;
  if (target?.kind !== "register" || source?.kind !== "register") return undefined;
  return target.class === "xmm" && source.class === "xmm" && target.number === source.number
    ? target.number
    : undefined;
}
