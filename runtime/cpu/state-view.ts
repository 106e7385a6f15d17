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

  get rip(): bigint {
    return this.u64("rip");
  }
  set rip(value: bigint) {
    this.setU64("rip", value);
  }
  get rsp(): bigint {
    return this.u64("gpr", 4);
  }
  set rsp(value: bigint) {
    this.setU64("gpr", value, 4);
  }
  get cpl(): number {
    return this.u32("cpl");
  }
  get cr0(): bigint {
    return this.u64("cr0");
  }
  get cr4(): bigint {
    return this.u64("cr4");
  }
  get efer(): bigint {
    return this.u64("efer");
  }

  /** All of RFLAGS, put together from the lazy arithmetic flags and the rest. Same arithmetic as jit/semantics/flags.ts. */
  get rflags(): number {
    const bits = this.u32("flagBits");
    const result = this.u64("flagResult");
    const low = Number(result & 0xffn);
    let flags = this.u32("rflags") & ~Rflags.ARITHMETIC;
    if (bits & 0x8000_0000) flags |= Rflags.CF;
    if ((bits ^ (bits << 1)) & 0x8000_0000) flags |= Rflags.OF;
    if (bits & 8) flags |= Rflags.AF;
    if (result === 0n) flags |= Rflags.ZF;
    if ((Number(result >> 63n) ^ bits) & 1) flags |= Rflags.SF;
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
    this.setU64("flagResult", zero ? 0n : 1n);
    this.setU32("flagBits", (sign | (parityDelta << 8) | adjust | (carry << 31) | ((carry ^ overflow) << 30)) >>> 0);
    this.setU32("rflags", (value & ~Rflags.ARITHMETIC) | Rflags.ONE);
  }

  /** Flags outside the six arithmetic ones: IF, TF, VM, IOPL and the like, without touching the lazy part. */
  get systemFlags(): number {
    return this.u32("rflags");
  }
  set systemFlags(value: number) {
    this.setU32("rflags", value);
  }

  segment(number: number): SegmentRegister {
    return {
      selector: this.u32("segmentSelector", number),
      base: this.u64("segmentBase", number),
      limit: this.u32("segmentLimit", number),
      attributes: this.u32("segmentAttributes", number),
    };
  }
  setSegment(number: number, { selector, base, limit, attributes }: SegmentRegister): void {
    this.setU32("segmentSelector", selector, number);
    this.setU64("segmentBase", base, number);
    this.setU32("segmentLimit", limit, number);
    this.setU32("segmentAttributes", attributes, number);
  }
}

function offsetOf(field: StateField, size: 4 | 8, index: number): number {
  const placed = guestState[field];
  invariant(placed.size === size && index < placed.count, `guestState.${field}[${index}] is not a field of ${size} bytes`);
  return placed.offset + index * size;
}

function evenParity(byte: number): boolean {
  let bits = byte ^ (byte >> 4);
  bits ^= bits >> 2;
  return ((bits ^ (bits >> 1)) & 1) === 0;
}
