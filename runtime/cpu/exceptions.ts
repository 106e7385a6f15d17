import { Vector } from "../abi/guest-state.ts";
import type { Cpu } from "./cpu.ts";
import type { Fault } from "./fault.ts";
import { enterHandler } from "./enter-handler.ts";

/**
 * fault      the saved RIP is that of the instruction, which will be restarted
 * trap       the saved RIP is that of the next one
 * software   INT n, INT3, INTO: gate privilege is checked, EXT is clear
 * icebp      INT1: a trap that needs no privilege
 * external   an interrupt from the APIC or PIC
 * nmi        blocks further NMIs until IRET
 */
export type EventKind = "fault" | "trap" | "software" | "icebp" | "external" | "nmi";

/** Something to be delivered through the IDT. */
export interface GuestEvent {
  readonly vector: number;
  readonly kind: EventKind;
  readonly errorCode?: number | undefined;
  readonly cr2?: bigint | undefined;
  /** bits to set in DR6, of #DB */
  readonly dr6?: number | undefined;
  /** RIP to save; guestState.rip unless given */
  readonly returnRip?: bigint | undefined;
  /** save RF = 1 although this is no fault: the interrupted instruction is a REP that goes on */
  readonly resume?: boolean | undefined;
}

export function eventOf(fault: Fault): GuestEvent {
  return { vector: fault.vector, kind: "fault", errorCode: fault.errorCode, cr2: fault.cr2, dr6: fault.dr6 };
}

/** An interrupt or an NMI that the machine injects. */
export function externalInterrupt(vector: number): GuestEvent {
  return { vector, kind: "external" };
}
export const NMI: GuestEvent = { vector: Vector.NMI, kind: "nmi" };

type Class = "benign" | "contributory" | "page-fault" | "double-fault";

/** SDM Vol. 3A, table 6-4. */
function classOf({ vector, kind }: GuestEvent): Class {
  if (kind === "external" || kind === "nmi" || kind === "software" || kind === "icebp") return "benign";
  switch (vector) {
    case Vector.DE:
    case Vector.TS:
    case Vector.NP:
    case Vector.SS:
    case Vector.GP:
      return "contributory";
    case Vector.PF:
      return "page-fault";
    case Vector.DF:
      return "double-fault";
    default:
      return "benign";
  }
}

/** More than any chain of events that does not repeat itself. */
const MAXIMUM_ATTEMPTS = 16;

const DOUBLE_FAULT: GuestEvent = { vector: Vector.DF, kind: "fault", errorCode: 0 };

/** What to deliver when delivering `first` met `second`. SDM Vol. 3A, table 6-5. */
function combine(first: GuestEvent, second: GuestEvent): GuestEvent | "shutdown" {
  const before = classOf(first);
  const now = classOf(second);
  if (before === "double-fault") return "shutdown";
  if (before === "contributory" && now === "contributory") return DOUBLE_FAULT;
  if (before === "page-fault" && (now === "contributory" || now === "page-fault")) return DOUBLE_FAULT;
  return second;
}

/**
 * Delivers an event: afterwards guestState stands at the first instruction of the handler. A fault during the delivery is
 * delivered in its place or becomes a double fault.
 *
 * @returns "shutdown" after a triple fault: the processor has stopped and only a reset helps
 */
export function deliver(cpu: Cpu, event: GuestEvent): "delivered" | "shutdown" {
  let current = event;
  // Delivering #AC to a stack that is misaligned for CPL 3 raises #AC, and so on for ever: a real processor hangs, too.
  for (let attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
    noteEvent(cpu, current);
    const fault = enterHandler(cpu, current);
    if (!fault) {
      cpu.eventDelivered = true;
      if (current.kind === "nmi") cpu.nmiBlocked = true;
      return "delivered";
    }
    // Even if a double fault follows, CR2 tells of the last page fault.
    if (fault.cr2 !== undefined) cpu.state.setU64("cr2", fault.cr2);
    const next = combine(current, eventOf(fault));
    if (next === "shutdown") return next;
    // What interrupts a delivery returns to where the first event would have returned to.
    current = { ...next, returnRip: ownRip(current) ? undefined : current.returnRip };
  }
  return "shutdown";
}

/** Registers that tell the handler about the event. They are written before the delivery, which may fail. */
function noteEvent(cpu: Cpu, { vector, kind, cr2, dr6 }: GuestEvent): void {
  const { state } = cpu;
  if (vector === Vector.PF && cr2 !== undefined) state.setU64("cr2", cr2);
  if (vector === Vector.DB && kind !== "software" && kind !== "icebp") {
    // B0..B3 tell of this event alone; BD, BS and BT are only ever set. SDM Vol. 3B, 17.2.3.
    if (dr6 !== undefined) state.setU64("dr", (state.u64("dr", 6) & ~0xfn) | BigInt(dr6), 6);
    state.setU64("dr", state.u64("dr", 7) & ~0x2000n, 7);
  }
}

/** INT n, INT3, INTO and INT1 save the RIP behind them, but what goes wrong with them is a fault of theirs. */
function ownRip({ kind }: GuestEvent): boolean {
  return kind === "software" || kind === "icebp";
}
