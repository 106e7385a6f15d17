import { VmError } from "../../errors.ts";
import { isElf, parseElf } from "../../elf.ts";
import type { Arguments, Command } from "../arguments.ts";
import type { CommandHost, StartMode } from "../host.ts";
import { parseAddress, parseChoice, parseSize } from "../quantity.ts";

export const CODE_SIZE: Readonly<Record<StartMode, 16 | 32 | 64>> = { long: 64, protected: 32, real: 16 };

/** Bytes that a line of the listing has room for. */
const BYTE_COLUMNS = 10;

/** Most bytes that an instruction can have. */
export const LONGEST_INSTRUCTION = 15;

export const disasm: Command = {
  name: "disasm",
  summary: "List the instructions of a flat binary or of a static ELF64 file, in Intel syntax",
  operands: ["FILE"],
  options: {
    base: { value: "ADDRESS", about: "address of the first byte of a flat binary", otherwise: "0" },
    mode: { value: "MODE", about: "long, protected or real: 64, 32 or 16-bit code", otherwise: "long" },
    start: { value: "ADDRESS", about: "where to begin", otherwise: "the base; of an ELF file, its entry" },
    length: { value: "SIZE", about: "how many bytes to list", otherwise: "all of the file or of the segment" },
  },
  run: listProgram,
};

async function listProgram(given: Arguments, host: CommandHost): Promise<number> {
  const { values } = given;
  const codeSize = CODE_SIZE[parseChoice("--mode", values.get("mode") ?? "long", ["long", "protected", "real"])];
  const base = parseAddress("--base", values.get("base") ?? "0");
  const startText = values.get("start");
  const lengthText = values.get("length");
  const image = host.readFile(given.operands[0] ?? "");
  const program = isElf(image) ? parseElf(image) : { entry: base, segments: [{ gpa: base, bytes: image }] };

  const start = startText === undefined ? program.entry : parseAddress("--start", startText);
  const segment = program.segments.find(({ gpa, bytes }) => start >= gpa && start < gpa + BigInt(bytes.length));
  if (segment === undefined) {
    throw new VmError(
      "ERR_CONFIG",
      `there is nothing to list at 0x${start.toString(16)}: no byte of the file lies there`,
    );
  }
  const length = lengthText === undefined ? segment.bytes.length : parseSize("--length", lengthText);
  const first = Number(start - segment.gpa);
  const last = Math.min(first + length, segment.bytes.length);
  const disassemble = await host.createDisassembler(codeSize);
  for (let at = first; at < last;) {
    const address = segment.gpa + BigInt(at);
    const bytes = segment.bytes.subarray(at, at + LONGEST_INSTRUCTION);
    const instruction = disassemble(bytes, address);
    host.print(listingLine(address, bytes.subarray(0, instruction.length), instruction.text));
    at += instruction.length;
  }
  return 0;
}

/** A line of a listing: address, bytes, text. */
export function listingLine(address: bigint, bytes: Uint8Array, text: string): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${address.toString(16).padStart(8, "0")}  ${hex.padEnd(BYTE_COLUMNS * 3)} ${text}\n`;
}
