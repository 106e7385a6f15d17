/**
 * Boots a kernel on v86 with its first serial port on standard output, as a process of its own:
 *
 *   node v86-runner.ts BIOS VGA_BIOS KERNEL INITRD MEMORY_MIB COMMAND_LINE
 */
import { readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { V86 } from "v86";

function buffer(path: string): { buffer: ArrayBuffer } {
  const bytes = new Uint8Array(readFileSync(path));
  return { buffer: bytes.buffer };
}

const [bios = "", vgaBios = "", kernel = "", initrd = "", memoryMib = "", commandLine = ""] = process.argv.slice(2);

const emulator = new V86({
  wasm_path: fileURLToPath(new URL("v86.wasm", import.meta.resolve("v86"))),
  memory_size: Number(memoryMib) << 20,
  vga_memory_size: 8 << 20,
  bios: buffer(bios),
  vga_bios: buffer(vgaBios),
  bzimage: buffer(kernel),
  initrd: buffer(initrd),
  cmdline: commandLine,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});

let line: number[] = [];
emulator.add_listener("serial0-output-byte", (byte: number) => {
  line.push(byte);
  if (byte !== 0x0a) return;
  writeSync(process.stdout.fd, Uint8Array.from(line));
  line = [];
});
