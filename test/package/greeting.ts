/**
 * A Multiboot kernel of some 50 bytes: it writes "hi" to the first serial port, and 21 to the debug-exit device at port 0xf4.
 * Multiboot Specification 0.6.96, 3.1: a header with the addresses at which the file is loaded.
 */
export function greetingKernel(): Uint8Array {
  const MAGIC = 0x1bad_b002;
  const HAS_ADDRESSES = 1 << 16;
  const LOAD_GPA = 0x10_0000;
  const HEADER_BYTES = 32;
  const header = [MAGIC, HAS_ADDRESSES, -(MAGIC + HAS_ADDRESSES), LOAD_GPA, LOAD_GPA, 0, 0, LOAD_GPA + HEADER_BYTES];
  // prettier-ignore
  const code = [
    0x66, 0xba, 0xf8, 0x03, // mov dx, 0x3f8
    0xb0, 0x68, 0xee,       // mov al, 'h'; out dx, al
    0xb0, 0x69, 0xee,       // mov al, 'i'; out dx, al
    0xb0, 0x15, 0xe6, 0xf4, // mov al, 21; out 0xf4, al
    0xeb, 0xfe,             // jmp to itself
  ];
  return Uint8Array.from([...new Uint8Array(Int32Array.from(header).buffer), ...code]);
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
