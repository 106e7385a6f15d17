import { describe, expect, it } from "vitest";
import { createDecoder } from "../../jit/isa/decode.ts";
import { allEncodings } from "../../jit/isa/encodings.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import { maskFor } from "./comparable.ts";
import { compareResults } from "./compare.ts";
import { allForms, formName } from "./form.ts";
import { ByteWriter, emptyState, readCase, readResult, writeCase, writeResult } from "./format.ts";
import type { OracleCase, OracleResult } from "./format.ts";
import { generateCase } from "./generate.ts";
import { CODE, Selector } from "./layout.ts";
import { Prng } from "./prng.ts";

const forms = allForms(allEncodings());

function someCases(seed: number): OracleCase[] {
  const prng = new Prng(seed);
  return forms.slice(0, 500).flatMap((form) => generateCase(prng, form) ?? []);
}

describe("the generator", () => {
  it("makes the same cases from the same seed, and others from another", () => {
    const bytes = (seed: number): Uint8Array => {
      const writer = new ByteWriter();
      for (const oracleCase of someCases(seed)) writeCase(writer, oracleCase);
      return writer.bytes;
    };
    expect(bytes(5)).toEqual(bytes(5));
    expect(bytes(5)).not.toEqual(bytes(6));
  });

  it("makes instructions that decode to the form they were made from", () => {
    const prng = new Prng(11);
    const decoder = createDecoder(new Set(FEATURES));
    const wrong = new Set<string>();
    for (const form of forms) {
      const oracleCase = generateCase(prng, form);
      if (!oracleCase) continue;
      const { code, codeGva } = oracleCase;
      // Segment registers 6 and 7 do not exist, and CS cannot be loaded.
      if (form.encoding.operands.includes("Sw")) continue;
      // Cut off by the end of the region, or too long on purpose, or with a prefix that changes everything.
      if (codeGva + code.length === CODE.gva + CODE.lengthBytes || code.length > 15) continue;
      const lockOrRepeat = [0xf0, 0xf2, 0xf3].some((prefix) => code.slice(0, 6).includes(prefix));
      const decoded = decoder.decode(code, 0, code.length, form.codeSize);
      if (typeof decoded === "string") {
        if (!lockOrRepeat) wrong.add(`${formName(form)}: ${decoded}`);
      } else if (decoded.encoding.id !== form.encoding.id && !lockOrRepeat) {
        wrong.add(`${formName(form)}: ${decoded.encoding.id}`);
      } else if (decoded.length !== code.length && !lockOrRepeat) wrong.add(`${formName(form)}: length`);
    }
    expect([...wrong]).toEqual([]);
  });

  it("reaches every form", () => {
    const prng = new Prng(3);
    const missed = forms.filter((form) => {
      for (let attempt = 0; attempt < 20; attempt++) if (generateCase(prng, form)) return false;
      return true;
    });
    expect(missed.map(formName)).toEqual([]);
  });
});

describe("the binary format", () => {
  it("gives back the cases and results that were written", () => {
    const writer = new ByteWriter();
    const [oracleCase] = someCases(1);
    if (!oracleCase) throw new Error("no case");
    const result = resultOf(oracleCase);
    writeCase(writer, oracleCase);
    const second = writer.bytes.length;
    writeResult(writer, result);
    expect(readCase(writer.bytes, 0, oracleCase)).toEqual(oracleCase);
    expect(readResult(writer.bytes, second)).toEqual(result);
  });
});

describe("the comparison", () => {
  const shl: OracleCase = {
    encoding: "d1/4",
    mnemonic: "shl",
    code: Uint8Array.of(0xc1, 0xe0, 3),
    codeGva: CODE.gva,
    operandGva: 0,
    state: { ...emptyState(), selectors: Uint16Array.of(0, Selector.CODE64, Selector.DATA, 0, 0, 0) },
    patches: [],
  };
  const differing = (change: (result: OracleResult) => OracleResult, undefinedFlags = "AF"): string[] =>
    compareResults(shl, resultOf(shl), change(resultOf(shl)), maskFor(shl, resultOf(shl), undefinedFlags))
      .filter(({ differs }) => differs)
      .map(({ name }) => name);

  it("finds nothing in equal results", () => {
    expect(differing((result) => result)).toEqual([]);
  });

  it("finds a register, a flag, an end and a byte of memory", () => {
    expect(
      differing((result) => ({ ...result, state: { ...result.state, gpr: result.state.gpr.with(3, 1n) } })),
    ).toEqual(["rbx"]);
    expect(differing((result) => ({ ...result, state: { ...result.state, rflags: 0x203n } }))).toEqual(["flags"]);
    expect(differing((result) => ({ ...result, vector: 13 }))).toEqual(["end"]);
    expect(differing((result) => ({ ...result, changes: [{ gva: 0x2000_0000, bytes: new Uint8Array(8) }] }))).toEqual([
      "[20000000]",
    ]);
  });

  it("looks at x87, MXCSR and XMM registers, and not at what is stored between them", () => {
    const withByte =
      (at: number) =>
      (result: OracleResult): OracleResult => {
        const fx = result.state.fx.slice();
        fx[at] = (fx[at] ?? 0) ^ 1;
        return { ...result, state: { ...result.state, fx } };
      };
    const found = (at: number): string[] => differing(withByte(at));
    expect([0, 2, 4, 24, 32, 41, 144, 160, 415].map((at) => found(at).join())).toEqual([
      "fcw",
      "fsw",
      "ftw",
      "mxcsr",
      "st0",
      "st0",
      "st7",
      "xmm0",
      "xmm15",
    ]);
    for (const at of [5, 8, 23, 28, 31, 42, 47, 159]) expect(found(at), `byte ${at}`).toEqual([]);
  });

  it("leaves out the upper halves of registers that a change to 32-bit code makes undefined", () => {
    const wide = (result: OracleResult): OracleResult => {
      const gpr = result.state.gpr.with(3, 1n << 32n);
      return { ...result, state: { ...result.state, gpr } };
    };
    expect(differing(wide)).toEqual(["rbx"]);
    const before = resultOf(shl);
    const selectors = before.state.selectors.with(1, Selector.CODE32);
    const expected = { ...before, state: { ...before.state, selectors } };
    const rows = compareResults(shl, expected, { ...wide(before), state: { ...wide(before).state, selectors } });
    expect(rows.filter(({ differs }) => differs)).toEqual([]);
  });

  it("leaves out flags that are undefined, and only those", () => {
    const withFlags =
      (rflags: bigint) =>
      (result: OracleResult): OracleResult => ({ ...result, state: { ...result.state, rflags } });
    expect(differing(withFlags(0x212n))).toEqual([]); // AF
    expect(differing(withFlags(0xa02n))).toEqual([]); // OF, for the count is 3
    expect(differing(withFlags(0x242n))).toEqual(["flags"]); // ZF
  });
});

function resultOf(oracleCase: OracleCase): OracleResult {
  const state = { ...oracleCase.state, rip: oracleCase.state.rip + 4n };
  return { outcome: "trap", vector: 3, errorCode: 0, cr2: 0n, state, changes: [] };
}
