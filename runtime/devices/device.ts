/** Bytes of one access. The buses cut everything else into these: a device never sees another size. */
export type AccessSize = 1 | 2 | 4;

/** What a read returns that no device answers; the bus cuts it to the size of the access. */
export const OPEN_BUS = 0xffff_ffff;

/**
 * A device at I/O ports. `port` is the absolute port number, a multiple of `size`. Values are unsigned; the bus cuts off what a read
 * returns beyond `size`.
 * A device that claims its ports with width n sees accesses of at most n bytes, as on the bus it was made for.
 */
export interface PortDevice {
  readPort(port: number, size: AccessSize): number;
  writePort(port: number, size: AccessSize, value: number): void;
}

/** A device in guest-physical memory. `offset` counts from the start of its range and is a multiple of `size`. */
export interface MmioDevice {
  readMmio(offset: number, size: AccessSize): number;
  writeMmio(offset: number, size: AccessSize, value: number): void;
}

/** What a snapshot holds of a device: plain data that structured cloning copies. */
export interface Stateful<S> {
  save(): S;
  restore(state: S): void;
}

/** A wire that a device drives. Whether it is high or low when asserted is the receiver's business: `true` is asserted. */
export interface InterruptLine {
  set(level: boolean): void;
}

/** Told what a guest did that a device does not do. */
export interface Tracer {
  unimplemented(device: string, what: string): void;
}

/** Guest RAM as a device sees it (DMA). */
export interface GuestMemory {
  /** The bytes themselves, in place; undefined unless all of [gpa, gpa + byteLength) is RAM. */
  slice(gpa: number, byteLength: number): Uint8Array | undefined;
  /** Tells that a device wrote there: code decoded from those bytes is stale. */
  written(gpa: number, byteLength: number): void;
}

export const NO_LINE: InterruptLine = { set: () => {} };
export const SILENT: Tracer = { unimplemented: () => {} };

/** Whether every bit of `mask` is set. */
export function has(value: number, mask: number): boolean {
  return (value & mask) === mask;
}

/**
 * A wire that several devices drive: asserted while any of them asserts it.
 */
export class SharedLine implements Stateful<boolean[]> {
  readonly #target: InterruptLine;
  readonly #levels: boolean[] = [];

  constructor(target: InterruptLine) {
    this.#target = target;
  }

  /** One more driver. Drivers are numbered in the order of these calls, and a snapshot knows them by number. */
  driver(): InterruptLine {
    const index = this.#levels.push(false) - 1;
    return {
      set: (level) => {
        this.#levels[index] = level;
        this.#target.set(this.#levels.includes(true));
      },
    };
  }

  save(): boolean[] {
    return [...this.#levels];
  }
  /** Receivers save their inputs themselves, so that nothing is driven here. */
  restore(levels: boolean[]): void {
    levels.forEach((level, index) => (this.#levels[index] = level));
  }
}
