import type { AccessSize, InterruptLine, PortDevice, Stateful } from "./device.ts";
import { Ps2Keyboard, type KeyboardState } from "./ps2-keyboard.ts";

const PORT_DATA = 0x60;

/** Status, read at port 0x64; IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller". */
const Status = { OUTPUT_FULL: 1, SYSTEM: 4, COMMAND: 8, UNLOCKED: 0x10 } as const;
/** Controller command byte (configuration). */
const Config = {
  KEYBOARD_INTERRUPT: 1,
  SYSTEM: 4,
  KEYBOARD_DISABLED: 0x10,
  AUXILIARY_DISABLED: 0x20,
  TRANSLATE: 0x40,
} as const;
/** Commands, written to port 0x64. */
const Command = {
  READ_RAM: 0x20,
  WRITE_RAM: 0x60,
  DISABLE_AUXILIARY: 0xa7,
  ENABLE_AUXILIARY: 0xa8,
  TEST_AUXILIARY: 0xa9,
  SELF_TEST: 0xaa,
  TEST_KEYBOARD: 0xab,
  DISABLE_KEYBOARD: 0xad,
  ENABLE_KEYBOARD: 0xae,
  READ_INPUT_PORT: 0xc0,
  READ_OUTPUT_PORT: 0xd0,
  WRITE_OUTPUT_PORT: 0xd1,
  WRITE_KEYBOARD_OUTPUT: 0xd2,
  WRITE_AUXILIARY_OUTPUT: 0xd3,
  WRITE_AUXILIARY: 0xd4,
  PULSE: 0xf0,
} as const;
const OutputPort = { NO_RESET: 1, A20: 2 } as const;

const SELF_TEST_PASSED = 0x55;
const PORT_WORKS = 0x00;
/** clock line stuck low: nothing is connected */
const NO_AUXILIARY = 0x01;
const RAM_BYTES = 32;
/** the controller's output buffer and the keyboard's own */
const OUTPUT_BYTES = 17;

export interface I8042State {
  readonly ram: Uint8Array;
  readonly awaiting: number;
  readonly wroteCommand: boolean;
  readonly output: readonly number[];
  readonly outputPort: number;
  readonly data: number;
  readonly keyboard: KeyboardState;
}

/**
 * i8042 keyboard controller with a plain keyboard on ports 0x60 (data) and 0x64 (command and status).
 * Reference: IBM PS/2 Hardware Interface Technical Reference; its reset pulse is how many systems reboot.
 *
 * Not modelled: a mouse (its port tests as dead), translation to scan code set 1, timing: commands are done at once, and
 * so a disabled keyboard port still delivers what the keyboard sends.
 */
export class I8042 implements PortDevice, Stateful<I8042State> {
  readonly keyboard: Ps2Keyboard;
  readonly #line: InterruptLine;
  readonly #onReset: () => void;
  readonly #ram = new Uint8Array(RAM_BYTES);
  /** command whose argument comes at the data port, 0 if none */
  #awaiting = 0;
  #wroteCommand = false;
  /** bytes for the guest; the first is in the output buffer */
  #output: number[] = [];
  #outputPort: number = OutputPort.NO_RESET | OutputPort.A20;
  /** what the output buffer held last: it reads again when empty */
  #data = 0;

