import type { OperandType } from "../../jit/isa/operand-code.ts";
import { Segment } from "../../runtime/abi/guest-state.ts";
import { chooseTarget } from "./addressing.ts";
import { preferredKind, Register } from "./draft.ts";
import type { Draft } from "./draft.ts";
import { operandBytes, splitOperand } from "./form.ts";
import { fill, integer } from "./values.ts";
import type { ValueKind } from "./values.ts";

/**
 * What makes a random operand an interesting one: pointers of string instructions, return addresses, selectors that exist,
 * divisors that divide. Nothing here is needed for correctness; without it most cases would end in the same fault.
 */

const STACK_USERS = /^(push|pop|call|ret|iret|enter|leave|int)/;

export interface ChosenRegisters {
  readonly addressSize: 16 | 32 | 64;
  /** segment override, or -1 */
  readonly segment: number;
  /** ModRM.reg */
  readonly reg: number;
  /** ModRM.rm when it is a register, otherwise -1 */
  readonly rm: number;
}

/** Sets what the instruction reads besides its explicit memory operand. */
export function adjustRegisters(draft: Draft, { addressSize, segment, reg, rm }: ChosenRegisters): void {
  const { prng, form } = draft;
  const { mnemonic, operands, flags } = form.encoding;
  const source = segment < 0 ? Segment.DS : segment;
  const bytes = form.operandSize / 8;

  if (STACK_USERS.test(mnemonic)) {
    draft.locked.add(Register.RSP);
    if (mnemonic === "enter" || mnemonic === "leave") draft.locked.add(Register.RBP);
  }
  for (const code of operands) {
    const operand = splitOperand(code, false);
    if (!operand) continue;
    const size = operandBytes(operand.type, draft.codeSize, form.operandSize);
    if (operand.letter === "X") setPointer(draft, Register.RSI, source, addressSize, size);
    if (operand.letter === "Y") setPointer(draft, Register.RDI, Segment.ES, addressSize, size);
    if (operand.letter === "AX") setPointer(draft, Register.RAX, source, addressSize, 8);
    if (operand.letter === "BX") {
      setPointer(draft, Register.RBX, source, addressSize, 1);
      const entry = draft.register(Register.RBX) - (draft.register(Register.RAX) & 0xffn);
      draft.setRegister(Register.RBX, merge(draft.register(Register.RBX), entry, addressSize));
    }
    if (operand.letter === "DI") setPointer(draft, Register.RDI, source, addressSize, size);
  }
  if (flags.has("rep") || flags.has("repz")) {
    const count = prng.chance(10) ? 0n : BigInt(prng.between(1, 40));
    draft.lock(Register.RCX, merge(prng.u64(), count, addressSize));
    // Long runs of equal elements, so that REPE and REPNE go on.
    if (flags.has("repz")) equalElements(draft, bytes);
  }
  if (/^loop|^jcxz/.test(mnemonic)) {
    draft.setRegister(Register.RCX, merge(prng.u64(), BigInt(prng.below(3)), addressSize));
  }

  // Branches and returns: somewhere that INT3 stands.
  if (/^ret|^iret/.test(mnemonic)) returnFrame(draft);
  if (/^(call|jmp)/.test(mnemonic) && rm >= 0) draft.lock(rm, prng.chance(90) ? draft.landing() : integer(prng, 47));
  if (operands.includes("Sw") && rm >= 0 && prng.chance(90))
    draft.setRegister(rm, (prng.u64() & ~0xffffn) | BigInt(draft.selector()));
  if (mnemonic.startsWith("pop") && operands.some((code) => /^[CDEFGS]S$/.test(code)))
    stackTop(draft, [BigInt(draft.selector())]);
  if (/^(lar|lsl|verr|verw|arpl|lldt|ltr)$/.test(mnemonic) && rm >= 0) {
    draft.setRegister(rm, (prng.u64() & ~0xffffn) | BigInt(draft.selector()));
  }

  // Bit offsets reach beyond the operand, but not beyond memory.
  if (/^bt[crs]?$/.test(mnemonic) && rm < 0) {
    const reach = prng.chance(70) ? 64 : 1024;
    draft.lock(reg, BigInt(prng.between(-reach, reach)) & (draft.codeSize === 64 ? -1n : 0xffff_ffffn));
  }
  if (/^i?div$/.test(mnemonic) && prng.chance(75)) {
    const negative = mnemonic === "idiv" && prng.chance(50);
    draft.setRegister(Register.RDX, negative ? -1n : BigInt(prng.below(3)));
    if (prng.chance(50)) draft.setRegister(Register.RAX, integer(prng, form.operandSize));
    if (rm >= 0 && rm !== Register.RAX && rm !== Register.RDX && prng.chance(50))
      draft.setRegister(rm, integer(prng, form.operandSize));
  }
  if (/^(sh[lr]d?|sar|r[oc][lr])$/.test(mnemonic) && prng.chance(60)) {
    const count = BigInt(prng.chance(80) ? prng.below(70) : prng.below(256));
    draft.setRegister(Register.RCX, (draft.register(Register.RCX) & ~0xffn) | count);
  }
  if (/^(sarx|shlx|shrx|bextr|bzhi)$/.test(mnemonic)) {
    for (let i = 0; i < 16; i++) {
      if (i !== Register.RSP && prng.chance(30))
        draft.setRegister(i, BigInt(prng.below(130)) | (BigInt(prng.below(70)) << 8n));
    }
  }
  if (/^pcmp[ie]str/.test(mnemonic)) {
    for (const register of [Register.RAX, Register.RDX])
      if (prng.chance(90)) draft.setRegister(register, BigInt(prng.between(-18, 18)));
  }
  if (/^(cmpxchg|xadd)$/.test(mnemonic) && rm >= 0 && prng.chance(50))
    draft.setRegister(rm, draft.register(Register.RAX));
  if (/^(xsave|xrstor|xsaveopt|xsavec)/.test(mnemonic)) {
    // Only the components that a machine without AVX has.
    draft.lock(Register.RAX, BigInt(prng.below(4)));
    draft.lock(Register.RDX, 0n);
  }
  if (/^(aaa|aas|daa|das|aad|aam)$/.test(mnemonic) && prng.chance(70)) {
    const digits = BigInt(prng.below(0xa0));
    draft.setRegister(Register.RAX, (draft.register(Register.RAX) & ~0xffn) | digits);
  }
}

