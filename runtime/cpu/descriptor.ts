import { Segment } from "../abi/guest-state.ts";
import { Attribute, SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { Fault } from "./fault.ts";
import { SYSTEM } from "./memory-access.ts";
import type { SegmentRegister } from "./state-view.ts";

/** A descriptor of the GDT or LDT; SDM Vol. 3A, 3.4.5, 3.5 and 5.8. */
export class Descriptor {
  /** linear address of its first byte */
  readonly linear: bigint;
  readonly low: number;
  readonly high: number;
  /** bytes 8..15 of a gate of IA-32e mode, if they have been read */
  readonly upper: bigint | undefined;

  constructor(linear: bigint, low: number, high: number, upper?: bigint) {
    this.linear = linear;
    this.low = low;
    this.high = high;
    this.upper = upper;
  }

  /** As guestState.segmentAttributes has them. */
  get attributes(): number {
    return (this.high >>> 8) & 0xf0ff;
  }
  get present(): boolean {
    return (this.high & 0x8000) !== 0;
  }
  get dpl(): number {
    return (this.high >>> 13) & 3;
  }
  /** Bits 8..11: what they mean depends on `system`. */
  get type(): number {
    return (this.high >>> 8) & 15;
  }
  get system(): boolean {
    return (this.high & 0x1000) === 0;
  }
  get code(): boolean {
    return (this.high & 0x1800) === 0x1800;
  }
  get conforming(): boolean {
    return (this.high & 0x1c00) === 0x1c00;
  }
  get readable(): boolean {
    return !this.system && (!this.code || (this.high & 0x200) !== 0);
  }
  get writableData(): boolean {
    return (this.high & 0x1a00) === 0x1200;
  }
  get long(): boolean {
    return (this.high & 0x20_0000) !== 0;
  }
  get default32(): boolean {
    return (this.high & 0x40_0000) !== 0;
  }
  get base(): bigint {
    return BigInt(((this.low >>> 16) | ((this.high & 0xff) << 16) | (this.high & 0xff00_0000)) >>> 0);
  }
  /** In bytes, granularity applied. */
  get limit(): number {
    const raw = (this.low & 0xffff) | (this.high & 0xf_0000);
    return this.high & 0x80_0000 ? ((raw << 12) | 0xfff) >>> 0 : raw;
  }

  // ---- gates ----

  get gateSelector(): number {
    return this.low >>> 16;
  }
  /** Low 32 bits of the offset; a 16-bit gate has 16. */
  get gateOffset(): number {
    const low = this.low & 0xffff;
    return this.type & 8 ? (low | (this.high & 0xffff_0000)) >>> 0 : low;
  }
  get gateParameters(): number {
    return this.high & 31;
  }
  /** IST field of a 64-bit gate: 0 = none. */
  get interruptStackTable(): number {
    return this.high & 7;
  }

  /** The segment register that a load of this descriptor gives. */
  register(selector: number): SegmentRegister {
    return { selector, base: this.base, limit: this.limit, attributes: this.attributes };
  }
}

export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

/**
 * Reads the descriptor that a selector names.
 *
 * @param bytes 16 for system descriptors of IA-32e mode: all of them must lie inside the table
 * @returns undefined when the selector points outside its table; the caller knows which exception that is
 */
export function readDescriptor(cpu: Cpu, selector: number, bytes: 8 | 16 = 8): Descriptor | Fault | undefined {
  const { state, memory } = cpu;
  const offset = selector & 0xfff8;
  let base = state.u64("gdtBase");
  let limit = state.u32("gdtLimit");
  if (selector & 4) {
    if ((state.u32("segmentAttributes", Segment.LDTR) & Attribute.PRESENT) === 0) return undefined;
    base = state.u64("segmentBase", Segment.LDTR);
    limit = state.u32("segmentLimit", Segment.LDTR);
  }
  if (offset + bytes - 1 > limit) return undefined;
  const linear = linearOf(cpu, base, offset);
  const raw = memory.read(linear, 8, SYSTEM);
  if (raw instanceof Fault) return raw;
  return new Descriptor(linear, Number(raw & 0xffff_ffffn), Number(raw >> 32n));
}

/** Bits 63..32 of the base or offset of a 16-byte descriptor, and whether its reserved type field is zero. */
export function readUpperHalf(
  cpu: Cpu,
  linear: bigint,
): { readonly upper: bigint; readonly typeIsZero: boolean } | Fault {
  const raw = cpu.memory.read(linear + 8n, 8, SYSTEM);
  if (raw instanceof Fault) return raw;
  return { upper: raw & 0xffff_ffffn, typeIsZero: (raw & 0x1f00_0000_0000n) === 0n };
}

/** Sets the accessed bit in memory, and gives the descriptor with it set. */
export function markAccessed(cpu: Cpu, descriptor: Descriptor): Descriptor | Fault {
  if (descriptor.high & 0x100) return descriptor;
  const high = descriptor.high | 0x100;
  const fault = cpu.memory.write(descriptor.linear + 5n, 1, BigInt((high >>> 8) & 0xff), SYSTEM);
  return fault ?? new Descriptor(descriptor.linear, descriptor.low, high);
}

/** Sets or clears the busy bit of a TSS descriptor in memory. */
export function markBusy(cpu: Cpu, descriptor: Descriptor, busy: boolean): Fault | undefined {
  const high = busy ? descriptor.high | 0x200 : descriptor.high & ~0x200;
  return cpu.memory.write(descriptor.linear + 5n, 1, BigInt((high >>> 8) & 0xff), SYSTEM);
}

/** base + offset, wrapped as linear addresses are in the current mode. */
export function linearOf(cpu: Cpu, base: bigint, offset: number | bigint): bigint {
  return BigInt.asUintN(cpu.longMode ? 64 : 32, base + BigInt(offset));
}

export function isTss(descriptor: Descriptor, busy: boolean): boolean {
  const { type } = descriptor;
  return (
    descriptor.system &&
    (busy
      ? type === SystemType.TSS16_BUSY || type === SystemType.TSS32_BUSY
      : type === SystemType.TSS16 || type === SystemType.TSS32)
  );
}
