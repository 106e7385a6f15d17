import type { OracleCase, OracleResult } from "./format.ts";

/** Something that runs cases: the host's CPU, a back end over the bare machine, a file of recorded results. */
export interface CaseRunner {
  readonly name: string;
  /** One result for each case, in order. A case that it cannot run has the outcome "unsupported". */
  run(cases: readonly OracleCase[]): OracleResult[];
}
