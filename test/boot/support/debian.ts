import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { concat } from "./images.ts";

const encoder = new TextEncoder();

function field(text: string, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  out.set(encoder.encode(text));
  return out;
}

/** One member of a tar archive, in the old format with the magic of ustar. */
export function tarMember(path: string, content: Uint8Array, type = "0", target = ""): Uint8Array {
  const header = concat(
    field(path, 100),
    field("0000755\0", 8),
    field("0000000\0", 8),
    field("0000000\0", 8),
    field(`${content.length.toString(8).padStart(11, "0")}\0`, 12),
    field("00000000000\0", 12),
    field("        ", 8),
    field(type, 1),
    field(target, 100),
    field("ustar\x0000", 8),
    new Uint8Array(247),
  );
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(encoder.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return concat(header, content, new Uint8Array(-content.length & 511));
}

export function tar(...members: readonly Uint8Array[]): Uint8Array {
  return concat(...members, new Uint8Array(1024));
}

/** A Debian package that dpkg-deb reads, nothing in it compressed. */
export function deb(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const member = (name: string, content: Uint8Array): Uint8Array =>
    concat(
      encoder.encode(
        `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(content.length).padEnd(10)}\`\n`,
      ),
      content,
      encoder.encode(content.length % 2 === 0 ? "" : "\n"),
    );
  const data = tar(...Object.entries(files).map(([path, content]) => tarMember(`./${path}`, content)));
  const control = tar(tarMember("./control", encoder.encode("Package: x\nVersion: 1\n")));
  return concat(
    encoder.encode("!<arch>\n"),
    member("debian-binary", encoder.encode("2.0\n")),
    member("control.tar", control),
    member("data.tar", data),
  );
}

export function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export interface FakePackage {
  readonly name: string;
  readonly version: string;
  readonly depends?: string;
  readonly content: Uint8Array;
}

export function stanza({ name, version, depends, content }: FakePackage): string {
  return `Package: ${name}
Version: ${version}
Architecture: amd64
${depends === undefined ? "" : `Depends: ${depends}\n`}Description: a package
 that ends nowhere
Filename: pool/${name}.deb
Size: ${content.length}
SHA256: ${hash(content)}
`;
}

/** A Debian mirror in this process. */
export class FakeMirror {
  readonly files = new Map<string, Uint8Array>();
  /** path and Range header of each request */
  readonly requests: string[] = [];
  /** the next answer breaks off after this many bytes */
  breakAfter: number | undefined;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? "";
      this.requests.push(`${path}${request.headers.range === undefined ? "" : ` ${request.headers.range}`}`);
      const file = this.files.get(path);
      if (file === undefined) return void response.writeHead(404).end();
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const body = file.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, { "content-length": body.length });
      if (this.breakAfter !== undefined && body.length > this.breakAfter) {
        const part = body.subarray(0, this.breakAfter);
        this.breakAfter = undefined;
        return void response.write(part, () => setTimeout(() => response.destroy(), 20));
      }
      response.end(body);
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/debian`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  publish(packages: readonly FakePackage[], suite = "stable"): void {
    this.files.clear();
    const index = encoder.encode(packages.map(stanza).join("\n"));
    const compressed = gzipSync(index);
    const release = `Origin: Debian\nMD5Sum:\n 00000000000000000000000000000000 1 main/binary-amd64/Packages.gz\nSHA256:\n ${hash(compressed)} ${compressed.length} main/binary-amd64/Packages.gz\n`;
    this.files.set(`/debian/dists/${suite}/Release`, encoder.encode(release));
    this.files.set(`/debian/dists/${suite}/main/binary-amd64/Packages.gz`, compressed);
    for (const item of packages) this.files.set(`/debian/pool/${item.name}.deb`, item.content);
  }
}
