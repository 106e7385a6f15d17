import { describe, expect, it } from "vitest";
import { encode } from "../../jit/isa/assemble.ts";
import { createDecoder } from "../../jit/isa/decode.ts";
import { allEncodings } from "../../jit/isa/encodings.ts";
import { format } from "../../jit/isa/format.ts";
import type { CodeSize, DecodeFailure, Instruction } from "../../jit/isa/instruction.ts";
import { allFeatures } from "./support/bytes.ts";
import { canonicalMnemonic, canonicalOperands } from "./support/canonical.ts";
import { type Disassembly, hasObjdump, objdump, SLOT } from "./support/objdump.ts";
import { randomOptions } from "./support/random-instruction.ts";
import { Random } from "./support/random.ts";

/** Random cases in each mode; raise it for a long run, with another seed. */
const CASES = Number(process.env["UMBRA_OBJDUMP_CASES"] ?? 15_000);
const SEED = Number(process.env["UMBRA_OBJDUMP_SEED"] ?? 1);

const available = hasObjdump();
if (!available) console.warn("test/isa/objdump.test.ts is skipped: there is no objdump that knows i8086");

const decoder = createDecoder(allFeatures);
const mnemonics = new Set(allEncodings().map((encoding) => encoding.mnemonic.split(".")[0]!));

/** What the SDM leaves blank and processors execute (see tables/x87.ts); objdump calls it "(bad)". */
const X87_ALIASES = new Set([
  "d9/3/reg",
  "dc/2/reg",
  "dc/3/reg",
  "dd/1/reg",
  "de/2/reg",
  "df/1/reg",
  "df/2/reg",
  "df/3/reg",
]);

/** Why objdump has no instruction, or another one, where we have one. Undefined: no known reason, so one of the two is wrong. */
function explainInstruction(ours: Instruction, theirs: Disassembly): string | undefined {
  const { id, mnemonic, opcode } = ours.encoding;
  const isBad = theirs.text.includes("(bad)");
  if (isBad && X87_ALIASES.has(id)) return "undocumented x87 alias";
  if (isBad && mnemonic === "salc") return "SALC: undocumented, executed by every processor";
  if (isBad && /^0f\.0d\/.\/reg$/.test(id)) return "0F 0D with a register: NOP for Intel, #UD for AMD";
  if (isBad && /^0f\.1[ab]$/.test(id)) return "MPX with operands that MPX forbids: NOP without MPX";
  if (isBad && /^[lms]fence$/.test(mnemonic)) return "ModRM.rm of fences is ignored";
  if (isBad && mnemonic === "wbinvd") return "66 and F2 before WBINVD are ignored";
  if (theirs.text.endsWith("wbnoinvd")) return "WBNOINVD is WBINVD without the feature";
  if (isBad && /^bs[fr]$/.test(mnemonic)) return "F2 before BSF and BSR is ignored";
  if (theirs.text.endsWith("pause")) return "F3 90 with REX.B exchanges R8 and rAX (tried on an AMD processor)";
  if (opcode[0] === 0x9b) return "objdump takes FWAIT and an x87 instruction for one";
  return undefined;
}

const LEGACY_PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

function isRex(byte: number): boolean {
  return byte >> 4 === 4;
}

/** The prefixes at the start of `code`. */
function prefixesOf(code: Uint8Array, codeSize: CodeSize): ReadonlySet<number> {
  const count = code.findIndex((byte) => !LEGACY_PREFIXES.includes(byte) && !(codeSize === 64 && isRex(byte)));
  return new Set(code.subarray(0, count));
}

