import { SILENT, type AccessSize, type GuestMemory, type MmioDevice } from "../devices/device.ts";
import type { Stateful, Tracer } from "../devices/device.ts";
import { CapabilityId } from "../devices/pci/config-space.ts";
import { Msix, MSIX_BYTES, type MsixState } from "../devices/pci/msix.ts";
import { PciFunction } from "../devices/pci/pci-function.ts";
import type { RefusedStats, Refusing } from "../devices/refused.ts";
import { CAPABILITY_BYTES, Common, Isr, MSIX_BAR, NO_VECTOR, NOTIFY_MULTIPLIER } from "./pci-registers.ts";
import { Structure, STRUCTURE_BAR, structureCapability, StructureType } from "./pci-registers.ts";
import { DeviceStatus, Feature, type VirtioDevice, type VirtioPort } from "./virtio-device.ts";
import { Virtqueue, type VirtqueueAreas, type VirtqueueState } from "./virtqueue.ts";

const VENDOR = 0x1af4;
/** PCI device IDs are this plus the virtio device type; 4.1.2.1. */
const DEVICE_BASE = 0x1040;
/** 4.1.2.1: a subsystem of 0x40 or more keeps drivers of the legacy interface away. */
const SUBSYSTEM = 0x1100;
const REVISION = 1;
/** struct virtio_pci_cfg_cap: fields that the guest writes, from the start of the capability; 4.1.4.9. */
const Window = { BAR: 4, OFFSET: 8, LENGTH: 12, DATA: CAPABILITY_BYTES } as const;

export interface VirtioPciState {
  readonly status: number;
  readonly deviceFeatureSelect: number;
  readonly driverFeatureSelect: number;
  readonly driverFeatures: bigint;
  readonly queueSelect: number;
  readonly generation: number;
  readonly isr: number;
  readonly vectors: readonly number[];
  readonly msix: MsixState;
  readonly queues: readonly VirtqueueState[];
  readonly device: unknown;
}

/**
 * Virtio over PCI, the modern interface: VIRTIO 1.2, 4.1. It carries one device; its function goes onto the bus.
 *
 * BAR 0 holds the structures (common configuration, ISR status, device configuration, notifications), BAR 1 MSI-X with a vector for
 * each queue and one for the configuration. Without MSI-X it interrupts through INTA#.
 *
 * Not modelled: the legacy interface, shared memory regions, notification data, reset of a single queue, the admin virtqueue.
 */
export class VirtioPci implements MmioDevice, VirtioPort, Refusing, Stateful<VirtioPciState> {
  readonly function: PciFunction;
  readonly memory: GuestMemory;
  readonly queues: readonly Virtqueue[];
  readonly device: VirtioDevice;
  /** times that the driver left the device no choice but to ask for a reset */
  failures = 0;
  /** accesses to registers that were refused */
  #refusedRegisters = 0;
  readonly #trace: Tracer;
  readonly #msix: Msix;
  readonly #window: number;
  /** of each queue; the configuration's is the last */
  readonly #vectors: number[];
  #status = 0;
  #deviceFeatureSelect = 0;
  #driverFeatureSelect = 0;
  #driverFeatures = 0n;
  #queueSelect = 0;
  #generation = 0;
  #isr = 0;

