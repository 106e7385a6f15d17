import type { InterruptLine, Tracer } from "../../runtime/devices/device.ts";
import { MmioBus } from "../../runtime/devices/mmio-bus.ts";
import { PciBus } from "../../runtime/devices/pci/pci-bus.ts";
import { DevicePorts } from "../../runtime/devices/port-bus.ts";
import type { VirtioDevice } from "../../runtime/virtio/virtio-device.ts";
import { VirtioPci } from "../../runtime/virtio/virtio-pci.ts";
import { PlainMemory, RecordedLine } from "../devices/support.ts";
import { Driver } from "./driver.ts";

export { type Buffer, BUFFERS, type DriverOptions, DriverQueue, RING_STRIDE, RINGS } from "./driver.ts";

export const RAM = 0x10_0000;
export const SLOT = 3;
export const BAR0 = 0xe000_0000;
export const BAR1 = 0xe000_4000;

/** A virtio device on a PCI bus of its own, with a driver. */
export class Rig extends Driver {
  readonly memory: PlainMemory;
  readonly ports: DevicePorts;
  readonly mmio: MmioBus;
  /** "address data" of each message-signalled interrupt */
  readonly messages: string[] = [];
  readonly line = new RecordedLine();
  readonly traced: string[] = [];
  readonly transport: VirtioPci;
  readonly pci: PciBus;

  constructor(device: VirtioDevice) {
    const memory = new PlainMemory(RAM);
    const ports = new DevicePorts();
    const mmio = new MmioBus(new DataView(new ArrayBuffer(16)));
    super({ ports, mmio, ram: memory.bytes, slot: SLOT, bar0: BAR0, bar1: BAR1 });
    this.memory = memory;
    this.ports = ports;
    this.mmio = mmio;
    const trace: Tracer = { unimplemented: (name, what) => void this.traced.push(`${name}: ${what}`) };
    this.transport = new VirtioPci(device, memory, trace);
    const sendMsi = (address: number, data: number): void =>
      void this.messages.push(`${(address >>> 0).toString(16)} ${data.toString(16)}`);
    const irq = (): InterruptLine => this.line;
    this.pci = new PciBus({ ports, mmio, sendMsi }, irq, () => undefined);
    this.pci.add(SLOT, this.transport.function);
    for (const first of [0xcf8, 0xcfc]) ports.claim({ first, count: 4 }, this.pci, 4);
    this.connect();
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
