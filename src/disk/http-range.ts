import { VmError } from "../errors.ts";

/** An image as its server has described it when it was opened. */
export interface HttpImage {
  readonly url: string;
  readonly totalBytes: number;
  /** ETag, else Last-Modified; undefined where the server has neither, or does not let this page read it (CORS) */
  readonly version: string | undefined;
}

export interface RangeAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  /** of the whole image, if the answer says so */
  readonly totalBytes: number | undefined;
  readonly version: string | undefined;
}

export interface RangeRequest {
  readonly url: string;
  readonly first: number;
  readonly byteLength: number;
  /** of the error when no answer can be had */
  readonly code: "ERR_DOWNLOAD" | "ERR_DISK_IO";
  readonly signal: AbortSignal | undefined;
}

/** Answers that may be others in a moment: RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. */
const PASSING = [408, 429, 500, 502, 503, 504];
/** Milliseconds before each further try; after the last one it is an error. */
const RETRY_MS = [100, 400, 1600];

/**
 * Asks for a range. Where the network or the server fails for the moment, it is asked again a few times.
 *
 * @returns the last answer, whatever its status; `bytes` are empty unless that is 206
 * @throws {VmError} `code` when there is none; the reason of `signal`, when it is aborted
 */
export async function fetchRange(request: RangeRequest): Promise<RangeAnswer> {
  for (const waitMs of [...RETRY_MS, undefined]) {
    try {
      const answer = await ask(request);
      if (waitMs === undefined || !PASSING.includes(answer.status)) return answer;
    } catch (cause) {
      request.signal?.throwIfAborted();
      if (waitMs === undefined) throw failure(request, cause);
    }
    await pause(waitMs, request.signal);
  }
  throw failure(request, undefined);
}

async function ask({ url, first, byteLength, signal }: RangeRequest): Promise<RangeAnswer> {
  const range = `bytes=${first}-${first + byteLength - 1}`;
  const response = await fetch(url, { headers: { range }, signal: signal ?? null });
  const { status, headers } = response;
  let bytes = new Uint8Array(0);
  // A server that knows no ranges sends all there is.
  if (status === 206) bytes = new Uint8Array(await response.arrayBuffer());
  else await response.body?.cancel();
  // RFC 9110, 14.4: "bytes 0-0/1234".
  const total = /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1];
  return {
    status,
    bytes,
    totalBytes: total === undefined ? undefined : Number(total),
    version: headers.get("etag") ?? headers.get("last-modified") ?? undefined,
  };
}

function failure({ url, code }: RangeRequest, cause: unknown): VmError {
  // "fetch failed" says nothing; what lies below it does.
  const below = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = below instanceof Error ? below.message || below.name : String(below);
  return new VmError(code, `${url}: ${why}`, { cause });
}

async function pause(waitMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, waitMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
