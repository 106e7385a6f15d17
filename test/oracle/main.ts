import { parseArgs } from "node:util";
import { allEncodings } from "../../jit/isa/encodings.ts";
import { createDecoder } from "../../jit/isa/decode.ts";
import { format } from "../../jit/isa/format.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import { Campaign } from "./campaign.ts";
import type { Difference } from "./campaign.ts";
import type { CaseRunner } from "./case-runner.ts";
import { formatTable } from "./compare.ts";
import { DEFAULT_ENGINES, ENGINES, openUndefinedFlags } from "./engines.ts";
import { formName } from "./form.ts";
import { hostFlags, hostVendor } from "./host.ts";
import { openNativeOracle } from "./native.ts";

/** Differences that are printed in full without --verbose. */
const SHOWN = 10;
/** Names in one line about what was not run, without --verbose. */
const NAMES_SHOWN = 40;
/** Without a terminal, cases between two lines of progress. */
const PROGRESS_STEP = 250_000;

const USAGE = `npm run oracle -- [options]
  --count N            cases to generate (10000)
  --seed S             seed of the cases; without it one is picked and printed
  --only a,b           only these mnemonics
  --engine a,b         what to compare with the host's CPU: ${Object.keys(ENGINES).join(", ")} (${DEFAULT_ENGINES.join(",")})
  --verbose            print every difference, not only the first ${SHOWN}, and all names of what was not run`;

/** Runs random cases on the host's CPU and on the back ends. @returns the exit code: 0 equal, 1 different, 2 not run */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "10000" },
      seed: { type: "string" },
      only: { type: "string" },
      engine: { type: "string" },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const count = integer("--count", values.count);
  const seed =
    values.seed === undefined ? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) : integer("--seed", values.seed);
  const only = values.only?.split(",").filter(Boolean) ?? [];
  const encodings = allEncodings();
  const unknown = only.find((name) => !encodings.some(({ mnemonic }) => mnemonic === name));
  if (unknown !== undefined) throw new UsageError(`--only: no instruction is called "${unknown}"`);

  const oracle = openNativeOracle();
  if ("reason" in oracle) {
    console.log(`skipped: ${oracle.reason}`);
    return 0;
  }
  const engines = await openEngines(values.engine?.split(",") ?? DEFAULT_ENGINES);
  const options = {
    encodings,
    seed,
    count,
    only,
    hasLdt: oracle.runner.hasLdt,
    hostFlags: hostFlags(),
    vendor: hostVendor(),
  };
  const campaign = new Campaign(options);
  console.log(
    `seed ${seed}, ${campaign.forms.length} forms, native against ${engines.map(({ name }) => name).join(", ")}`,
  );

  const report = progressReporter(count);
  let compared = 0;
  let different = 0;
  let shown = 0;
  const groups = new Map<string, number>();
  for (const progress of campaign.run(oracle.runner, engines, await openUndefinedFlags())) {
    compared = progress.compared;
    different += progress.differences.length;
    for (const difference of progress.differences) {
      const group = `${difference.engine}: ${difference.oracleCase.mnemonic} (${difference.oracleCase.encoding})`;
      groups.set(group, (groups.get(group) ?? 0) + 1);
      if (values.verbose || shown++ < SHOWN) console.log(describe(difference, seed));
    }
    report(progress.generated, different);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  if (different > 0) {
    console.log("differences by instruction:");
    for (const [group, number] of [...groups].sort((x, y) => y[1] - x[1]))
      console.log(`  ${number.toString().padStart(6)}  ${group}`);
  }
  for (const [reason, number] of campaign.discarded) console.log(`${number} cases left out: ${reason}`);
  for (const line of campaign.coverageLines(values.verbose ? Infinity : NAMES_SHOWN)) console.log(line);
  console.log(`${compared} compared, ${different} differ`);
  return different > 0 ? 1 : 0;
}

/** Says on stderr how far a campaign is: in place on a terminal, else now and then in a line of its own. */
function progressReporter(count: number): (generated: number, different: number) => void {
  const started = performance.now();
  let next = PROGRESS_STEP;
  return (generated, different) => {
    const perSecond = (generated / (performance.now() - started)) * 1000;
    const left = Math.ceil((count - generated) / perSecond);
    const line = `${generated} of ${count}, ${different} differ, ${perSecond.toFixed(0)} a second, ${left} s left`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    else if (generated >= next && generated < count) {
      next += PROGRESS_STEP;
      process.stderr.write(`${line}\n`);
    }
  };
}

const decoder = createDecoder(new Set(FEATURES));

class UsageError extends Error {}

function integer(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`${option}: expected a number, found "${text}"`);
  return value;
}

async function openEngines(names: readonly string[]): Promise<CaseRunner[]> {
  if (names.length === 0)
    throw new UsageError(`--engine: there is no back end yet but ${Object.keys(ENGINES).join(", ")}`);
  const runners: CaseRunner[] = [];
  for (const name of names) {
    const open = ENGINES[name];
    if (!open) throw new UsageError(`--engine: "${name}" is none of ${Object.keys(ENGINES).join(", ")}`);
    const runner = await open();
    if ("reason" in runner) throw new UsageError(`--engine ${name}: ${runner.reason}`);
    runners.push(runner);
  }
  return runners;
}

function describe({ oracleCase, form, engine, index, rows }: Difference, seed: number): string {
  const bytes = [...oracleCase.code].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const { code, codeGva } = oracleCase;
  const decoded = decoder.decode(code, 0, code.length, form.codeSize);
  const text = typeof decoded === "string" ? `${oracleCase.mnemonic} (${decoded})` : format(decoded, BigInt(codeGva));
  const title = `${text}   ${bytes}   (${formName(form)}; seed ${seed}, case ${index})`;
  return `${title}\n${formatTable(rows, "native", engine)}\n`;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError && "code" in error)) throw error;
  console.error(`oracle: ${error.message}`);
  process.exitCode = 2;
}
