import { OPEN_BUS, type AccessSize, type PortDevice } from "./device.ts";

/**
 * QEMU's isa-debug-exit: a write ends the machine with exit status (value << 1) | 1, so that a guest of tests can say how they went.
 * Four ports, of which only the first counts. Reads are 0.
 */
export class DebugExit implements PortDevice {
  readonly #onExit: (status: number) => void;

  /** @param onExit told the exit status: odd, and not cut to eight bits */
  constructor(onExit: (status: number) => void) {
    this.#onExit = onExit;
  }

  readPort(_port: number, _size: AccessSize): number {
    return 0;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    this.#onExit(((value << 1) | 1) >>> 0);
  }
}

/**
 * Debug console of Bochs, QEMU and SeaBIOS (ports 0xe9 and 0x402): bytes written are shown. A read of 0xe9 yields 0xe9, which is how
 * guests find it.
 */
export class DebugConsole implements PortDevice {
  readonly #output: (byte: number) => void;

  constructor(output: (byte: number) => void) {
    this.#output = output;
  }

  readPort(_port: number, size: AccessSize): number {
    return size === 1 ? 0xe9 : OPEN_BUS;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    this.#output(value & 0xff);
  }
}
