import type { Clock } from "../time/clock.ts";
import { Alarm, type Timers } from "../time/timers.ts";
import { OPEN_BUS, type AccessSize, type InterruptLine, type PortDevice, type Stateful } from "./device.ts";
import { decodeTime, encodeTime, TimeField, timeOfDay } from "./rtc-time.ts";

const PORT_INDEX = 0x70;

/** Register numbers; MC146818A data sheet, "Address map". */
const Reg = {
  SecondsAlarm: 0x01,
  MinutesAlarm: 0x03,
  HoursAlarm: 0x05,
  StatusA: 0x0a,
  StatusB: 0x0b,
  StatusC: 0x0c,
  StatusD: 0x0d,
} as const;
const StatusA = { UPDATE: 0x80, DIVIDER_MASK: 0x70, DIVIDER_RESET: 0x60, RATE_MASK: 0x0f, RESET: 0x26 } as const;
const StatusB = { SET: 0x80, PERIODIC: 0x40, ALARM: 0x20, UPDATE: 0x10, BINARY: 0x04, HOURS_24: 0x02 } as const;
/** The flags stand at the bits of their enables in register B. */
const StatusC = { INTERRUPT: 0x80, FLAGS: 0x70 } as const;
/** The battery is good. */
const STATUS_D = 0x80;

/** What firmware leaves in CMOS RAM about memory, in the registers that PC software agreed on. */
const Cmos = { BASE_KIB: 0x15, EXTENDED_KIB: 0x17, EXTENDED_KIB_AGAIN: 0x30, CENTURY: 0x32, ABOVE_16M: 0x34 } as const;

const SECOND_NS = 1_000_000_000n;
/** UIP is seen set for at least this long before the registers change; data sheet, "Update cycle". */
const UPDATE_NS = 244_000n;
const DAY = 86_400;
/** An alarm register with the two top bits set matches everything. */
const ANY = 0xc0;

export interface RtcOptions {
  /** Unix time at guest time 0, in nanoseconds; what the clock shows is UTC */
  readonly unixNsAtStart: bigint;
  readonly ramBytes: number;
}

export interface RtcState {
  readonly index: number;
  readonly cmos: Uint8Array;
  readonly flags: number;
  readonly offsetNs: bigint;
  readonly accountedNs: bigint;
  readonly held: boolean;
}

/**
 * MC146818A real-time clock and 128 bytes of CMOS RAM on ports 0x70 (index) and 0x71 (data).
 *
 * Guest time is read from the injected clock and from nowhere else, so tests are deterministic and a restored snapshot sees time
 * continue rather than jump. Flags are worked out when someone looks; only enabled interrupts need a timer.
 *
 * Not modelled: daylight saving, the square-wave output, time bases other than 32.768 kHz, writes of single time registers that take
 * effect in the middle of an update. The century (0x32) is kept with the date.
 */
export class Rtc implements PortDevice, Stateful<RtcState> {
  readonly #clock: Clock;
  readonly #line: InterruptLine;
  readonly #alarm: Alarm;
  readonly #cmos = new Uint8Array(128);
  #index = 0;
  #flags = 0;
  /** Unix time minus guest time */
  #offsetNs: bigint;
  /** guest time up to which #flags is right */
  #accountedNs: bigint;
  /** time registers are held in CMOS: SET, or the divider in reset */
  #held = false;

  constructor(clock: Clock, timers: Timers, line: InterruptLine, options: RtcOptions) {
    this.#clock = clock;
    this.#line = line;
    this.#alarm = new Alarm(timers, () => this.#update());
    this.#offsetNs = options.unixNsAtStart;
    this.#accountedNs = clock.nowNs();
    this.#cmos[Reg.StatusA] = StatusA.RESET;
    this.#cmos[Reg.StatusB] = StatusB.HOURS_24;
    this.#describeMemory(options.ramBytes);
  }

