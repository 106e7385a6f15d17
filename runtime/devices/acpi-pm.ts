import { Frequency, PM_TIMER_BITS, Ports, SleepType } from "../board-map.ts";
import { nsOfTick, ticksAt, type Clock } from "../time/clock.ts";
import { Alarm, type Timers } from "../time/timers.ts";
import {
  OPEN_BUS,
  type AccessSize,
  type InterruptLine,
  type PortDevice,
  type Stateful,
  type Tracer,
} from "./device.ts";

/** PM1 status and enable; ACPI 6.4, tables 4.11 and 4.12. */
export const Pm1 = {
  TIMER: 0x0001,
  GLOBAL: 0x0020,
  POWER_BUTTON: 0x0100,
  SLEEP_BUTTON: 0x0200,
  RTC: 0x0400,
  WAKE: 0x8000,
} as const;
const STATUS_BITS = Pm1.TIMER | Pm1.GLOBAL | Pm1.POWER_BUTTON | Pm1.SLEEP_BUTTON | Pm1.RTC | Pm1.WAKE;
const ENABLE_BITS = Pm1.TIMER | Pm1.GLOBAL | Pm1.POWER_BUTTON | Pm1.SLEEP_BUTTON | Pm1.RTC;
/** PM1 control; ACPI 6.4, table 4.13. */
const Control = {
  SCI_ENABLE: 0x0001,
  SLEEP_TYPE_SHIFT: 10,
  SLEEP_TYPE: 7,
  SLEEP_ENABLE: 0x2000,
  WRITABLE: 0x1c07,
} as const;

const TIMER_PERIOD = 2 ** PM_TIMER_BITS;
/** The timer's status is set whenever the top bit of its count changes. */
const TIMER_HALF = TIMER_PERIOD / 2;

export interface AcpiPmState {
  readonly registers: readonly number[];
  readonly halvesSeen: number;
}

/**
 * ACPI fixed hardware: PM1a event and control blocks, power-management timer, general-purpose event block 0. ACPI 6.4, 4.8.3 and 4.8.4.
 * It is in ACPI mode from the start (there is no SMI_CMD); SLP_EN with the type of S5 switches the machine off.
 *
 * Not modelled: other sleep states, the global lock, wake-up, the bus-master bits.
 */
export class AcpiPm implements PortDevice, Stateful<AcpiPmState> {
  readonly #clock: Clock;
  readonly #line: InterruptLine;
  readonly #onPowerOff: () => void;
  readonly #trace: Tracer;
  readonly #alarm: Alarm;
  #status = 0;
  #enable = 0;
  #control: number = Control.SCI_ENABLE;
  #gpeStatus = 0;
  #gpeEnable = 0;
  /** half periods of the timer that the status bit has accounted for */
  #halvesSeen: number;

  constructor(clock: Clock, timers: Timers, line: InterruptLine, onPowerOff: () => void, trace: Tracer) {
    this.#clock = clock;
    this.#line = line;
    this.#onPowerOff = onPowerOff;
    this.#trace = trace;
    this.#alarm = new Alarm(timers, () => this.#update());
    this.#halvesSeen = this.#halves();
  }

  readPort(port: number, size: AccessSize): number {
    if (port >= Ports.PM_TIMER.first && port < Ports.PM_TIMER.first + Ports.PM_TIMER.count) {
      return (this.#ticks() % TIMER_PERIOD) >>> ((port & 3) * 8);
    }
    const register = registerOf(port);
    if (!register) return OPEN_BUS;
    if (register === "status") this.#account();
    const value = this.#read(register);
    return size === 2 ? value : value >>> ((port & 1) * 8);
  }

  writePort(port: number, size: AccessSize, value: number): void {
    const register = registerOf(port);
    if (!register) return;
    const shift = (port & 1) * 8;
    const mask = size === 1 ? 0xff << shift : 0xffff;
    this.#write(register, (value << shift) & mask, mask);
    this.#update();
  }

  /** The user pressed the power button: the operating system is asked to shut down. */
  pressPowerButton(): void {
    this.#status |= Pm1.POWER_BUTTON;
    this.#update();
  }

  /** Raises a general-purpose event, 0..15. */
  raiseEvent(number: number): void {
    this.#gpeStatus |= 1 << number;
    this.#update();
  }

  #read(register: Register): number {
    switch (register) {
      case "status":
        return this.#status;
      case "enable":
        return this.#enable;
      case "control":
        return this.#control;
      case "gpeStatus":
        return this.#gpeStatus;
      case "gpeEnable":
        return this.#gpeEnable;
    }
  }

  #write(register: Register, value: number, mask: number): void {
    switch (register) {
      case "status":
        this.#account();
        // Written ones clear.
        this.#status &= ~(value & STATUS_BITS);
        break;
      case "enable":
        this.#enable = (this.#enable & ~mask) | (value & ENABLE_BITS);
        break;
      case "control":
        this.#writeControl((this.#control & ~mask) | value);
        break;
      case "gpeStatus":
        this.#gpeStatus &= ~value;
        break;
      case "gpeEnable":
        this.#gpeEnable = (this.#gpeEnable & ~mask) | value;
    }
  }

  #writeControl(value: number): void {
    this.#control = (value & Control.WRITABLE) | Control.SCI_ENABLE;
    // SLP_EN is write-only.
    if (!(value & Control.SLEEP_ENABLE)) return;
    const type = (value >> Control.SLEEP_TYPE_SHIFT) & Control.SLEEP_TYPE;
    if (type === SleepType.S5) this.#onPowerOff();
    else this.#trace.unimplemented("acpi", `sleep type ${type}`);
  }

  #ticks(): number {
    return ticksAt(this.#clock.nowNs(), Frequency.PM_TIMER);
  }

  #halves(): number {
    return Math.floor(this.#ticks() / TIMER_HALF);
  }

  #account(): void {
    const halves = this.#halves();
    if (halves !== this.#halvesSeen) this.#status |= Pm1.TIMER;
    this.#halvesSeen = halves;
  }

  #update(): void {
    this.#account();
    this.#line.set((this.#status & this.#enable) !== 0 || (this.#gpeStatus & this.#gpeEnable) !== 0);
    if (this.#enable & ~this.#status & Pm1.TIMER) {
      this.#alarm.set(nsOfTick((this.#halvesSeen + 1) * TIMER_HALF, Frequency.PM_TIMER));
    } else this.#alarm.clear();
  }

  save(): AcpiPmState {
    this.#update();
    return {
      registers: [this.#status, this.#enable, this.#control, this.#gpeStatus, this.#gpeEnable],
      halvesSeen: this.#halvesSeen,
    };
  }
  restore({ registers, halvesSeen }: AcpiPmState): void {
    const [status = 0, enable = 0, control = Control.SCI_ENABLE, gpeStatus = 0, gpeEnable = 0] = registers;
    this.#status = status;
    this.#enable = enable;
    this.#control = control;
    this.#gpeStatus = gpeStatus;
    this.#gpeEnable = gpeEnable;
    this.#halvesSeen = halvesSeen;
    this.#update();
  }
}

type Register = "status" | "enable" | "control" | "gpeStatus" | "gpeEnable";

function registerOf(port: number): Register | undefined {
  switch (port & ~1) {
    case Ports.PM1_EVENT.first:
      return "status";
    case Ports.PM1_EVENT.first + 2:
      return "enable";
    case Ports.PM1_CONTROL.first:
      return "control";
    case Ports.GPE0.first:
      return "gpeStatus";
    case Ports.GPE0.first + 2:
      return "gpeEnable";
    default:
      return undefined;
  }
}
