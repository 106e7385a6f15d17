import { mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchDebian } from "../../src/boot/debian.ts";
import { buildProgram, INIT_PROGRAM } from "../slowdown/programs.ts";
import { runLaunch } from "../slowdown/session.ts";
import type { Availability, Engine, Launch, Plan } from "./engine.ts";
import { COMMAND_LINE, GUEST_MEMORY_MIB, writeGuestImage } from "./guest.ts";
import { native, versionOf } from "./native.ts";

const QEMU = "qemu-system-x86_64";
const INSTALL = "apt-get install qemu-system-x86";
/** A guest that has not begun to measure after so long does not work. */
const PROBE_TIMEOUT_MS = 60_000;
/** Beyond this many times native time, "KVM" can be no hardware. */
const EMULATED_ABOVE = 3;

async function launchQemu(plan: Plan, accelerator: readonly string[]): Promise<Launch[]> {
  const [{ kernel }, init] = await Promise.all([fetchDebian(), buildProgram(INIT_PROGRAM, 64)]);
  const image = await writeGuestImage(plan, init);
  return [
    {
      command: [
        QEMU,
        ...accelerator,
        ...["-m", String(GUEST_MEMORY_MIB), "-nographic", "-no-reboot", "-nic", "none"],
        ...["-kernel", kernel.path, "-initrd", image, "-append", COMMAND_LINE],
      ],
      suites: plan.items.map(({ suite }) => suite),
      kind: "machine",
    },
  ];
}

async function probeQemu(): Promise<Availability> {
  const version = await versionOf(QEMU);
  if (version !== undefined) return { usable: true, version };
  return { usable: false, reason: `${QEMU} is not installed`, install: INSTALL };
}

/** QEMU's translator for a whole PC. */
export const qemuSystem: Engine = {
  name: "qemu-system",
  about: "qemu-system-x86_64 -accel tcg: QEMU's translator for a whole PC",
  word: 64,
  expectedSlowdown: 22,
  expectedStart: 5,
  probe: probeQemu,
  launches: (plan) => launchQemu(plan, ["-accel", "tcg", "-cpu", "max"]),
};

const KVM_ARGUMENTS = ["-accel", "kvm", "-cpu", "host"] as const;

/** Seconds that integer/fib takes; undefined when nothing came of it. */
async function secondsOfFib(engine: "native" | "kvm", folder: string): Promise<number | string> {
  const program = await buildProgram("integer", 64);
  const item = { suite: "integer", program, args: ["--quick", "--reps", "3", "fib"] } as const;
  const plan: Plan = { items: [item], environment: {}, folder };
  const launches = engine === "native" ? await native.launches(plan) : await launchQemu(plan, KVM_ARGUMENTS);
  let best = Infinity;
  let said = "";
  for (const launch of launches) {
    const outcome = await runLaunch(launch, {
      stallMs: PROBE_TIMEOUT_MS,
      onSample: ({ hostSeconds }) => (best = Math.min(best, hostSeconds)),
    });
    said = outcome.problem ?? outcome.lastLine;
  }
  return Number.isFinite(best) ? best : said;
}

/** Asked once: a guest is booted for the answer. */
let probed: Promise<Availability> | undefined;

async function probeKvm(): Promise<Availability> {
  const qemu = await probeQemu();
  if (!qemu.usable) return qemu;
  if (!existsSync("/dev/kvm")) {
    return {
      usable: false,
      reason: "there is no /dev/kvm",
      install: "load the kernel's module kvm_intel or kvm_amd; in a virtual machine, allow nested virtualization",
    };
  }
  const folder = await mkdtemp(join(tmpdir(), "umbra-kvm-"));
  try {
    const guest = await secondsOfFib("kvm", folder);
    if (typeof guest === "string") {
      return {
        usable: false,
        reason: `/dev/kvm is there, but no guest runs on it: ${guest === "" ? "it printed nothing" : guest}`,
        install: "run on a machine whose kernel gives guests the processor's virtualization",
      };
    }
    const host = await secondsOfFib("native", folder);
    const ratio = typeof host === "number" ? guest / host : 1;
    const notes = [
      `KVM here emulates: a loop without system calls takes ${ratio.toFixed(1)} times as long as natively`,
    ];
    return { usable: true, version: qemu.version, ...(ratio > EMULATED_ABOVE ? { notes } : {}) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The processor's own virtualization, where it works. */
export const kvm: Engine = {
  name: "kvm",
  about: "qemu-system-x86_64 -accel kvm: the processor's virtualization",
  word: 64,
  expectedSlowdown: 1.2,
  expectedStart: 3,
  probe: () => (probed ??= probeKvm()),
  launches: (plan) => launchQemu(plan, KVM_ARGUMENTS),
};
