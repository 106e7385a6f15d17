import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createBareMachine, type BareExit } from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";
import { VmError } from "../../src/errors.ts";
import { CODE, code, ENGINES, le, openMachine } from "../mmu/support.ts";

// The public interface of a machine without devices.

const OPTIONS = { memoryBytes: 0x10_0000, mode: "long" } as const;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof VmError) return `${error.code}: ${error.message}`;
    return `not a VmError: ${String(error)}`;
  }
  return "nothing thrown";
}

describe("createBareMachine", () => {
  it.each([
    [{ mode: "virtual", memoryBytes: 0x10_0000 }, "ERR_CONFIG", /mode is "virtual"/],
    [{ ...OPTIONS, engine: "magic" }, "ERR_CONFIG", /engine is "magic"/],
    [{ ...OPTIONS, memoryBytes: 0 }, "ERR_MEMORY_SIZE", /memoryBytes is 0/],
    [{ ...OPTIONS, memoryBytes: 0x10_0001 }, "ERR_MEMORY_SIZE", /multiple of 4096/],
    [{ ...OPTIONS, memoryBytes: 0x8000 }, "ERR_MEMORY_SIZE", /65536/],
    [{ ...OPTIONS, memoryBytes: 2 ** 31 + 4096 }, "ERR_MEMORY_SIZE", /2147483648/],
    [{ ...OPTIONS, memoryBytes: NaN }, "ERR_MEMORY_SIZE", /NaN/],
    [{ ...OPTIONS, memoryBytes: "64M" }, "ERR_MEMORY_SIZE", /64M/],
  ])("refuses %o", async (options, errorCode, message) => {
    const refusal = createBareMachine(options as never);
    await expect(refusal).rejects.toBeInstanceOf(VmError);
    await expect(refusal).rejects.toMatchObject({ code: errorCode, message: expect.stringMatching(message) as string });
  });
});

