import { Rec } from "../../runtime/abi/memory-map.ts";
import type { CodeSize, Instruction, Operand } from "../isa/instruction.ts";
import type { Definition } from "../semantics/define.ts";
import type { Mnemonic } from "../semantics/registry.ts";

/** How the address of a memory operand is computed. */
export type AddressShape =
  /** base + displacement, 64 bits, flat segment */
  | "flat"
  /** base + index * scale + displacement, truncated, plus a segment base; 64-bit mode */
  | "general"
  /** the same with segment limits and rights; 16- and 32-bit mode */
  | "segmented";

export type OperandForm =
  | { readonly kind: "register"; readonly class: "gpr" | "xmm" | "mmx" | "number"; readonly width: number }
  | { readonly kind: "memory"; readonly shape: AddressShape; readonly width: number }
  | { readonly kind: "immediate"; readonly width: number; readonly slot: "immediate" | "extra" }
  | { readonly kind: "relative"; readonly width: number }
  | { readonly kind: "far"; readonly width: number };

/** What a handler was generated for: everything that is known when a definition is emitted. */
export interface Variant {
  readonly mnemonic: Mnemonic;
  readonly mode: "long" | "legacy";
  readonly operandWidth: CodeSize;
  readonly addressWidth: CodeSize;
  readonly repeat: "none" | "rep" | "repne";
  readonly flagsDead: boolean;
  readonly operands: readonly OperandForm[];
}

/** A name for the variant: equal for equal handlers. */
export function variantKey(variant: Variant): string {
  const { mnemonic, mode, operandWidth, addressWidth, repeat, flagsDead, operands } = variant;
  let key = `${mnemonic}.${mode}.${operandWidth}.${addressWidth}`;
  if (repeat !== "none") key += `.${repeat}`;
  if (flagsDead) key += ".dead";
  for (const operand of operands) key += ` ${formKey(operand)}`;
  return key;
}

function formKey(form: OperandForm): string {
  switch (form.kind) {
    case "register":
      return `${form.class}${form.width}`;
    case "memory":
      return `${form.shape}${form.width}`;
    case "immediate":
      return `${form.slot}${form.width}`;
    case "relative":
      return `relative${form.width}`;
    case "far":
      return `far${form.width}`;
  }
}

/** Field of an indirect branch's record in which it notes where it went; 0 for what is none. */
export function lastTargetOf(mnemonic: string): number {
  if (mnemonic === "ret") return Rec.RETURNED_TO;
  return mnemonic === "jmp" || mnemonic === "call" ? Rec.JUMPED_TO : 0;
}

/** Mnemonics whose definitions use the address size although no operand shows it. */
const USES_ADDRESS_SIZE = new Set("jcxz loop loope loopne xlat maskmovq maskmovdqu monitor fxsave fxrstor".split(" "));

/**
 * The variant of the handler that runs an instruction. Whatever its definition cannot see (an operand size that shows in no
 * operand, for instance) is normalised away, so that few handlers serve many encodings.
 */
export function variantOf(instruction: Instruction, definition: Definition, flagsDead: boolean): Variant {
  const { mnemonic, operands, codeSize } = instruction;
  const codes = instruction.encoding.operands;
  const string = codes.some((code) => code.startsWith("X") || code.startsWith("Y"));
  const stringOrAddress = string || USES_ADDRESS_SIZE.has(mnemonic);
  let immediates = 0;
  const forms: OperandForm[] = [];
  let memory = false;
  for (const operand of operands) {
    if (operand.kind === "memory") memory = true;
    // The operands of string instructions are implied: definitions reach them through rSI and rDI.
    const form = formOf(operand, instruction, definition, immediates);
    if (form.kind === "immediate") immediates++;
    forms.push(form);
  }
  // ENTER has two immediates, and uses the stack.
  const registersOnly =
    !memory &&
    !definition.ends &&
    operands.length > 1 &&
    operands.some(({ kind }) => kind === "register") &&
    definition.interpreterOnly !== true &&
    !string;
  const repeatable = instruction.encoding.flags.has("rep") || instruction.encoding.flags.has("repz");
  return {
    mnemonic,
    mode: codeSize === 64 || (registersOnly && !USES_ADDRESS_SIZE.has(mnemonic)) ? "long" : "legacy",
    operandWidth: operandSizeShows(instruction) ? instruction.operandSize : 32,
    addressWidth: stringOrAddress ? instruction.addressSize : 64,
    repeat: !repeatable || instruction.repeat === 0 ? "none" : instruction.repeat === 0xf3 ? "rep" : "repne",
    flagsDead: flagsDead && hasDeadForm(definition),
    operands: forms,
  };
}

function operandSizeShows(instruction: Instruction): boolean {
  const codes = instruction.encoding.operands;
  // PCMPESTRx takes its lengths from EAX and EDX, with REX.W from RAX and RDX.
  if (instruction.mnemonic.startsWith("pcmpestr")) return true;
  if (codes.some((code) => /^[VWUPQN]/.test(code))) return false;
  return !(codes.length > 0 && codes.every((code) => /^([EGZ]b|AL|CL|Ib|1|ST0|Hi|M[dqtw])$/.test(code)));
}

function formOf(operand: Operand, instruction: Instruction, definition: Definition, immediates: number): OperandForm {
  switch (operand.kind) {
    case "register": {
      const { class: kind } = operand;
      if (kind === "gpr" || kind === "xmm" || kind === "mmx")
        return { kind: "register", class: kind, width: operand.width };
      return { kind: "register", class: "number", width: 32 };
    }
    case "memory": {
      const long = instruction.codeSize === 64;
      const flat =
        long &&
        definition.hot === true &&
        operand.index < 0 &&
        instruction.addressSize === 64 &&
        operand.segment !== 4 &&
        operand.segment !== 5;
      return { kind: "memory", shape: !long ? "segmented" : flat ? "flat" : "general", width: operand.width };
    }
    case "immediate":
      return { kind: "immediate", width: operand.width, slot: immediates === 0 ? "immediate" : "extra" };
    case "relative":
      return { kind: "relative", width: operand.width };
    case "far":
      return { kind: "far", width: operand.width };
  }
}

/** Whether a handler that leaves the flags alone exists beside the ordinary one. */
export function hasDeadForm(definition: Definition): boolean {
  return definition.hot === true && definition.flags?.writes !== undefined;
}
