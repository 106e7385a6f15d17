/**
 * Where everything of the PC platform is: ports, guest-physical addresses, interrupts. Plain facts, imported by the board that
 * wires the devices, by the firmware tables that describe them to the guest, and by tests. It imports nothing.
 */

/** First port and number of ports. */
export interface PortRange {
  readonly first: number;
  readonly count: number;
}

/** First guest-physical address and number of bytes. */
export interface GpaRange {
  readonly first: number;
  readonly bytes: number;
}

/** I/O ports, as PCs have had them since the AT. */
export const Ports = {
  PIC_PRIMARY: { first: 0x20, count: 2 },
  PIT: { first: 0x40, count: 4 },
  /** i8042 data; 0x61 and 0x64 are not contiguous with it */
  I8042_DATA: { first: 0x60, count: 1 },
  /** system control port B: gate of PIT channel 2, speaker */
  SYSTEM_B: { first: 0x61, count: 1 },
  I8042_COMMAND: { first: 0x64, count: 1 },
  RTC: { first: 0x70, count: 2 },
  /** system control port A: A20, fast reset */
  SYSTEM_A: { first: 0x92, count: 1 },
  PIC_SECONDARY: { first: 0xa0, count: 2 },
  /** debug console of SeaBIOS and of small kernels: bytes written are shown */
  DEBUG_CONSOLE: { first: 0xe9, count: 1 },
  FIRMWARE_DEBUG_CONSOLE: { first: 0x402, count: 1 },
  SERIAL1: { first: 0x3f8, count: 8 },
  /** edge/level control of the two PICs */
  ELCR: { first: 0x4d0, count: 2 },
  /** fw_cfg: selector 0x510 (16-bit), data 0x511, DMA address 0x514 (high half) and 0x518 (low half) */
  FW_CFG: { first: 0x510, count: 12 },
  /** 2 bytes of status, 2 bytes of enable */
  PM1_EVENT: { first: 0x600, count: 4 },
  PM1_CONTROL: { first: 0x604, count: 2 },
  PM_TIMER: { first: 0x608, count: 4 },
  /** 2 bytes of status, 2 bytes of enable */
  GPE0: { first: 0x620, count: 4 },
  /** PCI configuration mechanism 1: address 0xcf8, data 0xcfc; the reset register 0xcf9 lies inside */
  PCI_CONFIG: { first: 0xcf8, count: 8 },
  RESET: { first: 0xcf9, count: 1 },
} as const satisfies Record<string, PortRange>;

/** What is written to Ports.RESET for a full reset (FADT RESET_VALUE). */
export const RESET_VALUE = 0x06;

/** Bits of the power-management timer: 24, so the FADT does not set TMR_VAL_EXT. */
export const PM_TIMER_BITS = 24;

/** SLP_TYP of the sleep states that PM1_CNT.SLP_EN enters (the DSDT's \_S5 package). */
export const SleepType = { S5: 5 } as const;

/** Guest-physical addresses of devices. */
export const Mmio = {
  /** where PCI memory BARs are placed, 32-bit */
  PCI_WINDOW: { first: 0xe000_0000, bytes: 0x1ec0_0000 },
  IO_APIC: { first: 0xfec0_0000, bytes: 0x1000 },
  LOCAL_APIC: { first: 0xfee0_0000, bytes: 0x1000 },
} as const satisfies Record<string, GpaRange>;

/** RAM begins at 0, is in one piece, and ends here at the latest: one WebAssembly memory of 4 GiB has no room for more. */
export const RAM_END = 0xe000_0000;

/** PCI devices on bus 0, by number. Numbers between the console and the disks are for what is to come. */
export const PciSlot = { HOST_BRIDGE: 0, ENTROPY: 1, CONSOLE: 2, FIRST_DISK: 8, LAST_DISK: 31 } as const;

/** Memory that each slot has in the window for its base address registers, as firmware would place them. */
const SLOT_BYTES = 0x1_0000;

/** Where the memory of a PCI slot begins: a multiple of its 64 KiB. */
export function pciSlotBase(slot: number): number {
  return Mmio.PCI_WINDOW.first + slot * SLOT_BYTES;
}

/** Where PCI I/O BARs are placed. The ports below belong to the devices above and to the configuration mechanism. */
export const PCI_IO_WINDOW = { first: 0xc000, count: 0x4000 } as const satisfies PortRange;

/** ISA interrupt requests: inputs of the two PICs. */
export const IsaIrq = { TIMER: 0, KEYBOARD: 1, CASCADE: 2, SERIAL1: 4, RTC: 8, SCI: 9, MOUSE: 12 } as const;

/** Interrupt lines of PCI slots: INTA# of device d is PCI_IRQS[d % 4] (INTB# the next, and so on), level, active low on the bus. */
export const PCI_IRQS = [10, 11, 10, 11] as const;

/** Pins of the I/O APIC; its first global system interrupt (GSI) is 0, so pin and GSI are the same number. */
export const IO_APIC_PINS = 24;
/** Bits that the I/O APIC's ID register holds after reset, and the MADT announces. */
export const IO_APIC_ID = 0;
/** ISA IRQs that are not at the pin of their own number: MADT interrupt source overrides. */
export const ISA_TO_GSI: Readonly<Record<number, number>> = { [IsaIrq.TIMER]: 2 };
/** ISA IRQs that are level-triggered. Lines carry "asserted", whatever polarity the MADT and the guest agree on. */
export const LEVEL_IRQS = [IsaIrq.SCI, ...new Set(PCI_IRQS)] as const;

/** GSI of an ISA IRQ. */
export function gsiOfIsaIrq(irq: number): number {
  return ISA_TO_GSI[irq] ?? irq;
}

/** IRQ (and GSI) of a PCI interrupt pin: 1 = INTA# .. 4 = INTD#. */
export function irqOfPciPin(device: number, pin: number): number {
  return PCI_IRQS[(device + pin - 1) % PCI_IRQS.length] ?? PCI_IRQS[0];
}

/** Frequencies in hertz. */
export const Frequency = {
  /** 8254: 105 / 88 MHz */
  PIT: 1_193_182,
  /** ACPI power-management timer: 3.579545 MHz */
  PM_TIMER: 3_579_545,
} as const;
