import type { AccessSize, InterruptLine, PortDevice, Stateful } from "./device.ts";

/** Registers; PC16550D data sheet, table II. With LCR.DLAB, 0 and 1 are the divisor latch. */
const Reg = {
  Data: 0,
  InterruptEnable: 1,
  InterruptId: 2,
  LineControl: 3,
  ModemControl: 4,
  LineStatus: 5,
  ModemStatus: 6,
  Scratch: 7,
} as const;

/** Interrupt enable register. */
const Ier = { RECEIVED: 1, TRANSMITTER_EMPTY: 2, LINE_STATUS: 4, MODEM_STATUS: 8, ALL: 0x0f } as const;
/** Interrupt identification register; table IV, highest priority first. */
const Iir = {
  LINE_STATUS: 6,
  RECEIVED: 4,
  TIMEOUT: 0x0c,
  TRANSMITTER_EMPTY: 2,
  MODEM_STATUS: 0,
  NONE: 1,
  FIFOS: 0xc0,
} as const;
/** FIFO control register, write only at the address of IIR. */
const Fcr = { ENABLE: 1, CLEAR_RECEIVER: 2, CLEAR_TRANSMITTER: 4, STORED: 0xc9 } as const;
const Lcr = { DLAB: 0x80 } as const;
const Mcr = { DTR: 1, RTS: 2, OUT1: 4, OUT2: 8, LOOPBACK: 0x10, ALL: 0x1f } as const;
const Lsr = {
  DATA: 1,
  OVERRUN: 2,
  PARITY: 4,
  FRAMING: 8,
  BREAK: 0x10,
  EMPTY: 0x20,
  IDLE: 0x40,
  FIFO_ERROR: 0x80,
  ERRORS: 0x1e,
} as const;
/** Modem status: lines in the high half, what changed since the last read in the low half. */
const Msr = {
  DELTA_CTS: 1,
  DELTA_DSR: 2,
  TRAILING_RI: 4,
  DELTA_DCD: 8,
  CTS: 0x10,
  DSR: 0x20,
  RI: 0x40,
  DCD: 0x80,
  LINES: 0xf0,
} as const;

const FIFO_BYTES = 16;
/** Receiver trigger levels, FCR bits 6..7. */
const TRIGGERS = [1, 4, 8, 14] as const;
/** An entry of the receiver that the transmitter has sent in loopback, and not the host. */
const LOOPED = 0x1_0000;
/** Reads of the line status, with no register written in between, by which a guest shows that it polls for input. */
const POLLS = 16;
/** Someone listens at the other end. */
const CONNECTED = Msr.CTS | Msr.DSR | Msr.DCD;

/** Where the bytes go that the guest sends. */
export interface SerialOutput {
  /**
   * Takes a byte.
   *
   * @returns whether another may follow now; if not, the device waits for `outputReady`
   */
  write(byte: number): boolean;
}

export interface UartState {
  readonly registers: readonly number[];
  readonly divisor: number;
  readonly received: readonly number[];
  readonly waiting: readonly number[];
  readonly transmit: readonly number[];
  readonly emptyPending: boolean;
  readonly outputBlocked: boolean;
  readonly polls: number;
}

/**
 * PC16550D UART with FIFOs on eight ports. Data sheet: National Semiconductor PC16550D, June 1995.
 *
 * Characters take no time: what is written is at the host at once, unless the host asked to wait, and then it stays in the transmitter
 * FIFO. What the host sends waits outside until the guest is ready for it and the receiver has room, so that no input is lost.
 *
 * Ready is a guest that asserts RTS, as for any sender with hardware flow control; Linux does so when a port is opened. Bare guests may
 * know nothing of modem lines: who has enabled the interrupt of the receiver, or polls the line status over and over, is ready, too.
 * Before that a driver that looks for the chip clears its FIFO and reads its data, which would be input lost.
 *
 * Not modelled: the time that a character takes (the timeout interrupt comes at once when fewer bytes wait than the trigger level),
 * parity and framing errors, DMA mode pins, and the gate of the interrupt by OUT2 that PCs have.
 */
