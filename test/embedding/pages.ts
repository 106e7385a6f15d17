import { join } from "node:path";
import type { Browser } from "playwright-core";
import { visit } from "../web/browser.ts";
import { openSite } from "./site.ts";
import type { Report, Work } from "./work.ts";

/** What a page has done. */
export interface PageRun {
  readonly report: Report;
  readonly errors: readonly string[];
  readonly isolated: boolean;
  /** workers that are left when all machines are closed */
  readonly workersLeft: number;
}

export interface PageFiles {
  /** what page-entry.ts was bundled to */
  readonly script: string;
  /** folder of the package's files for browsers */
  readonly umbra: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly busybox: string;
  readonly disk: Uint8Array;
}

const HTML = new TextEncoder().encode(
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
);
/** On a machine that has much else to do. */
const LOADING_MS = 240_000;
/** A worker that was ended is gone a moment later. */
const ENDING_MS = 60_000;

/** Opens a page with the package in it, and lets it work. */
export async function runPage(browser: Browser, files: PageFiles, isolated: boolean, work: Work): Promise<PageRun> {
  const { script, umbra, disk, kernel, initrd, busybox } = files;
  const named: Readonly<Record<string, Uint8Array | string>> = {
    "": HTML,
    "page.js": script,
    "disk.img": disk,
    kernel,
    initrd,
    busybox,
  };
  const site = await openSite(
    (name) => (name.startsWith("umbra/") ? join(umbra, name.slice("umbra/".length)) : named[name]),
    { isolated },
  );
  const { page, errors, close } = await visit(browser, site.url);
  try {
    await page.waitForFunction(() => "startWork" in globalThis, undefined, { timeout: LOADING_MS });
    const report = await page.evaluate((wanted) => globalThis.startWork(wanted), work);
    for (const deadline = Date.now() + ENDING_MS; page.workers().length > 0 && Date.now() < deadline;)
      await page.waitForTimeout(50);
    return {
      report,
      errors,
      isolated: await page.evaluate(() => globalThis.crossOriginIsolated),
      workersLeft: page.workers().length,
    };
  } finally {
    await close();
    await site.close();
  }
}
