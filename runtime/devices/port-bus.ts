import type { PortBus } from "../cpu/hooks.ts";
import type { PortRange } from "../board-map.ts";
import { invariant } from "../abi/invariant.ts";
import { OPEN_BUS, type AccessSize, type PortDevice } from "./device.ts";

interface Claim {
  readonly device: PortDevice;
  readonly width: AccessSize;
  readonly first: number;
  readonly end: number;
}

/**
 * The 65,536 I/O ports. SDM Vol. 1, 19.3.
 *
 * An access that a device cannot take whole (misaligned, wider than its data path, or over the end of its ports) becomes several
 * narrower ones at ascending ports, as the bus controller of a PC makes them. Ports that nobody claimed read as all ones and ignore
 * writes.
 */
export class DevicePorts implements PortBus {
  /** index into #claims for each port, 0 = nobody */
  readonly #owner = new Uint16Array(0x1_0000);
  readonly #claims: (Claim | undefined)[] = [undefined];
  /** indexes of the claims, oldest first */
  #order: number[] = [];
  /** accesses of which some ports have no device */
  unclaimed = 0;
  /** the access under way has met such a port */
  #missed = false;

  /**
   * Gives ports to a device, also ones that another has: the latest claim wins until it is given back.
   *
   * @param width bytes of the widest access that the device takes
   * @returns gives them back
   */
  claim({ first, count }: PortRange, device: PortDevice, width: AccessSize = 1): () => void {
    invariant(first >= 0 && count > 0 && first + count <= 0x1_0000, `ports ${first}+${count} are no I/O ports`);
    const free = this.#claims.indexOf(undefined, 1);
    const index = free < 0 ? this.#claims.length : free;
    this.#claims[index] = { device, width, first, end: first + count };
    this.#order.push(index);
    this.#owner.fill(index, first, first + count);
    return () => {
      this.#claims[index] = undefined;
      this.#order = this.#order.filter((other) => other !== index);
      this.#owner.fill(0, first, first + count);
      for (const other of this.#order) {
        const claim = this.#claims[other];
        if (claim)
          this.#owner.fill(other, Math.max(first, claim.first), Math.max(first, Math.min(first + count, claim.end)));
      }
    };
  }

  read(port: number, size: AccessSize): number {
    const claim = this.#claims[this.#owner[port] ?? 0];
    if (claim && takesWhole(claim, port, size)) return readWhole(claim, port, size);
    this.#missed = false;
    const value = this.#readParts(port, size);
    if (this.#missed) this.unclaimed++;
    return value;
  }

  write(port: number, size: AccessSize, value: number): undefined {
    const claim = this.#claims[this.#owner[port] ?? 0];
    if (claim && takesWhole(claim, port, size)) return writeWhole(claim, port, size, value);
    this.#missed = false;
    this.#writeParts(port, size, value);
    if (this.#missed) this.unclaimed++;
  }

  #readParts(port: number, size: AccessSize): number {
    const claim = this.#claims[this.#owner[port] ?? 0];
    if (claim && takesWhole(claim, port, size)) return readWhole(claim, port, size);
    if (size === 1) {
      this.#missed = true;
      return OPEN_BUS & 0xff;
    }
    const half = size === 4 ? 2 : 1;
    const low = this.#readParts(port, half);
    return (low | (this.#readParts((port + half) & 0xffff, half) << (half * 8))) >>> 0;
  }

  #writeParts(port: number, size: AccessSize, value: number): void {
    const claim = this.#claims[this.#owner[port] ?? 0];
    if (claim && takesWhole(claim, port, size)) return writeWhole(claim, port, size, value);
    if (size === 1) {
      this.#missed = true;
      return;
    }
    const half = size === 4 ? 2 : 1;
    this.#writeParts(port, half, value);
    this.#writeParts((port + half) & 0xffff, half, value >>> (half * 8));
  }
}

function readWhole({ device }: Claim, port: number, size: AccessSize): number {
  const value = device.readPort(port, size);
  return size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff);
}

function writeWhole({ device }: Claim, port: number, size: AccessSize, value: number): undefined {
  device.writePort(port, size, size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff));
}

function takesWhole(claim: Claim, port: number, size: AccessSize): boolean {
  return size <= claim.width && (port & (size - 1)) === 0 && port + size <= claim.end;
}
