import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server does with a request instead of answering as it should; undefined: nothing special. */
export type Fault = "status 500" | "status 404" | "hang up" | "hang" | "whole file" | "too short" | undefined;

/** A web server with one image, which answers requests for ranges, and does wrong where a test says so. */
export class RangeServer {
  bytes: Uint8Array;
  etag = '"one"';
  /** asked at each request with its number, from 1 */
  fault: (request: number) => Fault = () => undefined;
  requests = 0;
  /** connections that the client has closed before the answer came */
  abandoned = 0;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @returns URL of the image */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/image.img`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [, from = "", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const part = this.bytes.subarray(Number(from), Number(to) + 1);
    const headers = { etag: this.etag, "content-range": `bytes ${from}-${to}/${this.bytes.length}` };
    response.on("close", () => (this.abandoned += response.writableEnded ? 0 : 1));
    switch (this.fault(++this.requests)) {
      case "status 500":
        return void response.writeHead(500).end("some trouble");
      case "status 404":
        return void response.writeHead(404).end("no such image");
      case "hang up":
        return void response.destroy();
      case "hang":
        return;
      case "whole file":
        return void response.writeHead(200, { etag: this.etag }).end(this.bytes);
      case "too short":
        return void response.writeHead(206, headers).end(part.subarray(0, -1));
      case undefined:
        return void response.writeHead(206, headers).end(part);
    }
  }
}
