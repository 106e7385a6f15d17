import type { Encoding } from "../../jit/isa/encoding.ts";
import { Segment } from "../../runtime/abi/guest-state.ts";
import { chooseTarget, encodeAddress } from "./addressing.ts";
import type { Addressing } from "./addressing.ts";
import { Draft } from "./draft.ts";
import type { OracleCase } from "./format.ts";
import { operandBytes, splitOperand } from "./form.ts";
import type { Form } from "./form.ts";
import { CODE } from "./layout.ts";
import { adjustMemory, adjustRegisters, immediateValue, memoryContents } from "./operands.ts";
import type { Prng } from "./prng.ts";

/** Everything about a case's bytes that is decided before they are put together. */
interface Plan {
  readonly addressSize: 16 | 32 | 64;
  /** prefix bytes, in any order, without REX */
  readonly prefixes: number[];
  /** segment override, or -1 */
  readonly segment: number;
  readonly rexW: boolean;
}

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
/** Instructions that align memory operands of 16 bytes, and those that do not. */
const UNALIGNED = /^(movu|lddqu|pcmp[ie]str|fxsave|cmpxchg8b)/;

/**
 * A random case of a form, or undefined when the random choices contradict each other; the next attempt will not.
 * A function of the generator's state and the form alone.
 */
export function generateCase(prng: Prng, form: Form): OracleCase | undefined {
  const draft = new Draft(prng, form);
  const { encoding } = form;
  const plan = choosePrefixes(draft);
  const memory = form.rm === "memory";
  const operands = encoding.operands.map((code) => splitOperand(code, memory));

  // Registers named by ModRM.reg, ModRM.rm, the opcode and VEX.vvvv.
  const wide = draft.codeSize === 64;
  const registers = wide ? 16 : 8;
  const uses = (letters: string): boolean =>
    operands.some((operand) => operand && letters.includes(operand.letter) && operand.letter.length === 1);
  const reg = encoding.extension ?? chooseReg(draft, uses);
  const vector = encoding.vex && uses("B") ? prng.below(registers) : 0;
  // XCHG rAX,rAX is another row: NOP.
  const inOpcode = uses("Z") ? prng.between(encoding.mnemonic === "xchg" ? 1 : 0, registers - 1) : 0;
  const rmRegister = encoding.rm ?? (uses("NQH") ? prng.below(8) : prng.below(registers));
  // Extended bits of an MMX register, an x87 register or an opcode extension are ignored; let them be set now and then.
  const noise = wide && prng.chance(10);

  adjustRegisters(draft, {
    addressSize: plan.addressSize,
    segment: plan.segment,
    reg,
    rm: form.rm === "register" ? rmRegister : -1,
  });

  let address: Addressing | undefined;
  let operandGva = 0;
  const implied = operands.find((operand) => operand && /^(X|Y|O|AX|BX|DI)$/.test(operand.letter));
  if (memory) {
    const operand = operands.find((candidate) => candidate && "EMQW".includes(candidate.letter)) ?? rmOperand(operands);
    const type = operand?.type ?? "n";
    const bytes = operandBytes(type, draft.codeSize, form.operandSize);
    const align = type === "fx" ? 16 : type === "xs" ? 64 : bytes === 16 && !UNALIGNED.test(encoding.mnemonic) ? 16 : 1;
    address = encodeAddress(draft, chooseTarget(draft, bytes, align), plan);
    if (!address) return undefined;
    const { gva } = address;
    operandGva = Number(BigInt.asUintN(32, gva));
    if (bytes > 0) draft.patch(operandGva, memoryContents(draft, type, bytes));
    adjustMemory(draft, gva, bytes, reg);
  }
  const offset =
    implied?.letter === "O"
      ? directOffset(draft, plan, operandBytes(implied.type, draft.codeSize, form.operandSize))
      : 0n;

  // Put together.
  const code: number[] = [...plan.prefixes];
  const rexR = reg > 7 || (noise && prng.chance(30) && (encoding.extension !== undefined || uses("PS")));
  const rexX = address?.rexX ?? false;
  const rexB = (form.rm === "register" && rmRegister > 7) || (address?.rexB ?? false) || inOpcode > 7;
  const opcode = [...encoding.opcode];
  if (uses("Z")) opcode.push((opcode.pop() ?? 0) | (inOpcode & 7));
  if (encoding.vex) {
    appendVex(draft, code, encoding, { w: plan.rexW, r: rexR, x: rexX, b: rexB, vector });
  } else {
    if (wide) {
      const rex = 0x40 | (plan.rexW ? 8 : 0) | (rexR ? 4 : 0) | (rexX ? 2 : 0) | (rexB ? 1 : 0);
      if (rex !== 0x40 || prng.chance(20)) code.push(rex);
    }
    code.push(...opcode);
  }
  if (encoding.modrm !== "none") {
    if (address) {
      code.push((address.mod << 6) | ((reg & 7) << 3) | address.rm);
      if (address.sib !== undefined) code.push(address.sib);
    } else {
      const mod = encoding.flags.has("ignoremod") && prng.chance(30) ? prng.below(4) : 3;
      code.push((mod << 6) | ((reg & 7) << 3) | (rmRegister & 7));
    }
  }
  const immediates = appendImmediates(draft, code.length + (address?.displacementBytes ?? 0), offset, plan.addressSize);
  if (!immediates) return undefined;
  if (address && address.displacementBytes > 0) {
    let { displacement } = address;
    if (address.ripRelative) {
      const end = draft.state.rip + BigInt(code.length + address.displacementBytes + immediates.length);
      displacement -= end;
      if (plan.addressSize === 64 && BigInt.asIntN(32, displacement) !== displacement) return undefined;
    }
    appendLittleEndian(code, displacement, address.displacementBytes);
  }
  code.push(...immediates);
  // Longer than 15 bytes is #GP: worth a case now and then, but not by accident.
  if (code.length > 15 && !prng.chance(10)) return undefined;
  const room = CODE.gva + CODE.lengthBytes - draft.codeGva;
  return {
    encoding: encoding.id,
    mnemonic: encoding.mnemonic,
    code: Uint8Array.from(code.slice(0, room)),
    codeGva: draft.codeGva,
    operandGva,
    state: draft.state,
    patches: draft.patches,
  };
}