/** Why objdump has an instruction where we have none. */
function explainFailure(
  ours: DecodeFailure,
  theirs: Disassembly,
  prefixes: ReadonlySet<number>,
  codeSize: CodeSize,
): string | undefined {
  if (ours !== "invalid") return "longer than the bytes of the case";
  if (prefixes.has(0xf0)) return "objdump does not check where LOCK is legal";
  const mnemonic = canonicalMnemonic(theirs.text);
  if (
    mnemonic === "mov" &&
    /\bmov\s+(?:\?|cs,)|,\?(?:\s+#.*)?$|\b(?:cr(?:1|5|6|7|9|1[0-5])|dr(?:[89]|1[0-5])|tr[0-7])\b/.test(theirs.text)
  ) {
    return "a register that does not exist (CS and the 386's test registers among them)";
  }
  if (codeSize !== 64 && /^(?:syscall|sysret|swapgs|(?:rd|wr)[fg]sbase)$/.test(mnemonic))
    return "only in 64-bit mode (SYSCALL: Intel)";
  if (
    [0x66, 0xf2, 0xf3].some((prefix) => prefixes.has(prefix)) &&
    /^(?:fxsave(?:64)?|fxrstor(?:64)?|ldmxcsr|stmxcsr|xsavec(?:64)?|pmovmskb|mwait)$/.test(mnemonic)
  ) {
    return "objdump ignores 66, F2 or F3 on rows that the SDM marks NP";
  }
  if (!mnemonics.has(mnemonic)) return "an extension that is not in the tables";
  return undefined;
}

/** Whether REX is followed by another prefix: objdump prints such a REX on a line of its own, and takes the rest for the next instruction. */
function hasDeadRex(code: Uint8Array): boolean {
  for (let at = 0; at + 1 < code.length; at++) {
    if (!LEGACY_PREFIXES.includes(code[at]!) && !isRex(code[at]!)) return false;
    // 9B takes no REX for objdump either.
    if (isRex(code[at]!) && (LEGACY_PREFIXES.includes(code[at + 1]!) || isRex(code[at + 1]!) || code[at + 1] === 0x9b))
      return true;
  }
  return false;
}

/** Compares the two disassemblers; returns the differences that nothing explains. */
function differences(cases: readonly Uint8Array[], codeSize: CodeSize): { agreed: number; unexplained: string[] } {
  const theirs = objdump(cases, codeSize);
  const unexplained: string[] = [];
  let agreed = 0;
  cases.forEach((code, index) => {
    const ours = decoder.decode(code, 0, code.length, codeSize);
    const their = theirs[index]!;
    const isBad = their.text.includes("(bad)");
    let text: string = "";
    let reason: string | undefined;
    if (typeof ours === "string") {
      text = ours;
      reason = isBad ? "agreed" : explainFailure(ours, their, prefixesOf(code, codeSize), codeSize);
    } else {
      text = format(ours);
      const same = !isBad && ours.length === their.length && canonicalMnemonic(text) === canonicalMnemonic(their.text);
      reason = same ? "agreed" : explainInstruction(ours, their);
    }
    if (reason === "agreed") agreed++;
    if (reason === undefined) {
      const hex = Buffer.from(code).toString("hex");
      const length = typeof ours === "string" ? "" : ` (${ours.length})`;
      unexplained.push(`${hex}: ${text}${length}, objdump: ${their.text} (${their.length})`);
    }
  });
  return { agreed, unexplained };
}

/** Why the operands of the same instruction may be written differently. */
function explainOperands(ours: Instruction, theirs: Disassembly): string | undefined {
  const { mnemonic } = ours;
  if (mnemonic === "nop") return "objdump names hints of extensions, with operands of their own";
  if (/^p?movmsk/.test(mnemonic) && ours.operandSize === 64) return "the upper half is zero whichever size is named";
  if (/^(?:movq2dq|movdq2q)$/.test(mnemonic)) return "objdump takes 66 for a sign of XMM also beside F2 and F3";
  if (/^(?:rd|wr)[fg]sbase$/.test(mnemonic)) return "66 does not make these 16-bit";
  if (/^(?:l[sfg]s|call\.far|jmp\.far)$/.test(mnemonic) && ours.operandSize === 64)
    return "a 16:64 pointer has no name in objdump";
  if (mnemonic === "mov.seg") return "a segment is 16 bits whatever the size of the register";
  if (/^(?:cmp[ps][sd]|pclmulqdq)$/.test(mnemonic) && !theirs.text.startsWith(mnemonic))
    return "the immediate is in the name";
  if (/^fn(?:eni|disi|setpm)$/.test(mnemonic)) return "objdump adds a remark";
  return undefined;
}

const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x65, 0x26] as const;

