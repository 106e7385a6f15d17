import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./layout.ts";

export interface Packed {
  /** path of the tarball */
  readonly tarball: string;
  /** bytes of the tarball, and of what it unpacks to */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the package as npm publishes it, dist/ built anew, into a folder. */
export async function pack(directory: string): Promise<Packed> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--json", "--pack-destination", directory], {
    cwd: ROOT,
    maxBuffer: 1 << 24,
  });
  // What scripts print comes before it.
  const reports = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as readonly PackReport[];
  const [report] = reports;
  if (!report) throw new Error("npm pack reports no package");
  const { filename, size, unpackedSize, files } = report;
  return { tarball: join(directory, filename), size, unpackedSize, files: files.map(({ path }) => path) };
}