export class Uart16550 implements PortDevice, Stateful<UartState> {
  readonly #line: InterruptLine;
  readonly #output: SerialOutput;
  #interruptEnable = 0;
  #fifoControl = 0;
  #lineControl = 0;
  #modemControl = 0;
  /** sticky error bits of the line status */
  #lineErrors = 0;
  #modemStatus: number = CONNECTED;
  #scratch = 0;
  #divisor = 0x000c;
  /** the receiver FIFO, or the one byte of the receiver buffer: character, errors from bit 8, LOOPED */
  #received: number[] = [];
  /** reads of the line status since a register was last written, at most POLLS */
  #polls = 0;
  /** host input that the guest is not ready for, or that the receiver has no room for yet */
  #waiting: number[] = [];
  #transmit: number[] = [];
  /** the transmitter became empty since IIR said so */
  #emptyPending = false;
  #outputBlocked = false;

  constructor(line: InterruptLine, output: SerialOutput) {
    this.#line = line;
    this.#output = output;
  }

  readPort(port: number, _size: AccessSize): number {
    switch (port & 7) {
      case Reg.Data:
        return this.#lineControl & Lcr.DLAB ? this.#divisor & 0xff : this.#readData();
      case Reg.InterruptEnable:
        return this.#lineControl & Lcr.DLAB ? this.#divisor >> 8 : this.#interruptEnable;
      case Reg.InterruptId:
        return this.#readInterruptId();
      case Reg.LineControl:
        return this.#lineControl;
      case Reg.ModemControl:
        return this.#modemControl;
      case Reg.LineStatus:
        if (this.#polls < POLLS && ++this.#polls === POLLS) this.#receiveWaiting();
        return this.#readLineStatus();
      case Reg.ModemStatus:
        return this.#readModemStatus();
      default:
        return this.#scratch;
    }
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    const register = port & 7;
    // Who has begun to poll goes on, whatever it sends; it begins anew when it sets the chip up.
    if (this.#polls < POLLS || (register >= Reg.InterruptEnable && register <= Reg.ModemControl)) this.#polls = 0;
    switch (register) {
      case Reg.Data:
        if (this.#lineControl & Lcr.DLAB) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#send(value);
        break;
      case Reg.InterruptEnable:
        if (this.#lineControl & Lcr.DLAB) this.#divisor = (this.#divisor & 0xff) | (value << 8);
        else this.#writeInterruptEnable(value & Ier.ALL);
        break;
      case Reg.InterruptId:
        this.#writeFifoControl(value);
        break;
      case Reg.LineControl:
        this.#lineControl = value;
        break;
      case Reg.ModemControl:
        this.#writeModemControl(value & Mcr.ALL);
        break;
      case Reg.Scratch:
        this.#scratch = value;
        break;
      default:
      // The status registers are read-only; writes are for factory tests.
    }
    this.#update();
  }

  // ---- host ----

  /** Bytes for the guest, in order. They wait here until the guest has room for them. */
  input(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#waiting.push(byte & 0xff);
    this.#receiveWaiting();
    this.#update();
  }

  /** A break condition for the guest, behind the bytes that wait. */
  inputBreak(): void {
    this.#waiting.push(Lsr.BREAK << 8);
    this.#receiveWaiting();
    this.#update();
  }

  /** Bytes that the guest has not taken off yet: a host with much to send asks before it sends more. */
  get inputBacklog(): number {
    return this.#waiting.length;
  }

  /** The host can take output again. */
  outputReady(): void {
    this.#outputBlocked = false;
    this.#drain();
    this.#update();
  }

  // ---- transmitter ----

  get #fifos(): boolean {
    return (this.#fifoControl & Fcr.ENABLE) !== 0;
  }

  get #capacity(): number {
    return this.#fifos ? FIFO_BYTES : 1;
  }

  #send(byte: number): void {
    this.#emptyPending = false;
    if (this.#modemControl & Mcr.LOOPBACK) {
      this.#receive(byte);
      this.#emptyPending = true;
      return;
    }
    // With its FIFO full the transmitter loses the byte; without one the byte that waits is overwritten.
    if (this.#transmit.length < this.#capacity) this.#transmit.push(byte);
    else if (!this.#fifos) this.#transmit[0] = byte;
    this.#drain();
  }

  #drain(): void {
    const waited = this.#transmit.length > 0;
    while (!this.#outputBlocked) {
      const byte = this.#transmit.shift();
      if (byte === undefined) break;
      this.#outputBlocked = !this.#output.write(byte);
    }
    if (waited && this.#transmit.length === 0) this.#emptyPending = true;
  }

  // ---- receiver ----

  get #isReady(): boolean {
    // In loopback the input pin is disconnected, and RTS is not asserted.
    if (this.#modemControl & Mcr.LOOPBACK) return false;
    const hasInterrupt = (this.#interruptEnable & Ier.RECEIVED) !== 0;
    return hasInterrupt || this.#polls === POLLS || (this.#modemControl & Mcr.RTS) !== 0;
  }

  #receiveWaiting(): void {
    if (!this.#isReady) return;
    while (this.#received.length < this.#capacity) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#received.push(entry);
    }
  }

  /** A byte that the transmitter has sent in loopback. */
  #receive(byte: number): void {
    const entry = byte | LOOPED;
    if (this.#received.length < this.#capacity) this.#received.push(entry);
    else {
      this.#lineErrors |= Lsr.OVERRUN;
      // The FIFO keeps what it has; the buffer register is overwritten.
      if (!this.#fifos) this.#received[0] = entry;
    }
  }

  #clearReceiver(): void {
    // Without RTS the host was never told to send: what it has sent all the same it sends again, as if it came only now.
    const early = this.#modemControl & Mcr.RTS ? [] : this.#received.filter((entry) => !(entry & LOOPED));
    this.#waiting = [...early, ...this.#waiting];
    this.#received = [];
  }

  #readData(): number {
    const entry = this.#received.shift() ?? 0;
    this.#receiveWaiting();
    this.#update();
    return entry & 0xff;
  }

  #readLineStatus(): number {
    const first = this.#received[0];
    let status = this.#lineErrors;
    if (first !== undefined) {
      status |= Lsr.DATA | errorsOf(first);
      if (this.#fifos && this.#received.some(errorsOf)) status |= Lsr.FIFO_ERROR;
      // Errors belong to the character at the top of the FIFO, and reading them clears them.
      this.#received[0] = first & (LOOPED | 0xff);
    }
    if (this.#transmit.length === 0) status |= Lsr.EMPTY | Lsr.IDLE;
    this.#lineErrors = 0;
    this.#update();
    return status;
  }

  // ---- control ----

  #writeInterruptEnable(value: number): void {
    const enabled = value & ~this.#interruptEnable;
    this.#interruptEnable = value;
    // Enabling the interrupt of an empty transmitter raises it; drivers rely on it to begin.
    if (enabled & Ier.TRANSMITTER_EMPTY && this.#transmit.length === 0) this.#emptyPending = true;
    this.#receiveWaiting();
  }

  #writeFifoControl(value: number): void {
    const toggled = (value ^ this.#fifoControl) & Fcr.ENABLE;
    if (toggled || value & Fcr.CLEAR_RECEIVER) this.#clearReceiver();
    if (toggled || value & Fcr.CLEAR_TRANSMITTER) {
      if (this.#transmit.length > 0) this.#emptyPending = true;
      this.#transmit = [];
    }
    // The other bits are only writable together with the enable bit.
    this.#fifoControl = value & Fcr.ENABLE ? value & Fcr.STORED : 0;
    this.#receiveWaiting();
  }

  #writeModemControl(value: number): void {
    this.#modemControl = value;
    const lines = this.#modemLines();
    const changed = (lines ^ this.#modemStatus) & Msr.LINES;
    let delta = this.#modemStatus & ~Msr.LINES;
    if (changed & Msr.CTS) delta |= Msr.DELTA_CTS;
    if (changed & Msr.DSR) delta |= Msr.DELTA_DSR;
    if (changed & Msr.DCD) delta |= Msr.DELTA_DCD;
    if (changed & Msr.RI && !(lines & Msr.RI)) delta |= Msr.TRAILING_RI;
    this.#modemStatus = lines | delta;
    this.#receiveWaiting();
  }

  /** In loopback the modem's inputs are wired to its outputs; data sheet, 8.6. */
  #modemLines(): number {
    const control = this.#modemControl;
    if (!(control & Mcr.LOOPBACK)) return CONNECTED;
    return (
      (control & Mcr.RTS ? Msr.CTS : 0) |
      (control & Mcr.DTR ? Msr.DSR : 0) |
      (control & Mcr.OUT1 ? Msr.RI : 0) |
      (control & Mcr.OUT2 ? Msr.DCD : 0)
    );
  }

  #readModemStatus(): number {
    const status = this.#modemStatus;
    this.#modemStatus &= Msr.LINES;
    this.#update();
    return status;
  }

  // ---- interrupts ----

  #readInterruptId(): number {
    const pending = this.#pending();
    const fifos = this.#fifos ? Iir.FIFOS : 0;
    // Reading this source, and only this one, clears it.
    if (pending === Iir.TRANSMITTER_EMPTY) this.#emptyPending = false;
    this.#update();
    return pending | fifos;
  }

  #pending(): number {
    const enabled = this.#interruptEnable;
    const waiting = this.#received.length;
    if (enabled & Ier.LINE_STATUS && (this.#lineErrors & Lsr.ERRORS) | errorsOf(this.#received[0] ?? 0))
      return Iir.LINE_STATUS;
    if (enabled & Ier.RECEIVED && waiting > 0) {
      const trigger = this.#fifos ? (TRIGGERS[this.#fifoControl >> 6] ?? 1) : 1;
      return waiting >= trigger ? Iir.RECEIVED : Iir.TIMEOUT;
    }
    if (enabled & Ier.TRANSMITTER_EMPTY && this.#emptyPending) return Iir.TRANSMITTER_EMPTY;
    if (enabled & Ier.MODEM_STATUS && this.#modemStatus & ~Msr.LINES) return Iir.MODEM_STATUS;
    return Iir.NONE;
  }

  #update(): void {
    this.#line.set(this.#pending() !== Iir.NONE);
  }

  save(): UartState {
    return {
      registers: [
        this.#interruptEnable,
        this.#fifoControl,
        this.#lineControl,
        this.#modemControl,
        this.#lineErrors,
        this.#modemStatus,
        this.#scratch,
      ],
      divisor: this.#divisor,
      received: [...this.#received],
      waiting: [...this.#waiting],
      transmit: [...this.#transmit],
      emptyPending: this.#emptyPending,
      outputBlocked: this.#outputBlocked,
      polls: this.#polls,
    };
  }

  restore(state: UartState): void {
    const [enable = 0, fifo = 0, lineControl = 0, modemControl = 0, errors = 0, modem = CONNECTED, scratch = 0] =
      state.registers;
    this.#interruptEnable = enable;
    this.#fifoControl = fifo;
    this.#lineControl = lineControl;
    this.#modemControl = modemControl;
    this.#lineErrors = errors;
    this.#modemStatus = modem;
    this.#scratch = scratch;
    this.#divisor = state.divisor;
    this.#received = [...state.received];
    this.#waiting = [...state.waiting];
    this.#transmit = [...state.transmit];
    this.#emptyPending = state.emptyPending;
    this.#outputBlocked = state.outputBlocked;
    this.#polls = state.polls;
  }
}

function errorsOf(entry: number): number {
  return (entry >> 8) & 0xff;
}