/** Changes memory or registers once the address of the memory operand is known. */
export function adjustMemory(draft: Draft, gva: bigint, bytes: number, reg: number): void {
  const { prng, form, state } = draft;
  const { mnemonic } = form.encoding;
  const at = Number(BigInt.asUintN(32, gva));
  if (mnemonic.startsWith("cmpxchg") && prng.chance(60)) {
    // Equal to the accumulator, so that the exchange happens.
    const contents = new Uint8Array(16);
    const view = new DataView(contents.buffer);
    if (mnemonic === "cmpxchg") view.setBigUint64(0, draft.register(Register.RAX), true);
    else {
      const half = bytes / 2;
      const low = draft.register(Register.RAX);
      const high = draft.register(Register.RDX);
      if (half === 4) view.setBigUint64(0, BigInt.asUintN(32, low) | (BigInt.asUintN(32, high) << 32n), true);
      else {
        view.setBigUint64(0, low, true);
        view.setBigUint64(8, high, true);
      }
    }
    draft.patch(at, contents.subarray(0, bytes));
  }
  if (/^(call|jmp)/.test(mnemonic)) {
    const far = form.encoding.operands.includes("Mp");
    const contents = new Uint8Array(10);
    const view = new DataView(contents.buffer);
    view.setBigUint64(0, prng.chance(90) ? draft.landing() : prng.u64() >> BigInt(17 + prng.below(30)), true);
    if (far)
      view.setUint16(
        form.operandSize / 8,
        prng.chance(60) ? (state.selectors[Segment.CS] ?? 0) : draft.selector(),
        true,
      );
    draft.patch(at, contents.subarray(0, bytes));
  } else if (form.encoding.operands.includes("Mp")) {
    const contents = new Uint8Array(2);
    new DataView(contents.buffer).setUint16(0, draft.selector(), true);
    draft.patch(at + form.operandSize / 8, contents);
  } else if (/^(lar|lsl|verr|verw|arpl|lldt|ltr)$/.test(mnemonic) || form.encoding.operands.includes("Sw")) {
    const contents = new Uint8Array(2);
    new DataView(contents.buffer).setUint16(0, draft.selector(), true);
    draft.patch(at, contents);
  }
  if (mnemonic === "bound" && prng.chance(60)) {
    const contents = new Uint8Array(bytes);
    const view = new DataView(contents.buffer);
    const value = Number(BigInt.asIntN(bytes * 4, draft.register(reg)));
    const lower = value - prng.between(-1, 5);
    const upper = value + prng.between(-1, 5);
    if (bytes === 8) {
      view.setInt32(0, lower, true);
      view.setInt32(4, upper, true);
    } else {
      view.setInt16(0, lower, true);
      view.setInt16(2, upper, true);
    }
    draft.patch(at, contents);
  }
}

