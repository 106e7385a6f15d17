import { isElf, parseElf } from "../../elf.ts";
import { VmError } from "../../errors.ts";
import type { Arguments, Command } from "../arguments.ts";
import type { CommandHost } from "../host.ts";
import { parseAddress, parseCount } from "../quantity.ts";
import { machineOptions } from "./run.ts";

const PAGE = 4096;
/** enough for Debian's kernel to have its page tables and to be well under way */
const DEFAULT_AFTER = "100M";

export const dumpRegionCommand: Command = {
  name: "dump-region",
  summary: "Show what the translator makes of a piece of guest code: listing, control flow, WebAssembly",
  operands: [],
  options: {
    at: { value: "ADDRESS", about: "where the region begins: a linear address; must be given" },
    physical: { about: "--at is a guest-physical address" },
    program: { value: "FILE", about: "code of a flat binary or of a static ELF64 file, not of a running machine" },
    base: { value: "ADDRESS", about: "with --program: address of the first byte of a flat binary", otherwise: "0" },
    kernel: { value: "FILE", about: "boot this kernel, as umbra run does", otherwise: "Debian's cloud kernel" },
    initrd: {
      value: "FILE",
      about: "initial RAM disk",
      otherwise: "with Debian's kernel, a small system with a shell",
    },
    append: { value: "TEXT", about: "kernel command line, after what is needed for the console" },
    memory: { value: "SIZE", about: "memory of the machine, such as 512M", otherwise: "512M" },
    mirror: {
      value: "URL",
      about: "Debian mirror to fetch from where there is no apt",
      otherwise: "UMBRA_DEBIAN_MIRROR",
    },
    after: { value: "COUNT", about: "look at the machine after so many instructions", otherwise: DEFAULT_AFTER },
  },
  notes: `A region is the code of one page that direct branches connect, from one entry. Three sections follow a line that sums it up:

  guest code    its blocks in order of address, with the bytes and the text of each instruction; block 0 is the entry
  control flow  for each block what leads to it and where it leads: a block of the region, an address outside it, or, where the
                translator stops, the interpreter
  WebAssembly   the function: (vCPU base) -> how to go on. Registers are locals, loaded from the vCPU's state first and stored at
                the end; i32.const 0 or 1 at the end says whether the interpreter must run what is next

The machine boots with a clock that counts instructions, so that the same --after shows the same machine again.
Examples:
  umbra dump-region --program loop.bin --at 0
  umbra dump-region --at 0xffffffff81000000 --after 200M
  umbra dump-region --kernel bzImage --append nokaslr --at 0x1000000 --physical
Exit code: 0 when there is a region, 1 when the instruction at --at is left to the interpreter, 2 for a mistake.`,
  run: dump,
};

interface Place {
  readonly page: Uint8Array;
  readonly entry: number;
  readonly pageGva: bigint;
}

async function dump({ values, switches }: Arguments, host: CommandHost): Promise<number> {
  const at = values.get("at");
  if (at === undefined) throw new VmError("ERR_CONFIG", "--at is missing; see umbra dump-region --help");
  const address = parseAddress("--at", at);
  const { page, ...place } = values.has("program")
    ? placeInProgram(values, host, address)
    : await placeInMachine(values, host, address, switches.has("physical"));
  const { dumpRegion } = await import("../../inspect/region-dump.ts");
  const text = await dumpRegion({ source: { pages: [{ distance: 0, start: 0, bytes: page }] }, ...place });
  if (text === undefined) {
    host.complain(
      `umbra: the instruction at 0x${address.toString(16)} is left to the interpreter: no region begins there`,
    );
    return 1;
  }
  host.print(text);
  return 0;
}

function placeInProgram(values: ReadonlyMap<string, string>, host: CommandHost, address: bigint): Place {
  const base = parseAddress("--base", values.get("base") ?? "0");
  const image = host.readFile(values.get("program") ?? "");
  const segments = isElf(image) ? parseElf(image).segments : [{ gpa: base, bytes: image }];
  if (!segments.some(({ gpa, bytes }) => address >= gpa && address < gpa + BigInt(bytes.length)))
    throw new VmError("ERR_CONFIG", `--at: no byte of the program lies at 0x${address.toString(16)}`);
  const pageGva = address & ~BigInt(PAGE - 1);
  const page = new Uint8Array(PAGE);
  for (const { gpa, bytes } of segments) {
    const from = Math.max(0, Number(pageGva - gpa));
    const part = bytes.subarray(Math.min(from, bytes.length), Math.max(0, Number(pageGva - gpa) + PAGE));
    const to = Math.max(0, Number(gpa - pageGva));
    if (to < PAGE) page.set(part.subarray(0, PAGE - to), to);
  }
  return { page, entry: Number(address - pageGva), pageGva };
}

async function placeInMachine(
  values: ReadonlyMap<string, string>,
  host: CommandHost,
  address: bigint,
  physical: boolean,
): Promise<Place> {
  const after = BigInt(parseCount("--after", values.get("after") ?? DEFAULT_AFTER));
  const options = await machineOptions(values, {}, host);
  const [{ bootSubjects }, { physicalAddress }] = await Promise.all([
    import("../../verify/subject.ts"),
    import("../../verify/guest-memory.ts"),
  ]);
  const machine = await bootSubjects(options)("interpreter");
  const { ram, processor } = machine;
  const ended = machine.advance(after);
  if (ended !== undefined) host.complain(`umbra: the machine ended before --after: ${ended}`);
  const gpa = physical
    ? address < BigInt(ram.length)
      ? Number(address)
      : undefined
    : physicalAddress(ram, processor.cpu.state, address);
  if (gpa === undefined) {
    const what = physical ? "is not in memory" : "is not mapped";
    throw new VmError(
      "ERR_CONFIG",
      `--at: 0x${address.toString(16)} ${what} after ${processor.instructions} instructions`,
    );
  }
  const entry = gpa % PAGE;
  return { page: ram.slice(gpa - entry, gpa - entry + PAGE), entry, pageGva: address - BigInt(entry) };
}