/** Random bytes that are often an instruction: some prefixes, then often an escape. */
function randomBytes(random: Random, codeSize: CodeSize): Uint8Array {
  const code = Uint8Array.from({ length: 15 }, () => (random.chance(0.2) ? 0 : random.word()));
  let at = 0;
  while (random.chance(0.3) && at < 3) code[at++] = random.pick(PREFIXES);
  if (codeSize === 64 && random.chance(0.3)) code[at++] = 0x40 | random.below(16);
  const kind = random.below(10);
  if (kind < 4) {
    code[at++] = 0x0f;
    if (random.chance(0.2)) code[at] = random.pick([0x38, 0x3a]);
  } else if (kind === 4) code[at] = 0xd8 | random.below(8);
  return code;
}

describe.skipIf(!available)("against objdump", () => {
  for (const codeSize of [16, 32, 64] as const satisfies readonly CodeSize[]) {
    it(`agrees on length and mnemonic of every encoding, ${codeSize}-bit`, { timeout: 600_000 }, () => {
      const random = new Random(SEED * 1000 + codeSize);
      const cases: Uint8Array[] = [];
      while (cases.length < CASES) {
        for (const encoding of allEncodings()) {
          const options = randomOptions(random, encoding, codeSize);
          if (options === undefined) continue;
          const code = encode(encoding, options);
          if (!hasDeadRex(code)) cases.push(code);
        }
      }
      const { agreed, unexplained } = differences(cases, codeSize);
      expect(unexplained).toEqual([]);
      expect(agreed).toBeGreaterThan(cases.length * 0.95);
    });

    it(`agrees on operands, ${codeSize}-bit`, { timeout: 600_000 }, () => {
      const random = new Random(SEED * 1000 + codeSize + 2);
      const cases: Uint8Array[] = [];
      while (cases.length < CASES) {
        for (const encoding of allEncodings()) {
          const options = randomOptions(random, encoding, codeSize);
          if (options !== undefined) cases.push(encode(encoding, options));
        }
      }
      const unexplained: string[] = [];
      let agreed = 0;
      objdump(cases, codeSize).forEach((theirs, index) => {
        const code = cases[index]!;
        const ours = decoder.decode(code, 0, code.length, codeSize);
        // Where length and mnemonic differ the other tests know why.
        if (typeof ours === "string" || ours.length !== theirs.length || theirs.text.includes("(bad)")) return;
        const text = format(ours, BigInt(index * SLOT));
        if (canonicalMnemonic(text) !== canonicalMnemonic(theirs.text)) return;
        const targetBits = ours.operands[0]?.kind === "relative" ? ours.operandSize : 64;
        if (canonicalOperands(text, targetBits) === canonicalOperands(theirs.text, targetBits)) agreed++;
        else if (explainOperands(ours, theirs) === undefined) {
          unexplained.push(`${Buffer.from(code).toString("hex")}: ${text}, objdump: ${theirs.text}`);
        }
      });
      expect(unexplained).toEqual([]);
      expect(agreed).toBeGreaterThan(cases.length * 0.9);
    });

    it(`agrees on random bytes, ${codeSize}-bit`, { timeout: 600_000 }, () => {
      const random = new Random(SEED * 1000 + codeSize + 1);
      const cases: Uint8Array[] = [];
      while (cases.length < CASES) {
        const code = randomBytes(random, codeSize);
        if (!hasDeadRex(code)) cases.push(code);
      }
      const { agreed, unexplained } = differences(cases, codeSize);
      expect(unexplained).toEqual([]);
      expect(agreed).toBeGreaterThan(cases.length * 0.85);
    });
  }
});
