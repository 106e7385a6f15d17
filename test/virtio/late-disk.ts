import type { Disk } from "../../runtime/disk/disk.ts";

/** A disk that does what it is asked for when the test says so. */
export class LateDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly synchronous = false;
  readonly id = "late";
  readonly #disk: Disk;
  readonly #waiting: (() => void)[] = [];

  constructor(disk: Disk) {
    this.#disk = disk;
    this.sectors = disk.sectors;
    this.readOnly = disk.readOnly;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does all that waits, and what that leads to, the last first. */
  async finish(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#waiting.pop()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  read(sector: number, into: Uint8Array): Promise<void> {
    return this.#later(() => this.#disk.read(sector, into));
  }
  write(sector: number, from: Uint8Array): Promise<void> {
    return this.#later(() => this.#disk.write(sector, from));
  }
  writeZeroes(sector: number, count: number): Promise<void> {
    return this.#later(() => this.#disk.writeZeroes(sector, count));
  }
  flush(): Promise<void> {
    return this.#later(() => this.#disk.flush());
  }
  close(): void {}

  #later(work: () => void | Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        void work();
        resolve();
      });
    });
  }
}
