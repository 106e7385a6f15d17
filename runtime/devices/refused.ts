/**
 * What devices have refused the guest since it was switched on: counts. The guest sees an error, or all ones; the host sees these numbers.
 * A guest that looks for hardware has asked nobody now and then; all other counts stay 0 unless a driver is wrong, or hostile.
 */
export interface RefusedStats {
  /** virtqueues with rings or descriptors that VIRTIO does not allow: the device has set DEVICE_NEEDS_RESET; VIRTIO 1.2, 2.1.2 */
  readonly virtqueues: number;
  /** accesses to virtio registers that are none, or of another width, and notifications before DRIVER_OK; 4.1.3.1, 3.1.1 */
  readonly virtioRegisters: number;
  /** disk requests that came back as VIRTIO_BLK_S_IOERR or VIRTIO_BLK_S_UNSUPP because of what they ask for; 5.2.6 */
  readonly diskRequests: number;
  /** buffers of more than 1 MiB that the guest wrote to the virtio console: their first MiB was shown, the rest was lost */
  readonly consoleOutput: number;
  /** transfers to or from memory that is no RAM, by devices that have no status to say so: fw_cfg, kvm-clock */
  readonly transfers: number;
  /** accesses to I/O ports of which some have no device: they read as all ones */
  readonly ports: number;
  /** accesses to addresses that are neither RAM nor a device's, in pieces of at most four bytes: they read as all ones */
  readonly mmio: number;
}

/** A device that counts what it refuses. */
export interface Refusing {
  readonly refused: Partial<RefusedStats>;
}

export function isRefusing(device: object): device is Refusing {
  return "refused" in device;
}

export function sumRefused(parts: Iterable<Partial<RefusedStats>>): RefusedStats {
  const sum = { virtqueues: 0, virtioRegisters: 0, diskRequests: 0, consoleOutput: 0, transfers: 0, ports: 0, mmio: 0 };
  for (const part of parts) for (const name of Object.keys(sum) as (keyof RefusedStats)[]) sum[name] += part[name] ?? 0;
  return sum;
}
