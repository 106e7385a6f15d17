import type { Stateful } from "./device.ts";
import { DeliveryMode, Lvt, LVT_WRITABLE, Reg } from "./local-apic-registers.ts";

/** What to do about an interrupt from within the processor: see ApicMessage. */
export interface LocalInterrupt {
  readonly mode: DeliveryMode;
  readonly vector: number;
}

/**
 * The local vector table of a local APIC: what becomes of the interrupts of its timer, its two pins, its errors. SDM Vol. 3A, 11.5.1.
 */
export class LocalVectorTable implements Stateful<readonly (readonly [number, number])[]> {
  readonly #entries = new Map<number, number>();

  /** @param virtualWire LINT0 is where the 8259A comes in, unmasked */
  reset(virtualWire: boolean): void {
    for (const register of Object.keys(LVT_WRITABLE)) this.#entries.set(Number(register), Lvt.MASKED);
    if (virtualWire) this.#entries.set(Reg.LVT_LINT0, DeliveryMode.EXTERNAL << Lvt.MODE_SHIFT);
  }

  /** The entry behind a register number; undefined if that is none. */
  read(register: number): number | undefined {
    return this.#entries.get(register);
  }

  /**
   * Writes the entry behind a register number.
   *
   * @param enabled the APIC is enabled by software; otherwise entries stay masked
   * @returns whether it is an entry
   */
  write(register: number, value: number, enabled: boolean): boolean {
    const writable = LVT_WRITABLE[register];
    if (writable === undefined) return false;
    this.#entries.set(register, (value & writable) | (enabled ? 0 : Lvt.MASKED));
    return true;
  }

  /** The APIC was disabled by software. */
  maskAll(): void {
    for (const [register, entry] of this.#entries) this.#entries.set(register, entry | Lvt.MASKED);
  }

  /** What an interrupt of this source becomes; undefined if it is masked. */
  interrupt(register: number): LocalInterrupt | undefined {
    const entry = this.#entries.get(register) ?? Lvt.MASKED;
    if (entry & Lvt.MASKED) return undefined;
    // The timer's and the error's entries have no delivery mode: those bits are 0, which is fixed.
    return { mode: ((entry & Lvt.MODE) >> Lvt.MODE_SHIFT) as DeliveryMode, vector: entry & Lvt.VECTOR };
  }

  save(): readonly (readonly [number, number])[] {
    return [...this.#entries];
  }
  restore(entries: readonly (readonly [number, number])[]): void {
    for (const [register, entry] of entries) this.#entries.set(register, entry);
  }
}
