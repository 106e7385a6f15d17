import { invariant } from "../../abi/invariant.ts";
import { irqOfPciPin, RESET_VALUE } from "../../board-map.ts";
import { OPEN_BUS, type AccessSize, type InterruptLine, type PortDevice, type Stateful } from "../device.ts";
import { ConfigRegister } from "./config-space.ts";
import { PciFunction, type PciEnvironment, type PciFunctionState } from "./pci-function.ts";

const PORT_ADDRESS = 0xcf8;
const PORT_RESET = 0xcf9;
const PORT_DATA = 0xcfc;

/** CONFIG_ADDRESS; PCI Local Bus Specification 3.0, 3.2.2.3.2. */
const Address = {
  ENABLE: 0x8000_0000,
  BUS_SHIFT: 16,
  DEVICE_SHIFT: 11,
  FUNCTION_SHIFT: 8,
  REGISTER: 0xfc,
  WRITABLE: 0x80ff_fffc,
} as const;
/** Reset control register of the chipset; 82371SB data sheet, 2.5.8. Its bit 2 resets when it goes from 0 to 1. */
const Reset = { PULSE: 0x04, WRITABLE: RESET_VALUE } as const;

const MULTIFUNCTION = 0x80;
/** A host bridge without a past: Red Hat's, as paravirtual machines have. No operating system has work-arounds for it. */
const HOST_BRIDGE = {
  vendor: 0x1b36,
  device: 0x0008,
  subsystemVendor: 0x1af4,
  subsystem: 0x1100,
  classCode: 0x06_0000,
} as const;

export interface PciBusState {
  readonly address: number;
  readonly resetControl: number;
  readonly functions: readonly (readonly [number, PciFunctionState])[];
}

/**
 * PCI bus 0 with its host bridge at device 0, configuration mechanism 1 at ports 0xcf8 to 0xcff, and the reset control register at
 * 0xcf9. PCI Local Bus Specification 3.0, 3.2.2.3.2.
 *
 * Not modelled: bridges to other buses, memory-mapped configuration space, special cycles.
 */
export class PciBus implements PortDevice, Stateful<PciBusState> {
  readonly #functions = new Map<number, PciFunction>();
  readonly #environment: Omit<PciEnvironment, "interruptLine">;
  readonly #irqLine: (irq: number) => InterruptLine;
  readonly #onReset: () => void;
  #address = 0;
  #resetControl = 0;

  /** @param irqLine a new driver of an IRQ that functions share */
  constructor(
    environment: Omit<PciEnvironment, "interruptLine">,
    irqLine: (irq: number) => InterruptLine,
    onReset: () => void,
  ) {
    this.#environment = environment;
    this.#irqLine = irqLine;
    this.#onReset = onReset;
    this.add(0, new PciFunction(HOST_BRIDGE));
  }

  /** Puts a function on the bus: device 0..31, function 0..7. */
  add(device: number, pciFunction: PciFunction, number = 0): void {
    const slot = (device << 3) | number;
    invariant(slot < 256 && !this.#functions.has(slot), `PCI slot ${device}.${number} is taken`);
    this.#functions.set(slot, pciFunction);
    pciFunction.attach({ ...this.#environment, interruptLine: (pin) => this.#irqLine(irqOfPciPin(device, pin)) });
    const pin = pciFunction.config.read(ConfigRegister.INTERRUPT_PIN, 1);
    // Firmware leaves the number of the IRQ here for systems without ACPI.
    if (pin) pciFunction.config.set(ConfigRegister.INTERRUPT_LINE, 1, irqOfPciPin(device, pin));
    if (number > 0) this.#functions.get(device << 3)?.config.set(ConfigRegister.HEADER_TYPE, 1, MULTIFUNCTION);
  }

  /** Every function, by its number (device << 3 | function). */
  get functions(): ReadonlyMap<number, PciFunction> {
    return this.#functions;
  }

  readPort(port: number, size: AccessSize): number {
    if (port >= PORT_DATA)
      return this.#selected?.readConfig((this.#address & Address.REGISTER) | (port & 3), size) ?? OPEN_BUS;
    if (size === 4) return this.#address;
    return port === PORT_RESET ? this.#resetControl : OPEN_BUS;
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port >= PORT_DATA) {
      this.#selected?.writeConfig((this.#address & Address.REGISTER) | (port & 3), size, value);
    } else if (size === 4) {
      // Only a full double word is an access to the address register.
      if (port === PORT_ADDRESS) this.#address = (value & Address.WRITABLE) >>> 0;
    } else if (port === PORT_RESET && size === 1) {
      const before = this.#resetControl;
      this.#resetControl = value & Reset.WRITABLE;
      if (value & ~before & Reset.PULSE) this.#onReset();
    }
  }

  get #selected(): PciFunction | undefined {
    const address = this.#address;
    if (!(address & Address.ENABLE) || (address >>> Address.BUS_SHIFT) & 0xff) return undefined;
    return this.#functions.get((address >>> Address.FUNCTION_SHIFT) & 0xff);
  }

  /** The devices on the bus save what is theirs; the configuration registers are saved here. */
  save(): PciBusState {
    return {
      address: this.#address,
      resetControl: this.#resetControl,
      functions: [...this.#functions].map(([slot, pciFunction]) => [slot, pciFunction.save()]),
    };
  }
  restore({ address, resetControl, functions }: PciBusState): void {
    this.#address = address;
    this.#resetControl = resetControl;
    for (const [slot, state] of functions) this.#functions.get(slot)?.restore(state);
  }
}
