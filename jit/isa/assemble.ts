import type { Encoding } from "./encoding.ts";
import { type CodeSize, RIP } from "./instruction.ts";
import { operandPlan, Source } from "./operand-plan.ts";

export interface RegisterLocation {
  readonly kind: "register";
  readonly number: number;
  /** AH CH DH BH for 0..3 */
  readonly high?: boolean;
}

export interface MemoryLocation {
  readonly kind: "memory";
  /** register number, -1 for none, or RIP */
  readonly base: number;
  /** register number or -1 for none */
  readonly index?: number;
  readonly scale?: 1 | 2 | 4 | 8;
  /** in [-2^31, 2^31); absolute offsets (O operands): unsigned, of the address size */
  readonly displacement?: number | bigint;
  /** encode the displacement in as many bytes as the form allows, though fewer would do */
  readonly long?: boolean;
}

export interface EncodeOptions {
  readonly codeSize: CodeSize;
  /** defaults to the one that needs no prefix */
  readonly operandSize?: CodeSize;
  readonly addressSize?: CodeSize;
  /** register in ModRM.reg, or in the low bits of the opcode (Z operands) */
  readonly reg?: number;
  readonly regHigh?: boolean;
  readonly rm?: RegisterLocation | MemoryLocation;
  readonly vvvv?: number;
  /** immediate or branch displacement, offset of a far pointer: truncated to what the encoding holds */
  readonly immediate?: number | bigint;
  /** second immediate (ENTER), selector of a far pointer */
  readonly secondImmediate?: number;
  readonly lock?: boolean;
  readonly repeat?: 0 | 0xf2 | 0xf3;
  /** segment override, SDM order */
  readonly segment?: number;
  /** a REX prefix (64-bit mode) even if nothing needs it */
  readonly rex?: boolean;
}

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;

/** base and index of 16-bit addressing, by ModRM.rm */
const PAIRS_16 = ["3,6", "3,7", "5,6", "5,7", "6,-1", "7,-1", "5,-1", "3,-1"] as const;

/** The operand sizes with which an encoding exists in this mode, the default first; empty if it is invalid there. */
export function operandSizes(encoding: Encoding, codeSize: CodeSize): readonly CodeSize[] {
  const { flags } = encoding;
  if (flags.has(codeSize === 64 ? "i64" : "o64")) return [];
  const can66 = encoding.prefixRule !== "np" && encoding.prefix !== 0x66 && !encoding.vex;
  if (codeSize !== 64) {
    if (flags.has("w1")) return [];
    if (encoding.prefix === 0x66 || encoding.vex) return [32];
    return can66 ? [codeSize, codeSize === 32 ? 16 : 32] : [codeSize];
  }
  if (flags.has("f64")) return [64];
  if (flags.has("d64")) return can66 ? [64, 16] : [64];
  const sizes: CodeSize[] = [];
  if (!flags.has("w1")) sizes.push(32);
  if (!flags.has("w1") && can66) sizes.push(16);
  if (!flags.has("w0")) sizes.push(64);
  return sizes;
}

/** Collects bytes, little-endian. */
class Bytes {
  readonly bytes: number[] = [];

  push(...bytes: readonly number[]): void {
    this.bytes.push(...bytes);
  }

  number(value: number | bigint, count: number): void {
    let rest = BigInt.asUintN(count * 8, BigInt(value));
    for (let byte = 0; byte < count; byte++, rest >>= 8n) this.bytes.push(Number(rest & 0xffn));
  }
}

/** What ModRM needs: the byte without reg, the SIB byte, the displacement, and bits X and B of REX. */
interface RmBytes {
  readonly modrm: number;
  readonly sib?: number;
  readonly displacement: number;
  readonly displacementBytes: number;
  readonly rexXB: number;
}

function displacementForm(location: MemoryLocation, displacement: number, mustHave: boolean): 0 | 1 | 2 {
  if (location.long === true) return 2;
  if (displacement === 0 && !mustHave) return 0;
  return displacement >= -128 && displacement <= 127 ? 1 : 2;
}

