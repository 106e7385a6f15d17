import type { Encoding } from "../../jit/isa/encoding.ts";
import type { CaseRunner } from "./case-runner.ts";
import { FEATURES } from "../../jit/isa/row.ts";
import { maskFor, NOT_NATIVE, whyIncomparable, whyVendorDiffers } from "./comparable.ts";
import { compareResults } from "./compare.ts";
import type { ComparedRow } from "./compare.ts";
import type { UndefinedFlags } from "./engines.ts";
import { allForms, formName } from "./form.ts";
import type { Form } from "./form.ts";
import type { OracleCase, OracleResult } from "./format.ts";
import { generateCase } from "./generate.ts";
import { Prng } from "./prng.ts";

const BATCH = 4096;
/** Random choices can contradict each other; several attempts never all do. */
const ATTEMPTS = 20;

export interface CampaignOptions {
  readonly encodings: readonly Encoding[];
  readonly seed: number;
  readonly count: number;
  /** mnemonics to restrict the cases to; empty: all */
  readonly only: readonly string[];
  readonly hasLdt: boolean;
  readonly hostFlags: ReadonlySet<string>;
  /** CPUID's vendor string of the host */
  readonly vendor: string;
}

export interface Difference {
  readonly oracleCase: OracleCase;
  readonly form: Form;
  readonly engine: string;
  readonly index: number;
  readonly rows: readonly ComparedRow[];
}

/** A generated case with the form that it exercises. */
export interface GeneratedCase {
  readonly oracleCase: OracleCase;
  readonly form: Form;
}

/** What a seed's cases are drawn from, and how many of the forms they reached. */
export class Campaign {
  readonly forms: readonly Form[];
  /** forms that cannot be run here, with the reason */
  readonly excluded: readonly { readonly form: Form; readonly reason: string }[];
  readonly exercised = new Set<Form>();
  /** incomparable cases by reason */
  readonly discarded = new Map<string, number>();
  readonly #options: CampaignOptions;
  readonly #prng: Prng;
  readonly #order: Form[];
  #next = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#prng = new Prng(options.seed);
    const wanted = allForms(options.encodings).filter(
      ({ encoding }) => options.only.length === 0 || options.only.includes(encoding.mnemonic),
    );
    const judged = wanted.map((form) => ({ form, reason: whyExcluded(form, options) }));
    this.forms = judged.filter(({ reason }) => reason === undefined).map(({ form }) => form);
    this.excluded = judged.flatMap(({ form, reason }) => (reason === undefined ? [] : [{ form, reason }]));
    this.#order = [...this.forms];
  }

  /** The next cases: every form once, in random order, then again. */
  generate(count: number): GeneratedCase[] {
    const cases: GeneratedCase[] = [];
    for (let i = 0; i < count && this.#order.length > 0; i++) {
      const position = this.#next++ % this.#order.length;
      if (position === 0) this.#prng.shuffle(this.#order);
      const form = this.#order[position];
      if (!form) break;
      let oracleCase: OracleCase | undefined;
      for (let attempt = 0; attempt < ATTEMPTS && !oracleCase; attempt++) oracleCase = generateCase(this.#prng, form);
      if (oracleCase) cases.push({ oracleCase, form });
    }
    return cases;
  }

  /** Runs `count` cases natively and on every engine. Yields after each batch. */
  *run(
    native: CaseRunner,
    engines: readonly CaseRunner[],
    undefinedFlags: UndefinedFlags,
  ): Generator<CampaignProgress> {
    let compared = 0;
    for (let done = 0; done < this.#options.count; done += BATCH) {
      const generated = this.generate(Math.min(BATCH, this.#options.count - done));
      if (generated.length === 0) return;
      const all = native.run(generated.map(({ oracleCase }) => oracleCase));
      const usable = generated.flatMap((each, i) => {
        const result = all[i];
        if (!result || this.#discard(each.oracleCase, result)) return [];
        this.exercised.add(each.form);
        return [{ ...each, result, index: done + i }];
      });
      const differences: Difference[] = [];
      for (const engine of engines) {
        const results = engine.run(usable.map(({ oracleCase }) => oracleCase));
        for (const [i, { oracleCase, form, result, index }] of usable.entries()) {
          const actual = results[i];
          if (!actual) throw new Error(`${engine.name} gave ${results.length} results for ${usable.length} cases`);
          const rows = compareResults(
            oracleCase,
            result,
            actual,
            maskFor(oracleCase, result, undefinedFlags(oracleCase.mnemonic)),
          );
          if (rows.length > 0) differences.push({ oracleCase, form, engine: engine.name, index, rows });
        }
      }
      compared += usable.length;
      yield { generated: done + generated.length, compared, differences };
    }
  }

  #discard(oracleCase: OracleCase, result: OracleResult): boolean {
    const reason = whyIncomparable(oracleCase, result);
    if (reason !== undefined) this.discarded.set(reason, (this.discarded.get(reason) ?? 0) + 1);
    return reason !== undefined;
  }

  /** "forms exercised: 6300 of 6342", then the names of the others by reason, at most `most` in a line. */
  coverageLines(most: number): string[] {
    const lines = [
      `forms exercised: ${this.exercised.size} of ${this.forms.length + this.excluded.length}` +
        (this.excluded.length > 0 ? ` (${this.excluded.length} cannot be run here)` : ""),
    ];
    const byReason = new Map<string, Set<string>>();
    for (const { form, reason } of this.excluded) {
      const names = byReason.get(reason) ?? new Set();
      byReason.set(reason, names.add(`${form.encoding.mnemonic} (${form.encoding.id})`));
    }
    for (const [reason, names] of byReason) lines.push(`not run, ${reason}: ${listed([...names], most)}`);
    const never = this.forms.filter((form) => !this.exercised.has(form));
    if (never.length > 0) {
      const names = never.map((form) => `${form.encoding.mnemonic} ${formName(form)}`);
      lines.push(`never exercised: ${never.length} forms: ${listed(names, most)}`);
    }
    return lines;
  }
}

function listed(names: readonly string[], most: number): string {
  const rest = names.length - most;
  return names.slice(0, most).join(", ") + (rest > 0 ? `, and ${rest} more` : "");
}

export interface CampaignProgress {
  readonly generated: number;
  readonly compared: number;
  /** of this batch */
  readonly differences: readonly Difference[];
}

/** Names in /proc/cpuinfo of the features whose names there differ. */
const CPUINFO_NAMES: Readonly<Record<string, string>> = {
  sse3: "pni",
  "sse4.1": "sse4_1",
  "sse4.2": "sse4_2",
  lzcnt: "abm",
  sha: "sha_ni",
  crc32: "sse4_2",
  cx16: "cx16",
  prefetchw: "3dnowprefetch",
};

function whyExcluded(form: Form, { hasLdt, hostFlags, vendor }: CampaignOptions): string | undefined {
  const { encoding, codeSize } = form;
  const reason = NOT_NATIVE[encoding.mnemonic];
  if (reason !== undefined) return reason;
  const vendorReason = whyVendorDiffers(form, vendor);
  if (vendorReason !== undefined) return vendorReason;
  if (codeSize === 16 && !hasLdt) return "the host's kernel has no modify_ldt";
  for (const flag of encoding.flags) {
    if ((FEATURES as readonly string[]).includes(flag) && !hostFlags.has(CPUINFO_NAMES[flag] ?? flag))
      return `the host has no ${flag}`;
  }
  return undefined;
}
