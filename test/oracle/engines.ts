import type { CaseRunner } from "./case-runner.ts";
import { BareMachineRunner } from "./bare-machine-runner.ts";
import { openNativeOracle } from "./native.ts";

/** Opens a runner, or says why there is none. */
type OpenRunner = () => Promise<CaseRunner | { readonly reason: string }>;

/**
 * Everything that cases can be run on and compared with the host's CPU, by the names that --engine takes. A back end is plugged
 * in by a line here.
 */
export const ENGINES: Readonly<Record<string, OpenRunner>> = {
  interpreter: () => BareMachineRunner.open("interpreter"),
  /** everything that can be is translated before it runs */
  translator: () => BareMachineRunner.open("translator"),
  /** the host's CPU once more: shows that cases are deterministic and that nothing leaks from one to the next */
  native: () => {
    const oracle = openNativeOracle();
    return Promise.resolve("reason" in oracle ? oracle : oracle.runner);
  },
};

/** The back ends of this project: what recorded vectors are replayed on. */
export const BACK_ENDS: readonly string[] = Object.keys(ENGINES).filter((name) => name !== "native");
/** What runs without --engine: every back end. The interpreter alone takes a fifth of the time. */
export const DEFAULT_ENGINES: readonly string[] = ["interpreter", "translator"];

/** Flags that an instruction leaves undefined, by name: the definitions' own statement. */
export type UndefinedFlags = (mnemonic: string) => string;

interface Registry {
  readonly definitions?: Readonly<Record<string, { readonly flags?: { readonly undefined?: string } }>>;
}

export async function openUndefinedFlags(): Promise<UndefinedFlags> {
  const registry = (await import("../../jit/semantics/registry.ts")) as object as Registry;
  return (mnemonic) => registry.definitions?.[mnemonic]?.flags?.undefined ?? "";
}
