import { fileURLToPath } from "node:url";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What lies beside the programs of each platform. */
export const ASSETS = ["core.wasm", "core.manifest.json"] as const;

export const PLATFORMS = ["node", "browser"] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface Layout {
  /** programs, by the names of their files without ".js" */
  readonly entries: Readonly<Record<string, string>>;
  /**
   * Entries share no files: a page without a bundler makes one request for each, and whoever bundles a page takes workers along as they
   * are. What an entry loads only on some hosts, or for some options, is in files of its own.
   */
  readonly standsAlone: boolean;
}

export const LAYOUTS: Readonly<Record<Platform, Layout>> = {
  node: {
    entries: {
      index: "src/index.ts",
      umbra: "src/cli/installed.mjs",
      "machine-worker": "src/host/node/machine-worker.ts",
      "translator-worker": "src/host/node/translator-worker.ts",
    },
    standsAlone: false,
  },
  browser: {
    entries: {
      index: "src/index.ts",
      "machine-worker": "src/host/web/machine-worker.ts",
      "translator-worker": "src/host/web/translator-worker.ts",
    },
    standsAlone: true,
  },
};
