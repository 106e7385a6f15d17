import type { Optimization } from "../../jit/emit/module.ts";

/** What a guest is to run, and what is done to its wide regions. */
export interface GuestTask {
  readonly passes: readonly string[];
  /** programs and the arguments that each gets */
  readonly programs: readonly { readonly name: string; readonly path: string; readonly args: readonly string[] }[];
  /** where modules of wide regions are written to */
  readonly folder: string;
}

export interface GuestResult {
  /** the fastest repetition of each workload, in seconds of the guest's thread */
  readonly seconds: Readonly<Record<string, number>>;
  /** wide regions, their guest instructions, bytes before and after */
  readonly regions: number;
  readonly instructions: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** of the guest's thread, for Binaryen alone */
  readonly binaryenMs: number;
}

export interface CompileResult {
  /** of all threads, for TurboFan alone */
  readonly turbofanMs: number;
}

/** "none" is the module as the translator writes it, "read" goes through Binaryen unchanged, "-O2" is a level, others are passes. */
export function optimizationOf(passes: readonly string[]): Optimization | undefined {
  const [first = "none"] = passes;
  if (first === "none") return undefined;
  if (first === "read") return { passes: [] };
  const level = /^-O([0-3])$/.exec(first)?.[1];
  return level === undefined ? { passes } : { level: Number(level) as 0 | 1 | 2 | 3 };
}
