import { IO_APIC_ID, IO_APIC_PINS } from "../board-map.ts";
import type { AccessSize, InterruptLine, MmioDevice, Stateful } from "./device.ts";
import type { InterruptRouter } from "./interrupt-router.ts";
import { DeliveryMode } from "./local-apic-registers.ts";

/** Registers in memory; 82093AA data sheet, 3.1. */
const Offset = { SELECT: 0x00, WINDOW: 0x10 } as const;
/** Registers behind the window; data sheet, 3.2. Two for each pin from 0x10. */
const Reg = { ID: 0x00, VERSION: 0x01, ARBITRATION: 0x02, REDIRECTION: 0x10 } as const;
const VERSION = 0x11;

/** Low half of a redirection entry; data sheet, 3.2.4. */
const Entry = {
  VECTOR: 0xff,
  MODE_SHIFT: 8,
  LOGICAL: 0x800,
  REMOTE_IRR: 0x4000,
  LEVEL: 0x8000,
  MASKED: 0x1_0000,
  WRITABLE: 0x0001_afff,
} as const;
const DESTINATION_SHIFT = 24;

export interface IoApicState {
  readonly id: number;
  readonly select: number;
  readonly entries: readonly number[];
  readonly destinations: readonly number[];
  readonly levels: readonly boolean[];
}

/**
 * I/O APIC with 24 pins at 0xfec00000. Data sheet: Intel 82093AA (290566-001).
 *
 * Not modelled: pin polarity (lines say "asserted", whatever the entry expects), the delivery status (delivery takes no time), the
 * EOI register of later versions.
 */
export class IoApic implements MmioDevice, Stateful<IoApicState> {
  readonly #router: InterruptRouter;
  readonly #entries: number[] = Array.from({ length: IO_APIC_PINS }, () => Entry.MASKED);
  readonly #destinations: number[] = Array.from({ length: IO_APIC_PINS }, () => 0);
  readonly #levels: boolean[] = Array.from({ length: IO_APIC_PINS }, () => false);
  #id: number = IO_APIC_ID;
  #select = 0;

  constructor(router: InterruptRouter) {
    this.#router = router;
  }

  line(pin: number): InterruptLine {
    return { set: (level) => this.#setPin(pin, level) };
  }

  readMmio(offset: number, _size: AccessSize): number {
    // Registers are 32 bits wide, and repeat over the page's other addresses nowhere.
    if (offset === Offset.SELECT) return this.#select;
    return offset === Offset.WINDOW ? this.#read(this.#select) : 0;
  }

  writeMmio(offset: number, _size: AccessSize, value: number): void {
    if (offset === Offset.SELECT) this.#select = value & 0xff;
    else if (offset === Offset.WINDOW) this.#write(this.#select, value);
  }

  /** A local APIC ended a level-triggered interrupt. */
  endOfInterrupt(vector: number): void {
    this.#entries.forEach((entry, pin) => {
      if (!(entry & Entry.LEVEL) || !(entry & Entry.REMOTE_IRR) || (entry & Entry.VECTOR) !== vector) return;
      this.#entries[pin] = entry & ~Entry.REMOTE_IRR;
      this.#serveLevel(pin);
    });
  }

  #read(register: number): number {
    switch (register) {
      case Reg.ID:
      case Reg.ARBITRATION:
        return this.#id << 24;
      case Reg.VERSION:
        return ((IO_APIC_PINS - 1) << 16) | VERSION;
      default: {
        const pin = (register - Reg.REDIRECTION) >> 1;
        if (register & 1) return (this.#destinations[pin] ?? 0) << DESTINATION_SHIFT;
        return this.#entries[pin] ?? 0;
      }
    }
  }

  #write(register: number, value: number): void {
    if (register === Reg.ID) {
      this.#id = (value >>> 24) & 15;
      return;
    }
    const pin = (register - Reg.REDIRECTION) >> 1;
    const entry = this.#entries[pin];
    if (entry === undefined) return;
    if (register & 1) {
      this.#destinations[pin] = value >>> DESTINATION_SHIFT;
      return;
    }
    // Edge mode has no remote IRR; software switches to it and back to end an interrupt by hand.
    const remote = value & Entry.LEVEL ? entry & Entry.REMOTE_IRR : 0;
    this.#entries[pin] = (value & Entry.WRITABLE) | remote;
    this.#serveLevel(pin);
  }

  #setPin(pin: number, level: boolean): void {
    const rises = level && !this.#levels[pin];
    this.#levels[pin] = level;
    const entry = this.#entries[pin] ?? Entry.MASKED;
    if (entry & Entry.LEVEL) this.#serveLevel(pin);
    // An edge at a masked pin is lost; data sheet, 3.2.4, bit 16.
    else if (rises && !(entry & Entry.MASKED)) this.#deliver(pin, entry);
  }

  #serveLevel(pin: number): void {
    const entry = this.#entries[pin] ?? Entry.MASKED;
    if (!this.#levels[pin] || (entry & (Entry.LEVEL | Entry.MASKED | Entry.REMOTE_IRR)) !== Entry.LEVEL) return;
    this.#entries[pin] = entry | Entry.REMOTE_IRR;
    this.#deliver(pin, entry);
  }

  #deliver(pin: number, entry: number): void {
    const mode = ((entry >> Entry.MODE_SHIFT) & 7) as DeliveryMode;
    const fixed = mode <= DeliveryMode.LOWEST_PRIORITY;
    this.#router.send(this.#destinations[pin] ?? 0, (entry & Entry.LOGICAL) !== 0, {
      mode,
      vector: entry & Entry.VECTOR,
      level: fixed && (entry & Entry.LEVEL) !== 0,
      assert: true,
    });
  }

  save(): IoApicState {
    return {
      id: this.#id,
      select: this.#select,
      entries: [...this.#entries],
      destinations: [...this.#destinations],
      levels: [...this.#levels],
    };
  }
  restore(state: IoApicState): void {
    this.#id = state.id;
    this.#select = state.select;
    state.entries.forEach((entry, pin) => (this.#entries[pin] = entry));
    state.destinations.forEach((destination, pin) => (this.#destinations[pin] = destination));
    state.levels.forEach((level, pin) => (this.#levels[pin] = level));
  }
}
