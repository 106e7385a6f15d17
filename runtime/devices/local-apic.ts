import { generalProtection, type Fault } from "../cpu/fault.ts";
import { matchesX2apic, matchesXapic, x2apicLogicalId } from "./apic-destination.ts";
import type { AccessSize, InterruptLine, MmioDevice, Stateful } from "./device.ts";
import { InterruptQueue } from "./interrupt-queue.ts";
import type { InterruptRouter, Shorthand } from "./interrupt-router.ts";
import type { ApicMessage, LocalApicHost, LocalApicParts, LocalApicState } from "./local-apic-host.ts";
import {
  ApicError,
  ApicMsr,
  Base,
  DeliveryMode,
  Icr,
  Lvt,
  mayFollow,
  READ_ONLY,
  Reg,
  Spurious,
  VERSION,
  X2APIC_WRITABLE,
  XAPIC_ONLY,
} from "./local-apic-registers.ts";
import { LocalApicTimer } from "./local-apic-timer.ts";
import { LocalVectorTable } from "./local-vector-table.ts";

const BASE_GPA = 0xfee0_0000n;
const ALL_LEVELS = 0xffff_ffff;

/**
 * Local APIC: xAPIC registers in memory, x2APIC registers as MSRs. SDM Vol. 3A, chapter 11.
 *
 * Processor 0 comes out of reset with LINT0 as ExtINT and unmasked, the virtual wire that firmware leaves behind, so that a guest that
 * knows only the 8259A gets its interrupts.
 *
 * Not modelled: SMI delivery, remote reads, the thermal and performance-counter sources, focus processors, level-triggered fixed
 * interrupts at LINT0 and LINT1 (they are taken at the rising edge).
 * Bytes between the registers read as 0; writes that are not of a whole register are ignored.
 */
export class LocalApic implements MmioDevice, Stateful<LocalApicState> {
  readonly timer: LocalApicTimer;
  readonly id: number;
  readonly #router: InterruptRouter;
  readonly #host: LocalApicHost;
  readonly #addressMask: bigint;
  #base: bigint;
  /** xAPIC ID register, which software may write */
  #idRegister: number;
  #logicalDestination = 0;
  #destinationFormat = ALL_LEVELS;
  #spurious = 0xff;
  #errors = 0;
  #pendingErrors = 0;
  #command = 0;
  #commandHigh = 0;
  readonly #lvt = new LocalVectorTable();
  readonly #queue = new InterruptQueue();
  /** levels of LINT0 and LINT1 */
  readonly #pins: [boolean, boolean] = [false, false];
  /** an ExtINT that came as a message waits */
  #external = false;
  #pending = false;

