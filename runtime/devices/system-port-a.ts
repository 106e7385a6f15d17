import type { AccessSize, PortDevice, Stateful } from "./device.ts";

/** System control port A; IBM PS/2 Hardware Interface Technical Reference, "System control port A". */
const Bits = { FAST_RESET: 1, A20: 2, WRITABLE: 0xfe } as const;

/**
 * System control port A (0x92): fast reset and the A20 gate.
 *
 * Not modelled: the gate itself. Address line 20 is always on, whatever the bit says; the bit is kept so that software sees what it wrote.
 */
export class SystemPortA implements PortDevice, Stateful<number> {
  readonly #onReset: () => void;
  #value: number = Bits.A20;

  constructor(onReset: () => void) {
    this.#onReset = onReset;
  }

  readPort(_port: number, _size: AccessSize): number {
    return this.#value;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    this.#value = value & Bits.WRITABLE;
    if (value & Bits.FAST_RESET) this.#onReset();
  }

  save(): number {
    return this.#value;
  }
  restore(value: number): void {
    this.#value = value;
  }
}
