import { Dispatch, OpcodeMapNumber, placesOf, type Plan, PrefixClass } from "./dispatch.ts";
import {
  type CodeSize,
  type DecodeFailure,
  type Instruction,
  type MemoryOperand,
  type Operand,
  type OperandWidth,
  RIP,
} from "./instruction.ts";
import { type OperandPlan, Source } from "./operand-plan.ts";
import type { Feature } from "./row.ts";

export interface Decoder {
  /**
   * Decodes one instruction.
   *
   * @param bytes code
   * @param start index of the first byte
   * @param end index after the last byte that may be read
   * @param codeSize 64 in 64-bit mode, else the D bit of CS
   * @returns the instruction, or why there is none: "invalid" as soon as no further byte could make it valid, also at `end`; but
   *   LOCK where it is not allowed counts only when all bytes are there, since processors fetch the whole instruction first
   */
  decode(bytes: Uint8Array, start: number, end: number, codeSize: CodeSize): Instruction | DecodeFailure;
}

/** SDM Vol. 2A, 2.1: an instruction has at most 15 bytes. */
const MAXIMUM_LENGTH = 15;

/** Kinds of legacy prefix, by byte. SDM Vol. 2A, 2.1.1. */
const Prefix = { None: 0, OperandSize: 1, AddressSize: 2, Lock: 3, Repeat: 4, Segment: 5, Rex: 6 } as const;

const PREFIXES = (() => {
  const kinds = new Uint8Array(256);
  kinds[0x66] = Prefix.OperandSize;
  kinds[0x67] = Prefix.AddressSize;
  kinds[0xf0] = Prefix.Lock;
  kinds[0xf2] = kinds[0xf3] = Prefix.Repeat;
  for (const byte of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]) kinds[byte] = Prefix.Segment;
  for (let byte = 0x40; byte < 0x50; byte++) kinds[byte] = Prefix.Rex;
  return kinds;
})();

const SEGMENT_DS = 3;
const SEGMENT_SS = 2;
const SEGMENT_FS = 4;

/** Base and index of 16-bit addressing by ModRM.rm. SDM Vol. 2A, Table 2-1. */
const BASE_16 = [3, 3, 5, 5, 6, 7, 5, 3] as const;
const INDEX_16 = [6, 7, 6, 7, -1, -1, -1, -1] as const;

const SCALES = [1, 2, 4, 8] as const;

class TableDecoder implements Decoder {
  readonly #dispatch64: Dispatch;
  readonly #dispatch32: Dispatch;

  // The instruction being decoded.
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #limit = 0;
  #overrun = false;
  #rex = 0;
  #segment = -1;
  #addressSize: CodeSize = 64;
  #codeSize: CodeSize = 64;

  constructor(features: ReadonlySet<Feature>) {
    const places = placesOf(features);
    this.#dispatch64 = new Dispatch(places, true);
    this.#dispatch32 = new Dispatch(places, false);
  }

  decode(bytes: Uint8Array, start: number, end: number, codeSize: CodeSize): Instruction | DecodeFailure {
    const longest = start + MAXIMUM_LENGTH;
    const limit = end < longest ? end : longest;
    const overrun: DecodeFailure = end < longest ? "truncated" : "too-long";
    const is64 = codeSize === 64;
    let position = start;
    let rex = 0;
    let segment = -1;
    let repeat: 0 | 0xf2 | 0xf3 = 0;
    let operandPrefix = false;
    let addressPrefix = false;
    let lock = false;
    let byte = 0;
    for (;;) {
      if (position >= limit) return overrun;
      byte = bytes[position++]!;
      const kind = PREFIXES[byte]!;
      if (kind === Prefix.None) break;
      if (kind === Prefix.Rex) {
        if (!is64) break;
        rex = byte;
        continue;
      }
      // REX counts only right before the opcode (SDM Vol. 2A, 2.2.1).
      rex = 0;
      if (kind === Prefix.OperandSize) operandPrefix = true;
      else if (kind === Prefix.AddressSize) addressPrefix = true;
      else if (kind === Prefix.Lock) lock = true;
      else if (kind === Prefix.Repeat) repeat = byte as 0xf2 | 0xf3;
      else {
        const number = byte >= 0x64 ? byte - 0x64 + SEGMENT_FS : (byte >> 3) & 3;
        // In 64-bit mode ES, CS, SS and DS are ignored, and do not undo an FS or GS before them.
        if (!is64 || number >= SEGMENT_FS) segment = number;
      }
    }
    this.#bytes = bytes;
    this.#limit = limit;
    this.#segment = segment;
    this.#codeSize = codeSize;

    let map: number = OpcodeMapNumber.OneByte;
    let prefixClass: number =
      repeat === 0
        ? operandPrefix
          ? PrefixClass.OperandSize
          : PrefixClass.None
        : repeat === 0xf3
          ? PrefixClass.F3
          : PrefixClass.F2;
    let vvvv = 0;
    let isVex = false;
    if (byte === 0x0f) {
      if (position >= limit) return overrun;
      byte = bytes[position++]!;
      map = OpcodeMapNumber.TwoByte;
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? OpcodeMapNumber.Three38 : OpcodeMapNumber.Three3a;
        if (position >= limit) return overrun;
        byte = bytes[position++]!;
      }
    } else if (byte === 0xc4 || byte === 0xc5) {
      if (!is64 && position >= limit) return overrun;
      if (is64 || bytes[position]! >= 0xc0) {
        // SDM Vol. 2A, 2.3.2 to 2.3.5: these before VEX are #UD. Nothing that Umbra has is in the map of the two-byte VEX.
        if (byte === 0xc5 || lock || operandPrefix || repeat !== 0 || rex !== 0) return "invalid";
        if (position >= limit) return overrun;
        const first = bytes[position++]!;
        if ((first & 0x1f) === 2) map = OpcodeMapNumber.Vex38;
        else if ((first & 0x1f) === 3) map = OpcodeMapNumber.Vex3a;
        else return "invalid";
        if (position >= limit) return overrun;
        const second = bytes[position++]!;
        if ((second & 4) !== 0) return "invalid"; // every row is "l0"
        isVex = true;
        prefixClass = second & 3;
        vvvv = (~second >> 3) & 15;
        // R, X and B are stored inverted; outside 64-bit mode there are eight registers and no W.
        if (is64) rex = 0x40 | ((second >> 4) & 8) | ((~first >> 5) & 7);
        if (position >= limit) return overrun;
        byte = bytes[position++]!;
      }
    }

