import { beforeAll, describe, expect, it } from "vitest";
import { Prng } from "../oracle/prng.ts";
import { compareEngines, type Engines, openEngines } from "./compare-engines.ts";
import { randomLoop } from "./random-loop.ts";

/** A longer run: TRANSLATOR_PROGRAMS=20000 npm test -- test/translator/wide; TRANSLATOR_SEED shows other loops */
const PROGRAMS = Number(process.env["TRANSLATOR_PROGRAMS"] ?? 60);
const SEED = Number(process.env["TRANSLATOR_SEED"] ?? 1);

describe("rounds of a loop that run side by side", () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });

  it.each([
    ["ordinary numbers", 0],
    ["a few others", 10],
    ["many others", 200],
  ])("random loops on %s, stopped at random places", { timeout: PROGRAMS * 300 + 60_000 }, (_, extraordinary) => {
    for (let index = 0; index < PROGRAMS; index++) {
      const prng = new Prng(SEED * 1_000_003 + index * 7919 + extraordinary);
      const program = randomLoop(prng, extraordinary);
      // Three times: behind the first run there is a translation.
      for (let run = 0; run < 3; run++) {
        const limits = [prng.between(1, 600), prng.between(100, 400), 600];
        expect(compareEngines(engines, program, limits), `loop ${index}`).toBeUndefined();
      }
    }
  });
});
