/** Registers by their number in machine code; SDM Vol. 2A, table 3-1. */
export const Register = { RAX: 0, RCX: 1, RDX: 2, RBX: 3, RSI: 6, RDI: 7, R8: 8, R10: 10, R12: 12, R13: 13 } as const;
export type Register = (typeof Register)[keyof typeof Register];

/** What a system call takes: a number, or a register that holds it. */
export type Argument = number | { readonly register: Register };

/** Conditions of jumps: the low half of their second opcode byte. */
export const Condition = { ZERO: 4, NOT_ZERO: 5, LESS_OR_EQUAL: 14, NEGATIVE: 8 } as const;

const ARGUMENTS = [Register.RDI, Register.RSI, Register.RDX, Register.R10, Register.R8] as const;

/** Writes the few instructions that a guest's first process is made of. Addresses are below 2 GiB. */
export class MachineCode {
  readonly #origin: number;
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly at: number; readonly label: string }[] = [];

  /** @param origin where the code will lie */
  constructor(origin: number) {
    this.#origin = origin;
  }

  label(name: string): void {
    this.#labels.set(name, this.#bytes.length);
  }

  /** A system call, whose result is in RAX; RCX and R11 are lost. */
  call(number: number, ...args: readonly Argument[]): void {
    // Registers first: constants might go where they are.
    args.forEach((argument, index) => {
      if (typeof argument !== "number") this.move(ARGUMENTS[index] ?? Register.R8, argument.register);
    });
    args.forEach((argument, index) => {
      if (typeof argument === "number") this.set(ARGUMENTS[index] ?? Register.R8, argument);
    });
    this.set(Register.RAX, number);
    this.raw(0x0f, 0x05);
  }

  /** A register to a constant: mov r32, imm32; negative ones sign-extended. */
  set(register: Register, value: number): void {
    if (value < 0) this.raw(register < 8 ? 0x48 : 0x49, 0xc7, 0xc0 | (register & 7), ...le32(value));
    else this.raw(...(register < 8 ? [] : [0x41]), 0xb8 | (register & 7), ...le32(value));
  }

  /** mov r64, r64 */
  move(to: Register, from: Register): void {
    this.raw(0x48 | (from < 8 ? 0 : 4) | (to < 8 ? 0 : 1), 0x89, 0xc0 | ((from & 7) << 3) | (to & 7));
  }

  /** mov r32, [address] */
  load(to: Register, address: number): void {
    this.raw(...(to < 8 ? [] : [0x44]), 0x8b, 0x04 | ((to & 7) << 3), 0x25, ...le32(address));
  }

  /** mov [address], r32 */
  store(address: number, from: Register): void {
    this.raw(...(from < 8 ? [] : [0x44]), 0x89, 0x04 | ((from & 7) << 3), 0x25, ...le32(address));
  }

  /** test r64, r64 */
  test(register: Register): void {
    this.raw(register < 8 ? 0x48 : 0x4d, 0x85, 0xc0 | ((register & 7) << 3) | (register & 7));
  }

  /** cmp r32, [address] */
  compare(register: Register, address: number): void {
    this.raw(0x3b, 0x04 | ((register & 7) << 3), 0x25, ...le32(address));
  }

  jump(label: string, condition?: number): void {
    this.raw(...(condition === undefined ? [0xe9] : [0x0f, 0x80 | condition]));
    this.#jumps.push({ at: this.#bytes.length, label });
    this.raw(0, 0, 0, 0);
  }

  raw(...bytes: readonly number[]): void {
    this.#bytes.push(...bytes);
  }

  get end(): number {
    return this.#origin + this.#bytes.length;
  }

  /** The code, with its jumps. */
  finish(): Uint8Array {
    const code = Uint8Array.from(this.#bytes);
    const view = new DataView(code.buffer);
    for (const { at, label } of this.#jumps) view.setInt32(at, (this.#labels.get(label) ?? 0) - (at + 4), true);
    return code;
  }
}

function le32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}
