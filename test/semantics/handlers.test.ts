import { describe, expect, it } from "vitest";
import { hasDeadForm, variantKey, variantOf } from "../../jit/interpreter/variant.ts";
import { createDecoder } from "../../jit/isa/decode.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import { definitions } from "../../jit/semantics/registry.ts";
import { loadCore } from "../../src/host/core.ts";
import { Prng } from "../oracle/prng.ts";

const { manifest } = await loadCore();
const PREFIXES = [0x66, 0x67, 0x0f, 0xf2, 0xf3, 0x48, 0x64];

describe("core.wasm", () => {
  it("has a handler for whatever the decoder accepts", () => {
    // The build finds the forms by samples of its own; these bytes know nothing of them.
    const prng = new Prng(1);
    const decoder = createDecoder(new Set(FEATURES));
    const bytes = new Uint8Array(24);
    const missing = new Set<string>();
    let decoded = 0;
    for (let round = 0; round < 200_000; round++) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = prng.below(256);
      for (let i = 0; i < 3; i++) if (prng.below(2) === 0) bytes[i] = PREFIXES[prng.below(PREFIXES.length)] ?? 0;
      for (const codeSize of [16, 32, 64] as const) {
        const instruction = decoder.decode(bytes, 0, bytes.length, codeSize);
        if (typeof instruction === "string") continue;
        decoded++;
        const definition = definitions[instruction.mnemonic];
        for (const dead of hasDeadForm(definition) ? [false, true] : [false]) {
          const key = variantKey(variantOf(instruction, definition, dead));
          if (!(key in manifest.handlers)) missing.add(key);
        }
      }
    }
    expect(decoded).toBeGreaterThan(300_000);
    expect([...missing]).toEqual([]);
  });
});
