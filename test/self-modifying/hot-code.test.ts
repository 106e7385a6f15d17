import { describe, expect, it } from "vitest";
import { ENGINES } from "../../src/engine.ts";
import { CODE, code, le, P, PT, read64, STACK_TOP, U, W, write64, flush } from "../mmu/support.ts";
import { type HotMachine, hotMachine } from "./hot-machine.ts";

// Code that changes after it has been translated. Every program is a loop that patches in each sixteenth round, so that there is
// time to translate what was patched before; each test makes sure that this did happen.

const ALIAS = 0x10_0000;
const FUNCTION = 0x3000;
const OTHER = 0x6000;
const ROUNDS = 1600;
const PATCHES = ROUNDS / 16;
const HLT = "f4";

/** What `add eax, imm8` with an immediate of 1 adds up to when CL replaces it before each round of which ECX is a multiple of 16. */
function sumOfPatches(rounds: number, before: (round: number) => boolean = () => true): bigint {
  let sum = 0n;
  let immediate = 1n;
  for (let round = rounds; round > 0; round--) {
    if (round % 16 === 0 && before(round)) immediate = BigInt.asIntN(8, BigInt(round));
    sum += immediate;
  }
  return BigInt.asUintN(32, sum);
}

describe.each(ENGINES)("translated code that changes: %s", (engine) => {
  const isTranslated = engine !== "interpreter";

  /** Runs to HLT and gives EAX. */
  function run({ machine }: HotMachine, state: Parameters<HotMachine["machine"]["setState"]>[0] = {}): bigint {
    const start = { rip: BigInt(CODE), rsp: BigInt(STACK_TOP), rax: 0n, rbx: 0n, rcx: BigInt(ROUNDS), rflags: 2n };
    machine.setState({ ...start, ...state });
    const exit = machine.run({ maxInstructions: 50_000_000 });
    expect(exit.reason).toBe("halt");
    return machine.getState().rax;
  }

  /** Regions of these addresses were compiled, dropped when they were patched, and compiled again. */
  function expectCompiled(hot: HotMachine, gpa: number, byteLength: number, times: number): void {
    const compiled = hot.compiled(gpa, byteLength);
    if (isTranslated) expect(compiled).toBeGreaterThanOrEqual(times);
    else expect(compiled).toBe(0);
  }

  it("patches itself one instruction ahead", async () => {
    const hot = await hotMachine(engine);
    // L: test cl, 15; jne X; mov [X+2], cl; X: add eax, 1; dec ecx; jne L; hlt
    hot.machine.write(CODE, code("f6 c1 0f 75 06 88 0d 02 00 00 00 83 c0 01 ff c9 75 ee", HLT));
    expect(run(hot)).toBe(sumOfPatches(ROUNDS));
    expectCompiled(hot, CODE, 0x100, PATCHES);
  });

  it("patches what it has run before, in the same loop", async () => {
    const hot = await hotMachine(engine);
    // L: add eax, 1; test cl, 15; jne M; mov [L+2], cl; M: dec ecx; jne L; hlt
    hot.machine.write(CODE, code("83 c0 01 f6 c1 0f 75 06 88 0d f4 ff ff ff ff c9 75 ee", HLT));
    let sum = 0n;
    let immediate = 1n;
    for (let round = ROUNDS; round > 0; round--) {
      sum += immediate;
      if (round % 16 === 0) immediate = BigInt.asIntN(8, BigInt(round));
    }
    expect(run(hot)).toBe(BigInt.asUintN(32, sum));
    expectCompiled(hot, CODE, 0x100, PATCHES);
  });

  it("patches the branch that closes its loop", async () => {
    const hot = await hotMachine(engine);
    // L: dec ecx; je out; inc eax; test cl, 15; jne B; xor byte [B+1], 4; B: jmp L (or to L - 4, which is two NOPs more)
    // prettier-ignore
    hot.machine.write(CODE, code("83 c3 01 90", "ff c9 74 10 ff c0 f6 c1 0f 75 07 80 35 01 00 00 00 04 eb ec", HLT));
    // eb ec leads to L, eb e8 to the `add ebx, 1` in front of it.
    let longer = false;
    let extra = 0n;
    for (let round = ROUNDS - 1; round > 0; round--) {
      if (round % 16 === 0) longer = !longer;
      if (longer) extra++;
    }
    expect(run(hot, { rip: BigInt(CODE + 4) })).toBe(BigInt(ROUNDS - 1));
    expect(hot.machine.getState().rbx).toBe(extra);
    expectCompiled(hot, CODE, 0x100, PATCHES);
  });

  it("patches through a second mapping of the page", async () => {
    const hot = await hotMachine(engine);
    write64(hot.machine, PT + 8 * (ALIAS >> 12), BigInt(CODE) | P | W | U);
    flush(hot.machine);
    // L: test cl, 15; jne X; mov [alias of X+2], cl; X: add eax, 1; dec ecx; jne L; hlt
    hot.machine.write(CODE, code("f6 c1 0f 75 07 88 0c 25", le(ALIAS + 14, 4), "83 c0 01 ff c9 75 ed", HLT));
    expect(run(hot)).toBe(sumOfPatches(ROUNDS));
    expectCompiled(hot, CODE, 0x100, PATCHES);
  });

  it("patches with a store across a page boundary", async () => {
    const hot = await hotMachine(engine);
    // The function's first page ends in `mov edx, imm32` whose immediate is the last four bytes; the second begins with ADD.
    // The store of four bytes covers the last byte of one and the first three of the other.
    const second = 0x4000;
    hot.machine.write(second - 5, code("ba 00 00 00 00")); // mov edx, imm32
    hot.machine.write(second, code("83 c0 01 c3")); // add eax, 1; ret
    // L: test cl, 15; jne C; (the patch); C: call F; add ebx, edx; dec ecx; jne L; hlt
    // The dword at second - 1 becomes CL, 83, c0, CL: the highest byte of one immediate, and the whole of the other.
    const patch = code(
      "89 ce c1 e6 18 81 ce",
      le(0x00_c083_00, 4), // mov esi, ecx; shl esi, 24; or esi, 0xc08300
      "40 88 ce 89 34 25", // mov sil, cl; mov [second - 1], esi
      le(second - 1, 4),
    );
    const call = 5 + patch.length;
    hot.machine.write(
      CODE,
      code(
        "f6 c1 0f 75",
        le(patch.length, 1),
        patch,
        "e8",
        le(second - 5 - (CODE + call + 5), 4),
        "01 d3 ff c9 75",
        le(-(call + 11), 1),
        HLT,
      ),
    );
    let [sum, edxSum, immediate, edx] = [0n, 0n, 1n, 0n];
    for (let round = BigInt(ROUNDS); round > 0n; round--) {
      if (round % 16n === 0n) [immediate, edx] = [BigInt.asIntN(8, round), (round & 0xffn) << 24n];
      sum += immediate;
      edxSum += edx;
    }
    expect(run(hot)).toBe(BigInt.asUintN(32, sum));
    expect(hot.machine.getState().rbx).toBe(BigInt.asUintN(32, edxSum));
    expectCompiled(hot, second - 5, 9, PATCHES);
  });

  it("patches an instruction that crosses into the next page", async () => {
    const hot = await hotMachine(engine);
    const second = 0x4000;
    hot.machine.write(second - 2, code("05", le(1, 4), "c3")); // add eax, 1; ret: three bytes of the immediate are in the second page
    // L: test cl, 15; jne C; mov [second + 2], cl (the top byte); C: call F; dec ecx; jne L; hlt
    hot.machine.write(
      CODE,
      code("f6 c1 0f 75 07 88 0c 25", le(second + 2, 4), "e8", le(second - 2 - (CODE + 17), 4), "ff c9 75 eb", HLT),
    );
    let [sum, top] = [0n, 0n];
    for (let round = BigInt(ROUNDS); round > 0n; round--) {
      if (round % 16n === 0n) top = round & 0xffn;
      sum += 1n + (top << 24n);
    }
    expect(run(hot)).toBe(BigInt.asUintN(32, sum));
    // That instruction itself may be the interpreter's; what is around it is translated.
    expectCompiled(hot, CODE, 0x100, 1);
  });

  it("patches code in another page that it jumps to and that jumps back", async () => {
    const hot = await hotMachine(engine);
    // L: test cl, 15; jne J; mov [F+2], cl; J: jmp F; back: dec ecx; jne L; hlt. F: add eax, 1; jmp back
    const back = CODE + 17;
    hot.machine.write(
      CODE,
      code("f6 c1 0f 75 07 88 0c 25", le(FUNCTION + 2, 4), "e9", le(FUNCTION - back, 4), "ff c9 75 eb", HLT),
    );
    hot.machine.write(FUNCTION, code("83 c0 01 e9", le(back - (FUNCTION + 8), 4)));
    expect(run(hot)).toBe(sumOfPatches(ROUNDS));
    expectCompiled(hot, FUNCTION, 0x10, PATCHES);
    expectCompiled(hot, CODE, 0x100, 1);
  });

  it("is patched by string instructions and by PUSH", async () => {
    const hot = await hotMachine(engine);
    // Every sixteenth round F's immediate is written by REP STOSB, every thirty-second by PUSH over all of F.
    // F: add eax, 1; ret; nops
    hot.machine.write(FUNCTION, code("83 c0 01 c3 90 90 90 90"));
    const push = code("48 89 e5 48 bc", le(FUNCTION + 8, 8), "68", "83 c0 55 c3", "48 89 ec");
    // mov rbp, rsp; mov rsp, F + 8; push imm32 writes 83 c0 55 c3 00 00 00 00; mov rsp, rbp
    const store = code("bf", le(FUNCTION + 2, 4), "89 ce 89 c2 89 c8 b9 01 00 00 00 f3 aa 89 d0 89 f1");
    // mov edi, F + 2; mov esi, ecx; mov edx, eax; mov eax, ecx; mov ecx, 1; rep stosb; mov eax, edx; mov ecx, esi
    const body = code("f6 c1 0f 75", le(store.length, 1), store, "f6 c1 1f 75", le(push.length, 1), push);
    hot.machine.write(
      CODE,
      code(body, "e8", le(FUNCTION - (CODE + body.length + 5), 4), "ff c9 75", le(-(body.length + 9), 1), HLT),
    );
    let [sum, immediate] = [0n, 1n];
    for (let round = BigInt(ROUNDS); round > 0n; round--) {
      if (round % 16n === 0n) immediate = BigInt.asIntN(8, round);
      if (round % 32n === 0n) immediate = 0x55n;
      sum += immediate;
    }
    expect(run(hot)).toBe(BigInt.asUintN(32, sum));
    expectCompiled(hot, FUNCTION, 0x10, PATCHES);
  });

  it("is written by a device, between two runs and in the middle of one", async () => {
    const hot = await hotMachine(engine);
    const { machine } = hot;
    // L: add eax, 1; dec ecx; jne L; out 0x80, al; mov ecx, 40; jmp L
    machine.write(CODE, code("83 c0 01 ff c9 75 f9 e6 80 b9", le(40, 4), "eb f0"));
    machine.setState({ rip: BigInt(CODE), rax: 0n, rcx: 40n, rflags: 2n });
    let expected = 0n;
    let immediate = 1n;
    const ram = new Uint8Array(machine.memory.buffer, 0x0600_0000, machine.memoryBytes);
    for (let turn = 0; turn < 50; turn++) {
      // A transfer as devices do it: the bytes first, then the notice.
      const dma = (value: number): void => {
        ram[CODE + 2] = value;
        machine.processor.memoryWritten(CODE + 2, 1);
        immediate = BigInt(value);
      };
      // 60 instructions are 20 rounds, then the rest to the OUT.
      expect(machine.run({ maxInstructions: 60 })).toMatchObject({ reason: "budget", instructions: 60 });
      expected += 20n * immediate;
      dma(2 + (turn % 50));
      expect(machine.run()).toMatchObject({ reason: "port", port: { number: 0x80, write: true } });
      expected += 20n * immediate;
      expect(machine.getState().rax).toBe(expected);
      dma(60 + (turn % 50));
      expect(machine.run({ maxInstructions: 2 })).toMatchObject({ reason: "budget" });
    }
    expectCompiled(hot, CODE, 0x100, 50);
  });

  it.each([
    ["INVLPG", code("0f 01 3c 25", le(FUNCTION, 4))],
    ["a load of CR3", code("0f 20 da 0f 22 da")],
  ])("is unmapped and replaced by other code, with %s", async (_how, flushing) => {
    const hot = await hotMachine(engine);
    const { machine } = hot;
    machine.write(FUNCTION, code("83 c0 01 c3")); // add eax, 1; ret
    machine.write(OTHER, code("83 c0 03 c3")); // add eax, 3; ret
    const entry = PT + 8 * (FUNCTION >> 12);
    // L: test cl, 15; jne C; xor qword [entry], rdi (from one page to the other); flush; C: call F; dec ecx; jne L; hlt
    const change = code("48 31 3c 25", le(entry, 4), flushing);
    const call = 5 + change.length;
    machine.write(
      CODE,
      code(
        "f6 c1 0f 75",
        le(change.length, 1),
        change,
        "e8",
        le(FUNCTION - (CODE + call + 5), 4),
        "ff c9 75",
        le(-(call + 9), 1),
        HLT,
      ),
    );
    let [sum, add] = [0n, 1n];
    for (let round = ROUNDS; round > 0; round--) {
      if (round % 16 === 0) add = 4n - add;
      sum += add;
    }
    expect(run(hot, { rdi: BigInt(FUNCTION ^ OTHER) })).toBe(sum);
    expectCompiled(hot, FUNCTION, 0x10, 1);
    expectCompiled(hot, OTHER, 0x10, 1);
    // And it faults when it is gone.
    write64(machine, entry, 0n);
    flush(machine);
    machine.setState({ rip: BigInt(CODE), rcx: 5n });
    expect(machine.run()).toMatchObject({ reason: "exception", vector: 14, errorCode: 0x10, cr2: BigInt(FUNCTION) });
  });

  it("shares a page, and 64 bytes, with data that is written all the time", async () => {
    const hot = await hotMachine(engine);
    // L: inc qword [CODE + 0x800]; add [CODE + 0x30], ecx; dec ecx; jne L; hlt
    hot.machine.write(
      CODE,
      code("48 ff 04 25", le(CODE + 0x800, 4), "01 0c 25", le(CODE + 0x30, 4), "ff c9 75 ed", HLT),
    );
    run(hot);
    expect(read64(hot.machine, CODE + 0x800)).toBe(BigInt(ROUNDS));
    expect(read64(hot.machine, CODE + 0x30)).toBe(BigInt((ROUNDS * (ROUNDS + 1)) / 2));
    // Nothing of it was code: nothing may be dropped and compiled again for it.
    if (isTranslated) expect(hot.compiled(CODE, 0x100)).toBeLessThanOrEqual(4);
    expectCompiled(hot, CODE, 0x100, 1);
    expect(hot.machine.processor.blocks.stats.dropped).toBe(0);
  });

  // Compiling takes a millisecond or more, and "translator" compiles each time.
  const rewrites = engine === "translator" ? 2000 : 100_000;
  it(`writes code, runs it and rewrites it ${rewrites} times`, { timeout: 120_000 }, async () => {
    const hot = await hotMachine(engine);
    // L: mov byte [F], 0xb8; mov [F+1], ecx; mov byte [F+5], 0xc3; call F (mov eax, ecx; ret); add rbx, rax; dec ecx; jne L; hlt
    const body = code(
      "c6 04 25",
      le(FUNCTION, 4),
      "b8",
      "89 0c 25",
      le(FUNCTION + 1, 4),
      "c6 04 25",
      le(FUNCTION + 5, 4),
      "c3",
    );
    hot.machine.write(
      CODE,
      code(
        body,
        "e8",
        le(FUNCTION - (CODE + body.length + 5), 4),
        "48 01 c3 ff c9 75",
        le(-(body.length + 12), 1),
        HLT,
      ),
    );
    expect(run(hot, { rcx: BigInt(rewrites) })).toBe(1n);
    expect(hot.machine.getState().rbx).toBe((BigInt(rewrites) * BigInt(rewrites + 1)) / 2n);
    expect(hot.machine.processor.blocks.stats.dropped).toBeGreaterThanOrEqual(rewrites - 1);
    if (engine === "translator") expectCompiled(hot, FUNCTION, 0x10, rewrites);
    expectCompiled(hot, CODE, 0x100, 1);
  });

  it("rewrites a function that has been translated each time", { timeout: 120_000 }, async () => {
    const hot = await hotMachine(engine);
    // L: mov [F+1], ecx; mov edi, 8; M: call F; add rbx, rax; dec edi; jne M; dec ecx; jne L; hlt
    hot.machine.write(FUNCTION, code("b8 00 00 00 00 c3"));
    const head = code("89 0c 25", le(FUNCTION + 1, 4), "bf", le(8, 4));
    const call = head.length;
    hot.machine.write(
      CODE,
      code(head, "e8", le(FUNCTION - (CODE + call + 5), 4), "48 01 c3 ff cf 75 f4 ff c9 75", le(-(call + 16), 1), HLT),
    );
    run(hot, { rcx: 1000n });
    expect(hot.machine.getState().rbx).toBe(8n * 500_500n);
    // Where profiles are followed, the function is part of its caller's region for a while.
    expectCompiled(hot, FUNCTION, 0x10, engine === "tiered" ? 900 : 1000);
  });
});
