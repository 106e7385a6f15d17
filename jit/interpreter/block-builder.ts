import type { BlockDecoder, DecodedBlock, DecodeRequest } from "../../runtime/abi/block-decoder.ts";
import { MAXIMUM_BLOCK_INSTRUCTIONS } from "../../runtime/abi/block-decoder.ts";
import { invariant } from "../../runtime/abi/invariant.ts";
import { guestState, Mode, Segment } from "../../runtime/abi/guest-state.ts";
import { Rec } from "../../runtime/abi/memory-map.ts";
import { createDecoder, type Decoder } from "../isa/decode.ts";
import { type CodeSize, type Instruction, type MemoryOperand, type RegisterOperand, RIP } from "../isa/instruction.ts";
import type { Feature } from "../isa/row.ts";
import type { Definition } from "../semantics/define.ts";
import { definitions, type Mnemonic } from "../semantics/registry.ts";
import type { CoreManifest } from "./core.ts";
import { hasDeadForm, lastTargetOf, variantKey, variantOf } from "./variant.ts";

const PAGE = 4096;
const LITTLE = true;
/** Instructions whose implied memory accesses are in the stack: what faults there is #SS. */
const USES_FRAME: ReadonlySet<string> = new Set(["enter", "leave", "pusha", "popa", "call"]);
const CODE_SIZES: readonly CodeSize[] = [16, 32, 64];

interface Decoded {
  readonly instruction: Instruction;
  readonly definition: Definition;
  readonly pageOffset: number;
}

/** Turns guest code into records: decodes up to the first branch, the end of the page or the limit, and names each handler. */
export class BlockBuilder implements BlockDecoder {
  readonly #decoder: Decoder;
  readonly #handlers: ReadonlyMap<string, number>;
  readonly #scratch = new Uint8Array(32);
  readonly #known = new Map<Instruction["encoding"], Map<number, KnownHandler>>();
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(manifest: CoreManifest, features: ReadonlySet<Feature>) {
    this.#decoder = createDecoder(features);
    this.#handlers = new Map(Object.entries(manifest.handlers));
  }

  decode(memory: DataView, request: DecodeRequest): DecodedBlock {
    const { start, mode } = request;
    const codeSize = CODE_SIZES[mode & Mode.CODE_SIZE_MASK] ?? 64;
    const bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
    const pageStart = start - (start % PAGE);
    const pageEnd = pageStart + PAGE;
    const limit = mode & Mode.STEP ? 1 : MAXIMUM_BLOCK_INSTRUCTIONS;
    const list: Decoded[] = [];
    let at = start;
    let failure: "undefined_opcode" | "too_long" | undefined;
    while (list.length < limit && at < pageEnd) {
      const result = this.#decoder.decode(bytes, at, pageEnd, codeSize);
      const length = typeof result === "string" ? 1 : result.length;
      if (at - start + length > request.codeBytes) {
        failure = "too_long";
        break;
      }
      if (result === "truncated") {
        if (list.length === 0) return this.#crossing(memory, bytes, request, codeSize);
        break;
      }
      const definition = typeof result === "string" ? undefined : definitionFor(result, mode);
      if (typeof result === "string" || !definition) {
        failure = result === "too-long" ? "too_long" : "undefined_opcode";
        break;
      }
      list.push({ instruction: result, definition, pageOffset: at - pageStart });
      at += result.length;
      if (definition.ends === true) break;
    }
    const end = this.#write(memory, request.record, list, at - pageStart, failure, codeSize);
    return {
      recordBytes: end - request.record,
      // What made decoding fail belongs to the block: if it is patched, the block must go.
      byteLength: Math.min(failure ? at + 15 : at, pageEnd) - start,
      crossingBytes: 0,
      nextPage: 0,
      isLinked: isLinked(list, failure),
      ...whereTo(list[list.length - 1], failure, at - pageStart),
    };
  }

