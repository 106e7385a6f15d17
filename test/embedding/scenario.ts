import type { Machine, MachineHosting } from "../../src/index.ts";
import { busyKernel } from "../package/greeting.ts";
import { type DiskKind, makeDisk } from "./disks.ts";
import { outcome, type Surroundings, type Threads } from "./surroundings.ts";

/** What came of it: plain data, the same in every runtime but for `hosting` and `disks`. */
export interface ScenarioResult {
  readonly hosting: MachineHosting;
  readonly steps: readonly string[];
  /** what the guest could do with each disk, and what was found in it afterwards */
  readonly disks: Readonly<Partial<Record<DiskKind, string>>>;
}

/** What every runtime must come to, however many threads there are. */
export const EXPECTED_STEPS: readonly string[] = [
  "status off",
  "ready",
  "paused",
  "memory 1 2 3 4",
  "ERR_GUEST_ADDRESS",
  "ERR_STATE",
  "got typed",
  "exit power-off",
  "instructions true, translated true",
  "a snapshot of the counts: plain data, of its moment",
  "readable true",
  "ERR_CLOSED",
  "aborted before: no machine",
  "aborted while it runs: off",
  "aborted with its machine: stopped, closed",
];

/** What is expected of each disk; those that a runtime lacks are left out. */
export const EXPECTED_DISKS: Readonly<Record<DiskKind, string>> = {
  memory: "read and write",
  overlay: "read and write",
  blob: "read",
  http: "read",
  own: "read and write; on the host: written own",
  file: "read and write; on the host: written file",
  opfs: "read and write; on the host: written opfs",
};

/** Kernel modules that SCRIPT needs. */
export const MODULES = ["virtio_pci", "virtio_blk"] as const;

/** Commands of the initrd's script, behind which the guest powers off. Each disk's first line is its name; the second sector is written. */
export const SCRIPT = `
for disk in /sys/block/vd*; do
  device=/dev/\${disk##*/}
  read label <$device
  access=read
  if [ $(cat $disk/ro) = 0 ]; then
    echo "written $label" | dd of=$device bs=512 seek=1 conv=sync,fsync 2>/dev/null && access="read and write"
  fi
  echo "disk $label: $access."
done
echo ready
read line
echo got $line
`;

