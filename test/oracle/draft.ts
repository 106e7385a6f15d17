import type { CodeSize } from "../../jit/isa/instruction.ts";
import { Segment } from "../../runtime/abi/guest-state.ts";
import { emptyState } from "./format.ts";
import type { CpuState, Span } from "./format.ts";
import type { Form } from "./form.ts";
import { CODE, DATA, GDT, LDT, READ_ONLY, Selector, STACK } from "./layout.ts";
import type { Prng } from "./prng.ts";
import { f80, fill, integer } from "./values.ts";
import type { ValueKind } from "./values.ts";

/** RAX and so on, by number. */
export const Register = { RAX: 0, RCX: 1, RDX: 2, RBX: 3, RSP: 4, RBP: 5, RSI: 6, RDI: 7 } as const;

const FX = { FCW: 0, FSW: 2, FTW: 4, MXCSR: 24, ST: 32, XMM: 160 } as const;
const MASK64 = (1n << 64n) - 1n;

/** A case in the making: state and memory, changed step by step so that the instruction finds what it needs. */
export class Draft {
  readonly prng: Prng;
  readonly form: Form;
  readonly state: CpuState = emptyState();
  readonly patches: Span[] = [];
  /** registers whose value is decided, so that addressing must go around them */
  readonly locked = new Set<number>();
  readonly codeGva: number;

  constructor(prng: Prng, form: Form) {
    this.prng = prng;
    this.form = form;
    this.codeGva = chooseCodeAddress(prng);
    this.#fillRegisters();
    this.#fillSegments();
    this.#fillFloatingPoint();
    this.state.rip = BigInt(this.codeGva) - this.segmentBase(Segment.CS);
  }

  get codeSize(): CodeSize {
    return this.form.codeSize;
  }

  register(number: number): bigint {
    return this.state.gpr[number] ?? 0n;
  }

  setRegister(number: number, value: bigint): void {
    this.state.gpr[number] = value & (this.codeSize === 64 ? MASK64 : 0xffff_ffffn);
  }

  lock(number: number, value: bigint): void {
    this.setRegister(number, value);
    this.locked.add(number);
  }

  patch(gva: number, bytes: Uint8Array): void {
    // Only what is mapped, and contiguously: the pages of DATA and READ_ONLY touch, and nothing else does.
    for (const [start, end] of [
      [DATA.gva, READ_ONLY.gva + READ_ONLY.lengthBytes],
      [STACK.gva, STACK.gva + STACK.lengthBytes],
    ] as const) {
      const from = Math.max(gva, start);
      const to = Math.min(gva + bytes.length, end);
      if (from < to) this.patches.push({ gva: from, bytes: bytes.slice(from - gva, to - gva) });
    }
  }

  segmentBase(segment: number): bigint {
    if (this.codeSize === 64) {
      return segment === Segment.FS ? this.state.fsBase : segment === Segment.GS ? this.state.gsBase : 0n;
    }
    return selectorBase(this.state.selectors[segment] ?? 0);
  }

  /** An address in CODE, as an offset from CS, at which only INT3 stands. */
  landing(): bigint {
    for (;;) {
      const gva = CODE.gva + this.prng.below(CODE.lengthBytes);
      if (Math.abs(gva - this.codeGva) > 16) return BigInt(gva) - this.segmentBase(Segment.CS);
    }
  }

  /** A selector: mostly one that can be loaded, sometimes one that cannot. */
  selector(): number {
    const { prng } = this;
    if (prng.chance(15))
      return prng.pick([0, 1, 3, 0x08, 0x10, 0x18, 0x40, 0x50, 0x20, 0x28, 0x29, 0xfff8, 0x8b, 0x47]);
    return prng.pick([...Object.values(Selector)]);
  }