  /** A block of the one instruction that crosses into the next page, behind a check that that page is still the same. */
  #crossing(memory: DataView, bytes: Uint8Array, request: DecodeRequest, codeSize: CodeSize): DecodedBlock {
    const { start, record } = request;
    const pageStart = start - (start % PAGE);
    const inFirst = pageStart + PAGE - start;
    if (request.codeBytes <= inFirst) {
      const end = this.#write(memory, record, [], start - pageStart, "too_long", codeSize);
      const nowhere = { isLinked: false, successors: [], lastTarget: 0 };
      return { recordBytes: end - record, byteLength: inFirst, crossingBytes: 0, nextPage: 0, ...nowhere };
    }
    const nextPage = request.nextPage();
    const code = this.#scratch.fill(0xff);
    code.set(bytes.subarray(start, start + inFirst));
    if (nextPage > 0) code.set(bytes.subarray(nextPage, nextPage + 16 - inFirst), inFirst);
    const result = this.#decoder.decode(code, 0, 16, codeSize);
    const definition = typeof result === "string" ? undefined : definitionFor(result, request.mode);
    this.#clear(memory, record);
    memory.setUint32(record + Rec.HANDLER, this.#handler("page_crossing"), LITTLE);
    memory.setUint16(record + Rec.PAGE_OFFSET, start - pageStart, LITTLE);
    // No page starts at offset 1: when fetching faulted, the check fails and the fault is raised when it runs.
    memory.setUint32(record + Rec.IMMEDIATE, nextPage === 0 ? 1 : nextPage, LITTLE);
    const at = record + Rec.BYTES;
    const list =
      typeof result === "string" || !definition || nextPage === 0 || result.length > request.codeBytes
        ? []
        : [{ instruction: result, definition, pageOffset: start - pageStart }];
    const first = list[0];
    const beyond = typeof result === "string" ? result === "too-long" : result.length > request.codeBytes;
    const failure = first ? undefined : beyond ? "too_long" : "undefined_opcode";
    // What made decoding fail belongs to the block, as above.
    const length = first?.instruction.length ?? 15;
    const end = this.#write(memory, at, list, start - pageStart + (first ? length : 0), failure, codeSize);
    const crossingBytes = Math.max(0, length - inFirst);
    return {
      recordBytes: end - record,
      byteLength: inFirst,
      crossingBytes,
      nextPage: Math.max(nextPage, 0),
      isLinked: isLinked(list, failure),
      ...whereTo(first, failure, start - pageStart + length),
    };
  }

