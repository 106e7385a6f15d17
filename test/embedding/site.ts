import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { ISOLATION_HEADERS } from "../../src/web/server.ts";

export interface Site {
  /** with a "/" at the end */
  readonly url: string;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves bytes and files, by the paths behind the "/", and parts of them to those who ask for a range (RFC 9110, 14).
 *
 * @param files bytes, or the path of a file, or a function from the name to one
 */
export async function openSite(
  files: (name: string) => Uint8Array | string | undefined,
  { isolated }: { readonly isolated: boolean },
): Promise<Site> {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://site").pathname.slice(1);
    const answer = async (): Promise<void> => {
      const found = files(name);
      if (found === undefined) return void response.writeHead(404).end();
      const whole = typeof found === "string" ? await readFile(found) : found;
      const [range, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      const bytes = range === undefined ? whole : whole.subarray(Number(first), Number(last) + 1);
      response
        .writeHead(range === undefined ? 200 : 206, {
          "Content-Type": TYPES[name === "" ? ".html" : extname(name)] ?? "application/octet-stream",
          "Content-Length": bytes.length,
          ...(range !== undefined && {
            "Content-Range": `bytes ${first}-${Number(first) + bytes.length - 1}/${whole.length}`,
          }),
          ...(isolated && ISOLATION_HEADERS),
        })
        .end(bytes);
    };
    answer().catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
