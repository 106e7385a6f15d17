import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { maskFor } from "./comparable.ts";
import { compareResults, formatTable } from "./compare.ts";
import { BACK_ENDS, ENGINES, openUndefinedFlags } from "./engines.ts";
import { readVectors } from "./vectors.ts";

const FOLDER = fileURLToPath(new URL("../vectors/", import.meta.url));
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".bin.gz"));
/** Differences that a failure shows in full. */
const SHOWN = 3;

describe.each(FILES)("vectors of %s", (file) => {
  const { provenance, vectors } = readVectors(`${FOLDER}${file}`);

  it("are there, as many as their header says", () => {
    expect(vectors.length).toBeGreaterThan(1000);
    expect(vectors).toHaveLength(provenance.count);
  });

  it.each(BACK_ENDS)("are reproduced by the %s", { timeout: 120_000 }, async (name) => {
    const open = ENGINES[name];
    const runner = await open?.();
    if (!runner || "reason" in runner) throw new Error(`${name}: ${runner?.reason ?? "unknown"}`);
    const undefinedFlags = await openUndefinedFlags();
    const results = runner.run(vectors.map(({ oracleCase }) => oracleCase));
    const groups = new Map<string, number>();
    const tables: string[] = [];
    for (const [i, { oracleCase, result }] of vectors.entries()) {
      const actual = results[i];
      if (!actual) throw new Error(`${name}: no result for vector ${i}`);
      const mask = maskFor(oracleCase, result, undefinedFlags(oracleCase.mnemonic));
      const rows = compareResults(oracleCase, result, actual, mask);
      if (rows.length === 0) continue;
      groups.set(oracleCase.mnemonic, (groups.get(oracleCase.mnemonic) ?? 0) + 1);
      const bytes = [...oracleCase.code].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
      if (tables.length < SHOWN)
        tables.push(`${oracleCase.mnemonic}   ${bytes}\n${formatTable(rows, "recorded", name)}`);
    }
    expect(Object.fromEntries(groups), `\n${tables.join("\n\n")}\n`).toEqual({});
  });
});
