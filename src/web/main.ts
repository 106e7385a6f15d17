// The page on which Linux boots: npm run web

import { join, resolve } from "node:path";
import type { FetchProgress } from "../boot/debian.ts";
import { VmError } from "../errors.ts";
import { ROOT } from "../package/layout.ts";
import { buildPage } from "./build.ts";
import { HELP, parseWebOptions, type WebOptions } from "./options.ts";
import { type RunningServer, serve } from "./server.ts";

const say = (line: string): void => void process.stderr.write(`umbra: ${line}\n`);

try {
  const options = parseWebOptions(process.argv.slice(2), join(ROOT, "build/web"));
  if (options.help) process.stdout.write(HELP);
  else await run(options);
} catch (error) {
  if (!(error instanceof VmError)) throw error;
  say(error.message);
  process.exitCode = 2;
}

async function run(options: WebOptions): Promise<void> {
  const directory = resolve(options.directory);
  // A port that is taken is told before the work, not after it.
  const server = options.build ? undefined : await serve({ ...options, directory });
  try {
    const started = performance.now();
    await buildPage({ directory, onProgress: progressLines() });
    say(`built ${directory} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    await server?.close();
    throw error;
  }
  if (server) await serveUntilInterrupted(server, options);
}

async function serveUntilInterrupted(server: RunningServer, { isolated }: WebOptions): Promise<void> {
  process.stdout.write(`${server.url}\n`);
  say(`serving${isolated ? "" : " without isolation"}; Ctrl-C ends it`);
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
  await server.close();
}

function progressLines(): (progress: FetchProgress) => void {
  let shown = "";
  return (progress) => {
    if (progress.kind === "note") say(progress.text);
    else if (shown !== progress.name) {
      shown = progress.name;
      say(`fetching ${progress.name} (${(progress.totalBytes / 1e6).toFixed(1)} MB)`);
    }
  };
}
