import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** a folder of this run of the tests, for the package: the first test that needs it packs it there */
    packFolder: string;
  }
}

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "umbra-pack-"));
  project.provide("packFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
