import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { VmError } from "../errors.ts";

/**
 * What makes a page cross-origin isolated, so that it may share memory between threads. Whoever serves the folder with another server
 * sends the same two. HTML Standard, 7.1.3 and 7.1.4
 */
export const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
} as const;

const HEADERS = {
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // xterm.js and uPlot write styles; WebAssembly is compiled while the guest runs.
  "Content-Security-Policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'self'; base-uri 'none'",
} as const;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Files whose names hold a hash of what is in them never change. */
const HASHED = /^\/assets\//;

export interface ServerOptions {
  readonly directory: string;
  readonly host: string;
  /** 0 for any that is free */
  readonly port: number;
  /** false leaves the two headers of ISOLATION_HEADERS out, to see what the page does without them */
  readonly isolated?: boolean;
}

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the files of a folder, compressed ones (.br beside the file) to those who take them.
 *
 * @throws {VmError} ERR_CONFIG when the port is taken or may not be used
 */
export async function serve({ directory, host, port, isolated = true }: ServerOptions): Promise<RunningServer> {
  const headers = { ...HEADERS, ...(isolated && ISOLATION_HEADERS) };
  const server = createServer((request, response) => {
    response.on("error", () => response.destroy());
    void answer(directory, request, response, headers).catch(() => fail(response, 500, "Internal error"));
  });
  await listen(server, host, port);
  const address = server.address();
  const used = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${used}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reasons: Readonly<Record<string, string>> = {
        EADDRINUSE: "it is in use; give another one with --port",
        EACCES: "this user may not use it; give one above 1023 with --port",
        EADDRNOTAVAIL: "this machine has no such address",
      };
      const reason = reasons[cause.code ?? ""] ?? cause.message;
      reject(new VmError("ERR_CONFIG", `cannot listen on ${host}, port ${port}: ${reason}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

async function answer(
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return fail(response, 405, "Only GET and HEAD");
  }
  const path = pathOf(request.url ?? "/");
  const file = path === undefined ? undefined : await findFile(directory, path, request);
  if (path === undefined || file === undefined) return fail(response, 404, "Not found");
  const tag = `"${file.byteLength.toString(36)}-${Math.round(file.modifiedMs).toString(36)}${file.encoding ?? ""}"`;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
  response.setHeader("Cache-Control", HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache");
  response.setHeader("Vary", "Accept-Encoding");
  response.setHeader("ETag", tag);
  if (file.encoding !== undefined) response.setHeader("Content-Encoding", file.encoding);
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader("Accept-Ranges", "bytes");
  const start = rangeStart(request, file.byteLength);
  if (start !== undefined)
    response.setHeader("Content-Range", `bytes ${start}-${file.byteLength - 1}/${file.byteLength}`);
  response.writeHead(start === undefined ? 200 : 206, { "Content-Length": file.byteLength - (start ?? 0) });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  createReadStream(file.path, { start: start ?? 0 })
    .on("error", () => response.destroy())
    .pipe(response);
}

/** Where a download goes on that broke off; undefined for whatever asks for something else, and is sent the whole. RFC 9110, 14.2 */
function rangeStart({ headers }: IncomingMessage, byteLength: number): number | undefined {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? NaN);
  return start < byteLength && headers["if-range"] === undefined ? start : undefined;
}

/** The path of a request, which never leads out of the folder; undefined for one that is none. */
function pathOf(url: string): string | undefined {
  try {
    const decoded = decodeURIComponent(new URL(url, "http://host").pathname);
    if (decoded.includes("\0")) return undefined;
    return decoded.endsWith("/") ? `${decoded}index.html` : decoded;
  } catch {
    return undefined;
  }
}

interface FoundFile {
  readonly path: string;
  readonly byteLength: number;
  readonly modifiedMs: number;
  readonly encoding: "br" | undefined;
}

async function findFile(directory: string, path: string, request: IncomingMessage): Promise<FoundFile | undefined> {
  const plain = normalize(join(directory, path));
  if (!plain.startsWith(normalize(directory) + sep)) return undefined;
  const takesBrotli =
    request.headers.range === undefined && /\bbr\b/.test(String(request.headers["accept-encoding"] ?? ""));
  for (const [candidate, encoding] of [
    ...(takesBrotli ? [[`${plain}.br`, "br"] as const] : []),
    [plain, undefined] as const,
  ]) {
    const status = await stat(candidate).catch(() => undefined);
    if (status?.isFile()) return { path: candidate, byteLength: status.size, modifiedMs: status.mtimeMs, encoding };
  }
  return undefined;
}

function fail(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
