import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openHttpDisk } from "../../src/disk/http-disk.ts";
import { VmError } from "../../src/errors.ts";
import { RangeServer } from "./support/range-server.ts";

const CHUNK = 512 * 512;

let server: RangeServer;
let url = "";
beforeEach(async () => {
  server = new RangeServer(Uint8Array.from({ length: 3 * CHUNK + 512 }, (_, at) => at >> 9));
  url = await server.start();
});
afterEach(() => server.close());

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof VmError) return `${error.code}: ${error.message.replace(url, "URL")}`;
    throw error;
  }
  return "no error";
}

async function readSector(disk: { read(sector: number, into: Uint8Array): Promise<void> }, sector: number) {
  const bytes = new Uint8Array(512);
  await disk.read(sector, bytes);
  return bytes[0];
}

describe("a disk on a web server", () => {
  it("fetches what is read, and keeps it", async () => {
    const disk = await openHttpDisk(url);
    expect([disk.sectors, disk.readOnly, disk.id]).toEqual([3 * 512 + 1, true, "image.img"]);
    const two = new Uint8Array(1024);
    await disk.read(511, two); // over the border of two chunks
    expect([two[0], two[512]]).toEqual([511 & 0xff, 512 & 0xff]);
    expect(await readSector(disk, 3 * 512)).toBe((3 * 512) & 0xff);
    expect(server.requests).toBe(4);
    expect(await readSector(disk, 0)).toBe(0);
    expect(server.requests).toBe(4);
    expect(await codeOf(disk.write())).toMatch(/^ERR_DISK_IO: .* cannot be written/);
  });

  it("refuses a server that does not answer requests for ranges, or has no such image", async () => {
    server.fault = () => "whole file";
    expect(await codeOf(openHttpDisk(url))).toBe(
      "ERR_DOWNLOAD: URL: HTTP status 200, expected 206 with the size: its server must answer requests for ranges",
    );
    server.fault = () => "status 404";
    expect(await codeOf(openHttpDisk(url))).toMatch(/^ERR_DOWNLOAD: URL: HTTP status 404/);
    expect(server.requests).toBe(2);
    server.fault = () => undefined;
    server.bytes = server.bytes.subarray(0, 1000);
    expect(await codeOf(openHttpDisk(url))).toMatch(/^ERR_DISK_FORMAT: URL has 1000 bytes/);
    await server.close();
    expect(await codeOf(openHttpDisk(url))).toMatch(/^ERR_DOWNLOAD: URL: connect ECONNREFUSED/);
  });

  it("asks again when the server or the network fails for the moment", { timeout: 20_000 }, async () => {
    server.fault = (request) => (request === 1 ? "status 500" : undefined);
    const disk = await openHttpDisk(url);
    server.fault = (request) => (request === 3 ? "status 500" : request === 4 ? "hang up" : undefined);
    expect(await readSector(disk, 1)).toBe(1);
    expect(server.requests).toBe(5);
    server.fault = () => "status 500";
    expect(await codeOf(readSector(disk, 600))).toBe(
      "ERR_DISK_IO: URL: HTTP status 500 and 0 bytes at 262144, expected 206 and 262144",
    );
    expect(server.requests).toBe(9);
    // What failed is not kept.
    server.fault = () => undefined;
    expect(await readSector(disk, 600)).toBe(600 & 0xff);
  });

  it("does not take an answer of another length", async () => {
    const disk = await openHttpDisk(url);
    server.fault = () => "too short";
    expect(await codeOf(readSector(disk, 1))).toBe(
      "ERR_DISK_IO: URL: HTTP status 206 and 262143 bytes at 0, expected 206 and 262144",
    );
    server.fault = () => "whole file";
    expect(await codeOf(readSector(disk, 1))).toMatch(/^ERR_DISK_IO: URL: HTTP status 200 and 0 bytes/);
  });

  it("notices that the image has become another one", async () => {
    const disk = await openHttpDisk(url);
    expect(await readSector(disk, 1)).toBe(1);
    server.etag = '"two"';
    expect(await codeOf(readSector(disk, 600))).toBe(
      'ERR_DISK_CHANGED: URL has changed: "two" of 786944 bytes, expected "one" of 786944 bytes as when it was opened',
    );
    server.etag = '"one"';
    server.bytes = server.bytes.subarray(0, 3 * CHUNK);
    expect(await codeOf(readSector(disk, 600))).toMatch(/^ERR_DISK_CHANGED: .* of 786432 bytes, expected/);
  });

  it("gives up at once what it waits for, when it is closed or aborted", async () => {
    const disk = await openHttpDisk(url);
    server.fault = () => "hang";
    const reading = codeOf(readSector(disk, 1));
    await expect.poll(() => server.requests).toBe(2);
    disk.close();
    expect(await reading).toBe("ERR_DISK_IO: URL: it is closed");
    const aborter = new AbortController();
    const opening = openHttpDisk(url, aborter.signal);
    await expect.poll(() => server.requests).toBe(3);
    aborter.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
    await expect.poll(() => server.abandoned).toBe(2);
    // Between two tries, too.
    server.fault = () => "status 500";
    const again = new AbortController();
    const trying = openHttpDisk(url, again.signal);
    await expect.poll(() => server.requests).toBe(5);
    again.abort();
    await expect(trying).rejects.toMatchObject({ name: "AbortError" });
  });
});
