import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VmError } from "../../src/errors.ts";
import { parseWebOptions } from "../../src/web/options.ts";
import { ISOLATION_HEADERS, type RunningServer, serve } from "../../src/web/server.ts";

let directory: string;
let server: RunningServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "umbra-server-"));
  await mkdir(join(directory, "site/assets"), { recursive: true });
  await writeFile(join(directory, "secret.txt"), "not for everybody");
  await writeFile(join(directory, "site/index.html"), "<p>page");
  await writeFile(join(directory, "site/assets/a-1234.js"), "let a;");
  await writeFile(join(directory, "site/core.wasm"), "plain");
  await writeFile(join(directory, "site/core.wasm.br"), brotliCompressSync("compressed"));
  server = await serve({ directory: join(directory, "site"), host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request as it is: fetch would tidy up the path. */
function ask(path: string, { method = "GET", headers = {} } = {}): Promise<Answer> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", reject).end();
  });
}

describe("the server of the page", () => {
  it("sends the page with the headers that isolate it", async () => {
    const { status, headers, body } = await ask("/");
    expect([status, body]).toEqual([200, "<p>page"]);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) expect(headers[name.toLowerCase()]).toBe(value);
    expect(headers["cache-control"]).toBe("no-cache");
  });

  it("lets files with a hash in their names be kept, and answers 304 where nothing has changed", async () => {
    expect((await ask("/assets/a-1234.js")).headers["cache-control"]).toContain("immutable");
    const { headers } = await ask("/");
    const again = await ask("/", { headers: { "if-none-match": String(headers["etag"]) } });
    expect([again.status, again.body]).toEqual([304, ""]);
  });

  it("sends what is compressed to those who take it", async () => {
    const plain = await ask("/core.wasm");
    expect(plain.body).toBe("plain");
    expect(plain.headers["content-type"]).toBe("application/wasm");
    const { headers } = await ask("/core.wasm", { headers: { "accept-encoding": "gzip, br" } });
    expect(headers["content-encoding"]).toBe("br");
    expect(headers["etag"]).not.toBe(plain.headers["etag"]);
  });

  it.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "//../secret.txt",
    "/assets/../../secret.txt",
    "/a%00b",
    "/%",
    "/missing",
  ])("does not find %s", async (path) => {
    const { status, body } = await ask(path);
    expect([status, body]).toEqual([404, "Not found\n"]);
  });

  it("sends the rest of a file to a download that broke off, never compressed", async () => {
    const headers = { range: "bytes=2-", "accept-encoding": "br" };
    const { status, headers: sent, body } = await ask("/core.wasm", { headers });
    expect([status, body]).toEqual([206, "ain"]);
    expect([sent["content-range"], sent["content-length"]]).toEqual(["bytes 2-4/5", "3"]);
    expect(sent["content-encoding"]).toBeUndefined();
  });

  it.each(["bytes=5-", "bytes=-2", "bytes=0-1", "lines=1-"])("sends the whole to who asks for %s", async (range) => {
    const { status, body } = await ask("/core.wasm", { headers: { range } });
    expect([status, body]).toEqual([200, "plain"]);
  });

  it("answers HEAD without a body, and refuses what would change something", async () => {
    const head = await ask("/", { method: "HEAD" });
    expect([head.status, head.headers["content-length"], head.body]).toEqual([200, "7", ""]);
    expect((await ask("/", { method: "POST" })).status).toBe(405);
  });

  it("leaves the isolating headers out when it is told to", async () => {
    const other = await serve({ directory, host: "127.0.0.1", port: 0, isolated: false });
    const response = await fetch(new URL("secret.txt", other.url));
    await other.close();
    expect(response.headers.get("cross-origin-embedder-policy")).toBeNull();
  });

  it("says in one line that a port is taken", async () => {
    const port = Number(new URL(server.url).port);
    const error = await serve({ directory, host: "127.0.0.1", port }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VmError);
    expect(String(error)).toContain(
      `cannot listen on 127.0.0.1, port ${port}: it is in use; give another one with --port`,
    );
  });
});

describe("the command line of npm run web", () => {
  it("has defaults for everything", () => {
    expect(parseWebOptions([], "build/web")).toEqual({
      help: false,
      build: false,
      directory: "build/web",
      host: "localhost",
      port: 8080,
      isolated: true,
    });
  });

  it("takes what is given", () => {
    const options = parseWebOptions(
      ["--port", "0", "--build", "--out", "x", "--no-isolation", "--host", "0.0.0.0"],
      "y",
    );
    expect(options).toMatchObject({ port: 0, build: true, directory: "x", isolated: false, host: "0.0.0.0" });
  });

  it.each([
    [["--port", "70000"], /--port is "70000", expected a number from 0 to 65535; see npm run web/],
    [["--port", "-1"], /--port/],
    [["--port", "http"], /--port is "http"/],
    [["--ports", "1"], /Unknown option '--ports'/],
    [["folder"], /folder/],
  ])("refuses %j", (args, message) => {
    expect(() => parseWebOptions(args, "y")).toThrow(message);
  });
});
