import type { AccessSize } from "../device.ts";

/** Offsets in the header of type 0; PCI Local Bus Specification 3.0, figure 6-1. */
export const ConfigRegister = {
  VENDOR: 0x00,
  DEVICE: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION: 0x08,
  CLASS: 0x09,
  CACHE_LINE: 0x0c,
  LATENCY: 0x0d,
  HEADER_TYPE: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR: 0x2c,
  SUBSYSTEM: 0x2e,
  CAPABILITIES: 0x34,
  INTERRUPT_LINE: 0x3c,
  INTERRUPT_PIN: 0x3d,
  /** first byte that the header leaves to capabilities */
  FIRST_FREE: 0x40,
} as const;

export const CONFIG_BYTES = 256;

/** Bits of the command register. */
export const Command = { IO: 1, MEMORY: 2, BUS_MASTER: 4, INTERRUPT_DISABLE: 0x400, WRITABLE: 0x0547 } as const;
/** Bits of the status register. */
export const Status = { INTERRUPT: 0x08, CAPABILITIES: 0x10, WRITE_1_TO_CLEAR: 0xf900 } as const;

export const CapabilityId = { POWER_MANAGEMENT: 0x01, MSI: 0x05, VENDOR: 0x09, MSI_X: 0x11 } as const;

/** 256 bytes of configuration registers, each bit of them read-only, writable, or cleared by writing 1. */
export class ConfigSpace {
  readonly bytes: Uint8Array = new Uint8Array(CONFIG_BYTES);
  readonly #writable = new Uint8Array(CONFIG_BYTES);
  readonly #clearable = new Uint8Array(CONFIG_BYTES);

  read(offset: number, size: AccessSize): number {
    const { bytes } = this;
    const at = (index: number) => bytes[offset + index] ?? 0xff;
    if (size === 1) return at(0);
    const low = at(0) | (at(1) << 8);
    return size === 2 ? low : (low | (at(2) << 16) | (at(3) << 24)) >>> 0;
  }

  /** A write of the guest: changes only what it may. */
  write(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++) {
      const at = offset + index;
      const byte = (value >>> (index * 8)) & 0xff;
      const writable = this.#writable[at] ?? 0;
      const kept = (this.bytes[at] ?? 0) & ~writable & ~(byte & (this.#clearable[at] ?? 0));
      this.bytes[at] = kept | (byte & writable);
    }
  }

  /** A write of the device itself. */
  set(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++) this.bytes[offset + index] = value >>> (index * 8);
  }

  setWritable(offset: number, size: AccessSize, mask: number): void {
    for (let index = 0; index < size; index++) this.#writable[offset + index] = mask >>> (index * 8);
  }

  setClearable(offset: number, size: AccessSize, mask: number): void {
    for (let index = 0; index < size; index++) this.#clearable[offset + index] = mask >>> (index * 8);
  }
}
