import type { Clock } from "../time/clock.ts";
import type { Timers } from "../time/timers.ts";
import type { InterruptQueueState } from "./interrupt-queue.ts";
import type { InterruptRouter } from "./interrupt-router.ts";
import type { DeliveryMode } from "./local-apic-registers.ts";
import type { ApicTimerState, TimeStampCounter } from "./local-apic-timer.ts";

/** An interrupt on its way to a local APIC. */
export interface ApicMessage {
  readonly mode: DeliveryMode;
  readonly vector: number;
  /** level-triggered: its EOI is told to the I/O APICs */
  readonly level: boolean;
  /** false only for the de-assertion that ends an INIT */
  readonly assert: boolean;
}

/** The processor and the rest of the machine, as its local APIC sees them. */
export interface LocalApicHost {
  /** whether `hasInterrupt` is true has changed */
  interruptPending(pending: boolean): void;
  /** the task priority was written otherwise than through CR8, which has to follow: 0..15 */
  taskPriorityChanged(priority: number): void;
  /** the registers are at this guest-physical address now; undefined = not in memory */
  mapRegisters(gpa: number | undefined): void;
  /** interrupt acknowledge cycle of the 8259A */
  acknowledgeExternal(): number;
  /** end of a level-triggered interrupt, for the I/O APICs */
  endOfInterrupt(vector: number): void;
  nmi(): void;
  init(): void;
  /** start at real-mode address vector << 12 */
  startup(vector: number): void;
}

export interface LocalApicParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly tsc: TimeStampCounter;
  readonly router: InterruptRouter;
  readonly host: LocalApicHost;
  readonly id: number;
  readonly timerHz: number;
  readonly physicalAddressBits: number;
}

export interface LocalApicState {
  readonly base: bigint;
  readonly registers: readonly number[];
  readonly lvt: readonly (readonly [number, number])[];
  readonly queue: InterruptQueueState;
  readonly pins: readonly boolean[];
  readonly timer: ApicTimerState;
}
