import { invariant } from "../../runtime/abi/invariant.ts";
import { guestState, Segment } from "../../runtime/abi/guest-state.ts";
import { Rec } from "../../runtime/abi/memory-map.ts";
import { type Instruction, type Operand, type RegisterOperand, RIP } from "../isa/instruction.ts";
import type { Definition } from "../semantics/define.ts";
import type { CoreManifest } from "./core.ts";
import { formNumber, type KnownRow, knownRow } from "./known-row.ts";
import { variantKey, variantOf } from "./variant.ts";

/** Instructions whose implied memory accesses are in the stack: what faults there is #SS. */
const USES_FRAME: ReadonlySet<string> = new Set(["enter", "leave", "pusha", "popa", "call"]);
const TWO_32 = 0x1_0000_0000;
/** what a record names where there is no register */
const NO_REGISTER: number = guestState.zero.offset;
/** logarithms of the scales */
const LOG2: Readonly<Record<number, number>> = { 1: 0, 2: 1, 4: 2, 8: 3 };

/** An instruction on its way into a record. */
export interface Decoded {
  readonly instruction: Instruction;
  readonly row: KnownRow;
  readonly definition: Definition;
  readonly pageOffset: number;
}

/** Writes decoded instructions as records, word by word: some 60,000 blocks of them in a boot of Linux. */
export class RecordWriter {
  readonly #handlers: ReadonlyMap<string, number>;
  readonly #rows = new Map<Instruction["encoding"], KnownRow>();
  #memory: DataView | undefined;
  /** the memory, of code and records */
  bytes: Uint8Array = new Uint8Array(0);
  #words: Int32Array = new Int32Array(0);

  constructor(manifest: CoreManifest) {
    this.#handlers = new Map(Object.entries(manifest.handlers));
  }

  /** Index in the table of core.wasm of a handler by its name. */
  handler(key: string): number {
    const index = this.#handlers.get(key);
    invariant(index !== undefined, `core.wasm has no handler for "${key}": it was built from other definitions`);
    return index;
  }

  /** Makes sure that records are written to this memory. */
  bind(memory: DataView): void {
    if (this.#memory === memory) return;
    this.#memory = memory;
    this.bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
  }

  /** An instruction with what is known of its row. */
  decoded(instruction: Instruction, pageOffset: number): Decoded {
    const row = this.#rowOf(instruction);
    return { instruction, row, definition: row.definition, pageOffset };
  }

  #rowOf(instruction: Instruction): KnownRow {
    const { encoding } = instruction;
    let row = this.#rows.get(encoding);
    if (!row) {
      row = knownRow(encoding);
      this.#rows.set(encoding, row);
    }
    return row;
  }

  /** The handler of an instruction. What its variant depends on besides the row is packed into a number, under which it is kept. */
  #handlerOf(instruction: Instruction, { definition, handlers }: KnownRow, dead: boolean): number {
    const form = formNumber(instruction, dead);
    let handler = handlers.get(form);
    if (handler === undefined) {
      handler = this.handler(variantKey(variantOf(instruction, definition, dead)));
      handlers.set(form, handler);
    }
    return handler;
  }

  /** Writes a record without operands and handler. */
  clear(record: number): void {
    const words = this.#words;
    const at = record >> 2;
    for (let word = at; word < at + Rec.BYTES / 4; word++) words[word] = 0;
    words[at + Rec.REG2 / 4] = NO_REGISTER << 16;
    words[at + Rec.INDEX / 4] = NO_REGISTER | (NO_REGISTER << 16);
  }

  write(record: number, { instruction, row, pageOffset }: Decoded, index: number, dead: boolean): void {
    const { operands, length, mnemonic } = instruction;
    let register0 = 0;
    let register1 = 0;
    let register2 = 0;
    let base = NO_REGISTER;
    let indexRegister = NO_REGISTER;
    let segmentBase = NO_REGISTER;
    let scale = 0;
    let addressShift = 64 - instruction.addressSize;
    let segmentNumber: number = USES_FRAME.has(mnemonic) ? Segment.SS : Segment.DS;
    let displacementLow = 0;
    let displacementHigh = 0;
    let immediateLow = 0;
    let immediateHigh = 0;
    let extra = 0;
    let immediates = 0;
    for (let position = 0; position < operands.length; position++) {
      const operand = operands[position] as Operand;
      switch (operand.kind) {
        case "register": {
          const slot = registerSlot(operand);
          if (position === 0) register0 = slot;
          else if (position === 1) register1 = slot;
          else if (position === 2) register2 = slot;
          break;
        }
        case "memory": {
          // The record has room for one: of two strings the source, whose segment can be overridden. The other is always ES:rDI.
          if (position === row.secondString) break;
          let displacement = operand.displacement;
          displacementHigh = displacement < 0 ? -1 : 0;
          if (operand.base === RIP) {
            base = guestState.ripPage.offset;
            displacement += pageOffset + length;
            displacementHigh = Math.floor(displacement / TWO_32);
          } else if (operand.base >= 0) {
            base = guestState.gpr.offset + 8 * operand.base;
            // POP into memory based on rSP computes its address after rSP has moved. SDM Vol. 2B, "POP".
            if (mnemonic === "pop" && operand.base === 4) displacement += instruction.operandSize / 8;
            displacementHigh = Math.floor(displacement / TWO_32);
          }
          displacementLow = displacement | 0;
          if (row.hasOffset) displacementHigh = operand.displacementHigh;
          if (operand.index >= 0) indexRegister = guestState.gpr.offset + 8 * operand.index;
          scale = LOG2[operand.scale] ?? 0;
          segmentNumber = operand.segment;
          if (segmentNumber === Segment.FS || segmentNumber === Segment.GS)
            segmentBase = guestState.segmentBase.offset + 8 * segmentNumber;
          break;
        }
        case "immediate":
          if (immediates++ === 0) {
            immediateLow = operand.low;
            immediateHigh = operand.high;
          } else {
            extra = operand.low;
          }
          break;
        case "relative": {
          const displacement = pageOffset + length + operand.displacement;
          displacementLow = displacement | 0;
          displacementHigh = Math.floor(displacement / TWO_32);
          addressShift = 64 - operand.width;
          break;
        }
        case "far":
          immediateLow = operand.offset;
          extra = operand.selector;
          break;
      }
    }
    const prefixes =
      (instruction.lock ? 1 : 0) | (instruction.repeat === 0xf2 ? 2 : instruction.repeat === 0xf3 ? 4 : 0);
    const words = this.#words;
    const at = record >> 2;
    words[at + Rec.HANDLER / 4] = this.#handlerOf(instruction, row, dead);
    words[at + Rec.REG0 / 4] = register0 | (register1 << 16);
    words[at + Rec.REG2 / 4] = register2 | (base << 16);
    words[at + Rec.INDEX / 4] = indexRegister | (segmentBase << 16);
    words[at + Rec.SCALE / 4] = scale | (addressShift << 8) | (segmentNumber << 16) | (length << 24);
    words[at + Rec.PAGE_OFFSET / 4] = pageOffset | (index << 16);
    words[at + Rec.DISPLACEMENT / 4] = displacementLow;
    words[at + Rec.DISPLACEMENT / 4 + 1] = displacementHigh;
    words[at + Rec.IMMEDIATE / 4] = immediateLow;
    words[at + Rec.IMMEDIATE / 4 + 1] = immediateHigh;
    words[at + Rec.EXTRA / 4] = extra;
    words[at + Rec.PREFIXES / 4] = prefixes | ((instruction.operandSize / 8) << 8);
  }
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