function memoryBytes16(location: MemoryLocation, displacement: number): RmBytes {
  const index = location.index ?? -1;
  if (location.base < 0 && index < 0) return { modrm: 6, displacement, displacementBytes: 2, rexXB: 0 };
  const pair = `${location.base},${index}`;
  const rm = PAIRS_16.findIndex((known) => known === pair);
  if (rm < 0 || (location.scale ?? 1) !== 1) {
    throw new RangeError(
      `memory operand: found base,index ${pair}, expected one of ${PAIRS_16.join(" ")} without scale`,
    );
  }
  const mod = displacementForm(location, displacement, rm === 6);
  return { modrm: (mod << 6) | rm, displacement, displacementBytes: mod, rexXB: 0 };
}

function memoryBytes(location: MemoryLocation, codeSize: CodeSize, addressSize: CodeSize): RmBytes {
  const displacement = Number(location.displacement ?? 0);
  if (addressSize === 16) return memoryBytes16(location, displacement);
  const { base } = location;
  const index = location.index ?? -1;
  if (index === 4) throw new RangeError("memory operand: found index 4, which encodes no index");
  const rexXB = (index >= 8 ? 2 : 0) | (base >= 8 && base !== RIP ? 1 : 0);
  const scale = { 1: 0, 2: 1, 4: 2, 8: 3 }[location.scale ?? 1];
  const sibIndex = (scale << 6) | ((index < 0 ? 4 : index & 7) << 3);
  if (base === RIP) {
    if (codeSize !== 64 || index >= 0)
      throw new RangeError("memory operand: RIP as a base needs 64-bit mode and no index");
    return { modrm: 5, displacement, displacementBytes: 4, rexXB: 0 };
  }
  if (base < 0) {
    // Without a SIB byte this is RIP-relative in 64-bit mode.
    if (codeSize !== 64 && index < 0) return { modrm: 5, displacement, displacementBytes: 4, rexXB };
    return { modrm: 4, sib: sibIndex | 5, displacement, displacementBytes: 4, rexXB };
  }
  const mod = displacementForm(location, displacement, (base & 7) === 5);
  const displacementBytes = mod === 2 ? 4 : mod;
  if (index < 0 && (base & 7) !== 4) {
    return { modrm: (mod << 6) | (base & 7), displacement, displacementBytes, rexXB };
  }
  return { modrm: (mod << 6) | 4, sib: sibIndex | (base & 7), displacement, displacementBytes, rexXB };
}

/** REX and ModRM bits of a byte register; numbers 4..7 (SPL BPL SIL DIL) need REX, AH CH DH BH forbid it. */
function byteRegister(number: number, high: boolean): { number: number; needsRex: boolean; forbidsRex: boolean } {
  if (high) return { number: number + 4, needsRex: false, forbidsRex: true };
  return { number, needsRex: number >= 4 && number < 8, forbidsRex: false };
}

/**
 * Encodes one instruction. The reverse of decoding, for generators of tests: `decode(encode(encoding, options))` has this encoding
 * and these operands, save for what a processor cannot tell apart (see the encodings that NOP and PAUSE share with XCHG).
 *
 * @throws {RangeError} when the encoding cannot hold the options, for example R8 outside 64-bit mode
 */
