import { describe, expect, it } from "vitest";
import { buildReference, differences, OPERATIONS } from "./compare.ts";
import { SoftFloatMachine } from "./machine.ts";

const reference = buildReference();
const machine = new SoftFloatMachine();
const CASES = 3000;

describe.skipIf("reason" in reference)("floating-point helpers against the processor", () => {
  for (const name of OPERATIONS) {
    it(`${name} computes what the processor does, flags included`, () => {
      if (!("binary" in reference)) return;
      const { shown } = differences(machine, reference.binary, name, CASES, 1);
      expect(shown.join("\n")).toBe("");
    });
  }
});

if ("reason" in reference) console.log(`skipped: floating-point helpers against the processor: ${reference.reason}`);