  readPort(port: number, _size: AccessSize): number {
    if (port === PORT_INDEX) return OPEN_BUS;
    switch (this.#index) {
      case Reg.StatusA:
        return (this.#cmos[Reg.StatusA] ?? 0) | (this.#updating() ? StatusA.UPDATE : 0);
      case Reg.StatusC: {
        this.#account();
        const flags = this.#flags | (this.#interrupts ? StatusC.INTERRUPT : 0);
        this.#flags = 0;
        this.#update();
        return flags;
      }
      case Reg.StatusD:
        return STATUS_D;
      default:
        if (TimeField.has(this.#index) && !this.#held) this.#showTime();
        return this.#cmos[this.#index] ?? 0;
    }
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port === PORT_INDEX) {
      this.#index = value & 0x7f; // bit 7 masks NMI, which nothing here raises
      return;
    }
    switch (this.#index) {
      case Reg.StatusA:
        this.#hold((value & StatusA.DIVIDER_RESET) === StatusA.DIVIDER_RESET || this.#setting);
        this.#account();
        this.#cmos[Reg.StatusA] = value & ~StatusA.UPDATE;
        break;
      case Reg.StatusB:
        this.#writeStatusB(value);
        break;
      case Reg.StatusC:
      case Reg.StatusD:
        return;
      default:
        this.#writeRam(this.#index, value);
    }
    this.#update();
  }

  /** Puts a byte into CMOS RAM, as firmware does. */
  setCmos(index: number, value: number): void {
    this.#cmos[index & 0x7f] = value;
  }

  // ---- registers ----

  get #statusB(): number {
    return this.#cmos[Reg.StatusB] ?? 0;
  }

  get #setting(): boolean {
    return (this.#statusB & StatusB.SET) !== 0;
  }

  get #format(): { readonly binary: boolean; readonly hours24: boolean } {
    return { binary: (this.#statusB & StatusB.BINARY) !== 0, hours24: (this.#statusB & StatusB.HOURS_24) !== 0 };
  }

  #writeRam(index: number, value: number): void {
    if (!TimeField.has(index)) {
      this.#account();
      this.#cmos[index] = value;
      return;
    }
    const held = this.#held;
    // Outside SET a single register changes at once.
    this.#hold(true);
    this.#cmos[index] = value;
    this.#hold(held);
  }

  #writeStatusB(value: number): void {
    this.#account();
    const dividerReset = ((this.#cmos[Reg.StatusA] ?? 0) & StatusA.DIVIDER_RESET) === StatusA.DIVIDER_RESET;
    const set = (value & StatusB.SET) !== 0;
    if (set) this.#hold(true);
    // SET clears the enable of the update-ended interrupt. The format has to be there before the time is taken over in it.
    this.#cmos[Reg.StatusB] = set ? value & ~StatusB.UPDATE : value;
    if (!set) this.#hold(dividerReset);
  }

  /** Stops the time registers, or sets the time to what they hold and lets it run. */
  #hold(held: boolean): void {
    if (held === this.#held) return;
    if (held) this.#showTime();
    else {
      const seconds = decodeTime(this.#cmos, this.#format);
      const now = this.#clock.nowNs();
      // The fraction of the second goes on as it was.
      if (seconds !== undefined) this.#offsetNs = BigInt(seconds) * SECOND_NS + mod(this.#unixNs(), SECOND_NS) - now;
      this.#accountedNs = now;
    }
    this.#held = held;
  }

  #showTime(): void {
    encodeTime(this.#cmos, Number(this.#unixNs() / SECOND_NS), this.#format);
  }

  #unixNs(): bigint {
    return this.#clock.nowNs() + this.#offsetNs;
  }

  #updating(): boolean {
    return !this.#held && mod(this.#unixNs(), SECOND_NS) >= SECOND_NS - UPDATE_NS;
  }

  /** Memory sizes as firmware leaves them: KiB up to 64 MiB, and above 16 MiB in pieces of 64 KiB. */
  #describeMemory(ramBytes: number): void {
    const extended = Math.min(0xffff, Math.max(0, ramBytes / 1024 - 1024));
    const above16M = Math.min(0xffff, Math.max(0, Math.floor((ramBytes - 0x100_0000) / 0x1_0000)));
    for (const [at, value] of [
      [Cmos.BASE_KIB, 640],
      [Cmos.EXTENDED_KIB, extended],
      [Cmos.EXTENDED_KIB_AGAIN, extended],
      [Cmos.ABOVE_16M, above16M],
    ] as const) {
      this.#cmos[at] = value & 0xff;
      this.#cmos[at + 1] = value >> 8;
    }
  }

