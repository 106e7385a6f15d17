import { guestState, Rflags } from "../abi/guest-state.ts";
import { invariant } from "../abi/invariant.ts";

export type StateField = Exclude<keyof typeof guestState, "byteLength">;

/** A segment register with its hidden part; attributes as in guestState.segmentAttributes. */
export interface SegmentRegister {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  readonly attributes: number;
}

const LITTLE = true;

const RIP = guestState.rip.offset;
const RSP = guestState.gpr.offset + 4 * 8;
const CPL = guestState.cpl.offset;
const MODE = guestState.mode.offset;
const CR0 = guestState.cr0.offset;
const CR4 = guestState.cr4.offset;
const EFER = guestState.efer.offset;
const DR7 = guestState.dr.offset + 7 * 8;
const FLAG_RESULT = guestState.flagResult.offset;
const FLAG_BITS = guestState.flagBits.offset;
const FLAGS = guestState.rflags.offset;
const SELECTOR = guestState.segmentSelector.offset;
const BASE = guestState.segmentBase.offset;
const LIMIT = guestState.segmentLimit.offset;
const ATTRIBUTES = guestState.segmentAttributes.offset;

/**
 * One vCPU's state in linear memory, as TypeScript reads and writes it. It holds nothing itself.
 *
 * Fields are reached by their name in the layout; the commonest have properties.
 */
export class StateView {
  readonly base: number;
  #view: DataView;

  /** @param base offset of the vCPU's state in `buffer` */
  constructor(buffer: ArrayBufferLike, base: number) {
    this.base = base;
    this.#view = new DataView(buffer, base, guestState.byteLength);
  }

  /** After the linear memory has grown and has a new buffer. */
  rebind(buffer: ArrayBufferLike): void {
    this.#view = new DataView(buffer, this.base, guestState.byteLength);
  }

  u32(field: StateField, index = 0): number {
    return this.#view.getUint32(offsetOf(field, 4, index), LITTLE);
  }
  setU32(field: StateField, value: number, index = 0): void {
    this.#view.setUint32(offsetOf(field, 4, index), value, LITTLE);
  }
  u64(field: StateField, index = 0): bigint {
    return this.#view.getBigUint64(offsetOf(field, 8, index), LITTLE);
  }
  setU64(field: StateField, value: bigint, index = 0): void {
    this.#view.setBigUint64(offsetOf(field, 8, index), value, LITTLE);
  }

  // The commonest fields, by constant offsets: call-outs read them all the time.

  get rip(): bigint {
    return this.#view.getBigUint64(RIP, LITTLE);
  }
  set rip(value: bigint) {
    this.#view.setBigUint64(RIP, value, LITTLE);
  }
  get rsp(): bigint {
    return this.#view.getBigUint64(RSP, LITTLE);
  }
  set rsp(value: bigint) {
    this.#view.setBigUint64(RSP, value, LITTLE);
  }
  get cpl(): number {
    return this.#view.getUint32(CPL, LITTLE);
  }
  get mode(): number {
    return this.#view.getUint32(MODE, LITTLE);
  }
  get cr0(): bigint {
    return this.#view.getBigUint64(CR0, LITTLE);
  }
  get cr4(): bigint {
    return this.#view.getBigUint64(CR4, LITTLE);
  }
  get efer(): bigint {
    return this.#view.getBigUint64(EFER, LITTLE);
  }
  /** Low half of DR7: the upper one is always 0. */
  get dr7(): number {
    return this.#view.getUint32(DR7, LITTLE);
  }

  /** All of RFLAGS, put together from the lazy arithmetic flags and the rest. Same arithmetic as jit/semantics/flags.ts. */
  get rflags(): number {
    const bits = this.#view.getUint32(FLAG_BITS, LITTLE);
    const low = this.#view.getUint32(FLAG_RESULT, LITTLE);
    const high = this.#view.getInt32(FLAG_RESULT + 4, LITTLE);
    let flags = this.systemFlags & ~Rflags.ARITHMETIC;
    if (bits & 0x8000_0000) flags |= Rflags.CF;
    if ((bits ^ (bits << 1)) & 0x8000_0000) flags |= Rflags.OF;
    if (bits & 8) flags |= Rflags.AF;
    if ((low | high) === 0) flags |= Rflags.ZF;
    if (((high >>> 31) ^ bits) & 1) flags |= Rflags.SF;
    if (evenParity((low ^ (bits >>> 8)) & 0xff)) flags |= Rflags.PF;
    return flags | Rflags.ONE;
  }
  set rflags(value: number) {
    const zero = value & Rflags.ZF ? 1 : 0;
    // A result of 0 has even parity and a result of 1 odd parity; both are positive. The bits say what differs.
    const parityDelta = (value & Rflags.PF ? 0 : 1) ^ (zero ^ 1);
    const carry = value & Rflags.CF ? 1 : 0;
    const overflow = value & Rflags.OF ? 1 : 0;
    const sign = value & Rflags.SF ? 1 : 0;
    const adjust = value & Rflags.AF ? 8 : 0;
    this.#view.setUint32(FLAG_RESULT, zero ^ 1, LITTLE);
    this.#view.setUint32(FLAG_RESULT + 4, 0, LITTLE);
    this.#view.setUint32(
      FLAG_BITS,
      sign | (parityDelta << 8) | adjust | (carry << 31) | ((carry ^ overflow) << 30),
      LITTLE,
    );
    this.systemFlags = (value & ~Rflags.ARITHMETIC) | Rflags.ONE;
  }

  /** Flags outside the six arithmetic ones: IF, TF, VM, IOPL and the like, without touching the lazy part. */
  get systemFlags(): number {
    return this.#view.getUint32(FLAGS, LITTLE);
  }
  set systemFlags(value: number) {
    this.#view.setUint32(FLAGS, value, LITTLE);
  }

  segment(number: number): SegmentRegister {
    const view = this.#view;
    return {
      selector: view.getUint32(SELECTOR + 4 * number, LITTLE),
      base: view.getBigUint64(BASE + 8 * number, LITTLE),
      limit: view.getUint32(LIMIT + 4 * number, LITTLE),
      attributes: view.getUint32(ATTRIBUTES + 4 * number, LITTLE),
    };
  }
  setSegment(number: number, { selector, base, limit, attributes }: SegmentRegister): void {
    const view = this.#view;
    view.setUint32(SELECTOR + 4 * number, selector, LITTLE);
    view.setBigUint64(BASE + 8 * number, base, LITTLE);
    view.setUint32(LIMIT + 4 * number, limit, LITTLE);
    view.setUint32(ATTRIBUTES + 4 * number, attributes, LITTLE);
  }
}

function offsetOf(field: StateField, size: 4 | 8, index: number): number {
  const placed = guestState[field];
  // The message is made only when it is needed: this runs several times in every call-out.
  if (placed.size !== size || index >= placed.count)
    invariant(false, `guestState.${field}[${index}] is not a field of ${size} bytes`);
  return placed.offset + index * size;
}

function evenParity(byte: number): boolean {
  let bits = byte ^ (byte >> 4);
  bits ^= bits >> 2;
  return ((bits ^ (bits >> 1)) & 1) === 0;
}
