import type { CodePage, TranslateRequest } from "../../runtime/abi/translator.ts";
import type { Decoder } from "../isa/decode.ts";
import type { Instruction, Operand } from "../isa/instruction.ts";
import type { Definition } from "../semantics/define.ts";
import { definitions } from "../semantics/registry.ts";
import { translatesX87 } from "./x87-instructions.ts";

const PAGE = 4096;

/** An instruction of a region. Offsets count from the first byte of the page that the region begins in. */
export interface RegionInstruction {
  readonly offset: number;
  /** offset of the next instruction */
  readonly end: number;
  readonly instruction: Instruction;
  readonly definition: Definition;
}

/** How a block ends. Targets are offsets, which may lie outside the region. */
export type BlockEnd =
  | { readonly kind: "jump"; readonly target: number }
  | { readonly kind: "branch"; readonly target: number; readonly next: number }
  /** the indirect branch or return at `branch`, which looks first whether it leads to one of `candidates` */
  | { readonly kind: "indirect"; readonly branch: number; readonly candidates: readonly number[] }
  /** the instruction at `target` is the interpreter's */
  | { readonly kind: "interpret"; readonly target: number };

export interface RegionBlock {
  readonly start: number;
  readonly instructions: readonly RegionInstruction[];
  readonly end: BlockEnd;
}

/** Guest code from one entry, as basic blocks, each within a page but for an instruction that crosses; the entry is block 0. */
export interface Region {
  readonly blocks: readonly RegionBlock[];
  readonly instructionCount: number;
}

export interface RegionLimits {
  readonly blocks: number;
  readonly instructions: number;
}

/** What a region may be made of. */
export type RegionSource = Pick<TranslateRequest, "blocks" | "targets"> & {
  readonly pages: readonly Pick<CodePage, "distance" | "bytes">[];
};

/** Places in the region that an indirect branch may lead to; and returns, by the calls in the region. */
const MAXIMUM_CANDIDATES = 32;
const MAXIMUM_RETURNS = 4;
/** The longest instruction. */
const LONGEST = 15;

/** Of a region within a page that only direct branches connect. */
export const DEFAULT_LIMITS: RegionLimits = { blocks: 64, instructions: 512 };
/** How many times as much others may hold: few become so wide, and what they leave out is left all the time. */
const WIDER = 2;

const CONDITIONAL: ReadonlySet<string> = new Set(
  "jo jno jb jae je jne jbe ja js jns jp jnp jl jge jle jg jrcxz jcxz jecxz loop loope loopne".split(" "),
);
const REGISTER_CLASSES: ReadonlySet<string> = new Set(["gpr", "xmm", "x87"]);

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

type Decoded = Pick<RegionInstruction, "instruction" | "definition">;

/** Bytes of the longest instruction, and one more. */
const ENTRY_BYTES = 16;

/** What was decoded before, by its bytes and its offset: the regions of a page overlap, and are translated again as they grow. */
class DecodeCache {
  /** of each entry: the offset, the number of bytes (0 if there is none), the bytes, and what they are (nothing if the interpreter's) */
  readonly #offsets = new Int32Array(CACHE_ENTRIES);
  readonly #lengths = new Uint8Array(CACHE_ENTRIES);
  readonly #bytes = new Uint8Array(CACHE_ENTRIES * ENTRY_BYTES);
  readonly #decoded = new Array<Decoded | undefined>(CACHE_ENTRIES).fill(undefined);

  #index(page: Uint8Array, offset: number): number {
    const first = (page[offset] ?? 0) | ((page[offset + 1] ?? 0) << 8) | ((page[offset + 2] ?? 0) << 16);
    const hash = Math.imul(first ^ ((page[offset + 3] ?? 0) << 24), 0x9e37_79b1) ^ Math.imul(offset, 0x85eb_ca6b);
    return (hash ^ (hash >>> 15)) & (CACHE_ENTRIES - 1);
  }

  /** The number of the entry that knows what stands at an offset; -1 if none does. */
  find(page: Uint8Array, offset: number): number {
    const index = this.#index(page, offset);
    const length = this.#lengths[index] ?? 0;
    if (length === 0 || this.#offsets[index] !== offset) return -1;
    const bytes = this.#bytes;
    const first = index * ENTRY_BYTES;
    for (let at = 0; at < length; at++) if (page[offset + at] !== bytes[first + at]) return -1;
    return index;
  }
  decoded(entry: number): Decoded | undefined {
    return this.#decoded[entry];
  }

  set(page: Uint8Array, offset: number, length: number, decoded: Decoded | undefined): void {
    const index = this.#index(page, offset);
    this.#offsets[index] = offset;
    this.#lengths[index] = length;
    for (let at = 0; at < length; at++) this.#bytes[index * ENTRY_BYTES + at] = page[offset + at] ?? 0;
    this.#decoded[index] = decoded;
  }

  clear(): void {
    this.#lengths.fill(0);
    this.#decoded.fill(undefined);
  }
}

