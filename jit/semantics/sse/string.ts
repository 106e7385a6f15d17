import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter, GprName } from "../emitter.ts";
import { lanesFromBits, zeroVector } from "./packed.ts";

// SSE4.2 string and text instructions: SDM Vol. 2B, 4.1; SDM Vol. 1, 12.11. The comparison is jit/helpers/string-compare.ts.

/** |register|, at most `all`: the explicit length of a string. */
function explicitLength(e: Emitter, register: GprName, all: Value): Value {
  const width = e.operandWidth === 64 ? 64 : 32;
  const length = e.let(e.gpr(register, width).read());
  const negative = e.ltS(length, e.constant(width, 0));
  // The most negative number is its own negation, and as an unsigned number greater than any vector.
  const size = e.let(e.select(negative, e.neg(length), length));
  const wide = e.let(e.extend(all, width));
  return e.let(e.truncate(e.select(e.ltU(size, wide), size, wide), 32));
}

/** Elements in a vector: imm8[0] chooses bytes or words. */
function elements(e: Emitter, immediate: Value): Value {
  return e.let(e.select(e.and(immediate, e.constant(32, 1)), e.constant(32, 8), e.constant(32, 16)));
}

/** ECX = number of the lowest or the highest (imm8[6]) set bit of the result; if there is none, the number of elements. */
function writeIndex(e: Emitter, result: Value, immediate: Value): void {
  const lowest = e.ctz(result);
  const highest = e.sub(e.constant(32, 31), e.clz(result));
  const index = e.select(e.and(immediate, e.constant(32, 0x40)), highest, lowest);
  e.gpr("rcx", 32).write(e.select(result, index, elements(e, immediate)));
}

/** XMM0 = the result as bits, or (imm8[6]) each bit as a whole element. */
function writeMask(e: Emitter, result: Value, immediate: Value): void {
  const expanded = (): Value =>
    e.choose(
      e.and(immediate, e.constant(32, 1)),
      () => lanesFromBits(e, 16, result),
      () => lanesFromBits(e, 8, result),
    );
  const mask = e.choose(e.and(immediate, e.constant(32, 0x40)), expanded, () =>
    e.replaceLane("i32x4", zeroVector(e), 0, result),
  );
  e.xmm(0, 128).write(mask);
}

function stringCompare(
  reference: string,
  lengths: "explicit" | "implicit",
  output: (e: Emitter, result: Value, immediate: Value) => void,
): Definition {
  return define({
    reference,
    unit: "sse",
    unaligned: true,
    operands: { first: "r", second: "r", control: "r" },
    flags: { writes: "OF SF ZF AF PF CF" },
    emit(e, { first, second, control }) {
      const immediate = e.let(e.extend(control.read(), 32));
      const right = second.read();
      const left = first.read();
      const length = (operand: Value, register: GprName): Value =>
        lengths === "explicit"
          ? explicitLength(e, register, elements(e, immediate))
          : e.helper("string.length", [operand, immediate], 32);
      const leftLength = length(left, "rax");
      const rightLength = length(right, "rdx");
      const packed = e.helper("string.compare", [left, right, leftLength, rightLength, immediate], 32);
      output(e, e.let(e.and(packed, e.constant(32, 0xffff))), immediate);
      e.flags.setWord(e.shrU(packed, e.constant(32, 16)));
    },
  });
}

export const packedStringDefinitions: Readonly<
  Record<"pcmpestri" | "pcmpestrm" | "pcmpistri" | "pcmpistrm", Definition>
> = {
  pcmpestri: stringCompare("SDM 2B PCMPESTRI", "explicit", writeIndex),
  pcmpestrm: stringCompare("SDM 2B PCMPESTRM", "explicit", writeMask),
  pcmpistri: stringCompare("SDM 2B PCMPISTRI", "implicit", writeIndex),
  pcmpistrm: stringCompare("SDM 2B PCMPISTRM", "implicit", writeMask),
};
