import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchDebian } from "../../src/boot/debian.ts";
import { VmError } from "../../src/errors.ts";
import { buildPage } from "../../src/web/build.ts";
import { type RunningServer, serve } from "../../src/web/server.ts";
import { hasChromium, launchChromium, terminalText, type, visit, waitForText } from "./browser.ts";

const BUILD_MS = 300_000;
/** A boot takes ten seconds of a processor that has nothing else to do, and twenty times as long on one that has. */
const BOOT_MS = 400_000;
const PROMPT = /umbra:~# ?$/m;

let hasKernel = true;
try {
  await fetchDebian();
} catch (error) {
  if (!(error instanceof VmError)) throw error;
  hasKernel = false;
  console.log(`not run: the page in a browser: ${error.message}`);
}

/** Each boot takes long: more than one is for who works on the page. */
const wantsAll = process.env["UMBRA_PAGE"] === "all";
if (hasChromium && hasKernel && !wantsAll)
  console.log("not run: the page but for one boot: it takes minutes; UMBRA_PAGE=all asks for it");

let directory: string;
let server: RunningServer;
let browser: Browser;

describe.runIf(hasChromium && hasKernel)("the page", () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "umbra-page-"));
    await buildPage({ directory, onProgress: () => undefined });
    server = await serve({ directory, host: "127.0.0.1", port: 0 });
    browser = await launchChromium();
  }, BUILD_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("boots Debian's kernel to a shell", { timeout: 2 * BOOT_MS }, async () => {
    const { page, errors, requests, close } = await visit(browser, server.url);
    await page.locator("#progress").waitFor();
    await waitForText(page, PROMPT, BOOT_MS);
    expect(await page.locator("#status-text").textContent()).toBe("Running");
    expect(await page.locator("#progress").isHidden()).toBe(true);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await page.locator("#isolation").textContent()).toContain("threads of their own");

    await type(page, "uname -a");
    expect(await waitForText(page, /^Linux umbra .* x86_64/m, BOOT_MS)).toContain("uname -a");
    const charts = await page.locator(".chart .value").allTextContents();
    expect(charts).toHaveLength(5);
    for (const value of charts.slice(2)) expect(value).toMatch(/^[\d,]+/);
    expect(errors).toEqual([]);

    let total = 0;
    for (const [path, byteLength] of requests) {
      total += byteLength;
      console.log(`${(byteLength / 1000).toFixed(1).padStart(8)} kB  ${path}`);
    }
    console.log(`${(total / 1000).toFixed(1).padStart(8)} kB  ${requests.size} requests`);
    expect([...requests.keys()].filter((path) => /binaryen/i.test(path))).toEqual([]);
    await close();
  });

  it("says what the server lacks", { timeout: BOOT_MS }, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route("**/guest/vmlinuz", (route) => route.fulfill({ status: 404, body: "" }));
    const failed = page.locator('#status[data-phase="failed"]');
    // The other file comes when all is lost already.
    await page.route("**/guest/initrd.img", async (route) => {
      await failed.waitFor();
      await route.continue().catch(() => undefined);
    });
    await page.goto(server.url);
    await failed.waitFor();
    await page.waitForTimeout(500);
    expect(await page.locator("#progress").isHidden()).toBe(true);
    expect(await page.locator("#notice").textContent()).toContain("vmlinuz cannot be fetched: the server answers 404.");
    await context.close();
  });

  describe.runIf(wantsAll)("in all its parts", () => {
    it("can be paused, reset and switched off", { timeout: 3 * BOOT_MS }, async () => {
      const { page, errors, close } = await visit(browser, server.url, { acceptDownloads: true });
      const status = page.locator("#status-text");
      await waitForText(page, PROMPT, BOOT_MS);

      await page.locator("#pause").click();
      expect(await status.textContent()).toBe("Paused");
      await type(page, "echo not $((1 + 1)) yet");
      await page.waitForTimeout(500);
      expect(await terminalText(page)).not.toContain("not 2 yet");
      await page.locator("#pause").click();
      await waitForText(page, /not 2 yet/, BOOT_MS);

      const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#save-log").click()]);
      const log = await readFile(await file.path(), "utf8");
      expect(file.suggestedFilename()).toBe("umbra-serial.log");
      expect(log).toMatch(/Linux version [^]*not 2 yet/);

      await page.locator("#reset").click();
      await page.locator('#status[data-phase="booting"]').waitFor();
      expect(await status.textContent()).toBe("Booting");
      // Another kernel has begun: what the one before it printed is gone, or has scrolled away.
      await waitForText(page, /^\[ +\d+\.\d+\] /m, BOOT_MS);
      await page.locator("#power").click();
      await page.locator('#status[data-phase="off"]').waitFor();
      expect(await page.locator("#pause").isDisabled()).toBe(true);
      expect(errors).toEqual([]);
      await close();
    });

    it("is off when poweroff is typed, and can be switched on again", { timeout: 3 * BOOT_MS }, async () => {
      const { page, errors, close } = await visit(browser, server.url);
      await waitForText(page, PROMPT, BOOT_MS);
      await type(page, "poweroff");
      await page.locator('#status[data-phase="off"]').waitFor({ timeout: BOOT_MS });
      expect(await page.locator("#notice").textContent()).toContain("The machine is off");
      await page.locator("#power").click();
      await page.locator('#status[data-phase="running"]').waitFor({ timeout: BOOT_MS });
      expect(await page.locator("#notice").isHidden()).toBe(true);
      expect(errors).toEqual([]);
      await close();
    });

    it("takes a download up again that breaks off", { timeout: 2 * BOOT_MS }, async () => {
      const ranges: (string | undefined)[] = [];
      const { page, close } = await visit(browser, server.url, {}, async (fresh) => {
        await fresh.route("**/guest/vmlinuz", async (route) => {
          const { range } = route.request().headers();
          ranges.push(range);
          if (range !== undefined) return route.continue();
          const whole = await route.fetch();
          await route.fulfill({ status: 200, body: (await whole.body()).subarray(0, 1 << 20) });
        });
      });
      await page.locator('#status[data-phase="booting"]').waitFor({ timeout: BOOT_MS });
      expect(ranges).toEqual([undefined, `bytes=${1 << 20}-`]);
      await close();
    });

    it("works without isolation, and says what is missing", { timeout: 2 * BOOT_MS }, async () => {
      const plain = await serve({ directory, host: "127.0.0.1", port: 0, isolated: false });
      const { page, errors, close } = await visit(browser, plain.url);
      await waitForText(page, PROMPT, BOOT_MS);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      await type(page, "uname -a");
      await waitForText(page, /^Linux umbra .* x86_64/m, BOOT_MS);
      const text = await page.locator("#isolation").textContent();
      expect(text).toContain("Cross-Origin-Opener-Policy: same-origin");
      expect(text).toContain("Cross-Origin-Embedder-Policy: require-corp");
      expect(errors).toEqual([]);
      await close();
      await plain.close();
    });

    it("keeps a disk between visits", { timeout: 4 * BOOT_MS }, async () => {
      const { context, page, errors, close } = await visit(browser, server.url);
      await page.locator("#disk-size").selectOption("64");
      await page.locator("#start").click();
      await waitForText(page, /New disk \/dev\/vda[^]*umbra:~# ?$/m, BOOT_MS);
      await type(page, "echo kept $((40 + 2)) >/mnt/vda/note && sync && echo written");
      await waitForText(page, /^written/m, BOOT_MS);
      await page.reload();
      expect(await page.locator("#disk-size").inputValue()).toBe("64");
      expect(await page.locator("#disk-hint").textContent()).toContain("Kept from an earlier start");
      await waitForText(page, PROMPT, BOOT_MS);
      await type(page, "cat /mnt/vda/note");
      await waitForText(page, /^kept 42/m, BOOT_MS);
      const other = await context.newPage();
      await other.goto(server.url);
      await other.locator('#status[data-phase="failed"]').waitFor({ timeout: BOOT_MS });
      expect(await other.locator("#notice").textContent()).toContain("The disk is in use in another tab");
      await other.close();
      expect(errors).toEqual([]);
      await close();
    });

    it("fits on a phone", { timeout: BOOT_MS }, async () => {
      const { page, close } = await visit(browser, server.url, {
        viewport: { width: 360, height: 740 },
        isMobile: true,
        hasTouch: true,
      });
      await waitForText(page, /\S/, BOOT_MS);
      const width = await page.evaluate<number>("document.documentElement.scrollWidth");
      expect(width).toBeLessThanOrEqual(360);
      for (const button of await page.locator(".controls button").all())
        expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
      await page.locator('[data-key="interrupt"]').tap();
      expect(await page.evaluate<string>("document.activeElement.className")).toContain("xterm-helper-textarea");
      await close();
    });

    it("can be used with the keyboard alone", { timeout: BOOT_MS }, async () => {
      const { page, close } = await visit(browser, server.url);
      await waitForText(page, /\S/, BOOT_MS);
      await page.locator(".xterm-helper-textarea").focus();
      const focused = (): Promise<string> => page.evaluate<string>("document.activeElement.id");
      await page.keyboard.press("Tab");
      expect(await page.evaluate<string>("document.activeElement.className")).toContain("xterm-helper-textarea");
      await page.keyboard.press("Shift+Tab");
      expect(await focused()).toBe("save-log");
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Enter");
      await page.locator('#status[data-phase="off"]').waitFor();
      await close();
    });

    it("says what is wrong with files that it cannot use", { timeout: BOOT_MS }, async () => {
      const { page, close } = await visit(browser, server.url);
      const notice = page.locator("#notice");
      const give = (name: string, bytes: Buffer): Promise<void> =>
        page.locator("#file").setInputFiles({ name, mimeType: "", buffer: bytes });
      await give("notes.txt", Buffer.from("no kernel"));
      await notice.waitFor();
      expect(await notice.textContent()).toMatch(/notes\.txt cannot be used.*Expected a bzImage/);
      const broken = Buffer.alloc(1024);
      broken.write("HdrS", 0x202);
      await give("broken", broken);
      await page.locator('#status[data-phase="failed"]').waitFor();
      expect(await notice.textContent()).toMatch(/^The machine could not be started.*bzImage/);
      expect(await page.locator("#files li").count()).toBe(1);
      await page.locator("#files button").click();
      expect(await page.locator("#files li").count()).toBe(0);
      await close();
    });
  });
});
