import { release } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { allEncodings } from "../../jit/isa/encodings.ts";
import { Campaign } from "./campaign.ts";
import { whyIncomparable } from "./comparable.ts";
import { edgeCases } from "./edges.ts";
import type { OracleCase } from "./format.ts";
import { hostFlags, hostModel, hostVendor } from "./host.ts";
import { openNativeOracle } from "./native.ts";
import { shrink } from "./shrink.ts";
import { writeVectors } from "./vectors.ts";
import type { Vector } from "./vectors.ts";

/**
 * Records vectors on this host: `node test/oracle/record.ts --seed 1 --rounds 3`. A round is one case of each form. With
 * `--only instructions` or `--only edges` one of the two files alone.
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
  },
});
const oracle = openNativeOracle();
if ("reason" in oracle) {
  console.error(`nothing recorded: ${oracle.reason}`);
  process.exit(2);
}
const seed = Number(values.seed);
const options = {
  encodings: allEncodings(),
  seed,
  count: 0,
  only: [],
  hasLdt: oracle.runner.hasLdt,
  hostFlags: hostFlags(),
  vendor: hostVendor(),
};
const campaign = new Campaign(options);
const cases = campaign
  .generate(campaign.forms.length * Number(values.rounds))
  .map(({ oracleCase, form }) => shrink(oracleCase, form.encoding));
const runner = oracle.runner;
const date = new Date().toISOString().slice(0, 10);

function record(name: string, all: readonly OracleCase[]): void {
  const results = runner.run(all);
  const vectors = all.flatMap((oracleCase, i): Vector[] => {
    const result = results[i];
    return result && whyIncomparable(oracleCase, result) === undefined ? [{ oracleCase, result }] : [];
  });
  const path = fileURLToPath(new URL(`../vectors/${name}.bin.gz`, import.meta.url));
  const bytes = writeVectors(path, { processor: hostModel(), kernel: `Linux ${release()}`, date, seed }, vectors);
  console.log(`${vectors.length} vectors, ${bytes} bytes: ${path}`);
}

if (values.only !== "edges") record("instructions", cases);
if (values.only !== "instructions") record("edges", edgeCases());
