import { describe, expect, it } from "vitest";
import { allEncodings, encodingsById } from "../../jit/isa/encodings.ts";
import type { OperandCode } from "../../jit/isa/operand-code.ts";
import { operandPlan, Source } from "../../jit/isa/operand-plan.ts";
import type { CheckedTable, OpcodeMap, Row } from "../../jit/isa/row.ts";

describe("types", () => {
  it("rejects what is no operand code", () => {
    const right: Row = ["add", "Eb,Gb", "lock"];
    // @ts-expect-error Ex is no operand code
    const first: Row = ["add", "Ex,Gb"];
    // @ts-expect-error Gx is no operand code
    const code: OperandCode = "Gx";
    // @ts-expect-error unknown flag
    const flag: Row = ["add", "Eb,Gb", "locked"];
    expect([right, first, code, flag]).toHaveLength(4);
  });

  it("checks every operand of a table, not only the first", () => {
    const good = { 0x00: ["add", "Eb,Gb"], 0x01: { np: ["shld", "Ev,Gv,Ib"] } } as const satisfies OpcodeMap;
    good satisfies CheckedTable<typeof good>;
    const second = { 0x00: ["add", "Eb,Gx"] } as const satisfies OpcodeMap;
    // @ts-expect-error Gx is no operand code
    second satisfies CheckedTable<typeof second>;
    const nested = { 0x00: { group: { 1: { memory: { np: ["shld", "Ev,Gv,Iq8"] } } } } } as const satisfies OpcodeMap;
    // @ts-expect-error Iq8 is no operand code
    nested satisfies CheckedTable<typeof nested>;
    expect(Object.keys({ ...good, ...second, ...nested })).toHaveLength(2);
  });
});

describe("encodings", () => {
  it("have unique ids", () => {
    expect(encodingsById.size).toBe(allEncodings().length);
    for (const encoding of allEncodings()) expect(encodingsById.get(encoding.id)).toBe(encoding);
  });

  it("have ids that say where they stand", () => {
    const mnemonics = (ids: readonly string[]): unknown => ids.map((id) => encodingsById.get(id)?.mnemonic);
    expect(mnemonics(["01", "0f.38.f0/f2/reg", "f7/4", "0f.ae/7/mem", "d9/4/reg/0", "vex.0f.38.f2", "63/o64"])).toEqual(
      ["add", "crc32", "mul", "clflush", "fchs", "andn", "movsxd"],
    );
  });

  it("have at most one operand in each field", () => {
    for (const encoding of allEncodings()) {
      const sources = encoding.operands.map((code) => operandPlan(code).source);
      for (const source of [Source.Reg, Source.Rm, Source.Vvvv, Source.Opcode]) {
        expect(sources.filter((found) => found === source).length, encoding.id).toBeLessThanOrEqual(1);
      }
      // A group uses ModRM.reg for the extension.
      if (encoding.extension !== undefined) expect(sources, encoding.id).not.toContain(Source.Reg);
    }
  });

  it("have an operand for every memory form", () => {
    for (const encoding of allEncodings()) {
      if (encoding.modrm !== "any" && encoding.modrm !== "memory") continue;
      const plan = encoding.operands.map(operandPlan).find((operand) => operand.source === Source.Rm);
      expect(plan?.memory, encoding.id).toBe(true);
    }
  });

  it("allow LOCK only where the first operand can be memory", () => {
    for (const encoding of allEncodings()) {
      if (!encoding.flags.has("lock")) continue;
      expect(encoding.operands[0], encoding.id).toMatch(/^[EM]/);
    }
  });
});
