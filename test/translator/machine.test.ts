import { beforeAll, describe, expect, it } from "vitest";
import { type BareMachine, createBareMachine } from "../../src/bare-machine.ts";
import type { Engine } from "../../src/engine.ts";

const CODE = 0x1_0000;
const DATA = 0x2_0000;
const STACK = 0x2_8000;

describe.each(["interpreter", "translator", "tiered"] as const)("self-modifying code on the %s", (engine: Engine) => {
  let machine: BareMachine;
  beforeAll(async () => {
    machine = await createBareMachine({ memoryBytes: 0x4_0000, mode: "long", engine });
  });

  function start(code: readonly number[], state: Parameters<BareMachine["setState"]>[0] = {}, at = CODE): void {
    machine.write(at, Uint8Array.from(code));
    machine.setState({
      rip: BigInt(at),
      rsp: BigInt(STACK),
      rax: 0n,
      rbx: 0n,
      rcx: 0n,
      rdx: 0n,
      rsi: 0n,
      rdi: 0n,
      rflags: 2n,
      ...state,
    });
  }
  function finish(): bigint {
    expect(machine.run({ maxInstructions: 1_000_000 }).reason).toBe("halt");
    return machine.getState().rax;
  }

  it("runs what was patched one instruction ahead", () => {
    // mov byte [rip+2], 7 (the immediate of the next: its address is next + 1); add eax, 1; hlt
    start([0xc6, 0x05, 0x02, 0, 0, 0, 0x07, 0x83, 0xc0, 0x01, 0xf4]);
    expect(finish()).toBe(7n);
  });

  it("runs a loop that patches itself in every round", () => {
    // L: add eax, 1 (immediate at L+2); mov [rip-10], cl (L+2); dec ecx; jnz L; hlt
    const code = [0x83, 0xc0, 0x01, 0x88, 0x0d, 0xf9, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x75, 0xf3, 0xf4];
    start(code, { rcx: 100n });
    // 1 + 100 + 99 + ... + 2
    expect(finish()).toBe(1n + (100n * 101n) / 2n - 1n);
  });

  it("runs what another part of the program patches, over and over", () => {
    // call F (twice a round), patch F's immediate with cl in between
    // L: call F; mov [F+2], cl; call F; dec ecx; jnz L; hlt; F: add eax, 1; ret
    const code = [
      0xe8,
      0x10,
      0,
      0,
      0, // call F at 0x15
      0x88,
      0x0d,
      0x0c,
      0,
      0,
      0, // mov [rip+0xc], cl: 0x17
      0xe8,
      0x05,
      0,
      0,
      0, // call F
      0xff,
      0xc9, // dec ecx
      0x75,
      0xec, // jnz L
      0xf4,
      0x83,
      0xc0,
      0x01, // F: add eax, 1
      0xc3,
    ];
    start(code, { rcx: 100n });
    // Rounds 100..1 add the immediate of the round before, then their own.
    let expected = 0n;
    let immediate = 1n;
    for (let round = 100n; round > 0n; round--) {
      expected += immediate + round;
      immediate = round;
    }
    expect(finish()).toBe(expected);
  });

  it("sees what was written from outside between two runs", () => {
    // add eax, 1; dec ecx; jnz; hlt
    const code = [0x83, 0xc0, 0x01, 0xff, 0xc9, 0x75, 0xf9, 0xf4];
    start(code, { rcx: 200n });
    expect(finish()).toBe(200n);
    code[2] = 3;
    start(code, { rcx: 200n });
    expect(finish()).toBe(600n);
  });

  it("runs a branch that was patched to lead elsewhere", () => {
    // When eax reaches 100, the JMP that closes the loop is patched to leave it.
    const code = [
      0xff,
      0xc0, // 0 inc eax
      0x83,
      0xf8,
      0x64, // 2 cmp eax, 100
      0x75,
      0x07, // 5 jne M (0xe)
      0xc6,
      0x05,
      0x01,
      0,
      0,
      0,
      0x02, // 7 mov byte [0xf], 2
      0xeb,
      0xf0, // 0xe jmp 0
      0x0f,
      0x0b, // 0x10 ud2
      0xf4, // 0x12
    ];
    start(code);
    expect(finish()).toBe(100n);
  });

  it("sees a patch of an instruction that crosses into the next page", () => {
    // mov eax, imm32 with its last two bytes in the next page; hlt
    start([0xb8, 0x11, 0x11, 0x11, 0x11, 0xf4], {}, CODE + 0xffd);
    expect(finish()).toBe(0x1111_1111n);
    machine.write(CODE + 0x1000, Uint8Array.from([0x22]));
    machine.setState({ rip: BigInt(CODE + 0xffd) });
    expect(finish()).toBe(0x1122_1111n);
  });

  it("keeps data beside code usable", () => {
    // L: add [rip+0x80], ecx (same page, another line); dec ecx; jnz L; mov eax, [the same]; hlt
    const code = [0x01, 0x0d, 0x80, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf6, 0x8b, 0x05, 0x76, 0, 0, 0, 0xf4];
    machine.write(CODE + 0x86, new Uint8Array(4));
    start(code, { rcx: 100n });
    expect(finish()).toBe(5050n);
  });
});

