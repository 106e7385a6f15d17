import type { Capabilities } from "./capabilities.ts";
import type { DiskKind } from "./disks.ts";

/** A row of the table "what each runtime supports" of README.md and docs/embedding.md. */
export interface RuntimeRow {
  readonly runtime: string;
  readonly version: string;
  readonly capabilities: Capabilities;
}

const HEADINGS = [
  "runtime",
  "version",
  "worker",
  "one thread",
  "translation in a worker",
  "shares memory",
  "`fileDisk`",
  "`blobDisk`",
  "`httpDisk`",
  "own `Disk`",
  "`opfsDisk`",
] as const;
const DISKS = ["file", "blob", "http", "own", "opfs"] as const satisfies readonly DiskKind[];

/** The cells of a row, in the order of the headings. */
export function cellsOf({ runtime, version, capabilities }: RuntimeRow): readonly string[] {
  const { machine, hosting, sharesMemory, disks } = capabilities;
  return [
    runtime,
    version,
    machine.worker,
    machine["same-thread"],
    hosting.worker?.translation === "worker" ? "yes" : "no",
    sharesMemory ? "yes" : "no",
    ...DISKS.map((kind) => {
      const { worker, "same-thread": same } = disks[kind];
      if (worker === same) return worker;
      return worker === "yes" ? "in a worker" : `worker: ${worker}, one thread: ${same}`;
    }),
  ];
}

/** The rows of that table in a document, without its headings. Spaces around cells do not count. */
export function tableIn(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const first = lines.findIndex((cells) => cells.join() === HEADINGS.join());
  if (first < 0) return [];
  const end = lines.findIndex((cells, index) => index > first && cells.length === 0);
  return lines.slice(first + 2, end);
}

/** The table as a document may have it. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  return [HEADINGS, HEADINGS.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
