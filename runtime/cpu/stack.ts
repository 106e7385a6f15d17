import { Rflags, Segment, Vector } from "../abi/guest-state.ts";
import { Attribute, Cr0 } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { Fault } from "./fault.ts";
import { atLevel, isBlock, isCanonical, type AccessSize, type Privilege } from "./memory-access.ts";
import type { SegmentRegister } from "./state-view.ts";

/**
 * A stack in use by an instruction or a delivery that has not happened yet: pushes go to memory, the stack pointer stays here
 * until the caller knows that nothing can fault any more.
 */
export class Stack {
  readonly #cpu: Cpu;
  readonly #segment: SegmentRegister;
  readonly #flat: boolean;
  readonly #mask: bigint;
  readonly #privilege: Privilege;
  /** error code of #SS when an access is outside the segment */
  readonly #limitError: number;
  #pointer: bigint;

  /** @param flat 64-bit addressing: no base, no limit, canonical addresses */
  constructor(
    cpu: Cpu,
    options: { segment: SegmentRegister; pointer: bigint; flat: boolean; cpl: number; limitError?: number },
  ) {
    const { segment, pointer, flat, cpl, limitError = 0 } = options;
    this.#cpu = cpu;
    this.#segment = segment;
    this.#flat = flat;
    this.#mask = flat ? 0xffff_ffff_ffff_ffffn : segment.attributes & Attribute.DEFAULT ? 0xffff_ffffn : 0xffffn;
    this.#privilege = atLevel(cpl);
    this.#limitError = limitError;
    this.#pointer = pointer;
  }

  /** The stack that the processor is using now. */
  static current(cpu: Cpu, limitError = 0): Stack {
    const { state } = cpu;
    return new Stack(cpu, {
      segment: state.segment(Segment.SS),
      pointer: state.rsp,
      flat: cpu.code64,
      cpl: state.cpl,
      limitError,
    });
  }

  /** The stack pointer as RSP will hold it: a 16-bit stack keeps the upper bits. */
  get pointer(): bigint {
    return this.#pointer;
  }
  set pointer(value: bigint) {
    this.#pointer = value;
  }

  push(size: AccessSize, value: bigint): Fault | undefined {
    const next = this.#moved(-BigInt(size));
    const linear = this.#linear(next, size);
    if (linear instanceof Fault) return linear;
    const fault = this.#cpu.memory.write(linear, size, BigInt.asUintN(size * 8, value), this.#privilege);
    if (fault) return fault;
    this.#pointer = next;
    return undefined;
  }

  pushAll(size: AccessSize, values: readonly bigint[]): Fault | undefined {
    if (this.#flat && size === 8) {
      const next = BigInt.asUintN(64, this.#pointer - BigInt(values.length * 8));
      if (isBlock(next, values.length) && isCanonical(next) && !this.#isMisaligned(next, size)) {
        // If it faults, the single pushes below find the address that CR2 must have: that of the first push.
        if (!this.#cpu.memory.writeWords(next, values.toReversed(), this.#privilege)) {
          this.#pointer = next;
          return undefined;
        }
      }
    }
    for (const value of values) {
      const fault = this.push(size, value);
      if (fault) return fault;
    }
    return undefined;
  }

  /** Reads `index` elements above the top without popping. */
  peek(size: AccessSize, index = 0): bigint | Fault {
    const linear = this.#linear(this.#moved(BigInt(size * index)), size);
    return linear instanceof Fault ? linear : this.#cpu.memory.read(linear, size, this.#privilege);
  }

  pop(size: AccessSize): bigint | Fault {
    const value = this.peek(size);
    if (!(value instanceof Fault)) this.#pointer = this.#moved(BigInt(size));
    return value;
  }

  /**
   * Pops elements, as many as `order` has, in the order in which they lie in memory.
   *
   * @param order in which they are read, which shows in CR2
   */
  popAll(size: AccessSize, order: readonly number[]): bigint[] | Fault {
    const values = this.#readBlock(size, order.length) ?? this.#readInOrder(size, order);
    if (!(values instanceof Fault)) this.#pointer = this.#moved(BigInt(size * order.length));
    return values;
  }

  /** 64-bit elements of one page at once, if that works. */
  #readBlock(size: AccessSize, count: number): bigint[] | undefined {
    if (!this.#flat || size !== 8 || !isBlock(this.#pointer, count) || !isCanonical(this.#pointer)) return undefined;
    if (this.#isMisaligned(this.#pointer, size)) return undefined;
    const words = this.#cpu.memory.readWords(this.#pointer, count, this.#privilege);
    return words instanceof Fault ? undefined : words;
  }

  #readInOrder(size: AccessSize, order: readonly number[]): bigint[] | Fault {
    const values: bigint[] = [];
    for (const index of order) {
      const value = this.peek(size, index);
      if (value instanceof Fault) return value;
      values[index] = value;
    }
    return values;
  }

  release(byteLength: bigint): void {
    this.#pointer = this.#moved(byteLength);
  }

  #moved(by: bigint): bigint {
    const moved = (this.#pointer + by) & this.#mask;
    // A 16-bit stack changes SP alone; a 32-bit one clears the upper half, as 32-bit writes do.
    return this.#mask === 0xffffn ? (this.#pointer & ~0xffffn) | moved : moved;
  }

  /** Whether an access raises #AC, which only level 3 gets: CR0.AM and RFLAGS.AC. */
  #isMisaligned(linear: bigint, size: AccessSize): boolean {
    if ((Number(linear & 7n) & (size - 1)) === 0 || !this.#privilege.user) return false;
    const { systemFlags, cr0 } = this.#cpu.state;
    return (systemFlags & Rflags.AC) !== 0 && (cr0 & Cr0.AM) !== 0n;
  }

  #linear(pointer: bigint, size: AccessSize): bigint | Fault {
    const offset = pointer & this.#mask;
    if (this.#flat) {
      if (!isCanonical(offset) || !isCanonical(BigInt.asUintN(64, offset + BigInt(size - 1)))) {
        return new Fault(Vector.SS, this.#limitError);
      }
      return this.#isMisaligned(offset, size) ? new Fault(Vector.AC, 0) : offset;
    }
    const { limit, attributes, base } = this.#segment;
    const first = Number(offset);
    const last = first + size - 1;
    const expandDown = (attributes & (Attribute.CODE | Attribute.EXPAND_DOWN)) === Attribute.EXPAND_DOWN;
    const top = attributes & Attribute.DEFAULT ? 0xffff_ffff : 0xffff;
    const inside = expandDown ? first > limit && last <= top : last <= limit;
    if (!inside) return new Fault(Vector.SS, this.#limitError);
    const linear = BigInt.asUintN(32, base + offset);
    return this.#isMisaligned(linear, size) ? new Fault(Vector.AC, 0) : linear;
  }
}