  constructor({ clock, timers, tsc, router, host, id, timerHz, physicalAddressBits }: LocalApicParts) {
    this.id = id;
    this.#router = router;
    this.#host = host;
    this.#addressMask = ((1n << BigInt(physicalAddressBits)) - 1n) & ~Base.FLAGS;
    this.#base = BASE_GPA | Base.ENABLE | (id === 0 ? Base.BOOTSTRAP : 0n);
    this.#idRegister = id;
    this.timer = new LocalApicTimer(clock, timers, tsc, timerHz, () => this.#raiseLocal(Reg.LVT_TIMER));
    this.reset();
    host.mapRegisters(Number(BASE_GPA));
    router.add(this);
  }

  /** State after INIT: everything but the base and the ID. */
  reset(): void {
    if (this.#queue.taskPriority !== 0) this.#host.taskPriorityChanged(0);
    this.#queue.clear();
    this.#logicalDestination = 0;
    this.#destinationFormat = ALL_LEVELS;
    this.#spurious = 0xff;
    this.#errors = this.#pendingErrors = 0;
    this.#command = this.#commandHigh = 0;
    this.#lvt.reset((this.#base & Base.BOOTSTRAP) !== 0n);
    this.#external = false;
    this.timer.stop();
    this.#update();
  }

  // ---- the processor ----

  /** Whether an interrupt is to be delivered as soon as the processor takes interrupts. */
  hasInterrupt(): boolean {
    return this.#externalPending || this.#queue.deliverable >= 0;
  }

  /** The processor takes the interrupt: its vector. */
  acknowledge(): number {
    if (this.#externalPending) {
      this.#external = false;
      const vector = this.#host.acknowledgeExternal();
      this.#update();
      return vector;
    }
    const vector = this.#queue.deliverable;
    // It was withdrawn between the processor's look and now.
    if (vector < 0) return this.#spurious & Spurious.VECTOR;
    this.#queue.serve(vector);
    this.#update();
    return vector;
  }

  /** CR8 was written. */
  setTaskPriority(priority: number): void {
    this.#queue.taskPriority = (priority & 15) << 4;
    this.#update();
  }

  readMsr(msr: number): bigint | Fault | undefined {
    if (msr === ApicMsr.BASE) return this.#base;
    if (msr === ApicMsr.TSC_DEADLINE) return this.timer.deadline;
    if (msr < ApicMsr.X2APIC_FIRST || msr > ApicMsr.X2APIC_LAST) return undefined;
    const register = msr - ApicMsr.X2APIC_FIRST;
    if (!this.#x2apic || register === Reg.EOI || register === Reg.SELF_IPI) return generalProtection();
    if (register === Reg.COMMAND) return (BigInt(this.#commandHigh) << 32n) | BigInt(this.#command);
    if (register === Reg.ID) return BigInt(this.id);
    if (register === Reg.LOGICAL_DESTINATION) return BigInt(x2apicLogicalId(this.id));
    if (XAPIC_ONLY.has(register)) return generalProtection();
    const value = this.#read(register);
    return value === undefined ? generalProtection() : BigInt(value >>> 0);
  }

  writeMsr(msr: number, value: bigint): "done" | Fault | undefined {
    if (msr === ApicMsr.BASE) return this.#writeBase(value);
    if (msr === ApicMsr.TSC_DEADLINE) {
      this.timer.deadline = value;
      return "done";
    }
    if (msr < ApicMsr.X2APIC_FIRST || msr > ApicMsr.X2APIC_LAST) return undefined;
    const register = msr - ApicMsr.X2APIC_FIRST;
    if (!this.#x2apic || READ_ONLY.has(register) || XAPIC_ONLY.has(register)) return generalProtection();
    const low = Number(value & 0xffff_ffffn);
    if (register === Reg.COMMAND) {
      if (low & ~Icr.WRITABLE) return generalProtection();
      this.#commandHigh = Number(value >> 32n);
      this.#send(low);
      return "done";
    }
    const writable = register === Reg.SELF_IPI ? 0xff : X2APIC_WRITABLE[register];
    if (writable === undefined || value >> 32n || low & ~writable) return generalProtection();
    if (register === Reg.SELF_IPI) this.receive({ mode: DeliveryMode.FIXED, vector: low, level: false, assert: true });
    else this.#write(register, low);
    return "done";
  }

  // ---- registers in memory ----

  readMmio(offset: number, size: AccessSize): number {
    if ((offset & 15) >= 4) return 0;
    const register = offset >> 4;
    const value = register === Reg.ID ? this.#idRegister << 24 : this.#read(register);
    if (value === undefined) this.#error(ApicError.ILLEGAL_REGISTER);
    return size === 4 ? (value ?? 0) : (value ?? 0) >>> ((offset & 3) * 8);
  }

  writeMmio(offset: number, size: AccessSize, value: number): void {
    if (size !== 4 || (offset & 15) !== 0) return;
    const register = offset >> 4;
    if (register === Reg.ID) this.#idRegister = value >>> 24;
    else if (register === Reg.COMMAND_HIGH) this.#commandHigh = value >>> 24;
    else if (register === Reg.LOGICAL_DESTINATION) this.#logicalDestination = (value & 0xff00_0000) >>> 0;
    else if (register === Reg.DESTINATION_FORMAT) this.#destinationFormat = (value | 0x0fff_ffff) >>> 0;
    else if (register === Reg.COMMAND) this.#send(value & Icr.WRITABLE);
    else if (!this.#write(register, value) && !READ_ONLY.has(register)) this.#error(ApicError.ILLEGAL_REGISTER);
  }

  // ---- messages and pins ----

  /** Whether a message is for this processor. */
  matches(destination: number, logical: boolean): boolean {
    if (!this.#enabled) return false;
    if (this.#x2apic) return matchesX2apic(this.id, destination, logical);
    return matchesXapic(this.#idRegister, this.#logicalDestination, this.#destinationFormat, destination, logical);
  }

  receive(message: ApicMessage): void {
    const { mode, vector } = message;
    switch (mode) {
      case DeliveryMode.FIXED:
      case DeliveryMode.LOWEST_PRIORITY:
        return this.#accept(vector, message.level);
      case DeliveryMode.NMI:
        return this.#host.nmi();
      case DeliveryMode.INIT:
        if (!message.assert) return;
        this.reset();
        return this.#host.init();
      case DeliveryMode.STARTUP:
        return this.#host.startup(vector);
      case DeliveryMode.EXTERNAL:
        this.#external = true;
        return this.#update();
      default:
      // SMI: there is no system management mode.
    }
  }

  /** LINT0 (the 8259A) or LINT1 (NMI). */
  pin(number: 0 | 1): InterruptLine {
    return {
      set: (level) => {
        const rises = level && !this.#pins[number];
        this.#pins[number] = level;
        const entry = number === 0 ? Reg.LVT_LINT0 : Reg.LVT_LINT1;
        if (rises && this.#enabled && this.#lvt.interrupt(entry)?.mode !== DeliveryMode.EXTERNAL)
          this.#raiseLocal(entry);
        // Without its APIC, LINT1 is the processor's NMI pin.
        if (rises && !this.#enabled && number === 1) this.#host.nmi();
        this.#update();
      },
    };
  }

  get processorPriority(): number {
    return this.#queue.processorPriority;
  }

  get #enabled(): boolean {
    return (this.#base & Base.ENABLE) !== 0n;
  }

  get #x2apic(): boolean {
    return (this.#base & Base.X2APIC) !== 0n;
  }

  get #externalPending(): boolean {
    // Without its APIC, LINT0 is the processor's INTR pin.
    if (!this.#enabled) return this.#pins[0];
    const wired = this.#lvt.interrupt(Reg.LVT_LINT0)?.mode === DeliveryMode.EXTERNAL;
    return (wired && this.#pins[0]) || this.#external;
  }

  #raiseLocal(source: number): void {
    const interrupt = this.#lvt.interrupt(source);
    if (interrupt) this.receive({ ...interrupt, level: false, assert: true });
  }

  #accept(vector: number, level: boolean): void {
    if (vector < 16) return this.#error(ApicError.RECEIVE_ILLEGAL_VECTOR);
    // Software-disabled, it takes no more; what it has stays.
    if (!(this.#spurious & Spurious.ENABLED)) return;
    this.#queue.add(vector, level);
    this.#update();
  }

  #error(bit: number): void {
    const known = this.#pendingErrors & bit;
    this.#pendingErrors |= bit;
    if (!known) this.#raiseLocal(Reg.LVT_ERROR);
  }

  #update(): void {
    const pending = this.hasInterrupt();
    if (pending === this.#pending) return;
    this.#pending = pending;
    this.#host.interruptPending(pending);
  }

  // ---- reading and writing registers, either way ----

  #read(register: number): number | undefined {
    if (register >= Reg.IN_SERVICE && register < Reg.ERROR_STATUS) return this.#queue.word(register - Reg.IN_SERVICE);
    switch (register) {
      case Reg.VERSION:
        return VERSION;
      case Reg.TASK_PRIORITY:
        return this.#queue.taskPriority;
      case Reg.ARBITRATION_PRIORITY:
      case Reg.PROCESSOR_PRIORITY:
        return this.processorPriority;
      case Reg.EOI:
      case Reg.REMOTE_READ:
        return 0;
      case Reg.LOGICAL_DESTINATION:
        return this.#logicalDestination;
      case Reg.DESTINATION_FORMAT:
        return this.#destinationFormat;
      case Reg.SPURIOUS:
        return this.#spurious;
      case Reg.ERROR_STATUS:
        return this.#errors;
      case Reg.COMMAND:
        return this.#command;
      case Reg.COMMAND_HIGH:
        return this.#commandHigh << 24;
      case Reg.INITIAL_COUNT:
        return this.timer.initialCount;
      case Reg.CURRENT_COUNT:
        return this.timer.currentCount;
      case Reg.DIVIDE:
        return this.timer.divide;
      default:
        return this.#lvt.read(register);
    }
  }

  /** Yields whether there is such a register to write. */
  #write(register: number, value: number): boolean {
    switch (register) {
      case Reg.TASK_PRIORITY:
        this.#queue.taskPriority = value & 0xff;
        this.#host.taskPriorityChanged((value & 0xff) >> 4);
        this.#update();
        return true;
      case Reg.EOI:
        this.#endOfInterrupt();
        return true;
      case Reg.SPURIOUS:
        this.#writeSpurious(value & Spurious.WRITABLE);
        return true;
      case Reg.ERROR_STATUS:
        // A write latches what happened since the last one.
        this.#errors = this.#pendingErrors;
        this.#pendingErrors = 0;
        return true;
      case Reg.INITIAL_COUNT:
        this.timer.initialCount = value >>> 0;
        return true;
      case Reg.DIVIDE:
        this.timer.divide = value;
        return true;
      default:
        return this.#writeLvt(register, value);
    }
  }

  #writeLvt(register: number, value: number): boolean {
    if (!this.#lvt.write(register, value, (this.#spurious & Spurious.ENABLED) !== 0)) return false;
    if (register === Reg.LVT_TIMER) this.timer.mode = (value >> Lvt.TIMER_SHIFT) & 3;
    this.#update();
    return true;
  }

  #writeSpurious(value: number): void {
    this.#spurious = value;
    if (!(value & Spurious.ENABLED)) this.#lvt.maskAll();
    this.#update();
  }

  #endOfInterrupt(): void {
    const level = this.#queue.end();
    if (level !== undefined) this.#host.endOfInterrupt(level);
    this.#update();
  }

  /** Sends an inter-processor interrupt; delivery is done when this returns, so that its status bit never reads as pending. */
  #send(command: number): void {
    this.#command = command >>> 0;
    const mode = ((command >> Icr.MODE_SHIFT) & 7) as DeliveryMode;
    const vector = command & Icr.VECTOR;
    if (mode <= DeliveryMode.LOWEST_PRIORITY && vector < 16) return this.#error(ApicError.SEND_ILLEGAL_VECTOR);
    const assert = (command & Icr.LEVEL) === 0 || (command & Icr.ASSERT) !== 0;
    const message: ApicMessage = { mode, vector, level: false, assert };
    const shorthand = ((command >>> Icr.SHORTHAND_SHIFT) & 3) as Shorthand;
    this.#router.sendFrom(this, shorthand, this.#commandHigh, (command & Icr.LOGICAL) !== 0, message);
  }

  #writeBase(value: bigint): "done" | Fault {
    if (!mayFollow(this.#base, value, this.#addressMask)) return generalProtection();
    const enable = (value & Base.ENABLE) !== 0n;
    const entering = !this.#x2apic && (value & Base.X2APIC) !== 0n;
    this.#base = (value & ~Base.BOOTSTRAP) | (this.#base & Base.BOOTSTRAP);
    if (!enable) this.reset();
    if (entering) this.#commandHigh = 0;
    this.#mapRegisters();
    this.#update();
    return "done";
  }

  #mapRegisters(): void {
    const inMemory = this.#enabled && !this.#x2apic;
    this.#host.mapRegisters(inMemory ? Number(this.#base & this.#addressMask) : undefined);
  }

  save(): LocalApicState {
    return {
      base: this.#base,
      // prettier-ignore
      registers: [
        this.#idRegister, this.#logicalDestination, this.#destinationFormat, this.#spurious, this.#errors,
        this.#pendingErrors, this.#command, this.#commandHigh,
      ],
      lvt: this.#lvt.save(),
      queue: this.#queue.save(),
      pins: [...this.#pins, this.#external],
      timer: this.timer.save(),
    };
  }
  restore(state: LocalApicState): void {
    this.#base = state.base;
    const [id = 0, logical = 0, format = 0, spurious = 0, errors = 0, pending = 0, command = 0, high = 0] =
      state.registers;
    this.#idRegister = id;
    this.#logicalDestination = logical;
    this.#destinationFormat = format;
    this.#spurious = spurious;
    this.#errors = errors;
    this.#pendingErrors = pending;
    this.#command = command;
    this.#commandHigh = high;
    this.#lvt.restore(state.lvt);
    this.#queue.restore(state.queue);
    this.#pins[0] = state.pins[0] ?? false;
    this.#pins[1] = state.pins[1] ?? false;
    this.#external = state.pins[2] ?? false;
    this.timer.restore(state.timer);
    this.#mapRegisters();
    this.#update();
  }
}
