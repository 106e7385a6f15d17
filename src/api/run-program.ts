import type { Bytes } from "./bytes.ts";
import type { MachineOptions } from "./options.ts";

export interface RunProgramOptions extends Partial<
  Pick<
    MachineOptions,
    | "memoryBytes"
    | "kernel"
    | "engine"
    | "translation"
    | "codeCacheBytes"
    | "cpu"
    | "clock"
    | "host"
    | "signal"
    | "assets"
  >
> {
  /** argv[0]; default "program" */
  readonly name?: string;
  /** what follows argv[0] */
  readonly args?: readonly string[];
  /** the whole environment of the program; default: PATH and HOME */
  readonly env?: Readonly<Record<string, string>>;
  /** files that the program finds, by their absolute paths */
  readonly files?: Readonly<Record<string, string | Bytes>>;
  /** what the program reads from its standard input; default: nothing */
  readonly stdin?: string | Bytes;
  /** working directory; default "/" */
  readonly directory?: string;
  /** called with what the program writes, as it does */
  readonly onStdout?: (bytes: Uint8Array) => void;
  readonly onStderr?: (bytes: Uint8Array) => void;
}

export interface ProgramResult {
  /** what the program returned, 0 to 255; 128 + the signal's number if a signal ended it */
  readonly exitCode: number;
  /** number of the signal that ended the program */
  readonly signal: number | undefined;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
}
export type { Bytes };