  #write(
    memory: DataView,
    record: number,
    list: readonly Decoded[],
    endOffset: number,
    failure: "undefined_opcode" | "too_long" | undefined,
    codeSize: CodeSize,
  ): number {
    let at = record;
    list.forEach((decoded, index) => {
      this.#writeInstruction(memory, at, decoded, index, flagsAreDead(list, index));
      at += Rec.BYTES;
    });
    const last = list[list.length - 1];
    if (last?.definition.ends === true) return at;
    this.#clear(memory, at);
    memory.setUint32(at + Rec.HANDLER, this.#handler(failure ?? "fall_through"), LITTLE);
    memory.setUint16(at + Rec.PAGE_OFFSET, endOffset, LITTLE);
    memory.setUint16(at + Rec.INDEX_IN_BLOCK, list.length, LITTLE);
    memory.setUint8(at + Rec.ADDRESS_SHIFT, codeSize === 64 ? 0 : 32);
    return at + Rec.BYTES;
  }

  #handler(key: string): number {
    const index = this.#handlers.get(key);
    invariant(index !== undefined, `core.wasm has no handler for "${key}": it was built from other definitions`);
    return index;
  }

  /** The handler of an instruction. What its variant depends on besides the row is packed into a number, under which it is kept. */
  #handlerOf(instruction: Instruction, definition: Definition, dead: boolean): number {
    const { encoding, mnemonic } = instruction;
    let known = this.#known.get(encoding);
    if (!known) {
      known = new Map();
      this.#known.set(encoding, known);
    }
    const form = formNumber(instruction, dead);
    const found = known.get(form);
    if (found?.mnemonic === mnemonic) return found.handler;
    const handler = this.#handler(variantKey(variantOf(instruction, definition, dead)));
    if (!found) known.set(form, { mnemonic, handler });
    return handler;
  }

  #clear(memory: DataView, record: number): void {
    if (this.#bytes.buffer !== memory.buffer || this.#bytes.byteOffset !== memory.byteOffset)
      this.#bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#bytes.fill(0, record, record + Rec.BYTES);
    for (const field of [Rec.BASE, Rec.INDEX, Rec.SEGMENT])
      memory.setUint16(record + field, guestState.zero.offset, LITTLE);
  }

  #writeInstruction(memory: DataView, record: number, decoded: Decoded, index: number, dead: boolean): void {
    const { instruction, definition, pageOffset } = decoded;
    const { operands, length } = instruction;
    this.#clear(memory, record);
    memory.setUint32(record + Rec.HANDLER, this.#handlerOf(instruction, definition, dead), LITTLE);
    memory.setUint8(record + Rec.LENGTH, length);
    memory.setUint16(record + Rec.PAGE_OFFSET, pageOffset, LITTLE);
    memory.setUint16(record + Rec.INDEX_IN_BLOCK, index, LITTLE);
    memory.setUint8(record + Rec.ADDRESS_SHIFT, 64 - instruction.addressSize);
    memory.setUint8(record + Rec.SEGMENT_NUMBER, USES_FRAME.has(instruction.mnemonic) ? Segment.SS : Segment.DS);
    memory.setUint8(
      record + Rec.PREFIXES,
      (instruction.lock ? 1 : 0) | (instruction.repeat === 0xf2 ? 2 : instruction.repeat === 0xf3 ? 4 : 0),
    );
    memory.setUint8(record + Rec.OPERAND_BYTES, instruction.operandSize / 8);
    const codes = instruction.encoding.operands;
    let immediates = 0;
    operands.forEach((operand, position) => {
      switch (operand.kind) {
        case "register":
          if (position < 3) memory.setUint16(record + Rec.REG0 + 2 * position, registerSlot(operand), LITTLE);
          break;
        case "memory":
          // The record has room for one: of two strings the source, whose segment can be overridden. The other is always ES:rDI.
          if (codes[position]?.startsWith("Y") && codes.some((code) => code.startsWith("X"))) break;
          this.#writeMemory(memory, record, operand, instruction, pageOffset + length);
          break;
        case "immediate":
          if (immediates++ === 0) {
            memory.setInt32(record + Rec.IMMEDIATE, operand.low, LITTLE);
            memory.setInt32(record + Rec.IMMEDIATE + 4, operand.high, LITTLE);
          } else {
            memory.setInt32(record + Rec.EXTRA, operand.low, LITTLE);
          }
          break;
        case "relative":
          setWide(memory, record + Rec.DISPLACEMENT, pageOffset + length + operand.displacement);
          memory.setUint8(record + Rec.ADDRESS_SHIFT, 64 - operand.width);
          break;
        case "far":
          memory.setUint32(record + Rec.IMMEDIATE, operand.offset, LITTLE);
          memory.setUint32(record + Rec.EXTRA, operand.selector, LITTLE);
          break;
      }
    });
  }

  #writeMemory(memory: DataView, record: number, operand: MemoryOperand, instruction: Instruction, end: number): void {
    const { base, index, scale, displacement, displacementHigh, segment } = operand;
    if (base === RIP) {
      memory.setUint16(record + Rec.BASE, guestState.ripPage.offset, LITTLE);
      setWide(memory, record + Rec.DISPLACEMENT, end + displacement);
    } else {
      if (base >= 0) memory.setUint16(record + Rec.BASE, guestState.gpr.offset + 8 * base, LITTLE);
      // POP into memory based on rSP computes its address after rSP has moved. SDM Vol. 2B, "POP".
      const moved = instruction.mnemonic === "pop" && base === 4 ? instruction.operandSize / 8 : 0;
      if (instruction.encoding.operands.some((code) => code === "Ob" || code === "Ov")) {
        memory.setInt32(record + Rec.DISPLACEMENT, displacement, LITTLE);
        memory.setInt32(record + Rec.DISPLACEMENT + 4, displacementHigh, LITTLE);
      } else {
        setWide(memory, record + Rec.DISPLACEMENT, displacement + moved);
      }
    }
    if (index >= 0) memory.setUint16(record + Rec.INDEX, guestState.gpr.offset + 8 * index, LITTLE);
    memory.setUint8(record + Rec.SCALE, Math.log2(scale));
    memory.setUint8(record + Rec.SEGMENT_NUMBER, segment);
    if (segment === Segment.FS || segment === Segment.GS) {
      memory.setUint16(record + Rec.SEGMENT, guestState.segmentBase.offset + 8 * segment, LITTLE);
    }
  }
}

interface KnownHandler {
  readonly mnemonic: string;
  readonly handler: number;
}

/** All that `variantOf` looks at and that the row of an instruction leaves open: 48 bits, for three operands. */
function formNumber({ operandSize, addressSize, codeSize, repeat, operands }: Instruction, dead: boolean): number {
  let form =
    (operandSize >> 4) |
    ((addressSize >> 4) << 3) |
    ((codeSize >> 4) << 6) |
    ((repeat === 0 ? 0 : repeat === 0xf2 ? 1 : 2) << 9) |
    (dead ? 1 << 11 : 0);
  for (let index = 0; index < 3; index++) {
    const operand = operands[index];
    let part = 0;
    if (operand?.kind === "memory") {
      const isPlain = operand.index < 0 && operand.segment !== Segment.FS && operand.segment !== Segment.GS;
      part = 1 | (isPlain ? 2 : 0) | ((operand.width >> 3) << 2);
    } else if (operand?.kind === "register" || operand?.kind === "immediate" || operand?.kind === "relative") {
      part = (operand.width >> 3) << 2;
    }
    form = form * 0x1000 + (part & 0xfff);
  }
  return form;
}

