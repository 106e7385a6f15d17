import type { Clock } from "../time/clock.ts";
import type { Timers } from "../time/timers.ts";
import { NO_LINE, type AccessSize, type InterruptLine, type PortDevice, type Stateful } from "./device.ts";
import { PitChannel, type PitChannelState } from "./pit-channel.ts";

const PORT_CONTROL = 0x43;
const PORT_SYSTEM_B = 0x61;
/** Control word: which counter; 3 is the read-back command; 8254 data sheet, figures 7 and 10. */
const SELECT_SHIFT = 6;
const READ_BACK = 3;
const ReadBack = { NO_COUNT: 0x20, NO_STATUS: 0x10, CHANNELS_SHIFT: 1 } as const;
/** System control port B; PIIX data sheet, 2.7.1. Bit 4 toggles with each refresh of DRAM, 15 us apart. */
const SystemB = { GATE2: 1, SPEAKER: 2, WRITABLE: 0x0f, REFRESH: 0x10, OUT2: 0x20 } as const;
const REFRESH_NS = 15_085n;

export interface PitState {
  readonly channels: readonly PitChannelState[];
  readonly systemB: number;
}

/**
 * 8254 programmable interval timer on ports 0x40 to 0x43, and system control port B (0x61), which has the gate and output of its third
 * channel. Data sheet: Intel 8254 (231164-005); 82371SB for port 0x61.
 *
 * Channel 0 drives IRQ 0. If the machine is late by several periods, they become one interrupt.
 *
 * Not modelled: the speaker's sound, parity and channel check of port 0x61, and the one clock pulse that loading a count takes.
 */
export class Pit8254 implements PortDevice, Stateful<PitState> {
  readonly #clock: Clock;
  readonly #channels: readonly [PitChannel, PitChannel, PitChannel];
  #systemB = 0;

  constructor(clock: Clock, timers: Timers, line: InterruptLine) {
    this.#clock = clock;
    this.#channels = [
      new PitChannel(clock, timers, true, line),
      new PitChannel(clock, timers, true, NO_LINE),
      new PitChannel(clock, timers, false, NO_LINE),
    ];
  }

  readPort(port: number, _size: AccessSize): number {
    if (port === PORT_SYSTEM_B) return this.#readSystemB();
    // The control word cannot be read.
    return this.#channels[port & 3]?.read() ?? 0xff;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port === PORT_SYSTEM_B) {
      this.#systemB = value & SystemB.WRITABLE;
      this.#channels[2].setGate((value & SystemB.GATE2) !== 0);
    } else if (port === PORT_CONTROL) this.#writeControl(value);
    else this.#channels[port & 3]?.write(value);
  }

  #writeControl(value: number): void {
    const select = value >> SELECT_SHIFT;
    if (select !== READ_BACK) {
      this.#channels[select]?.writeControl(value);
      return;
    }
    this.#channels.forEach((channel, index) => {
      if (!((value >> ReadBack.CHANNELS_SHIFT) & (1 << index))) return;
      if (!(value & ReadBack.NO_COUNT)) channel.latchCount();
      if (!(value & ReadBack.NO_STATUS)) channel.latchStatus();
    });
  }

  #readSystemB(): number {
    const refresh = (this.#clock.nowNs() / REFRESH_NS) & 1n ? SystemB.REFRESH : 0;
    return this.#systemB | refresh | (this.#channels[2].output ? SystemB.OUT2 : 0);
  }

  save(): PitState {
    return { channels: this.#channels.map((channel) => channel.save()), systemB: this.#systemB };
  }
  restore({ channels, systemB }: PitState): void {
    channels.forEach((state, index) => this.#channels[index]?.restore(state));
    this.#systemB = systemB;
  }
}
