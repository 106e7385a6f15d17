import { isElf, parseElf, type Segment } from "./elf.ts";
import { VmError } from "./errors.ts";

/** A program and where it goes in guest-physical memory. */
export interface Program {
  readonly entry: bigint;
  readonly segments: readonly Segment[];
}

export interface ProgramPlacement {
  /** where a flat binary is loaded; an ELF file says so itself */
  readonly base: bigint;
  /** where to start instead of at the beginning of a flat binary, or at the entry of an ELF file */
  readonly entry?: bigint | undefined;
  readonly memoryBytes: number;
}

/**
 * Reads a program: a static ELF64 executable, or any other file as a flat binary.
 *
 * @throws {VmError} ERR_PROGRAM_FORMAT for an empty or a damaged file, ERR_PROGRAM_PLACEMENT when it does not fit the memory
 */
export function loadProgram(image: Uint8Array, { base, entry, memoryBytes }: ProgramPlacement): Program {
  if (image.length === 0) throw new VmError("ERR_PROGRAM_FORMAT", "the program is empty");
  const program: Program = isElf(image)
    ? parseElf(image)
    : { entry: base, segments: [{ gpa: base, bytes: image, memoryBytes: BigInt(image.length) }] };
  const end = BigInt(memoryBytes);
  for (const segment of program.segments) {
    const last = segment.gpa + segment.memoryBytes;
    if (last > end) {
      throw outside(`the program needs memory up to 0x${last.toString(16)}`, end);
    }
  }
  const start = entry ?? program.entry;
  if (start >= end) throw outside(`the entry is 0x${start.toString(16)}`, end);
  return { ...program, entry: start };
}

function outside(what: string, end: bigint): VmError {
  return new VmError("ERR_PROGRAM_PLACEMENT", `${what}, but the machine's memory ends at 0x${end.toString(16)}`);
}
