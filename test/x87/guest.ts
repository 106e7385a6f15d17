import { type BareMachine, createBareMachine } from "../../src/bare-machine.ts";
import { type Answer, type Case, IMAGE_BYTES, MEMORY_BYTES, readImage, writeImage } from "./host.ts";
import { operations } from "./operations.ts";

const CODE_GPA = 0x1000;
const IMAGE_GPA = 0x2000;
const ANSWER_GPA = 0x3000;
const MEMORY_GPA = 0x4000;
/** xor eax, eax; frstor [0x2000] - which leave the flags as host.c has them - and, behind the instruction, fnsave [0x3000]; hlt */
const BEFORE = [0x31, 0xc0, 0xdd, 0x24, 0x25, 0x00, 0x20, 0x00, 0x00];
const AFTER = [0xdd, 0x34, 0x25, 0x00, 0x30, 0x00, 0x00, 0xf4];

/** Runs cases on a guest. */
export class Guest {
  readonly #machine: BareMachine;
  #operation: string | undefined;

  private constructor(machine: BareMachine) {
    this.#machine = machine;
  }

  static async create(): Promise<Guest> {
    return new Guest(await createBareMachine({ memoryBytes: 1 << 20, mode: "long", engine: "interpreter" }));
  }

  run(one: Case): Answer {
    const machine = this.#machine;
    if (this.#operation !== one.operation) {
      machine.write(CODE_GPA, Uint8Array.from([...BEFORE, ...Uint8Array.fromHex(operations[one.operation]), ...AFTER]));
      this.#operation = one.operation;
    }
    const image = new Uint8Array(IMAGE_BYTES);
    writeImage(new DataView(image.buffer), 0, one);
    machine.write(IMAGE_GPA, image);
    machine.write(MEMORY_GPA, one.memory);
    machine.setState({ rip: BigInt(CODE_GPA), rdi: BigInt(MEMORY_GPA) });
    const exit = machine.run({ maxInstructions: 100 });
    if (exit.reason !== "halt")
      throw new Error(
        `${one.operation}: the guest ended with ${exit.reason} ${exit.vector ?? ""} at ${machine.getState().rip.toString(16)}`,
      );
    const answer = machine.read(ANSWER_GPA, IMAGE_BYTES);
    const { rflags, rax } = machine.getState();
    return {
      ...readImage(new DataView(answer.buffer, answer.byteOffset, answer.length), 0),
      rflags: Number(rflags & 0xffffn),
      ax: Number(rax & 0xffffn),
      memory: Uint8Array.from(machine.read(MEMORY_GPA, MEMORY_BYTES)),
    };
  }
}
