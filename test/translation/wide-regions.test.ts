import { describe, expect, it } from "vitest";
import {
  CODE,
  code,
  flush,
  type Inspected,
  le,
  longMachine,
  P,
  PML4,
  PT,
  STACK_TOP,
  W,
  write64,
} from "../mmu/support.ts";

// Regions that span pages: a loop in one page calls a function in another one, which jumps through a pointer to a third.

const STUB = 0x2000;
const FUNCTION = 0x3000;
const OTHER = 0x4000;
const POINTER = 0x6000;
const HLT = "f4";
const RET = "c3";
/** rounds that make everything hot and wide */
const ROUNDS = 200;

/** a call from `at` */
const call = (at: number, to: number): Uint8Array => code("e8", le(to - (at + 5), 4));
/** mov eax, value; ret */
const answer = (value: number): Uint8Array => code("b8", le(value, 4), RET);

async function wideMachine(): Promise<Inspected> {
  return longMachine("tiered", 0x80_0000, { hotAfter: 4, widenAfter: 8, batch: 1 });
}

/** L: call STUB; add rbx, rax; dec ecx; jne L; hlt. The stub is jmp [POINTER]. */
async function callingMachine(): Promise<Inspected> {
  const machine = await wideMachine();
  machine.write(CODE, code(call(CODE, STUB), "48 01 c3 ff c9 75", le(-12, 1), HLT));
  machine.write(STUB, code("ff 24 25", le(POINTER, 4)));
  machine.write(FUNCTION, answer(1));
  machine.write(OTHER, answer(100));
  write64(machine, POINTER, BigInt(FUNCTION));
  return machine;
}

function run(machine: Inspected, rounds: number, state: Parameters<Inspected["setState"]>[0] = {}): bigint {
  machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rbx: 0n, rcx: BigInt(rounds), rflags: 2n, ...state });
  const { reason, instructions } = machine.run({ maxInstructions: 1_000_000 });
  expect(reason).toBe("halt");
  expect(instructions).toBe(7 * rounds + 1);
  return machine.getState().rbx;
}

const widened = (machine: Inspected): number => machine.processor.translation?.stats.widened ?? 0;
const map = (machine: Inspected, gva: number, gpa: number): void =>
  write64(machine, PT + 8 * (gva >> 12), BigInt(gpa) | P | W);

