import type { GuestMemory, Stateful } from "../devices/device.ts";
import type { RefusedStats } from "../devices/refused.ts";
import type { Virtqueue } from "./virtqueue.ts";

/** Device types; VIRTIO 1.2, chapter 5. */
export const DeviceType = { BLOCK: 2, CONSOLE: 3, ENTROPY: 4 } as const;

/** Feature bits that are not a device's own; VIRTIO 1.2, chapter 6. */
export const Feature = {
  INDIRECT_DESC: 1n << 28n,
  EVENT_IDX: 1n << 29n,
  VERSION_1: 1n << 32n,
} as const;

/** Device status; VIRTIO 1.2, 2.1. */
export const DeviceStatus = {
  ACKNOWLEDGE: 1,
  DRIVER: 2,
  DRIVER_OK: 4,
  FEATURES_OK: 8,
  NEEDS_RESET: 64,
  FAILED: 128,
} as const;

/** What a transport gives to the device that it carries. */
export interface VirtioPort {
  readonly memory: GuestMemory;
  readonly queues: readonly Virtqueue[];
  /** the driver is ready, and the device may use its queues */
  readonly running: boolean;
  /** feature bits that driver and device agreed on */
  readonly features: bigint;
  /** the device changed its configuration: the driver is told */
  configurationChanged(): void;
}

/**
 * A virtio device without its transport: what VIRTIO 1.2, chapter 5 says of its type.
 *
 * Between `connect` and the next `reset` a device uses its queues only while the port is running. `save` and `restore` hold what
 * the device itself remembers; the transport keeps queues and features.
 */
export interface VirtioDevice extends Stateful<unknown> {
  /** for traces */
  readonly name: string;
  readonly type: number;
  /** PCI class, subclass, programming interface */
  readonly classCode: number;
  /** feature bits of the device's own */
  readonly features: bigint;
  /** largest size of each queue, powers of two */
  readonly queueSizes: readonly number[];
  /** what the device has refused, besides what its transport has */
  readonly refused?: Partial<RefusedStats>;
  /** configuration space as it is now, little-endian */
  configuration(): Uint8Array;
  /** Once, before anything else. */
  connect(port: VirtioPort): void;
  /** The driver made buffers of a queue available. */
  notify(queue: number): void;
  /** The driver is ready, now. */
  start?(): void;
  /** The driver gave the device up: whatever is under way must not touch the queues any more. */
  reset(): void;
}
