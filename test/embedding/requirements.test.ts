import { describe, expect, it } from "vitest";
import { VmError } from "../../src/errors.ts";
import { checkRequirements } from "../../src/host/requirements.ts";

/** What an engine that lacks something says of the modules that need it. */
function engineWithout(...opcodes: readonly number[]): Pick<typeof WebAssembly, "validate"> {
  return {
    validate: (bytes) =>
      WebAssembly.validate(bytes) && !opcodes.some((opcode) => new Uint8Array(bytes as ArrayBuffer).includes(opcode)),
  };
}

function complaint(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof VmError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "";
}

describe("what Umbra needs of an engine", () => {
  it("is here", () => {
    expect(complaint(() => checkRequirements())).toBe("");
  });

  it("is named when it is missing, with the versions that have it", () => {
    expect(complaint(() => checkRequirements(engineWithout(0x12)))).toBe(
      "ERR_HOST: this JavaScript engine lacks what Umbra needs of WebAssembly: tail calls (Chrome 112, Firefox 121, Safari 18.2, Node.js 20)",
    );
    expect(complaint(() => checkRequirements(engineWithout(0xfd)))).toMatch(/: SIMD \(/);
    expect(complaint(() => checkRequirements({ validate: () => false }))).toMatch(
      /tail calls .* SIMD .* shared memory/,
    );
  });
});
