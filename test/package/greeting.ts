/**
 * A Multiboot kernel of some 50 bytes that runs 32-bit code of its own, which may use DX, EAX and EFLAGS only.
 * Multiboot Specification 0.6.96, 3.1: a header with the addresses at which the file is loaded.
 */
export function multibootKernel(code: readonly number[]): Uint8Array<ArrayBuffer> {
  const MAGIC = 0x1bad_b002;
  const HAS_ADDRESSES = 1 << 16;
  const LOAD_GPA = 0x10_0000;
  const HEADER_BYTES = 32;
  const header = [MAGIC, HAS_ADDRESSES, -(MAGIC + HAS_ADDRESSES), LOAD_GPA, LOAD_GPA, 0, 0, LOAD_GPA + HEADER_BYTES];
  return Uint8Array.from([...new Uint8Array(Int32Array.from(header).buffer), ...code]);
}

// prettier-ignore
const SAY_HI = [
  0x66, 0xba, 0xf8, 0x03, // mov dx, 0x3f8
  0xb0, 0x68, 0xee,       // mov al, 'h'; out dx, al
  0xb0, 0x69, 0xee,       // mov al, 'i'; out dx, al
] as const;
const FOREVER = [0xeb, 0xfe] as const; // jmp to itself

/** It writes "hi" to the first serial port, and 21 to the debug-exit device at port 0xf4. */
export function greetingKernel(): Uint8Array<ArrayBuffer> {
  return multibootKernel([...SAY_HI, 0xb0, 21, 0xe6, 0xf4, ...FOREVER]); // mov al, 21; out 0xf4, al
}

/** It writes "hi" to the first serial port, and switches the machine off: SLP_TYP 5 and SLP_EN in PM1 control, ACPI 6.5, 4.8.3.2. */
export function politeKernel(): Uint8Array<ArrayBuffer> {
  // prettier-ignore
  const POWER_OFF = [
    0x66, 0xba, 0x04, 0x06,            // mov dx, 0x604
    0x66, 0xb8, 0x00, 0x34, 0x66, 0xef, // mov ax, 0x3400; out dx, ax
  ];
  return multibootKernel([...SAY_HI, ...POWER_OFF, ...FOREVER]);
}

/** It writes "hi" to the first serial port, and never ends, nor rests. */
export function busyKernel(): Uint8Array<ArrayBuffer> {
  return multibootKernel([...SAY_HI, ...FOREVER]);
}

/** What the machine says in the end: the device's status is (21 << 1) | 1. */
export const GREETING = 'hi {"reason":"debug-exit","status":43}';

/** A program of an embedder that boots it, for any host. It calls `tell` with GREETING. */
export const GREETING_PROGRAM = `import { createMachine } from "umbra";
const kernel = Uint8Array.of(${String(greetingKernel())});
const machine = await createMachine({ kernel, memoryBytes: 64 << 20, debugExitPort: 0xf4 });
let text = "";
machine.serial.onOutput((bytes) => (text += new TextDecoder().decode(bytes)));
const exit = await machine.run();
await machine.close();
tell(text + " " + JSON.stringify(exit));
`;
