import { describe, expect, it } from "vitest";
import { ENGINES } from "../../src/engine.ts";
import { CODE, code, flush, le, longMachine, P, PT, read64, STACK_TOP, U, W, write64 } from "../mmu/support.ts";

// Code that changes under the processor. SDM Vol. 3A, 12.6: after a jump, or at once on one processor, what was written is run.

const MOV_EAX = "b8"; // mov eax, imm32
const HLT = "f4";

describe.each(ENGINES)("self-modifying code: %s", (engine) => {
  it("runs an instruction that the one before it wrote, in the same block", async () => {
    const machine = await longMachine(engine);
    // mov byte [rip+1], 0x55 changes the immediate of the mov that follows.
    machine.write(CODE, code("c6 05 01 00 00 00 55", MOV_EAX, le(0x11, 4), HLT));
    for (let run = 0; run < 3; run++) {
      machine.setState({ rip: BigInt(CODE), rax: 0n });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 3 });
      expect(machine.getState().rax).toBe(0x55n);
    }
  });

  it("counts instructions exactly when the block in progress is dropped", async () => {
    const machine = await longMachine(engine);
    machine.write(CODE, code("90 90 c6 05 01 00 00 00 55", MOV_EAX, le(0x11, 4), "ff c0 ff c0", HLT));
    for (let limit = 1; limit <= 7; limit++) {
      machine.write(CODE + 10, le(0x11, 1));
      machine.setState({ rip: BigInt(CODE), rax: 0n });
      const exit = machine.run({ maxInstructions: limit });
      expect(exit).toEqual({ reason: limit < 7 ? "budget" : "halt", instructions: limit });
      expect(machine.getState().rax).toBe(limit < 4 ? 0n : BigInt(0x55 + Math.min(2, limit - 4)));
    }
  });

  it("sees a patch by the last instruction before the end of the page", async () => {
    const machine = await longMachine(engine);
    // The store ends at the page boundary; it patches itself (its immediate) and nothing else.
    const store = code("c6 05 f9 ff ff ff 01"); // mov byte [rip-7], 1: makes its own opcode add [...]
    const at = CODE + 4096 - store.length;
    machine.write(at, store);
    machine.write(CODE + 4096, code("ff c0", HLT));
    machine.setState({ rip: BigInt(at), rax: 0n });
    expect(machine.run({ maxInstructions: 1 })).toEqual({ reason: "budget", instructions: 1 });
    expect(machine.getState().rip).toBe(BigInt(CODE + 4096));
    machine.write(at, store);
    machine.setState({ rip: BigInt(at), rax: 0n });
    expect(machine.run({ maxInstructions: 100 })).toEqual({ reason: "halt", instructions: 3 });
    expect(machine.read(at, 1)).toEqual(Uint8Array.of(1));
  });

  it("sees a patch through a second mapping of the page", async () => {
    const machine = await longMachine(engine);
    const alias = 0x10_0000;
    write64(machine, PT + 8 * (alias >> 12), BigInt(CODE) | P | W | U);
    flush(machine);
    // mov byte [alias+8+1], 0x55 ; mov eax, 0x11 ; hlt
    const program = code("c6 04 25", le(alias + 9, 4), "55", MOV_EAX, le(0x11, 4), HLT);
    machine.write(CODE, program);
    for (let run = 0; run < 2; run++) {
      machine.write(CODE, program);
      // From the second run on the alias has been translated for writing before.
      machine.setState({ rip: BigInt(CODE), rax: 0n });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 3 });
      expect(machine.getState().rax).toBe(0x55n);
    }
  });

  it("takes the right to write directly from a page written before it held code", async () => {
    const machine = await longMachine(engine);
    const target = 0x20_0000 - 4096;
    const alias = 0x10_0000;
    write64(machine, PT + 8 * (alias >> 12), BigInt(target) | P | W | U);
    flush(machine);
    // Writes the target's code through both mappings, calls it, patches it through both, calls it again.
    const program = code(
      "c6 04 25",
      le(target, 4),
      "b8", // mov byte [target], 0xb8
      "c7 04 25",
      le(alias + 1, 4),
      le(0x1111, 4), // mov dword [alias+1], 0x1111
      "c6 04 25",
      le(target + 5, 4),
      "c3", // ret
      "bb",
      le(target, 4),
      "ff d3", // mov ebx, target; call rbx
      "89 c1", // mov ecx, eax
      "66 c7 04 25",
      le(alias + 1, 4),
      "22 22", // mov word [alias+1], 0x2222
      "ff d3 89 c2", // call rbx; mov edx, eax
      "66 c7 04 25",
      le(target + 1, 4),
      "33 33", // mov word [target+1], 0x3333
      "ff d3",
      HLT,
    );
    machine.write(CODE, program);
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP) });
    expect(machine.run().reason).toBe("halt");
    expect(machine.getState()).toMatchObject({ rcx: 0x1111n, rdx: 0x2222n, rax: 0x3333n });
  });

  it("takes that right from linear page 0, too", async () => {
    const machine = await longMachine(engine);
    // mov byte [0x100], 0xb8 (data so far); ... the same function is called, patched and called again.
    machine.write(0x100, code(MOV_EAX, le(1, 4), "c3"));
    machine.write(CODE, code("c6 04 25 01 01 00 00 02 ff d6 89 c1 c6 04 25 01 01 00 00 03 ff d6", HLT));
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rsi: 0x100n });
    expect(machine.run().reason).toBe("halt");
    expect(machine.getState()).toMatchObject({ rcx: 2n, rax: 3n });
  });

  describe("an instruction across a page boundary", () => {
    const at = CODE + 4096 - 2;
    const program = code(MOV_EAX, le(0x4433_2211, 4), HLT);

    it.each([
      ["first", at + 1, 0x4433_2299n],
      ["second", at + 3, 0x4499_2211n],
      ["last byte", at + 4, 0x9933_2211n],
    ] as const)("is patched in its %s half by a store", async (_half, where, expected) => {
      const machine = await longMachine(engine);
      machine.write(at, program);
      // mov byte [where], 0x99; jmp at
      const patch = 0x4000;
      machine.write(patch, code("c6 04 25", le(where, 4), "99 e9", le(at - (patch + 13), 4)));
      machine.setState({ rip: BigInt(at) });
      machine.run();
      expect(machine.getState().rax).toBe(0x4433_2211n);
      machine.setState({ rip: BigInt(patch) });
      expect(machine.run()).toEqual({ reason: "halt", instructions: 4 });
      expect(machine.getState().rax).toBe(expected);
      machine.write(where, Uint8Array.of(0x77));
      machine.setState({ rip: BigInt(at) });
      machine.run();
      expect(machine.getState().rax).toBe(
        (expected & ~(0xffn << BigInt(8 * (where - at - 1)))) | (0x77n << BigInt(8 * (where - at - 1))),
      );
    });

    it("patches its own second page by a store that crosses", async () => {
      const machine = await longMachine(engine);
      // mov dword [rip+0], 0x00000055 (10 bytes), crossing at its 4th byte; what follows is mov eax, imm32.
      const start = CODE + 4096 - 4;
      machine.write(start, code("c7 05 01 00 00 00", le(0x55, 4), MOV_EAX, le(0x11, 4), HLT));
      for (let run = 0; run < 2; run++) {
        machine.setState({ rip: BigInt(start) });
        expect(machine.run()).toEqual({ reason: "halt", instructions: 3 });
        expect(machine.getState().rax).toBe(0x55n);
      }
    });

    it("follows a remapping of its second page", async () => {
      const machine = await longMachine(engine);
      machine.write(at, program);
      const other = 0x5000;
      machine.write(other, code("aa bb cc", HLT));
      machine.setState({ rip: BigInt(at) });
      machine.run();
      // mov [PT entry], rbx; invlpg [second page]; jmp at
      const patch = 0x4000;
      const entry = PT + 8 * 2;
      machine.write(
        patch,
        code("48 89 1c 25", le(entry, 4), "0f 01 3c 25", le(0x2000, 4), "e9", le(at - (patch + 21), 4)),
      );
      machine.setState({ rip: BigInt(patch), rbx: BigInt(other) | P | W });
      expect(machine.run().reason).toBe("halt");
      expect(machine.getState().rax).toBe(0xccbb_aa11n);
      // And back, so that both decodings are needed by turns.
      machine.setState({ rip: BigInt(patch), rbx: 0x2000n | P | W });
      expect(machine.run().reason).toBe("halt");
      expect(machine.getState().rax).toBe(0x4433_2211n);
    });

    it("faults at the first byte of the second page when that is unmapped, and runs when it is back", async () => {
      const machine = await longMachine(engine);
      machine.write(at, program);
      const entry = PT + 8 * 2;
      write64(machine, entry, 0n);
      flush(machine);
      machine.setState({ rip: BigInt(at) });
      expect(machine.run()).toMatchObject({
        reason: "exception",
        vector: 14,
        errorCode: 0x10,
        cr2: 0x2000n,
        instructions: 0,
      });
      expect(machine.getState().rip).toBe(BigInt(at));
      write64(machine, entry, 0x2000n | P | W);
      flush(machine);
      expect(machine.run()).toMatchObject({ reason: "halt" });
      expect(machine.getState().rax).toBe(0x4433_2211n);
    });

    it("is decoded again when what made it invalid is patched in the second page", async () => {
      const machine = await longMachine(engine);
      machine.write(at + 1, code("0f 0b 90 90", HLT)); // 0f | 0b: UD2 across the boundary
      machine.setState({ rip: BigInt(at + 1) });
      expect(machine.run()).toMatchObject({ reason: "exception", vector: 6 });
      machine.write(at + 2, Uint8Array.of(0xa2)); // CPUID
      expect(machine.run()).toMatchObject({ reason: "halt" });
      machine.write(at + 2, Uint8Array.of(0xff)); // UD0
      machine.setState({ rip: BigInt(at + 1) });
      expect(machine.run()).toMatchObject({ reason: "exception", vector: 6 });
      machine.write(at + 2, Uint8Array.of(0x31)); // RDTSC
      expect(machine.run()).toMatchObject({ reason: "halt" });
    });
  });

  it("patches the loop it runs in", async () => {
    const machine = await longMachine(engine);
    // loop: add ebx, imm8 ; inc byte [the imm8] ; dec ecx ; jnz loop ; hlt
    machine.write(CODE, code("83 c3 01 fe 05 f9 ff ff ff ff c9 75 f3", HLT));
    machine.setState({ rip: BigInt(CODE), rcx: 200n, rbx: 0n });
    expect(machine.run()).toEqual({ reason: "halt", instructions: 801 });
    expect(machine.getState().rbx).toBe(BigInt(sumOfSignedBytes(200)));
  });

  it("patches the branch of its own loop", async () => {
    const machine = await longMachine(engine);
    // loop: inc eax ; cmp eax, 70 ; sete cl ; (cl ? make the jmp a hlt) test cl,cl ; jz over ; mov byte [jmp], f4 ; over: jmp loop
    machine.write(CODE, code("ff c0 83 f8 46 0f 94 c1 84 c9 74 07 c6 05 00 00 00 00 f4 eb eb"));
    machine.setState({ rip: BigInt(CODE), rax: 0n });
    expect(machine.run({ maxInstructions: 10_000 }).reason).toBe("halt");
    expect(machine.getState().rax).toBe(70n);
  });

  it("sees what a device wrote between runs and in the middle of one", async () => {
    const machine = await longMachine(engine);
    const program = code("e6 80", MOV_EAX, le(0x11, 4), HLT); // out 0x80, al
    machine.write(CODE, program);
    machine.setState({ rip: BigInt(CODE) });
    expect(machine.run()).toMatchObject({ reason: "port" });
    machine.run();
    expect(machine.getState().rax).toBe(0x11n);
    machine.setState({ rip: BigInt(CODE) });
    expect(machine.run()).toMatchObject({ reason: "port" });
    machine.write(CODE + 3, Uint8Array.of(0x22));
    machine.run();
    expect(machine.getState().rax).toBe(0x22n);
    machine.write(CODE + 3, Uint8Array.of(0x33));
    machine.setState({ rip: BigInt(CODE + 2) });
    machine.run();
    expect(machine.getState().rax).toBe(0x33n);
  });

  describe("a page remapped to other code", () => {
    const WHERE = 0x3000;
    const OTHER = 0x6000;
    const entry = PT + 8 * (WHERE >> 12);

    it.each([
      ["INVLPG", code("0f 01 3c 25", le(WHERE, 4))],
      ["a load of CR3", code("0f 20 d8 0f 22 d8")],
    ])("is seen after %s", async (_how, flushing) => {
      const machine = await longMachine(engine);
      machine.write(WHERE, code(MOV_EAX, le(1, 4), "c3"));
      machine.write(OTHER, code(MOV_EAX, le(2, 4), "c3"));
      // call rsi; mov ecx, eax; mov [entry], rdi; flush; call rsi; hlt
      machine.write(CODE, code("ff d6 89 c1 48 89 3c 25", le(entry, 4), "50", flushing, "58 ff d6", HLT));
      for (let run = 0; run < 3; run++) {
        write64(machine, entry, BigInt(WHERE) | P | W);
        flush(machine);
        machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rsi: BigInt(WHERE), rdi: BigInt(OTHER) | P });
        expect(machine.run().reason).toBe("halt");
        expect(machine.getState()).toMatchObject({ rcx: 1n, rax: 2n });
      }
    });

    it("replaces the very page that is running", async () => {
      const machine = await longMachine(engine);
      const program = code("48 89 3c 25", le(entry, 4), "0f 01 3c 25", le(WHERE, 4), MOV_EAX);
      machine.write(WHERE, code(program, le(1, 4), HLT));
      machine.write(OTHER, code(program, le(2, 4), HLT));
      machine.setState({ rip: BigInt(WHERE), rdi: BigInt(OTHER) | P });
      expect(machine.run().reason).toBe("halt");
      expect(machine.getState().rax).toBe(2n);
    });

    it("faults when it is gone", async () => {
      const machine = await longMachine(engine);
      machine.write(WHERE, code("c3"));
      machine.write(CODE, code("ff d6 48 c7 04 25", le(entry, 4), le(0, 4), "0f 01 3c 25", le(WHERE, 4), "ff d6", HLT));
      machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rsi: BigInt(WHERE) });
      expect(machine.run()).toMatchObject({ reason: "exception", vector: 14, cr2: BigInt(WHERE), errorCode: 0x10 });
    });
  });

  it("keeps code while data beside it in the same page is written", async () => {
    const machine = await longMachine(engine);
    // loop: inc qword [rip+data] ; mov [rip+data+8], rcx; dec ecx ; jnz loop ; hlt ... data 256 bytes on
    machine.write(CODE, code("48 ff 05 f9 00 00 00 48 89 0d fa 00 00 00 ff c9 75 ee", HLT));
    machine.setState({ rip: BigInt(CODE), rcx: 20_000n });
    const started = performance.now();
    expect(machine.run()).toEqual({ reason: "halt", instructions: 80_001 });
    expect(read64(machine, CODE + 0x100)).toBe(20_000n);
    expect(machine.processor.blocks.stats.dropped).toBe(0);
    // 40,000 slow stores; a drop and decoding for each would take seconds.
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("keeps the other blocks when data in the same 64 bytes as code is written", async () => {
    const machine = await longMachine(engine);
    machine.write(CODE, code("48 ff 05 19 00 00 00 ff c9 75 f5", HLT)); // counts at CODE + 32
    machine.setState({ rip: BigInt(CODE), rcx: 1000n });
    machine.run();
    expect(read64(machine, CODE + 32)).toBe(1000n);
    expect(machine.processor.blocks.stats.dropped).toBe(0);
  });

  describe("string instructions over code", () => {
    it("REP STOSB over a function that was run", async () => {
      const machine = await longMachine(engine);
      const target = 0x3000;
      machine.write(target, code(MOV_EAX, le(1, 4), MOV_EAX, le(2, 4), "c3"));
      machine.write(CODE, code("ff d6 89 c3 b0 c3 48 89 f7 b9", le(11, 4), "f3 aa b0 07 ff d6", HLT));
      machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rsi: BigInt(target), rdi: BigInt(target) });
      expect(machine.run().reason).toBe("halt");
      expect(machine.getState()).toMatchObject({ rbx: 2n, rax: 0x07n, rcx: 0n });
    });

    it.each([
      ["forwards over what follows", 0n],
      ["backwards over itself", 0x400n],
    ])("REP MOVSB %s", async (_name, direction) => {
      const machine = await longMachine(engine);
      // rep movsb; then mov eax, 1; hlt. The copy puts "mov eax, 2; hlt" there, or NOPs over all of it.
      machine.write(CODE, code("f3 a4", MOV_EAX, le(1, 4), HLT));
      const source = 0x3000;
      machine.write(source, code("90 90", MOV_EAX, le(2, 4), HLT));
      const down = direction !== 0n;
      machine.setState({
        rip: BigInt(CODE),
        rflags: 2n | direction,
        rcx: down ? 8n : 6n,
        rsi: BigInt(down ? source + 7 : source + 2),
        rdi: BigInt(down ? CODE + 7 : CODE + 2),
      });
      expect(machine.run({ maxInstructions: 100 }).reason).toBe("halt");
      const { rax, rcx } = machine.getState();
      expect(rax).toBe(2n);
      // Going down, the REP prefix is overwritten last but one: then F3 90 (PAUSE), one iteration left, is what runs on.
      expect(rcx).toBe(down ? 1n : 0n);
    });
  });

  it("sees code written by PUSH and by CALL", async () => {
    const machine = await longMachine(engine);
    const target = 0x3000;
    machine.write(target, code(MOV_EAX, le(1, 4), "ff e3")); // ...; jmp rbx
    const back = code("48 bc", le(target + 8, 8)); // mov rsp, target+8
    const pushed = le(0xe3ff_0000_0002_b8n, 8); // mov eax, 2; jmp rbx
    machine.write(
      CODE,
      code("48 8d 1d 02 00 00 00 ff e6 89 c1", back, "48 b8", pushed, "50 48 8d 1d 02 00 00 00 ff e6", HLT),
    );
    machine.setState({ rip: BigInt(CODE), rsi: BigInt(target) });
    expect(machine.run({ maxInstructions: 100 }).reason).toBe("halt");
    expect(machine.getState()).toMatchObject({ rcx: 1n, rax: 2n });
    // A call whose return address lands on the code that the call's own block holds.
    const at = 0x4000;
    machine.write(at, code("e8 00 00 00 00", "90 90 90", HLT));
    machine.setState({ rip: BigInt(at), rsp: BigInt(at + 5 + 8) });
    // The return address 0x4005 overwrites the bytes at 0x4005: 05 40 00 00 00 is add eax, 0x40.
    expect(machine.run({ maxInstructions: 2 })).toMatchObject({ instructions: 2 });
    expect(machine.getState()).toMatchObject({ rax: 0x42n, rip: BigInt(at + 10) });
  });

  it("lets a page be written directly again when it holds no code any more", async () => {
    const machine = await longMachine(engine);
    const target = 0x3000;
    machine.write(target, code("c3"));
    // call rsi ; mov byte [rsi], 0 (drops the block) ; then a loop of stores to that page
    machine.write(CODE, code("ff d6 c6 06 00 48 89 0e ff c9 75 f9", HLT));
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rsi: BigInt(target), rcx: 1000n });
    expect(machine.run().reason).toBe("halt");
    const { blocks } = machine.processor;
    expect(blocks.stats.dropped).toBe(1);
    expect(new DataView(machine.memory.buffer).getUint8(0x20_0000 + (target >> 12))).toBe(0);
    // The page is in the write TLB of the supervisor's bank.
    expect(writeTag(machine, target)).toBe(BigInt(target));
  });
});

function sumOfSignedBytes(count: number): number {
  let sum = 0;
  for (let value = 1; value <= count; value++) sum += (value << 24) >> 24;
  return sum;
}

function writeTag(machine: Awaited<ReturnType<typeof longMachine>>, gva: number): bigint {
  const bank = machine.processor.cpu.state.u32("tlb");
  return new DataView(machine.memory.buffer).getBigUint64(bank + 0x1_0000 + (gva >> 12) * 16, true);
}