  // ---- interrupts ----

  /** Nanoseconds between periodic flags, 0 if there are none; data sheet, table 5. */
  get #periodNs(): bigint {
    const rate = (this.#cmos[Reg.StatusA] ?? 0) & StatusA.RATE_MASK;
    if (rate === 0) return 0n;
    // The first two rates repeat 256 and 128 Hz.
    const shift = rate < 3 ? rate + 6 : rate - 1;
    return (SECOND_NS << BigInt(shift)) / 32_768n;
  }

  get #interrupts(): boolean {
    return (this.#flags & this.#statusB & StatusC.FLAGS) !== 0;
  }

  /** Sets the flags of what has happened since the last time. */
  #account(): void {
    const before = this.#accountedNs + this.#offsetNs;
    const now = this.#unixNs();
    this.#accountedNs = now - this.#offsetNs;
    const period = this.#periodNs;
    if (period > 0n && now / period !== before / period) this.#flags |= StatusB.PERIODIC;
    if (this.#held) return;
    const first = Number(before / SECOND_NS) + 1;
    const last = Number(now / SECOND_NS);
    if (last < first) return;
    this.#flags |= StatusB.UPDATE;
    for (let second = Math.max(first, last - DAY); second <= last; second++) {
      if (!this.#alarmMatches(second)) continue;
      this.#flags |= StatusB.ALARM;
      return;
    }
  }

  #alarmMatches(second: number): boolean {
    const time = timeOfDay(second, this.#format);
    return [Reg.SecondsAlarm, Reg.MinutesAlarm, Reg.HoursAlarm].every((register, index) => {
      const alarm = this.#cmos[register] ?? 0;
      return alarm >= ANY || alarm === time[index];
    });
  }

  #update(): void {
    this.#account();
    this.#line.set(this.#interrupts);
    const waiting = this.#statusB & ~this.#flags;
    // From the time that was accounted for, not from a later one: nothing that happens between the two may be missed.
    const now = this.#accountedNs + this.#offsetNs;
    const deadlines: bigint[] = [];
    const period = this.#periodNs;
    if (waiting & StatusB.PERIODIC && period > 0n) deadlines.push(period - mod(now, period));
    // An alarm is looked for at every second: that is little work, and rare.
    if (waiting & (StatusB.UPDATE | StatusB.ALARM) && !this.#held) deadlines.push(SECOND_NS - mod(now, SECOND_NS));
    if (deadlines.length === 0) return this.#alarm.clear();
    const next = deadlines.reduce((least, each) => (each < least ? each : least));
    this.#alarm.set(this.#accountedNs + next);
  }

  save(): RtcState {
    this.#update();
    return {
      index: this.#index,
      cmos: this.#cmos.slice(),
      flags: this.#flags,
      offsetNs: this.#offsetNs,
      accountedNs: this.#accountedNs,
      held: this.#held,
    };
  }
  restore(state: RtcState): void {
    this.#index = state.index;
    this.#cmos.set(state.cmos);
    this.#flags = state.flags;
    this.#offsetNs = state.offsetNs;
    this.#accountedNs = state.accountedNs;
    this.#held = state.held;
    this.#update();
  }
}

function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}
