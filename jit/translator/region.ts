import type { Decoder } from "../isa/decode.ts";
import type { Instruction, Operand } from "../isa/instruction.ts";
import type { Definition } from "../semantics/define.ts";
import { definitions } from "../semantics/registry.ts";

const PAGE = 4096;

/** An instruction of a region. Offsets count from the first byte of its page. */
export interface RegionInstruction {
  readonly offset: number;
  /** offset of the next instruction */
  readonly end: number;
  readonly instruction: Instruction;
  readonly definition: Definition;
}

/** How a block ends. Targets are offsets, which may lie outside the page and outside the region. */
export type BlockEnd =
  | { readonly kind: "jump"; readonly target: number }
  | { readonly kind: "branch"; readonly target: number; readonly next: number }
  /** indirect branches and returns; a return looks first whether it leads to one of `candidates`, behind calls of the region */
  | { readonly kind: "indirect"; readonly candidates: readonly number[] }
  /** the instruction at `target` is the interpreter's */
  | { readonly kind: "interpret"; readonly target: number };

export interface RegionBlock {
  readonly start: number;
  readonly instructions: readonly RegionInstruction[];
  readonly end: BlockEnd;
}

/** Guest code of one page, from one entry, as basic blocks; the entry is block 0. */
export interface Region {
  readonly blocks: readonly RegionBlock[];
  readonly instructionCount: number;
}

export interface RegionLimits {
  readonly blocks: number;
  readonly instructions: number;
}

/** Places that a return compares its target with. */
const MAXIMUM_CANDIDATES = 4;

export const DEFAULT_LIMITS: RegionLimits = { blocks: 64, instructions: 512 };

const CONDITIONAL = /^(j(o|no|b|ae|e|ne|be|a|s|ns|p|np|l|ge|le|g|rcxz|cxz|ecxz)|loop|loope|loopne)$/;
const REGISTER_CLASSES: ReadonlySet<string> = new Set(["gpr", "xmm"]);

/** What makes a translation impossible, found while an instruction is emitted: the instruction is left to the interpreter. */
export class Untranslatable extends Error {
  override readonly name = "Untranslatable";
}

/** A name for all instructions that are translated alike, as far as being translatable goes. */
export function shapeOf({ mnemonic, operands, operandSize, addressSize }: Instruction): string {
  const forms = operands.map((operand) =>
    operand.kind === "register" ? `${operand.class}${operand.width}` : `${operand.kind}${operand.width}`,
  );
  return [mnemonic, operandSize, addressSize, ...forms].join(" ");
}

/** Decodes the region that begins at `entry`, following direct branches inside the page breadth first. */
export class RegionFinder {
  readonly #decoder: Decoder;
  readonly #rejected: ReadonlySet<string>;
  readonly #limits: RegionLimits;

  /** @param rejected shapes of instructions that cannot be translated */
  constructor(decoder: Decoder, rejected: ReadonlySet<string>, limits: RegionLimits = DEFAULT_LIMITS) {
    this.#decoder = decoder;
    this.#rejected = rejected;
    this.#limits = limits;
  }

  /**
   * @param page the 4096 bytes of the page
   * @param known where blocks begin that may be part of the region; all, if not given
   */
  find(page: Uint8Array, entry: number, known?: ReadonlySet<number>): Region {
    const instructions = new Map<number, RegionInstruction>();
    const leaders = new Set<number>();
    const queue = [entry];
    for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
      if (leaders.has(start) || leaders.size >= this.#limits.blocks) continue;
      leaders.add(start);
      for (let at = start; !instructions.has(at) && instructions.size < this.#limits.instructions;) {
        const decoded = this.#decode(page, at);
        if (!decoded) break;
        instructions.set(at, decoded);
        at = decoded.end;
        if (decoded.definition.ends !== true) continue;
        for (const target of targetsOf(decoded))
          if (isInPage(target) && known?.has(target) !== false) queue.push(target);
        break;
      }
    }
    const calls = [...instructions.values()].filter((decoded) => isInnerCall(decoded) && leaders.has(decoded.end));
    const returns = calls.map(({ end }) => end).slice(0, MAXIMUM_CANDIDATES);
    const blocks = [...leaders].map((start) => this.#block(start, instructions, leaders, returns));
    return { blocks, instructionCount: blocks.reduce((sum, block) => sum + block.instructions.length, 0) };
  }

  #block(
    start: number,
    all: ReadonlyMap<number, RegionInstruction>,
    leaders: ReadonlySet<number>,
    returns: readonly number[],
  ): RegionBlock {
    const instructions: RegionInstruction[] = [];
    let at = start;
    for (;;) {
      const decoded = all.get(at);
      if (!decoded) return { start, instructions, end: { kind: "interpret", target: at } };
      instructions.push(decoded);
      at = decoded.end;
      if (decoded.definition.ends === true) return { start, instructions, end: endOf(decoded, returns) };
      if (leaders.has(at) || at >= PAGE) return { start, instructions, end: { kind: "jump", target: at } };
    }
  }

  #decode(page: Uint8Array, offset: number): RegionInstruction | undefined {
    const instruction = this.#decoder.decode(page, offset, PAGE, 64);
    if (typeof instruction === "string") return undefined;
    const definition = definitions[instruction.mnemonic];
    if (!definition || !isTranslatable(instruction, definition) || this.#rejected.has(shapeOf(instruction)))
      return undefined;
    return { offset, end: offset + instruction.length, instruction, definition };
  }
}

function isTranslatable(instruction: Instruction, definition: Definition): boolean {
  const { mnemonic, operands, repeat } = instruction;
  if (definition.interpreterOnly === true || repeat !== 0) return false;
  if (definition.unit !== undefined && definition.unit !== "sse") return false;
  if (
    definition.ends === true &&
    mnemonic !== "jmp" &&
    mnemonic !== "call" &&
    mnemonic !== "ret" &&
    !CONDITIONAL.test(mnemonic)
  )
    return false;
  return operands.every(isTranslatableOperand);
}

function isTranslatableOperand(operand: Operand): boolean {
  switch (operand.kind) {
    case "register":
      return REGISTER_CLASSES.has(operand.class);
    case "relative":
      return operand.width === 64;
    case "far":
      return false;
    case "memory":
    case "immediate":
      return true;
  }
}

function endOf(decoded: RegionInstruction, returns: readonly number[]): BlockEnd {
  const { mnemonic, operands } = decoded.instruction;
  const [operand] = operands;
  if (operand?.kind !== "relative") return { kind: "indirect", candidates: mnemonic === "ret" ? returns : [] };
  const target = decoded.end + operand.displacement;
  if (CONDITIONAL.test(mnemonic)) return { kind: "branch", target, next: decoded.end };
  return { kind: "jump", target };
}

/** Where the code goes on that can be decoded: for a call inside the page, also behind it. */
function targetsOf(decoded: RegionInstruction): readonly number[] {
  const end = endOf(decoded, []);
  if (end.kind === "branch") return [end.next, end.target];
  if (end.kind !== "jump") return [];
  return isInnerCall(decoded) ? [end.target, decoded.end] : [end.target];
}

function isInPage(offset: number): boolean {
  return offset >= 0 && offset < PAGE;
}

function isInnerCall({ instruction, end }: RegionInstruction): boolean {
  const [operand] = instruction.operands;
  return instruction.mnemonic === "call" && operand?.kind === "relative" && isInPage(end + operand.displacement);
}