export function encode(encoding: Encoding, options: EncodeOptions): Uint8Array {
  const { codeSize } = options;
  const where = `${encoding.id} (${encoding.mnemonic}), ${codeSize}-bit`;
  const sizes = operandSizes(encoding, codeSize);
  const operandSize = options.operandSize ?? sizes[0];
  if (operandSize === undefined || !sizes.includes(operandSize)) {
    throw new RangeError(`${where}: found operand size ${operandSize}, expected one of [${sizes.join(" ")}]`);
  }
  const addressSize = options.addressSize ?? codeSize;
  if (addressSize !== codeSize && addressSize !== (codeSize === 32 ? 16 : 32)) {
    throw new RangeError(`${where}: found address size ${addressSize}`);
  }
  const plans = encoding.operands.map(operandPlan);
  const size = operandSize >> 5;
  const legacy = new Bytes();
  const tail = new Bytes();

  let rex = options.rex === true ? 0x40 : 0;
  let forbidsRex = false;
  let reg = options.reg ?? 0;
  let opcodeLow = 0;
  let rmBytes: RmBytes | undefined;

  const useByteRegister = (number: number, high: boolean): number => {
    const bits = byteRegister(number, high);
    if (bits.needsRex) rex |= 0x40;
    forbidsRex ||= bits.forbidsRex;
    return bits.number;
  };

  const hasReg = plans.some((plan) => plan.source === Source.Reg);
  for (const plan of plans) {
    if (plan.source === Source.Reg || plan.source === Source.Opcode) {
      if (plan.byteRegister) reg = useByteRegister(reg, options.regHigh === true);
      if (reg >= plan.registerCount) throw new RangeError(`${where}: found register ${reg}`);
      if (plan.source === Source.Opcode) {
        if (reg >= 8) rex |= 0x41;
        opcodeLow = reg & 7;
      } else if (reg >= 8) rex |= 0x44;
    }
    if (plan.source === Source.Immediate && tail.bytes.length > 0) {
      tail.number(options.secondImmediate ?? 0, plan.bytes[size]!);
    } else if (plan.source === Source.Immediate || plan.source === Source.Relative) {
      tail.number(options.immediate ?? 0, plan.bytes[size]!);
    } else if (plan.source === Source.Far) {
      tail.number(options.immediate ?? 0, plan.bytes[size]!);
      tail.number(options.secondImmediate ?? 0, 2);
    } else if (plan.source === Source.Offset) {
      const offset = options.rm?.kind === "memory" ? (options.rm.displacement ?? 0) : 0;
      tail.number(offset, addressSize >> 3);
    }
  }
  if (encoding.modrm !== "none") {
    const rm = options.rm ?? { kind: "register", number: encoding.rm ?? 0 };
    if (encoding.modrm !== "any" && encoding.modrm !== rm.kind) {
      throw new RangeError(`${where}: found r/m ${rm.kind}, expected ${encoding.modrm}`);
    }
    if (rm.kind === "memory") rmBytes = memoryBytes(rm, codeSize, addressSize);
    else {
      const plan = plans.find((operand) => operand.source === Source.Rm);
      let number = encoding.rm ?? rm.number;
      if (plan?.byteRegister === true) number = useByteRegister(number, rm.high === true);
      if (plan !== undefined && number >= plan.registerCount)
        throw new RangeError(`${where}: found r/m register ${number}`);
      rmBytes = { modrm: 0xc0 | (number & 7), displacement: 0, displacementBytes: 0, rexXB: number >= 8 ? 1 : 0 };
    }
    if (rmBytes.rexXB !== 0) rex |= 0x40 | rmBytes.rexXB;
  }
  const wide = operandSize === 64 && !encoding.flags.has("f64") && !encoding.flags.has("d64");
  if (wide) rex |= 0x48;
  if (codeSize !== 64 && (rex !== 0 || (options.vvvv ?? 0) >= 8)) {
    throw new RangeError(`${where}: found operands that need REX or VEX bits`);
  }
  if (forbidsRex && rex !== 0) throw new RangeError(`${where}: found AH CH DH or BH beside an operand that needs REX`);

  if (options.lock === true) legacy.push(0xf0);
  if (options.segment !== undefined) legacy.push(SEGMENT_PREFIXES[options.segment]!);
  if (addressSize !== codeSize) legacy.push(0x67);
  const natural = codeSize === 16 ? 16 : 32;
  const needs66 = codeSize === 64 ? operandSize === 16 : operandSize !== natural && encoding.prefix !== 0x66;
  if (encoding.vex) {
    const map = encoding.opcode[1] === 0x38 ? 2 : 3;
    const pp = { np: 0, nfx: 0, any: 0, 66: 1, f3: 2, f2: 3 }[encoding.prefixRule];
    legacy.push(0xc4, ((~rex & 7) << 5) | map, ((rex & 8) << 4) | ((~(options.vvvv ?? 0) & 15) << 3) | pp);
    legacy.push(encoding.opcode[2]!);
  } else {
    if (needs66) legacy.push(0x66);
    if (options.repeat !== undefined && options.repeat !== 0) legacy.push(options.repeat);
    if (encoding.prefix !== 0) legacy.push(encoding.prefix);
    if (rex !== 0) legacy.push(rex);
    const { opcode } = encoding;
    legacy.push(...opcode.slice(0, -1), opcode[opcode.length - 1]! | opcodeLow);
  }
  if (rmBytes !== undefined) {
    legacy.push(rmBytes.modrm | ((encoding.extension ?? (hasReg ? reg & 7 : 0)) << 3));
    if (rmBytes.sib !== undefined) legacy.push(rmBytes.sib);
    legacy.number(rmBytes.displacement, rmBytes.displacementBytes);
  }
  legacy.push(...tail.bytes);
  return Uint8Array.from(legacy.bytes);
}
