import { invariant } from "../abi/invariant.ts";
import { PciSlot, pciSlotBase } from "../board-map.ts";
import type { Place } from "../board.ts";
import type { GuestMemory, Tracer } from "../devices/device.ts";
import { ConfigRegister } from "../devices/pci/config-space.ts";
import type { PciBus } from "../devices/pci/pci-bus.ts";
import type { Disk } from "../disk/disk.ts";
import { VirtioBlock } from "./block.ts";
import { VirtioConsole, type ConsoleSize } from "./console.ts";
import { VirtioEntropy } from "./entropy.ts";
import { MSIX_BAR, STRUCTURE_BAR } from "./pci-registers.ts";
import type { VirtioDevice } from "./virtio-device.ts";
import { VirtioPci } from "./virtio-pci.ts";

/** Disks that there are slots for. */
export const MAXIMUM_DISKS = PciSlot.LAST_DISK - PciSlot.FIRST_DISK + 1;

/** Which virtio devices a board has. The entropy device is always there. */
export interface VirtioOptions {
  /** 64 random bits for the entropy device */
  readonly random64: () => bigint;
  /** at most MAXIMUM_DISKS */
  readonly disks?: readonly Disk[];
  readonly onDiskError?: (error: unknown) => void;
  readonly console?: { readonly onOutput: (bytes: Uint8Array) => void; readonly size?: ConsoleSize };
}

/** The part of a board that takes devices. */
export interface DeviceBoard {
  readonly pci: PciBus;
  add(place: Place): void;
}

/**
 * Puts virtio devices into their slots, their base address registers set as firmware would.
 *
 * @returns the console, if there is one
 */
export function addVirtioDevices(
  board: DeviceBoard,
  memory: GuestMemory,
  { random64, disks = [], onDiskError, console }: VirtioOptions,
  trace: Tracer,
): VirtioConsole | undefined {
  invariant(disks.length <= MAXIMUM_DISKS, `${disks.length} disks are more than there are slots`);
  const add = (name: string, slot: number, device: VirtioDevice): void => {
    const transport = new VirtioPci(device, memory, trace);
    const { function: pciFunction } = transport;
    const base = pciSlotBase(slot);
    pciFunction.writeConfig(ConfigRegister.BAR0 + STRUCTURE_BAR.index * 4, 4, base);
    pciFunction.writeConfig(ConfigRegister.BAR0 + MSIX_BAR * 4, 4, base + STRUCTURE_BAR.bytes);
    board.pci.add(slot, pciFunction);
    // The bus reaches its registers; the table holds its state.
    board.add({ name, device: transport });
  };
  add("virtioEntropy", PciSlot.ENTROPY, new VirtioEntropy(random64));
  const virtioConsole = console && new VirtioConsole(console.onOutput, console.size);
  if (virtioConsole) add("virtioConsole", PciSlot.CONSOLE, virtioConsole);
  disks.forEach((disk, index) => {
    const device = new VirtioBlock(disk, { ...(onDiskError && { onError: onDiskError }) });
    add(`virtioDisk${index}`, PciSlot.FIRST_DISK + index, device);
  });
  return virtioConsole;
}