type SplitOperand = ReturnType<typeof splitOperand>;

/** The operand of a "R/M" pair: the one whose letter was not E, M, Q or W. */
function rmOperand(operands: readonly SplitOperand[]): SplitOperand {
  return operands.find((operand) => operand && "RUN".includes(operand.letter));
}

function choosePrefixes(draft: Draft): Plan {
  const { prng, form, codeSize } = draft;
  const { encoding, operandSize } = form;
  const prefixes: number[] = [];
  const byPrefix = encoding.prefixRule === "any" || encoding.prefixRule === "nfx";

  let operandPrefix = encoding.prefix === 0x66;
  const mayPrefix = encoding.prefix !== 0x66 && !encoding.vex;
  if (mayPrefix && operandSize === 16 && codeSize !== 16) operandPrefix = true;
  if (mayPrefix && operandSize === 32 && codeSize === 16 && (byPrefix || encoding.prefix !== 0))
    operandPrefix = prng.chance(100);
  if (codeSize === 16 && !sizedByPrefix(encoding)) operandPrefix = encoding.prefix === 0x66;
  if (operandPrefix) prefixes.push(0x66);
  if (encoding.prefix === 0xf2 || encoding.prefix === 0xf3) prefixes.push(encoding.prefix);

  const { flags } = encoding;
  let rexW = codeSize === 64 && operandSize === 64 && !flags.has("d64") && !flags.has("f64");
  if (flags.has("w1")) rexW = codeSize === 64;
  else if (!flags.has("w0") && codeSize === 64 && !rexW && !sizedByPrefix(encoding)) rexW = prng.chance(15);

  if ((flags.has("rep") || flags.has("repz")) && prng.chance(75)) prefixes.push(prng.pick([0xf2, 0xf3]));
  else if (encoding.prefixRule === "any" && !encoding.vex && prng.chance(1)) prefixes.push(prng.pick([0xf2, 0xf3]));
  const memory = form.rm === "memory";
  if (!encoding.vex && prng.chance(flags.has("lock") && memory ? 20 : 0.5)) prefixes.push(0xf0);

  let addressSize: 16 | 32 | 64 = codeSize;
  const hasAddress = memory || encoding.operands.some((code) => /^[XYO]|^(AX|BX|DI)[a-z]/.test(code));
  // In 16-bit code with a flat segment only 32-bit addresses reach anything.
  if (prng.chance(hasAddress ? 12 : 2) || (codeSize === 16 && memory && prng.chance(25))) {
    addressSize = codeSize === 32 ? 16 : 32;
    prefixes.push(0x67);
  }
  let segment = -1;
  if (prng.chance(hasAddress ? 12 : 1)) {
    const chosen = prng.pick([
      Segment.ES,
      Segment.CS,
      Segment.SS,
      Segment.DS,
      Segment.FS,
      Segment.GS,
      Segment.FS,
      Segment.GS,
    ]);
    prefixes.push(SEGMENT_PREFIX[chosen] ?? 0x3e);
    // In 64-bit mode only FS and GS count.
    segment = codeSize === 64 && chosen < Segment.FS ? -1 : chosen;
  }
  prng.shuffle(prefixes);
  return { addressSize, prefixes, segment, rexW };
}