  #fillRegisters(): void {
    const { prng, state } = this;
    const wide = this.codeSize === 64;
    for (let i = 0; i < 16; i++) {
      const value = integer(prng, prng.chance(70) ? 64 : prng.pick([8, 16, 32]));
      state.gpr[i] = wide ? value : i < 8 ? value & 0xffff_ffffn : 0n;
    }
    // RFLAGS: all that user code can have; ID and NT cannot be set by returning from a signal.
    let flags = 0x202;
    for (const bit of [0, 2, 4, 6, 7, 11]) if (prng.chance(50)) flags |= 1 << bit;
    if (prng.chance(15)) flags |= 1 << 10;
    if (prng.chance(3)) flags |= 1 << 18;
    if (prng.chance(1)) flags |= 1 << 8;
    state.rflags = BigInt(flags);
    // Any canonical base will do: offsets are computed from it.
    state.fsBase = prng.chance(50) ? BigInt(prng.below(DATA.gva)) : prng.u64() >> 17n;
    state.gsBase = prng.chance(50) ? BigInt(prng.below(DATA.gva)) : prng.u64() >> 17n;
    const inStack = (): bigint => BigInt(STACK.gva + 0x400 + prng.below(0x800));
    const odd = prng.chance(10) ? 0n : 7n;
    state.gpr[Register.RSP] = inStack() & ~odd;
    if (prng.chance(5))
      state.gpr[Register.RSP] = BigInt(
        STACK.gva + prng.pick([0, 2, 4, 6, 8, 12, 16, 0xff0, 0xff8, 0xffa, 0xffc, 0xffe, 0x1000]),
      );
    if (prng.chance(50)) state.gpr[Register.RBP] = inStack() & ~odd;
  }

  #fillSegments(): void {
    const { prng, state } = this;
    const { ES, CS, SS, DS, FS, GS } = Segment;
    const set = (segment: number, selector: number): void => void (state.selectors[segment] = selector);
    const dataChoices = [Selector.LDT_DATA32, Selector.LDT_DATA16, Selector.DATA, Selector.LDT_READ_ONLY];
    if (this.codeSize === 64) {
      set(CS, Selector.CODE64);
      set(SS, Selector.DATA);
      return;
    }
    if (this.codeSize === 32) {
      const flat = prng.chance(60);
      set(CS, flat || prng.chance(50) ? Selector.CODE32 : Selector.LDT_CODE32);
      set(DS, flat ? Selector.DATA : prng.pick(dataChoices));
      set(ES, flat ? Selector.DATA : prng.pick(dataChoices));
      set(SS, flat || prng.chance(60) ? Selector.DATA : Selector.LDT_STACK16);
    } else {
      set(CS, Selector.LDT_CODE16);
      set(DS, prng.chance(80) ? Selector.LDT_DATA16 : prng.pick(dataChoices));
      set(ES, prng.chance(80) ? Selector.LDT_DATA16 : prng.pick(dataChoices));
      set(SS, prng.chance(85) ? Selector.LDT_STACK16 : Selector.DATA);
    }
    set(FS, prng.chance(30) ? Selector.NULL : prng.pick([...dataChoices, Selector.LDT_EXPAND_DOWN]));
    set(GS, prng.chance(30) ? Selector.NULL : prng.pick([...dataChoices, Selector.LDT_CODE32]));
    // FS and GS bases come from the descriptors; a null selector leaves what was there, which must then be nothing.
    state.fsBase = selectorBase(state.selectors[FS] ?? 0);
    state.gsBase = selectorBase(state.selectors[GS] ?? 0);
    // The stack pointer is an offset; a 16-bit stack uses half of it.
    const base = this.segmentBase(SS);
    for (const register of [Register.RSP, Register.RBP]) {
      const value = state.gpr[register] ?? 0n;
      if (value >= BigInt(STACK.gva) && value <= BigInt(STACK.gva + STACK.lengthBytes))
        state.gpr[register] = value - base;
    }
  }

  #fillFloatingPoint(): void {
    const { prng, state } = this;
    const fx = new DataView(state.fx.buffer);
    const pending = prng.chance(8);
    // Control word: masks, precision (not the reserved 01), rounding. Bit 6 reads as 1.
    const masks = pending || prng.chance(20) ? prng.u32() & 0x3f : 0x3f;
    fx.setUint16(FX.FCW, masks | 0x40 | (prng.pick([0, 2, 3, 3, 3]) << 8) | (prng.below(4) << 10), true);
    let flags = prng.chance(30) ? prng.u32() & 0x7f : 0;
    if (!pending) flags &= masks | 0x40;
    const summary = flags & ~masks & 0x3f ? 0x8080 : 0;
    fx.setUint16(FX.FSW, flags | summary | (prng.u32() & 0x4700) | (prng.below(8) << 11), true);
    fx.setUint8(FX.FTW, prng.chance(75) ? 0xff : prng.u32());
    for (let i = 0; i < 8; i++) {
      const { significand, signExponent } = f80(prng);
      fx.setBigUint64(FX.ST + i * 16, significand, true);
      fx.setUint16(FX.ST + i * 16 + 8, prng.chance(5) ? 0xffff : signExponent, true);
    }
    const sseMasks = prng.chance(20) ? prng.u32() & 0x1f80 : 0x1f80;
    const sticky = prng.chance(30) ? prng.u32() & 0x3f : 0;
    const modes = (prng.below(4) << 13) | (prng.chance(20) ? 0x8000 : 0) | (prng.chance(20) ? 0x40 : 0);
    fx.setUint32(FX.MXCSR, sseMasks | sticky | modes, true);
    const preferred = preferredKind(prng, this.form);
    for (let i = 0; i < 16; i++) {
      // Outside 64-bit mode only eight can be reached; the others must survive.
      const bytes = state.fx.subarray(FX.XMM + i * 16, FX.XMM + i * 16 + 16);
      fill(prng, bytes, prng.chance(75) ? preferred : prng.pick(ALL_KINDS));
    }
    if (prng.chance(10)) state.fx.copyWithin(FX.XMM, FX.XMM + 16, FX.XMM + 32);
  }
}

const ALL_KINDS: readonly ValueKind[] = ["int8", "int16", "int32", "int64", "f32", "f64", "text"];

/** What the elements of an instruction's vectors mostly are. */
export function preferredKind(prng: Prng, { encoding }: Form): ValueKind {
  const { mnemonic, operands } = encoding;
  const text = operands.join(",");
  if (mnemonic.startsWith("pcmpi") || (mnemonic.startsWith("pcmpe") && mnemonic.includes("str")))
    return prng.pick(["text", "text", "int8"]);
  if (/ss|ps/.test(text) || /[sp]s$/.test(mnemonic)) return prng.chance(90) ? "f32" : "int32";
  if (/sd|pd/.test(text) || /[sp]d$/.test(mnemonic)) return prng.chance(90) ? "f64" : "int64";
  return prng.pick(ALL_KINDS);
}

function selectorBase(selector: number): bigint {
  const table = selector & 4 ? LDT : GDT;
  const entry = table[selector >> 3] ?? 0n;
  return ((entry >> 16n) & 0xff_ffffn) | ((entry >> 56n) << 24n);
}

/** Mostly in the middle of a page; sometimes across a page boundary, or so near the end that it is cut off. */
function chooseCodeAddress(prng: Prng): number {
  const kind = prng.below(100);
  if (kind < 5) return CODE.gva + 0x1000 - prng.between(1, 15);
  if (kind < 7) return CODE.gva + CODE.lengthBytes - prng.between(1, 15);
  return CODE.gva + 0x400 + prng.below(0x1800);
}
