import { invariant } from "../../abi/invariant.ts";
import {
  NO_LINE,
  type AccessSize,
  type InterruptLine,
  type MmioDevice,
  type PortDevice,
  type Stateful,
} from "../device.ts";
import type { MmioBus } from "../mmio-bus.ts";
import type { DevicePorts } from "../port-bus.ts";
import { Command, CONFIG_BYTES, ConfigRegister, ConfigSpace, Status } from "./config-space.ts";

export interface PciIdentity {
  readonly vendor: number;
  readonly device: number;
  readonly subsystemVendor?: number;
  readonly subsystem?: number;
  /** class, subclass, programming interface: 24 bits */
  readonly classCode: number;
  readonly revision?: number;
  /** 1 = INTA# .. 4 = INTD#; 0 or absent = none */
  readonly interruptPin?: number;
}

/** A base address register: which addresses a function answers at. */
export interface PciBar {
  /** 0..5; one of 64 bits takes the next as well */
  readonly index: number;
  readonly space: "io" | "memory32" | "memory64";
  /** a power of two; at least 16 in memory, 4 in I/O space */
  readonly bytes: number;
  readonly prefetchable?: boolean;
  /** what answers there, at offsets from the base, in either space */
  readonly target: MmioDevice;
}

/** The machine around a function. */
export interface PciEnvironment {
  readonly mmio: Pick<MmioBus, "claim">;
  readonly ports: Pick<DevicePorts, "claim">;
  /** where INTA# to INTD# of this slot go */
  readonly interruptLine: (pin: number) => InterruptLine;
  readonly sendMsi: (address: number, data: number) => void;
}

/** What a capability does beyond holding bytes. Offsets count from the start of the capability. */
export interface CapabilityHooks {
  /** before a read: the bytes may be brought up to date */
  readonly beforeRead?: (offset: number, size: AccessSize) => void;
  readonly afterWrite?: (offset: number, size: AccessSize) => void;
}

export interface PciFunctionState {
  readonly config: Uint8Array;
  readonly interrupt: boolean;
}

interface Capability extends CapabilityHooks {
  readonly first: number;
  readonly end: number;
}

/** Low bits of a base address register; PCI Local Bus Specification 3.0, 6.2.5.1. */
const BarType = { IO: 1, MEMORY_64: 4, PREFETCHABLE: 8 } as const;

/**
 * One function of a PCI device: configuration registers, base addresses that follow the guest's writes, capabilities, INTx#.
 * PCI Local Bus Specification 3.0, chapter 6. Devices hold one, or extend it.
 *
 * Not modelled: expansion ROMs, power states, parity and system errors, MSI without X.
 */
export class PciFunction implements Stateful<PciFunctionState> {
  readonly config: ConfigSpace = new ConfigSpace();
  readonly #bars: readonly PciBar[];
  /** gives the addresses back that a base address register stands for, by its index */
  readonly #claims = new Map<number, { readonly base: number; readonly release: () => void }>();
  readonly #capabilities: Capability[] = [];
  #environment: PciEnvironment | undefined;
  #line: InterruptLine = NO_LINE;
  #interrupt = false;
  #nextCapability: number = ConfigRegister.FIRST_FREE;

  constructor(identity: PciIdentity, bars: readonly PciBar[] = []) {
    const { config } = this;
    config.set(ConfigRegister.VENDOR, 2, identity.vendor);
    config.set(ConfigRegister.DEVICE, 2, identity.device);
    config.set(ConfigRegister.REVISION, 1, identity.revision ?? 0);
    config.set(ConfigRegister.CLASS, 1, identity.classCode);
    config.set(ConfigRegister.CLASS + 1, 2, identity.classCode >> 8);
    config.set(ConfigRegister.SUBSYSTEM_VENDOR, 2, identity.subsystemVendor ?? 0);
    config.set(ConfigRegister.SUBSYSTEM, 2, identity.subsystem ?? 0);
    config.set(ConfigRegister.INTERRUPT_PIN, 1, identity.interruptPin ?? 0);
    config.setWritable(ConfigRegister.COMMAND, 2, Command.WRITABLE);
    config.setClearable(ConfigRegister.STATUS, 2, Status.WRITE_1_TO_CLEAR);
    config.setWritable(ConfigRegister.CACHE_LINE, 1, 0xff);
    config.setWritable(ConfigRegister.LATENCY, 1, 0xff);
    if (identity.interruptPin) config.setWritable(ConfigRegister.INTERRUPT_LINE, 1, 0xff);
    this.#bars = bars;
    for (const bar of bars) this.#describeBar(bar);
  }

