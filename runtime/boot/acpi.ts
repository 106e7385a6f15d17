import { invariant } from "../abi/invariant.ts";
import {
  gsiOfIsaIrq,
  IO_APIC_ID,
  ISA_TO_GSI,
  IsaIrq,
  LEVEL_IRQS,
  Mmio,
  PM_TIMER_BITS,
  Ports,
  RESET_VALUE,
} from "../board-map.ts";
import { join, littleEndian } from "./aml.ts";
import { dsdtBody, type VirtioMmioDevice } from "./dsdt.ts";
import type { GuestMemory } from "./loaded-image.ts";
import { FIRMWARE_AREA } from "./low-memory.ts";

export interface AcpiOptions {
  /** 1 (default) to 64; their local APIC IDs are 0 to processors - 1 */
  readonly processors?: number;
  /** announce an 8042 with a keyboard; default false: guests need not wait for one to answer */
  readonly keyboard?: boolean;
  readonly virtioMmio?: readonly VirtioMmioDevice[];
}

export interface AcpiTable {
  /** "RSD PTR " for the root pointer */
  readonly signature: string;
  readonly gpa: number;
  readonly bytes: Uint8Array;
}

export interface AcpiTables {
  /** guest-physical address of the root pointer */
  readonly rsdp: number;
  readonly tables: readonly AcpiTable[];
}

const OEM_ID = "UMBRA ";
const OEM_TABLE_ID = "UMBRA   ";
const CREATOR_ID = "UMBR";
const HEADER_BYTES = 36;

/**
 * Makes the ACPI tables that describe the board: RSDP, XSDT, FADT, FACS, DSDT and MADT.
 *
 * All lie in FIRMWARE_AREA, where also guests that were not told of the root pointer search for it. The same options give the same
 * bytes.
 *
 * @see ACPI Specification 6.5, chapter 5.2
 */
export function buildAcpiTables(options: AcpiOptions = {}): AcpiTables {
  const { processors = 1, keyboard = false, virtioMmio = [] } = options;
  invariant(processors >= 1 && processors <= 64, `${processors} processors`);
  const tables: AcpiTable[] = [];
  // The root pointer comes first: it is where a search from below finds it at once.
  const rsdp: number = FIRMWARE_AREA.first;
  let next = rsdp + RSDP_BYTES;
  const place = (signature: string, bytes: Uint8Array, alignment = 16): number => {
    const gpa = Math.ceil(next / alignment) * alignment;
    next = gpa + bytes.length;
    invariant(next <= FIRMWARE_AREA.first + FIRMWARE_AREA.bytes, "the ACPI tables fit into the firmware area");
    tables.push({ signature, gpa, bytes });
    return gpa;
  };

  const facs = place("FACS", firmwareControlStructure(), 64);
  const dsdt = place("DSDT", table("DSDT", 2, dsdtBody({ processors, keyboard, virtioMmio })));
  const entries = [place("FACP", fixedDescription({ facs, dsdt, keyboard })), place("APIC", multipleApics(processors))];
  const xsdt = place("XSDT", table("XSDT", 1, join(...entries.map((gpa) => littleEndian(gpa, 8)))));
  tables.unshift({ signature: "RSD PTR ", gpa: rsdp, bytes: rootPointer(xsdt) });
  return { rsdp, tables };
}

/** Puts the tables where they belong, and returns the address of the root pointer. */
export function writeAcpiTables(memory: GuestMemory, { rsdp, tables }: AcpiTables): number {
  for (const { gpa, bytes } of tables) memory.write(gpa, bytes);
  return rsdp;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What makes all bytes add up to 0 modulo 256. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

/** A table with the common header; 5.2.6. */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = join(
    ascii(signature),
    littleEndian(HEADER_BYTES + body.length, 4),
    [revision, 0],
    ascii(OEM_ID),
    ascii(OEM_TABLE_ID),
    littleEndian(1, 4),
    ascii(CREATOR_ID),
    littleEndian(1, 4),
    body,
  );
  bytes[9] = checksum(bytes);
  return bytes;
}

const RSDP_BYTES = 36;

/** 5.2.5.3; the first checksum covers the 20 bytes that ACPI 1.0 knew. There is no RSDT: nothing that needs one is 64-bit. */
function rootPointer(xsdt: number): Uint8Array {
  const bytes = join(
    ascii("RSD PTR "),
    [0],
    ascii(OEM_ID),
    [2],
    littleEndian(0, 4),
    littleEndian(RSDP_BYTES, 4),
    littleEndian(xsdt, 8),
    [0, 0, 0, 0],
  );
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}

/** 5.2.10; without a header checksum, and the guest's to write. */
function firmwareControlStructure(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set(ascii("FACS"));
  bytes[4] = bytes.length;
  bytes[32] = 2;
  return bytes;
}

/** Generic address structure of ports; 5.2.3.2. */
function portAddress(first: number, count: number, access: number): number[] {
  const systemIo = 1;
  return [systemIo, count * 8, 0, access, ...littleEndian(first, 8)];
}

