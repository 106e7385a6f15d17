import type { Suite } from "../slowdown/suites.ts";

/** Width of the programs that an engine runs: v86 knows no 64-bit mode. */
export type Word = 32 | 64;

/** One program to run: the workloads of a suite. */
export interface PlanItem {
  readonly suite: Suite;
  /** path of the static executable on the host */
  readonly program: string;
  readonly args: readonly string[];
}

/** What no engine of 32-bit programs can run. */
export const WITHOUT_32_BIT: Readonly<Partial<Record<Suite, string>>> = {
  openblas: "a static 32-bit OpenBLAS of Debian 12 faults as it starts when GLIBC_TUNABLES is set, as it must be here",
};

/** What an engine is asked to run. */
export interface Plan {
  readonly items: readonly PlanItem[];
  /** for the programs, not for the engine */
  readonly environment: Readonly<Record<string, string>>;
  /** a folder for files of this run; removed afterwards */
  readonly folder: string;
}

/** A process to start, and how its output is to be read. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** suites whose programs run in this process */
  readonly suites: readonly Suite[];
  /**
   * program: it runs as a process of this machine, and its own clocks are right.
   * machine: it runs in a virtual machine, whose clocks the host checks, and whose processor time is that of the whole process.
   */
  readonly kind: "program" | "machine";
}

/** Whether an engine can be used here. */
export type Availability =
  | { readonly usable: true; readonly version: string; readonly notes?: readonly string[] }
  | {
      readonly usable: false;
      readonly reason: string;
      /** how to make it usable, for the report */
      readonly install: string;
    };

/** Something that runs x86 programs. */
export interface Engine {
  /** what --engine takes */
  readonly name: string;
  readonly about: string;
  readonly word: Word;
  /** guess of how much slower than native it is, for the time left; measured values replace it */
  readonly expectedSlowdown: number;
  /** guess of the seconds that a start takes */
  readonly expectedStart: number;
  /** suites that it cannot run, with the reason */
  readonly cannotRun?: Readonly<Partial<Record<Suite, string>>>;
  /** Looks whether it is there and truly works. */
  probe(): Promise<Availability>;
  /** Makes what is needed to run a plan, in as many processes as it takes. */
  launches(plan: Plan): Promise<readonly Launch[]>;
}
