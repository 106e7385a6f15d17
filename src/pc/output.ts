/** What a guest has sent since its host was last told: handed on between runs of the processor, so that a listener may do anything. */
export class Output {
  readonly #onSerial: ((bytes: Uint8Array) => void) | undefined;
  readonly #onConsole: ((bytes: Uint8Array) => void) | undefined;
  readonly #serialBytes: number[] = [];
  readonly #consoleBytes: Uint8Array[] = [];

  constructor(
    onSerial: ((bytes: Uint8Array) => void) | undefined,
    onConsole: ((bytes: Uint8Array) => void) | undefined,
  ) {
    this.#onSerial = onSerial;
    this.#onConsole = onConsole;
  }

  /** @returns true: there is room for the byte */
  serial(byte: number): boolean {
    return this.#serialBytes.push(byte) > 0;
  }

  console(bytes: Uint8Array): void {
    this.#consoleBytes.push(bytes);
  }

  flush(): void {
    for (const bytes of this.#consoleBytes.splice(0)) this.#onConsole?.(bytes);
    if (this.#serialBytes.length === 0) return;
    const bytes = Uint8Array.from(this.#serialBytes);
    this.#serialBytes.length = 0;
    this.#onSerial?.(bytes);
  }
}
