import { type BareMachine, createBareMachine } from "../../src/bare-machine.ts";
import type { HostAnswer, HostCase, HostOperation } from "./host.ts";

/** Machine code of the instructions of host.c. */
const CODE: Readonly<Record<HostOperation, readonly number[]>> = {
  f2xm1: [0xd9, 0xf0],
  fyl2x: [0xd9, 0xf1],
  fyl2xp1: [0xd9, 0xf9],
  fptan: [0xd9, 0xf2],
  fpatan: [0xd9, 0xf3],
  fsin: [0xd9, 0xfe],
  fcos: [0xd9, 0xff],
  fsincos: [0xd9, 0xfb],
  fprem: [0xd9, 0xf8],
  fprem1: [0xd9, 0xf5],
  fscale: [0xd9, 0xfd],
  fxtract: [0xd9, 0xf4],
  frndint: [0xd9, 0xfc],
  fsqrt: [0xd9, 0xfa],
  fadd: [0xd8, 0xc1],
  fsub: [0xd8, 0xe1],
  fmul: [0xd8, 0xc9],
  fdiv: [0xd8, 0xf1],
  fcom: [0xd8, 0xd1],
  fucom: [0xdd, 0xe1],
  fcomi: [0xdb, 0xf1],
  fucomi: [0xdb, 0xe9],
  ftst: [0xd9, 0xe4],
  fxam: [0xd9, 0xe5],
  fld: [0xd9, 0xc0],
  fstp: [0xdd, 0xd9],
  fxch: [0xd9, 0xc9],
  fchs: [0xd9, 0xe0],
  fabs: [0xd9, 0xe1],
  fldpi: [0xd9, 0xeb],
  faddp: [0xde, 0xc1],
  fldl2t: [0xd9, 0xe9],
  fldl2e: [0xd9, 0xea],
  fldlg2: [0xd9, 0xec],
  fldln2: [0xd9, 0xed],
  fcompp: [0xde, 0xd9],
  fcmovb: [0xda, 0xc1],
  fdecstp: [0xd9, 0xf6],
  fincstp: [0xd9, 0xf7],
  ffree: [0xdd, 0xc1],
  ffreep: [0xdf, 0xc1],
};

const CODE_GPA = 0x1000;
const IMAGE_GPA = 0x2000;
const ANSWER_GPA = 0x3000;
const IMAGE_BYTES = 108;
/** xor eax, eax; frstor [0x2000] - which leave the flags as host.c has them - and, behind the instruction, fnsave [0x3000]; hlt */
const BEFORE = [0x31, 0xc0, 0xdd, 0x24, 0x25, 0x00, 0x20, 0x00, 0x00];
const AFTER = [0xdd, 0x34, 0x25, 0x00, 0x30, 0x00, 0x00, 0xf4];

/** Runs the cases of host.ts on a guest. */
export class Guest {
  readonly #machine: BareMachine;
  #operation: HostOperation | undefined;

  private constructor(machine: BareMachine) {
    this.#machine = machine;
  }

  static async create(): Promise<Guest> {
    return new Guest(await createBareMachine({ memoryBytes: 1 << 20, mode: "long", engine: "interpreter" }));
  }

  run(one: HostCase): HostAnswer {
    const machine = this.#machine;
    if (this.#operation !== one.operation) {
      machine.write(CODE_GPA, Uint8Array.from([...BEFORE, ...CODE[one.operation], ...AFTER]));
      this.#operation = one.operation;
    }
    const image = new Uint8Array(IMAGE_BYTES);
    const view = new DataView(image.buffer);
    view.setUint32(0, one.control | 0xffff_0000, true);
    view.setUint32(4, one.status | 0xffff_0000, true);
    view.setUint32(8, one.tags | 0xffff_0000, true);
    for (let i = 0; i < 8; i++) {
      const value = one.stack[i] ?? 0n;
      view.setBigUint64(28 + i * 10, BigInt.asUintN(64, value), true);
      view.setUint16(36 + i * 10, Number(value >> 64n), true);
    }
    machine.write(IMAGE_GPA, image);
    machine.setState({ rip: BigInt(CODE_GPA) });
    const exit = machine.run({ maxInstructions: 100 });
    if (exit.reason !== "halt") throw new Error(`${one.operation}: the guest ended with ${JSON.stringify(exit)}`);
    const answer = machine.read(ANSWER_GPA, IMAGE_BYTES);
    const bytes = new DataView(answer.buffer, answer.byteOffset, answer.length);
    return {
      control: bytes.getUint16(0, true),
      status: bytes.getUint16(4, true),
      tags: bytes.getUint16(8, true),
      stack: Array.from({ length: 8 }, (_, i) => (BigInt(bytes.getUint16(36 + i * 10, true)) << 64n) | bytes.getBigUint64(28 + i * 10, true)),
      rflags: Number(machine.getState().rflags),
    };
  }
}
