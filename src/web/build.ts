import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { build } from "vite";
import type { FetchProgress } from "../boot/debian.ts";
import { buildPlatform } from "../package/build.ts";
import { VmError } from "../errors.ts";
import { ROOT } from "../package/layout.ts";
import { writeGuestFiles } from "./guest-files.ts";
import { ISOLATION_HEADERS } from "./server.ts";

export interface PageOptions {
  readonly directory: string;
  readonly onProgress: (progress: FetchProgress) => void;
}

/** Files that become smaller; the kernel is compressed already. */
const COMPRESSIBLE = new Set([".html", ".js", ".css", ".json", ".svg", ".wasm", ".img"]);
/** Of 11: the last two take ten times as long for a few percent. */
const BROTLI_QUALITY = 9;
/** Written last: a folder that has it is a page. */
const HEADERS_FILE = "_headers";

/**
 * Builds the page into a folder that any static server can serve: the page with its scripts and styles, which hold hashes in their
 * names; the kernel and the initrd; each compressed beside the plain file; and _headers, from which some hosts of static sites take the
 * headers to send. The page uses the package as it is published. What was in the folder is gone.
 *
 * @throws {VmError} ERR_CONFIG for a folder with something else in it; and see writeGuestFiles
 */
export async function buildPage({ directory, onProgress }: PageOptions): Promise<void> {
  await checkDirectory(directory);
  const library = await mkdtemp(join(ROOT, "build", "web-library-"));
  try {
    await buildPlatform("browser", library);
    await build({
      configFile: false,
      root: join(ROOT, "src/web/page"),
      base: "./",
      logLevel: "error",
      resolve: { alias: { umbra: join(library, "browser/index.js") } },
      build: {
        outDir: directory,
        emptyOutDir: true,
        target: "esnext",
        modulePreload: { polyfill: false },
        // data: URLs of scripts and styles would have to be allowed by the page's content security policy.
        assetsInlineLimit: 0,
      },
      worker: { format: "es" },
    });
  } finally {
    await rm(library, { recursive: true, force: true });
  }
  await writeGuestFiles(join(directory, "guest"), onProgress);
  await compressAll(directory);
  const headers = Object.entries(ISOLATION_HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
  await writeFile(join(directory, HEADERS_FILE), `/*\n${headers.join("")}`);
}

/** A folder is emptied only if this program has filled it. */
async function checkDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.length > 0 && !names.includes(HEADERS_FILE))
    throw new VmError(
      "ERR_CONFIG",
      `${directory} is not empty, and holds no page: expected a new folder, or an older page`,
    );
}

async function compressAll(directory: string): Promise<void> {
  const compress = promisify(brotliCompress);
  const names = await readdir(directory, { recursive: true });
  await Promise.all(
    names
      .filter((name) => COMPRESSIBLE.has(extname(name)))
      .map(async (name) => {
        const bytes = await readFile(join(directory, name));
        const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
        await writeFile(join(directory, `${name}.br`), await compress(bytes, { params }));
      }),
  );
}
