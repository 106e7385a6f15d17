import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import type { Controller } from "../session/controller.ts";
import { Listeners } from "./listeners.ts";
import type { ConsolePort, Unsubscribe } from "./machine.ts";

/** What may lie unread in a stream before the guest has to wait. */
const UNREAD_BYTES = 1 << 20;
const encoder = new TextEncoder();

/** One of a machine's ports. The serial port has no size that a guest could be told. */
export class GuestPort implements ConsolePort {
  readonly #name: "serial" | "console";
  readonly #controller: () => Controller;
  readonly #listeners = new Listeners<Uint8Array>();
  #readable: ReadableStream<Uint8Array> | undefined;
  #source: ReadableStreamDefaultController<Uint8Array> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** @param controller throws when the machine is closed */
  constructor(name: "serial" | "console", controller: () => Controller) {
    this.#name = name;
    this.#controller = controller;
  }

  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= new ReadableStream<Uint8Array>(
      {
        start: (source) => {
          this.#source = source;
        },
        pull: () => this.#controller().hold(this.#name, false),
        cancel: () => {
          this.#source = undefined;
          this.#controller().hold(this.#name, false);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: UNREAD_BYTES }),
    );
    return this.#readable;
  }

  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= new WritableStream<Uint8Array>({
      write: (bytes) => this.#controller().input(this.#name, bytes),
    });
    return this.#writable;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    // It may be closed before the guest has taken them.
    this.#controller()
      .input(this.#name, bytes)
      .catch(() => undefined);
  }

  onOutput(listener: (bytes: Uint8Array) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  resize(size: ConsoleSize): void {
    this.#controller().resize(size);
  }

  /** The guest has written. */
  output(bytes: Uint8Array): void {
    this.#listeners.emit(bytes);
    const source = this.#source;
    if (!source) return;
    source.enqueue(bytes);
    if ((source.desiredSize ?? 0) <= 0) this.#controller().hold(this.#name, true);
  }

  /** The machine is closed. */
  end(): void {
    this.#source?.close();
    this.#source = undefined;
    // Whoever asks for the stream from now on gets one that has ended.
    this.#readable ??= new ReadableStream<Uint8Array>({ start: (source) => source.close() });
  }
}