describe("regions that span pages", () => {
  it("take in what a hot loop calls, also through a pointer", async () => {
    const machine = await callingMachine();
    expect(run(machine, ROUNDS)).toBe(BigInt(ROUNDS));
    expect(widened(machine)).toBeGreaterThan(0);
    const { blocks } = machine.processor;
    // Of two that hold each other only one is made wide.
    expect(widened(machine)).toBeLessThan(3);
    expect(blocks.isTranslated(0x600_0000 + FUNCTION, machine.processor.cpu.state.u32("mode"))).toBe(true);
    expect(run(machine, ROUNDS)).toBe(BigInt(ROUNDS));
  });

  it("see that a pointer leads elsewhere", async () => {
    const machine = await callingMachine();
    run(machine, ROUNDS);
    write64(machine, POINTER, BigInt(OTHER));
    expect(run(machine, 10)).toBe(1000n);
    write64(machine, POINTER, BigInt(FUNCTION));
    expect(run(machine, 10)).toBe(10n);
  });

  it("see that another page is mapped", async () => {
    const machine = await callingMachine();
    run(machine, ROUNDS);
    map(machine, FUNCTION, OTHER);
    flush(machine);
    expect(run(machine, 10)).toBe(1000n);
    map(machine, FUNCTION, FUNCTION);
    flush(machine);
    expect(run(machine, 10)).toBe(10n);
  });

  it("see a page remapped by the guest while they run", async () => {
    const machine = await callingMachine();
    // The function maps OTHER in its own place when ecx is 50: cmp ecx, 50; jne E; mov [PT entry], rdx; invlpg [FUNCTION]; E: mov eax, 1; ret
    const swap = code("48 89 14 25", le(PT + 8 * (FUNCTION >> 12), 4), "0f 01 3c 25", le(FUNCTION, 4));
    machine.write(FUNCTION, code("83 f9 32 75", le(swap.length, 1), swap, answer(1)));
    machine.write(OTHER, code("83 f9 32 75 00".concat(" 90".repeat(swap.length)), answer(100)));
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rcx: 200n, rdx: BigInt(OTHER) | P | W, rflags: 2n });
    expect(machine.run({ maxInstructions: 1_000_000 }).reason).toBe("halt");
    expect(widened(machine)).toBeGreaterThan(0);
    // Rounds 200..51 give 1; in round 50 what follows the INVLPG is the other page's code already, as in the rest.
    expect(machine.getState().rbx).toBe(150n + 5000n);
  });

  it.each([
    ["the first page", CODE + 5, "48 29 c3", -1n], // sub rbx, rax
    ["the stub", STUB, "e9 fb 1f 00 00", 100n], // jmp OTHER
    ["the function", FUNCTION, "b8 07 00 00 00", 7n],
  ])("see that %s was rewritten", async (_what, at, bytes, each) => {
    const machine = await callingMachine();
    run(machine, ROUNDS);
    machine.write(at, code(bytes));
    expect(BigInt.asIntN(64, run(machine, 50))).toBe(50n * each);
  });

  it("see the guest rewrite the function between two calls", async () => {
    const machine = await callingMachine();
    // L: mov [FUNCTION+1], ecx; call STUB; add rbx, rax; dec ecx; jne L; hlt
    const store = code("89 0c 25", le(FUNCTION + 1, 4));
    machine.write(
      CODE,
      code(store, call(CODE + store.length, STUB), "48 01 c3 ff c9 75", le(-(12 + store.length), 1), HLT),
    );
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rbx: 0n, rcx: 300n, rflags: 2n });
    expect(machine.run({ maxInstructions: 1_000_000 })).toEqual({ reason: "halt", instructions: 8 * 300 + 1 });
    expect(machine.getState().rbx).toBe((300n * 301n) / 2n);
  });

  it.each([
    ["stub", STUB],
    ["function", FUNCTION],
  ])("fault where the page of the %s is gone", async (_what, gva) => {
    const machine = await callingMachine();
    run(machine, ROUNDS);
    write64(machine, PT + 8 * (gva >> 12), 0n);
    flush(machine);
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rcx: 10n, rflags: 2n });
    expect(machine.run({ maxInstructions: 1000 })).toMatchObject({
      reason: "exception",
      vector: 14,
      cr2: BigInt(gva),
      instructions: gva === STUB ? 1 : 2,
    });
    expect(machine.getState().rip).toBe(BigInt(gva));
  });

  it("go through a page that is far away, and are left in it", async () => {
    const machine = await callingMachine();
    // 127 TiB and 2 MiB up: PDPT, PD and page table of its own.
    const far = 0x7f00_0020_0000n;
    const [pdpt, pd, pt] = [0x1_4000, 0x1_5000, 0x1_6000];
    write64(machine, PML4 + 8 * 254, BigInt(pdpt) | P | W);
    write64(machine, pdpt, BigInt(pd) | P | W);
    write64(machine, pd + 8, BigInt(pt) | P | W);
    write64(machine, pt, BigInt(FUNCTION) | P | W);
    flush(machine);
    write64(machine, POINTER, far);
    // FCHS, of which FIP tells; a load that may leave; lea rax, [rip]; shr rax, 40; then a store to the page of the code, which the interpreter must do; ret
    machine.write(FUNCTION, code("d9 e0 8b 04 24 48 8d 05 00 00 00 00 48 c1 e8 28 89 05", le(0x100, 4), RET));
    for (let time = 0; time < 3; time++) {
      machine.setState({
        rip: BigInt(CODE),
        rsp: BigInt(STACK_TOP),
        rbx: 0n,
        rcx: BigInt(ROUNDS),
        rflags: 2n,
        ftw: 1,
      });
      expect(machine.run({ maxInstructions: 1_000_000 })).toEqual({ reason: "halt", instructions: 11 * ROUNDS + 1 });
      expect(machine.getState().rbx).toBe(0x7fn * BigInt(ROUNDS));
      expect(machine.getState().fip).toBe(far);
    }
    expect(widened(machine)).toBeGreaterThan(0);
  });

  it("return to where the caller wants", async () => {
    const machine = await callingMachine();
    run(machine, ROUNDS);
    // The function pops its return address and goes on behind the loop's end instead: add rsp, 8; push HLT's address; ret
    machine.write(FUNCTION, code("48 83 c4 08 68", le(CODE + 12, 4), RET));
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rcx: 10n, rflags: 2n });
    expect(machine.run({ maxInstructions: 1000 })).toEqual({ reason: "halt", instructions: 6 });
  });

  describe("with an instruction that crosses", () => {
    // In two pages: inc eax; mov ebx, imm32 (crossing); dec ecx; jne L; hlt
    const start = CODE + 4096 - 5;
    const program = code("ff c0 bb 11 22 33 44 ff c9 75", le(-11, 1), HLT);

    async function crossingMachine(): Promise<Inspected> {
      const machine = await wideMachine();
      machine.write(start, program);
      return machine;
    }
    function runFrom(machine: Inspected, rounds: number): bigint {
      machine.setState({ rip: BigInt(start), rsp: BigInt(STACK_TOP), rax: 0n, rcx: BigInt(rounds), rflags: 2n });
      expect(machine.run({ maxInstructions: 100_000 })).toEqual({ reason: "halt", instructions: 4 * rounds + 1 });
      expect(machine.getState().rax).toBe(BigInt(rounds));
      return machine.getState().rbx;
    }

    it("run it", async () => {
      const machine = await crossingMachine();
      expect(runFrom(machine, ROUNDS)).toBe(0x4433_2211n);
      expect(widened(machine)).toBeGreaterThan(0);
      expect(runFrom(machine, ROUNDS)).toBe(0x4433_2211n);
    });

    it("see its second half change", async () => {
      const machine = await crossingMachine();
      runFrom(machine, ROUNDS);
      machine.write(CODE + 4096, code("aa bb"));
      expect(runFrom(machine, ROUNDS)).toBe(0xbbaa_2211n);
    });

    it("see its second page remapped", async () => {
      const machine = await crossingMachine();
      runFrom(machine, ROUNDS);
      machine.write(OTHER, code("55 66", program.subarray(7)));
      map(machine, CODE + 4096, OTHER);
      flush(machine);
      expect(runFrom(machine, ROUNDS)).toBe(0x6655_2211n);
    });
  });
});
