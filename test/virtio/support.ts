import type { InterruptLine, Tracer } from "../../runtime/devices/device.ts";
import { MmioBus } from "../../runtime/devices/mmio-bus.ts";
import { PciBus } from "../../runtime/devices/pci/pci-bus.ts";
import { DevicePorts } from "../../runtime/devices/port-bus.ts";
import { Common, NOTIFY_MULTIPLIER, Structure } from "../../runtime/virtio/pci-registers.ts";
import { DeviceStatus, Feature, type VirtioDevice } from "../../runtime/virtio/virtio-device.ts";
import { VirtioPci } from "../../runtime/virtio/virtio-pci.ts";
import { PlainMemory, RecordedLine } from "../devices/support.ts";

export const RAM = 0x10_0000;
export const SLOT = 3;
export const BAR0 = 0xe000_0000;
export const BAR1 = 0xe000_4000;
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

  constructor(memory: PlainMemory, at: number, size: number, notify: () => void) {
    this.size = size;
    this.table = at;
    this.available = at + 0x1000;
    this.used = at + 0x1800;
    this.#view = new DataView(memory.bytes.buffer);
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

export interface RigOptions {
  readonly features?: bigint;
  readonly msix?: boolean;
  readonly queueSize?: number;
}

/** A virtio device on a PCI bus, with a driver that does what VIRTIO 1.2, 3.1 says. */
export class Rig {
  readonly memory = new PlainMemory(RAM);
  readonly ports = new DevicePorts();
  readonly mmio = new MmioBus(new DataView(new ArrayBuffer(16)));
  /** "address data" of each message-signalled interrupt */
  readonly messages: string[] = [];
  readonly line = new RecordedLine();
  readonly traced: string[] = [];
  readonly transport: VirtioPci;
  readonly pci: PciBus;
  queues: DriverQueue[] = [];

  constructor(device: VirtioDevice) {
    const trace: Tracer = { unimplemented: (name, what) => void this.traced.push(`${name}: ${what}`) };
    this.transport = new VirtioPci(device, this.memory, trace);
    const sendMsi = (address: number, data: number): void =>
      void this.messages.push(`${(address >>> 0).toString(16)} ${data.toString(16)}`);
    const irq = (): InterruptLine => this.line;
    this.pci = new PciBus({ ports: this.ports, mmio: this.mmio, sendMsi }, irq, () => undefined);
    this.pci.add(SLOT, this.transport.function);
    for (const first of [0xcf8, 0xcfc]) this.ports.claim({ first, count: 4 }, this.pci, 4);
    this.writeConfig(0x10, 4, BAR0);
    this.writeConfig(0x14, 4, BAR1);
    this.writeConfig(0x04, 2, 6); // memory space, bus master
  }

  #select(register: number): void {
    this.ports.write(0xcf8, 4, 0x8000_0000 | (SLOT << 11) | (register & 0xfc));
  }
  readConfig(register: number, size: 1 | 2 | 4): number {
    this.#select(register);
    return this.ports.read(0xcfc + (register & 3), size);
  }
  writeConfig(register: number, size: 1 | 2 | 4, value: number): void {
    this.#select(register);
    this.ports.write(0xcfc + (register & 3), size, value);
  }

  read(register: number, size: 1 | 2 | 4): number {
    return this.mmio.load(BAR0 + register, size);
  }
  write(register: number, size: 1 | 2 | 4, value: number): void {
    this.mmio.store(BAR0 + register, size, value);
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
    const vectors = this.transport.queues.length + 1;
    for (let vector = 0; vector < vectors; vector++) {
      [0xfee0_0000, 0, 0x40 + vector, 0].forEach((word, index) =>
        this.mmio.store(BAR1 + vector * 16 + index * 4, 4, word),
      );
    }
    for (let at = this.readConfig(0x34, 1); at !== 0; at = this.readConfig(at + 1, 1))
      if (this.readConfig(at, 1) === 0x11) this.writeConfig(at + 2, 2, 0x8000);
  }

  setUpQueue(index: number, areas: Partial<Record<"table" | "available" | "used", number>> = {}, size = 16): void {
    const queue = new DriverQueue(this.memory, RINGS + index * RING_STRIDE, size, () =>
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
  start({ features = 0n, msix = true, queueSize = 16 }: RigOptions = {}): this {
    this.status = 0;
    if (!this.acceptFeatures(features | Feature.VERSION_1)) throw new Error("features were refused");
    if (msix) this.enableMsix();
    this.write(Common.CONFIG_MSIX_VECTOR, 2, this.transport.queues.length);
    this.transport.queues.forEach((_, index) => this.setUpQueue(index, {}, queueSize));
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

  /** Message of a vector, as `messages` has it. */
  message(vector: number): string {
    return `fee00000 ${(0x40 + vector).toString(16)}`;
  }

  put(gpa: number, bytes: Iterable<number>): void {
    this.memory.bytes.set([...bytes], gpa);
  }
  get(gpa: number, byteLength: number): number[] {
    return [...this.memory.bytes.subarray(gpa, gpa + byteLength)];
  }
}

/** A device that gives every chain back with the bytes it read in the buffers to write. */
export function echoDevice(queueSizes: readonly number[] = [256]): VirtioDevice & { readonly starts: () => number } {
  let port: Parameters<VirtioDevice["connect"]>[0] | undefined;
  let starts = 0;
  return {
    name: "echo",
    type: 42,
    classCode: 0xff_0000,
    features: 0b101n,
    queueSizes,
    starts: () => starts,
    configuration: () => Uint8Array.of(1, 2, 3, 4, 5),
    connect: (given) => (port = given),
    start: () => starts++,
    notify(index) {
      const queue = port?.queues[index];
      for (let chain = queue?.pop(); chain; chain = queue?.pop()) {
        let written = 0;
        for (const { gpa, bytes } of chain.writable) {
          bytes.fill(chain.readable[0]?.bytes[0] ?? 0xee);
          port?.memory.written(gpa, bytes.length);
          written += bytes.length;
        }
        queue?.push(chain, written);
      }
      queue?.signal();
    },
    reset: () => undefined,
    save: () => undefined,
    restore: () => undefined,
  };
}