  constructor(device: VirtioDevice, memory: GuestMemory, trace: Tracer = SILENT) {
    this.device = device;
    this.memory = memory;
    this.#trace = trace;
    this.queues = device.queueSizes.map(
      (size, index) =>
        new Virtqueue(memory, size, {
          interrupt: () => this.#interrupt(index, Isr.QUEUE),
          broken: (reason) => this.#broken(`queue ${index}: ${reason}`),
        }),
    );
    this.#vectors = [...this.queues, undefined].map(() => NO_VECTOR);
    this.#msix = new Msix(this.#vectors.length);
    this.function = new PciFunction(
      {
        ...{ vendor: VENDOR, device: DEVICE_BASE + device.type, subsystemVendor: VENDOR, subsystem: SUBSYSTEM },
        ...{ classCode: device.classCode, revision: REVISION, interruptPin: 1 },
      },
      [
        { index: STRUCTURE_BAR.index, space: "memory32", bytes: STRUCTURE_BAR.bytes, target: this },
        { index: MSIX_BAR, space: "memory32", bytes: MSIX_BYTES, target: this.#msix },
      ],
    );
    this.#window = this.#addCapabilities();
    this.#msix.attach(this.function, MSIX_BAR);
    device.connect(this);
  }

  // ---- device ----

  get running(): boolean {
    return (this.#status & DeviceStatus.DRIVER_OK) !== 0;
  }

  get features(): bigint {
    return this.#driverFeatures & this.#offered;
  }

  configurationChanged(): void {
    this.#generation = (this.#generation + 1) & 0xff;
    if (this.running) this.#interrupt(this.queues.length, Isr.CONFIGURATION);
  }

  get refused(): Partial<RefusedStats> {
    return {
      virtqueues: this.failures,
      virtioRegisters: this.#refusedRegisters,
      ...this.device.refused,
    };
  }

  // ---- guest ----

  readMmio(offset: number, size: AccessSize): number {
    const { COMMON, ISR, DEVICE } = Structure;
    if (offset < COMMON.bytes) {
      const shifted = this.#readCommon(offset & ~3) >>> ((offset & 3) * 8);
      return size === 4 ? shifted : shifted & (size === 2 ? 0xffff : 0xff);
    }
    if (offset === ISR.first) return this.#takeIsr();
    if (offset >= DEVICE.first && offset < DEVICE.first + DEVICE.bytes)
      return littleEndian(this.device.configuration(), offset - DEVICE.first, size);
    return 0;
  }

  writeMmio(offset: number, size: AccessSize, value: number): void {
    const { COMMON, NOTIFY } = Structure;
    if (offset >= NOTIFY.first) this.#notified((offset - NOTIFY.first) / NOTIFY_MULTIPLIER);
    else if (offset < COMMON.bytes) this.#writeCommon(offset, size, value);
    // No device here has configuration that a driver writes, and the ISR status is read-only.
    else this.#refuse(`write of ${size} bytes at 0x${offset.toString(16)}`);
  }

  get #offered(): bigint {
    return this.device.features | Feature.INDIRECT_DESC | Feature.EVENT_IDX | Feature.VERSION_1;
  }

  get #queue(): Virtqueue | undefined {
    return this.queues[this.#queueSelect];
  }

  /** A double word of the common configuration: one register or two. */
  #readCommon(offset: number): number {
    const queue = this.#queue;
    const two = (low: number, high: number): number => (low | (high << 16)) >>> 0;
    switch (offset) {
      case Common.DEVICE_FEATURE_SELECT:
        return this.#deviceFeatureSelect;
      case Common.DEVICE_FEATURE:
        return half(this.#offered, this.#deviceFeatureSelect);
      case Common.DRIVER_FEATURE_SELECT:
        return this.#driverFeatureSelect;
      case Common.DRIVER_FEATURE:
        return half(this.#driverFeatures, this.#driverFeatureSelect);
      case Common.CONFIG_MSIX_VECTOR:
        return two(this.#vectors[this.queues.length] ?? NO_VECTOR, this.queues.length);
      case Common.DEVICE_STATUS:
        return two(this.#status | (this.#generation << 8), this.#queueSelect);
      case Common.QUEUE_SIZE:
        return two(queue?.size ?? 0, queue ? (this.#vectors[this.#queueSelect] ?? NO_VECTOR) : NO_VECTOR);
      case Common.QUEUE_ENABLE:
        return two(queue?.ready ? 1 : 0, queue ? this.#queueSelect : 0);
      default: {
        const area = areaAt(offset);
        return area && queue ? half(BigInt(queue.areas[area]), offset & 4 ? 1 : 0) : 0;
      }
    }
  }

  #writeCommon(offset: number, size: AccessSize, value: number): void {
    const area = areaAt(offset);
    if (area && size === 4) return this.#writeArea(area, (offset & 4) !== 0, value);
    switch (offset * 8 + size) {
      case Common.DEVICE_FEATURE_SELECT * 8 + 4:
        this.#deviceFeatureSelect = value;
        return;
      case Common.DRIVER_FEATURE_SELECT * 8 + 4:
        this.#driverFeatureSelect = value;
        return;
      case Common.DRIVER_FEATURE * 8 + 4:
        return this.#writeFeatures(value);
      case Common.CONFIG_MSIX_VECTOR * 8 + 2:
        return this.#setVector(this.queues.length, value);
      case Common.DEVICE_STATUS * 8 + 1:
        return this.#writeStatus(value);
      case Common.QUEUE_SELECT * 8 + 2:
        this.#queueSelect = value;
        return;
      case Common.QUEUE_SIZE * 8 + 2:
        this.#queue?.setSize(value);
        return;
      case Common.QUEUE_MSIX_VECTOR * 8 + 2:
        if (this.#queue) this.#setVector(this.#queueSelect, value);
        return;
      case Common.QUEUE_ENABLE * 8 + 2:
        if (value === 1) this.#queue?.enable(this.#ringFeatures());
        return;
      default:
        // 4.1.3.1: registers are accessed whole.
        this.#refuse(`write of ${size} bytes at 0x${offset.toString(16)}`);
    }
  }

  #writeArea(area: keyof VirtqueueAreas, high: boolean, value: number): void {
    const before = this.#queue?.areas[area] ?? 0;
    const low = before % 2 ** 32;
    this.#queue?.setAreas({ [area]: high ? value * 2 ** 32 + low : before - low + value });
  }

  /** Once the driver said that it has chosen, the choice stands. */
  #writeFeatures(value: number): void {
    if (this.#status & DeviceStatus.FEATURES_OK || this.#driverFeatureSelect > 1) return;
    const shift = BigInt(this.#driverFeatureSelect * 32);
    const other = this.#driverFeatures & (0xffff_ffffn << (32n - shift));
    this.#driverFeatures = other | (BigInt(value >>> 0) << shift);
  }

  /** 2.1.1 and 2.2.2: a driver sets bits and clears none, except by writing 0, which resets. */
  #writeStatus(value: number): void {
    if (value === 0) return this.#reset();
    const before = this.#status;
    const { FEATURES_OK, DRIVER_OK, NEEDS_RESET } = DeviceStatus;
    let status = before | (value & ~NEEDS_RESET);
    const acceptable =
      (this.#driverFeatures & ~this.#offered) === 0n && (this.#driverFeatures & Feature.VERSION_1) > 0n;
    if (!(before & FEATURES_OK) && !acceptable) status &= ~FEATURES_OK;
    this.#status = status;
    if (status & ~before & DRIVER_OK) this.device.start?.();
  }

  #ringFeatures(): { readonly indirect: boolean; readonly eventIndex: boolean } {
    const { features } = this;
    return { indirect: (features & Feature.INDIRECT_DESC) > 0n, eventIndex: (features & Feature.EVENT_IDX) > 0n };
  }

  /** A vector that there is not reads back as none: so a driver learns that it cannot have it. 4.1.5.1.2.1 */
  #setVector(index: number, vector: number): void {
    this.#vectors[index] = vector < this.#msix.vectors ? vector : NO_VECTOR;
  }

  #notified(queue: number): void {
    // Without bus mastering the device can neither read rings nor write them.
    if (Number.isInteger(queue) && queue < this.queues.length && this.running && this.function.busMaster)
      this.device.notify(queue);
    else this.#refuse(`notification of queue ${queue}, which does not run`);
  }

  #takeIsr(): number {
    const isr = this.#isr;
    this.#isr = 0;
    this.function.setInterrupt(false);
    return isr;
  }

  #interrupt(source: number, isr: number): void {
    if (this.#msix.enabled) {
      this.#msix.notify(this.#vectors[source] ?? NO_VECTOR);
      return;
    }
    this.#isr |= isr;
    this.function.setInterrupt(true);
  }

  /** 2.1.2: a device that cannot go on says so, and interrupts for the configuration. */
  #broken(reason: string): void {
    this.failures++;
    this.#trace.unimplemented(this.device.name, `device needs a reset: ${reason}`);
    this.#status |= DeviceStatus.NEEDS_RESET;
    this.configurationChanged();
  }

  #reset(): void {
    this.device.reset();
    for (const queue of this.queues) queue.reset();
    this.#vectors.fill(NO_VECTOR);
    this.#status = 0;
    this.#deviceFeatureSelect = this.#driverFeatureSelect = this.#queueSelect = 0;
    this.#driverFeatures = 0n;
    this.#takeIsr();
  }

