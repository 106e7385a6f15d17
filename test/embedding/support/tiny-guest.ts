import { elf } from "../../boot/support/images.ts";

// Guests of a few instructions, without a kernel: what a test of the machine around a guest needs of one.

const KERNEL_GPA = 0x20_0000;
const SERIAL_PORT = 0x3f8;
/** Give it to a machine as its `debugExitPort`. */
export const EXIT_PORT = 0xf4;

const le32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/** An ELF with a PVH entry: it starts in 32-bit protected mode, flat segments, paging off. */
export function tinyKernel(...code: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const content = Uint8Array.from(code.flat());
  return Uint8Array.from(elf({ wide: true, gpa: KERNEL_GPA, pvh: KERNEL_GPA, content }));
}

/** mov edx, port */
const toPort = (port: number): number[] => [0xba, ...le32(port)];

/** Sends text to the first serial port. */
export const print = (text: string): number[] => [
  ...toPort(SERIAL_PORT),
  ...[...new TextEncoder().encode(text)].flatMap((byte) => [0xb0, byte, 0xee]), // mov al, byte; out dx, al
];

/** Sends the four bytes of EAX to the first serial port, the lowest first. */
export const printEax: readonly number[] = [
  ...toPort(SERIAL_PORT),
  ...[0, 1, 2, 3].flatMap(() => [0xee, 0xc1, 0xe8, 8]), // out dx, al; shr eax, 8
];

/** in al/ax/eax, port; the rest of EAX is 0 */
export const readPort = (port: number, size: 1 | 2 | 4): number[] => [
  ...[0x31, 0xc0, ...toPort(port)], // xor eax, eax
  ...(size === 1 ? [0xec] : size === 2 ? [0x66, 0xed] : [0xed]),
];

/** out port, al/ax/eax */
export const writePort = (port: number, size: 1 | 2 | 4): number[] => [
  ...toPort(port),
  ...(size === 1 ? [0xee] : size === 2 ? [0x66, 0xef] : [0xef]),
];

/** mov eax, [gpa] */
export const load = (gpa: number): number[] => [0xa1, ...le32(gpa)];
/** mov [gpa], eax */
export const store = (gpa: number): number[] => [0xa3, ...le32(gpa)];
/** mov eax, value */
export const set = (value: number): number[] => [0xb8, ...le32(value)];

/** Paging on, with page tables at EAX. */
export const pagingOn: readonly number[] = [
  ...[0x0f, 0x22, 0xd8], // mov cr3, eax
  ...[0x0f, 0x20, 0xc0], // mov eax, cr0
  ...[0x0d, ...le32(0x8000_0000)], // or eax, CR0.PG
  ...[0x0f, 0x22, 0xc0], // mov cr0, eax
];

/**
 * The same in 64-bit mode, with the first 4 MiB mapped to themselves, for what is translated: no other code is. `load` and `store` are not for
 * this mode.
 */
export function longKernel(...code: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const [PML4, PDPT, DIRECTORY, GDT, GDTR] = [0x1_0000, 0x1_1000, 0x1_2000, 0x1_3000, 0x1_3100] as const;
  const put = (gpa: number, value: number): number[] => [...set(value), ...store(gpa)];
  const enter = [
    ...[put(PML4, PDPT | 3), put(PDPT, DIRECTORY | 3), put(DIRECTORY, 0x83), put(DIRECTORY + 8, 0x20_0083)].flat(),
    ...put(GDT + 12, 0x0020_9a00), // a 64-bit code segment, present
    ...[...put(GDTR, (GDT << 16) | 15), ...put(GDTR + 4, GDT >>> 16)],
    ...[0x0f, 0x01, 0x15, ...le32(GDTR)], // lgdt [GDTR]
    ...[0x0f, 0x20, 0xe0, 0x0d, ...le32(0x20), 0x0f, 0x22, 0xe0], // CR4.PAE, by way of EAX
    ...[0xb9, ...le32(0xc000_0080), 0x0f, 0x32, 0x0d, ...le32(0x100), 0x0f, 0x30], // EFER.LME
    ...[...set(PML4), ...pagingOn],
  ];
  const FAR_JUMP_BYTES = 7;
  return tinyKernel(enter, [0xea, ...le32(KERNEL_GPA + enter.length + FAR_JUMP_BYTES), 8, 0], ...code);
}

/** jmp eax */
export const jumpToEax: readonly number[] = [0xff, 0xe0];
/** cli; hlt: the machine ends with the reason "halt" */
export const halt: readonly number[] = [0xfa, 0xf4];
/** jmp $ */
export const spin: readonly number[] = [0xeb, 0xfe];
/** The machine ends with the reason "debug-exit". */
export const exit = (code: number): number[] => [...set(code), 0xe7, EXIT_PORT];
/** Goes back to the beginning, over and over: for the end of a guest. */
export const repeat = (...code: readonly (readonly number[])[]): number[] => {
  const body = code.flat();
  return [...body, 0xe9, ...le32(-(body.length + 5))];
};
