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

const CONDITIONAL: ReadonlySet<string> = new Set(
  "jo jno jb jae je jne jbe ja js jns jp jnp jl jge jle jg jrcxz jcxz jecxz loop loope loopne".split(" "),
);
const REGISTER_CLASSES: ReadonlySet<string> = new Set(["gpr", "xmm"]);

/** What makes a translation impossible, found while an instruction is emitted: the instruction is left to the interpreter. */
export class Untranslatable extends Error {
  override readonly name = "Untranslatable";
}

/** A name for all instructions that are translated alike, as far as being translatable goes; its first word is the mnemonic. */
export function shapeOf({ mnemonic, operands, operandSize, addressSize }: Instruction): string {
  const forms = operands.map((operand) =>
    operand.kind === "register" ? `${operand.class}${operand.width}` : `${operand.kind}${operand.width}`,
  );
  return [mnemonic, operandSize, addressSize, ...forms].join(" ");
}

/** Decoded instructions that are kept at most. */
const CACHE_ENTRIES = 1 << 14;

interface CacheEntry {
  readonly bytes: Uint8Array;
  /** undefined if it is the interpreter's */
  readonly decoded: RegionInstruction | undefined;
  readonly offset: number;
}

/** What was decoded before, by its bytes and its offset: the regions of a page overlap, and are translated again as they grow. */
class DecodeCache {
  readonly #entries: (CacheEntry | undefined)[] = new Array<CacheEntry | undefined>(CACHE_ENTRIES).fill(undefined);

  #index(page: Uint8Array, offset: number): number {
    const first = (page[offset] ?? 0) | ((page[offset + 1] ?? 0) << 8) | ((page[offset + 2] ?? 0) << 16);
    const hash = Math.imul(first ^ ((page[offset + 3] ?? 0) << 24), 0x9e37_79b1) ^ Math.imul(offset, 0x85eb_ca6b);
    return (hash ^ (hash >>> 15)) & (CACHE_ENTRIES - 1);
  }

  get(page: Uint8Array, offset: number): CacheEntry | undefined {
    const entry = this.#entries[this.#index(page, offset)];
    if (entry?.offset !== offset) return undefined;
    const { bytes } = entry;
    for (let index = 0; index < bytes.length; index++) if (page[offset + index] !== bytes[index]) return undefined;
    return entry;
  }

  set(page: Uint8Array, offset: number, length: number, decoded: RegionInstruction | undefined): void {
    this.#entries[this.#index(page, offset)] = { bytes: page.slice(offset, offset + length), decoded, offset };
  }

  clear(): void {
    this.#entries.fill(undefined);
  }
}

/** Decodes the region that begins at `entry`, following direct branches inside the page breadth first. */
export class RegionFinder {
  readonly #decoder: Decoder;
  /** shapes of instructions that cannot be translated, and their mnemonics, which are looked at first */
  readonly #rejected = new Set<string>();
  readonly #rejectedMnemonics = new Set<string>();
  readonly #limits: RegionLimits;
  readonly #cache = new DecodeCache();

  constructor(decoder: Decoder, limits: RegionLimits = DEFAULT_LIMITS) {
    this.#decoder = decoder;
    this.#limits = limits;
  }

  /** Leaves instructions of this shape to the interpreter from now on. */
  reject(shape: string): void {
    this.#rejected.add(shape);
    this.#rejectedMnemonics.add(shape.slice(0, shape.indexOf(" ")));
    this.#cache.clear();
  }

  #isRejected(instruction: Instruction): boolean {
    return this.#rejectedMnemonics.has(instruction.mnemonic) && this.#rejected.has(shapeOf(instruction));
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
    const returns: number[] = [];
    for (const decoded of instructions.values()) {
      if (returns.length === MAXIMUM_CANDIDATES) break;
      if (decoded.definition.ends === true && isInnerCall(decoded) && leaders.has(decoded.end))
        returns.push(decoded.end);
    }
    const blocks: RegionBlock[] = [];
    let instructionCount = 0;
    for (const start of leaders) {
      const block = this.#block(start, instructions, leaders, returns);
      instructionCount += block.instructions.length;
      blocks.push(block);
    }
    return { blocks, instructionCount };
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
    const known = this.#cache.get(page, offset);
    if (known) return known.decoded;
    const instruction = this.#decoder.decode(page, offset, PAGE, 64);
    if (typeof instruction === "string") return undefined;
    const definition = definitions[instruction.mnemonic];
    const isOurs = definition && isTranslatable(instruction, definition) && !this.#isRejected(instruction);
    const end = offset + instruction.length;
    const decoded = isOurs ? { offset, end, instruction, definition } : undefined;
    this.#cache.set(page, offset, instruction.length, decoded);
    return decoded;
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
    !CONDITIONAL.has(mnemonic)
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
  if (CONDITIONAL.has(mnemonic)) return { kind: "branch", target, next: decoded.end };
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
