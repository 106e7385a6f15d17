import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { runCommand } from "../../src/boot/command.ts";
import { type Availability, type Engine, type Launch, type Plan, WITHOUT_32_BIT } from "./engine.ts";

/** Where programs make their files: a file system in memory where there is one, as in the virtual machines. */
export function scratchDirectory(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

function launchesOf(plan: Plan): Launch[] {
  return plan.items.map(({ suite, program, args }) => ({
    command: [program, ...args],
    environment: plan.environment,
    workingDirectory: plan.folder,
    suites: [suite],
    kind: "program",
  }));
}

/** The programs themselves, without anything around them: what all others are compared with. */
export const native: Engine = {
  name: "native",
  about: "this machine's processor and kernel",
  word: 64,
  expectedSlowdown: 1,
  expectedStart: 0.1,
  probe: async (): Promise<Availability> =>
    process.platform === "linux" && process.arch === "x64"
      ? { usable: true, version: "" }
      : {
          usable: false,
          reason: `this is ${process.platform} on ${process.arch}`,
          install: "run it on Linux on x86-64",
        },
  launches: async (plan) => launchesOf(plan),
};

/** The 32-bit build of the same programs on the processor itself: what an engine for 32-bit code is to be checked against. */
export const native32: Engine = {
  name: "native32",
  about: "the 32-bit build on this machine's processor",
  word: 32,
  expectedSlowdown: 1.3,
  expectedStart: 0.1,
  cannotRun: WITHOUT_32_BIT,
  async probe() {
    if (!(await native.probe()).usable) return native.probe();
    // The programs are static: all that may be missing is the kernel's support.
    return { usable: true, version: "" };
  },
  launches: async (plan) => launchesOf(plan),
};

const USER_MODE = "qemu-x86_64";

/** First line of what a program prints when asked for its version; undefined when there is no such program. */
export async function versionOf(program: string): Promise<string | undefined> {
  const { code, output } = await runCommand(program, ["--version"]);
  if (code !== 0) return undefined;
  const [line = ""] = output.split("\n");
  return line.trim();
}

/** QEMU's translator for single programs, on the host's kernel. */
export const qemuUser: Engine = {
  name: "qemu-user",
  about: "qemu-x86_64: QEMU's translator for one program, system calls go to the host",
  word: 64,
  expectedSlowdown: 20,
  expectedStart: 0.3,
  async probe() {
    const version = await versionOf(USER_MODE);
    if (version !== undefined) return { usable: true, version };
    return {
      usable: false,
      reason: `${USER_MODE} is not installed`,
      install: "apt-get install qemu-user",
    };
  },
  launches: async (plan) =>
    plan.items.map(({ suite, program, args }) => ({
      command: [USER_MODE, program, ...args],
      // Its option -E takes no value with a comma; the program inherits what QEMU itself gets.
      environment: plan.environment,
      workingDirectory: plan.folder,
      suites: [suite],
      kind: "program",
    })),
};
