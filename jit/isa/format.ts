import { createDecoder } from "./decode.ts";
import {
  type CodeSize,
  type ImmediateOperand,
  type Instruction,
  type MemoryOperand,
  type Operand,
  type OperandWidth,
  type RegisterOperand,
  RIP,
} from "./instruction.ts";
import type { Feature } from "./row.ts";

const LEGACY = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] as const;
const LOW_BYTES = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"] as const;
const HIGH_BYTES = ["ah", "ch", "dh", "bh"] as const;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"] as const;

const POINTERS: Readonly<Record<OperandWidth, string>> = {
  0: "",
  8: "byte ptr ",
  16: "word ptr ",
  32: "dword ptr ",
  48: "fword ptr ",
  64: "qword ptr ",
  80: "tbyte ptr ",
  128: "xmmword ptr ",
};

/** Rows that the manual knows by another name at each operand size of 16, 32 and 64 bits. */
const BY_OPERAND_SIZE: Readonly<Record<string, readonly [string, string, string]>> = {
  cbw: ["cbw", "cwde", "cdqe"],
  cwd: ["cwd", "cdq", "cqo"],
  pusha: ["pusha", "pushad", "pushad"],
  popa: ["popa", "popad", "popad"],
  pushf: ["pushf", "pushfd", "pushfq"],
  popf: ["popf", "popfd", "popfq"],
  iret: ["iret", "iretd", "iretq"],
  pinsrd: ["pinsrd", "pinsrd", "pinsrq"],
  pextrd: ["pextrd", "pextrd", "pextrq"],
  movd: ["movd", "movd", "movq"],
  fxsave: ["fxsave", "fxsave", "fxsave64"],
  fxrstor: ["fxrstor", "fxrstor", "fxrstor64"],
  xsave: ["xsave", "xsave", "xsave64"],
  xrstor: ["xrstor", "xrstor", "xrstor64"],
  xsaveopt: ["xsaveopt", "xsaveopt", "xsaveopt64"],
  xsavec: ["xsavec", "xsavec", "xsavec64"],
  sysret: ["sysret", "sysret", "sysretq"],
  sysexit: ["sysexit", "sysexit", "sysexitq"],
  imul1: ["imul", "imul", "imul"],
};

/** Rows whose operands are all implied by the name. */
const IMPLIED = new Set(["cbw", "cwd", "monitor"]);

/** Stack instructions of the x87 that are written without ST(0). */
const IMPLIED_ST0 = new Set(["fcom", "fcomp", "fucom", "fucomp", "fxch"]);

/** `0, 1, 2` for 16, 32 and 64 bits. */
function sizeIndex(size: CodeSize): 0 | 1 | 2 {
  return size === 16 ? 0 : size === 32 ? 1 : 2;
}

function generalRegister(number: number, width: OperandWidth): string {
  if (width === 8) return number < 8 ? LOW_BYTES[number]! : `r${number}b`;
  if (number >= 8) return `r${number}${width === 64 ? "" : width === 32 ? "d" : "w"}`;
  return (width === 64 ? "r" : width === 32 ? "e" : "") + LEGACY[number]!;
}

function formatRegister(operand: RegisterOperand): string {
  const { number, width } = operand;
  switch (operand.class) {
    case "gpr":
      return operand.high === true ? HIGH_BYTES[number]! : generalRegister(number, width);
    case "xmm":
      return `xmm${number}`;
    case "mmx":
      return `mm${number}`;
    case "segment":
      return SEGMENTS[number]!;
    case "control":
      return `cr${number}`;
    case "debug":
      return `dr${number}`;
    case "x87":
      return `st(${number})`;
  }
}

