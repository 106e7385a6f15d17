import { describe, expect, it } from "vitest";
import { runProgram, type RunProgramOptions } from "../../src/index.ts";
import { ProgramPort } from "../../src/pc/options.ts";
import { elf } from "../boot/support/images.ts";
import * as guest from "./support/tiny-guest.ts";

// A guest that writes to the ports of a program by itself, in place of a kernel with one: what it writes is all that counts here.

const write = (port: number, text: string): number[] => [
  ...[...new TextEncoder().encode(text)].flatMap((byte) => [...guest.set(byte), ...guest.writePort(port, 1)]),
];
/** The program has returned 3. */
const end = [...guest.set(3 << 8), ...guest.writePort(ProgramPort.EXIT, 4)];
const talking = guest.tinyKernel(write(ProgramPort.STDOUT, "hello"), write(ProgramPort.STDERR, "oh"), end);
/** It never stops writing. */
const endless = guest.tinyKernel(guest.repeat(write(ProgramPort.STDERR, "0123456789abcdef")));

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe.each([["worker"], ["same-thread"]] as const)("what a program writes: %s", { timeout: 60_000 }, (host) => {
  const run = async (options: RunProgramOptions) => {
    const { stdout, stderr, ...rest } = await runProgram(elf({ wide: true }), {
      memoryBytes: 64 << 20,
      host,
      ...options,
    });
    return { stdout: text(stdout), stderr: text(stderr), ...rest };
  };

  it("is in the result, up to the limit", async () => {
    const whole = { stdout: "hello", stderr: "oh", exitCode: 3, signal: undefined, truncated: false };
    expect(await run({ kernel: talking })).toEqual(whole);
    expect(await run({ kernel: talking, maxOutputBytes: 5 })).toEqual(whole);
    expect(await run({ kernel: talking, maxOutputBytes: Infinity })).toEqual(whole);
  });

  it("ends the program beyond the limit, even one that would write for ever", async () => {
    const error = { code: "ERR_OUTPUT" };
    await expect(run({ kernel: talking, maxOutputBytes: 4 })).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining("more than 4 bytes to stdout"),
    });
    await expect(run({ kernel: endless, maxOutputBytes: 100_000 })).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining("more than 100000 bytes to stderr"),
    });
  });

  it("goes on where a listener takes it, and the result says that it is the beginning", async () => {
    const heard: string[] = [];
    const onStdout = (bytes: Uint8Array): void => void heard.push(text(bytes));
    const result = await run({ kernel: talking, maxOutputBytes: 4, onStdout });
    expect([heard.join(""), result]).toEqual([
      "hello",
      { stdout: "hell", stderr: "oh", exitCode: 3, signal: undefined, truncated: true },
    ]);
  });

  it("has a limit that is a number", async () => {
    for (const maxOutputBytes of [-1, NaN, "1 MiB" as never])
      await expect(run({ kernel: talking, maxOutputBytes })).rejects.toMatchObject({ code: "ERR_CONFIG" });
  });
});