/** Boots a guest with these disks, talks to it, looks inside, and aborts others: the same in every runtime. */
export async function runScenario(
  surroundings: Surroundings,
  threads: Threads,
  kinds: readonly DiskKind[],
): Promise<ScenarioResult> {
  const { umbra, kernel, initrd } = surroundings;
  const steps: string[] = [];
  const codeOf = (work: Promise<unknown>): Promise<string> => outcome(umbra, () => work.then(() => "no error"));
  const tried = new Map<DiskKind, Awaited<ReturnType<typeof makeDisk>>>();
  for (const kind of kinds) tried.set(kind, await makeDisk(kind, surroundings));
  const machine = await umbra.createMachine({
    memoryBytes: 128 * 1024 * 1024,
    kernel,
    initrd,
    commandLine: "console=ttyS0 cryptomgr.notests quiet",
    disks: [...tried.values()].map(({ source }) => source),
    ...threads,
  });
  const { hosting } = machine;
  steps.push(`status ${machine.status}`);
  const text = new Response(machine.serial.readable as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  const ready = saying(machine, "ready");
  const running = machine.run();
  await Promise.race([ready, running]);
  steps.push("ready");
  await machine.pause();
  steps.push(machine.status);
  const paused = await machine.stats();
  const { instructions } = paused;
  // The last page of memory is free in a guest that has just begun.
  const end = machine.memoryBytes;
  const before = await machine.readMemory(end - 4, 4);
  await machine.writeMemory(BigInt(end - 4), Uint8Array.of(1, 2, 3, 4));
  steps.push(`memory ${(await machine.readMemory(end - 4, 4)).join(" ")}`);
  await machine.writeMemory(end - 4, before);
  steps.push(await codeOf(machine.readMemory(end - 4, 5)));
  await machine.resume();
  steps.push(await codeOf(machine.run()));
  machine.serial.write("typed\n");
  const exit = await running;
  const stats = await machine.stats();
  await machine.close();
  const whole = await text;
  steps.push(whole.includes("got typed") ? "got typed" : whole);
  steps.push(`exit ${exit.reason}`);
  steps.push(
    `instructions ${stats.instructions > 10_000_000n}, translated ${(stats.translation?.regions ?? 0) > 0 && stats.translation?.failure === undefined}`,
  );
  const isSnapshot = paused.instructions === instructions && instructions < stats.instructions;
  steps.push(
    `a snapshot of the counts: ${isPlain(paused) ? "plain data" : "?"}, ${isSnapshot ? "of its moment" : "?"}`,
  );
  steps.push(`readable ${whole.includes("ready")}`);
  steps.push(await codeOf(machine.stats()));
  steps.push(...(await abortMachines(surroundings, threads)));

  const disks: Partial<Record<DiskKind, string>> = {};
  for (const [kind, { read }] of tried) {
    const access = new RegExp(`disk ${kind}: (.*)\\.`).exec(whole)?.[1] ?? "not seen by the guest";
    disks[kind] = read === undefined ? access : `${access}; on the host: ${lineOf(await read(), 512)}`;
  }
  return { hosting, steps, disks };
}

/** Resolves when the guest has written `words`. */
function saying(machine: Machine, words: string): Promise<void> {
  let output = "";
  return new Promise((resolve) => {
    const stop = machine.serial.onOutput((bytes) => {
      output += new TextDecoder().decode(bytes);
      if (!output.includes(words)) return;
      stop();
      resolve();
    });
  });
}

function isPlain(value: object): boolean {
  return JSON.stringify(structuredClone(value), bigints) === JSON.stringify(value, bigints);
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function lineOf(bytes: Uint8Array, offset: number): string {
  return new TextDecoder().decode(bytes.subarray(offset, offset + 512)).split("\n")[0] ?? "";
}

/** The three ways to use an AbortSignal, with a guest that never rests. */
async function abortMachines({ umbra }: Surroundings, threads: Threads): Promise<string[]> {
  const options = { kernel: busyKernel(), memoryBytes: 64 << 20, ...threads };
  const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => "no error",
      (reason: unknown) => reason,
    );
  const early = await reasonOf(umbra.createMachine({ ...options, signal: AbortSignal.abort("no machine") }));

  const machine = await umbra.createMachine(options);
  const abort = new AbortController();
  void saying(machine, "hi").then(() => abort.abort("off"));
  const late = await reasonOf(machine.run({ signal: abort.signal }));
  const { status } = machine;
  await machine.close();

  const whole = new AbortController();
  const closing = await umbra.createMachine({ ...options, signal: whole.signal });
  const closed = new Promise<void>((resolve) => closing.on("close", () => resolve()));
  void saying(closing, "hi").then(() => whole.abort());
  const { reason } = await closing.run();
  await closed;
  return [
    `aborted before: ${String(early)}`,
    `aborted while it runs: ${late === status ? status : `${String(late)}, ${status}`}`,
    `aborted with its machine: ${reason}, ${closing.status}`,
  ];
}

export const EXPECTED_PROGRAM = "program 3: out 0d 0a 00 ff; err warning";

/** Runs a program in a guest of its own. */
export async function runProgramScenario({ umbra, busybox, kernel }: Surroundings, threads: Threads): Promise<string> {
  const result = await umbra.runProgram(busybox, {
    name: "sh",
    args: ["-c", "printf '\\r\\n\\0\\377'; printf $WHAT >&2; exit 3"],
    env: { WHAT: "warning" },
    kernel,
    ...threads,
  });
  const hex = [...result.stdout].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `program ${result.exitCode}: out ${hex}; err ${new TextDecoder().decode(result.stderr)}`;
}
