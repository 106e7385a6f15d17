import type { Encoding } from "../../jit/isa/encoding.ts";
import type { CodeSize } from "../../jit/isa/instruction.ts";
import type { OperandCode, OperandType } from "../../jit/isa/operand-code.ts";

/** One way to use an encoding: what coverage counts, and what the generator walks through. */
export interface Form {
  readonly encoding: Encoding;
  readonly codeSize: CodeSize;
  readonly operandSize: CodeSize;
  /** what ModRM names; "plain" without ModRM */
  readonly rm: "register" | "memory" | "plain";
}

/** "01 mem 64/16": encoding, r/m form, code size / operand size. */
export function formName({ encoding, codeSize, operandSize, rm }: Form): string {
  const suffix = rm === "register" ? " reg" : rm === "memory" ? " mem" : "";
  return `${encoding.id}${suffix} ${codeSize}/${operandSize}`;
}

/** All forms of all encodings. */
export function allForms(encodings: readonly Encoding[]): Form[] {
  const forms: Form[] = [];
  for (const encoding of encodings) {
    for (const codeSize of [64, 32, 16] as const) {
      if (encoding.flags.has("i64") && codeSize === 64) continue;
      if (encoding.flags.has("o64") && codeSize !== 64) continue;
      for (const operandSize of operandSizes(encoding, codeSize)) {
        if (encoding.modrm === "none") forms.push({ encoding, codeSize, operandSize, rm: "plain" });
        if (encoding.modrm === "any" || encoding.modrm === "register") {
          forms.push({ encoding, codeSize, operandSize, rm: "register" });
        }
        if (encoding.modrm === "any" || encoding.modrm === "memory") {
          forms.push({ encoding, codeSize, operandSize, rm: "memory" });
        }
      }
    }
  }
  return forms;
}

/** Letter and type of an operand code, as its memory form has them if `memory`; undefined for fixed registers. */
export function splitOperand(
  code: OperandCode,
  memory: boolean,
): { readonly letter: string; readonly type: OperandType } | undefined {
  const [first = "", second] = code.split("/");
  const part = memory && second ? second : first;
  if (/^(AL|CL|DX|AX|EAX|RAX|eAX|rAX|rCX|rDX|ES|CS|SS|DS|FS|GS|ST0|XMM0|1)$/.test(part)) return undefined;
  const letters = /^(AX|BX|DI)[a-z]/.test(part) ? 2 : 1;
  return { letter: part.slice(0, letters), type: part.slice(letters) as OperandType };
}

/** Mnemonics without operands whose width is that of the prefixes. */
const IMPLICIT_SIZE =
  /^(push|pop|ret|iret|call|leave|enter|int|cbw|cwd|cwde|cdqe|cdq|cqo|f(n?stenv|ldenv|n?save|rstor))/;

function operandSizes(
  { operands, flags, mnemonic, opcode, prefix, prefixRule, vex }: Encoding,
  codeSize: CodeSize,
): CodeSize[] {
  const types = operands.map((code) => splitOperand(code, true)?.type);
  const has = (...names: OperandType[]): boolean => names.some((name) => types.includes(name));
  const byPrefix =
    (prefixRule === "any" || prefixRule === "nfx" || has("v", "z")) &&
    (has("v", "z", "p", "a", "e", "f") ||
      operands.some((code) => /^[er](AX|CX|DX)$/.test(code)) ||
      IMPLICIT_SIZE.test(mnemonic) ||
      (operands.length === 0 && opcode.length === 1));
  const natural: CodeSize = codeSize === 16 ? 16 : 32;
  let sizes: CodeSize[];
  if (codeSize === 64 && flags.has("f64")) sizes = [64];
  else if (codeSize === 64 && flags.has("d64")) sizes = byPrefix ? [64, 16] : [64];
  else if (byPrefix && !vex && prefix !== 0x66)
    sizes = codeSize === 64 ? [32, 64, 16] : codeSize === 32 ? [32, 16] : [16, 32];
  else if (has("y") || (byPrefix && codeSize === 64)) sizes = codeSize === 64 ? [32, 64] : [natural];
  else sizes = [natural];
  if (flags.has("w1")) return codeSize === 64 ? [64] : [];
  if (flags.has("w0") && sizes.length > 1) sizes = sizes.filter((size) => size !== 64);
  // A near branch with an operand-size prefix in 64-bit mode is 16 bits wide on one vendor's processors and not on the other's.
  if (codeSize === 64 && operands.some((code) => code.startsWith("J"))) sizes = sizes.filter((size) => size !== 16);
  return sizes;
}

/** Bytes of memory that an operand of a type takes; 0 where only the address matters. */
export function operandBytes(type: OperandType, codeSize: CodeSize, operandSize: CodeSize): number {
  switch (type) {
    case "b":
    case "sb":
      return 1;
    case "w":
      return 2;
    case "d":
    case "ss":
      return 4;
    case "q":
    case "sd":
      return 8;
    case "o":
    case "x":
    case "ps":
    case "pd":
      return 16;
    case "v":
      return operandSize / 8;
    case "z":
      return operandSize === 16 ? 2 : 4;
    case "y":
      return operandSize === 64 ? 8 : 4;
    case "p":
      return 2 + operandSize / 8;
    case "s":
      return codeSize === 64 ? 10 : 6;
    case "a":
      return operandSize / 4;
    case "t":
      return 10;
    case "e":
      return operandSize === 16 ? 14 : 28;
    case "f":
      return operandSize === 16 ? 94 : 108;
    case "fx":
      return 512;
    case "xs":
      return 576;
    case "n":
      return 0;
  }
}
