import { parseArgs } from "node:util";
import { VmError } from "../errors.ts";

export interface WebOptions {
  readonly help: boolean;
  /** only build */
  readonly build: boolean;
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly isolated: boolean;
}

export const HELP = `Builds the page on which Linux boots, and serves it.

Usage: npm run web -- [options]

Options:
  --port NUMBER   port to listen on, 0 for any that is free [8080]
  --host NAME     address to listen on; 0.0.0.0 for all of this machine [localhost]
  --build         only build, into a folder that any static server can serve
  --out FOLDER    where the page is built [build/web]
  --no-isolation  do not send the headers that a page needs to share memory between threads
  -h, --help      show this help

Another server should send two headers with every file, as the file _headers in the folder says to those that read it; nginx, for example:
  add_header Cross-Origin-Opener-Policy same-origin;
  add_header Cross-Origin-Embedder-Policy require-corp;
Without them, or without HTTPS (but for localhost), the page works by coarser clocks, and says so. Ctrl-C ends the server.
`;

/**
 * Reads the command line.
 *
 * @throws {VmError} ERR_CONFIG
 */
export function parseWebOptions(args: readonly string[], defaultDirectory: string): WebOptions {
  const { values } = parse(args);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw usage(`--port is "${values.port}", expected a number from 0 to 65535`);
  return {
    help: values.help,
    build: values.build,
    directory: values.out ?? defaultDirectory,
    host: values.host,
    port,
    isolated: !values["no-isolation"],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        build: { type: "boolean", default: false },
        "no-isolation": { type: "boolean", default: false },
        out: { type: "string" },
        host: { type: "string", default: "localhost" },
        port: { type: "string", default: "8080" },
      },
    });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw usage(/^.*?(?=\. |\n|$)/.exec(cause.message)?.[0] ?? cause.message, cause);
  }
}

function usage(message: string, cause?: unknown): VmError {
  return new VmError("ERR_CONFIG", `${message}; see npm run web -- --help`, { cause });
}
