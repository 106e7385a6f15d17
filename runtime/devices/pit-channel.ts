import { Frequency } from "../board-map.ts";
import { nsOfTick, ticksAt, type Clock } from "../time/clock.ts";
import { Alarm, type Timers } from "../time/timers.ts";
import type { InterruptLine, Stateful } from "./device.ts";

/** How the bytes of a count are read and written: control word bits 4..5; 8254 data sheet, figure 7. */
export const Access = { LATCH: 0, LOW: 1, HIGH: 2, BOTH: 3 } as const;
const STATUS_OUTPUT = 0x80;
const STATUS_NULL_COUNT = 0x40;

export interface PitChannelState {
  readonly fields: readonly number[];
  readonly flags: readonly boolean[];
}

/**
 * One counter of an 8254. The count is not stepped: it follows from the tick at which it was loaded, and the output from the count.
 *
 * A tick is a period of the 1.193182 MHz clock since power-on. Counting begins at the tick of the load rather than one later.
 */
export class PitChannel implements Stateful<PitChannelState> {
  readonly #clock: Clock;
  readonly #output: InterruptLine;
  readonly #alarm: Alarm;
  /** control word bits 0..5: BCD, mode, access */
  #control = 0x30;
  #reload = 0x1_0000;
  /** tick at which the count was `#reload`; it goes on from there */
  #loadedAt = 0;
  /** ticks counted before the gate stopped it, while it is stopped (modes 0 and 4) */
  #heldAt: number | undefined;
  #gate: boolean;
  /** a count was written since the control word */
  #loaded = false;
  /** modes 1 and 5: a trigger came */
  #triggered = false;
  /** a new count that waits for the end of the period (modes 2 and 3) or for a trigger (1 and 5) */
  #nextReload: number | undefined;
  /** ticks from #loadedAt to the end of the period in which #nextReload was written (modes 2 and 3) */
  #switchAfter: number | undefined;
  /** modes 0, 1, 4 and 5: the edge at the end of the count is still to come */
  #edgeDue = false;
  #writeLow = 0;
  #writeHigh = false;
  #readHigh = false;
  #latchedCount: number | undefined;
  #latchedStatus: number | undefined;

  constructor(clock: Clock, timers: Timers, gate: boolean, output: InterruptLine) {
    this.#clock = clock;
    this.#output = output;
    this.#gate = gate;
    this.#alarm = new Alarm(timers, () => this.#onDeadline());
  }

  /** 0 to 5; 6 and 7 are 2 and 3. */
  get #mode(): number {
    const mode = (this.#control >> 1) & 7;
    return mode > 5 ? mode & 3 : mode;
  }

  get #access(): number {
    return (this.#control >> 4) & 3;
  }

  // ---- guest ----

  writeControl(value: number): void {
    if (((value >> 4) & 3) === Access.LATCH) return this.latchCount();
    this.#control = value & 0x3f;
    this.#loaded = false;
    this.#triggered = false;
    this.#nextReload = undefined;
    this.#switchAfter = undefined;
    this.#heldAt = undefined;
    this.#writeHigh = false;
    this.#readHigh = false;
    this.#latchedCount = undefined;
    this.#alarm.clear();
    this.#output.set(this.output);
  }

  latchCount(): void {
    this.#latchedCount ??= this.#encode(this.#count());
  }

  latchStatus(): void {
    const nullCount = !this.#loaded || this.#nextReload !== undefined ? STATUS_NULL_COUNT : 0;
    this.#latchedStatus ??= (this.output ? STATUS_OUTPUT : 0) | nullCount | this.#control;
  }

