import { beforeAll, describe, expect, it } from "vitest";
import { Prng } from "../oracle/prng.ts";
import { compareEngines, type Engines, openEngines } from "./compare-engines.ts";
import { randomLoop, randomPackedLoop } from "./random-loop.ts";

/** A longer run: TRANSLATOR_PROGRAMS=20000 npm test -- test/translator/wide; TRANSLATOR_SEED shows other loops */
const PROGRAMS = Number(process.env["TRANSLATOR_PROGRAMS"] ?? 60);
const SEED = Number(process.env["TRANSLATOR_SEED"] ?? 1);

describe("rounds of a loop that run in groups", () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });

  it.each([
    ["scalars", "all ordinary", randomLoop, 0],
    ["scalars", "but for a few", randomLoop, 10],
    ["scalars", "but for many", randomLoop, 200],
    ["packed numbers", "all ordinary", randomPackedLoop, 0],
    ["packed numbers", "but for a few", randomPackedLoop, 10],
    ["packed numbers", "but for many", randomPackedLoop, 200],
  ])(
    "random loops on %s, %s, stopped at random places",
    { timeout: PROGRAMS * 300 + 60_000 },
    (_, __, make, extraordinary) => {
      for (let index = 0; index < PROGRAMS; index++) {
        const prng = new Prng(SEED * 1_000_003 + index * 7919 + extraordinary);
        const program = make(prng, extraordinary);
        // Three times: behind the first run there is a translation.
        for (let run = 0; run < 3; run++) {
          const limits = [prng.between(1, 600), prng.between(100, 400), 600];
          expect(compareEngines(engines, program, limits), `loop ${index}`).toBeUndefined();
        }
      }
    },
  );
});