/** What an explicit memory operand holds. */
export function memoryContents(draft: Draft, type: OperandType, bytes: number): Uint8Array {
  const { prng, form } = draft;
  const { mnemonic } = form.encoding;
  const contents = new Uint8Array(bytes);
  const view = new DataView(contents.buffer);
  if (type === "fx" || type === "xs") {
    if (/save/.test(mnemonic)) return contents;
    contents.set(draft.state.fx.subarray(0, 416));
    for (let i = 0; i < 8; i++) fill(prng, contents.subarray(32 + i * 16, 42 + i * 16), "f80");
    for (let i = 160; i < 416; i += 16) fill(prng, contents.subarray(i, i + 16), "int64");
    view.setUint32(24, prng.chance(95) ? prng.u32() & 0xffff : prng.u32(), true);
    view.setUint16(0, controlWord(draft), true);
    view.setUint16(2, statusWord(draft, view.getUint16(0, true)), true);
    view.setUint8(4, prng.u32());
    view.setUint8(5, 0);
    for (let i = 6; i < 24; i++) contents[i] = 0;
    if (type === "xs") {
      contents.fill(0, 512);
      // Components beyond SSE are there on one processor and not on the other; bit 63 is reserved everywhere.
      view.setUint8(512, prng.below(4));
      if (prng.chance(2)) view.setUint8(519, 0x80);
      if (prng.chance(3)) view.setUint8(520 + prng.below(16), 1);
    }
    return contents;
  }
  if (type === "e" || type === "f") {
    fill(prng, contents, "f80");
    if (/ldenv|rstor/.test(mnemonic)) {
      // control, status and tag word; the pointers are 0, for there is nothing to compare them with
      const step = form.operandSize === 16 ? 2 : 4;
      contents.fill(0, 0, step * 7);
      view.setUint16(0, controlWord(draft), true);
      view.setUint16(step, statusWord(draft, view.getUint16(0, true)), true);
      view.setUint16(step * 2, prng.u32(), true);
    }
    return contents;
  }
  if (mnemonic === "ldmxcsr") {
    view.setUint32(0, prng.chance(95) ? prng.u32() & 0xffff : prng.u32(), true);
    return contents;
  }
  if (mnemonic === "fldcw") {
    view.setUint16(0, controlWord(draft), true);
    return contents;
  }
  fill(prng, contents, contentsKind(draft, type));
  return contents;
}

function controlWord({ prng }: Draft): number {
  return (prng.chance(70) ? 0x3f : prng.u32() & 0x3f) | 0x40 | (prng.pick([0, 2, 3]) << 8) | (prng.below(4) << 10);
}

/** A status word whose summary bits agree with its flags. */
function statusWord({ prng }: Draft, control: number): number {
  const flags = prng.chance(30) ? prng.u32() & 0x7f : 0;
  return (prng.u32() & 0x7f00) | flags | (flags & ~control & 0x3f ? 0x8080 : 0);
}

function contentsKind(draft: Draft, type: OperandType): ValueKind {
  const { prng, form } = draft;
  const { mnemonic } = form.encoding;
  if (mnemonic === "fbld") return prng.chance(85) ? "bcd" : "int8";
  if (/^fi/.test(mnemonic)) return type === "w" ? "int16" : type === "d" ? "int32" : "int64";
  if (/^f/.test(mnemonic)) return type === "d" ? "f32" : type === "q" ? "f64" : type === "t" ? "f80" : "int16";
  switch (type) {
    case "ss":
    case "ps":
      return "f32";
    case "sd":
    case "pd":
      return "f64";
    case "b":
      return "int8";
    case "w":
      return "int16";
    case "o":
    case "x":
      return preferredKind(prng, form);
    default: {
      const bytes = operandBytes(type, draft.codeSize, form.operandSize);
      return bytes === 8
        ? prng.pick(["int64", "int64", "f64", "int16"])
        : bytes === 4
          ? prng.pick(["int32", "int32", "f32"])
          : "int16";
    }
  }
}

