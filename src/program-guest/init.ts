import { ProgramPort } from "../pc/options.ts";
import { Condition, MachineCode, Register } from "./machine-code.ts";

/** System calls; Linux, arch/x86/entry/syscalls/syscall_64.tbl. */
const Call = {
  READ: 0,
  WRITE: 1,
  OPEN: 2,
  CLOSE: 3,
  PIPE: 22,
  DUP2: 33,
  PAUSE: 34,
  FORK: 57,
  EXECVE: 59,
  EXIT: 60,
  WAIT4: 61,
  CHDIR: 80,
  MKDIR: 83,
  MOUNT: 165,
  IOPL: 172,
} as const;

const BASE = 0x40_0000;
/** ELF header and one program header. */
const HEADER_BYTES = 64 + 56;
const CODE = BASE + HEADER_BYTES;
/** Variables, then the buffer of what is forwarded; behind what the file holds, at a fixed place. */
const VARIABLES = 0x800_0000;
const Variable = {
  STDOUT_READ: VARIABLES,
  STDOUT_WRITE: VARIABLES + 4,
  STDERR_READ: VARIABLES + 8,
  STDERR_WRITE: VARIABLES + 12,
  CHILD: VARIABLES + 16,
  ENDED: VARIABLES + 20,
  STATUS: VARIABLES + 24,
  BUFFER: VARIABLES + 4096,
} as const;
const BUFFER_BYTES = 0x1_0000;

export interface InitOptions {
  readonly program: string;
  readonly argv: readonly string[];
  /** NAME=VALUE */
  readonly environment: readonly string[];
  readonly directory: string;
  readonly stdin: string;
}

const encoder = new TextEncoder();

/**
 * Makes the first process of a guest that runs one program: a static ELF64 executable.
 *
 * It mounts what programs expect, starts the program with pipes for its output, and starts two processes that write what comes out of the
 * pipes to I/O ports (through iopl(2)), so that the host gets every byte as it is. When all have ended, the program's wait status goes to
 * the debug-exit port, which ends the machine.
 */
export function programInit({ program, argv, environment, directory, stdin }: InitOptions): Uint8Array {
  // The code is laid out twice: data follows it, and its length does not depend on where the data lies.
  const length = initCode(() => 0).length;
  const data = new DataSection(CODE + length);
  const strings = new Map<string, number>();
  const address = (text: string): number => {
    const known = strings.get(text) ?? data.string(text);
    strings.set(text, known);
    return known;
  };
  const argvAt = data.pointers(argv.map((text) => data.string(text)));
  const environmentAt = data.pointers(environment.map((text) => data.string(text)));
  const named: Readonly<Record<string, number>> = { argv: argvAt, environment: environmentAt };
  const texts: Readonly<Record<string, string>> = { program, directory, stdin };
  const code = initCode((name) => named[name] ?? address(texts[name] ?? name));
  return elf(code, data.bytes());
}

