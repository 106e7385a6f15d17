import { describe, expect, it } from "vitest";
import { encode, type EncodeOptions } from "../../jit/isa/assemble.ts";
import { createDecoder } from "../../jit/isa/decode.ts";
import type { Encoding } from "../../jit/isa/encoding.ts";
import { allEncodings, encodingsById } from "../../jit/isa/encodings.ts";
import { format } from "../../jit/isa/format.ts";
import type { CodeSize, Instruction, Operand, OperandWidth } from "../../jit/isa/instruction.ts";
import { type OperandPlan, operandPlan, Source } from "../../jit/isa/operand-plan.ts";
import { allFeatures, decode } from "./support/bytes.ts";
import { randomOptions } from "./support/random-instruction.ts";
import { Random } from "./support/random.ts";

const decoder = createDecoder(allFeatures);

function encodingOf(id: string): Encoding {
  const encoding = encodingsById.get(id);
  if (encoding === undefined) throw new Error(`no encoding ${id}`);
  return encoding;
}

/** Value of an immediate or displacement of `bytes` bytes, extended with its sign to `bits`. */
function extended(value: number | bigint, bytes: number, bits: number): bigint {
  return BigInt.asUintN(bits, BigInt.asIntN(bytes * 8, BigInt(value)));
}

/** What `operand` says, in the terms of EncodeOptions, to compare with what was asked for. */
function describeOperand(operand: Operand): unknown {
  if (operand.kind === "immediate") {
    return BigInt.asUintN(operand.width, (BigInt(operand.high) << 32n) | BigInt(operand.low >>> 0));
  }
  if (operand.kind === "register") return { number: operand.number, high: operand.high === true };
  return operand;
}

/** The operand that `options` ask for, as describeOperand writes it; undefined for implied operands. */
function wanted(plan: OperandPlan, encoding: Encoding, options: EncodeOptions, instruction: Instruction): unknown {
  const size = instruction.operandSize >> 5;
  const width: OperandWidth = plan.width[size]!;
  const bytes = plan.bytes[size]!;
  const immediate = options.immediate ?? 0;
  switch (plan.source) {
    case Source.Reg:
    case Source.Opcode:
      return { number: options.reg, high: plan.byteRegister && options.regHigh === true };
    case Source.Vvvv:
      return { number: options.vvvv, high: false };
    case Source.Immediate: {
      const second = encoding.mnemonic === "enter" && bytes === 1;
      return extended(second ? (options.secondImmediate ?? 0) : immediate, bytes, width);
    }
    case Source.Relative:
      return { kind: "relative", displacement: Number(BigInt.asIntN(bytes * 8, BigInt(immediate))), width };
    case Source.Far:
      return {
        kind: "far",
        selector: options.secondImmediate,
        offset: Number(BigInt.asUintN(bytes * 8, BigInt(immediate))),
        width,
      };
    case Source.Rm:
    case Source.Offset: {
      const { rm } = options;
      if (rm?.kind !== "memory") return { number: rm?.number, high: plan.byteRegister && rm?.high === true };
      const displacement = BigInt(rm.displacement ?? 0);
      const isOffset = plan.source === Source.Offset;
      const bits = isOffset ? instruction.addressSize : 64;
      const low = Number(BigInt.asIntN(32, displacement));
      const byDefault = rm.base === 4 || rm.base === 5 ? 2 : 3;
      return {
        kind: "memory",
        base: rm.base,
        index: rm.index ?? -1,
        scale: rm.scale ?? 1,
        displacement: low,
        displacementHigh: isOffset && bits < 64 ? 0 : Number(BigInt.asIntN(32, displacement >> 32n)),
        segment: options.segment ?? byDefault,
        width,
      };
    }
    default:
      return undefined;
  }
}

function checkRoundTrip(encoding: Encoding, options: EncodeOptions): void {
  const code = encode(encoding, options);
  const instruction = decoder.decode(code, 0, code.length, options.codeSize);
  const label = `${encoding.id} ${encoding.mnemonic} ${Buffer.from(code).toString("hex")}`;
  if (typeof instruction === "string") throw new Error(`${label}: ${instruction}`);
  expect(instruction.encoding.id, label).toBe(encoding.id);
  expect(instruction, label).toMatchObject({
    length: code.length,
    operandSize: options.operandSize,
    addressSize: options.addressSize,
    lock: options.lock,
    repeat: options.repeat ?? 0,
  });
  encoding.operands.forEach((operandCode, index) => {
    const want = wanted(operandPlan(operandCode), encoding, options, instruction);
    if (want !== undefined) expect(describeOperand(instruction.operands[index]!), label).toEqual(want);
  });
  expect(format(instruction, 0x40_0000n), label).not.toMatch(/undefined|NaN/);
  for (let end = 0; end < code.length; end++) {
    // UD0 and UD1 need no operands to be what they are.
    const isUndefined = /^ud[01]$/.test(encoding.mnemonic) && end >= code.indexOf(0x0f) + 2;
    expect(decoder.decode(code, 0, end, options.codeSize), `${label} cut at ${end}`).toBe(
      isUndefined ? "invalid" : "truncated",
    );
  }
}

describe("encode", () => {
  for (const codeSize of [16, 32, 64] as const satisfies readonly CodeSize[]) {
    it(`is undone by decode for every encoding, ${codeSize}-bit`, () => {
      const random = new Random(codeSize);
      let cases = 0;
      for (const encoding of allEncodings()) {
        for (let repetition = 0; repetition < 12; repetition++) {
          const options = randomOptions(random, encoding, codeSize);
          if (options === undefined) continue;
          checkRoundTrip(encoding, options);
          cases++;
        }
      }
      expect(cases).toBeGreaterThan(11_000);
    });
  }

  it("refuses what cannot be encoded", () => {
    const add = encodingOf("00");
    expect(() => encode(add, { codeSize: 32, reg: 8 })).toThrow(RangeError);
    expect(() => encode(add, { codeSize: 64, reg: 0, regHigh: true, rm: { kind: "register", number: 8 } })).toThrow(
      /REX/,
    );
    expect(() => encode(encodingOf("8d"), { codeSize: 64, rm: { kind: "register", number: 0 } })).toThrow(/memory/);
    expect(() => encode(encodingOf("06"), { codeSize: 64 })).toThrow(/operand size/);
    expect(() => encode(add, { codeSize: 64, rm: { kind: "memory", base: 0, index: 4 } })).toThrow(/index/);
  });

  it("writes the short form of a displacement, or the long one when asked", () => {
    const rm = { kind: "memory", base: 3, displacement: 8 } as const;
    expect(encode(encodingOf("8b"), { codeSize: 64, rm })).toHaveLength(3);
    expect(encode(encodingOf("8b"), { codeSize: 64, rm: { ...rm, long: true } })).toHaveLength(6);
    expect(decode("8b 43 08").operands).toEqual(decode("8b 83 08 00 00 00").operands);
  });
});
