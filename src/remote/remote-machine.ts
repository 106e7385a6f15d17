import type { Disk } from "../../runtime/disk/disk.ts";
import type { ConsoleSize } from "../../runtime/virtio/console.ts";
import type { MachineHosting, MachineState } from "../api/machine.ts";
import { asError, VmError } from "../errors.ts";
import type { Host, MachineWorker } from "../host/host.ts";
import type { MachineExit } from "../pc/exit.ts";
import type { MachineStats } from "../pc/stats.ts";
import type { Controller, ControllerEvents, PortName } from "../session/controller.ts";
import type { SessionConfig } from "../session/session.ts";
import type { FromMachine, Method, OpenResult, ToMachine } from "./protocol.ts";
import { answerDisk } from "./remote-disk.ts";

interface Call {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A machine in a worker, as the thread sees it that made it. */
export class RemoteMachine implements Controller {
  readonly #worker: MachineWorker;
  readonly #disks: readonly Disk[];
  readonly #events: ControllerEvents;
  readonly #calls = new Map<number, Call>();
  #next = 0;
  #hosting: MachineHosting = { thread: "worker", translation: "none" };
  /** why nothing more can be asked */
  #failure: VmError | undefined;

  /**
   * @param disks what the config calls "remote", by their indexes
   * @throws {VmError} ERR_WORKER, and what is wrong with the options
   */
  static async open(
    config: SessionConfig,
    {
      start,
      url,
      disks,
      signal,
    }: {
      readonly start: NonNullable<Host["startMachineWorker"]>;
      readonly url: URL | undefined;
      readonly disks: readonly Disk[];
      /** aborted while the machine is made: the worker ends at once */
      readonly signal: AbortSignal | undefined;
    },
    events: ControllerEvents,
  ): Promise<RemoteMachine> {
    signal?.throwIfAborted();
    const machine = new RemoteMachine(start, url, disks, events);
    const onAbort = (): void => void machine.#end();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const { hosting } = await machine.#request<OpenResult>((id) => ({ kind: "open", id, config }));
      machine.#hosting = hosting;
    } catch (error) {
      await machine.#end();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    return machine;
  }

  private constructor(
    start: NonNullable<Host["startMachineWorker"]>,
    url: URL | undefined,
    disks: readonly Disk[],
    events: ControllerEvents,
  ) {
    this.#disks = disks;
    this.#events = events;
    this.#worker = start(
      { message: (message) => this.#take(message as FromMachine), failed: (cause) => this.#failed(cause) },
      url,
    );
  }

  get hosting(): MachineHosting {
    return this.#hosting;
  }

  run(): Promise<MachineExit> {
    return this.#call("run");
  }
  pause(): Promise<void> {
    return this.#call("pause");
  }
  resume(): Promise<void> {
    return this.#call("resume");
  }
  reset(): Promise<void> {
    return this.#call("reset");
  }
  stop(): Promise<void> {
    return this.#call("stop");
  }
  input(port: PortName, bytes: Uint8Array): Promise<void> {
    return this.#call("input", port, bytes);
  }
  hold(port: "serial" | "console", wanted: boolean): void {
    this.#call("hold", port, wanted).catch(ignored);
  }
  resize(size: ConsoleSize): void {
    this.#call("resize", size).catch(ignored);
  }
  readMemory(gpa: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call("readMemory", gpa, byteLength);
  }
  writeMemory(gpa: number, bytes: Uint8Array): Promise<void> {
    return this.#call("writeMemory", gpa, bytes);
  }
  state(): Promise<MachineState> {
    return this.#call("state");
  }
  stats(): Promise<MachineStats> {
    return this.#call("stats");
  }

  async close(): Promise<void> {
    // The worker closes its disks first, which makes durable what they hold. One that has died has nothing to close.
    if (!this.#failure) await this.#call("close").catch(ignored);
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#fail(new VmError("ERR_CLOSED", "the machine is closed"));
    await this.#worker.terminate();
  }

  #call<T>(method: Method, ...args: readonly unknown[]): Promise<T> {
    return this.#request((id) => ({ kind: "call", id, method, args }));
  }

  #request<T>(make: (id: number) => ToMachine): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise<T>((resolve, reject) => {
      const id = this.#next++;
      this.#calls.set(id, { resolve, reject });
      this.#worker.keepAlive(true);
      this.#worker.post(make(id));
    });
  }

  #take(message: FromMachine): void {
    switch (message.kind) {
      case "result":
        return this.#settle(message.id, (call) => call.resolve(message.value as never));
      case "failure":
        return this.#settle(message.id, (call) => call.reject(asError(message.error)));
      case "output":
        return this.#events.output(message.port, message.bytes);
      case "diskError":
        return this.#events.diskError(asError(message.error));
      case "translationError":
        return this.#events.translationError(asError(message.error));
      case "diskRequest":
        void answerDisk(this.#disks[message.disk], message.id, message.operation).then((answer) => {
          if (!this.#failure) this.#worker.post(answer);
        });
    }
  }

  #settle(id: number, settle: (call: Call) => void): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#worker.keepAlive(false);
    if (call) settle(call);
  }

  #failed(cause: unknown): void {
    if (this.#failure) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new VmError("ERR_WORKER", `the machine's worker has failed: ${why}`, { cause });
    this.#fail(error);
    this.#events.failed(error);
  }

  #fail(error: VmError): void {
    this.#failure ??= error;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reject } of calls) reject(error);
  }
}

function ignored(): void {}