/** Decodes the region that begins at an entry, following branches breadth first. */
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

  /** @param entry place where the region begins, in the first page */
  find(source: RegionSource, entry: number): Region {
    const pages = new Map(source.pages.map(({ distance, bytes }) => [distance, bytes]));
    const { blocks: known, targets } = source;
    const isOpen = (place: number): boolean => (known ? known.has(place) : pageOf(place) === 0);
    const instructions = new Map<number, RegionInstruction>();
    const leaders = new Set<number>();
    const isWide = pages.size > 1 || (targets?.size ?? 0) > 0;
    const limits = isWide ? widened(this.#limits) : this.#limits;
    const queue = [entry];
    for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
      if (leaders.has(start) || leaders.size >= limits.blocks) continue;
      leaders.add(start);
      for (let at = start; !instructions.has(at) && instructions.size < limits.instructions;) {
        const decoded = this.#decode(pages, at);
        if (!decoded) break;
        instructions.set(at, decoded);
        at = decoded.end;
        const isLast = decoded.definition.ends === true;
        if (!isLast && pageOf(at) === pageOf(start)) continue;
        const next = isLast ? successorsOf(decoded, targets, isOpen) : [at];
        for (const target of next) if (isOpen(target)) queue.push(target);
        break;
      }
    }
    const returns: number[] = [];
    for (const decoded of instructions.values()) {
      if (returns.length === MAXIMUM_RETURNS) break;
      if (
        isCall(decoded) &&
        leaders.has(decoded.end) &&
        calleesOf(decoded, targets).some((place) => leaders.has(place))
      )
        returns.push(decoded.end);
    }
    const blocks: RegionBlock[] = [];
    let instructionCount = 0;
    for (const start of leaders) {
      const block = this.#block(start, instructions, leaders, returns, targets);
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
    targets: Targets,
  ): RegionBlock {
    const instructions: RegionInstruction[] = [];
    let at = start;
    for (;;) {
      const decoded = all.get(at);
      if (!decoded) return { start, instructions, end: { kind: "interpret", target: at } };
      instructions.push(decoded);
      at = decoded.end;
      if (decoded.definition.ends === true) return { start, instructions, end: endOf(decoded, returns, targets) };
      if (leaders.has(at) || pageOf(at) !== pageOf(start))
        return { start, instructions, end: { kind: "jump", target: at } };
    }
  }

  #decode(pages: ReadonlyMap<number, Uint8Array>, place: number): RegionInstruction | undefined {
    const distance = pageOf(place);
    const page = pages.get(distance);
    if (!page) return undefined;
    const offset = place - distance * PAGE;
    const known = this.#cache.find(page, offset);
    if (known >= 0) {
      const decoded = this.#cache.decoded(known);
      return decoded && placed(place, decoded);
    }
    let instruction = this.#decoder.decode(page, offset, PAGE, 64);
    const isWhole = instruction !== "truncated";
    if (!isWhole) instruction = this.#decodeCrossing(page.subarray(offset), pages.get(distance + 1));
    if (typeof instruction === "string") return undefined;
    const definition = definitions[instruction.mnemonic];
    const isOurs = definition && isTranslatable(instruction, definition) && !this.#isRejected(instruction);
    const decoded = isOurs ? { instruction, definition } : undefined;
    if (isWhole) this.#cache.set(page, offset, instruction.length, decoded);
    return decoded && placed(place, decoded);
  }

  #decodeCrossing(first: Uint8Array, next: Uint8Array | undefined): ReturnType<Decoder["decode"]> {
    if (!next) return "truncated";
    const bytes = new Uint8Array(first.length + LONGEST);
    bytes.set(first);
    bytes.set(next.subarray(0, LONGEST), first.length);
    return this.#decoder.decode(bytes, 0, bytes.length, 64);
  }
}

type Targets = RegionSource["targets"];

function widened({ blocks, instructions }: RegionLimits): RegionLimits {
  return { blocks: WIDER * blocks, instructions: WIDER * instructions };
}

/** How many pages a place lies behind the first. */
export function pageOf(place: number): number {
  return Math.floor(place / PAGE);
}

function placed(offset: number, { instruction, definition }: Decoded): RegionInstruction {
  return { offset, end: offset + instruction.length, instruction, definition };
}

function isTranslatable(instruction: Instruction, definition: Definition): boolean {
  const { mnemonic, operands, repeat } = instruction;
  if (definition.interpreterOnly === true || repeat !== 0) return false;
  if (definition.unit !== undefined && definition.unit !== "sse" && !translatesX87(instruction)) return false;
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

function endOf(decoded: RegionInstruction, returns: readonly number[], targets: Targets): BlockEnd {
  const { mnemonic, operands } = decoded.instruction;
  const [operand] = operands;
  if (operand?.kind !== "relative") {
    const candidates = new Set(targets?.get(decoded.offset));
    if (mnemonic === "ret") for (const place of returns) candidates.add(place);
    return { kind: "indirect", branch: decoded.offset, candidates: [...candidates].slice(0, MAXIMUM_CANDIDATES) };
  }
  const target = decoded.end + operand.displacement;
  if (CONDITIONAL.has(mnemonic)) return { kind: "branch", target, next: decoded.end };
  return { kind: "jump", target };
}

/** Where the code goes on that can be known: for a call to what may be in the region, also behind it. */
function successorsOf(
  decoded: RegionInstruction,
  targets: Targets,
  isOpen: (place: number) => boolean,
): readonly number[] {
  const end = endOf(decoded, [], targets);
  if (end.kind === "branch") return [end.next, end.target];
  if (!isCall(decoded)) return end.kind === "jump" ? [end.target] : end.kind === "indirect" ? end.candidates : [];
  const callees = calleesOf(decoded, targets);
  return callees.some(isOpen) ? [...callees, decoded.end] : callees;
}

function isCall({ instruction }: RegionInstruction): boolean {
  return instruction.mnemonic === "call";
}

/** Where a call leads, as far as that is known. */
function calleesOf(decoded: RegionInstruction, targets: Targets): readonly number[] {
  const end = endOf(decoded, [], targets);
  return end.kind === "jump" ? [end.target] : end.kind === "indirect" ? end.candidates : [];
}
