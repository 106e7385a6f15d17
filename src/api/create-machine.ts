import { host } from "#host";
import type { Disk } from "../../runtime/disk/disk.ts";
import { checkEngine } from "../engine.ts";
import { VmError } from "../errors.ts";
import { assetUrl, loadCore } from "../host/core.ts";
import { checkMemory } from "../pc/options.ts";
import { RemoteMachine } from "../remote/remote-machine.ts";
import type { Controller, ControllerEvents } from "../session/controller.ts";
import type { SessionDisk } from "../session/session-disk.ts";
import type { SessionConfig } from "../session/session.ts";
import { untilAborted } from "./abort.ts";
import { bytesOf } from "./bytes.ts";
import { isDescription } from "./disks.ts";
import { sessionDisk } from "../session/session-disk.ts";
import { HostedMachine } from "./hosted-machine.ts";
import type { Machine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";

/**
 * Makes a PC with a kernel in it; `run` starts it.
 *
 * @throws {VmError} ERR_CONFIG, ERR_MEMORY_SIZE, ERR_KERNEL_FORMAT, ERR_KERNEL_PLACEMENT, ERR_INITRD, ERR_COMMAND_LINE; for disks ERR_FILE,
 *   ERR_DISK_FORMAT, ERR_DISK_LOCKED, ERR_DOWNLOAD; ERR_HOST where the host lacks something, ERR_WORKER
 */
export async function createMachine(options: MachineOptions): Promise<Machine> {
  const { signal } = options;
  signal?.throwIfAborted();
  check(options);
  const machine = new HostedMachine(checkMemory(options), consoleSize(options) !== undefined);
  machine.attach(await openController(options, machine.controllerEvents));
  if (signal?.aborted) {
    await machine.close();
    throw signal.reason;
  }
  if (signal) {
    const onAbort = (): void => void machine.close();
    signal.addEventListener("abort", onAbort, { once: true });
    machine.on("close", () => signal.removeEventListener("abort", onAbort));
  }
  return machine;
}

/** Starts what runs the guest: in a worker, or here. Rejects with the reason of the options' signal when that is aborted. @internal */
export function openController(
  options: MachineOptions,
  events: ControllerEvents,
  programPorts = false,
): Promise<Controller> {
  const opening = startController(options, events, programPorts);
  return untilAborted(opening, options.signal, (late) => late.close());
}

async function startController(
  options: MachineOptions,
  events: ControllerEvents,
  programPorts: boolean,
): Promise<Controller> {
  const { assets = {}, kernelName = "kernel" } = options;
  const [core, kernel, initrd] = await Promise.all([
    loadCore(assets),
    bytesOf(options.kernel),
    options.initrd && bytesOf(options.initrd),
  ]);
  const own: Disk[] = [];
  const isRemote = (options.host ?? "worker") === "worker";
  const keep = (disk: Disk): SessionDisk => {
    if (!isRemote) return { kind: "own", disk };
    const { sectors, readOnly, id } = disk;
    return { kind: "remote", index: own.push(disk) - 1, sectors, readOnly, id };
  };
  const { memoryBytes, commandLine, clock, engine, translation, codeCacheBytes, cpu, debugExitPort } = options;
  const given = { memoryBytes, commandLine, clock, engine, translation, codeCacheBytes, cpu, debugExitPort };
  const config: SessionConfig = {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<SessionConfig>),
    kernel,
    kernelName,
    initrd,
    consoleSize: consoleSize(options),
    disks: (options.disks ?? []).map((disk) => sessionDisk(disk, keep)),
    programPorts,
    core,
    translatorWorker: assets.translatorWorker === undefined ? undefined : assetUrl(assets.translatorWorker).href,
  };
  if (!isRemote) {
    const { Session } = await import("../session/session.ts");
    return Session.open(config, "same-thread", events, options.signal);
  }
  const { startMachineWorker: start } = host;
  if (!start) throw new VmError("ERR_HOST", 'this host has no workers: give host: "same-thread"');
  const url = assets.machineWorker === undefined ? undefined : assetUrl(assets.machineWorker);
  return RemoteMachine.open(config, { start, url, disks: own, signal: options.signal }, events);
}

function consoleSize({ console }: MachineOptions): SessionConfig["consoleSize"] {
  if (console === true) return { columns: 80, rows: 25 };
  return console === false ? undefined : console;
}

/** What TypeScript would find; embedders may write JavaScript. What a machine's thread checks is not checked here. */
function check({ engine, vcpus, host: thread, kernel, disks = [] }: MachineOptions): void {
  checkEngine(engine ?? "tiered");
  if (vcpus !== undefined && vcpus !== 1)
    throw new VmError("ERR_CONFIG", `vcpus is ${String(vcpus)}, expected 1: more are not supported`);
  if (thread !== undefined && thread !== "worker" && thread !== "same-thread")
    throw new VmError("ERR_CONFIG", `host is "${String(thread)}", expected "worker" or "same-thread"`);
  if (!(kernel instanceof Uint8Array || kernel instanceof ArrayBuffer || kernel instanceof Blob))
    throw new VmError("ERR_CONFIG", "there is no kernel: expected a Uint8Array, an ArrayBuffer or a Blob");
  for (const [index, disk] of disks.entries())
    if (!isDescription(disk) && typeof disk.read !== "function")
      throw new VmError(
        "ERR_CONFIG",
        `disk ${index} is no disk: expected what fileDisk and its like return, or a Disk`,
      );
}