describe.each(ENGINES)("bare machine: %s", (engine) => {
  const open = (mode: "long" | "protected" | "real", memoryBytes = 0x10_0000) =>
    openMachine({ memoryBytes, mode, engine });

  describe("modes", () => {
    it("long: 64-bit code, memory one to one", async () => {
      const machine = await open("long");
      machine.write(CODE, code("48 b8", le(0x1122_3344_5566_7788n, 8), "f4"));
      machine.setState({ rip: BigInt(CODE) });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 2 });
      expect(machine.getState()).toMatchObject({ rax: 0x1122_3344_5566_7788n, rip: BigInt(CODE + 11) });
    });

    it("take a selector alone: in real mode it is the base, elsewhere CS gives the level", async () => {
      const real = await createBareMachine({ memoryBytes: 0x10_0000, mode: "real" });
      real.setState({ cs: 0x1234n, ds: 0x10 });
      expect(real.getState().cs).toMatchObject({ selector: 0x1234, base: 0x1_2340n });
      expect(real.getState().ds).toMatchObject({ selector: 0x10, base: 0x100n });
      real.close();
      const long = await createBareMachine({ memoryBytes: 0x10_0000, mode: "long" });
      long.setState({ cs: 0x2b });
      expect(long.getState()).toMatchObject({ cpl: 3, cs: { selector: 0x2b, base: 0n } });
      long.close();
    });

    it("protected: 32-bit code, flat segments", async () => {
      const machine = await open("protected");
      machine.write(CODE, code("b8 78 56 34 12 a3 00 20 00 00 48 f4")); // 48 is dec eax here
      machine.setState({ rip: BigInt(CODE), rax: 0xffff_ffff_0000_0000n });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 4 });
      expect(machine.getState().rax).toBe(0x1234_5677n);
      expect(machine.read(0x2000, 4)).toEqual(Uint8Array.of(0x78, 0x56, 0x34, 0x12));
    });

    it("real: 16-bit code, segments times 16", async () => {
      const machine = await open("real");
      machine.write(0x1_2340, code("b8 00 20 8e d8 c7 06 10 00 cd ab f4"));
      machine.setState({ rip: 0x40n, cs: { selector: 0x1230, base: 0x1_2300n, limit: 0xffff, attributes: 0x9b } });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 4 });
      expect(machine.read(0x2_0010, 2)).toEqual(Uint8Array.of(0xcd, 0xab));
    });

    it("has SSE and x87 ready", async () => {
      const machine = await open("long");
      machine.write(CODE, code("d9 e8 dd 1c 25 00 20 00 00 f2 0f 10 04 25 00 20 00 00 f2 0f 58 c0 f4")); // fld1; fstp; movsd; addsd
      machine.setState({ rip: BigInt(CODE) });
      expect(machine.run()).toMatchObject({ reason: "halt" });
      expect(new DataView(machine.getState().xmm0.buffer).getFloat64(0, true)).toBe(2);
    });
  });

  describe("memory", () => {
    it("reads what was written, in copies", async () => {
      const machine = await open("long");
      const bytes = Uint8Array.of(1, 2, 3);
      machine.write(0xf_fffdn, bytes);
      const read = machine.read(0xf_fffd, 3);
      expect(read).toEqual(bytes);
      read[0] = 9;
      expect(machine.read(0xf_fffd, 1)).toEqual(Uint8Array.of(1));
      machine.write(0x1000, new Uint8Array(0));
      expect(machine.read(0x10_0000, 0)).toEqual(new Uint8Array(0));
    });

    it.each<[string, (machine: Awaited<ReturnType<typeof open>>) => unknown, RegExp]>([
      ["write beyond the end", (m) => m.write(0xf_fffe, new Uint8Array(3)), /memory ends at 0x100000/],
      ["read beyond the end", (m) => m.read(0x10_0000, 1), /memory ends at/],
      ["read at a negative address", (m) => m.read(-1, 1), /read of 1 bytes/],
      ["read of a negative length", (m) => m.read(0, -1), /read of -1 bytes/],
      ["read of half a byte", (m) => m.read(0, 0.5), /0.5/],
      ["read at half an address", (m) => m.read(0.5, 1), /0.5/],
      ["read at a huge address", (m) => m.read(1n << 70n, 1), /memory ends at/],
      ["read at a name", (m) => m.read("here" as never, 1), /here/],
      ["write of a string", (m) => m.write(0, "text" as never), /Uint8Array/],
    ])("refuses %s", async (_name, action, message) => {
      const machine = await open("long");
      expect(codeOf(() => action(machine))).toMatch(/^ERR_CONFIG: /);
      expect(codeOf(() => action(machine))).toMatch(message);
    });

    it("reaches the last byte of the largest memory, code included", { timeout: 60_000 }, async () => {
      const machine = await open("long", 0x8000_0000);
      const at = 0x8000_0000 - 8;
      machine.write(at, code("ff c0 fe 05 f8 ff ff ff")); // inc eax; inc byte [rip-8]: patches its own block
      machine.write(CODE, code("f4"));
      machine.setState({ rip: BigInt(at) });
      expect(machine.run({ maxInstructions: 2 })).toMatchObject({ reason: "budget", instructions: 2 });
      expect(machine.read(at, 1)).toEqual(Uint8Array.of(0x00));
      machine.setState({ rip: BigInt(at), rax: 0x1000n });
      // 00 c0 is add al, al now.
      expect(machine.run({ maxInstructions: 1 })).toMatchObject({ instructions: 1 });
      expect(machine.getState().rax).toBe(0x1000n);
      machine.write(at, Uint8Array.of(0xff, 0xc0));
      machine.setState({ rip: BigInt(at), rax: 0n });
      expect(machine.run({ maxInstructions: 1 })).toMatchObject({ instructions: 1 });
      expect(machine.getState().rax).toBe(1n);
      machine.close();
    });

    it("is nowhere beyond its end: reads float high, writes are lost, code is undefined", async () => {
      const machine = await open("long");
      machine.write(
        CODE,
        code("8b 04 25 00 00 00 40 c7 04 25 00 00 00 40 00 00 00 00 8b 0c 25 00 00 00 40 b8 00 00 00 40 ff e0"),
      );
      machine.setState({ rip: BigInt(CODE) });
      expect(machine.run()).toMatchObject({ reason: "exception", vector: 6, instructions: 5 });
      expect(machine.getState()).toMatchObject({ rcx: 0xffff_ffffn, rip: 0x4000_0000n });
    });
  });

  describe("map", () => {
    it("leaves only what is mapped, with the rights given", async () => {
      const machine = await open("long");
      machine.map(0xffff_8000_0000_0000n, 0x1000, 0x1000, { execute: true });
      machine.map(0x40_0000, 0x2000, 0x2000, { write: true });
      machine.write(0x1000, code("88 00 f4")); // mov [rax], al
      const run = (rax: bigint): BareExit => {
        machine.setState({ rip: 0xffff_8000_0000_0000n, rax });
        return machine.run();
      };
      expect(run(0x40_1fffn)).toMatchObject({ reason: "halt" });
      expect(machine.read(0x3fff, 1)).toEqual(Uint8Array.of(0xff));
      expect(run(0x40_2000n)).toMatchObject({ vector: 14, errorCode: 2, cr2: 0x40_2000n });
      expect(run(0x2000n)).toMatchObject({ vector: 14, errorCode: 2, cr2: 0x2000n });
      machine.setState({ cr0: machine.getState().cr0 | 0x1_0000n });
      expect(run(0xffff_8000_0000_0000n)).toMatchObject({ vector: 14, errorCode: 3 });
      machine.setState({ rip: 0x40_0000n });
      expect(machine.run()).toMatchObject({ vector: 14, errorCode: 0x11, cr2: 0x40_0000n });
      // Mapped again, with other rights.
      machine.map(0x40_0000, 0x1000, 0x1000, { execute: true, user: true, write: true });
      machine.setState({ rip: 0x40_0000n, rax: 0x40_0010n });
      expect(machine.run()).toMatchObject({ reason: "halt" });
    });

    it("serves protected mode, too", async () => {
      const machine = await open("protected");
      machine.map(0xc000_0000, 0x1000, 0x1000, { write: true });
      machine.write(0x1000, code("a3 00 01 00 c0 f4"));
      machine.setState({ rip: 0xc000_0000n, rax: 5n });
      expect(machine.run()).toMatchObject({ reason: "halt" });
      expect(machine.read(0x1100, 1)).toEqual(Uint8Array.of(5));
    });

    it.each([
      ["an unaligned gva", [1, 0, 4096], /gva is 1, expected a multiple of 4096/],
      ["an unaligned gpa", [0, 0x10, 4096], /gpa is 16/],
      ["half a page", [0, 0, 2048], /lengthBytes is 2048/],
      ["a negative length", [0, 0, -4096], /lengthBytes is -4096/],
      ["a fraction", [0.5, 0, 4096], /gva is 0.5/],
      ["text", ["x", 0, 4096], /gva is x/],
      ["a gva that is not canonical", [1n << 47n, 0, 4096], /gva is 0x800000000000/],
      ["a range that leaves the canonical half", [(1n << 47n) - 4096n, 0, 8192], /reach/],
      ["a gpa beyond 2^40", [0, 1n << 40n, 4096], /gpa is 0x10000000000/],
      ["more than there are tables for", [0, 0, 0x2_0000_0000], /page tables/],
    ])("refuses %s", async (_name, args, message) => {
      const machine = await open("long");
      const result = codeOf(() => machine.map(...(args as [number, number, number])));
      expect(result).toMatch(/^ERR_CONFIG: map/);
      expect(result).toMatch(message);
    });

    it("is refused in real mode", async () => {
      const machine = await open("real");
      expect(codeOf(() => machine.map(0, 0, 4096))).toMatch(/^ERR_CONFIG: real mode/);
    });
  });

  describe("state", () => {
    it("comes back as it was set, register by register", async () => {
      const machine = await open("long");
      const before = machine.getState();
      const wanted: Record<string, unknown> = {};
      let seed = 0x1234_5678_9abc_def1n;
      const next = (): bigint => (seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n));
      for (const [name, value] of Object.entries(before)) {
        if (/^(cr|efer|xcr|rflags|cpl|mm\d|cs|ss|dr7)/.test(name)) continue;
        if (typeof value === "bigint") wanted[name] = next();
        else if (value instanceof Uint8Array) wanted[name] = value.map(() => Number(next() >> 40n) & 0xff);
        else if (typeof value === "number") wanted[name] = Number(next() >> 40n) & (name === "ftw" ? 0xff : 0xffff);
      }
      wanted["gdt"] = { base: next(), limit: 0x1234 };
      wanted["fs"] = { selector: 0x33, base: wanted["fsBase"], limit: 0xffff_ffff, attributes: 0xc0f3 };
      wanted["gs"] = { ...before.gs, base: wanted["gsBase"] };
      machine.setState(wanted as Partial<BareState>);
      const after = machine.getState();
      expect(after).toMatchObject(wanted);
      // Setting everything that was read changes nothing.
      machine.setState(after);
      expect(machine.getState()).toEqual(after);
    });

    it("rounds flags through the lazy form in all combinations", async () => {
      const machine = await open("long");
      const bits = [0, 2, 4, 6, 7, 10, 11, 18, 21];
      for (let mask = 0; mask < 1 << bits.length; mask++) {
        const rflags = bits.reduce((value, bit, index) => value | (mask & (1 << index) ? 1n << BigInt(bit) : 0n), 2n);
        machine.setState({ rflags });
        expect(machine.getState().rflags).toBe(rflags);
      }
    });

    it("takes numbers where they are exact, and negative ones as two's complement", async () => {
      const machine = await open("long");
      machine.setState({ rax: 5 as never, rbx: -1n, rcx: (1n << 64n) + 3n, rdx: -2 as never });
      expect(machine.getState()).toMatchObject({
        rax: 5n,
        rbx: 0xffff_ffff_ffff_ffffn,
        rcx: 3n,
        rdx: 0xffff_ffff_ffff_fffen,
      });
    });

    it.each([
      ["an unknown register", { eax: 1n }, /no register "eax"/],
      ["a register of the prototype", { toString: 1n }, /no register/],
      ["xmm16", { xmm16: new Uint8Array(16) }, /no register "xmm16"/],
      ["a string", { rax: "1" }, /rax: expected a bigint, found string/],
      ["a fraction", { rax: 1.5 }, /rax: expected a bigint/],
      ["an inexact number", { rax: 2 ** 60 }, /rax: expected a bigint/],
      ["null", { rax: null }, /rax: expected/],
      ["a short vector", { xmm0: new Uint8Array(15) }, /xmm0: expected a Uint8Array of 16 bytes/],
      ["an array", { xmm0: [1] }, /xmm0: expected a Uint8Array/],
      ["a wide control word", { fcw: 0x1_0000 }, /fcw: expected an integer of 16 bits/],
      ["a privilege level of 4", { cpl: 4 }, /cpl: expected an integer of 2 bits/],
      ["a segment without shape", { ds: "8" }, /ds: expected/],
      ["a selector of more than 16 bits", { ds: 0x1_0000 }, /ds: expected/],
      ["a segment with a bad limit", { ds: { selector: 0, base: 0n, limit: 1e12, attributes: 0 } }, /ds.limit/],
      ["a segment with a bad base", { ds: { base: "x" } }, /ds.base: expected a bigint/],
      ["a null table", { idt: null }, /idt: expected/],
      ["a table without base", { gdt: { limit: 5 } }, /gdt.base/],
      ["a wide table limit", { gdt: { base: 0n, limit: 0x1_0000 } }, /gdt.limit/],
    ])("refuses %s", async (_name, state, message) => {
      const machine = await open("long");
      const result = codeOf(() => machine.setState(state as never));
      expect(result).toMatch(/^ERR_CONFIG: /);
      expect(result).toMatch(message);
    });
  });

  describe("run", () => {
    it("stops after exactly as many instructions as it may run", async () => {
      const machine = await open("long");
      machine.write(CODE, code("ff c0 75 fc f4")); // inc eax; jnz back
      machine.setState({ rip: BigInt(CODE), rax: 0n });
      let total = 0;
      for (const limit of [0, 1, 2, 3, 63, 64, 65, 66, 127, 128, 129, 1000, 4097, 100_000, 1]) {
        expect(machine.run({ maxInstructions: limit })).toEqual({ reason: "budget", instructions: limit });
        total += limit;
        expect(machine.getState().rax).toBe(BigInt(Math.ceil(total / 2)));
      }
    });

    it("counts a repeated string instruction once, and resumes it", async () => {
      const machine = await open("long");
      machine.write(CODE, code("f3 aa 90 f4"));
      machine.setState({ rip: BigInt(CODE), rdi: 0x2000n, rcx: 1000n });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 3 });
      machine.setState({ rip: BigInt(CODE), rdi: 0x2000n, rcx: 1000n });
      expect(machine.run({ maxInstructions: 1 })).toEqual({ reason: "budget", instructions: 1 });
      expect(machine.getState()).toMatchObject({ rcx: 0n, rip: BigInt(CODE + 2) });
    });

    it.each([
      ["f3 aa", "rep stosb"],
      ["f3 a4", "rep movsb"],
      ["f3 ac", "rep lodsb"],
      ["f3 ae", "repe scasb"],
      ["f3 a6", "repe cmpsb"],
    ])("returns from hostile repeat counts: %s", async (bytes) => {
      const machine = await open("protected");
      // The segment wraps at 4 GiB, so that nothing ever stops it; only low memory is RAM.
      for (const limit of [1, 10, 1000]) {
        machine.write(CODE, code(bytes, "f4"));
        machine.setState({ rip: BigInt(CODE), rcx: 0xffff_ffffn, rdi: 0x8000_0000n, rsi: 0x8000_0000n, rax: 0xffn });
        const exit = machine.run({ maxInstructions: limit });
        expect(exit).toEqual({ reason: "budget", instructions: 0 });
        expect(machine.getState().rip).toBe(BigInt(CODE));
        expect(machine.getState().rcx).toBeLessThan(0xffff_ffffn);
      }
    });

    it("returns when exceptions follow each other for ever", async () => {
      const machine = await open("protected");
      // The #UD handler is undefined itself; interrupt gates to ring 0 of the same level, with the stack on which pushes fall to memory that is not there.
      const idt = 0x4000;
      for (let vector = 0; vector < 32; vector++) machine.write(idt + 8 * vector, code("00 10 08 00 00 8e 00 00"));
      machine.write(0x5008, code("ff ff 00 00 00 9b cf 00"));
      machine.write(CODE, code("0f 0b"));
      machine.setState({
        rip: BigInt(CODE),
        rsp: 0xf000_0000n,
        idt: { base: BigInt(idt), limit: 0xff },
        gdt: { base: 0x5000n, limit: 0xff },
      });
      expect(machine.run({ maxInstructions: 100 })).toEqual({ reason: "budget", instructions: 0 });
    });

    it.each([-1, NaN, "5", null])("refuses a limit of %s", async (maxInstructions) => {
      const machine = await open("long");
      expect(codeOf(() => machine.run({ maxInstructions } as never))).toMatch(/^ERR_CONFIG: maxInstructions is/);
    });

    it("ends with an exception as the state was before the instruction", async () => {
      const machine = await open("long");
      machine.write(CODE, code("90 f7 f1")); // div ecx
      machine.setState({ rip: BigInt(CODE), rcx: 0n, rax: 7n });
      expect(machine.run()).toEqual({ reason: "exception", vector: 0, instructions: 1 });
      expect(machine.getState()).toMatchObject({ rip: BigInt(CODE + 1), rax: 7n });
      // It is raised again by the next run, and not when the cause is gone.
      expect(machine.run()).toEqual({ reason: "exception", vector: 0, instructions: 0 });
    });

    it.each([
      ["int3", "cc", 3],
      ["int 0x80", "cd 80", 0x80],
      ["int1", "f1", 1],
      ["ud2", "0f 0b", 6],
    ])("%s ends with its vector", async (_name, bytes, vector) => {
      const machine = await open("long");
      machine.write(CODE, code(bytes));
      machine.setState({ rip: BigInt(CODE) });
      expect(machine.run()).toMatchObject({ reason: "exception", vector });
    });

    it("delivers exceptions through the guest's IDT, if it has one", async () => {
      const machine = await open("long");
      const idt = 0x4000;
      const handler = 0x3000;
      machine.write(0x5008, le(0x00af_9b00_0000_ffffn, 8));
      machine.write(idt + 16 * 6, code(le(handler, 2), "08 00 00 8e 00 00", le(0, 8)));
      machine.write(handler, code("48 8b 04 24 f4"));
      machine.write(CODE, code("0f 0b"));
      machine.setState({
        rip: BigInt(CODE),
        rsp: 0x8000n,
        idt: { base: BigInt(idt), limit: 0xfff },
        gdt: { base: 0x5000n, limit: 0xf },
      });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 2 });
      expect(machine.getState()).toMatchObject({ rax: BigInt(CODE), rsp: 0x8000n - 40n });
    });

    it("shuts down after a triple fault", async () => {
      const machine = await open("long");
      machine.write(CODE, code("0f 0b"));
      machine.setState({ rip: BigInt(CODE), idt: { base: 0x4000n, limit: 0xfff } });
      expect(machine.run()).toMatchObject({ reason: "shutdown" });
    });
  });

  describe("ports", () => {
    it("leaves for IN and OUT of every size, behind the instruction", async () => {
      const machine = await open("long");
      machine.write(CODE, code("e6 10 e7 11 66 e7 12 ee ef e4 20 e5 21 66 e5 22 ec ed 66 ed f4"));
      machine.setState({ rip: BigInt(CODE), rax: 0x8877_6655_4433_2211n, rdx: 0xffff_abcdn });
      const out = (number: number, bytes: number, value: number): object => ({
        reason: "port",
        vector: number,
        port: { number, bytes, write: true, value },
      });
      expect(machine.run()).toEqual({ ...out(0x10, 1, 0x11), instructions: 1 });
      expect(machine.getState().rip).toBe(BigInt(CODE + 2));
      expect(machine.run()).toMatchObject(out(0x11, 4, 0x4433_2211));
      expect(machine.run()).toMatchObject(out(0x12, 2, 0x2211));
      expect(machine.run()).toMatchObject(out(0xabcd, 1, 0x11));
      expect(machine.run()).toMatchObject(out(0xabcd, 4, 0x4433_2211));
      const input = (number: number, bytes: number): object => ({ port: { number, bytes, write: false } });
      expect(machine.run()).toMatchObject(input(0x20, 1));
      expect(machine.run({ portValue: 0xaa })).toMatchObject(input(0x21, 4));
      expect(machine.getState().rax).toBe(0x8877_6655_4433_22aan);
      expect(machine.run({ portValue: 0xfedc_ba98 })).toMatchObject(input(0x22, 2));
      expect(machine.getState().rax).toBe(0xfedc_ba98n);
      expect(machine.run({ portValue: -1 })).toMatchObject(input(0xabcd, 1));
      expect(machine.getState().rax).toBe(0xfedc_ffffn);
      machine.setState({ rax: 0x1234n });
      expect(machine.run()).toMatchObject(input(0xabcd, 4));
      expect(machine.getState().rax).toBe(0x1234n);
      expect(machine.run({ portValue: 7 })).toMatchObject(input(0xabcd, 2));
      expect(machine.run()).toMatchObject({ reason: "halt" });
    });

    it("stops inside a limit, and counts the instruction", async () => {
      const machine = await open("long");
      machine.write(CODE, code("90 e6 10 90 f4"));
      machine.setState({ rip: BigInt(CODE) });
      expect(machine.run({ maxInstructions: 2 })).toMatchObject({ reason: "port", instructions: 2 });
      expect(machine.run({ maxInstructions: 1 })).toMatchObject({ reason: "budget", instructions: 1 });
    });

    it("OUTS goes element by element", async () => {
      const machine = await open("long");
      machine.write(0x2000, Uint8Array.of(1, 2, 3, 4));
      machine.write(CODE, code("f3 6e 66 6f f4")); // rep outsb; outsw
      machine.setState({ rip: BigInt(CODE), rsi: 0x2000n, rcx: 2n, rdx: 0x99n });
      for (const [left, value] of [
        [2n, 1],
        [1n, 2],
      ] as const) {
        expect(machine.run()).toMatchObject({ reason: "port", port: { number: 0x99, bytes: 1, write: true, value } });
        expect(machine.getState()).toMatchObject({ rip: BigInt(CODE), rcx: left });
      }
      expect(machine.run()).toMatchObject({ port: { bytes: 2, write: true, value: 0x0403 }, instructions: 1 });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 2 });
      expect(machine.getState()).toMatchObject({ rsi: 0x2004n, rcx: 0n });
    });

    it("INS stores what the port gave, and nothing until then", async () => {
      const machine = await open("long");
      machine.write(CODE, code("f3 6d f4")); // rep insd
      machine.setState({ rip: BigInt(CODE), rdi: 0x2000n, rcx: 2n, rdx: 0x60n, rax: 5n });
      expect(machine.run()).toMatchObject({ port: { number: 0x60, bytes: 4, write: false }, instructions: 0 });
      expect(machine.read(0x2000, 4)).toEqual(new Uint8Array(4));
      expect(machine.run({ portValue: 0x1122_3344 })).toMatchObject({ port: { write: false } });
      expect(machine.run()).toMatchObject({ reason: "halt", instructions: 2 });
      expect(machine.read(0x2000, 8)).toEqual(code("44 33 22 11 ff ff ff ff"));
      expect(machine.getState()).toMatchObject({ rdi: 0x2008n, rcx: 0n, rax: 5n });
    });

    it("a port access left alone is no answer for another one", async () => {
      const machine = await open("long");
      machine.write(CODE, code("6c 6c f4"));
      machine.setState({ rip: BigInt(CODE), rdi: 0x2000n, rdx: 0x60n });
      expect(machine.run()).toMatchObject({ reason: "port" });
      machine.setState({ rip: BigInt(CODE + 1) });
      expect(machine.run({ portValue: 1 })).toMatchObject({ reason: "port", instructions: 0 });
      expect(machine.run({ portValue: 2 })).toMatchObject({ reason: "halt" });
      expect(machine.read(0x2000, 2)).toEqual(Uint8Array.of(2, 0));
    });

    it("INS into memory that is not there faults before the port is read", async () => {
      const machine = await open("long");
      machine.map(0, 0, 0x8000, { write: true, execute: true });
      machine.write(CODE, code("6c"));
      machine.setState({ rip: BigInt(CODE), rdi: 0x9000n, rdx: 0x60n });
      expect(machine.run()).toMatchObject({ reason: "exception", vector: 14, cr2: 0x9000n });
    });

    it("refuses a value that is no integer", async () => {
      const machine = await open("long");
      expect(codeOf(() => machine.run({ portValue: 0.5 }))).toMatch(/^ERR_CONFIG: portValue is 0.5/);
    });
  });

  describe("close", () => {
    it("makes every call an error, and may be called again", async () => {
      const machine = await open("long");
      machine.close();
      machine.close();
      for (const action of [
        () => machine.run(),
        () => machine.read(0, 1),
        () => machine.write(0, new Uint8Array(1)),
        () => machine.getState(),
        () => machine.setState({}),
        () => machine.map(0, 0, 4096),
      ]) {
        expect(codeOf(action)).toBe("ERR_CONFIG: the machine is closed");
      }
      expect(machine.memoryBytes).toBe(0x10_0000);
    });

    it("gives the memory back although the machine is still held", async () => {
      const machine = await open("long");
      machine.write(CODE, code("f4"));
      machine.setState({ rip: BigInt(CODE) });
      machine.run();
      const memory = new WeakRef(machine.memory);
      machine.close();
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void;
      for (let attempt = 0; attempt < 20 && memory.deref(); attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        collect();
      }
      expect(memory.deref()).toBeUndefined();
      expect(machine.memoryBytes).toBe(0x10_0000);
    });
  });
});
