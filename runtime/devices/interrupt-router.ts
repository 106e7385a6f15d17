import type { LocalApic } from "./local-apic.ts";
import type { ApicMessage } from "./local-apic-host.ts";
import { DeliveryMode, type DeliveryMode as Mode } from "./local-apic-registers.ts";

/** Message address and data of MSI; SDM Vol. 3A, 11.11. */
const Msi = { DESTINATION_SHIFT: 12, LOGICAL: 4, MODE_SHIFT: 8, VECTOR: 0xff, ASSERT: 0x4000, LEVEL: 0x8000 } as const;

/** Destination shorthand of an inter-processor interrupt; SDM Vol. 3A, figure 11-12. */
export const Shorthand = { NONE: 0, SELF: 1, ALL: 2, OTHERS: 3 } as const;
export type Shorthand = (typeof Shorthand)[keyof typeof Shorthand];

/**
 * The bus between I/O APICs, message-signalled interrupts and the local APICs: finds the processors that a message is for.
 */
export class InterruptRouter {
  readonly #apics: LocalApic[] = [];

  add(apic: LocalApic): void {
    this.#apics.push(apic);
  }

  get apics(): readonly LocalApic[] {
    return this.#apics;
  }

  /** From an I/O APIC or a device. */
  send(destination: number, logical: boolean, message: ApicMessage): void {
    this.#deliver(
      this.#apics.filter((apic) => apic.matches(destination, logical)),
      message,
    );
  }

  /** An inter-processor interrupt. */
  sendFrom(source: LocalApic, shorthand: Shorthand, destination: number, logical: boolean, message: ApicMessage): void {
    const apics = this.#apics;
    switch (shorthand) {
      case Shorthand.SELF:
        return this.#deliver([source], message);
      case Shorthand.ALL:
        return this.#deliver(apics, message);
      case Shorthand.OTHERS:
        return this.#deliver(
          apics.filter((apic) => apic !== source),
          message,
        );
      default:
        return this.send(destination, logical, message);
    }
  }

  /** A device's write into [0xfee00000, 0xfef00000). */
  sendMsi(address: number, data: number): void {
    this.send((address >>> Msi.DESTINATION_SHIFT) & 0xff, (address & Msi.LOGICAL) !== 0, {
      mode: ((data >> Msi.MODE_SHIFT) & 7) as Mode,
      vector: data & Msi.VECTOR,
      level: (data & Msi.LEVEL) !== 0,
      assert: (data & Msi.LEVEL) === 0 || (data & Msi.ASSERT) !== 0,
    });
  }

  #deliver(targets: readonly LocalApic[], message: ApicMessage): void {
    const [first] = targets;
    if (message.mode === DeliveryMode.LOWEST_PRIORITY && first) {
      const least = targets.reduce(
        (chosen, apic) => (apic.processorPriority < chosen.processorPriority ? apic : chosen),
        first,
      );
      return least.receive(message);
    }
    for (const apic of targets) apic.receive(message);
  }
}
