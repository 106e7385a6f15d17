import type { BlockDecoder, DecodedBlock, DecodeRequest } from "../../runtime/abi/block-decoder.ts";
import { MAXIMUM_BLOCK_INSTRUCTIONS } from "../../runtime/abi/block-decoder.ts";
import { Mode } from "../../runtime/abi/guest-state.ts";
import { Rec } from "../../runtime/abi/memory-map.ts";
import { createDecoder, type Decoder } from "../isa/decode.ts";
import type { CodeSize, Instruction } from "../isa/instruction.ts";
import type { Feature } from "../isa/row.ts";
import type { CoreManifest } from "./core.ts";
import { type Decoded, RecordWriter } from "./record-writer.ts";
import { lastTargetOf } from "./variant.ts";

const PAGE = 4096;
const LITTLE = true;
const CODE_SIZES: readonly CodeSize[] = [16, 32, 64];

/** Turns guest code into records: decodes up to the first branch, the end of the page or the limit, and names each handler. */
export class BlockBuilder implements BlockDecoder {
  readonly #decoder: Decoder;
  readonly #records: RecordWriter;
  readonly #scratch = new Uint8Array(32);

  constructor(manifest: CoreManifest, features: ReadonlySet<Feature>) {
    this.#decoder = createDecoder(features);
    this.#records = new RecordWriter(manifest);
  }

  decode(memory: DataView, request: DecodeRequest): DecodedBlock {
    const { start, mode } = request;
    const codeSize = CODE_SIZES[mode & Mode.CODE_SIZE_MASK] ?? 64;
    this.#records.bind(memory);
    const { bytes } = this.#records;
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
      if (typeof result === "string" || !existsIn(result, mode)) {
        failure = result === "too-long" ? "too_long" : "undefined_opcode";
        break;
      }
      const decoded = this.#records.decoded(result, at - pageStart);
      list.push(decoded);
      at += result.length;
      if (decoded.definition.ends === true) break;
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
    this.#records.clear(record);
    memory.setUint32(record + Rec.HANDLER, this.#records.handler("page_crossing"), LITTLE);
    memory.setUint16(record + Rec.PAGE_OFFSET, start - pageStart, LITTLE);
    // No page starts at offset 1: when fetching faulted, the check fails and the fault is raised when it runs.
    memory.setUint32(record + Rec.IMMEDIATE, nextPage === 0 ? 1 : nextPage, LITTLE);
    const at = record + Rec.BYTES;
    const list =
      typeof result === "string" ||
      !existsIn(result, request.mode) ||
      nextPage === 0 ||
      result.length > request.codeBytes
        ? []
        : [this.#records.decoded(result, start - pageStart)];
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
    for (const [index, decoded] of list.entries()) {
      this.#records.write(at, decoded, index, flagsAreDead(list, index));
      at += Rec.BYTES;
    }
    const last = list[list.length - 1];
    if (last?.definition.ends === true) return at;
    this.#records.clear(at);
    memory.setUint32(at + Rec.HANDLER, this.#records.handler(failure ?? "fall_through"), LITTLE);
    memory.setUint16(at + Rec.PAGE_OFFSET, endOffset, LITTLE);
    memory.setUint16(at + Rec.INDEX_IN_BLOCK, list.length, LITTLE);
    memory.setUint8(at + Rec.ADDRESS_SHIFT, codeSize === 64 ? 0 : 32);
    return at + Rec.BYTES;
  }
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

/** Whether an instruction exists in a mode, or raises #UD: real and virtual-8086 mode have no VEX and lack some opcodes. */
function existsIn({ encoding }: Instruction, mode: number): boolean {
  return (mode & Mode.REAL) === 0 || !(encoding.vex || encoding.flags.has("no16"));
}

/**
 * Whether the flags that instruction `index` writes are overwritten before anything can see them. Instructions in between must
 * neither read flags nor be able to fault: an exception would show the flags to the guest.
 */
function flagsAreDead(list: readonly Decoded[], index: number): boolean {
  const self = list[index];
  if (!self?.row.hasDeadForm) return false;
  let pending = self.row.writes;
  for (let next = index + 1; next < list.length; next++) {
    const { row, instruction } = list[next] as Decoded;
    if (!row.isTransparent) return false;
    if (instruction.mnemonic !== "lea" && instruction.operands.some(({ kind }) => kind === "memory")) return false;
    pending &= ~row.covers;
    if (pending === 0) return true;
  }
  return false;
}
