import { invariant } from "../../runtime/abi/invariant.ts";
import { Segment } from "../../runtime/abi/guest-state.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { Definition } from "../semantics/define.ts";
import { definitions, type Mnemonic } from "../semantics/registry.ts";
import { hasDeadForm } from "./variant.ts";

/** What is found out once of each row that is met. */
export interface KnownRow {
  readonly definition: Definition;
  /** handlers by `formNumber` */
  readonly handlers: Map<number, number>;
  /** flags, as bits, that it may write and that it overwrites for certain */
  readonly writes: number;
  readonly covers: number;
  readonly hasDeadForm: boolean;
  /** flags written before it are not seen by it, nor by an exception that it raises, unless an operand lies in memory */
  readonly isTransparent: boolean;
  /** of two operands in memory, a string each, the one at ES:rDI; -1 if there is none */
  readonly secondString: number;
  /** MOV with an address of its own instead of a displacement */
  readonly hasOffset: boolean;
}

/** Codes of operand widths, in the order in which they are met; 0 = not met yet. By bytes. */
const widthCodes = new Uint8Array(1024);
let widthsMet = 0;

/** A small number for a width in bits. */
function widthCode(width: number): number {
  const bytes = width >> 3;
  let known = widthCodes[bytes] ?? 0;
  if (known === 0) {
    known = ++widthsMet;
    invariant(known < 16 && bytes < widthCodes.length, `there are more widths than fit into a number: ${width} bits`);
    widthCodes[bytes] = known;
  }
  return known;
}

/** All that `variantOf` looks at and that the row of an instruction leaves open: 27 bits, for three operands. */
export function formNumber(
  { operandSize, addressSize, codeSize, repeat, operands }: Instruction,
  dead: boolean,
): number {
  let form =
    (operandSize >> 5) |
    ((addressSize >> 5) << 2) |
    ((codeSize >> 5) << 4) |
    ((repeat === 0 ? 0 : repeat === 0xf2 ? 1 : 2) << 6) |
    (dead ? 1 << 8 : 0);
  for (let index = 0; index < 3; index++) {
    const operand = operands[index];
    let part = 0;
    if (operand?.kind === "memory") {
      const isPlain = operand.index < 0 && operand.segment !== Segment.FS && operand.segment !== Segment.GS;
      part = 1 | (isPlain ? 2 : 0) | (widthCode(operand.width) << 2);
    } else if (operand?.kind === "register" || operand?.kind === "immediate" || operand?.kind === "relative") {
      part = widthCode(operand.width) << 2;
    }
    form = (form << 6) | part;
  }
  return form;
}

const FLAGS = ["OF", "SF", "ZF", "AF", "PF", "CF"];

/** A mask of flags that are listed in a text. */
function flagMask(...texts: (string | undefined)[]): number {
  let mask = 0;
  for (const name of texts.flatMap((text) => (text ? text.split(" ") : []))) {
    const index = FLAGS.indexOf(name);
    mask |= 1 << (index < 0 ? FLAGS.push(name) - 1 : index);
  }
  return mask;
}

/** Instructions that may fault although no operand lies in memory. */
const TOUCHES_STACK: ReadonlySet<Mnemonic> = new Set<Mnemonic>(["push", "pop", "leave"]);

export function knownRow({ mnemonic, operands: codes }: Instruction["encoding"]): KnownRow {
  const definition: Definition = definitions[mnemonic];
  const { flags, hot, ends, unit } = definition;
  const isSource = (code: string): boolean => code.startsWith("X");
  return {
    definition,
    handlers: new Map(),
    writes: flagMask(flags?.writes, flags?.undefined, flags?.mayWrite),
    covers: flagMask(flags?.writes, flags?.undefined),
    hasDeadForm: hasDeadForm(definition),
    // What needs a unit raises #NM, #UD or a pending #MF in states that are not known here.
    isTransparent:
      hot === true &&
      ends !== true &&
      !flags?.reads &&
      !flags?.mayWrite &&
      unit === undefined &&
      !TOUCHES_STACK.has(mnemonic),
    secondString: codes.some(isSource) ? codes.findIndex((code) => code.startsWith("Y")) : -1,
    hasOffset: codes.some((code) => code === "Ob" || code === "Ov"),
  };
}