/** The 64-bit number of a low and a high half, as `bits` bits without a sign. */
function join(low: number, high: number, bits: number): bigint {
  return BigInt.asUintN(bits, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

function formatHex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function formatMemory(operand: MemoryOperand, addressSize: CodeSize): string {
  const { base, index, displacement } = operand;
  const usual = base === 4 || base === 5 ? 2 : 3;
  const parts: string[] = [];
  if (base === RIP) parts.push(addressSize === 64 ? "rip" : "eip");
  else if (base >= 0) parts.push(generalRegister(base, addressSize));
  if (index >= 0) parts.push(`${generalRegister(index, addressSize)}${operand.scale === 1 ? "" : `*${operand.scale}`}`);
  let text = parts.join("+");
  if (text === "") text = formatHex(join(displacement, operand.displacementHigh, addressSize));
  else if (displacement !== 0) {
    text += `${displacement < 0 ? "-" : "+"}0x${Math.abs(displacement).toString(16)}`;
  }
  const segment = operand.segment === usual ? "" : `${SEGMENTS[operand.segment]!}:`;
  return `${POINTERS[operand.width]}${segment}[${text}]`;
}

function formatImmediate(operand: ImmediateOperand): string {
  return formatHex(join(operand.low, operand.high, operand.width));
}

/** Address of the next instruction plus `displacement`, truncated to the operand size. */
function target(instruction: Instruction, displacement: number, width: number, address: bigint): string {
  return formatHex(BigInt.asUintN(width, address + BigInt(instruction.length + displacement)));
}

function formatOperand(operand: Operand, instruction: Instruction, address: bigint | undefined): string {
  switch (operand.kind) {
    case "register":
      return formatRegister(operand);
    case "memory":
      return formatMemory(operand, instruction.addressSize);
    case "immediate":
      return formatImmediate(operand);
    case "relative": {
      if (address !== undefined) return target(instruction, operand.displacement, operand.width, address);
      const distance = instruction.length + operand.displacement;
      return `.${distance < 0 ? "-" : "+"}0x${Math.abs(distance).toString(16)}`;
    }
    case "far":
      return `0x${operand.selector.toString(16)}:0x${operand.offset.toString(16)}`;
  }
}

function formatMnemonic(instruction: Instruction): string {
  const { mnemonic } = instruction;
  if (mnemonic === "jcxz") return ["jcxz", "jecxz", "jrcxz"][sizeIndex(instruction.addressSize)]!;
  const sized = BY_OPERAND_SIZE[mnemonic];
  if (sized !== undefined) return sized[sizeIndex(instruction.operandSize)];
  const dot = mnemonic.indexOf(".");
  return dot < 0 ? mnemonic : mnemonic.slice(0, dot);
}

function visibleOperands(instruction: Instruction): readonly Operand[] {
  const { mnemonic, operands, encoding } = instruction;
  if (IMPLIED.has(mnemonic)) return [];
  if (mnemonic === "maskmovq" || mnemonic === "maskmovdqu") return operands.slice(1);
  const impliedSt0 = IMPLIED_ST0.has(mnemonic) || operands[1]?.kind === "memory";
  return encoding.operands[0] === "ST0" && impliedSt0 ? operands.slice(1) : operands;
}

/**
 * Writes an instruction in Intel syntax, in lower case: `mov rax, qword ptr [rax+rcx*8+0x10]`.
 *
 * @param address gva of the instruction; without it the targets of branches are written relative to it: `.+0x10`
 */
export function format(instruction: Instruction, address?: bigint): string {
  const { encoding, repeat } = instruction;
  let text = instruction.lock ? "lock " : "";
  if (repeat !== 0) {
    if (encoding.flags.has("rep")) text += "rep ";
    else text += repeat === 0xf3 ? "repz " : "repnz ";
  }
  text += formatMnemonic(instruction);
  const operands = visibleOperands(instruction).map((operand) => formatOperand(operand, instruction, address));
  if (operands.length > 0) text += ` ${operands.join(", ")}`;
  const relative = instruction.operands.find((operand) => operand.kind === "memory" && operand.base === RIP);
  if (address !== undefined && relative?.kind === "memory") {
    text += ` # ${target(instruction, relative.displacement, instruction.addressSize, address)}`;
  }
  return text;
}

export interface ListingLine {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** the instruction, or "(bad)" */
  readonly text: string;
}

/**
 * Disassembles all of `bytes`. What is no instruction is one byte of "(bad)".
 *
 * @param address gva of the first byte
 */
export function* disassemble(
  bytes: Uint8Array,
  codeSize: CodeSize,
  address: bigint,
  features: ReadonlySet<Feature>,
): Generator<ListingLine> {
  const decoder = createDecoder(features);
  for (let start = 0; start < bytes.length;) {
    const instruction = decoder.decode(bytes, start, bytes.length, codeSize);
    const at = address + BigInt(start);
    const failed = typeof instruction === "string";
    const end = start + (failed ? 1 : instruction.length);
    yield { address: at, bytes: bytes.subarray(start, end), text: failed ? "(bad)" : format(instruction, at) };
    start = end;
  }
}
