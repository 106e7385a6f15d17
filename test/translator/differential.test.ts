import { beforeAll, describe, expect, it } from "vitest";
import { Prng } from "../oracle/prng.ts";
import { compareEngines, type Engines, openEngines } from "./compare-engines.ts";
import { randomProgram, singleInstruction, STRAIGHT } from "./random-program.ts";

/** A longer run: TRANSLATOR_PROGRAMS=20000 npm test -- test/translator */
const PROGRAMS = Number(process.env["TRANSLATOR_PROGRAMS"] ?? 150);

describe("the translator agrees with the interpreter", () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });

  it("on every instruction", { timeout: 120_000 }, () => {
    STRAIGHT.forEach((encoding, index) => {
      const program = singleInstruction(new Prng(index + 1), encoding);
      expect(compareEngines(engines, program, [200]), encoding.id).toBeUndefined();
    });
  });

  it("on random programs with branches, stopped at random places", { timeout: PROGRAMS * 200 + 60_000 }, () => {
    for (let seed = 0; seed < PROGRAMS; seed++) {
      const prng = new Prng(seed * 7919 + 1);
      const program = randomProgram(prng, 3 + prng.below(40));
      const limits = [prng.between(1, 400), prng.between(100, 400), 300];
      expect(compareEngines(engines, program, limits), `seed ${seed}`).toBeUndefined();
    }
  });
});
