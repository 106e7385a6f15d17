import { describe, expect, it } from "vitest";
import type { BatchBuilder, Translator } from "../../runtime/abi/translator.ts";
import type { BareMachine, BareMachineOptions } from "../../src/bare-machine.ts";
import { type Difference, describeDifference, instructionText } from "../../src/verify/report.ts";
import { verifyProgram, type VerifyResult } from "../../src/verify/verify.ts";
import { code, le } from "../mmu/support.ts";

const CODE = 0x1_0000;
const DATA = 0x2_0000;

// outer: mov ecx, 200
// inner: add rax, rcx; rol rax, 3; mov [rsi], rax; adc rbx, 0; lea rdx, [rdx+rax*2]; dec ecx; jnz inner
//        inc rdi; cmp rdi, rbp; jne outer; hlt
const PROGRAM = code(
  "b9",
  le(200, 4),
  "48 01 c8 48 c1 c0 03 48 89 06 48 83 d3 00 48 8d 14 42 ff c9 75 ea",
  "48 ff c7 48 39 ef 75 dd f4",
);
const ROUNDS = 1000n;

/** A compiler that takes the byte at an offset of the program's page for another one, if the instruction there is the right one. */
class Misreading implements Translator {
  readonly #inner: Translator;
  readonly #bug: Bug;

  constructor(inner: Translator, bug: Bug) {
    this.#inner = inner;
    this.#bug = bug;
  }

  begin(): BatchBuilder {
    const { offset, from, to } = this.#bug;
    const builder = this.#inner.begin();
    return {
      // The program has one page.
      add: (request) => {
        const pages = request.pages.map((page) => ({ ...page, bytes: page.bytes.slice() }));
        const bytes = pages[0]?.bytes;
        if (from.every((byte, index) => bytes?.[offset + index] === byte)) bytes?.set(to, offset);
        builder.add({ ...request, pages });
      },
      finish: () => builder.finish(),
    };
  }
}

interface Bug {
  readonly offset: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

async function verifyWith(engine: "translator" | "tiered", bug?: Bug): Promise<VerifyResult> {
  const options: Omit<BareMachineOptions, "engine"> = {
    memoryBytes: 0x4_0000,
    mode: "long",
  };
  const prepare = (machine: BareMachine): void => {
    machine.write(CODE, PROGRAM);
    machine.setState({ rip: BigInt(CODE), rsp: BigInt(DATA), rsi: BigInt(DATA), rbp: ROUNDS, rax: 1n });
  };
  const load = bug && { wrapTranslator: (inner: Translator) => new Misreading(inner, bug) };
  return verifyProgram(options, prepare, { engine, ...(load && { load }) });
}

function differenceOf(result: VerifyResult): Difference {
  if (!("difference" in result)) expect.fail(`no difference in ${result.agreement.instructions} instructions`);
  return result.difference;
}

describe.each(["translator", "tiered"] as const)("verify on bare machines: %s", (engine) => {
  it("agrees on a program that is translated rightly", async () => {
    const result = await verifyWith(engine);
    expect(result).toEqual({ agreement: { instructions: ROUNDS * 1404n + 1n, ended: "halt" } });
  });

  it.each([
    ["a wrong count", { offset: 8, from: [0x48, 0xc1, 0xc0, 0x03], to: [0x48, 0xc1, 0xc0, 0x04] }, "rol rax, 0x3"],
    ["a wrong operation", { offset: 5, from: [0x48, 0x01, 0xc8], to: [0x48, 0x29, 0xc8] }, "add rax, rcx"],
    ["a lost carry", { offset: 15, from: [0x48, 0x83, 0xd3], to: [0x48, 0x83, 0xc3] }, "adc rbx, 0x0"],
    [
      "a wrong address",
      { offset: 19, from: [0x48, 0x8d, 0x14, 0x42], to: [0x48, 0x8d, 0x14, 0x02] },
      "lea rdx, [rdx+rax*2]",
    ],
    ["a wrong store", { offset: 12, from: [0x48, 0x89, 0x06], to: [0x48, 0x89, 0x0e] }, "mov qword ptr [rsi], rax"],
  ] as const)("names the instruction with %s", { timeout: 60_000 }, async (_name, bug, text) => {
    const difference = differenceOf(await verifyWith(engine, bug));
    const { located } = difference;
    if (!located) expect.fail(await describeDifference(difference));
    expect(instructionText(located)).toBe(text);
    expect(located.gva).toBe(BigInt(CODE + bug.offset));
    const report = await describeDifference(difference);
    expect(report).toContain(`  ${(CODE + bug.offset).toString(16)}  ${text}\n`);
    expect(report).toContain("-- WebAssembly --");
    expect(report).toMatch(/^\* /m);
  });
});
