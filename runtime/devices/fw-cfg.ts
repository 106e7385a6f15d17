import { invariant } from "../abi/invariant.ts";
import { OPEN_BUS, type AccessSize, type GuestMemory, type PortDevice, type Stateful } from "./device.ts";
import type { RefusedStats, Refusing } from "./refused.ts";

const PORT_SELECTOR = 0x510;
const PORT_DATA = 0x511;
const PORT_DMA = 0x514;

/** Keys that have a meaning; QEMU docs/specs/fw_cfg.rst, and what its firmware reads. */
export const FwCfgKey = {
  SIGNATURE: 0x00,
  ID: 0x01,
  RAM_SIZE: 0x03,
  PROCESSORS: 0x05,
  MAXIMUM_PROCESSORS: 0x0f,
  FILE_DIRECTORY: 0x19,
  FIRST_FILE: 0x20,
} as const;
/** Selector bits above the key: 14 = write (obsolete), 15 = architecture-specific keys. */
const KEY_MASK = 0x3fff;
const ARCHITECTURE = 0x8000;
/** Interface identification: the ports, and DMA. */
const ID = 0x3;
/** What the DMA address register reads as, big-endian: "QEMU CFG". */
const DMA_SIGNATURE = [0x5145_4d55, 0x2043_4647] as const;

/** Control field of a DMA request. */
const Dma = { ERROR: 1, READ: 2, SKIP: 4, SELECT: 8, WRITE: 16 } as const;
const REQUEST_BYTES = 16;

const NAME_BYTES = 56;
const DIRECTORY_ENTRY_BYTES = 64;

export interface FwCfgOptions {
  readonly ramBytes: number;
  readonly processors: number;
}

export interface FwCfgState {
  readonly key: number;
  readonly offset: number;
  readonly addressHigh: number;
}

/**
 * Firmware configuration device: selector (0x510, 16 bits), data (0x511), DMA (0x514, two big-endian halves).
 * Reference: QEMU docs/specs/fw_cfg.rst.
 *
 * Not modelled: writable items (a write by DMA ends with an error).
 */
export class FwCfg implements PortDevice, Refusing, Stateful<FwCfgState> {
  readonly #memory: GuestMemory;
  readonly #items = new Map<number, Uint8Array>();
  readonly #files: { readonly name: string; readonly content: Uint8Array }[] = [];
  #key = 0;
  #offset = 0;
  #addressHigh = 0;
  #refusedTransfers = 0;

  constructor(memory: GuestMemory, { ramBytes, processors }: FwCfgOptions) {
    this.#memory = memory;
    this.setItem(FwCfgKey.SIGNATURE, new TextEncoder().encode("QEMU"));
    this.setItem(FwCfgKey.ID, littleEndian(ID, 4));
    this.setItem(FwCfgKey.RAM_SIZE, littleEndian(ramBytes, 8));
    this.setItem(FwCfgKey.PROCESSORS, littleEndian(processors, 2));
    this.setItem(FwCfgKey.MAXIMUM_PROCESSORS, littleEndian(processors, 2));
    this.#writeDirectory();
  }

  /** Sets what is read under a key. */
  setItem(key: number, content: Uint8Array): void {
    this.#items.set(key, content);
  }

  /** Adds a file, or replaces the one of that name: at most 55 characters of ASCII, "opt/..." for those of users. */
  addFile(name: string, content: Uint8Array): void {
    invariant(name.length > 0 && name.length < NAME_BYTES, `fw_cfg file name "${name}" has ${name.length} characters`);
    const index = this.#files.findIndex((file) => file.name === name);
    const at = index < 0 ? this.#files.length : index;
    this.#files[at] = { name, content };
    this.setItem(FwCfgKey.FIRST_FILE + at, content);
    this.#writeDirectory();
  }

  get refused(): Partial<RefusedStats> {
    return { transfers: this.#refusedTransfers };
  }

  readPort(port: number, size: AccessSize): number {
    if (port === PORT_DATA) return this.#readByte();
    if (port < PORT_DMA) return OPEN_BUS;
    const half = DMA_SIGNATURE[port < PORT_DMA + 4 ? 0 : 1];
    // The bytes lie in memory order: the first is the most significant.
    const shifted = swap32(half) >>> ((port & 3) * 8);
    return size === 4 ? shifted : shifted & 0xffff;
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port === PORT_SELECTOR && size === 2) this.#select(value);
    else if (port === PORT_DMA && size === 4) this.#addressHigh = swap32(value);
    else if (port === PORT_DMA + 4 && size === 4) {
      const gpa = this.#addressHigh * 2 ** 32 + swap32(value);
      this.#addressHigh = 0;
      this.#transfer(gpa);
    }
    // Writes to the data port were for writable items, which there are none of.
  }

  #select(selector: number): void {
    this.#key = selector & (KEY_MASK | ARCHITECTURE);
    this.#offset = 0;
  }

  /** Beyond the end of an item, and where there is none, everything reads as 0. */
  #readByte(): number {
    return this.#items.get(this.#key)?.[this.#offset++] ?? 0;
  }

  #transfer(gpa: number): void {
    const bytes = this.#memory.slice(gpa, REQUEST_BYTES);
    // Without a request in RAM there is nowhere to put the error.
    if (!bytes) {
      this.#refusedTransfers++;
      return;
    }
    const request = new DataView(bytes.buffer, bytes.byteOffset, REQUEST_BYTES);
    const control = request.getUint32(0);
    const length = request.getUint32(4);
    const target = request.getUint32(8) * 2 ** 32 + request.getUint32(12);
    if (control & Dma.SELECT) this.#select(control >>> 16);
    const done = this.#execute(control, target, length);
    request.setUint32(0, done ? 0 : Dma.ERROR);
    this.#memory.written(gpa, 4);
  }

  /** Reading is preferred to writing, and that to skipping; a request with none of them only selects. */
  #execute(control: number, target: number, length: number): boolean {
    if (control & Dma.READ) {
      if (length === 0) return true;
      const into = this.#memory.slice(target, length);
      if (!into) {
        this.#refusedTransfers++;
        return false;
      }
      const content = this.#items.get(this.#key)?.subarray(this.#offset, this.#offset + length) ?? new Uint8Array();
      into.set(content);
      into.fill(0, content.length);
      this.#memory.written(target, length);
    } else if (control & Dma.WRITE) return false;
    else if (!(control & Dma.SKIP)) return true;
    this.#offset += length;
    return true;
  }

  #writeDirectory(): void {
    const directory = new DataView(new ArrayBuffer(4 + this.#files.length * DIRECTORY_ENTRY_BYTES));
    directory.setUint32(0, this.#files.length);
    this.#files.forEach(({ name, content }, index) => {
      const at = 4 + index * DIRECTORY_ENTRY_BYTES;
      directory.setUint32(at, content.length);
      directory.setUint16(at + 4, FwCfgKey.FIRST_FILE + index);
      new Uint8Array(directory.buffer, at + 8, NAME_BYTES).set(
        new TextEncoder().encode(name).subarray(0, NAME_BYTES - 1),
      );
    });
    this.setItem(FwCfgKey.FILE_DIRECTORY, new Uint8Array(directory.buffer));
  }

  /** Items are the configuration of the machine, and not part of its state. */
  save(): FwCfgState {
    return { key: this.#key, offset: this.#offset, addressHigh: this.#addressHigh };
  }
  restore({ key, offset, addressHigh }: FwCfgState): void {
    this.#key = key;
    this.#offset = offset;
    this.#addressHigh = addressHigh;
  }
}

function littleEndian(value: number, byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => Math.floor(value / 256 ** index) % 256);
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
