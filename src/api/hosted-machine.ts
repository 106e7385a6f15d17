import { VmError } from "../errors.ts";
import type { MachineExit } from "../pc/exit.ts";
import type { MachineStats } from "../pc/stats.ts";
import type { Controller, ControllerEvents, PortName } from "../session/controller.ts";
import { GuestPort } from "./guest-port.ts";
import { Listeners } from "./listeners.ts";
import type {
  ConsolePort,
  Machine,
  MachineEvents,
  MachineHosting,
  MachineState,
  MachineStatus,
  Port,
  RunOptions,
  Unsubscribe,
} from "./machine.ts";

type EventListeners = { readonly [Event in keyof MachineEvents]: Listeners<MachineEvents[Event]> };

/** A machine as its embedder has it: status, ports and events around what runs the guest, wherever that is. */
export class HostedMachine implements Machine {
  readonly memoryBytes: number;
  readonly serial: Port;
  readonly console: ConsolePort | undefined;
  readonly #ports: Readonly<Partial<Record<PortName, GuestPort>>>;
  readonly #listeners: EventListeners = {
    start: new Listeners(),
    pause: new Listeners(),
    resume: new Listeners(),
    reset: new Listeners(),
    exit: new Listeners(),
    diskError: new Listeners(),
    translationError: new Listeners(),
    error: new Listeners(),
    close: new Listeners(),
  };
  #controller: Controller | undefined;
  #status: MachineStatus = "off";
  #run: Promise<MachineExit> | undefined;
  #closing: Promise<void> | undefined;
  #hosting: MachineHosting | undefined;

  constructor(memoryBytes: number, hasConsole: boolean) {
    this.memoryBytes = memoryBytes;
    const serial = new GuestPort("serial", () => this.#open());
    const console = hasConsole ? new GuestPort("console", () => this.#open()) : undefined;
    this.serial = serial;
    this.console = console;
    this.#ports = { serial, ...(console && { console }) };
  }

  /** What the controller that is given to `attach` is to report to. */
  readonly controllerEvents: ControllerEvents = {
    output: (port, bytes) => this.#ports[port]?.output(bytes),
    diskError: (error) => this.#listeners.diskError.emit(error),
    translationError: (error) => this.#listeners.translationError.emit(error),
    failed: (error) => {
      this.#listeners.error.emit(error);
      void this.close();
    },
  };

  attach(controller: Controller): void {
    this.#controller = controller;
    this.#hosting = controller.hosting;
  }

  get hosting(): MachineHosting {
    return this.#hosting ?? { thread: "same-thread", translation: "none" };
  }

  get status(): MachineStatus {
    return this.#status;
  }

  async run({ signal }: RunOptions = {}): Promise<MachineExit> {
    this.#expect("run", ["off"]);
    signal?.throwIfAborted();
    const controller = this.#open();
    this.#setStatus("running");
    this.#listeners.start.emit(undefined);
    const onAbort = (): void => void controller.stop();
    signal?.addEventListener("abort", onAbort);
    try {
      this.#run = controller.run();
      const exit = await this.#run;
      this.#setStatus("off");
      this.#listeners.exit.emit(exit);
      signal?.throwIfAborted();
      return exit;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#setStatus("off");
      this.#run = undefined;
    }
  }

  async pause(): Promise<void> {
    if (this.#status === "paused") return;
    this.#expect("pause", ["running"]);
    await this.#open().pause();
    if (this.#status !== "running") return;
    this.#setStatus("paused");
    this.#listeners.pause.emit(undefined);
  }

  async resume(): Promise<void> {
    if (this.#status === "running") return;
    this.#expect("resume", ["paused"]);
    await this.#open().resume();
    if (this.#status !== "paused") return;
    this.#setStatus("running");
    this.#listeners.resume.emit(undefined);
  }

  async reset(): Promise<void> {
    await this.#open().reset();
    this.#listeners.reset.emit(undefined);
  }

  async powerOff(): Promise<MachineExit> {
    const controller = this.#open();
    const run = this.#run;
    if (!run) return { reason: "stopped" };
    await controller.stop();
    return run;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const controller = this.#controller;
    const run = this.#run;
    this.#status = "closed";
    await controller?.stop().catch(() => undefined);
    await run?.catch(() => undefined);
    await controller?.close();
    this.#controller = undefined;
    for (const port of Object.values(this.#ports)) port.end();
    this.#listeners.close.emit(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async readMemory(gpa: number | bigint, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    checkLength(byteLength);
    return this.#open().readMemory(address(gpa), byteLength);
  }

  async writeMemory(gpa: number | bigint, bytes: Uint8Array): Promise<void> {
    await this.#open().writeMemory(address(gpa), bytes);
  }

  async state(): Promise<MachineState> {
    return this.#open().state();
  }

  async stats(): Promise<MachineStats> {
    return this.#open().stats();
  }

  on<Event extends keyof MachineEvents>(event: Event, listener: (detail: MachineEvents[Event]) => void): Unsubscribe {
    const listeners = this.#listeners[event] as Listeners<MachineEvents[Event]> | undefined;
    if (!listeners)
      throw new VmError(
        "ERR_CONFIG",
        `there is no event "${String(event)}", expected one of ${Object.keys(this.#listeners).join(", ")}`,
      );
    return listeners.add(listener);
  }

  #open(): Controller {
    if (!this.#controller || this.#status === "closed") throw new VmError("ERR_CLOSED", "the machine is closed");
    return this.#controller;
  }

  /** A machine that is closed stays so. */
  #setStatus(status: MachineStatus): void {
    if (this.#status !== "closed") this.#status = status;
  }

  #expect(what: string, allowed: readonly MachineStatus[]): void {
    this.#open();
    if (!allowed.includes(this.#status))
      throw new VmError(
        "ERR_STATE",
        `cannot ${what} a machine that is ${this.#status}, expected ${allowed.join(" or ")}`,
      );
  }
}

function address(gpa: number | bigint): number {
  const value = Number(gpa);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new VmError("ERR_GUEST_ADDRESS", `the address is ${String(gpa)}, expected a whole number of bytes from 0`);
  return value;
}

function checkLength(byteLength: number): void {
  if (!Number.isSafeInteger(byteLength) || byteLength < 0)
    throw new VmError("ERR_GUEST_ADDRESS", `byteLength is ${String(byteLength)}, expected a whole number from 0`);
}
