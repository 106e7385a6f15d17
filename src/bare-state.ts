import { GPR_NAMES, type GprName, guestState, Segment } from "../runtime/abi/guest-state.ts";
import { invariant } from "../runtime/abi/invariant.ts";
import type { SegmentRegister, StateView } from "../runtime/cpu/state-view.ts";
import { VmError } from "./errors.ts";

const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"] as const;
const CONTROLS = [
  "cr0",
  "cr2",
  "cr3",
  "cr4",
  "cr8",
  "efer",
  "xcr0",
  "star",
  "lstar",
  "cstar",
  "fmask",
  "kernelGsBase",
  "sysenterCs",
  "sysenterEsp",
  "sysenterEip",
  "tscAux",
  "pat",
] as const;

type SegmentName = (typeof SEGMENTS)[number];
type Control = (typeof CONTROLS)[number];
type Index16 = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
type Index8 = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** The registers of a bare machine. 64-bit registers are bigints in [0, 2^64). */
export type BareState = Record<GprName | Control | "rip" | "rflags" | "fsBase" | "gsBase", bigint> & {
  /** 16 bytes, lowest first */ [Name in `xmm${Index16}`]: Uint8Array;
} & {
  /** significands of the physical x87 registers */ [Name in `mm${Index8}`]: bigint;
} & {
  /** 10 bytes: significand, then sign and exponent; relative to TOP */ [Name in `st${Index8}`]: Uint8Array;
} & { [Name in `dr${0 | 1 | 2 | 3 | 6 | 7}`]: bigint } & Record<SegmentName, SegmentRegister> & {
    /** x87 control word, status word with TOP, and abridged tag word (bit i: physical register i is not empty) */
    fcw: number;
    fsw: number;
    ftw: number;
    mxcsr: number;
    /** x87 instruction and data pointers with their selectors, and last opcode (11 bits) */
    fip: bigint;
    fdp: bigint;
    fcs: number;
    fds: number;
    fop: number;
    cpl: number;
    gdt: { base: bigint; limit: number };
    idt: { base: bigint; limit: number };
  };

/** What `setState` takes: any of the registers; a segment register also as a selector alone. */
export type BareStateChange = {
  readonly [Name in keyof BareState]?: Name extends SegmentName
    ? Partial<SegmentRegister> | number | bigint
    : BareState[Name];
};

export const STATE_NAMES: readonly (keyof BareState)[] = [
  ...GPR_NAMES,
  ...CONTROLS,
  ...SEGMENTS,
  ...([
    "rip",
    "rflags",
    "fsBase",
    "gsBase",
    "fcw",
    "fsw",
    "ftw",
    "mxcsr",
    "fip",
    "fdp",
    "fcs",
    "fds",
    "fop",
    "cpl",
    "gdt",
    "idt",
  ] as const),
  ...numbered("xmm", 16),
  ...numbered("mm", 8),
  ...numbered("st", 8),
  ...(["dr0", "dr1", "dr2", "dr3", "dr6", "dr7"] as const),
] as readonly (keyof BareState)[];

type Kind = "gpr" | "control" | "segment" | "xmm" | "mm" | "st" | "dr" | "other";

/** What each name means: looked up for every register of every state that is set or read. */
const REGISTERS: ReadonlyMap<string, { readonly kind: Kind; readonly index: number }> = new Map(
  STATE_NAMES.map((name) => {
    const inGroups = { gpr: GPR_NAMES.indexOf(name as GprName), segment: SEGMENTS.indexOf(name as SegmentName) };
    for (const [kind, index] of Object.entries(inGroups)) if (index >= 0) return [name, { kind: kind as Kind, index }];
    if (CONTROLS.includes(name as Control)) return [name, { kind: "control", index: -1 }];
    const match = /^(xmm|mm|st|dr)(\d+)$/.exec(name);
    return [name, { kind: (match?.[1] ?? "other") as Kind, index: Number(match?.[2] ?? -1) }];
  }),
);
const UNKNOWN = { kind: "other", index: -1 } as const;

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Reads and writes single registers by name. */
export class StateAccess {
  readonly #state: StateView;
  readonly #bytes: Uint8Array;

  constructor(state: StateView, buffer: ArrayBufferLike) {
    this.#state = state;
    this.#bytes = new Uint8Array(buffer, state.base, guestState.byteLength);
  }