describe("a page that is mapped twice, and one that is mapped anew", () => {
  it.each(["interpreter", "translator", "tiered"] as const)(
    "runs what was written through the other mapping: %s",
    async (engine) => {
      const machine = await createBareMachine({ memoryBytes: 0x4_0000, mode: "long", engine });
      machine.map(CODE, CODE, 0x1000, { write: true, execute: true });
      machine.map(0x50_0000, CODE, 0x1000, { write: true });
      machine.map(DATA, DATA, 0x1000, { write: true, execute: true });
      // L: add eax, 1; mov [rdi+2], cl; dec ecx; jnz L; hlt
      const code = [0x83, 0xc0, 0x01, 0x88, 0x4f, 0x02, 0xff, 0xc9, 0x75, 0xf6, 0xf4];
      machine.write(CODE, Uint8Array.from(code));
      machine.setState({ rip: BigInt(CODE), rax: 0n, rcx: 100n, rdi: 0x50_0000n });
      expect(machine.run().reason).toBe("halt");
      expect(machine.getState().rax).toBe(5050n);

      // Other code at the same linear address.
      machine.write(DATA, Uint8Array.from([0xb8, 0x2a, 0, 0, 0, 0xf4]));
      machine.map(CODE, DATA, 0x1000, { write: true, execute: true });
      machine.setState({ rip: BigInt(CODE) });
      expect(machine.run().reason).toBe("halt");
      expect(machine.getState().rax).toBe(42n);
    },
  );
});

describe("the budget", () => {
  it.each(["translator", "tiered"] as const)("is exact in a loop, wherever it ends: %s", async (engine) => {
    const reference = await createBareMachine({ memoryBytes: 0x4_0000, mode: "long" });
    const machine = await createBareMachine({ memoryBytes: 0x4_0000, mode: "long", engine });
    // L: add rax, rcx; mov [rsi], rax; test al, 1; jz M; inc rbx; M: dec rcx; jnz L; hlt
    const code = [
      0x48, 0x01, 0xc8, 0x48, 0x89, 0x06, 0xa8, 0x01, 0x74, 0x03, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc9, 0x75, 0xee, 0xf4,
    ];
    for (const one of [reference, machine]) {
      one.write(CODE, Uint8Array.from(code));
      one.setState({ rip: BigInt(CODE), rax: 0n, rbx: 0n, rcx: 5000n, rsi: BigInt(DATA), rflags: 2n });
    }
    for (const maxInstructions of [1, 63, 64, 65, 66, 67, 70, 100, 777, 1000, 1001, 12_345]) {
      expect(machine.run({ maxInstructions }).instructions).toBe(maxInstructions);
      reference.run({ maxInstructions });
      expect(machine.getState()).toEqual(reference.getState());
    }
    expect(machine.run().instructions).toBe(reference.run().instructions);
    expect(machine.getState()).toEqual(reference.getState());
  });
});
