import { expect, it } from "vitest";
import { createBareMachine, type BareExit, type BareMachine } from "../../src/bare-machine.ts";

/** Runs code at 0x1000 of a machine in 64-bit mode at level 0. */
async function run(
  code: readonly number[],
  state: Parameters<BareMachine["setState"]>[0] = {},
): Promise<{ machine: BareMachine; exit: BareExit }> {
  const machine = await createBareMachine({ memoryBytes: 0x10_0000, mode: "long" });
  machine.write(0x1000, Uint8Array.from([...code, 0xf4]));
  machine.setState({ rip: 0x1000n, rsp: 0x9000n, ...state });
  return { machine, exit: machine.run({ maxInstructions: 1000 }) };
}

it("CPUID clears the upper halves of its results", async () => {
  const { machine } = await run([0x0f, 0xa2], { rax: 0xffff_ffff_0000_0000n, rbx: -1n & 0xffff_ffff_ffff_ffffn });
  expect(machine.getState()).toMatchObject({ rax: 0x16n, rbx: 0x756e_6547n, rcx: 0x6c65_746en, rdx: 0x4965_6e69n });
});

it("RDRAND and RDSEED set CF and clear the other flags", async () => {
  for (const modrm of [0xf0, 0xf8]) {
    const { machine } = await run([0x48, 0x0f, 0xc7, modrm], { rflags: 0x8d6n });
    const { rax, rflags } = machine.getState();
    expect(rflags & 0x8d5n).toBe(1n);
    expect(rax >> 32n).not.toBe(0n);
    const narrow = await run([0x66, 0x0f, 0xc7, modrm], { rax: 0x1111_2222_3333_4444n });
    expect(narrow.machine.getState().rax >> 16n).toBe(0x1111_2222_3333n);
  }
});

it("RDTSCP and RDPID read TSC_AUX; RDTSC counts up", async () => {
  const code = [0x0f, 0x01, 0xf9, 0x89, 0xc3, 0x0f, 0x31, 0xf3, 0x0f, 0xc7, 0xfe];
  const { machine } = await run(code, { tscAux: 0x1234n });
  const { rax, rbx, rcx, rsi } = machine.getState();
  expect([rcx, rsi]).toEqual([0x1234n, 0x1234n]);
  expect(rax > rbx).toBe(true);
});

it("what CPUID does not announce is undefined", async () => {
  // MONITOR, MWAIT
  for (const code of [
    [0x0f, 0x01, 0xc8],
    [0x0f, 0x01, 0xc9],
  ]) {
    const { exit } = await run(code);
    expect(exit).toMatchObject({ reason: "exception", vector: 6 });
  }
});

it("SGDT and SIDT store ten bytes, or none when the last one faults", async () => {
  const gdt = { base: 0x1122_3344_5566n, limit: 0x77 };
  const { machine } = await run([0x0f, 0x01, 0x04, 0x25, 0x00, 0x80, 0x00, 0x00], { gdt });
  expect([...machine.read(0x8000, 10)]).toEqual([0x77, 0, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0]);
  const other = await createBareMachine({ memoryBytes: 0x10_0000, mode: "long" });
  other.map(0x1000, 0x1000, 0x1000, { execute: true });
  other.map(0x8000, 0x8000, 0x1000, { write: true });
  other.write(0x1000, Uint8Array.from([0x0f, 0x01, 0x04, 0x25, 0xf8, 0x8f, 0x00, 0x00]));
  other.setState({ rip: 0x1000n, gdt });
  expect(other.run({ maxInstructions: 10 })).toMatchObject({
    reason: "exception",
    vector: 14,
    errorCode: 2,
    cr2: 0x9000n,
  });
  expect([...other.read(0x8ff8, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});

it("IN and OUT of each size leave for the port", async () => {
  const { machine, exit } = await run([0xe4, 0x60, 0x66, 0xef, 0xed], { rdx: 0x3f8n, rax: 0xaabb_ccddn });
  expect(exit).toMatchObject({ reason: "port", port: { number: 0x60, bytes: 1, write: false } });
  expect(machine.run({ maxInstructions: 1000 })).toMatchObject({
    port: { number: 0x3f8, bytes: 2, write: true, value: 0xccdd },
  });
  expect(machine.run({ maxInstructions: 1000 })).toMatchObject({ port: { number: 0x3f8, bytes: 4, write: false } });
  expect(machine.run({ maxInstructions: 1000 })).toMatchObject({ reason: "halt" });
});

it("RDFSBASE and WRGSBASE move 32 and 64 bits; SWAPGS exchanges", async () => {
  // wrgsbase rax; rdfsbase ecx; swapgs
  const code = [0xf3, 0x48, 0x0f, 0xae, 0xd8, 0xf3, 0x0f, 0xae, 0xc1, 0x0f, 0x01, 0xf8];
  const { machine } = await run(code, {
    rax: 0x7000_1234_5678n,
    rcx: -1n & 0xffff_ffff_ffff_ffffn,
    fsBase: 0x1_2345_6789n,
    kernelGsBase: 0x99n,
  });
  expect(machine.getState()).toMatchObject({ gsBase: 0x99n, kernelGsBase: 0x7000_1234_5678n, rcx: 0x2345_6789n });
});

it("STI sets IF; HLT needs level 0", async () => {
  const { machine } = await run([0xfb], {});
  expect(machine.getState().rflags & 0x200n).toBe(0x200n);
  const user = await createBareMachine({ memoryBytes: 0x10_0000, mode: "long" });
  user.map(0x1000, 0x1000, 0x1000, { execute: true, user: true });
  user.write(0x1000, Uint8Array.from([0xf4]));
  user.setState({ rip: 0x1000n, cpl: 3 });
  expect(user.run({ maxInstructions: 10 })).toMatchObject({ reason: "exception", vector: 13, errorCode: 0 });
});

it("REP OUTS writes each element to the port, REP INS faults before it reads one that has no place", async () => {
  const { machine, exit } = await run([0xf3, 0x66, 0x6f], { rdx: 0x1f0n, rcx: 3n, rsi: 0x8000n });
  expect(exit).toMatchObject({ reason: "port", port: { number: 0x1f0, bytes: 2, write: true } });
  let accesses = 1;
  while (machine.run({ maxInstructions: 1000 }).reason === "port") accesses++;
  expect(accesses).toBe(3);
  expect(machine.getState()).toMatchObject({ rcx: 0n, rsi: 0x8006n });

  const other = await createBareMachine({ memoryBytes: 0x10_0000, mode: "long" });
  other.map(0x1000, 0x1000, 0x1000, { execute: true });
  other.write(0x1000, Uint8Array.from([0xf3, 0x6c]));
  other.setState({ rip: 0x1000n, rcx: 3n, rdi: 0x8000n, rdx: 0x60n });
  expect(other.run({ maxInstructions: 10 })).toMatchObject({ reason: "exception", vector: 14, cr2: 0x8000n });
  expect(other.getState().rcx).toBe(3n);
});