    const node = (is64 ? this.#dispatch64 : this.#dispatch32).node(map, prefixClass, byte);
    if (node === null) return "invalid";
    const opcode = byte;
    let modrm = 0;
    let plan: Plan | undefined;
    if (node.modrm) {
      if (position >= limit) return node.isUndefined ? "invalid" : overrun;
      modrm = bytes[position++]!;
      plan = node.plans[modrm < 0xc0 ? (modrm >> 3) & 7 : modrm - 0xc0 + 8];
    } else {
      plan = node.plans[0];
    }
    const w = (rex >> 3) & 1;
    while (plan !== undefined && ((plan.w >= 0 && plan.w !== w) || (plan.b0 && (rex & 1) !== 0))) plan = plan.next;
    if (plan === undefined) return "invalid";
    if (isVex && vvvv !== 0 && !plan.usesVvvv) {
      // Outside 64-bit mode the top bit of vvvv is not looked at, but an unused vvvv must be 1111 everywhere.
      return "invalid";
    }

    this.#rex = rex;
    this.#overrun = false;
    const operandSize: CodeSize = is64
      ? plan.force64 || w !== 0
        ? 64
        : operandPrefix && !plan.ignore66
          ? 16
          : plan.default64
            ? 64
            : 32
      : plan.ignore66 || (codeSize === 32) !== operandPrefix
        ? 32
        : 16;
    const addressSize: CodeSize = addressPrefix ? (codeSize === 32 ? 16 : 32) : codeSize;
    this.#addressSize = addressSize;
    this.#position = position;
    const size = operandSize >> 5; // 0, 1, 2

    let memory: MemoryOperand | undefined;
    const operandPlans = plan.operands;
    const operands: Operand[] = [];
    for (let index = 0; index < operandPlans.length; index++) {
      const operand = operandPlans[index]!;
      switch (operand.source) {
        case Source.Fixed:
          operands.push(operand.fixed![size]!);
          break;
        case Source.Reg: {
          let number = (modrm >> 3) & 7;
          if (operand.byteRegister) {
            if (rex === 0 && number >= 4) number += 12;
          }
          if (operand.registerCount === 16) number |= (rex & 4) << 1;
          if (((plan.validRegisters >> number) & 1) === 0 && number < 16) return "invalid";
          operands.push(operand.registers[size]![number]!);
          break;
        }
        case Source.Rm:
          if (modrm >= 0xc0 || plan.ignoreMod) {
            let number = modrm & 7;
            if (operand.byteRegister && rex === 0 && number >= 4) number += 12;
            if (operand.registerCount === 16) number |= (rex & 1) << 3;
            operands.push(operand.registers[size]![number]!);
          } else {
            memory = this.#memory(modrm, operand.width[size]!);
            operands.push(memory);
          }
          break;
        case Source.Vvvv:
          operands.push(operand.registers[size]![is64 ? vvvv : vvvv & 7]!);
          break;
        case Source.Opcode: {
          let number = opcode & 7;
          if (operand.byteRegister && rex === 0 && number >= 4) number += 12;
          number |= (rex & 1) << 3;
          operands.push(operand.registers[size]![number]!);
          break;
        }
        case Source.Immediate:
          operands.push(this.#immediate(operand, size));
          break;
        case Source.Relative:
          operands.push({
            kind: "relative",
            displacement: this.#signed(operand.bytes[size]!),
            width: operand.width[size]!,
          });
          break;
        case Source.Far: {
          const offset = this.#unsigned(operand.bytes[size]!);
          operands.push({ kind: "far", selector: this.#unsigned(2), offset, width: operand.width[size]! });
          break;
        }
        case Source.Offset:
          operands.push(this.#offset(operand.width[size]!));
          break;
        case Source.Implied:
          operands.push({
            kind: "memory",
            base: operand.base,
            index: -1,
            scale: 1,
            displacement: 0,
            displacementHigh: 0,
            segment: operand.segment >= 0 ? operand.segment : segment >= 0 ? segment : SEGMENT_DS,
            width: operand.width[size]!,
          });
          break;
      }
    }
    if (this.#overrun) return node.isUndefined ? "invalid" : overrun;
    if (lock && (!plan.lockable || modrm >= 0xc0)) return "invalid";
    return {
      encoding: plan.encoding,
      mnemonic: plan.encoding.mnemonic,
      codeSize,
      length: this.#position - start,
      operandSize,
      addressSize,
      operands,
      lock,
      repeat: plan.repeatable ? repeat : 0,
    };
  }

  /** Reads 1, 2 or 4 bytes, little-endian, as a signed number; 0 if there are not enough. */
  #signed(count: number): number {
    const at = this.#position;
    this.#position = at + count;
    if (at + count > this.#limit) {
      this.#overrun = true;
      return 0;
    }
    const bytes = this.#bytes;
    if (count === 1) return (bytes[at]! << 24) >> 24;
    if (count === 2) return ((bytes[at]! << 16) | (bytes[at + 1]! << 24)) >> 16;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  #unsigned(count: number): number {
    const value = this.#signed(count);
    return count === 4 ? value >>> 0 : value & ((1 << (count * 8)) - 1);
  }

  #immediate(operand: OperandPlan, size: number): Operand {
    const width = operand.width[size]!;
    const bytes = operand.bytes[size]!;
    if (bytes === 8) {
      const low = this.#signed(4);
      return { kind: "immediate", low, high: this.#signed(4), width };
    }
    const value = this.#signed(bytes);
    if (width === 64) return { kind: "immediate", low: value, high: value >> 31, width };
    return { kind: "immediate", low: width < 32 ? value & ((1 << width) - 1) : value, high: 0, width };
  }

  /** MOV to and from an absolute offset of the address size. */
  #offset(width: OperandWidth): MemoryOperand {
    const bytes = this.#addressSize >> 3;
    const displacement = bytes === 2 ? this.#unsigned(2) : this.#signed(4);
    return {
      kind: "memory",
      base: -1,
      index: -1,
      scale: 1,
      displacement,
      displacementHigh: bytes === 8 ? this.#signed(4) : 0,
      segment: this.#segment >= 0 ? this.#segment : SEGMENT_DS,
      width,
    };
  }

  /** The memory operand of a ModRM byte whose mod is not 3. SDM Vol. 2A, 2.1.5 and 2.2.1. */
  #memory(modrm: number, width: OperandWidth): MemoryOperand {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    let base: number;
    let index: number = -1;
    let scale: 1 | 2 | 4 | 8 = 1;
    let displacement = 0;
    if (this.#addressSize === 16) {
      base = BASE_16[rm]!;
      index = INDEX_16[rm]!;
      if (mod === 1) displacement = this.#signed(1);
      else if (mod === 2) displacement = this.#signed(2);
      else if (rm === 6) {
        base = -1;
        displacement = this.#signed(2);
      }
    } else {
      const rex = this.#rex;
      let low = rm;
      if (rm === 4) {
        if (this.#position >= this.#limit) this.#overrun = true;
        const sib = this.#bytes[this.#position++] ?? 0;
        index = ((sib >> 3) & 7) | ((rex & 2) << 2);
        if (index === 4) index = -1;
        scale = index < 0 ? 1 : SCALES[sib >> 6]!;
        low = sib & 7;
      }
      base = low | ((rex & 1) << 3);
      if (mod === 1) displacement = this.#signed(1);
      else if (mod === 2) displacement = this.#signed(4);
      else if (low === 5) {
        base = rm === 5 && this.#codeSize === 64 ? RIP : -1;
        displacement = this.#signed(4);
      }
    }
    return {
      kind: "memory",
      base,
      index,
      scale,
      displacement,
      displacementHigh: displacement >> 31,
      segment: this.#segment >= 0 ? this.#segment : base === 4 || base === 5 ? SEGMENT_SS : SEGMENT_DS,
      width,
    };
  }
}

/** Creates a decoder for a processor with these features. Between instructions it keeps nothing but tables. */
export function createDecoder(features: ReadonlySet<Feature>): Decoder {
  return new TableDecoder(features);
}
