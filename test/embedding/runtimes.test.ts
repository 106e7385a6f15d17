import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../../src/boot/debian.ts";
import { moduleEntries, moduleFiles } from "../../src/boot/modules.ts";
import { type EmptyProject, emptyProject, PACKING_MS } from "../package/packed.ts";
import { hasChromium, launchChromium } from "../web/browser.ts";
import { DISK_KINDS } from "./disks.ts";
import { type PageFiles, type PageRun, runPage } from "./pages.ts";
import type { ProcessInput } from "./process-entry.ts";
import { findProcessRuntimes, type ProcessRun, runProcess } from "./runtimes.ts";
import { EXPECTED_DISKS, EXPECTED_PROGRAM, EXPECTED_STEPS, MODULES, SCRIPT } from "./scenario.ts";
import { openSite, type Site } from "./site.ts";
import { diskImage, ONE_THREAD } from "./surroundings.ts";
import { cellsOf, type RuntimeRow, tableIn, tableOf } from "./table.ts";
import type { Report, Work } from "./work.ts";

// The packed package, installed in an empty project, in every runtime that there is: the same scenario, with the same outcome.

/** Threads of a machine by default, none but the caller's, and the caller's with a worker that translates. */
const PROCESS_WORK: Work = { machines: [{}, ONE_THREAD], program: { host: "same-thread" } };
const PAGES: Readonly<Record<string, { readonly isolated: boolean; readonly work: Work }>> = {
  "Chromium, cross-origin isolated": { isolated: true, work: { machines: [{}], program: { host: "same-thread" } } },
  "Chromium, not isolated": {
    isolated: false,
    work: { machines: [ONE_THREAD, {}], program: { host: "same-thread" } },
  },
};

/** As many runtimes at once as a small machine has processors. */
const LANES = 2;
/** For all of them, on a machine that has much else to do. */
const ALL_MS = 840_000;
/** A process that nothing keeps ends at once; an idle worker would keep it for ever. */
const LINGERING_MS = 20_000;

const processRuntimes = findProcessRuntimes();
for (const { name, version, missing } of processRuntimes)
  if (version === undefined) console.log(`not run: the package in ${name}: ${missing} (npm run setup brings it in)`);

let project: EmptyProject;
let browser: Browser | undefined;
let site: Site;
const runs = new Map<string, Promise<ProcessRun>>();
const pages = new Map<string, Promise<PageRun>>();

beforeAll(async () => {
  const debian = await fetchDebian();
  project = await emptyProject();
  const modules = await moduleFiles(debian.kernel.packagePath, MODULES);
  const initrd = join(project.directory, "initrd.img");
  writeFileSync(
    initrd,
    busyboxInitramfs({ busybox: readFileSync(debian.busybox.path), script: SCRIPT, extra: moduleEntries(modules) }),
  );
  const files = { kernel: debian.kernel.path, busybox: debian.busybox.path, initrd };
  const [script, page] = await Promise.all([bundle("process-entry"), bundle("page-entry")]);
  site = await openSite((name) => (name === "disk.img" ? diskImage("http") : undefined), { isolated: false });

  const lane = lanes(LANES);
  for (const runtime of processRuntimes) {
    if (runtime.version === undefined) continue;
    const label = `${runtime.name} ${runtime.version}`;
    const input: ProcessInput = {
      work: PROCESS_WORK,
      ...files,
      diskUrl: `${site.url}disk.img`,
      diskFile: join(project.directory, `${label}.img`),
    };
    const run = lane(label, () => runProcess(runtime, script, input, project.directory));
    keep(runs, label, run);
  }
  if (!hasChromium) return;
  const chromium = await launchChromium();
  browser = chromium;
  const umbra = join(project.directory, "node_modules/umbra/dist/browser");
  const pageFiles: PageFiles = { ...files, script: page, umbra, disk: diskImage("http") };
  for (const [label, { isolated, work }] of Object.entries(PAGES))
    keep(
      pages,
      label,
      lane(label, () => runPage(chromium, pageFiles, isolated, work)),
    );
}, PACKING_MS);

afterAll(async () => {
  await browser?.close();
  await site?.close();
  await project?.remove();
}, PACKING_MS);

