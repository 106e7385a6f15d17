import type { GuestMemory, Stateful } from "../devices/device.ts";
import { type DescriptorChain, DESCRIPTOR_BYTES, readChain } from "./descriptor-chain.ts";

/** Offsets in both rings; VIRTIO 1.2, 2.7.6 and 2.7.8. */
const Ring = { FLAGS: 0, INDEX: 2, ENTRIES: 4 } as const;
const AVAILABLE_ENTRY_BYTES = 2;
const USED_ENTRY_BYTES = 8;
/** Behind the entries of either ring: the index at which the other side wants to be told. */
const EVENT_BYTES = 2;
/** Flag of the available ring: the driver wants no interrupts. */
const NO_INTERRUPT = 1;
/** Alignment of descriptor table, available and used ring; VIRTIO 1.2, 2.7. */
const Alignment = { TABLE: 16, AVAILABLE: 2, USED: 4 } as const;

/** What a queue tells its transport. */
export interface VirtqueueHost {
  /** the driver wants to be told of used buffers */
  interrupt(): void;
  /** the rings hold what they must not: the device needs a reset */
  broken(reason: string): void;
}

/** Guest-physical addresses of a queue's three areas. */
export interface VirtqueueAreas {
  readonly table: number;
  readonly available: number;
  readonly used: number;
}

export interface VirtqueueState {
  readonly size: number;
  readonly areas: VirtqueueAreas;
  readonly ready: boolean;
  readonly failed: boolean;
  readonly indirect: boolean;
  readonly eventIndex: boolean;
  readonly nextAvailable: number;
  readonly nextUsed: number;
  readonly signalled: number;
}

interface Views {
  readonly table: DataView;
  readonly available: DataView;
  readonly used: DataView;
}

/**
 * A split virtqueue: VIRTIO 1.2, 2.7, with indirect descriptors (2.7.5.3) and event indexes (2.7.7.1, 2.7.10) where they were agreed on.
 *
 * What the guest puts into the rings is checked before it is used. A queue that finds something wrong says so once, and gives and
 * takes nothing more until it is reset.
 *
 * Not modelled: packed virtqueues, reset of a single queue.
 */
export class Virtqueue implements Stateful<VirtqueueState> {
  readonly maximumSize: number;
  readonly #memory: GuestMemory;
  readonly #host: VirtqueueHost;
  #size: number;
  #areas: VirtqueueAreas = NOWHERE;
  #views: Views | undefined;
  #failed = false;
  #indirect = false;
  #eventIndex = false;
  /** indexes run through 16 bits, and wrap */
  #nextAvailable = 0;
  #nextUsed = 0;
  /** value of #nextUsed when it was last decided whether to interrupt */
  #signalled = 0;

  /** @param maximumSize a power of two, at most 32768 */
  constructor(memory: GuestMemory, maximumSize: number, host: VirtqueueHost) {
    this.#memory = memory;
    this.maximumSize = maximumSize;
    this.#size = maximumSize;
    this.#host = host;
  }

  // ---- transport ----

  get size(): number {
    return this.#size;
  }

  get areas(): VirtqueueAreas {
    return this.#areas;
  }

  get ready(): boolean {
    return this.#views !== undefined;
  }

  /** Sizes that no queue can have are ignored. */
  setSize(size: number): void {
    const possible = size > 0 && size <= this.maximumSize && (size & (size - 1)) === 0;
    if (possible && !this.ready) this.#size = size;
  }

  setAreas(areas: Partial<VirtqueueAreas>): void {
    if (!this.ready) this.#areas = { ...this.#areas, ...areas };
  }

