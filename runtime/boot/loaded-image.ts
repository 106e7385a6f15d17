import type { SegmentRegister } from "../cpu/state-view.ts";
import { BootError, hex } from "./boot-error.ts";
import { LowMemory } from "./low-memory.ts";
import type { MemoryRange, Span } from "./memory-ranges.ts";

/** Guest-physical memory as a loader sees it, before the guest runs. */
export interface GuestMemory {
  /** Writes to RAM, or to the firmware area below 1 MiB. */
  write(gpa: number, bytes: Uint8Array): void;
}

/** What every loader needs besides the kernel itself. */
export interface BootOptions {
  readonly commandLine?: string;
  readonly initrd?: Uint8Array;
  /** ascending, as pcMemoryMap makes it */
  readonly memoryMap: readonly MemoryRange[];
  /** guest-physical address of the ACPI root pointer */
  readonly rsdp?: number;
}

/**
 * Registers with which the boot processor starts. All others are as after a reset. The names and values are those of BareState, so
 * `machine.setState(image.entry)` is all that a bare machine needs.
 */
export interface EntryState {
  readonly rax: bigint;
  readonly rbx: bigint;
  readonly rcx: bigint;
  readonly rdx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly rbp: bigint;
  readonly rsp: bigint;
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly es: SegmentRegister;
  readonly cs: SegmentRegister;
  readonly ss: SegmentRegister;
  readonly ds: SegmentRegister;
  readonly fs: SegmentRegister;
  readonly gs: SegmentRegister;
  readonly ldtr: SegmentRegister;
  readonly tr: SegmentRegister;
  readonly gdt: { readonly base: bigint; readonly limit: number };
  readonly idt: { readonly base: bigint; readonly limit: number };
}

/** What a loader has put into memory, and how to start it. */
export interface LoadedImage {
  readonly format: "linux" | "pvh" | "multiboot";
  readonly entry: EntryState;
  /** memory that the kernel needs for itself, its uninitialized data included */
  readonly kernel: Span;
  /** where the initial RAM disk or the modules went, in the order in which they were given */
  readonly modules: readonly Span[];
}

/** Selectors in the table that `writeGdt` makes. Linux asks for __BOOT_CS = 0x10 and __BOOT_DS = 0x18. */
export const Selector = { CODE: 0x10, DATA: 0x18, TASK: 0x20 } as const;

/** Attributes as in guestState.segmentAttributes: type, S, DPL, P in bits 0 to 7; AVL, L, D/B, G in bits 12 to 15. */
const CODE_64 = 0xa09b;
const CODE_32 = 0xc09b;
const DATA = 0xc093;
const BUSY_TASK = 0x008b;
const FLAT_LIMIT = 0xffff_ffff;
const TASK_LIMIT = 0x67;

/** A segment descriptor; SDM Vol. 3A, figure 3-8. `limit` counts bytes. */
function descriptor(attributes: number, limit: number): bigint {
  const field = BigInt((attributes & 0x8000) === 0 ? limit : limit >>> 12);
  return (
    (field & 0xffffn) | (BigInt(attributes & 0xff) << 40n) | ((field >> 16n) << 48n) | (BigInt(attributes >> 12) << 52n)
  );
}

/** Writes the GDT, and returns what GDTR holds. */
function writeGdt(memory: GuestMemory, code: number): { readonly base: bigint; readonly limit: number } {
  const entries = [
    0n,
    0n,
    descriptor(code, FLAT_LIMIT),
    descriptor(DATA, FLAT_LIMIT),
    descriptor(BUSY_TASK, TASK_LIMIT),
    0n,
  ];
  memory.write(LowMemory.GDT, new Uint8Array(BigUint64Array.from(entries).buffer));
  return { base: BigInt(LowMemory.GDT), limit: entries.length * 8 - 1 };
}

const PRESENT_WRITABLE = 3n;
const LARGE_PAGE = 0x80n;
const TABLE_BYTES = 0x1000;
const DIRECTORIES = 4;

/** Writes page tables that map the first 4 GiB to themselves, and returns their root (CR3). SDM Vol. 3A, 4.5. */
function writeIdentityTables(memory: GuestMemory): bigint {
  const root = LowMemory.PAGE_TABLES;
  const tables = new BigUint64Array((2 + DIRECTORIES) * 512);
  tables[0] = BigInt(root + TABLE_BYTES) | PRESENT_WRITABLE;
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    tables[512 + directory] = BigInt(root + (2 + directory) * TABLE_BYTES) | PRESENT_WRITABLE;
  }
  for (let page = 0; page < DIRECTORIES * 512; page++) {
    tables[2 * 512 + page] = (BigInt(page) << 21n) | LARGE_PAGE | PRESENT_WRITABLE;
  }
  memory.write(root, new Uint8Array(tables.buffer));
  return BigInt(root);
}

