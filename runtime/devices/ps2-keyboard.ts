import type { Stateful } from "./device.ts";

/** Commands to a PS/2 keyboard; IBM PS/2 Hardware Interface Technical Reference, "Keyboard commands". */
const Command = {
  SET_LEDS: 0xed,
  ECHO: 0xee,
  SCAN_CODE_SET: 0xf0,
  IDENTIFY: 0xf2,
  SET_RATE: 0xf3,
  ENABLE: 0xf4,
  DISABLE: 0xf5,
  SET_DEFAULTS: 0xf6,
  RESEND: 0xfe,
  RESET: 0xff,
} as const;
const Reply = { ACKNOWLEDGE: 0xfa, RESEND: 0xfe, TEST_PASSED: 0xaa } as const;
const IDENTITY = [0xab, 0x83] as const;
const DEFAULT_SET = 2;

export interface KeyboardState {
  readonly enabled: boolean;
  readonly set: number;
  readonly awaiting: number;
  readonly last: number;
}

/**
 * PS/2 keyboard: answers commands, and sends the scan codes that it is given.
 *
 * Not modelled: translation of keys to scan codes (the host gives scan codes of the set in use), key repeat, sets other than 2 but in name.
 */
export class Ps2Keyboard implements Stateful<KeyboardState> {
  readonly #send: (bytes: readonly number[]) => void;
  #enabled = true;
  #set = DEFAULT_SET;
  /** command whose argument comes next, 0 if none */
  #awaiting = 0;
  #last = 0;

  constructor(send: (bytes: readonly number[]) => void) {
    this.#send = (bytes) => {
      this.#last = bytes.at(-1) ?? 0;
      send(bytes);
    };
  }

  /** A byte from the controller. */
  receive(byte: number): void {
    const awaiting = this.#awaiting;
    this.#awaiting = 0;
    // Commands have bit 7 set, arguments have not: a command in place of an argument is a command.
    if (awaiting && byte < 0x80) return this.#argument(awaiting, byte);
    switch (byte) {
      case Command.ECHO:
        return this.#send([Command.ECHO]);
      case Command.SET_LEDS:
      case Command.SCAN_CODE_SET:
      case Command.SET_RATE:
        this.#awaiting = byte;
        return this.#send([Reply.ACKNOWLEDGE]);
      case Command.IDENTIFY:
        return this.#send([Reply.ACKNOWLEDGE, ...IDENTITY]);
      case Command.ENABLE:
      case Command.DISABLE:
        this.#enabled = byte === Command.ENABLE;
        return this.#send([Reply.ACKNOWLEDGE]);
      case Command.SET_DEFAULTS:
        this.#set = DEFAULT_SET;
        return this.#send([Reply.ACKNOWLEDGE]);
      case Command.RESEND:
        return this.#send([this.#last]);
      case Command.RESET:
        this.#enabled = true;
        this.#set = DEFAULT_SET;
        return this.#send([Reply.ACKNOWLEDGE, Reply.TEST_PASSED]);
      default:
        return this.#send([Reply.RESEND]);
    }
  }

  /** Scan codes from the host. A disabled keyboard sends none. */
  input(scanCodes: readonly number[]): void {
    if (this.#enabled) this.#send(scanCodes);
  }

  #argument(command: number, value: number): void {
    if (command !== Command.SCAN_CODE_SET) return this.#send([Reply.ACKNOWLEDGE]);
    if (value === 0) return this.#send([Reply.ACKNOWLEDGE, this.#set]);
    this.#set = value;
    this.#send([Reply.ACKNOWLEDGE]);
  }

  save(): KeyboardState {
    return { enabled: this.#enabled, set: this.#set, awaiting: this.#awaiting, last: this.#last };
  }
  restore({ enabled, set, awaiting, last }: KeyboardState): void {
    this.#enabled = enabled;
    this.#set = set;
    this.#awaiting = awaiting;
    this.#last = last;
  }
}
