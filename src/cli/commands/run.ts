import { VmError } from "../../errors.ts";
import type { MachineExit, MachineOptions, MachineStats } from "../../machine.ts";
import type { Arguments, Command } from "../arguments.ts";
import type { CommandHost } from "../host.ts";
import { parseAddress, parseChoice, parseSize } from "../quantity.ts";

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
    memory: { value: "SIZE", about: "memory of the machine, such as 512M", otherwise: "512M" },
    engine: {
      value: "ENGINE",
      about: "interpreter, or tiered to translate hot code (slower to boot, for now)",
      otherwise: "interpreter",
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
  },
  notes: `The guest's first serial port is the terminal: Ctrl-A X ends the machine, Ctrl-A H lists the keys.
Exit code: 0 after power-off or a reset, 2 when the machine could not be started, 3 after a triple fault.`,
  run: runMachine,
};

async function runMachine(given: Arguments, host: CommandHost): Promise<number> {
  const { values, switches } = given;
  const onReset = parseChoice("--on-reset", values.get("on-reset") ?? "exit", ["exit", "restart"]);
  const options = await machineOptions(values, host);
  const [{ createMachine }, { attachTerminal }] = await Promise.all([
    import("../../machine.ts"),
    import("../terminal.ts"),
  ]);
  for (;;) {
    let quitCode = 0;
    // The terminal is attached once the machine could be made: until then errors are plain lines.
    const output: { write(bytes: Uint8Array): void } = { write: () => undefined };
    const machine = await createMachine({ ...options, onSerial: (bytes) => output.write(bytes) });
    const terminal = attachTerminal(
      (bytes) => machine.serialInput(bytes),
      (code) => {
        quitCode = code;
        machine.stop();
      },
    );
    output.write = (bytes) => terminal.write(bytes);
    let exit: MachineExit;
    try {
      exit = await machine.run();
    } finally {
      terminal.close();
    }
    if (switches.has("stats")) host.complain(describeStats(machine.stats()));
    if (exit.reason === "reset" && onReset === "restart") continue;
    return exit.reason === "stopped" ? quitCode : exitCode(exit, host);
  }
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

async function machineOptions(values: ReadonlyMap<string, string>, host: CommandHost): Promise<MachineOptions> {
  const memoryBytes = parseSize("--memory", values.get("memory") ?? "512M");
  const clock = parseChoice("--clock", values.get("clock") ?? "host", ["host", "instructions"]);
  const engine = parseChoice("--engine", values.get("engine") ?? "interpreter", [
    "interpreter",
    "translator",
    "tiered",
  ]);
  const portText = values.get("debug-exit");
  const port = portText === undefined ? undefined : Number(parseAddress("--debug-exit", portText));
  if (port !== undefined && port > 0xfffc)
    throw new VmError("ERR_CONFIG", `--debug-exit: 0x${port.toString(16)} is no I/O port for four bytes`);
  const append = values.get("append");
  const kernelPath = values.get("kernel");
  const initrdPath = values.get("initrd");
  const common = { memoryBytes, clock, engine, ...(port === undefined ? {} : { debugExitPort: port }) };
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
    initrd: initrdPath === undefined ? await host.shellInitramfs(debian.busybox) : host.readFile(initrdPath),
    commandLine: [
      "console=ttyS0 cryptomgr.notests quiet",
      ...(append === undefined ? [] : [append]),
      host.terminalSize(),
    ]
      .join(" ")
      .trim(),
  };
}

function describeStats(stats: MachineStats): string {
  const { instructions, runningMs, idleMs, blocks, shadow, exits } = stats;
  const rate = Number(instructions) / Math.max(runningMs, 1) / 1000;
  const counts = (record: object): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${String(count)}`)
      .join(", ");
  return [
    "",
    `instructions  ${instructions}, ${rate.toFixed(1)} million a second`,
    `time          ${(runningMs / 1000).toFixed(1)} s running, ${(idleMs / 1000).toFixed(1)} s idle`,
    `blocks        ${counts(blocks)}`,
    `page tables   ${counts(shadow)}`,
    `exits         ${counts(exits)}`,
  ].join("\n");
}