  get(name: keyof BareState): BareState[keyof BareState] {
    const state = this.#state;
    const { kind, index } = REGISTERS.get(name) ?? UNKNOWN;
    if (kind === "gpr" || kind === "dr") return state.u64(kind, index);
    if (kind === "control") return state.u64(name as Control);
    if (kind === "segment") return state.segment(index);
    if (kind === "xmm")
      return this.#bytes.slice(guestState.xmm.offset + 16 * index, guestState.xmm.offset + 16 * index + 16);
    if (kind === "mm")
      return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getBigUint64(this.#fpr(index), true);
    if (kind === "st") return this.#bytes.slice(this.#st(index), this.#st(index) + 10);
    switch (name) {
      case "rip":
        return state.rip;
      case "rflags":
        return BigInt(state.rflags >>> 0);
      case "fsBase":
        return state.u64("segmentBase", Segment.FS);
      case "gsBase":
        return state.u64("segmentBase", Segment.GS);
      case "fcw":
        return state.u32("fcw");
      case "fsw":
        return state.u32("fsw") | (state.u32("ftop") << 11);
      case "ftw":
        return state.u32("ftag");
      case "fip":
      case "fdp":
        return state.u64(name);
      case "fcs":
      case "fds":
      case "fop":
      case "mxcsr":
        return state.u32(name);
      case "cpl":
        return state.cpl;
      case "gdt":
        return { base: state.u64("gdtBase"), limit: state.u32("gdtLimit") };
      case "idt":
        return { base: state.u64("idtBase"), limit: state.u32("idtLimit") };
      default:
        invariant(false, `no register ${String(name)}`);
    }
  }

  /** @throws {VmError} ERR_CONFIG for an unknown register or a value of the wrong shape */
  set(name: string, value: unknown): void {
    const state = this.#state;
    const { kind, index } = REGISTERS.get(name) ?? UNKNOWN;
    if (kind === "gpr" || kind === "dr") return state.setU64(kind, wide(name, value), index);
    if (kind === "control") return state.setU64(name as Control, wide(name, value));
    if (kind === "segment") return this.#setSegment(name, index, value);
    if (kind === "xmm") return this.#setBytes(name, value, guestState.xmm.offset + 16 * index, 16);
    if (kind === "mm") {
      const at = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
      at.setBigUint64(this.#fpr(index), wide(name, value), true);
      at.setUint16(this.#fpr(index) + 8, 0xffff, true);
      return undefined;
    }
    if (kind === "st") return this.#setBytes(name, value, this.#st(index), 10);
    switch (name) {
      case "rip":
        state.rip = wide(name, value);
        return undefined;
      case "rflags":
        state.rflags = Number(BigInt.asUintN(32, wide(name, value)));
        return undefined;
      case "fsBase":
        return state.setU64("segmentBase", wide(name, value), Segment.FS);
      case "gsBase":
        return state.setU64("segmentBase", wide(name, value), Segment.GS);
      case "fcw":
        return state.setU32("fcw", narrow(name, value, 16));
      case "fsw":
        state.setU32("ftop", (narrow(name, value, 16) >> 11) & 7);
        return state.setU32("fsw", narrow(name, value, 16) & ~0x3800);
      case "ftw":
        return state.setU32("ftag", narrow(name, value, 8));
      case "mxcsr":
        return state.setU32("mxcsr", narrow(name, value, 32));
      case "fip":
      case "fdp":
        return state.setU64(name, wide(name, value));
      case "fcs":
      case "fds":
      case "fop":
        return state.setU32(name, narrow(name, value, 16));
      case "cpl":
        return this.#setPrivilege(narrow(name, value, 2));
      case "gdt":
      case "idt": {
        if (typeof value !== "object" || value === null)
          throw new VmError("ERR_CONFIG", `${name}: expected { base, limit }`);
        const { base, limit } = value as { base?: unknown; limit?: unknown };
        state.setU64(`${name}Base`, wide(`${name}.base`, base));
        return state.setU32(`${name}Limit`, narrow(`${name}.limit`, limit, 16));
      }
      default:
        throw new VmError("ERR_CONFIG", `no register "${name}"; known are ${STATE_NAMES.join(" ")}`);
    }
  }

  #fpr(physical: number): number {
    return guestState.fpr.offset + 16 * physical;
  }
  #st(index: number): number {
    return this.#fpr((this.#state.u32("ftop") + index) & 7);
  }

  #setBytes(name: string, value: unknown, at: number, byteLength: number): void {
    if (!(value instanceof Uint8Array) || value.length !== byteLength) {
      throw new VmError("ERR_CONFIG", `${name}: expected a Uint8Array of ${byteLength} bytes`);
    }
    this.#bytes.set(value, at);
  }

  #setSegment(name: string, segment: number, value: unknown): void {
    if (typeof value === "number" || typeof value === "bigint") {
      this.#setSelector(segment, narrow(name, value, 16));
      return;
    }
    if (typeof value !== "object" || value === null) {
      throw new VmError("ERR_CONFIG", `${name}: expected a selector, or { selector, base, limit, attributes }`);
    }
    const { selector, base, limit, attributes } = {
      ...this.#state.segment(segment),
      ...(value as { [Name in keyof SegmentRegister]?: unknown }),
    };
    this.#state.setSegment(segment, {
      selector: narrow(`${name}.selector`, selector, 16),
      base: wide(`${name}.base`, base),
      limit: narrow(`${name}.limit`, limit, 32),
      attributes: narrow(`${name}.attributes`, attributes, 16),
    });
  }

  /**
   * A selector alone: in real mode it gives the base. Elsewhere no descriptor is read, and base, limit and rights stay; the level
   * of a selector for CS becomes CPL.
   */
  #setSelector(segment: number, selector: number): void {
    const state = this.#state;
    const register = state.segment(segment);
    const isReal = (state.cr0 & 1n) === 0n && segment <= Segment.GS;
    state.setSegment(segment, { ...register, selector, base: isReal ? BigInt(selector * 16) : register.base });
    if (!isReal && segment === Segment.CS) this.#setPrivilege(selector & 3);
  }

  /** CPL, with the DPL of CS and SS that go with it. */
  #setPrivilege(cpl: number): void {
    const state = this.#state;
    state.setU32("cpl", cpl);
    for (const segment of [Segment.CS, Segment.SS]) {
      const register = state.segment(segment);
      const attributes = (register.attributes & ~0x60) | (cpl << 5);
      state.setSegment(segment, { ...register, attributes, selector: (register.selector & ~3) | cpl });
    }
  }
}

function wide(name: string, value: unknown): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt.asUintN(64, BigInt(value));
  if (typeof value !== "bigint") throw new VmError("ERR_CONFIG", `${name}: expected a bigint, found ${typeof value}`);
  return BigInt.asUintN(64, value);
}

function narrow(name: string, value: unknown, bits: number): number {
  const number = typeof value === "number" || typeof value === "bigint" ? Number(value) : NaN;
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** bits) {
    throw new VmError("ERR_CONFIG", `${name}: expected an integer of ${bits} bits, found ${String(value)}`);
  }
  return number;
}