const NO_SEGMENT: SegmentRegister = { selector: 0, base: 0n, limit: 0, attributes: 0 };

function flatState(memory: GuestMemory, code: number) {
  const data: SegmentRegister = { selector: Selector.DATA, base: 0n, limit: FLAT_LIMIT, attributes: DATA };
  return {
    ...{ rax: 0n, rbx: 0n, rcx: 0n, rdx: 0n, rsi: 0n, rdi: 0n, rbp: 0n, rsp: BigInt(LowMemory.STACK_TOP) },
    // Interrupts off; bit 1 always reads as 1.
    rflags: 2n,
    cs: { selector: Selector.CODE, base: 0n, limit: FLAT_LIMIT, attributes: code },
    ...{ es: data, ss: data, ds: data, fs: data, gs: data },
    ldtr: NO_SEGMENT,
    tr: { selector: Selector.TASK, base: 0n, limit: TASK_LIMIT, attributes: BUSY_TASK },
    gdt: writeGdt(memory, code),
    idt: { base: 0n, limit: 0 },
  };
}

/** Flat 64-bit mode with the first 4 GiB mapped to themselves, interrupts off. */
export function longModeEntry(
  memory: GuestMemory,
  registers: Partial<EntryState> & Pick<EntryState, "rip">,
): EntryState {
  return {
    ...flatState(memory, CODE_64),
    cr0: 0x8000_0011n, // PG, ET, PE
    cr3: writeIdentityTables(memory),
    cr4: 0x20n, // PAE
    efer: 0x500n, // LMA, LME
    ...registers,
  };
}

/** Flat 32-bit protected mode without paging, interrupts off. */
export function protectedModeEntry(
  memory: GuestMemory,
  registers: Partial<EntryState> & Pick<EntryState, "rip">,
): EntryState {
  return { ...flatState(memory, CODE_32), cr0: 0x11n, cr3: 0n, cr4: 0n, efer: 0n, ...registers };
}

const ZERO_CHUNK = 0x10_0000;

/** Writes zeros to [gpa, gpa + bytes): memory need not be clear when a machine restarts. */
export function clear(memory: GuestMemory, gpa: number, bytes: number): void {
  const zeros = new Uint8Array(Math.min(bytes, ZERO_CHUNK));
  for (let done = 0; done < bytes; done += ZERO_CHUNK)
    memory.write(gpa + done, zeros.subarray(0, Math.min(bytes - done, ZERO_CHUNK)));
}

/** Hands out the memory at LowMemory.BOOT_DATA, from bottom to top. */
export class BootData {
  readonly #memory: GuestMemory;
  #next: number = LowMemory.BOOT_DATA;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /**
   * @returns guest-physical address of the copy, a multiple of 16
   * @throws {BootError} ERR_COMMAND_LINE when there is no room left: nothing else is as large
   */
  write(bytes: Uint8Array): number {
    const gpa = this.#next;
    if (gpa + bytes.length > LowMemory.BOOT_DATA_END) {
      const room = LowMemory.BOOT_DATA_END - gpa;
      throw new BootError(
        "ERR_COMMAND_LINE",
        `command line is too long: ${bytes.length} bytes, room for ${room} at ${hex(gpa)}`,
      );
    }
    this.#memory.write(gpa, bytes);
    this.#next = (gpa + bytes.length + 15) & ~15;
    return gpa;
  }
}

/**
 * A command line as bytes with a final zero.
 *
 * @param limit bytes that it may have without the final zero
 * @throws {BootError} ERR_COMMAND_LINE
 */
export function commandLineBytes(text: string, limit = Infinity): Uint8Array {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const length = bytes.length - 1;
  const zero = bytes.indexOf(0);
  if (zero !== length)
    throw new BootError("ERR_COMMAND_LINE", `command line has a zero byte at position ${zero}, expected none`);
  if (length > limit) {
    throw new BootError(
      "ERR_COMMAND_LINE",
      `command line is too long: ${length} bytes, the kernel takes ${limit} at most`,
    );
  }
  return bytes;
}