/** Bundles one of the programs beside this file, but not the package: that is found as the runtime finds it. */
async function bundle(name: "process-entry" | "page-entry"): Promise<string> {
  const outfile = join(project.directory, `${name}.js`);
  const isPage = name === "page-entry";
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    bundle: true,
    format: "esm",
    platform: isPage ? "browser" : "node",
    target: "esnext",
    outfile,
    tsconfigRaw: {},
    plugins: [
      {
        name: "package",
        setup(bundler) {
          const path = isPage ? "./umbra/index.js" : "umbra";
          bundler.onResolve({ filter: /^umbra$/ }, () => ({ path, external: true }));
        },
      },
    ],
  });
  return outfile;
}

/** Does some of what it is given at once, in order, and says how long each took. */
function lanes(count: number): <T>(label: string, work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (label, work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    const started = performance.now();
    try {
      return await work();
    } finally {
      console.log(`${label}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** Keeps a run for the test that waits for it, which another one's failure may keep from doing so. */
function keep<T>(runs: Map<string, Promise<T>>, label: string, run: Promise<T>): void {
  run.catch(() => undefined);
  runs.set(label, run);
}

function expectReport({ capabilities, scenarios, program }: Report, work: Work): void {
  expect(capabilities.hosting).toEqual({
    worker: { thread: "worker", translation: "worker" },
    "same-thread": { thread: "same-thread", translation: "worker" },
  });
  expect(scenarios.map(({ hosting }) => hosting)).toEqual(
    work.machines.map(({ host = "worker", translation = "worker" }) => ({ thread: host, translation })),
  );
  for (const [index, { steps, disks, hosting }] of scenarios.entries()) {
    expect(steps, `steps of machine ${index}`).toEqual(EXPECTED_STEPS);
    const there = DISK_KINDS.filter((kind) => capabilities.disks[kind][hosting.thread] === "yes");
    expect(disks).toEqual(Object.fromEntries(there.map((kind) => [kind, EXPECTED_DISKS[kind]])));
  }
  expect(program).toBe(work.program && EXPECTED_PROGRAM);
}

describe.each(processRuntimes)("the package in $name $version", { timeout: ALL_MS }, ({ name, version }) => {
  it.runIf(version !== undefined)("does the same as everywhere, and lets its process end", async () => {
    const run = await runs.get(`${name} ${version}`);
    if (!run) throw new Error("it was not started");
    expectReport(run.report, PROCESS_WORK);
    expect(run.stderr).toBe("");
    expect(run.lingeredMs).toBeLessThan(LINGERING_MS);
  });
});

describe.runIf(hasChromium).each(Object.entries(PAGES))(
  "the package in %s",
  { timeout: ALL_MS },
  (label, { isolated, work }) => {
    it("does the same as everywhere, and leaves no worker", async () => {
      const run = await pages.get(label);
      if (!run) throw new Error("it was not started");
      expect(run.errors).toEqual([]);
      expect(run.isolated).toBe(isolated);
      expectReport(run.report, work);
      expect(run.workersLeft).toBe(0);
    });
  },
);

describe.each(["README.md", "docs/embedding.md"])("the table of runtimes in %s", { timeout: ALL_MS }, (document) => {
  it("says what was found", async () => {
    const written = tableIn(readFileSync(join(import.meta.dirname, "../..", document), "utf8"));
    const rows: RuntimeRow[] = [];
    for (const { name, version } of processRuntimes) {
      const run = await runs.get(`${name} ${version}`);
      if (run && version !== undefined) rows.push({ runtime: name, version, capabilities: run.report.capabilities });
    }
    for (const label of Object.keys(PAGES)) {
      const run = await pages.get(label);
      // Chromium is whatever Debian has: the document names the one that was there when it was written.
      const version = written.find(([runtime]) => runtime === label)?.[1] ?? browser?.version().split(".")[0] ?? "";
      if (run) rows.push({ runtime: label, version, capabilities: run.report.capabilities });
    }
    const found = rows.map(cellsOf);
    const absent = (runtime = "", version = ""): boolean =>
      !(runs.has(`${runtime} ${version}`) || pages.has(runtime)) && isMissing(runtime);
    const expected = written.filter(([runtime, version]) => !absent(runtime, version));
    expect(expected, `${document} must have this table:\n${tableOf(found)}\n`).toEqual(found);
  });
});

/** Whether a runtime of this name could not be run here. */
function isMissing(runtime: string): boolean {
  if (runtime.startsWith("Chromium")) return !hasChromium;
  return processRuntimes.some(({ name, version }) => name === runtime && version === undefined);
}