/** Whether 66 and REX.W choose the operand size, rather than being ignored or part of the opcode. */
function sizedByPrefix({ operands, prefixRule, opcode, flags }: Encoding): boolean {
  if (operands.some((code) => /[vzyp]$|^[er](AX|CX|DX)$|^M[aef]$/.test(code))) return true;
  return operands.length === 0 && opcode.length === 1 && prefixRule === "any" && !flags.has("w0");
}

function chooseReg(draft: Draft, uses: (letters: string) => boolean): number {
  const { prng } = draft;
  if (uses("S")) return prng.chance(95) ? prng.below(6) : prng.below(8);
  if (uses("C")) return prng.pick([0, 2, 3, 4, 8]);
  if (uses("PD")) return prng.below(8);
  return prng.below(draft.codeSize === 64 ? 16 : 8);
}

/** Offset of a MOV to or from a direct address. */
function directOffset(draft: Draft, plan: Plan, bytes: number): bigint {
  const gva = chooseTarget(draft, bytes, 1);
  draft.patch(Number(BigInt.asUintN(32, gva)), memoryContents(draft, "v", bytes));
  return BigInt.asUintN(plan.addressSize, gva - draft.segmentBase(plan.segment < 0 ? Segment.DS : plan.segment));
}

function appendImmediates(draft: Draft, before: number, offset: bigint, addressSize: number): number[] | undefined {
  const { form, codeSize } = draft;
  const bytes: number[] = [];
  for (const [index, code] of form.encoding.operands.entries()) {
    const operand = splitOperand(code, false);
    if (!operand) continue;
    const { letter, type } = operand;
    if (letter === "O") appendLittleEndian(bytes, offset, addressSize / 8);
    else if (letter === "A") {
      appendLittleEndian(bytes, draft.landing(), form.operandSize / 8);
      appendLittleEndian(bytes, BigInt(farSelector(draft)), 2);
    } else if (letter === "I") {
      const size = operandBytes(type, codeSize, form.operandSize);
      appendLittleEndian(bytes, immediateValue(draft, index, size * 8), size);
    } else if (letter === "J") {
      const size = type === "b" ? 1 : form.operandSize === 16 ? 2 : 4;
      const displacement = relativeTarget(draft, BigInt(before + size), size);
      if (displacement === undefined) return undefined;
      appendLittleEndian(bytes, displacement, size);
    }
  }
  return bytes;
}

/** A code segment that can be entered, mostly. */
export function farSelector(draft: Draft): number {
  const { prng, state } = draft;
  return prng.chance(60) ? (state.selectors[Segment.CS] ?? 0) : draft.selector();
}

/** Displacement to INT3 somewhere in CODE, or (32-bit displacements) to where nothing is mapped; never back into the snippet. */
function relativeTarget(draft: Draft, length: bigint, size: number): bigint | undefined {
  const { prng } = draft;
  if (size === 1) {
    const displacement = prng.between(-128, 127);
    return displacement < 0 && displacement > -33 ? undefined : BigInt(displacement);
  }
  if (size === 4 && prng.chance(10)) return BigInt(prng.between(0x10_0000, 0x0800_0000)) * prng.pick([1n, -1n]);
  return draft.landing() - draft.state.rip - length;
}

function appendVex(
  draft: Draft,
  code: number[],
  encoding: Encoding,
  { w, r, x, b, vector }: { w: boolean; r: boolean; x: boolean; b: boolean; vector: number },
): void {
  const [, second = 0, third] = encoding.opcode;
  const map = third === undefined ? 1 : second === 0x38 ? 2 : 3;
  const pp = { 0: 0, 0x66: 1, 0xf3: 2, 0xf2: 3 }[encoding.prefix];
  const l = encoding.flags.has("l1") || (!encoding.flags.has("l0") && draft.prng.chance(5)) ? 4 : 0;
  const low = ((~vector & 15) << 3) | l | pp;
  // The mandatory prefix is inside VEX.
  if (encoding.prefix !== 0) {
    const at = code.indexOf(encoding.prefix);
    if (at >= 0) code.splice(at, 1);
  }
  const wide = draft.codeSize === 64;
  if (map === 1 && !w && !x && !b && draft.prng.chance(70)) code.push(0xc5, (r ? 0 : 0x80) | low);
  else code.push(0xc4, (r ? 0 : 0x80) | (x && wide ? 0 : 0x40) | (b ? 0 : 0x20) | map, (w ? 0x80 : 0) | low);
  code.push(encoding.opcode[encoding.opcode.length - 1] ?? 0);
}

function appendLittleEndian(code: number[], value: bigint, bytes: number): void {
  for (let i = 0; i < bytes; i++) code.push(Number((value >> BigInt(i * 8)) & 0xffn));
}
