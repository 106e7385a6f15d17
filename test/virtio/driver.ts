import type { MmioBus } from "../../runtime/devices/mmio-bus.ts";
import type { DevicePorts } from "../../runtime/devices/port-bus.ts";
import { Common, NOTIFY_MULTIPLIER, Structure } from "../../runtime/virtio/pci-registers.ts";
import { DeviceStatus, Feature } from "../../runtime/virtio/virtio-device.ts";

/** Where a test puts the rings of queue n, and buffers. */
export const RINGS = 0x1000;
export const RING_STRIDE = 0x2000;
export const BUFFERS = 0x2_0000;

/** Buffers as a driver describes them. */
export type Buffer = readonly [gpa: number, byteLength: number];

const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK } = DeviceStatus;

/** The driver's side of a split virtqueue. */
export class DriverQueue {
  readonly table: number;
  readonly available: number;
  readonly used: number;
  readonly size: number;
  readonly #view: DataView;
  readonly #notify: () => void;
  nextDescriptor = 0;
  #available = 0;
  #seen = 0;

  constructor(ram: Uint8Array, at: number, size: number, notify: () => void) {
    this.size = size;
    this.table = at;
    this.available = at + 0x1000;
    this.used = at + 0x1800;
    this.#view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
    this.#notify = notify;
  }

  describe(index: number, [gpa, byteLength]: Buffer, flags: number, next = 0, table = this.table): void {
    const at = table + index * 16;
    this.#view.setBigUint64(at, BigInt(gpa), true);
    this.#view.setUint32(at + 8, byteLength, true);
    this.#view.setUint16(at + 12, flags, true);
    this.#view.setUint16(at + 14, next, true);
  }

  /** Puts a chain into a table. @returns its first descriptor */
  chain(readable: readonly Buffer[], writable: readonly Buffer[] = [], table = this.table): number {
    const all = [...readable.map((buffer) => [buffer, 0] as const), ...writable.map((buffer) => [buffer, 2] as const)];
    const own = table === this.table;
    const index = (step: number): number => (own ? (this.nextDescriptor + step) % this.size : step);
    const head = index(0);
    all.forEach(([buffer, flags], step) =>
      this.describe(index(step), buffer, flags | (step < all.length - 1 ? 1 : 0), index(step + 1), table),
    );
    if (own) this.nextDescriptor += all.length;
    return head;
  }

  /** Puts a chain into an indirect table at `gpa`, and a descriptor of it into the queue's. */
  indirectChain(gpa: number, readable: readonly Buffer[], writable: readonly Buffer[] = []): number {
    this.chain(readable, writable, gpa);
    const head = this.nextDescriptor++ % this.size;
    this.describe(head, [gpa, (readable.length + writable.length) * 16], 4);
    return head;
  }

