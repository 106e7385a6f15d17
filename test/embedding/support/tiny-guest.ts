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
