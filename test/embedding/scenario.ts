import type * as Umbra from "../../src/index.ts";

/** What one runtime is given: the library as it loads it, and files. */
export interface ScenarioInput {
  readonly umbra: typeof Umbra;
  readonly kernel: Uint8Array;
  /** boots to a shell script that prints "ready", echoes a line that it reads, and powers off */
  readonly initrd: Uint8Array;
  /** a static busybox */
  readonly busybox: Uint8Array;
  readonly thread: Umbra.HostThread;
}

/** What came of it: plain data, the same in every runtime but for `hosting`. */
export interface ScenarioResult {
  readonly hosting: Umbra.MachineHosting;
  readonly steps: readonly string[];
}

/** What every runtime must come to. */
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
  "readable true",
  "ERR_CLOSED",
  "program 3: out 0d 0a 00 ff; err warning",
];

/** Commands of the initrd's script, behind which the guest powers off. */
export const SCRIPT = "echo ready; read line; echo got $line";

/** Boots a guest, talks to it, looks inside, and runs a program: the same in every runtime. */
export async function runScenario({ umbra, kernel, initrd, busybox, thread }: ScenarioInput): Promise<ScenarioResult> {
  const steps: string[] = [];
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "no error",
      (error: unknown) => (error instanceof umbra.VmError ? error.code : String(error)),
    );
  const machine = await umbra.createMachine({
    memoryBytes: 128 * 1024 * 1024,
    kernel,
    initrd,
    commandLine: "console=ttyS0 cryptomgr.notests quiet",
    host: thread,
  });
  const { hosting } = machine;
  steps.push(`status ${machine.status}`);
  const text = new Response(machine.serial.readable as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  let output = "";
  const ready = new Promise<void>((resolve) => {
    const stop = machine.serial.onOutput((bytes) => {
      output += new TextDecoder().decode(bytes);
      if (!output.includes("ready")) return;
      stop();
      resolve();
    });
  });
  const running = machine.run();
  await Promise.race([ready, running]);
  steps.push("ready");
  await machine.pause();
  steps.push(machine.status);
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
  steps.push(`readable ${whole.includes("ready")}`);
  steps.push(await codeOf(machine.stats()));

  const result = await umbra.runProgram(busybox, {
    name: "sh",
    args: ["-c", "printf '\\r\\n\\0\\377'; printf $WHAT >&2; exit 3"],
    env: { WHAT: "warning" },
    kernel,
    host: thread,
  });
  const hex = [...result.stdout].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  steps.push(`program ${result.exitCode}: out ${hex}; err ${new TextDecoder().decode(result.stderr)}`);
  return { hosting, steps };
}