  #refuse(access: string): void {
    this.#refusedRegisters++;
    this.#trace.unimplemented(this.device.name, access);
  }

  // ---- capabilities ----

  /** @returns offset of the one through which configuration space reaches the BAR */
  #addCapabilities(): number {
    const add = (content: DataView, writable?: Uint8Array): number =>
      this.function.addCapability(CapabilityId.VENDOR, new Uint8Array(content.buffer), writable, {
        beforeRead: (offset) => writable && offset >= Window.DATA && this.#readWindow(),
        afterWrite: (offset) => writable && offset >= Window.DATA && this.#writeWindow(),
      });
    const { COMMON, ISR, DEVICE, NOTIFY } = Structure;
    add(structureCapability(StructureType.COMMON, COMMON));
    const notify = structureCapability(StructureType.NOTIFY, NOTIFY, 4);
    notify.setUint32(CAPABILITY_BYTES - 2, NOTIFY_MULTIPLIER, true);
    add(notify);
    add(structureCapability(StructureType.ISR, ISR));
    add(structureCapability(StructureType.DEVICE, DEVICE));
    const window = structureCapability(StructureType.PCI, { first: 0, bytes: 0 }, 4);
    const writable = new Uint8Array(window.byteLength).fill(0xff, Window.OFFSET - 2);
    writable[Window.BAR - 2] = 0xff;
    return add(window, writable);
  }

  /** The access that the guest asks for through configuration space, if it is one; 4.1.4.9. */
  #windowAccess(): { readonly offset: number; readonly size: AccessSize } | undefined {
    const { config } = this.function;
    const offset = config.read(this.#window + Window.OFFSET, 4);
    const size = config.read(this.#window + Window.LENGTH, 4);
    if (config.read(this.#window + Window.BAR, 1) !== STRUCTURE_BAR.index) return undefined;
    if ((size !== 1 && size !== 2 && size !== 4) || offset % size !== 0) return undefined;
    return offset + size <= STRUCTURE_BAR.bytes ? { offset, size } : undefined;
  }

  #readWindow(): void {
    const access = this.#windowAccess();
    if (access)
      this.function.config.set(this.#window + Window.DATA, access.size, this.readMmio(access.offset, access.size));
  }

  #writeWindow(): void {
    const access = this.#windowAccess();
    if (!access) return;
    this.writeMmio(access.offset, access.size, this.function.config.read(this.#window + Window.DATA, access.size));
  }

  save(): VirtioPciState {
    return {
      status: this.#status,
      deviceFeatureSelect: this.#deviceFeatureSelect,
      driverFeatureSelect: this.#driverFeatureSelect,
      driverFeatures: this.#driverFeatures,
      queueSelect: this.#queueSelect,
      generation: this.#generation,
      isr: this.#isr,
      vectors: [...this.#vectors],
      msix: this.#msix.save(),
      queues: this.queues.map((queue) => queue.save()),
      device: this.device.save(),
    };
  }
  /** After guest memory was restored. The bus restores the function. */
  restore(state: VirtioPciState): void {
    this.#status = state.status;
    this.#deviceFeatureSelect = state.deviceFeatureSelect;
    this.#driverFeatureSelect = state.driverFeatureSelect;
    this.#driverFeatures = state.driverFeatures;
    this.#queueSelect = state.queueSelect;
    this.#generation = state.generation;
    this.#isr = state.isr;
    state.vectors.forEach((vector, index) => (this.#vectors[index] = vector));
    this.#msix.restore(state.msix);
    this.queues.forEach((queue, index) => {
      const queueState = state.queues[index];
      if (queueState) queue.restore(queueState);
    });
    this.device.restore(state.device);
  }
}

/** Which area's address a register holds a half of. */
function areaAt(offset: number): keyof VirtqueueAreas | undefined {
  switch (offset & ~7) {
    case Common.QUEUE_DESC:
      return "table";
    case Common.QUEUE_DRIVER:
      return "available";
    case Common.QUEUE_DEVICE:
      return "used";
    default:
      return undefined;
  }
}

/** Bits 0..31 of a 64-bit value, or 32..63; 0 for any other half. */
function half(value: bigint, select: number): number {
  return select > 1 ? 0 : Number(BigInt.asUintN(32, value >> BigInt(select * 32)));
}

/** Bytes beyond the end read as 0. */
function littleEndian(bytes: Uint8Array, offset: number, size: AccessSize): number {
  let value = 0;
  for (let index = 0; index < size; index++) value |= (bytes[offset + index] ?? 0) << (index * 8);
  return value >>> 0;
}
