import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { VmError } from "../errors.ts";
import { onDisk, sha256OfFile } from "./cache.ts";
import type { DownloadProgress } from "./packages.ts";

export interface Expected {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Fetches a file whose size and hash are known.
 *
 * What an attempt that broke off has got stays beside the destination, and the next attempt goes on from there.
 *
 * @throws {VmError} ERR_DOWNLOAD
 */
export async function download(
  url: string,
  path: string,
  expected: Expected,
  progress: DownloadProgress,
): Promise<void> {
  // Named after the content: a part of another version is never continued.
  const partial = `${path}.${expected.sha256.slice(0, 16)}.part`;
  await onDisk(`write ${partial}`, () => mkdir(dirname(path), { recursive: true }));
  let have = await sizeOf(partial);
  if (have > expected.bytes) {
    await rm(partial, { force: true });
    have = 0;
  }
  if (have < expected.bytes) await fetchFrom(url, partial, have, expected, progress);
  let found = await sha256OfFile(partial);
  if (found !== expected.sha256 && have > 0) {
    // The part was damaged: once more, from the beginning.
    await rm(partial, { force: true });
    await fetchFrom(url, partial, 0, expected, progress);
    found = await sha256OfFile(partial);
  }
  if (found !== expected.sha256) {
    await rm(partial, { force: true });
    throw new VmError("ERR_DOWNLOAD", `${url}: SHA-256 is ${found ?? "unreadable"}, expected ${expected.sha256}`);
  }
  await onDisk(`write ${path}`, () => rename(partial, path));
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

async function fetchFrom(
  url: string,
  partial: string,
  from: number,
  { bytes }: Expected,
  progress: DownloadProgress,
): Promise<void> {
  const response = await request(url, from > 0 ? { Range: `bytes=${from}-` } : {});
  // A server that does not know ranges sends everything.
  const start = response.status === 206 ? from : 0;
  let done = start;
  progress(done, bytes);
  const body = response.body;
  if (body === null) throw new VmError("ERR_DOWNLOAD", `${url}: the answer is empty, expected ${bytes} bytes`);
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      done += chunk.length;
      if (done > bytes) throw new VmError("ERR_DOWNLOAD", `${url}: more than the ${bytes} bytes expected`);
      progress(done, bytes);
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.from(counted()), createWriteStream(partial, { flags: start > 0 ? "a" : "w" }));
  } catch (cause) {
    if (cause instanceof VmError) throw cause;
    throw new VmError("ERR_DOWNLOAD", `${url}: broke off after ${done} of ${bytes} bytes: ${reasonOf(cause)}`, {
      cause,
    });
  }
  if (done < bytes) throw new VmError("ERR_DOWNLOAD", `${url}: broke off after ${done} of ${bytes} bytes`);
}

/** A small file as a whole; undefined when the server has none of that name. */
export async function fetchBytes(url: string): Promise<Uint8Array | undefined> {
  let response: Response;
  try {
    response = await request(url, {});
  } catch (error) {
    if (error instanceof VmError && error.message.endsWith("the server answered 404")) return undefined;
    throw error;
  }
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new VmError("ERR_DOWNLOAD", `${url}: broke off: ${reasonOf(cause)}`, { cause });
  }
}

async function request(url: string, headers: Record<string, string>): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers });
  } catch (cause) {
    throw new VmError("ERR_DOWNLOAD", `cannot fetch ${url}: ${reasonOf(cause)}`, { cause });
  }
  if (!response.ok) throw new VmError("ERR_DOWNLOAD", `cannot fetch ${url}: the server answered ${response.status}`);
  return response;
}

/** fetch says only "fetch failed", and what it means in the cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text =
    inner instanceof Error ? inner.message || ("code" in inner ? String(inner.code) : inner.name) : String(inner);
  return text.split("\n", 1)[0] ?? text;
}