  /** Connects the function to a machine; done once, by the bus that it is put on. */
  attach(environment: PciEnvironment): void {
    invariant(!this.#environment, "a PCI function is on a bus already");
    this.#environment = environment;
    const pin = this.config.read(ConfigRegister.INTERRUPT_PIN, 1);
    if (pin) this.#line = environment.interruptLine(pin);
    this.#follow();
  }

  /**
   * Adds a capability to the list.
   *
   * @param content bytes after the ID and the pointer to the next capability
   * @param writable which of their bits the guest may write; none by default
   * @returns its offset in configuration space
   */
  addCapability(id: number, content: Uint8Array, writable?: Uint8Array, hooks: CapabilityHooks = {}): number {
    const first = this.#nextCapability;
    const end = first + 2 + content.length;
    invariant(end <= CONFIG_BYTES, "PCI capabilities do not fit into configuration space");
    const { config } = this;
    config.set(first, 1, id);
    config.bytes.set(content, first + 2);
    writable?.forEach((mask, index) => config.setWritable(first + 2 + index, 1, mask));
    const last = this.#capabilities.at(-1);
    config.set(last ? last.first + 1 : ConfigRegister.CAPABILITIES, 1, first);
    config.set(ConfigRegister.STATUS, 2, config.read(ConfigRegister.STATUS, 2) | Status.CAPABILITIES);
    this.#capabilities.push({ first, end, ...hooks });
    this.#nextCapability = (end + 3) & ~3;
    return first;
  }

  // ---- guest ----

  readConfig(offset: number, size: AccessSize): number {
    const capability = this.#capabilityAt(offset);
    capability?.beforeRead?.(offset - capability.first, size);
    return this.config.read(offset, size);
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    this.config.write(offset, size, value);
    if (offset < ConfigRegister.FIRST_FREE) this.#follow();
    const capability = this.#capabilityAt(offset);
    capability?.afterWrite?.(offset - capability.first, size);
  }

  // ---- device ----

  /** The device may read and write memory, and send message-signalled interrupts. */
  get busMaster(): boolean {
    return (this.#command & Command.BUS_MASTER) !== 0;
  }

  /** Asserts or releases the function's INTx#, if it has one. */
  setInterrupt(level: boolean): void {
    this.#interrupt = level;
    this.#driveInterrupt();
  }

  sendMsi(address: number, data: number): void {
    if (this.busMaster) this.#environment?.sendMsi(address, data);
  }

  /** Where a base address register points now; undefined while the guest has it switched off. */
  barAddress(index: number): number | undefined {
    return this.#claims.get(index)?.base;
  }

  get #command(): number {
    return this.config.read(ConfigRegister.COMMAND, 2);
  }

  #capabilityAt(offset: number): Capability | undefined {
    if (offset < ConfigRegister.FIRST_FREE) return undefined;
    return this.#capabilities.find(({ first, end }) => offset >= first && offset < end);
  }

  #describeBar({ index, space, bytes, prefetchable }: PciBar): void {
    invariant(bytes >= 4 && Number.isInteger(Math.log2(bytes)) && bytes <= 2 ** 31, `a BAR cannot have ${bytes} bytes`);
    const at = ConfigRegister.BAR0 + index * 4;
    const type = space === "io" ? BarType.IO : space === "memory64" ? BarType.MEMORY_64 : 0;
    this.config.set(at, 4, type | (prefetchable ? BarType.PREFETCHABLE : 0));
    // The bits below the size read as 0 after all ones were written: that is how it is found.
    this.config.setWritable(at, 4, ~(bytes - 1));
    if (space === "memory64") this.config.setWritable(at + 4, 4, 0xffff_ffff);
  }

  /** Takes over what the command register and the base address registers say. */
  #follow(): void {
    for (const bar of this.#bars) this.#map(bar);
    this.#driveInterrupt();
  }

  #map(bar: PciBar): void {
    const base = this.#base(bar);
    const current = this.#claims.get(bar.index);
    if (current?.base === base) return;
    current?.release();
    this.#claims.delete(bar.index);
    const environment = this.#environment;
    if (base === undefined || !environment) return;
    const release =
      bar.space === "io"
        ? environment.ports.claim({ first: base, count: bar.bytes }, portsOf(bar.target, base), 4)
        : environment.mmio.claim({ first: base, bytes: bar.bytes }, bar.target);
    this.#claims.set(bar.index, { base, release });
  }

  #base({ index, space, bytes }: PciBar): number | undefined {
    const at = ConfigRegister.BAR0 + index * 4;
    const low = this.config.read(at, 4);
    if (space === "io") {
      const base = low & ~3;
      return this.#command & Command.IO && base > 0 && base + bytes <= 0x1_0000 ? base : undefined;
    }
    const high = space === "memory64" ? this.config.read(at + 4, 4) : 0;
    const base = high * 2 ** 32 + ((low & ~15) >>> 0);
    // Nothing decodes at 0: the register has not been set.
    return this.#command & Command.MEMORY && base > 0 ? base : undefined;
  }

  #driveInterrupt(): void {
    const status = this.config.read(ConfigRegister.STATUS, 2);
    this.config.set(ConfigRegister.STATUS, 2, this.#interrupt ? status | Status.INTERRUPT : status & ~Status.INTERRUPT);
    this.#line.set(this.#interrupt && !(this.#command & Command.INTERRUPT_DISABLE));
  }

  save(): PciFunctionState {
    return { config: this.config.bytes.slice(), interrupt: this.#interrupt };
  }
  restore({ config, interrupt }: PciFunctionState): void {
    this.config.bytes.set(config);
    this.#interrupt = interrupt;
    this.#follow();
  }
}

/** I/O space of a base address register as ports. */
function portsOf(target: MmioDevice, base: number): PortDevice {
  return {
    readPort: (port, size) => target.readMmio(port - base, size),
    writePort: (port, size, value) => target.writeMmio(port - base, size, value),
  };
}
