import type { DiskSource, HostThread, Machine, MachineHosting, MachineOptions } from "../../src/index.ts";
import { greetingKernel } from "../package/greeting.ts";
import { DISK_KINDS, type DiskKind, makeDisk } from "./disks.ts";
import { outcome, type Surroundings } from "./surroundings.ts";

export const HOST_THREADS = ["worker", "same-thread"] as const satisfies readonly HostThread[];

/** What a runtime can do, as trying it has shown: "yes", or the code of the error. */
export interface Capabilities {
  /** a machine by default, and in the caller's thread */
  readonly machine: Readonly<Record<HostThread, string>>;
  readonly hosting: Readonly<Record<HostThread, MachineHosting | undefined>>;
  /** whether memory can be given to another thread, which Umbra does not need */
  readonly sharesMemory: boolean;
  readonly disks: Readonly<Record<DiskKind, Readonly<Record<HostThread, string>>>>;
}

/** Kinds that no runtime should lack: tried at once, and one by one where that fails. */
const EVERYWHERE: readonly DiskKind[] = ["memory", "overlay", "blob", "http", "own"];

export async function findCapabilities(surroundings: Surroundings): Promise<Capabilities> {
  const { umbra } = surroundings;
  const hosting: Partial<Record<HostThread, MachineHosting>> = {};
  const both = async (attempt: (host: HostThread) => Promise<string>): Promise<Record<HostThread, string>> => ({
    worker: await outcome(umbra, () => attempt("worker")),
    "same-thread": await outcome(umbra, () => attempt("same-thread")),
  });
  const machine = await both(async (host) => {
    const made = await make(surroundings, { host });
    hosting[host] = made.hosting;
    return greet(made);
  });
  const disks: Partial<Record<DiskKind, Record<HostThread, string>>> = {};
  const together = await both((host) => tryDisks(surroundings, EVERYWHERE, host));
  const everywhere = HOST_THREADS.every((host) => together[host] === "yes");
  for (const kind of DISK_KINDS)
    disks[kind] =
      everywhere && EVERYWHERE.includes(kind) ? together : await both((host) => tryDisks(surroundings, [kind], host));
  return {
    machine,
    hosting: { worker: hosting.worker, "same-thread": hosting["same-thread"] },
    sharesMemory: sharesMemory(),
    disks: disks as Capabilities["disks"],
  };
}

function make({ umbra }: Surroundings, options: Partial<MachineOptions>): Promise<Machine> {
  return umbra.createMachine({ kernel: greetingKernel(), memoryBytes: 64 << 20, debugExitPort: 0xf4, ...options });
}

/** Runs the guest to its end and closes the machine. */
async function greet(machine: Machine): Promise<string> {
  let text = "";
  machine.serial.onOutput((bytes) => (text += new TextDecoder().decode(bytes)));
  try {
    const { reason } = await machine.run();
    return reason === "debug-exit" && text === "hi" ? "yes" : `${reason}: ${text}`;
  } finally {
    await machine.close();
  }
}

async function tryDisks(surroundings: Surroundings, kinds: readonly DiskKind[], host: HostThread): Promise<string> {
  const disks: DiskSource[] = [];
  for (const kind of kinds) disks.push((await makeDisk(kind, surroundings)).source);
  const machine = await make(surroundings, { host, disks });
  if (kinds.some((kind) => kind === "file" || kind === "opfs")) {
    const second = await outcome(surroundings.umbra, async () => {
      await (await make(surroundings, { host, disks })).close();
      return "two machines write it";
    });
    if (second !== "ERR_DISK_LOCKED") {
      await machine.close();
      return second;
    }
  }
  return greet(machine);
}

function sharesMemory(): boolean {
  const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  try {
    return structuredClone(buffer).byteLength === buffer.byteLength;
  } catch {
    return false;
  }
}