/** Whether the last record of a block is linked to others: that of a direct branch, or one that falls through. */
function isLinked(list: readonly Decoded[], failure: string | undefined): boolean {
  const last = list[list.length - 1];
  if (last?.definition.ends !== true) return failure === undefined;
  return last.instruction.operands.some(({ kind }) => kind === "relative");
}

/** Where control goes on behind the last instruction of a block, which ends at `end`. */
function whereTo(
  last: Decoded | undefined,
  failure: string | undefined,
  end: number,
): Pick<DecodedBlock, "successors" | "lastTarget"> {
  if (failure !== undefined) return { successors: [], lastTarget: 0 };
  if (last?.definition.ends !== true) return { successors: [end], lastTarget: 0 };
  const { mnemonic, operands } = last.instruction;
  const [operand] = operands;
  const lastTarget = operand?.kind === "relative" ? 0 : lastTargetOf(mnemonic);
  const successors = operand?.kind === "relative" ? [end + operand.displacement] : [];
  if (mnemonic === "call" || (operand?.kind === "relative" && mnemonic !== "jmp")) successors.push(end);
  return { successors, lastTarget };
}

/** What an instruction does; undefined where it raises #UD: real and virtual-8086 mode have no VEX and lack some opcodes. */
function definitionFor({ mnemonic, encoding }: Instruction, mode: number): Definition | undefined {
  return mode & Mode.REAL && (encoding.vex || encoding.flags.has("no16")) ? undefined : definitions[mnemonic];
}

/** Where a register operand lives in the vCPU state; its bare number for segment, control, debug and ST(i) operands. */
function registerSlot({ class: kind, number, high }: RegisterOperand): number {
  switch (kind) {
    case "gpr":
      return guestState.gpr.offset + 8 * number + (high === true ? 1 : 0);
    case "xmm":
      return guestState.xmm.offset + 16 * number;
    case "mmx":
      return guestState.fpr.offset + 16 * (number & 7);
    case "segment":
    case "control":
    case "debug":
    case "x87":
      return number;
  }
}

/** Writes a signed number of up to 53 bits as an i64. */
function setWide(memory: DataView, at: number, value: number): void {
  memory.setInt32(at, value | 0, LITTLE);
  memory.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), LITTLE);
}

const flagSets = new WeakMap<
  Definition,
  { readonly writes: ReadonlySet<string>; readonly covers: ReadonlySet<string> }
>();

function flagsOf(definition: Definition): {
  readonly writes: ReadonlySet<string>;
  readonly covers: ReadonlySet<string>;
} {
  let sets = flagSets.get(definition);
  if (!sets) {
    const names = (text: string | undefined): string[] => (text ? text.split(" ") : []);
    const { writes, undefined: unspecified, mayWrite } = definition.flags ?? {};
    const written = [...names(writes), ...names(unspecified)];
    sets = { writes: new Set([...written, ...names(mayWrite)]), covers: new Set(written) };
    flagSets.set(definition, sets);
  }
  return sets;
}

/** Instructions that may fault although no operand lies in memory. */
const TOUCHES_STACK: ReadonlySet<Mnemonic> = new Set<Mnemonic>(["push", "pop", "leave"]);

/**
 * Whether the flags that instruction `index` writes are overwritten before anything can see them. Instructions in between must
 * neither read flags nor be able to fault: an exception would show the flags to the guest.
 */
function flagsAreDead(list: readonly Decoded[], index: number): boolean {
  const self = list[index];
  if (!self || !hasDeadForm(self.definition)) return false;
  const pending = new Set(flagsOf(self.definition).writes);
  for (let next = index + 1; next < list.length; next++) {
    const { definition, instruction } = list[next] as Decoded;
    if (definition.hot !== true || definition.ends === true || definition.flags?.reads || definition.flags?.mayWrite)
      return false;
    // What needs a unit raises #NM, #UD or a pending #MF in states that are not known here.
    if (definition.unit !== undefined || TOUCHES_STACK.has(instruction.mnemonic)) return false;
    if (instruction.mnemonic !== "lea" && instruction.operands.some(({ kind }) => kind === "memory")) return false;
    for (const flag of flagsOf(definition).covers) pending.delete(flag);
    if (pending.size === 0) return true;
  }
  return false;
}