const Access = { BYTE: 1, WORD: 2, DWORD: 3 } as const;
/** FADT flags; table 5.10 */
const FadtFlag = {
  WBINVD: 1 << 0,
  PROC_C1: 1 << 2,
  /** there is no sleep button in PM1; without bit 4, which says so of the power button, there is that one */
  SLP_BUTTON: 1 << 5,
  /** RTC wake-up is not in PM1 */
  FIX_RTC: 1 << 6,
  TMR_VAL_EXT: 1 << 8,
  RESET_REG_SUP: 1 << 10,
} as const;
/** IA-PC boot architecture flags; table 5.11. */
const BootFlag = { LEGACY_DEVICES: 1 << 0, KEYBOARD_CONTROLLER: 1 << 1, NO_VGA: 1 << 2 } as const;
const CMOS_CENTURY = 0x32;
/** Latencies that say "there is no such state". */
const NO_C2 = 0xfff;
const NO_C3 = 0xfff;

interface FadtOptions {
  readonly facs: number;
  readonly dsdt: number;
  readonly keyboard: boolean;
}

/** 5.2.9. There is no SMI command port: the machine is always in ACPI mode. */
function fixedDescription({ facs, dsdt, keyboard }: FadtOptions): Uint8Array {
  const bytes = new Uint8Array(276 - HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const at = (offset: number): number => offset - HEADER_BYTES;
  const blocks = [
    { range: Ports.PM1_EVENT, old: 56, length: 88, extended: 148, access: Access.WORD },
    { range: Ports.PM1_CONTROL, old: 64, length: 89, extended: 172, access: Access.WORD },
    { range: Ports.PM_TIMER, old: 76, length: 91, extended: 208, access: Access.DWORD },
    { range: Ports.GPE0, old: 80, length: 92, extended: 220, access: Access.BYTE },
  ];
  for (const { range, old, length, extended, access } of blocks) {
    view.setUint32(at(old), range.first, true);
    view.setUint8(at(length), range.count);
    bytes.set(portAddress(range.first, range.count, access), at(extended));
  }
  view.setUint32(at(36), facs, true);
  view.setUint32(at(40), dsdt, true);
  view.setUint16(at(46), gsiOfIsaIrq(IsaIrq.SCI), true);
  view.setUint16(at(96), NO_C2, true);
  view.setUint16(at(98), NO_C3, true);
  view.setUint8(at(108), CMOS_CENTURY);
  view.setUint16(
    at(109),
    BootFlag.LEGACY_DEVICES | BootFlag.NO_VGA | (keyboard ? BootFlag.KEYBOARD_CONTROLLER : 0),
    true,
  );
  const flags =
    FadtFlag.WBINVD |
    FadtFlag.PROC_C1 |
    FadtFlag.SLP_BUTTON |
    FadtFlag.FIX_RTC |
    (Number(PM_TIMER_BITS) === 32 ? FadtFlag.TMR_VAL_EXT : 0) |
    FadtFlag.RESET_REG_SUP;
  view.setUint32(at(112), flags, true);
  bytes.set(portAddress(Ports.RESET.first, 1, Access.BYTE), at(116));
  view.setUint8(at(128), RESET_VALUE);
  view.setUint8(at(131), 5);
  // X_FIRMWARE_CTRL stays 0: only one of the two addresses of the FACS may be given.
  view.setBigUint64(at(140), BigInt(dsdt), true);
  return table("FACP", 6, bytes);
}

/** MPS INTI flags of interrupt source overrides; table 5.26 */
const ACTIVE_HIGH = 1;
const ACTIVE_LOW = 3;
const LEVEL = 3 << 2;
const CONFORMS = 0;

/** MADT; 5.2.12. */
function multipleApics(processors: number): Uint8Array {
  const pcatCompatible = 1;
  const enabled = 1;
  const localApics = Array.from({ length: processors }, (_, id) => join([0, 8, id, id], littleEndian(enabled, 4)));
  const ioApic = join([1, 12, IO_APIC_ID, 0], littleEndian(Mmio.IO_APIC.first, 4), littleEndian(0, 4));
  const irqs = new Set<number>([...Object.keys(ISA_TO_GSI).map(Number), ...LEVEL_IRQS]);
  const overrides = [...irqs]
    .sort((left, right) => left - right)
    .map((irq) => join([2, 10, 0, irq], littleEndian(gsiOfIsaIrq(irq), 4), littleEndian(triggering(irq), 2)));
  // LINT1 of every processor is NMI.
  const nmi = [4, 6, 0xff, 0, 0, 1];
  return table(
    "APIC",
    5,
    join(
      littleEndian(Mmio.LOCAL_APIC.first, 4),
      littleEndian(pcatCompatible, 4),
      ...localApics,
      ioApic,
      ...overrides,
      nmi,
    ),
  );
}

/** The SCI is ours to define; lines of PCI are active low on every board. */
function triggering(irq: number): number {
  if (!(LEVEL_IRQS as readonly number[]).includes(irq)) return CONFORMS;
  return LEVEL | (irq === IsaIrq.SCI ? ACTIVE_HIGH : ACTIVE_LOW);
}
