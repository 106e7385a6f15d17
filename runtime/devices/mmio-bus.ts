import type { GpaRange } from "../board-map.ts";
import type { PhysicalBus } from "../cpu/processor.ts";
import { OPEN_BUS, type AccessSize, type MmioDevice } from "./device.ts";

interface Claim {
  readonly device: MmioDevice;
  readonly first: number;
  readonly end: number;
}

/**
 * Guest-physical addresses that are no RAM.
 *
 * An access of any length and alignment becomes naturally aligned ones of 1, 2 or 4 bytes at ascending addresses; 8 bytes are two of
 * 4, as on a 32-bit bus. Addresses that nobody claimed read as all ones and ignore writes.
 */
export class MmioBus implements PhysicalBus {
  readonly #memory: DataView;
  /** latest claim first */
  readonly #claims: Claim[] = [];
  /** of the last access: most go to the same device again */
  #last: Claim = NOBODY;
  /** aligned accesses to addresses of no device */
  unclaimed = 0;

  /** @param memory the linear memory in which `read` and `write` find the bytes of an access */
  constructor(memory: DataView) {
    this.#memory = memory;
  }

  /**
   * Gives addresses to a device, also ones that another had: the latest claim wins.
   *
   * @returns gives them back
   */
  claim({ first, bytes }: GpaRange, device: MmioDevice): () => void {
    const claim: Claim = { device, first, end: first + bytes };
    this.#claims.unshift(claim);
    this.#last = NOBODY;
    return () => {
      const index = this.#claims.indexOf(claim);
      if (index >= 0) this.#claims.splice(index, 1);
      this.#last = NOBODY;
    };
  }

  read(gpa: number, offset: number, byteLength: number): void {
    const memory = this.#memory;
    for (let at = 0; at < byteLength;) {
      const size = pieceAt(gpa + at, byteLength - at);
      const value = this.load(gpa + at, size);
      if (size === 4) memory.setUint32(offset + at, value, true);
      else if (size === 2) memory.setUint16(offset + at, value, true);
      else memory.setUint8(offset + at, value);
      at += size;
    }
  }

  write(gpa: number, offset: number, byteLength: number): void {
    const memory = this.#memory;
    for (let at = 0; at < byteLength;) {
      const size = pieceAt(gpa + at, byteLength - at);
      const from = offset + at;
      const value =
        size === 4 ? memory.getUint32(from, true) : size === 2 ? memory.getUint16(from, true) : memory.getUint8(from);
      this.store(gpa + at, size, value);
      at += size;
    }
  }

  /** One aligned access. */
  load(gpa: number, size: AccessSize): number {
    const claim = this.#find(gpa, size);
    if (!claim) this.unclaimed++;
    const value = claim ? claim.device.readMmio(gpa - claim.first, size) : OPEN_BUS;
    return size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff);
  }

  /** One aligned access. */
  store(gpa: number, size: AccessSize, value: number): void {
    const claim = this.#find(gpa, size);
    if (claim) claim.device.writeMmio(gpa - claim.first, size, value);
    else this.unclaimed++;
  }

  #find(gpa: number, size: number): Claim | undefined {
    const last = this.#last;
    if (gpa >= last.first && gpa + size <= last.end) return last;
    const found = this.#claims.find(({ first, end }) => gpa >= first && gpa + size <= end);
    // Claims may overlap, and then the last one found is not always the first that matches.
    const alone =
      found && !this.#claims.some((other) => other !== found && other.first < found.end && found.first < other.end);
    if (alone) this.#last = found;
    return found;
  }
}

const NOBODY: Claim = { device: { readMmio: () => OPEN_BUS, writeMmio: () => {} }, first: -1, end: -1 };

function pieceAt(gpa: number, byteLength: number): AccessSize {
  if (gpa % 4 === 0 && byteLength >= 4) return 4;
  return gpa % 2 === 0 && byteLength >= 2 ? 2 : 1;
}
