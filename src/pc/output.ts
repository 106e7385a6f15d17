import type { PcOptions } from "./options.ts";

type Listener = ((bytes: Uint8Array) => void) | undefined;

/** What a guest has sent since its host was last told: handed on between runs of the processor, so that a listener may do anything. */
export class Output {
  readonly #onConsole: Listener;
  readonly #serial: ByteStream;
  readonly #stdout: ByteStream;
  readonly #stderr: ByteStream;
  readonly #consoleBytes: Uint8Array[] = [];

  constructor({ onSerial, console, program }: Pick<PcOptions, "onSerial" | "console" | "program">) {
    this.#onConsole = console?.onOutput;
    this.#serial = new ByteStream(onSerial);
    this.#stdout = new ByteStream(program?.onStdout);
    this.#stderr = new ByteStream(program?.onStderr);
  }

  /** @returns true: there is room for more */
  serial(byte: number): boolean {
    return this.#serial.push(byte);
  }

  program(stream: "stdout" | "stderr", byte: number): void {
    (stream === "stdout" ? this.#stdout : this.#stderr).push(byte);
  }

  console(bytes: Uint8Array): void {
    this.#consoleBytes.push(bytes);
  }

  flush(): void {
    for (const bytes of this.#consoleBytes.splice(0)) this.#onConsole?.(bytes);
    this.#serial.flush();
    this.#stdout.flush();
    this.#stderr.flush();
  }
}

/** Bytes that come one by one, and go on together. */
class ByteStream {
  readonly #listener: Listener;
  readonly #bytes: number[] = [];

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  push(byte: number): boolean {
    return this.#bytes.push(byte) > 0;
  }

  flush(): void {
    if (this.#bytes.length === 0) return;
    const bytes = Uint8Array.from(this.#bytes);
    this.#bytes.length = 0;
    this.#listener?.(bytes);
  }
}