/** Low bits of `value` in the address size, the rest from `garbage`. */
function merge(garbage: bigint, value: bigint, addressSize: number): bigint {
  const mask = (1n << BigInt(addressSize)) - 1n;
  return (garbage & ~mask) | (value & mask);
}

function setPointer(draft: Draft, register: number, segment: number, addressSize: number, bytes: number): void {
  const gva = chooseTarget(draft, bytes, 1);
  draft.lock(register, merge(draft.prng.u64(), gva - draft.segmentBase(segment), addressSize));
}

function equalElements(draft: Draft, bytes: number): void {
  const { prng } = draft;
  if (prng.chance(30)) return;
  const element = new Uint8Array(Math.max(bytes, 1));
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, draft.register(Register.RAX), true);
  for (let i = 0; i < element.length; i++) element[i] = view.getUint8(i);
  for (const [register, segment] of [
    [Register.RSI, Segment.DS],
    [Register.RDI, Segment.ES],
  ] as const) {
    const contents = new Uint8Array(prng.between(1, 20) * element.length);
    for (let at = 0; at < contents.length; at += element.length) contents.set(element, at);
    // The low half is what counts: with a base of 0 in 64-bit mode, and within the segment otherwise.
    const gva = Number(BigInt.asUintN(32, draft.register(register) + draft.segmentBase(segment)));
    draft.patch(gva, contents);
  }
}

/** Writes values of operand size where the stack pointer is. */
function stackTop(draft: Draft, values: readonly bigint[]): void {
  const bytes = draft.form.operandSize / 8;
  const contents = new Uint8Array(values.length * bytes);
  for (const [index, value] of values.entries()) {
    for (let i = 0; i < bytes; i++) contents[index * bytes + i] = Number((value >> BigInt(i * 8)) & 0xffn);
  }
  draft.patch(Number(BigInt.asUintN(32, draft.register(Register.RSP) + draft.segmentBase(Segment.SS))), contents);
}

/** RIP, CS, RFLAGS, RSP, SS as IRET takes them; the first one or two are what RET takes. */
function returnFrame(draft: Draft): void {
  const { prng, state } = draft;
  if (prng.chance(5)) return;
  const code = prng.chance(80) ? (state.selectors[Segment.CS] ?? 0) : draft.selector();
  const stack = prng.chance(80) ? (state.selectors[Segment.SS] ?? 0) : draft.selector();
  const flags = 0x202n | (prng.u64() & (prng.chance(90) ? 0x244cd5n : 0x247dd5n));
  const target = prng.chance(92) ? draft.landing() : prng.chance(50) ? integer(prng, 32) : 0x0000_9000_0000_0000n;
  stackTop(draft, [
    target,
    BigInt(code),
    flags,
    draft.register(Register.RSP) + BigInt(prng.between(-4, 4) * 8),
    BigInt(stack),
  ]);
}

/** An immediate operand of `bits` bits. */
export function immediateValue(draft: Draft, index: number, bits: number): bigint {
  const { prng, form } = draft;
  const { mnemonic } = form.encoding;
  if (/^(ret|retf)$/.test(mnemonic)) return BigInt(prng.below(64));
  if (mnemonic === "enter") {
    if (index === 0) return BigInt(prng.chance(85) ? prng.below(256) : prng.below(0x10000));
    return BigInt(prng.chance(60) ? 0 : prng.chance(80) ? prng.below(6) : prng.below(256));
  }
  if (mnemonic === "int") {
    // 0x80 is the kernel's.
    const vector = prng.below(256);
    return BigInt(vector === 0x80 ? 0x81 : vector);
  }
  if (/^(sh[lr]d?|sar|r[oc][lr]|bt[crs]?)$/.test(mnemonic))
    return BigInt(prng.chance(80) ? prng.below(66) : prng.below(256));
  if (bits === 8 && prng.chance(50)) return BigInt(prng.below(256));
  return integer(prng, bits);
}