  /** Takes the queue into use; its areas must be in RAM. */
  enable(features: { readonly indirect: boolean; readonly eventIndex: boolean }): void {
    if (this.ready || this.#failed) return;
    this.#indirect = features.indirect;
    this.#eventIndex = features.eventIndex;
    this.#views = this.#viewsOfAreas();
    if (!this.#views) this.#fail("the rings are not in RAM, or not aligned");
  }

  reset(): void {
    this.#size = this.maximumSize;
    this.#areas = NOWHERE;
    this.#views = undefined;
    this.#failed = false;
    this.#nextAvailable = this.#nextUsed = this.#signalled = 0;
  }

  // ---- device ----

  /** The next chain that the driver made available; undefined when there is none. */
  pop(): DescriptorChain | undefined {
    const views = this.#views;
    if (!views || this.#failed) return undefined;
    const { available, used } = views;
    let waiting = (available.getUint16(Ring.INDEX, true) - this.#nextAvailable) & 0xffff;
    if (waiting === 0) {
      if (!this.#eventIndex) return undefined;
      // The driver is to tell of the next one. It may have added some before it could see this.
      this.#writeUsed16(Ring.ENTRIES + this.#size * USED_ENTRY_BYTES, this.#nextAvailable, used);
      waiting = (available.getUint16(Ring.INDEX, true) - this.#nextAvailable) & 0xffff;
      if (waiting === 0) return undefined;
    }
    if (waiting > this.#size) return this.#fail(`${waiting} entries are available in a ring of ${this.#size}`);
    // Indexes count what was taken and what was given back. A driver that repeats chains could have a slow device pile up work.
    const unfinished = (this.#nextAvailable - this.#nextUsed) & 0xffff;
    if (unfinished >= this.#size) return this.#fail(`more than ${this.#size} chains are in the device's hands`);
    const entry = Ring.ENTRIES + (this.#nextAvailable & (this.#size - 1)) * AVAILABLE_ENTRY_BYTES;
    const head = available.getUint16(entry, true);
    const chain = this.chainAt(head);
    if (chain) this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return chain;
  }

  /** A chain that was taken before, by its head: for work that a snapshot found unfinished. */
  chainAt(head: number): DescriptorChain | undefined {
    const views = this.#views;
    if (!views || this.#failed) return undefined;
    const { table } = views;
    const chain = readChain({ memory: this.#memory, table, indirect: this.#indirect }, head);
    return typeof chain === "string" ? this.#fail(chain) : chain;
  }

  /**
   * Gives a chain back to the driver; `signal` tells it.
   *
   * @param writtenBytes bytes that the device wrote, from the start of the chain's writable buffers
   */
  push({ head }: Pick<DescriptorChain, "head">, writtenBytes: number): void {
    const views = this.#views;
    if (!views || this.#failed) return;
    const { used } = views;
    const at = Ring.ENTRIES + (this.#nextUsed & (this.#size - 1)) * USED_ENTRY_BYTES;
    used.setUint32(at, head, true);
    used.setUint32(at + 4, writtenBytes, true);
    this.#memory.written(this.#areas.used + at, USED_ENTRY_BYTES);
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff;
    // The index last: whoever sees it sees the entry.
    this.#writeUsed16(Ring.INDEX, this.#nextUsed, used);
  }

  /** Interrupts the driver, if chains were given back and it wants to know. */
  signal(): void {
    const views = this.#views;
    if (!views || this.#failed || this.#nextUsed === this.#signalled) return;
    const { available } = views;
    const before = this.#signalled;
    this.#signalled = this.#nextUsed;
    if (this.#eventIndex) {
      // VIRTIO 1.2, 2.7.7.2: only if the index that the driver waits for was passed since the last time.
      const event = available.getUint16(Ring.ENTRIES + this.#size * AVAILABLE_ENTRY_BYTES, true);
      const passed = ((this.#nextUsed - event - 1) & 0xffff) < ((this.#nextUsed - before) & 0xffff);
      if (passed) this.#host.interrupt();
    } else if (!(available.getUint16(Ring.FLAGS, true) & NO_INTERRUPT)) this.#host.interrupt();
  }

  /** The device found in a chain what a driver must not ask for. */
  fail(reason: string): void {
    this.#fail(reason);
  }

  #fail(reason: string): undefined {
    if (this.#failed) return;
    this.#failed = true;
    this.#host.broken(reason);
  }

  #writeUsed16(offset: number, value: number, used: DataView): void {
    used.setUint16(offset, value, true);
    this.#memory.written(this.#areas.used + offset, 2);
  }

  #viewsOfAreas(): Views | undefined {
    const { table, available, used } = this.#areas;
    const size = this.#size;
    if (table % Alignment.TABLE || available % Alignment.AVAILABLE || used % Alignment.USED) return undefined;
    const tableBytes = this.#view(table, size * DESCRIPTOR_BYTES);
    const availableBytes = this.#view(available, Ring.ENTRIES + size * AVAILABLE_ENTRY_BYTES + EVENT_BYTES);
    const usedBytes = this.#view(used, Ring.ENTRIES + size * USED_ENTRY_BYTES + EVENT_BYTES);
    if (!tableBytes || !availableBytes || !usedBytes) return undefined;
    return { table: tableBytes, available: availableBytes, used: usedBytes };
  }

  #view(gpa: number, byteLength: number): DataView | undefined {
    const bytes = this.#memory.slice(gpa, byteLength);
    return bytes && new DataView(bytes.buffer, bytes.byteOffset, byteLength);
  }

  save(): VirtqueueState {
    return {
      size: this.#size,
      areas: this.#areas,
      ready: this.ready,
      failed: this.#failed,
      indirect: this.#indirect,
      eventIndex: this.#eventIndex,
      nextAvailable: this.#nextAvailable,
      nextUsed: this.#nextUsed,
      signalled: this.#signalled,
    };
  }
  restore(state: VirtqueueState): void {
    this.#size = state.size;
    this.#areas = state.areas;
    this.#failed = state.failed;
    this.#indirect = state.indirect;
    this.#eventIndex = state.eventIndex;
    this.#nextAvailable = state.nextAvailable;
    this.#nextUsed = state.nextUsed;
    this.#signalled = state.signalled;
    this.#views = state.ready ? this.#viewsOfAreas() : undefined;
  }
}

const NOWHERE: VirtqueueAreas = { table: 0, available: 0, used: 0 };
