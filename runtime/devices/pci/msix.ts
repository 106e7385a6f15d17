import { invariant } from "../../abi/invariant.ts";
import type { AccessSize, MmioDevice, Stateful } from "../device.ts";
import { CapabilityId } from "./config-space.ts";
import type { PciFunction } from "./pci-function.ts";

/** Message control; PCI Local Bus Specification 3.0, 6.8.2.3. */
const Control = { ENABLE: 0x8000, MASK_ALL: 0x4000 } as const;
/** A vector of the table, four double words: address, upper address, data, control. */
const ENTRY_BYTES = 16;
const Entry = { ADDRESS: 0, UPPER_ADDRESS: 1, DATA: 2, CONTROL: 3 } as const;
const MASKED = 1;

export const MSIX_MAXIMUM_VECTORS = 128;
/** Where the pending bits are, behind the largest table. */
const PENDING_OFFSET = MSIX_MAXIMUM_VECTORS * ENTRY_BYTES;
/** Bytes of the base address register that the structure needs. */
export const MSIX_BYTES = 4096;

export interface MsixState {
  readonly table: readonly number[];
  readonly pending: readonly number[];
}

/**
 * MSI-X: the capability, the table of vectors and the pending bits of one function. PCI Local Bus Specification 3.0, 6.8.2.
 *
 * It is made first, given to the function as the target of a memory BAR of MSIX_BYTES, and then attached.
 *
 * Not modelled: the upper address (there is no memory above 4 GiB to send interrupts to), steering tags.
 */
export class Msix implements MmioDevice, Stateful<MsixState> {
  readonly vectors: number;
  readonly #table: Uint32Array;
  readonly #pending = new Uint32Array(MSIX_MAXIMUM_VECTORS / 32);
  #function: PciFunction | undefined;
  #capability = 0;

  constructor(vectors: number) {
    invariant(vectors > 0 && vectors <= MSIX_MAXIMUM_VECTORS, `MSI-X table of ${vectors} vectors`);
    this.vectors = vectors;
    this.#table = new Uint32Array(vectors * 4);
    for (let vector = 0; vector < vectors; vector++) this.#table[vector * 4 + Entry.CONTROL] = MASKED;
  }

  /** Adds the capability to the function; `bar` is the index of the register through which this is reached. */
  attach(pciFunction: PciFunction, bar: number): void {
    const content = new DataView(new ArrayBuffer(10));
    content.setUint16(0, this.vectors - 1, true);
    content.setUint32(2, bar, true);
    content.setUint32(6, PENDING_OFFSET | bar, true);
    const writable = new Uint8Array(10);
    writable[1] = (Control.ENABLE | Control.MASK_ALL) >> 8;
    this.#function = pciFunction;
    this.#capability = pciFunction.addCapability(CapabilityId.MSI_X, new Uint8Array(content.buffer), writable, {
      afterWrite: () => this.#sendPending(),
    });
  }

  /** Switched on: the function does not use INTx#. */
  get enabled(): boolean {
    return (this.#control & Control.ENABLE) !== 0;
  }

  /** Sends the interrupt of a vector, or notes it while it is masked. */
  notify(vector: number): void {
    if (vector >= this.vectors || !this.enabled) return;
    if (this.#masked(vector)) this.#setPending(vector, true);
    else this.#send(vector);
  }

  readMmio(offset: number, size: AccessSize): number {
    const word = offset >> 2;
    const value = offset >= PENDING_OFFSET ? this.#pending[word - PENDING_OFFSET / 4] : this.#table[word];
    return ((value ?? 0) >>> ((offset & 3) * 8)) & (size === 4 ? -1 : size === 2 ? 0xffff : 0xff);
  }

  writeMmio(offset: number, size: AccessSize, value: number): void {
    // The table takes double words only; the pending bits are read-only.
    if (size !== 4 || offset >= this.#table.byteLength) return;
    const word = offset >> 2;
    this.#table[word] = (word & 3) === Entry.CONTROL ? value & MASKED : value;
    this.#sendPending();
  }

  get #control(): number {
    return this.#function?.config.read(this.#capability + 2, 2) ?? 0;
  }

  #masked(vector: number): boolean {
    const all = (this.#control & Control.MASK_ALL) !== 0;
    return all || ((this.#table[vector * 4 + Entry.CONTROL] ?? MASKED) & MASKED) !== 0;
  }

  #setPending(vector: number, pending: boolean): void {
    const bit = 1 << (vector & 31);
    const word = this.#pending[vector >> 5] ?? 0;
    this.#pending[vector >> 5] = pending ? word | bit : word & ~bit;
  }

  #sendPending(): void {
    if (!this.enabled) return;
    for (let vector = 0; vector < this.vectors; vector++) {
      if (!((this.#pending[vector >> 5] ?? 0) & (1 << (vector & 31))) || this.#masked(vector)) continue;
      this.#setPending(vector, false);
      this.#send(vector);
    }
  }

  #send(vector: number): void {
    this.#function?.sendMsi(this.#table[vector * 4 + Entry.ADDRESS] ?? 0, this.#table[vector * 4 + Entry.DATA] ?? 0);
  }

  save(): MsixState {
    return { table: [...this.#table], pending: [...this.#pending] };
  }
  restore({ table, pending }: MsixState): void {
    this.#table.set(table);
    this.#pending.set(pending);
  }
}