  write(value: number): void {
    switch (this.#access) {
      case Access.LOW:
        return this.#writeCount(value);
      case Access.HIGH:
        return this.#writeCount(value << 8);
      default:
        if (!this.#writeHigh) {
          this.#writeLow = value;
          // In mode 0 the first byte stops the count.
          if (this.#mode === 0 && this.#loaded) this.#hold();
        } else {
          this.#heldAt = undefined;
          this.#writeCount((value << 8) | this.#writeLow);
        }
        this.#writeHigh = !this.#writeHigh;
    }
  }

  read(): number {
    if (this.#latchedStatus !== undefined) {
      const status = this.#latchedStatus;
      this.#latchedStatus = undefined;
      return status;
    }
    const count = this.#latchedCount ?? this.#encode(this.#count());
    if (this.#access === Access.BOTH) {
      this.#readHigh = !this.#readHigh;
      if (this.#readHigh) return count & 0xff;
      this.#latchedCount = undefined;
      return count >> 8;
    }
    this.#latchedCount = undefined;
    return this.#access === Access.HIGH ? count >> 8 : count & 0xff;
  }

  get gate(): boolean {
    return this.#gate;
  }

  setGate(level: boolean): void {
    if (level === this.#gate) return;
    const mode = this.#mode;
    if (!level && (mode === 0 || mode === 4)) this.#hold();
    this.#gate = level;
    if (level) this.#gateRises(mode);
    this.#refresh();
  }

  /** Level of the output pin now. */
  get output(): boolean {
    const mode = this.#mode;
    if (!this.#loaded) return mode !== 0;
    const elapsed = this.#elapsed();
    switch (mode) {
      case 0:
        return elapsed >= this.#reload;
      case 1:
        return !this.#triggered || elapsed >= this.#reload;
      case 2:
        // Low for the last tick of a period. The gate forces it high.
        return !this.#gate || elapsed % this.#reload !== this.#reload - 1;
      case 3:
        return !this.#gate || elapsed % this.#reload < (this.#reload + 1) >> 1;
      case 4:
        return elapsed !== this.#reload;
      default:
        return !this.#triggered || elapsed !== this.#reload;
    }
  }

  // ---- counting ----

  #writeCount(written: number): void {
    const count = this.#decode(written);
    const mode = this.#mode;
    const periodic = mode === 2 || mode === 3;
    if ((periodic && this.#loaded && this.#gate) || ((mode === 1 || mode === 5) && this.#triggered)) {
      const elapsed = this.#elapsed();
      // The end of the period under way, or (one that another new count waits for already) the one decided then.
      if (periodic) this.#switchAfter ??= elapsed - (elapsed % this.#reload) + this.#reload;
      this.#nextReload = count;
    } else {
      this.#reload = count;
      this.#start();
    }
    this.#loaded = true;
    this.#refresh();
  }

  #start(): void {
    this.#loadedAt = this.#tick();
    this.#edgeDue = true;
    this.#heldAt = this.#gate || this.#mode === 1 || this.#mode === 5 ? undefined : 0;
  }

  #gateRises(mode: number): void {
    if (mode === 0 || mode === 4) {
      if (this.#heldAt !== undefined) this.#loadedAt = this.#tick() - this.#heldAt;
      this.#heldAt = undefined;
      return;
    }
    // A trigger: the count is loaded and begins again.
    if (this.#nextReload !== undefined) this.#reload = this.#nextReload;
    this.#nextReload = undefined;
    this.#switchAfter = undefined;
    this.#triggered = true;
    this.#start();
  }

  #hold(): void {
    if (this.#loaded) this.#heldAt ??= this.#elapsed();
  }

  #tick(): number {
    return ticksAt(this.#clock.nowNs(), Frequency.PIT);
  }

  /** Ticks counted since the load, after taking over a new count whose time has come. */
  #elapsed(): number {
    if (this.#heldAt !== undefined) return this.#heldAt;
    this.#catchUp();
    return this.#tick() - this.#loadedAt;
  }

  /** A count written while a period runs is loaded at the end of it; data sheet, modes 2 and 3. */
  #catchUp(): void {
    if (this.#nextReload === undefined || this.#switchAfter === undefined) return;
    const periodEnd = this.#loadedAt + this.#switchAfter;
    if (this.#tick() < periodEnd) return;
    this.#loadedAt = periodEnd;
    this.#reload = this.#nextReload;
    this.#nextReload = undefined;
    this.#switchAfter = undefined;
  }

  #count(): number {
    const elapsed = this.#elapsed();
    const reload = this.#reload;
    switch (this.#mode) {
      case 2:
        return this.#gate ? reload - (elapsed % reload) : reload;
      case 3: {
        if (!this.#gate) return reload;
        // It counts by two, twice through the (even) count in each period.
        const half = (reload + 1) >> 1;
        const position = elapsed % reload;
        return (reload & ~1) - 2 * (position < half ? position : position - half);
      }
      default:
        // It goes on below zero.
        return (reload - elapsed) & 0xffff;
    }
  }

  /** A count of 0 is the largest. BCD counts have four decimal digits; digits above 9 are not defined. */
  #decode(written: number): number {
    if (!(this.#control & 1)) return written === 0 ? 0x1_0000 : written;
    let value = 0;
    for (let shift = 12; shift >= 0; shift -= 4) value = value * 10 + ((written >> shift) & 15);
    return value === 0 ? 10_000 : value;
  }

  #encode(count: number): number {
    if (!(this.#control & 1)) return count & 0xffff;
    let rest = ((count % 10_000) + 10_000) % 10_000;
    let digits = 0;
    for (let shift = 0; shift < 16; shift += 4) {
      digits |= (rest % 10) << shift;
      rest = Math.floor(rest / 10);
    }
    return digits;
  }

  // ---- the output ----

  #refresh(): void {
    this.#output.set(this.#driven());
    this.#arm();
  }

  /**
   * The level that goes to the interrupt controllers. Where the output is high but for a short time, they see its rising edge alone,
   * when the deadline comes: nothing but an edge matters there.
   */
  #driven(): boolean {
    return this.#mode >= 2 || this.output;
  }

  #arm(): void {
    const next = this.#nextEdge();
    if (next === undefined) this.#alarm.clear();
    else this.#alarm.set(nsOfTick(next, Frequency.PIT));
  }

  /** Tick of the next edge that interrupts. */
  #nextEdge(): number | undefined {
    if (!this.#loaded || this.#heldAt !== undefined) return undefined;
    const mode = this.#mode;
    if (mode === 2 || mode === 3) {
      if (!this.#gate) return undefined;
      const elapsed = this.#elapsed();
      return this.#loadedAt + elapsed - (elapsed % this.#reload) + this.#reload;
    }
    if ((mode === 1 || mode === 5) && !this.#triggered) return undefined;
    // Also when it is over by now: a short count may have run out since it was written, and its edge is still due.
    return this.#edgeDue ? this.#loadedAt + this.#reload : undefined;
  }

  #onDeadline(): void {
    this.#edgeDue = false;
    if (this.#mode >= 2) this.#output.set(false);
    this.#refresh();
  }

  save(): PitChannelState {
    return {
      // prettier-ignore
      fields: [
        this.#control, this.#reload, this.#loadedAt, this.#heldAt ?? -1, this.#nextReload ?? -1, this.#writeLow,
        this.#latchedCount ?? -1, this.#latchedStatus ?? -1, this.#switchAfter ?? -1,
      ],
      flags: [this.#gate, this.#loaded, this.#triggered, this.#writeHigh, this.#readHigh, this.#edgeDue],
    };
  }
  restore({ fields, flags }: PitChannelState): void {
    const [control = 0x30, reload = 0x1_0000, loadedAt = 0, held, next, writeLow = 0, count, status, switchAfter] =
      fields;
    this.#control = control;
    this.#reload = reload;
    this.#loadedAt = loadedAt;
    this.#heldAt = orNothing(held);
    this.#nextReload = orNothing(next);
    this.#writeLow = writeLow;
    this.#latchedCount = orNothing(count);
    this.#latchedStatus = orNothing(status);
    this.#switchAfter = orNothing(switchAfter);
    this.#gate = flags[0] ?? false;
    this.#loaded = flags[1] ?? false;
    this.#triggered = flags[2] ?? false;
    this.#writeHigh = flags[3] ?? false;
    this.#readHigh = flags[4] ?? false;
    this.#edgeDue = flags[5] ?? false;
    this.#arm();
  }
}

function orNothing(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? undefined : value;
}
