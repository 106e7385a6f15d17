import type { Stateful } from "../devices/device.ts";
import type { RefusedStats } from "../devices/refused.ts";
import { gather, scatter } from "./descriptor-chain.ts";
import { DeviceType, type VirtioDevice, type VirtioPort } from "./virtio-device.ts";

/** Feature bits; VIRTIO 1.2, 5.3.3. */
const ConsoleFeature = { SIZE: 1n << 0n } as const;
/** Offsets in the configuration; 5.3.4. */
const Config = { COLUMNS: 0, ROWS: 2, MAXIMUM_PORTS: 4, BYTES: 12 } as const;
const Queue = { RECEIVE: 0, TRANSMIT: 1 } as const;
const QUEUE_SIZE = 64;
/** Of one chain; drivers send lines or pages. What is more is lost, and counted: descriptors may name the same memory again and again. */
const MAXIMUM_OUTPUT_BYTES = 1 << 20;

export interface ConsoleSize {
  /** characters, 1 to 65535; 0 if unknown */
  readonly columns: number;
  readonly rows: number;
}

export interface ConsoleState {
  readonly size: ConsoleSize;
  readonly input: Uint8Array;
}

/**
 * Console device with one port: VIRTIO 1.2, 5.3. Linux calls it hvc0.
 *
 * Not modelled: several ports, emergency write.
 */
export class VirtioConsole implements VirtioDevice, Stateful<ConsoleState> {
  readonly name = "virtio-console";
  readonly type = DeviceType.CONSOLE;
  readonly classCode = 0x07_8000;
  readonly features: bigint = ConsoleFeature.SIZE;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly #onOutput: (bytes: Uint8Array) => void;
  #port: VirtioPort | undefined;
  /** chains that were longer than MAXIMUM_OUTPUT_BYTES */
  #cutChains = 0;
  #size: ConsoleSize;
  /** bytes that wait for a buffer of the driver */
  #input = new Uint8Array(0);

  /** @param onOutput what the guest writes; never with an empty array */
  constructor(onOutput: (bytes: Uint8Array) => void, size: ConsoleSize = { columns: 80, rows: 25 }) {
    this.#onOutput = onOutput;
    this.#size = size;
  }

  connect(port: VirtioPort): void {
    this.#port = port;
  }

  configuration(): Uint8Array {
    const config = new DataView(new ArrayBuffer(Config.BYTES));
    config.setUint16(Config.COLUMNS, this.#size.columns, true);
    config.setUint16(Config.ROWS, this.#size.rows, true);
    config.setUint32(Config.MAXIMUM_PORTS, 1, true);
    return new Uint8Array(config.buffer);
  }

  notify(queue: number): void {
    if (queue === Queue.RECEIVE) this.#deliver();
    else this.#transmit();
  }

  start(): void {
    this.#deliver();
  }

  /** What waits goes to the next driver. */
  reset(): void {}

  get refused(): Partial<RefusedStats> {
    return { consoleOutput: this.#cutChains };
  }

  // ---- host ----

  /** Bytes for the guest, as if typed. They wait until it takes them. */
  input(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#input.length + bytes.length);
    all.set(this.#input);
    all.set(bytes, this.#input.length);
    this.#input = all;
    this.#deliver();
  }

  /** Bytes that the guest has not taken yet: a host with much to send asks before it sends more. */
  get inputBacklog(): number {
    return this.#input.length;
  }

  /** The terminal has another size now. */
  resize(size: ConsoleSize): void {
    this.#size = size;
    this.#port?.configurationChanged();
  }

  #deliver(): void {
    const port = this.#port;
    const queue = port?.queues[Queue.RECEIVE];
    if (!port?.running || !queue) return;
    while (this.#input.length > 0) {
      const chain = queue.pop();
      if (!chain) break;
      const done = scatter(port.memory, chain.writable, 0, this.#input);
      this.#input = this.#input.slice(done);
      queue.push(chain, done);
    }
    queue.signal();
  }

  #transmit(): void {
    const queue = this.#port?.queues[Queue.TRANSMIT];
    for (let chain = queue?.pop(); chain; chain = queue?.pop()) {
      if (chain.readableBytes > MAXIMUM_OUTPUT_BYTES) this.#cutChains++;
      const bytes = new Uint8Array(Math.min(chain.readableBytes, MAXIMUM_OUTPUT_BYTES));
      gather(chain.readable, 0, bytes);
      queue?.push(chain, 0);
      if (bytes.length > 0) this.#onOutput(bytes);
    }
    queue?.signal();
  }

  save(): ConsoleState {
    return { size: this.#size, input: this.#input.slice() };
  }
  restore({ size, input }: ConsoleState): void {
    this.#size = size;
    this.#input = input.slice();
  }
}
