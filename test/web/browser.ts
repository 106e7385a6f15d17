import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's package "chromium", which `npm test` installs where it may, or the browser that UMBRA_CHROMIUM names. */
export const CHROMIUM = process.env["UMBRA_CHROMIUM"] ?? "/usr/bin/chromium";
export const hasChromium = existsSync(CHROMIUM);
if (!hasChromium) console.log(`not run: the page in a browser: there is no ${CHROMIUM} (Debian's package chromium)`);

const FLAGS = [
  "--headless",
  // Tests run as root, where the sandbox does not start; nothing but our own pages is opened.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** For one step, on a machine that has much else to do. */
const STEP_MS = 300_000;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS, timeout: STEP_MS });
}

/** A page in a context of its own, with all that went wrong in it, and what it has asked for. */
export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly errors: string[];
  /** paths, each with the bytes that came over the network */
  readonly requests: Map<string, number>;
  readonly close: () => Promise<void>;
}

/** @param prepare what is to be done with the page before it loads anything */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<void> = () => Promise.resolve(),
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, ...options });
  context.setDefaultTimeout(STEP_MS);
  context.setDefaultNavigationTimeout(STEP_MS);
  const page = await context.newPage();
  const errors: string[] = [];
  const requests = new Map<string, number>();
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  context.on("requestfinished", (request) => {
    void request
      .sizes()
      .then(({ responseBodySize }) => requests.set(new URL(request.url()).pathname, responseBodySize))
      // The page was closed meanwhile.
      .catch(() => undefined);
  });
  await prepare(page);
  await page.goto(url);
  return { context, page, errors, requests, close: () => context.close() };
}

/** Waits until the terminal shows a text that a pattern matches; what it shows is in the error message otherwise. */
export async function waitForText(page: Page, pattern: RegExp, timeoutMs: number): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const text = await terminalText(page);
    if (pattern.test(text)) return text;
    if (Date.now() > deadline) throw new Error(`the terminal does not show ${String(pattern)} but:\n${text}`);
    await page.waitForTimeout(100);
  }
}

export async function terminalText(page: Page): Promise<string> {
  const rows = await page.locator(".xterm-rows > div").allTextContents();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n");
}

/** Types a command into the guest's shell. */
export async function type(page: Page, command: string): Promise<void> {
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.type(`${command}\n`);
}
