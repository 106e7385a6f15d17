import type { Disk } from "../../../runtime/disk/disk.ts";
import { VmError } from "../../errors.ts";
import type { MachineExit } from "../../pc/exit.ts";
import type { PcOptions } from "../../pc/options.ts";
import type { Arguments, Command } from "../arguments.ts";
import type { CommandHost } from "../host.ts";
import { closeDisks, openDisks } from "../disks.ts";
import { describeStats } from "../statistics.ts";
import { parseAddress, parseChoice, parseSize } from "../quantity.ts";
import { parseLimit, reportVerification, VERIFY_OPTION, VERIFY_SCRIPT, verifyEngine } from "./verify.ts";

/** Exit code after a triple fault. */
const TRIPLE_FAULT = 3;

export const run: Command = {
  name: "run",
  summary: "Boot a kernel on a PC; without --kernel, Debian's current kernel to a shell",
  operands: [],
  options: {
    kernel: { value: "FILE", about: "Linux bzImage, PVH ELF or Multiboot image", otherwise: "Debian's cloud kernel" },
    initrd: {
      value: "FILE",
      about: "initial RAM disk",
      otherwise: "with Debian's kernel, a small system with a shell",
    },
    append: { value: "TEXT", about: "kernel command line, after what is needed for the console" },
    disk: {
      value: "FILE[,ro|,overlay]",
      about: "raw disk image, a virtio disk: written, only read, or with changes kept in memory and lost",
      repeatable: true,
    },
    console: {
      value: "KIND",
      about: "serial, or virtio for a virtio console (hvc0) as the terminal",
      otherwise: "serial",
    },
    memory: { value: "SIZE", about: "memory of the machine, such as 512M", otherwise: "512M" },
    engine: {
      value: "ENGINE",
      about: "tiered, which translates hot code, or interpreter",
      otherwise: "tiered",
    },
    translation: {
      value: "WHERE",
      about: "worker, a thread that translates while the guest runs, or same-thread",
      otherwise: "worker",
    },
    "code-cache": {
      value: "SIZE",
      about: "memory that translated code may take; the code that was not run for longest goes first",
      otherwise: "256M",
    },
    clock: { value: "KIND", about: "host, or instructions for runs that repeat exactly", otherwise: "host" },
    "debug-exit": {
      value: "PORT",
      about: "I/O port of a debug-exit device, such as 0xf4: ends with code (value << 1) | 1",
    },
    "on-reset": { value: "ACTION", about: "exit or restart when the guest resets the machine", otherwise: "exit" },
    mirror: {
      value: "URL",
      about: "Debian mirror to fetch from where there is no apt",
      otherwise: "UMBRA_DEBIAN_MIRROR",
    },
    stats: { about: "print statistics at the end" },
    "perf-map": {
      about:
        "name translated code guest:ADDRESS, guest-physical, for profilers: with node --perf-basic-prof src/cli/run.ts run",
    },
    verify: VERIFY_OPTION,
    until: {
      value: "COUNT",
      about: "with --verify: stop after so many instructions",
      otherwise: "when the guest ends",
    },
  },
  notes: `The guest's first serial port is the terminal, and is shown beside a virtio console: Ctrl-A X ends the machine, Ctrl-A H lists the keys.
With --verify the guest gets no input, its clock counts instructions, and Debian's system runs a few commands and powers off.
Exit code: 0 after power-off or a reset, 1 when --verify found a difference, 2 when the machine could not be started, 3 after a triple fault.`,
  run: runMachine,
};

async function runMachine(given: Arguments, host: CommandHost): Promise<number> {
  if (given.switches.has("verify")) return verifyMachine(given, host);
  const disks = await openDisks(given.lists.get("disk") ?? [], host);
  try {
    return await runWithDisks(given, disks, host);
  } finally {
    await closeDisks(disks);
  }
}

async function runWithDisks(given: Arguments, disks: readonly Disk[], host: CommandHost): Promise<number> {
  const { values, switches } = given;
  const onReset = parseChoice("--on-reset", values.get("on-reset") ?? "exit", ["exit", "restart"]);
  const console = parseChoice("--console", values.get("console") ?? "serial", ["serial", "virtio"]);
  const options = await machineOptions(values, { disks: disks.length > 0, console: console === "virtio" }, host);
  const [{ createPc }, { attachTerminal }] = await Promise.all([
    import("../../pc/create.ts"),
    import("../terminal.ts"),
  ]);
  for (;;) {
    let quitCode = 0;
    // The terminal is attached once the machine could be made: until then errors are plain lines.
    const output: { write(bytes: Uint8Array): void } = { write: () => undefined };
    const show = (bytes: Uint8Array): void => output.write(bytes);
    const size = host.consoleSize();
    const machine = await createPc({
      ...options,
      onSerial: show,
      disks,
      perfMap: switches.has("perf-map"),
      onDiskError: (error) => host.complain(`umbra: ${error instanceof Error ? error.message : String(error)}`),
      onTranslationError: (error) => host.complain(`umbra: warning: ${error.message}`),
      ...(console === "virtio" && { console: { onOutput: show, ...(size && { size }) } }),
    });
    const terminal = attachTerminal(
      (bytes) => (console === "virtio" ? machine.consoleInput(bytes) : machine.serialInput(bytes)),
      (code) => {
        quitCode = code;
        machine.stop();
      },
      () => {
        const resized = host.consoleSize();
        if (resized) machine.resizeConsole(resized);
      },
    );
    output.write = (bytes) => terminal.write(bytes);
    let exit: MachineExit;
    try {
      exit = await machine.run();
    } finally {
      terminal.close();
      machine.close();
    }
    if (switches.has("stats")) host.complain(describeStats(machine.stats()));
    if (exit.reason === "reset" && onReset === "restart") continue;
    return exit.reason === "stopped" ? quitCode : exitCode(exit, host);
  }
}

