import type { Stateful } from "../devices/device.ts";
import { scatter } from "./descriptor-chain.ts";
import { DeviceType, type VirtioDevice, type VirtioPort } from "./virtio-device.ts";

const QUEUE_SIZE = 8;
/** A device may fill less than a buffer: no driver can have it work for long. */
const MAXIMUM_BYTES = 4096;

/**
 * Entropy device: VIRTIO 1.2, 5.4. Random numbers come from the injected source and from nowhere else, so that a machine whose source
 * is deterministic is.
 */
export class VirtioEntropy implements VirtioDevice, Stateful<undefined> {
  readonly name = "virtio-rng";
  readonly type = DeviceType.ENTROPY;
  readonly classCode = 0x10_8000;
  readonly features = 0n;
  readonly queueSizes = [QUEUE_SIZE];
  readonly #random64: () => bigint;
  #port: VirtioPort | undefined;

  /** @param random64 64 random bits */
  constructor(random64: () => bigint) {
    this.#random64 = random64;
  }

  connect(port: VirtioPort): void {
    this.#port = port;
  }

  configuration(): Uint8Array {
    return new Uint8Array(0);
  }

  notify(): void {
    const { memory, queues } = this.#port ?? {};
    const queue = queues?.[0];
    if (!memory || !queue) return;
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      const bytes = this.#bytes(Math.min(chain.writableBytes, MAXIMUM_BYTES));
      queue.push(chain, scatter(memory, chain.writable, 0, bytes));
    }
    queue.signal();
  }

  #bytes(byteLength: number): Uint8Array {
    const words = new DataView(new ArrayBuffer(Math.ceil(byteLength / 8) * 8));
    for (let at = 0; at < byteLength; at += 8) words.setBigUint64(at, this.#random64(), true);
    return new Uint8Array(words.buffer, 0, byteLength);
  }

  reset(): void {}

  /** The source is the machine's, and so is its state. */
  save(): undefined {}
  restore(): void {}
}