  /** Makes chains available without telling the device. */
  publish(...heads: readonly number[]): void {
    for (const head of heads)
      this.#view.setUint16(this.available + 4 + (this.#available++ % this.size) * 2, head, true);
    this.setAvailableIndex(this.#available);
  }

  setAvailableIndex(index: number): void {
    this.#view.setUint16(this.available + 2, index & 0xffff, true);
  }

  notify(): void {
    this.#notify();
  }

  send(...heads: readonly number[]): void {
    this.publish(...heads);
    this.notify();
  }

  suppressInterrupts(suppressed: boolean): void {
    this.#view.setUint16(this.available, suppressed ? 1 : 0, true);
  }

  /** With VIRTIO_F_EVENT_IDX: interrupt when the used index passes this. */
  setUsedEvent(index: number): void {
    this.#view.setUint16(this.available + 4 + this.size * 2, index, true);
  }

  /** With VIRTIO_F_EVENT_IDX: the available index at which the device wants to be told. */
  get availableEvent(): number {
    return this.#view.getUint16(this.used + 4 + this.size * 8, true);
  }

  get usedIndex(): number {
    return this.#view.getUint16(this.used + 2, true);
  }

  /** Chains that came back since the last time: head and bytes written. */
  takeUsed(): [head: number, bytes: number][] {
    const taken: [number, number][] = [];
    for (; this.#seen !== this.usedIndex; this.#seen = (this.#seen + 1) & 0xffff) {
      const at = this.used + 4 + (this.#seen % this.size) * 8;
      taken.push([this.#view.getUint32(at, true), this.#view.getUint32(at + 4, true)]);
    }
    return taken;
  }
}

export interface DriverOptions {
  readonly features?: bigint;
  readonly msix?: boolean;
  readonly queueSize?: number;
}

/** Where a driver finds its device, and guest RAM. */
export interface DriverPlace {
  readonly ports: Pick<DevicePorts, "read" | "write">;
  readonly mmio: Pick<MmioBus, "load" | "store">;
  readonly ram: Uint8Array;
  readonly slot: number;
  /** base addresses of structures and of the MSI-X table */
  readonly bar0: number;
  readonly bar1: number;
}

/** A driver that does what VIRTIO 1.2, 3.1 says, on whatever has buses. */
export class Driver {
  readonly #place: DriverPlace;
  queues: DriverQueue[] = [];

  constructor(place: DriverPlace) {
    this.#place = place;
  }

  /** Sets the base address registers, and lets the device answer and do DMA. */
  connect(): void {
    this.writeConfig(0x10, 4, this.#place.bar0);
    this.writeConfig(0x14, 4, this.#place.bar1);
    this.writeConfig(0x04, 2, 6); // memory space, bus master
  }

  get queueCount(): number {
    return this.read(Common.NUM_QUEUES, 2);
  }

  #select(register: number): void {
    this.#place.ports.write(0xcf8, 4, 0x8000_0000 | (this.#place.slot << 11) | (register & 0xfc));
  }
  readConfig(register: number, size: 1 | 2 | 4): number {
    this.#select(register);
    return this.#place.ports.read(0xcfc + (register & 3), size);
  }
  writeConfig(register: number, size: 1 | 2 | 4, value: number): void {
    this.#select(register);
    this.#place.ports.write(0xcfc + (register & 3), size, value);
  }

  read(register: number, size: 1 | 2 | 4): number {
    return this.#place.mmio.load(this.#place.bar0 + register, size);
  }
  write(register: number, size: 1 | 2 | 4, value: number): void {
    this.#place.mmio.store(this.#place.bar0 + register, size, value);
  }

  get status(): number {
    return this.read(Common.DEVICE_STATUS, 1);
  }
  set status(value: number) {
    this.write(Common.DEVICE_STATUS, 1, value);
  }

  get offered(): bigint {
    const halves = [0, 1].map((select) => {
      this.write(Common.DEVICE_FEATURE_SELECT, 4, select);
      return BigInt(this.read(Common.DEVICE_FEATURE, 4));
    });
    return (halves[0] ?? 0n) | ((halves[1] ?? 0n) << 32n);
  }

  acceptFeatures(features: bigint): boolean {
    this.status = ACKNOWLEDGE;
    this.status = ACKNOWLEDGE | DRIVER;
    for (const select of [0, 1]) {
      this.write(Common.DRIVER_FEATURE_SELECT, 4, select);
      this.write(Common.DRIVER_FEATURE, 4, Number((features >> BigInt(select * 32)) & 0xffff_ffffn));
    }
    this.status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    return (this.status & FEATURES_OK) !== 0;
  }

  enableMsix(): void {
    const vectors = this.queueCount + 1;
    for (let vector = 0; vector < vectors; vector++) {
      [0xfee0_0000, 0, 0x40 + vector, 0].forEach((word, index) =>
        this.#place.mmio.store(this.#place.bar1 + vector * 16 + index * 4, 4, word),
      );
    }
    for (let at = this.readConfig(0x34, 1); at !== 0; at = this.readConfig(at + 1, 1))
      if (this.readConfig(at, 1) === 0x11) this.writeConfig(at + 2, 2, 0x8000);
  }

  setUpQueue(index: number, areas: Partial<Record<"table" | "available" | "used", number>> = {}, size = 16): void {
    const queue = new DriverQueue(this.#place.ram, RINGS + index * RING_STRIDE, size, () =>
      this.write(Structure.NOTIFY.first + index * NOTIFY_MULTIPLIER, 2, index),
    );
    this.queues[index] = queue;
    this.write(Common.QUEUE_SELECT, 2, index);
    this.write(Common.QUEUE_SIZE, 2, size);
    this.write(Common.QUEUE_MSIX_VECTOR, 2, index);
    const { table = queue.table, available = queue.available, used = queue.used } = areas;
    for (const [register, gpa] of [
      [Common.QUEUE_DESC, table],
      [Common.QUEUE_DRIVER, available],
      [Common.QUEUE_DEVICE, used],
    ] as const) {
      this.write(register, 4, gpa % 2 ** 32);
      this.write(register + 4, 4, Math.floor(gpa / 2 ** 32));
    }
    this.write(Common.QUEUE_ENABLE, 2, 1);
  }

  /** Everything up to DRIVER_OK. */
  start({ features = 0n, msix = true, queueSize = 16 }: DriverOptions = {}): this {
    this.status = 0;
    if (!this.acceptFeatures(features | Feature.VERSION_1)) throw new Error("features were refused");
    if (msix) this.enableMsix();
    const { queueCount } = this;
    this.write(Common.CONFIG_MSIX_VECTOR, 2, queueCount);
    for (let index = 0; index < queueCount; index++) this.setUpQueue(index, {}, queueSize);
    this.status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    return this;
  }

  queue(index = 0): DriverQueue {
    const queue = this.queues[index];
    if (!queue) throw new Error(`no queue ${index}`);
    return queue;
  }

  get needsReset(): boolean {
    return (this.status & DeviceStatus.NEEDS_RESET) !== 0;
  }
}