async function verifyMachine({ values, lists }: Arguments, host: CommandHost): Promise<number> {
  // Neither answers after a count of instructions that would be the same in both machines.
  if (lists.has("disk")) throw new VmError("ERR_CONFIG", "--verify compares machines without disks: leave out --disk");
  if (values.get("console") === "virtio")
    throw new VmError("ERR_CONFIG", "--verify compares machines without a virtio console: leave out --console");
  const engine = verifyEngine(values.get("engine"));
  const limit = parseLimit("--until", values.get("until"));
  const options = await machineOptions(values, { script: VERIFY_SCRIPT }, host);
  const { verifyBoot } = await import("../../verify/verify.ts");
  return reportVerification(host, { engine, ...limit }, (how) =>
    verifyBoot({ ...options, onSerial: (bytes) => host.print(new TextDecoder().decode(bytes)) }, how),
  );
}

function exitCode(exit: MachineExit, host: CommandHost): number {
  switch (exit.reason) {
    case "triple-fault":
      host.complain("umbra: the guest's processor shut down after a triple fault");
      return TRIPLE_FAULT;
    case "halt":
      host.complain("umbra: the guest halted its processor with interrupts off");
      return 0;
    case "debug-exit":
      return exit.status & 0xff;
    case "power-off":
    case "reset":
    case "stopped":
      return 0;
  }
}

/** Drivers that Debian's kernel has as modules, for what the machine has. */
function modulesFor({ disks, console }: Wanted): readonly string[] {
  const wanted = [...(disks === true ? ["virtio_blk"] : []), ...(console === true ? ["virtio_console"] : [])];
  return wanted.length === 0 ? [] : ["virtio_pci", "virtio_rng", ...wanted];
}

/** What the guest is to find, besides what the options say. */
interface Wanted {
  readonly disks?: boolean;
  /** a virtio console */
  readonly console?: boolean;
  /** what Debian's small system runs instead of a shell */
  readonly script?: string;
}

/** The machine that the options describe. */
export async function machineOptions(
  values: ReadonlyMap<string, string>,
  wanted: Wanted,
  host: CommandHost,
): Promise<PcOptions> {
  const memoryBytes = parseSize("--memory", values.get("memory") ?? "512M");
  const clock = parseChoice("--clock", values.get("clock") ?? "host", ["host", "instructions"]);
  const engine = parseChoice("--engine", values.get("engine") ?? "tiered", ["interpreter", "translator", "tiered"]);
  const translation = parseChoice("--translation", values.get("translation") ?? "worker", ["worker", "same-thread"]);
  const cacheText = values.get("code-cache");
  const portText = values.get("debug-exit");
  const port = portText === undefined ? undefined : Number(parseAddress("--debug-exit", portText));
  if (port !== undefined && port > 0xfffc)
    throw new VmError("ERR_CONFIG", `--debug-exit: 0x${port.toString(16)} is no I/O port for four bytes`);
  const append = values.get("append");
  const kernelPath = values.get("kernel");
  const initrdPath = values.get("initrd");
  const common = {
    memoryBytes,
    clock,
    engine,
    translation,
    ...(cacheText === undefined ? {} : { codeCacheBytes: parseSize("--code-cache", cacheText) }),
    ...(port === undefined ? {} : { debugExitPort: port }),
  };
  if (kernelPath !== undefined) {
    return {
      ...common,
      kernel: host.readFile(kernelPath),
      kernelName: kernelPath,
      ...(initrdPath === undefined ? {} : { initrd: host.readFile(initrdPath) }),
      ...(append === undefined ? {} : { commandLine: append }),
    };
  }
  const debian = await host.fetchDebian(values.get("mirror"));
  return {
    ...common,
    kernel: host.readFile(debian.kernel),
    kernelName: debian.kernel,
    initrd:
      initrdPath === undefined
        ? await host.shellInitramfs(debian, modulesFor(wanted), wanted.script)
        : host.readFile(initrdPath),
    commandLine: [
      wanted.console === true
        ? "console=ttyS0 console=hvc0 cryptomgr.notests quiet"
        : "console=ttyS0 cryptomgr.notests quiet",
      ...(append === undefined ? [] : [append]),
      host.terminalSize(),
    ]
      .join(" ")
      .trim(),
  };
}
