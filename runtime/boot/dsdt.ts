import { gsiOfIsaIrq, irqOfPciPin, IsaIrq, Mmio, PCI_IO_WINDOW, Ports, SleepType } from "../board-map.ts";
import { type Aml, device, eisaId, integer, join, name, packageOf, scope, string } from "./aml.ts";
import {
  busWindow,
  isaIrq,
  levelInterrupt,
  memory,
  memoryWindow,
  ports,
  portWindow,
  resources,
} from "./aml-resources.ts";

/** A virtio device with memory-mapped registers, which Linux finds through ACPI alone. */
export interface VirtioMmioDevice {
  readonly first: number;
  readonly bytes: number;
  readonly gsi: number;
}

export interface DsdtOptions {
  /** processors; their local APIC IDs are 0 to processors - 1 */
  readonly processors: number;
  readonly keyboard: boolean;
  readonly virtioMmio: readonly VirtioMmioDevice[];
}

const PCI_DEVICES = 32;
const PCI_PINS = 4;
const PCI_BUSES = 256;
const ANY_FUNCTION = 0xffff;
/** _STA: present, enabled, shown, functioning */
const WORKING = 0xf;
/** PCI configuration mechanism 1 belongs to the host bridge itself. */
const CONFIGURATION_PORTS = Ports.PCI_CONFIG;

/** The definition block of the DSDT: everything on the board that the guest cannot find by itself. */
export function dsdtBody(options: DsdtOptions): Aml {
  return join(
    // \_S5: what to write to PM1_CNT to switch off. ACPI 6.5, 7.4.2
    name("\\_S5", packageOf(integer(SleepType.S5), integer(SleepType.S5), integer(0), integer(0))),
    scope(
      "\\_SB",
      hostBridge(),
      device(
        "COM1",
        name("_HID", eisaId("PNP0501")),
        name("_UID", integer(1)),
        name("_STA", integer(WORKING)),
        name("_CRS", resources(ports(Ports.SERIAL1), isaIrq(IsaIrq.SERIAL1))),
      ),
      device("RTC", name("_HID", eisaId("PNP0B00")), name("_CRS", resources(ports(Ports.RTC), isaIrq(IsaIrq.RTC)))),
      ...(options.keyboard ? [keyboard()] : []),
      ...Array.from({ length: options.processors }, (_, index) => processor(index)),
      ...options.virtioMmio.map(virtioMmio),
    ),
  );
}

function hostBridge(): Aml {
  return device(
    "PCI0",
    name("_HID", eisaId("PNP0A03")),
    name("_UID", integer(0)),
    name("_BBN", integer(0)),
    // Only what is free for PCI: a guest that places BARs anew must not put one on a device of the board.
    name(
      "_CRS",
      resources(
        busWindow(0, PCI_BUSES),
        ports(CONFIGURATION_PORTS),
        portWindow(PCI_IO_WINDOW),
        memoryWindow(Mmio.PCI_WINDOW),
      ),
    ),
    name("_PRT", interruptRouting()),
  );
}

/** Which input of the I/O APIC each pin of each slot is wired to. ACPI 6.5, 6.2.13 */
function interruptRouting(): Aml {
  const entries: Aml[] = [];
  for (let slot = 0; slot < PCI_DEVICES; slot++) {
    for (let pin = 0; pin < PCI_PINS; pin++) {
      const gsi = gsiOfIsaIrq(irqOfPciPin(slot, pin + 1));
      entries.push(packageOf(integer(slot * 0x1_0000 + ANY_FUNCTION), integer(pin), integer(0), integer(gsi)));
    }
  }
  return packageOf(...entries);
}

function keyboard(): Aml {
  return device(
    "KBD",
    name("_HID", eisaId("PNP0303")),
    name("_STA", integer(WORKING)),
    name("_CRS", resources(ports(Ports.I8042_DATA), ports(Ports.I8042_COMMAND), isaIrq(IsaIrq.KEYBOARD))),
  );
}

/** _UID is what the MADT calls this processor. */
function processor(index: number): Aml {
  const digits = index.toString(16).toUpperCase().padStart(3, "0");
  return device(`C${digits}`, name("_HID", string("ACPI0007")), name("_UID", integer(index)));
}

function virtioMmio(slot: VirtioMmioDevice, index: number): Aml {
  const digits = index.toString(16).toUpperCase().padStart(2, "0");
  return device(
    `VR${digits}`,
    name("_HID", string("LNRO0005")),
    name("_UID", integer(index)),
    name("_CCA", integer(1)),
    name("_CRS", resources(memory(slot), levelInterrupt(slot.gsi, "high"))),
  );
}
