import type { GuestDescription, GuestFile } from "../guest-description.ts";

const DESCRIPTION = new URL("guest/guest.json", document.baseURI);

/** @throws Error in words for the person in front of the page */
export async function describeGuest(signal: AbortSignal): Promise<GuestDescription> {
  const response = await request(DESCRIPTION, signal);
  return (await response.json()) as GuestDescription;
}

/** A download that breaks off goes on where it was, so often and after such a pause. */
const TRIES = 5;
const PAUSE_MS = 1000;

/**
 * Fetches a file of the guest, and takes a download up again that breaks off.
 *
 * @param onProgress bytes that have come since the last call, after decompression
 * @throws Error in words for the person in front of the page
 */
export async function fetchGuestFile(
  file: GuestFile,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const url = new URL(file.path, DESCRIPTION);
  const bytes = new Uint8Array(file.byteLength);
  let done = 0;
  for (let tries = 1; done < bytes.length && tries <= TRIES; tries++) {
    if (tries > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    // Browsers ask for no compression with a range: offsets are those of the file.
    const response = await request(url, signal, done > 0 ? { Range: `bytes=${done}-` } : {});
    // A server without ranges sends all of it again.
    let at = response.status === 206 ? done : 0;
    for await (const chunk of chunksOf(response, signal)) {
      if (at + chunk.length > bytes.length) throw new Error(`${file.path} is longer than the page expects: reload it.`);
      bytes.set(chunk, at);
      at += chunk.length;
      if (at <= done) continue;
      onProgress(at - done);
      done = at;
    }
  }
  if (done < bytes.length) throw new Error(`${file.path} came cut short: ${done} of ${bytes.length} bytes.`);
  return bytes;
}

/** What comes of a body until it ends or breaks off. */
async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (signal.aborted) throw cause;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function request(
  url: URL,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal, headers });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Error(`${url.pathname} cannot be fetched: is the server still there?`, { cause });
  }
  if (!response.ok) throw new Error(`${url.pathname} cannot be fetched: the server answers ${response.status}.`);
  return response;
}