  constructor(line: InterruptLine, onReset: () => void) {
    this.#line = line;
    this.#onReset = onReset;
    this.#ram[0] = Config.KEYBOARD_INTERRUPT | Config.SYSTEM;
    this.keyboard = new Ps2Keyboard((bytes) => this.#reply(...bytes));
  }

  readPort(port: number, _size: AccessSize): number {
    if (port !== PORT_DATA) {
      const full = this.#visible ? Status.OUTPUT_FULL : 0;
      return full | (this.#config & Config.SYSTEM) | (this.#wroteCommand ? Status.COMMAND : 0) | Status.UNLOCKED;
    }
    if (this.#visible) this.#data = this.#output.shift() ?? this.#data;
    // The line falls with each byte taken: the next one is an edge of its own.
    this.#line.set(false);
    this.#update();
    return this.#data;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    this.#wroteCommand = port !== PORT_DATA;
    if (this.#wroteCommand) this.#command(value);
    else this.#write(value);
    this.#update();
  }

  get #config(): number {
    return this.#ram[0] ?? 0;
  }

  get #visible(): boolean {
    return this.#output.length > 0;
  }

  /** Bytes beyond the buffer are lost, as with a guest that sends commands and never reads. */
  #reply(...bytes: readonly number[]): void {
    this.#output.push(...bytes.slice(0, Math.max(0, OUTPUT_BYTES - this.#output.length)));
    this.#update();
  }

  #command(command: number): void {
    this.#awaiting = 0;
    if ((command & 0xe0) === Command.READ_RAM) return this.#reply(this.#ram[command & 0x1f] ?? 0);
    if ((command & 0xf0) === Command.PULSE) {
      // Bit 0 clear pulses the processor's reset line.
      if (!(command & OutputPort.NO_RESET)) this.#onReset();
      return;
    }
    if ((command & 0xe0) === Command.WRITE_RAM) {
      this.#awaiting = command;
      return;
    }
    switch (command) {
      case Command.SELF_TEST:
        this.#ram[0] = this.#config | Config.SYSTEM;
        return this.#reply(SELF_TEST_PASSED);
      case Command.TEST_KEYBOARD:
        return this.#reply(PORT_WORKS);
      case Command.TEST_AUXILIARY:
        return this.#reply(NO_AUXILIARY);
      case Command.DISABLE_KEYBOARD:
        this.#ram[0] = this.#config | Config.KEYBOARD_DISABLED;
        return;
      case Command.ENABLE_KEYBOARD:
        this.#ram[0] = this.#config & ~Config.KEYBOARD_DISABLED;
        return;
      case Command.DISABLE_AUXILIARY:
        this.#ram[0] = this.#config | Config.AUXILIARY_DISABLED;
        return;
      case Command.ENABLE_AUXILIARY:
        this.#ram[0] = this.#config & ~Config.AUXILIARY_DISABLED;
        return;
      case Command.READ_INPUT_PORT:
        return this.#reply(0);
      case Command.READ_OUTPUT_PORT:
        return this.#reply(this.#outputPort);
      case Command.WRITE_OUTPUT_PORT:
      case Command.WRITE_KEYBOARD_OUTPUT:
      case Command.WRITE_AUXILIARY_OUTPUT:
      case Command.WRITE_AUXILIARY:
        this.#awaiting = command;
        return;
      default:
      // Unknown commands are ignored, as the controller's firmware does.
    }
  }

  /** A byte at the data port: an argument, or something for the keyboard. */
  #write(value: number): void {
    const command = this.#awaiting;
    this.#awaiting = 0;
    if (command === 0) {
      // Sending to the keyboard enables it.
      this.#ram[0] = this.#config & ~Config.KEYBOARD_DISABLED;
      return this.keyboard.receive(value);
    }
    if ((command & 0xe0) === Command.WRITE_RAM) this.#ram[command & 0x1f] = value;
    else if (command === Command.WRITE_OUTPUT_PORT) {
      this.#outputPort = value;
      if (!(value & OutputPort.NO_RESET)) this.#onReset();
    }
    // Without a mouse the controller has no second output: the byte comes back as if from the keyboard.
    else if (command !== Command.WRITE_AUXILIARY) this.#reply(value);
  }

  #update(): void {
    this.#line.set(this.#visible && (this.#config & Config.KEYBOARD_INTERRUPT) !== 0);
  }

  save(): I8042State {
    return {
      ram: this.#ram.slice(),
      awaiting: this.#awaiting,
      wroteCommand: this.#wroteCommand,
      output: [...this.#output],
      outputPort: this.#outputPort,
      data: this.#data,
      keyboard: this.keyboard.save(),
    };
  }
  restore(state: I8042State): void {
    this.#ram.set(state.ram);
    this.#awaiting = state.awaiting;
    this.#wroteCommand = state.wroteCommand;
    this.#output = [...state.output];
    this.#outputPort = state.outputPort;
    this.#data = state.data;
    this.keyboard.restore(state.keyboard);
  }
}
