import type { Plugin } from "rolldown";

/** `new URL("...", import.meta.url)` of a worker, or of a file of build/, as the sources write it. */
const ASSET_URL = /new URL\(\s*"(?:[./\w-]*\/)?([\w-]+-worker)\.ts",\s*import\.meta\.url,?\s*\)/g;
const BUILD_URL = /new URL\(\s*"(?:\.\.\/)+build\/([\w.-]*)",\s*import\.meta\.url,?\s*\)/g;

/** In the package, workers and the files of build/ lie beside the program that asks for them, and are JavaScript. */
export const assetUrls: Plugin = {
  name: "umbra-asset-urls",
  transform: {
    filter: { code: "import.meta.url" },
    handler: (code) => ({
      code: code
        .replaceAll(ASSET_URL, 'new URL("./$1.js", import.meta.url)')
        .replaceAll(BUILD_URL, 'new URL("./$1", import.meta.url)'),
      map: null,
    }),
  },
};

/** Binaryen has megabytes: a page must never load it, not even in a chunk that nobody asks for. */
export const noBinaryen: Plugin = {
  name: "umbra-no-binaryen",
  resolveId: {
    filter: { id: /^binaryen$/ },
    handler(_source, importer) {
      throw new Error(`${importer ?? "an entry"} imports binaryen, which no browser is to load`);
    },
  },
};