/** @param at address of what has a name, or of a text */
function initCode(at: (name: string) => number): Uint8Array {
  const code = new MachineCode(CODE);
  const variable = (register: Register, address: number): { readonly register: Register } => {
    code.load(register, address);
    return { register };
  };
  for (const [type, path] of [
    ["devtmpfs", "/dev"],
    ["proc", "/proc"],
    ["sysfs", "/sys"],
    ["tmpfs", "/tmp"],
  ] as const) {
    code.call(Call.MKDIR, at(path), 0o755);
    code.call(Call.MOUNT, at(type), at(path), at(type), 0, 0);
  }
  code.call(Call.PIPE, Variable.STDOUT_READ);
  code.call(Call.PIPE, Variable.STDERR_READ);
  code.call(Call.FORK);
  code.test(Register.RAX);
  code.jump("program", Condition.ZERO);
  code.store(Variable.CHILD, Register.RAX);
  code.call(Call.CLOSE, variable(Register.RBX, Variable.STDOUT_WRITE));
  code.call(Call.CLOSE, variable(Register.RBX, Variable.STDERR_WRITE));
  for (const [pipe, port] of [
    [Variable.STDOUT_READ, ProgramPort.STDOUT],
    [Variable.STDERR_READ, ProgramPort.STDERR],
  ] as const) {
    code.load(Register.RBX, pipe);
    code.set(Register.R13, port);
    code.call(Call.FORK);
    code.test(Register.RAX);
    code.jump("forward", Condition.ZERO);
  }
  code.label("wait");
  code.call(Call.WAIT4, -1, Variable.ENDED, 0, 0);
  code.test(Register.RAX);
  code.jump("ended", Condition.LESS_OR_EQUAL);
  code.compare(Register.RAX, Variable.CHILD);
  code.jump("wait", Condition.NOT_ZERO);
  code.load(Register.RBX, Variable.ENDED);
  code.store(Variable.STATUS, Register.RBX);
  code.jump("wait");
  code.label("ended");
  code.call(Call.IOPL, 3);
  code.load(Register.RAX, Variable.STATUS);
  code.set(Register.RDX, ProgramPort.EXIT);
  code.raw(0xef); // out dx, eax
  code.label("pause");
  code.call(Call.PAUSE);
  code.jump("pause");

  code.label("program");
  code.call(Call.DUP2, variable(Register.RBX, Variable.STDOUT_WRITE), 1);
  code.call(Call.DUP2, variable(Register.RBX, Variable.STDERR_WRITE), 2);
  code.call(Call.OPEN, at("stdin"), 0, 0);
  code.call(Call.DUP2, { register: Register.RAX }, 0);
  // The first descriptors that were free: pipes from 3, then the file. The kernel gave this process a console as 0 to 2, or nothing.
  for (let fd = 3; fd < 8; fd++) code.call(Call.CLOSE, fd);
  code.call(Call.CHDIR, at("directory"));
  code.call(Call.EXECVE, at("program"), at("argv"), at("environment"));
  code.call(Call.EXIT, 127);

  // RBX: a pipe; R13: a port.
  code.label("forward");
  code.call(Call.IOPL, 3);
  code.label("more");
  code.call(Call.READ, { register: Register.RBX }, Variable.BUFFER, BUFFER_BYTES);
  code.test(Register.RAX);
  code.jump("done", Condition.LESS_OR_EQUAL);
  code.move(Register.RCX, Register.RAX);
  code.set(Register.RSI, Variable.BUFFER);
  code.move(Register.RDX, Register.R13);
  code.raw(0xf3, 0x6e); // rep outsb
  code.jump("more");
  code.label("done");
  code.call(Call.EXIT, 0);
  return code.finish();
}

/** Strings and lists of pointers behind the code. */
class DataSection {
  readonly #origin: number;
  readonly #bytes: number[] = [];

  constructor(origin: number) {
    this.#origin = origin;
  }

  /** @returns address of the text, with a zero behind it */
  string(text: string): number {
    const address = this.#origin + this.#bytes.length;
    for (const byte of encoder.encode(text)) this.#bytes.push(byte);
    this.#bytes.push(0);
    return address;
  }

  /** @returns address of the list, with a zero behind it */
  pointers(pointers: readonly number[]): number {
    while ((this.#origin + this.#bytes.length) % 8 !== 0) this.#bytes.push(0);
    const address = this.#origin + this.#bytes.length;
    const list = new BigUint64Array([...pointers.map(BigInt), 0n]);
    for (const byte of new Uint8Array(list.buffer)) this.#bytes.push(byte);
    return address;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** System V ABI, chapters 4 and 5: an executable with two segments, one of the file and one of zeroes for the variables. */
function elf(code: Uint8Array, data: Uint8Array): Uint8Array {
  const headers = 64 + 2 * 56;
  // The second program header stands behind everything else, so that the code is where one header would leave it.
  const file = new Uint8Array(HEADER_BYTES + code.length + data.length + headers);
  const table = HEADER_BYTES + code.length + data.length;
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE), true);
  view.setBigUint64(32, BigInt(table), true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const segment = (index: number, flags: number, offset: number, address: number, fileBytes: number, bytes: number) => {
    const header = table + index * 56;
    view.setUint32(header, 1, true); // PT_LOAD
    view.setUint32(header + 4, flags, true);
    view.setBigUint64(header + 8, BigInt(offset), true);
    view.setBigUint64(header + 16, BigInt(address), true);
    view.setBigUint64(header + 24, BigInt(address), true);
    view.setBigUint64(header + 32, BigInt(fileBytes), true);
    view.setBigUint64(header + 40, BigInt(bytes), true);
    view.setBigUint64(header + 48, 0x1000n, true);
  };
  segment(0, 5, 0, BASE, file.length, file.length);
  segment(1, 6, 0, VARIABLES, 0, 4096 + BUFFER_BYTES);
  file.set(code, HEADER_BYTES);
  file.set(data, HEADER_BYTES + code.length);
  return file;
}
