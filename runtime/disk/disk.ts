/** Bytes of a sector: the unit of every disk here. */
export const SECTOR_BYTES = 512;

/**
 * What a disk keeps its content in.
 *
 * A disk answers at once or with a promise. Disks whose `synchronous` is true always answer at once: only with them is a machine
 * reproducible whose clock counts instructions, because a promise is kept at a time that the host chooses.
 *
 * Who uses a disk asks for whole sectors in [0, sectors). A failure of the host throws or rejects; what was written is then undefined.
 */
export interface Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly synchronous: boolean;
  /** shown to the guest as serial number: at most 20 characters of ASCII count */
  readonly id: string;
  /** Fills `into`, whose length is a multiple of SECTOR_BYTES. */
  read(sector: number, into: Uint8Array): void | Promise<void>;
  /** Takes all of `from`, whose length is a multiple of SECTOR_BYTES; it may be used again when this is done. */
  write(sector: number, from: Uint8Array): void | Promise<void>;
  writeZeroes(sector: number, count: number): void | Promise<void>;
  /** All that was written before is durable when this is done. */
  flush(): void | Promise<void>;
  /** Gives back what the disk holds of the host. Whoever made a disk closes it. */
  close(): void | Promise<void>;
}

/** `next` when `first` is done: at once if that was. */
export function after<T>(first: void | Promise<void>, next: () => T | Promise<T>): T | Promise<T> {
  return first instanceof Promise ? first.then(next) : next();
}
