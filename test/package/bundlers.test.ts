import { cp, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { build as esbuild } from "esbuild";
import type { Browser } from "playwright-core";
import { build as vite } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/web/server.ts";
import { hasChromium, launchChromium, visit } from "../web/browser.ts";
import { GREETING, GREETING_PROGRAM } from "./greeting.ts";
import { type EmptyProject, emptyProject, PACKING_MS } from "./packed.ts";

const RUN_MS = 60_000;
const PAGE_PROGRAM = `const tell = (text) => (document.title = text);\n${GREETING_PROGRAM}`;
const page = (script: string): string =>
  `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>-</title>${script}`;

let project: EmptyProject;
let browser: Browser;

describe.runIf(hasChromium)("the package in a page", () => {
  beforeAll(async () => {
    [project, browser] = await Promise.all([emptyProject(), launchChromium()]);
    await project.write("app.js", PAGE_PROGRAM);
  }, PACKING_MS);
  afterAll(async () => {
    await browser?.close();
    await project?.remove();
  });

  /** Opens a folder of the project as a site, and waits until its program has spoken. */
  async function expectGreeting(folder: string): Promise<void> {
    const directory = join(project.directory, folder);
    const server = await serve({ directory, host: "127.0.0.1", port: 0 });
    const { page: opened, errors, requests, close } = await visit(browser, server.url);
    try {
      // From here: the page's content security policy lets nobody evaluate text in it.
      const deadline = Date.now() + RUN_MS;
      while ((await opened.title()) === "-" && Date.now() < deadline) await opened.waitForTimeout(100);
      expect([errors, await opened.title()]).toEqual([[], GREETING]);
      const bytes = [...requests.values()].reduce((sum, size) => sum + size, 0);
      console.log(`${folder}: ${requests.size} requests, ${(bytes / 1000).toFixed(0)} kB`);
      expect([...requests.keys()].filter((path) => /binaryen/i.test(path))).toEqual([]);
    } finally {
      await close();
      await server.close();
    }
  }

  it("runs without a bundler", { timeout: RUN_MS + 30_000 }, async () => {
    await mkdir(join(project.directory, "plain"));
    await cp(join(project.directory, "node_modules/umbra/dist/browser"), join(project.directory, "plain/umbra"), {
      recursive: true,
    });
    await project.write("plain/app.js", PAGE_PROGRAM.replace('"umbra"', '"./umbra/index.js"'));
    await project.write("plain/index.html", page('<script type="module" src="app.js"></script>'));
    await expectGreeting("plain");
  });

  it("runs as Vite bundles it", { timeout: RUN_MS + 30_000 }, async () => {
    await project.write("index.html", page('<script type="module" src="/app.js"></script>'));
    await vite({
      configFile: false,
      root: project.directory,
      logLevel: "warn",
      build: { outDir: "with-vite", target: "esnext" },
      worker: { format: "es" },
    });
    const names = await readdir(join(project.directory, "with-vite/assets"));
    expect(names.join(" ")).toMatch(/core-[\w-]+\.wasm/);
    await expectGreeting("with-vite");
  });

  it(
    "runs as esbuild bundles it, with the package's files copied beside the bundle",
    { timeout: RUN_MS + 30_000 },
    async () => {
      const outdir = join(project.directory, "with-esbuild");
      await esbuild({
        entryPoints: ["app.js"],
        absWorkingDir: project.directory,
        bundle: true,
        format: "esm",
        target: "esnext",
        minify: true,
        outdir,
        logLevel: "silent",
      });
      const from = join(project.directory, "node_modules/umbra/dist/browser");
      for (const name of await readdir(from)) if (name !== "index.js") await cp(join(from, name), join(outdir, name));
      await project.write("with-esbuild/index.html", page('<script type="module" src="app.js"></script>'));
      console.log(
        `esbuild: ${((await stat(join(outdir, "app.js"))).size / 1000).toFixed(0)} kB of the program and the package`,
      );
      await expectGreeting("with-esbuild");
    },
  );
});
